"""What a person may ask about an app's problems: look again, mend, leave for later, see checks and how it was debugged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from vibedesk.base.aio import TaskScope
from vibedesk.base.errors import NotAllowedNowError, NotFoundError
from vibedesk.base.text import whole_text
from vibedesk.engine.agent.agent_manager import AgentManager
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import RuntimeErrorSeen
from vibedesk.engine.files.blobs import BlobStore
from vibedesk.engine.project_views import check_views
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.known_issues import shown_issues
from vibedesk.engine.review.parsers.node_stack import parse_stack
from vibedesk.engine.review.source_places import source_locator
from vibedesk.engine.store.code_log import CodeLog
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.issues import IssueStore
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.views import Json, ReadinessView

T = TypeVar("T")

AUTOMATIC_SETTING = "fix.automatic"
"""Whether an error that the person meets in the preview is mended unasked; true unless set."""
QUIET_SECONDS = 5.0
_BY_HAND = ("user", "disk")
"""The origins of changes that the person makes, here or in another editor."""
_LONGEST = 8_000


class AppMending:
    """The face of review and repair, for every project of a home.

    Args:
        database: Of the home.
        store: Its projects.
        bus: Where events go.
        agents: Those of the projects.
        blobs: Where pictures of pages are kept.
        attended: A person looks on.
        quiet_seconds: How long the person must not have typed before anything is mended unasked.
    """

    def __init__(
        self,
        database: Database,
        store: ProjectStore,
        bus: EventBus,
        agents: AgentManager,
        blobs: BlobStore,
        *,
        attended: bool,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._database = database
        self._store = store
        self._bus = bus
        self._agents = agents
        self._blobs = blobs
        self._attended = attended
        self.quiet_seconds = quiet_seconds
        self._scope = TaskScope("mending")

    async def review(self, project_id: str) -> None:
        """Look at everything now; what is wrong is mended as after a phase."""
        await (await self._agents.get(project_id)).review_now()

    async def run_checks(self, project_id: str, names: Collection[str] | None) -> None:
        """Run the acceptance checks (None: all) and tell each one's outcome; nothing is mended."""
        await (await self._agents.get(project_id)).run_checks(names)

    async def stop_checks(self, project_id: str) -> None:
        """Stop checks, build or security review that run on an app at rest."""
        agent = self._agents.loaded(project_id)
        if agent is not None:
            await agent.stop_looking()

    async def check(self, project_id: str, *, security: bool) -> ReadinessView:
        """Run all acceptance checks on the app as it is now, build it, and with `security` look for what is unsafe.

        Raises:
            NotAllowedNowError: nothing is built yet, a run is under way, or nobody looks at pages here.
        """
        store = IssueStore(project_id)
        if not await self._read(lambda: self._store.phases(project_id)):
            raise NotAllowedNowError(
                "There is nothing to check yet.", remedy="Let the first phase be built."
            )
        await (await self._agents.get(project_id)).check(security=security)
        checks = await self._read(lambda: check_views(self._store.get(project_id), store))
        known = await self._read(lambda: shown_issues(store))
        return ReadinessView(
            checks=checks,
            unbuilt=tuple(i for i in known if i["source"] == "build" and i["status"] != "skipped"),
            findings=_findings(known) if security else (),
        )

    async def _read(self, work: Callable[[], T]) -> T:
        return await self._database.run(work, durable=False)

    async def fix(self, project_id: str, signatures: Collection[str]) -> None:
        """Mend issues (empty: all that are known) of an app at rest."""
        await (await self._agents.get(project_id)).fix(signatures)

    async def skip(self, project_id: str, signatures: Collection[str]) -> None:
        """Leave issues (empty: all) for later: they lead the next phase."""
        await (await self._agents.get(project_id)).skip_issues(signatures)

    async def report_error(self, project_id: str, message: str, stack: str, source: str) -> None:
        """Take in an error that the app threw while the person used it, also while its next phase is written."""
        agent = await self._agents.get(project_id)
        text = whole_text(stack or message)[:_LONGEST]
        locate = await source_locator(agent.runtime.url, text)
        if not await agent.page_is_finished():
            # Files are changing under the page, or its server is started anew; whoever does that looks at it.
            return
        given = agent.access.template.untouchable_files
        found = parse_stack(text, severity="blocking", locate=locate, given=given)
        issue = found or Issue(
            source="runtime",
            kind="runtime",
            code="console",
            message=whole_text(message).strip()[:600] or "The app threw an error.",
            severity="blocking",
        )
        evidence = {"live": True, "source": source}
        if await agent.is_rewritten(issue.file):
            evidence["rewritten"] = True
        seen = Issue.from_dict({**issue.to_dict(), "evidence": evidence})
        await self._bus.commit(project_id, lambda emit: _tell(seen, source, emit))
        await agent.take_live_issue(seen)
        if self._attended and await self._read(self._automatic):
            await self._scope.start(self._mend_once_quiet(project_id), name="mend what was met")

    async def _mend_once_quiet(self, project_id: str) -> None:
        """Mend what was met once the person does not type: half a line throws, and is mended by the other half."""
        log = CodeLog(project_id)
        while edited := await self._read(lambda: log.last_change(_BY_HAND)):
            since = datetime.now(UTC) - datetime.fromisoformat(edited)
            left = self.quiet_seconds - since.total_seconds()
            if left <= 0:
                break
            await asyncio.sleep(left)
        agent = self._agents.loaded(project_id)
        if agent is not None:
            await agent.mend_live()

    async def aclose(self) -> None:
        """End what waits for a quiet moment."""
        await self._scope.aclose()

    def _automatic(self) -> bool:
        return bool(self._store.setting(AUTOMATIC_SETTING, True))

    async def security(self, project_id: str) -> tuple[Json, ...]:
        """Look for secrets, dangerous code and vulnerable packages; return the findings, which join the issues."""
        await (await self._agents.get(project_id)).run_security()
        return _findings(await self._read(lambda: shown_issues(IssueStore(project_id))))

    async def picture(self, project_id: str, picture: str) -> bytes:
        """Return the PNG that a check took of the page.

        Raises:
            NotFoundError: this project's checks have no such picture.
        """
        store = IssueStore(project_id)
        known = await self._read(lambda: {c.picture for c in store.checks()})
        missing = NotFoundError("There is no such picture.", remedy="Run the checks again.")
        if not picture or picture not in known:
            raise missing
        try:
            return await asyncio.to_thread(self._blobs.get, picture)
        except NotFoundError:
            raise missing from None

    async def transcript(self, project_id: str, session_id: str) -> list[dict[str, Any]]:
        """Return the turns of a debugging session: {turn, role, text}.

        Raises:
            NotFoundError: there is no such session.
        """
        sessions = await self._read(IssueStore(project_id).debugging)
        for known, _, turns, _ in sessions:
            if known == session_id:
                return turns
        raise NotFoundError("There is no such debugging session.")


def _findings(issues: Iterable[Json]) -> tuple[Json, ...]:
    return tuple(issue for issue in issues if issue["source"] == "security")


def _tell(issue: Issue, source: str, emit: Emit) -> None:
    emit(RuntimeErrorSeen(issue.message, issue.stack, source))
