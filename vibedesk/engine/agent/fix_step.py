"""Mends what a review found: first what needs no model, then a model in other ways each time, then deep debugging."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from vibedesk.base.clock import utc_now
from vibedesk.engine.agent.attempts import spent
from vibedesk.engine.agent.deep_debug import Debugged, DeepDebug
from vibedesk.engine.agent.issue_list import IssueList, is_finding, issue_of, recheckable
from vibedesk.engine.agent.open_work import OpenWork
from vibedesk.engine.agent.repairer import Repairer
from vibedesk.engine.agent.run_memory import RunMemory
from vibedesk.engine.agent.self_test import SelfTest
from vibedesk.engine.builder.operations import fix_problems
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.scof_writer import WrittenFiles
from vibedesk.engine.events import Notice
from vibedesk.engine.models.prompt_files import prompt
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.page_issues import NO_START
from vibedesk.engine.store.issues import NO_MEND, IssueRecord
from vibedesk.engine.store.records import Json

MOST_TRIES = 3
"""Of a model at one issue."""
MOST_MODEL_FIXES = 8
"""In one phase."""
MOST_DEBUGGINGS = 3
"""In one phase: each may take many questions."""
MOST_CORRECTIONS = 2
"""Of one check in one phase."""
_MOST_AT_ONCE = 10
_STACK_LINES, _LOG_LINES = 14, 40
_ALL_LINES = 200
_NOT_THERE = "its file was left as it was"
_NOTHING_FOR_IT = "nothing shows that this was for it"


@dataclass(slots=True)
class Mended:
    """What one try at `issues` (signatures) wrote. `paths` may be empty: a check was corrected."""

    strategy: str
    issues: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Code:
    """The code before a try: its version, and which files there were."""

    version: int
    paths: Set[str]


@dataclass(frozen=True, slots=True)
class _Made:
    """What a try came to.

    Attributes:
        paths: What it wrote, as far as that reads otherwise now.
        packages: What it asked for.
        changed: Every path that is other than before: also what was moved, and where packages are listed.
        new: It wrote a file that was not there.
    """

    paths: list[str]
    packages: list[str]
    changed: Set[str]
    new: bool


class FixStep:
    """The tries at one project's issues, in order of what they cost."""

    def __init__(
        self,
        access: ProjectAccess,
        issues: IssueList,
        self_test: SelfTest,
        repairer: Repairer,
        debug: DeepDebug,
        remember: Callable[[], Awaitable[None]],
    ) -> None:
        self._access = access
        self._issues = issues
        self._self_test = self_test
        self._repairer = repairer
        self._debug = debug
        self._remember = remember
        self._open = OpenWork(access)

    async def mend(self, records: Sequence[IssueRecord], memory: RunMemory) -> Mended | None:
        """Make the next try at open issues; None if everything that may be tried was tried.

        What a try needs to be made only once is in `memory`, which the caller stores with what follows; it is stored
        here where another question to a model follows.
        """
        return (
            await self._without_model(records, memory)
            or await self._correct_checks(records, memory)
            or await self._by_model(records, memory)
            or await self._by_debugging(records, memory)
        )

    async def _without_model(
        self, records: Sequence[IssueRecord], memory: RunMemory
    ) -> Mended | None:
        new = [record for record in records if record.signature not in memory.repaired]
        if not new:
            return None
        memory.repaired += [record.signature for record in new]
        result = await self._repairer.mend([issue_of(record) for record in records])
        if not result.paths and not result.packages:
            return None
        await self._issues.note_tries(result.fixed, {"strategy": "deterministic"})
        # What a package is for shows only once it is installed.
        manifest = self._access.template.packages.manifest
        told = {"strategy": "deterministic", "paths": [manifest]}
        await self._issues.note_tries(result.asking, told)
        signatures = [*result.fixed, *result.asking]
        return Mended("deterministic", signatures, result.paths, result.packages)

    async def _correct_checks(
        self, records: Sequence[IssueRecord], memory: RunMemory
    ) -> Mended | None:
        failed = [
            issue_of(record)
            for record in records
            if record.data.get("source") == "check"
            and record.data.get("code") != NO_START
            and record.signature not in memory.checks_asked
        ]
        settled = {name for name, times in memory.corrections.items() if times >= MOST_CORRECTIONS}
        failed = [issue for issue in failed if issue.evidence.get("check") not in settled]
        if not failed:
            return None
        reached = await self._open.reached(memory.phase)
        changed = await self._self_test.correct(
            reached, failed, settled=settled, own=memory.own_checks
        )
        # One that was corrected may be corrected once more.
        memory.checks_asked += [
            issue.signature for issue in failed if issue.evidence.get("check") not in changed
        ]
        memory.corrections |= {name: memory.corrections.get(name, 0) + 1 for name in changed}
        await self._remember()
        return Mended("checks", [issue.signature for issue in failed]) if changed else None

    async def _by_model(self, records: Sequence[IssueRecord], memory: RunMemory) -> Mended | None:
        tries = {record.signature: memory.tries.get(record.signature, 0) for record in records}
        due = _together([r for r in records if tries[r.signature] < MOST_TRIES], tries)
        if not due or memory.fix_tries >= MOST_MODEL_FIXES:
            return None
        attempt = 1 + max(tries[record.signature] for record in due)
        tried = list(dict.fromkeys(words for record in due for words in _told_tries(record)))
        if attempt > 1:
            last = attempt >= MOST_TRIES
            tried.append(prompt("tasks/send_whole" if last else "tasks/look_closer").text)
        tried += await self._debug.findings([record.signature for record in due])
        begun = utc_now()
        findings = [record for record in due if is_finding(record)]
        numbers = {record.signature: n for n, record in enumerate(findings, start=1)}
        problems = [
            described(record, whole=attempt > 1, number=numbers.get(record.signature, 0))
            for record in due
        ]
        besides = await self._debug.facts.around("\n".join(problems)) if attempt > 1 else ""
        before = await self._code()
        written = await fix_problems(
            self._access, memory.phase, problems, tried,
            attempt=attempt, besides=besides, doubtful=len(findings),
        )  # fmt: skip
        # Only an answer counts: a model that could not be asked has tried nothing.
        memory.fix_tries += 1
        memory.tries |= {record.signature: tries[record.signature] + 1 for record in due}
        made = await self._made(before, written)
        told = {
            "strategy": "model", "attempt": attempt, "paths": made.paths, "at": begun,
            **await spent(self._access, begun, "fix"),
        }  # fmt: skip
        no_faults = {findings[n - 1].signature: why for n, why in written.no_faults.items()}
        tried_at = [record for record in due if record.signature not in no_faults]
        for record in tried_at:
            await self._note_try(record, told, made, tried_at)
        await self._take_no_faults(findings, no_faults, told, memory)
        signatures = [record.signature for record in tried_at]
        return Mended("model", signatures, made.paths, made.packages)

    async def _by_debugging(
        self, records: Sequence[IssueRecord], memory: RunMemory
    ) -> Mended | None:
        for record in records:
            if memory.debug_sessions >= MOST_DEBUGGINGS:
                return None
            if record.signature in memory.debugged or not issue_of(record).blocks:
                continue
            before = await self._code()
            debugged = await self._debug.run(
                record, memory.phase, described(record), _told_tries(record)
            )
            memory.debugged.append(record.signature)
            memory.debug_sessions += bool(debugged.session)
            written = debugged.written
            made = await self._made(before, written) if written is not None else None
            if debugged.session:
                await self._note_debugging(record, debugged, made)
            if made is None:
                await self._remember()
                continue
            return Mended("debug", [record.signature], made.paths, made.packages)
        return None

    async def _note_debugging(
        self, record: IssueRecord, debugged: Debugged, made: _Made | None
    ) -> None:
        told = {
            "strategy": "debug", "session": debugged.session, "at": debugged.begun,
            "paths": made.paths if made is not None else [],
            **await spent(self._access, debugged.begun, "debug"),
        }  # fmt: skip
        if made is None:
            await self._issues.note_tries([record.signature], {**told, "outcome": NO_MEND})
        else:
            await self._note_try(record, told, made, [record])

    async def _code(self) -> _Code:
        files = self._access.files
        return await self._access.read(lambda: _Code(files.version, frozenset(files.list())))

    async def _made(self, before: _Code, written: WrittenFiles) -> _Made:
        """Return what a try came to; what the person changed meanwhile is none of it."""
        files = self._access.files

        def look() -> set[str]:
            return files.stored.log.changed_paths(before.version, files.version)

        touched = await self._access.read(look)
        paths = [path for path in written.finished if path in touched]
        changed = touched & {*written.finished, *written.rearranged}
        if written.packages:
            # It changes when they are installed.
            changed.add(self._access.template.packages.manifest)
        return _Made(paths, list(written.packages), changed, bool(set(paths) - before.paths))

    async def _note_try(
        self, record: IssueRecord, told: Json, made: _Made, tried_at: Sequence[IssueRecord]
    ) -> None:
        """Remember a try at an issue, and settle it where nobody can look whether it is gone.

        That is what only a model had found, or only the person met. `tried_at`: all that the try was at.
        """
        outcome = {}
        if is_finding(record) and not _is_for(issue_of(record), made, tried_at):
            outcome = {"outcome": _NOT_THERE if issue_of(record).file else _NOTHING_FOR_IT}
        await self._issues.note_tries([record.signature], {**told, **outcome})
        if made.changed and not outcome and not recheckable(record):
            await self._issues.set_status([record.signature], "fixed")

    async def _take_no_faults(
        self,
        findings: Sequence[IssueRecord],
        no_faults: Mapping[str, str],
        told: Json,
        memory: RunMemory,
    ) -> None:
        """Leave findings that are said to be no faults in the list, as warnings with the reason."""
        memory.wanted = [signature for signature in memory.wanted if signature not in no_faults]
        await self._issues.doubt(no_faults)
        for record in findings:
            why = no_faults.get(record.signature)
            if why is None:
                continue
            outcome = {**told, "paths": [], "outcome": f"no fault: {why}"}
            await self._issues.note_tries([record.signature], outcome)
            words = f"Left as it is, as the model calls it no fault: {issue_of(record).message} Its reason: {why}"
            await self._access.bus.emit(self._access.project_id, Notice(words, "no_fault"))


