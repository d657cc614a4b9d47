"""Mends what a review found: first what needs no model, then a model in other ways each time, then deep debugging."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
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
_CLOSER = "Here is more than was looked at then. The cause may well be in another file."
_NOT_THERE = "its file was left as it was"
_WHOLE_FILES = "Patches did not help. Send every file that you change whole."


@dataclass(slots=True)
class Mended:
    """What one try at `issues` (signatures) wrote. `paths` may be empty: a check was corrected."""

    strategy: str
    issues: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)


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
        due = [r for r in records if tries[r.signature] < MOST_TRIES][:_MOST_AT_ONCE]
        if not due or memory.fix_tries >= MOST_MODEL_FIXES:
            return None
        attempt = 1 + max(tries[record.signature] for record in due)
        tried = list(dict.fromkeys(words for record in due for words in _told_tries(record)))
        if attempt > 1:
            tried.append(_WHOLE_FILES if attempt >= MOST_TRIES else _CLOSER)
        tried += await self._debug.findings([record.signature for record in due])
        begun = utc_now()
        findings = [record for record in due if is_finding(record)]
        numbers = {record.signature: n for n, record in enumerate(findings, start=1)}
        problems = [
            described(record, whole=attempt > 1, number=numbers.get(record.signature, 0))
            for record in due
        ]
        besides = await self._debug.facts.around("\n".join(problems)) if attempt > 1 else ""
        written = await fix_problems(
            self._access, memory.phase, problems, tried,
            attempt=attempt, besides=besides, doubtful=len(findings),
        )  # fmt: skip
        # Only an answer counts: a model that could not be asked has tried nothing.
        memory.fix_tries += 1
        memory.tries |= {record.signature: tries[record.signature] + 1 for record in due}
        told = {
            "strategy": "model", "attempt": attempt, "paths": list(written.finished), "at": begun,
            **await spent(self._access, begun, "fix"),
        }  # fmt: skip
        no_faults = {findings[n - 1].signature: why for n, why in written.no_faults.items()}
        tried_at = [record for record in due if record.signature not in no_faults]
        left = [record for record in tried_at if self._left_alone(record, written)]
        signatures = [record.signature for record in tried_at]
        await self._issues.note_tries([r.signature for r in tried_at if r not in left], told)
        await self._issues.note_tries([r.signature for r in left], {**told, "outcome": _NOT_THERE})
        if written.changes:
            await self._settle_findings([record for record in tried_at if record not in left])
        await self._take_no_faults(findings, no_faults, told, memory)
        return Mended("model", signatures, list(written.finished), list(written.packages))

    async def _by_debugging(
        self, records: Sequence[IssueRecord], memory: RunMemory
    ) -> Mended | None:
        for record in records:
            if memory.debug_sessions >= MOST_DEBUGGINGS:
                return None
            if record.signature in memory.debugged or not issue_of(record).blocks:
                continue
            debugged = await self._debug.run(
                record, memory.phase, described(record), _told_tries(record)
            )
            memory.debugged.append(record.signature)
            memory.debug_sessions += bool(debugged.session)
            await self._note_debugging(record, debugged)
            written = debugged.written
            if written is None:
                await self._remember()
                continue
            await self._settle_findings([record])
            return Mended(
                "debug", [record.signature], list(written.finished), list(written.packages)
            )
        return None

    async def _note_debugging(self, record: IssueRecord, debugged: Debugged) -> None:
        if not debugged.session:
            return
        written = debugged.written
        told = {
            "strategy": "debug", "session": debugged.session, "at": debugged.begun,
            "paths": list(written.finished) if written is not None else [],
            **({"outcome": NO_MEND} if written is None else {}),
            **await spent(self._access, debugged.begun, "debug"),
        }  # fmt: skip
        await self._issues.note_tries([record.signature], told)

    def _left_alone(self, record: IssueRecord, written: WrittenFiles) -> bool:
        """Whether what a try wrote is no mend of a finding, as the file that it is in is as it was."""
        file = issue_of(record).file
        changed = {*written.finished, *written.rearranged}
        if written.packages:
            changed.add(self._access.template.packages.manifest)
        return bool(written.changes and is_finding(record) and file and file not in changed)

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

    async def _settle_findings(self, records: Sequence[IssueRecord]) -> None:
        """What only a model had found, or only the person met, nobody can look at again: its mend settles it."""
        found = [record.signature for record in records if not recheckable(record)]
        if found:
            await self._issues.set_status(found, "fixed")


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
