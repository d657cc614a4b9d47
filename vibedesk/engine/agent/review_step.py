"""Looks at the app as a careful engineer would: tools, log, page, checks; what is wrong becomes issues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.install_errors import NO_SUCH_PACKAGE
from vibedesk.engine.agent.issue_list import IssueList, is_finding
from vibedesk.engine.agent.open_work import OpenWork, Reached
from vibedesk.engine.agent.review_depth import DepthSource
from vibedesk.engine.agent.run_memory import RunMemory
from vibedesk.engine.agent.self_test import SelfTest
from vibedesk.engine.browser.process import BrowserError, BrowserProcess
from vibedesk.engine.browser.reports import DESKTOP, PHONE, PageReport
from vibedesk.engine.builder.context import review_request
from vibedesk.engine.builder.focus import of_written
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.schemas import Phase, ReviewAnswer
from vibedesk.engine.builder.timing import timed
from vibedesk.engine.events import Notice
from vibedesk.engine.files.ignore_rules import IgnoreRules
from vibedesk.engine.models.protocol import BudgetExceededError, ModelError
from vibedesk.engine.review.checkers import Checkers
from vibedesk.engine.review.findings import finding_issues
from vibedesk.engine.review.issues import Issue, Source
from vibedesk.engine.review.known_issues import issue_of
from vibedesk.engine.review.native_typescript import is_native, native_types
from vibedesk.engine.review.page_issues import started_for_checks
from vibedesk.engine.review.security.packages import UNAVAILABLE, VULNERABLE
from vibedesk.engine.review.security.security_review import audit, security_issues
from vibedesk.engine.review.served_app import served_app_issues
from vibedesk.engine.review.source_places import report_locator
from vibedesk.engine.store.issues import IssueRecord, shown_by_checks

_MOST_KNOWN = 40
"""Findings that a review is told not to report again."""
_OWN_COMPILERS = frozenset({"vue", "svelte"})
"""Frameworks whose files only a compiler of their own can read."""


@dataclass(slots=True)
class Looked:
    """What one look found, and what it looked at.

    Attributes:
        found: Everything that is wrong there.
        sources: What it looked at as a whole.
        again: Signatures of what else would have shown again if it were still there.
        unseen: Why no browser looked where one should have; empty where one did, or none should.
        version: The code that the page was of; 0 where no page was looked at.
    """

    found: list[Issue] = field(default_factory=list)
    sources: set[Source] = field(default_factory=set)
    again: set[str] = field(default_factory=set)
    unseen: str = ""
    version: int = 0

    def saw(self, record: IssueRecord) -> bool:
        """Whether an issue would have shown again if it were still there."""
        by_source = issue_of(record).source in self.sources and not shown_by_checks(record.data)
        return by_source or record.signature in self.again

    @property
    def blocking(self) -> list[Issue]:
        return [issue for issue in self.found if issue.blocks]


class ReviewStep:
    """The review of one project's app.

    Args:
        access: The project.
        runtime: Its running app.
        issues: Where findings go.
        browser: Returns what looks at the page; None where nobody does.
        depth: How much is looked at.
    """

    def __init__(
        self,
        access: ProjectAccess,
        runtime: AppRuntime,
        issues: IssueList,
        browser: Callable[[], BrowserProcess | None],
        depth: DepthSource,
    ) -> None:
        self._access = access
        self._runtime = runtime
        self._issues = issues
        self._browser = browser
        self._depth = depth
        self._told_no_browser = False
        self._open = OpenWork(access)
        self.self_test = SelfTest(access, runtime, issues)

    async def look(self, memory: RunMemory) -> Looked:
        """Look at everything, the cheap and telling things first, and take in what was found."""
        looked = Looked()
        if memory.lacks_packages:
            looked.found += _packages(memory, self._access.template.packages.manifest)
            looked.sources.add("build")
            return looked
        if self._depth() != "page":
            await self._tools(looked)
            await self._security(looked)
        await self._page(looked)
        reached = await self._open.reached(memory.phase)
        if not await self._in_the_way(looked):
            await self._checks(looked, reached, memory.wanted)
        await self._build(looked, last=reached.last or bool(memory.rest_in))
        return looked

    async def _in_the_way(self, looked: Looked) -> bool:
        """Whether something is wrong that would make whatever is looked at next fail; not what the person skipped."""
        skipped = {record.signature for record in await self._issues.records("skipped")}
        return any(
            issue.signature not in skipped or issue.severity == "critical"
            for issue in looked.blocking
        )

    async def _tools(self, looked: Looked) -> None:
        if not await self._runtime.packages_present():
            return
        checkers = await self._checkers()
        looked.found += await self._native_types() or await checkers.types()
        looked.found += await checkers.lint()
        looked.sources |= {"types", "lint"}

    async def _checkers(self) -> Checkers:
        return Checkers(self._access.template, await self._runtime.workdir(), self._runtime.ask)

    async def builds(self) -> bool:
        """Whether the app is built before it is called complete.

        Only where it is known where the starter's build writes, and that this is no part of the project.
        """
        access, folder = self._access, self._access.template.build_folder

        def stays_out() -> bool:
            files = access.files
            return not IgnoreRules(lambda p: files.read(p) if files.exists(p) else None).enters(
                folder
            )

        return self._depth() != "page" and bool(folder) and await access.read(stays_out)

    async def _build(self, looked: Looked, *, last: bool) -> None:
        """Build the app as it would be deployed, where all else is well and nothing more is planned, or on request.

        Not after every phase: warm it takes as long as lint (react-vite: 1.3 to 2.2 s on two cores, types 0.4 s, lint
        1.9 s), and finds next to nothing that types, lint and the page have not found: what no page has loaded yet.
        What it found once is looked at again until it is gone.
        """
        known = [issue_of(record) for record in await self._issues.records("open", "given_up")]
        failed = any(i.source == "build" and i.code != NO_SUCH_PACKAGE for i in known)
        due = (last or failed) and not await self._in_the_way(looked)
        found = await self.build() if due else None
        looked.found += found or []
        if found is not None or not failed or not await self.builds():
            # Where nothing was built, the packages at least are all there.
            looked.sources.add("build")

    async def build(self) -> list[Issue] | None:
        """Return what keeps the app from being built; None where it is not built here."""
        if not await self.builds() or not await self._runtime.packages_present():
            return None
        return await (await self._checkers()).build()

    async def _native_types(self) -> list[Issue]:
        """Return the errors that the sandbox's native TypeScript finds: what is wrong is known several times as fast.

        That nothing is wrong only the app's own compiler says, and that something is where that is an older one, too.
        """
        template = self._access.template
        if (
            not is_native(await self._access.manifest())
            or template.language != "typescript"
            or _OWN_COMPILERS.intersection(
                framework.partition("@")[0] for framework in template.frameworks
            )
        ):
            return []
        return await native_types(await self._runtime.sandbox()) or []

    async def _security(self, looked: Looked) -> None:
        """Look again at what a security review found, which is run on request only."""
        known = await self._known_unsafe()
        if known:
            packages = any(issue_of(record).kind == "dependency" for record in known)
            await self._look_for_unsafe(looked, packages=packages)

    async def security(self) -> Looked:
        """Look for what is unsafe: secrets, dangerous code and vulnerable packages."""
        looked = Looked()
        with timed(self._access, "security"):
            await self._look_for_unsafe(looked, packages=True)
        return looked

    async def _look_for_unsafe(self, looked: Looked, *, packages: bool) -> None:
        texts, template = await self._access.read(self._access.files.texts), self._access.template
        looked.found += await asyncio.to_thread(security_issues, texts, template)
        told = await audit(self._runtime.ask, template, texts) if packages else []
        looked.found += told
        if not any(issue.code == UNAVAILABLE for issue in told):
            looked.sources.add("security")
            return
        # Nobody said that a package is well by now.
        known = await self._known_unsafe()
        looked.again |= {r.signature for r in known if issue_of(r).code != VULNERABLE}

    async def _known_unsafe(self) -> list[IssueRecord]:
        return [r for r in await self._issues.records() if issue_of(r).source == "security"]

    async def _page(self, looked: Looked) -> None:
        runtime = self._runtime
        root = await runtime.workdir()
        # Not from the beginning of the review: until now the server may have ended what it ran before the last change.
        printed = runtime.lines_printed
        looked.version = await self.self_test.served_version()
        status = await runtime.page_status()
        looked.sources.add("server")
        browser = self._browser()
        visits = await self._visits(browser, looked) if browser is not None and status else ()
        if visits:
            looked.sources |= {"runtime", "page"}
        template = self._access.template
        looked.found += served_app_issues(
            visits,
            status=status,
            log=runtime.log,
            log_since=runtime.log_since(printed),
            root=root,
            api_paths=template.api_paths,
            locate=await report_locator(runtime.url, *visits),
            given=template.untouchable_files,
        )

    async def _visits(self, browser: BrowserProcess, looked: Looked) -> tuple[PageReport, ...]:
        """Return what the page is like on a desktop and on a phone; nothing where the browser cannot look."""
        try:
            return (
                await browser.visit(self._runtime.url, DESKTOP),
                await browser.visit(self._runtime.url, PHONE),
            )
        except BrowserError as error:
            await self.miss_browser(looked, error)
            return ()

    async def _checks(self, looked: Looked, reached: Reached, wanted: Collection[str]) -> None:
        browser = self._browser()
        if browser is None:
            return
        checks = await self.self_test.of_look(reached, wanted)
        try:
            found = await self.self_test.run(browser, checks)
        except BrowserError as error:
            await self.miss_browser(looked, error)
            return
        looked.found += found
        looked.again |= await self.self_test.shown_again(found, {check.name for check in checks})
        if started_for_checks(found):
            looked.sources.add("check")

    async def miss_browser(self, looked: Looked, error: BrowserError) -> None:
        """Remember that a browser should have looked, and could not."""
        looked.unseen = error.message
        if not self._told_no_browser:
            self._told_no_browser = True
            words = f"The app could not be looked at in a browser: {error.message}"
            await self._access.bus.emit(self._access.project_id, Notice(words, error.code))

    async def ask_model(
        self, phase: int, paths: Sequence[str], *, last: bool, whole: bool
    ) -> Looked:
        """Have a model look over the files of a phase, and what it found before where that changed since.

        Where none answers nothing was looked at; what was found before stays where it does not say of all of it.

        Args:
            phase: Which one.
            paths: What it wrote.
            last: Nothing is planned after it.
            whole: It wrote nothing; the app is looked over as a whole.
        """
        looked, access = Looked(), self._access
        record = await access.read(lambda: access.store.get(access.project_id))
        if record.sample:
            return looked
        changed = await self._issues.changed_findings()
        texts = await access.read(access.files.texts)
        paths = list(dict.fromkeys([*paths, *(p for p in changed.values() if p in texts)]))
        context = await access.context(of_written(paths, [record.wish] if whole else ()))
        shown = {file.path for file in context.files.chosen}
        known = [r for r in await self._issues.records() if is_finding(r) or r.status == "skipped"]
        # Of what is in a file that is as it was nothing new can be said.
        again = [
            record
            for record in known
            if (path := changed.get(record.signature)) is not None
            and (path in shown or path not in texts)
        ]
        request = review_request(
            context, phase, paths,
            plan=await self._plan(phase),
            last=last,
            whole=whole,
            known=[_told(record) for record in known if record not in again][-_MOST_KNOWN:],
            again=[_told(record) for record in again],
        )  # fmt: skip
        try:
            answer = await access.router.ask_structured(request, ReviewAnswer)
        except BudgetExceededError:
            raise
        except ModelError as error:
            words = f"No model looked over the code of the phase: {error.message}"
            await access.bus.emit(access.project_id, Notice(words, "no_review"))
            return looked
        left = answer.left(len(again))
        looked.again = {record.signature for record in again} if left is not None else set()
        still = [issue_of(again[n - 1]) for n in left or ()]
        # What is called no fault is not made one by being found once more.
        judged = [issue for issue in map(issue_of, known) if issue.evidence.get("no_fault")]
        doubted = {issue.signature: issue for issue in judged}
        found = finding_issues(answer.findings, texts)
        looked.found = [*still, *(doubted.get(issue.signature, issue) for issue in found)]
        return looked

    async def _plan(self, number: int) -> Phase | None:
        """Return what a phase was to do."""
        record = await self._open.phase(number)
        if record is None:
            return None
        named = {"name": record.name, "description": record.description}
        return Phase.model_validate({**record.plan, **named})


def _told(record: IssueRecord) -> str:
    """Return a known finding as a review is told it."""
    issue = issue_of(record)
    why = issue.evidence.get("no_fault")
    first = issue.message.strip().split("\n", 1)[0]
    place = f"{issue.place}: " if issue.place else ""
    judged = f"no fault: {why}" if why else issue.severity
    return f"{place}{first} ({judged})"


def _packages(memory: RunMemory, manifest: str) -> list[Issue]:
    issues = [
        Issue(
            source="build", kind="dependency", code=NO_SUCH_PACKAGE, severity="critical",
            message=f"there is no package {package}",
        )
        for package in memory.missing_packages
    ]  # fmt: skip
    if memory.refused_install:
        issues.append(
            Issue(
                source="build", kind="dependency", code=NO_SUCH_PACKAGE, file=manifest, severity="critical",
                message=f"{manifest} names a package or version that does not exist",
                stack=memory.refused_install,
            )
        )  # fmt: skip
    return issues