def _together(records: Sequence[IssueRecord], tries: Mapping[str, int]) -> list[IssueRecord]:
    """Return what to ask about at once.

    Of findings without a file whose tries could not be told to be for them one alone: then its try is for it.
    """
    alone = all(_is_missing(r) and tries.get(r.signature) for r in records)
    return list(records[: 1 if alone else _MOST_AT_ONCE])


def _is_for(finding: Issue, made: _Made, tried_at: Sequence[IssueRecord]) -> bool:
    """Whether a try is a mend of what a model found: its file is other than before.

    Where it has none, as what is missing altogether: a changed file is named by it, or the try was at nothing else; or
    a file is new, and the try was at nothing else that is missing.
    """
    if finding.file:
        return finding.file in made.changed
    missing = [record for record in tried_at if _is_missing(record)]
    alone = len(tried_at) == 1 or (made.new and len(missing) == 1)
    return bool(made.changed) and (
        alone or any(_names(finding.message, path) for path in made.changed)
    )


def _is_missing(record: IssueRecord) -> bool:
    """Whether a model found it and names no file that there is."""
    return is_finding(record) and not issue_of(record).file


def _names(message: str, path: str) -> bool:
    return re.search(rf"(?<![\w./-])(?:\./)?{re.escape(path)}(?![\w/-])", message) is not None


