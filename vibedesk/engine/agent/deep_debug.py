"""Deep debugging: a model looks at files, logs and commands in turns until it knows the cause of what stayed broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.debug_facts import DebugFacts
from vibedesk.engine.agent.issue_list import IssueList
from vibedesk.engine.builder.context import debug_request
from vibedesk.engine.builder.file_answer import FileAnswer
from vibedesk.engine.builder.focus import of_problems
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.reply import ReplySplitter
from vibedesk.engine.builder.scof_writer import WrittenFiles
from vibedesk.engine.builder.timing import timed
from vibedesk.engine.builder.whole_answer import whole_answer
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import DebugTurn, Notice
from vibedesk.engine.models.protocol import (
    BadAnswerError,
    BudgetExceededError,
    ChatMessage,
    ModelError,
    ModelRequest,
    TextDelta,
)
from vibedesk.engine.store.issues import IssueRecord
from vibedesk.engine.store.records import Json

MOST_TURNS = 12


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    scof: str


@dataclass(frozen=True, slots=True)
class Debugged:
    """How a session went: its id (empty where no model answered), since when it ran, and what was written.

    `written` is None where it had no mend.
    """

    session: str
    begun: str
    written: WrittenFiles | None


class DeepDebug:
    """The debugging sessions of one project."""

    def __init__(self, access: ProjectAccess, runtime: AppRuntime, issues: IssueList) -> None:
        self._access = access
        self.facts = DebugFacts(access, runtime)
        self._issues = issues

    async def run(
        self, record: IssueRecord, phase: int, problem: str, tried: Sequence[str]
    ) -> Debugged:
        """Have the cause of one issue found and mended; what earlier sessions said of it counts to what was `tried`.

        Every turn is stored and told as it comes; a session that was cut off goes on with the turn it was in.
        """
        session, begun, transcript = await self._access.read(
            lambda: self._session(record.signature)
        )
        tried = [*tried, *await self.findings([record.signature], but=session)]
        outcome = "stopped"
        try:
            with timed(self._access, "debug", phase):
                written = await self._turns(session, transcript, phase, problem, tried)
            outcome = "fixed" if written is not None else "failed"
            return Debugged(session, begun, written)
        except BudgetExceededError:
            raise
        except ModelError as error:
            outcome = "failed"
            words = f"The problem could not be debugged: {error.message}"
            await self._access.bus.emit(self._access.project_id, Notice(words, "no_debug"))
            return Debugged(session if transcript else "", begun, None)
        finally:
            store = self._issues.store
            await self._access.read(lambda: store.put_debugging(session, transcript, outcome))

    def _session(self, signature: str) -> tuple[str, str, list[Json]]:
        """Return the issue's session that was cut off, up to its last answered turn, or a new one; and its begin."""
        store = self._issues.store
        for session, _, transcript, outcome in store.debugging(signature)[-1:]:
            if outcome in ("running", "stopped"):
                answered = [turn["turn"] for turn in transcript if turn["role"] == "facts"]
                kept = [t for t in transcript if t["turn"] <= max(answered, default=0)]
                return session, store.debugging_began(session), kept
        session = store.begin_debugging(signature)
        return session, store.debugging_began(session), []

    async def findings(self, signatures: Sequence[str], *, but: str = "") -> list[str]:
        """Return what earlier sessions, except the one `but`, said last of the cause of these issues."""

        def look() -> list[str]:
            return [
                said[-1][:1500]
                for signature in signatures
                for session, _, transcript, _ in self._issues.store.debugging(signature)
                if session != but
                and (said := [str(turn["text"]) for turn in transcript if turn["role"] == "model"])
            ]

        return await self._access.read(look)

    async def _turns(
        self, session: str, transcript: list[Json], phase: int, problem: str, tried: Sequence[str]
    ) -> WrittenFiles | None:
        access = self._access
        # What is typed from now on the model does not know; nor, of what it was shown before a stop, what came since.
        shown = await access.read(lambda: access.files.texts() | self._shown_in(transcript))
        context = await access.context(of_problems([problem]))
        request = debug_request(context, phase, [problem], tried)
        for said in transcript:
            request = _with(
                request, "assistant" if said["role"] == "model" else "user", said["text"]
            )
        for turn in range(1 + len(transcript) // 2, MOST_TURNS + 1):
            answer = await whole_answer(partial(self._ask, request))
            await self._tell(session, transcript, turn, "model", answer.text or answer.scof)
            if answer.scof.strip():
                return await self._write(phase, problem, tried, answer.scof, shown)
            versions: dict[str, int] = {}
            facts = await self.facts.of(answer.text, shown, versions)
            if not facts:
                return None
            await self._tell(session, transcript, turn, "facts", facts, shown=versions)
            request = _with(_with(request, "assistant", answer.text), "user", facts)
        return None

    def _shown_in(self, transcript: Sequence[Json]) -> dict[str, str]:
        """Return how the files that a session was shown, before it was cut off, read there."""
        versions: dict[str, int] = {}
        for turn in transcript:
            versions |= turn.get("shown", {})
        at = {version: self._access.files.at(version).texts for version in set(versions.values())}
        return {path: at[version][path] for path, version in versions.items()}

    async def _ask(self, request: ModelRequest) -> _Answer:
        splitter = ReplySplitter()
        async with aclosing(self._access.router.stream(request)) as items:
            async for item in items:
                if isinstance(item, TextDelta):
                    splitter.feed(item.text)
        splitter.close()
        # The splitter keeps files that are asked for at the end out of what is read.
        wanted = f"[show {' '.join(splitter.asked)}]" if splitter.asked else ""
        return _Answer("\n\n".join(filter(None, (splitter.text, wanted))), splitter.scof)

    async def _write(
        self,
        phase: int,
        problem: str,
        tried: Sequence[str],
        scof: str,
        shown: Mapping[str, str],
    ) -> WrittenFiles | None:
        written = WrittenFiles()
        answer = FileAnswer(
            self._access,
            phase,
            of_problems([problem]),
            lambda context: debug_request(context, phase, [problem], tried),
            written=written,
            origin="fix",
        )
        await answer.write(scof, _nothing_else, shown)
        try:
            await answer.go_on()
        except BadAnswerError:
            # What came is in the files, so it is shown and looked at like any other try.
            if not written.changes:
                raise
        return written if written.changes else None

    async def _tell(
        self, session: str, transcript: list[Json], turn: int, role: str, text: str, **more: Json
    ) -> None:
        """Store a turn, with what `more` is to be known of it, and tell it."""
        transcript.append({"turn": turn, "role": role, "text": text, **more})

        def work(emit: Emit) -> None:
            self._issues.store.put_debugging(session, transcript, "running")
            emit(DebugTurn(session, turn, role, text))

        await self._access.commit(work)


def _with(request: ModelRequest, role: Literal["user", "assistant"], text: str) -> ModelRequest:
    return replace(request, messages=(*request.messages, ChatMessage(role, text)))


def _nothing_else(_: Emit) -> None:
    """What is written needs nothing beside it."""