def described(record: IssueRecord, *, whole: bool = False, number: int = 0) -> str:
    """Return an issue as a model is told it.

    Args:
        record: The issue.
        whole: With all that a tool printed, as far as that goes.
        number: By what an answer may name it, from 1.
    """
    issue = issue_of(record)
    code = f" [{issue.code}]" if issue.code not in ("", issue.source) else ""
    source = f"{issue.source} {number}" if number else issue.source
    lines = [f"{issue.place + ': ' if issue.place else ''}{issue.message}{code} ({source})"]
    told = issue.stack.splitlines()
    # Where a stack begins is what counts, and how a log ends.
    ends = issue.source in ("build", "server")
    most = _ALL_LINES if whole else _LOG_LINES if ends else _STACK_LINES
    told = told[-most:] if ends else told[:most]
    lines += [f"    {line}" for line in told]
    for name in ("console", "requests"):
        lines += [f"    {name}: {text}" for text in issue.evidence.get(name, ())]
    return "\n".join(lines)


def _told_tries(record: IssueRecord) -> list[str]:
    return [
        f"changed {', '.join(tried.get('paths') or ['nothing'])}: {tried.get('outcome') or 'no outcome'}"
        for tried in record.fixes
        if tried.get("strategy") in ("model", "debug")
    ]
