"""Which reply of a recorded session comes next: the model server's memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_OPERATION_OF_KIND = {
    "blueprint": "blueprint",
    "phase": "plan_phase",
    "implement": "implement_phase",
    "fix": "fix",
    "conversation": "converse",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer. `operation` None fits any; `source` is the file of the recording that it stands for."""

    text: str
    operation: str | None
    stop_reason: str = "end"
    source: str = ""
    run: int = 0
    continuation: str = ""


class ReplyScript:
    """Scripted answers first, then the recording's, in order per operation.

    This reads recordings on its own, not through VibeDesk's code, so that a mistake there shows in tests.
    """

    def __init__(self, session: Path | None, *, runs: int) -> None:
        self._scripted: list[Reply] = []
        self._recorded: list[Reply] = []
        self._broken_off: Reply | None = None
        self._truncated: dict[str, str] = {}
        self._continuation = ""
        if session is not None:
            self._read(session, runs)

    def add(self, reply: Reply) -> None:
        self._scripted.append(reply)

    def next(self, operation: str, *, truncated: bool = False) -> Reply | None:
        """Return the reply to play now, without counting it as given."""
        if scripted := _first(self._scripted, operation):
            return scripted
        if operation == "continue":
            return self._continue()
        recorded = _first(self._recorded, operation)
        if recorded is None or not truncated:
            return recorded
        text = self._truncated.get(recorded.source)
        if text is None:
            raise LookupError(f"{recorded.source} has no truncated variant")
        return replace(recorded, text=text, continuation=self._continuation)

    def given(self, reply: Reply) -> None:
        """Count a reply as given: it will not be played again."""
        if reply.operation == "continue" and self._broken_off is not None:
            self._drop(self._broken_off)
            self._broken_off = None
        self._drop(reply)

    def broken_off(self, reply: Reply) -> None:
        """Note that a reply did not come through; `continue` goes on with it."""
        if reply.operation != "continue":
            self._broken_off = reply

    def _continue(self) -> Reply | None:
        if self._broken_off is None:
            return None
        whole = next(
            (reply.text for reply in self._recorded if _same(reply, self._broken_off)),
            self._broken_off.text,
        )
        return Reply(text=self._broken_off.continuation or whole, operation="continue")

    def _drop(self, reply: Reply) -> None:
        for replies in (self._scripted, self._recorded):
            for position, known in enumerate(replies):
                if known is reply or (known.source and _same(known, reply)):
                    del replies[position]
                    return

    def _read(self, session: Path, runs: int) -> None:
        manifest = json.loads((session / "session.json").read_text(encoding="utf-8"))
        for run in range(runs):
            for entry in manifest["order"]:
                operation = _OPERATION_OF_KIND[entry["kind"]]
                text = _text(session / entry["file"], entry["kind"])
                self._recorded.append(
                    Reply(text=text, operation=operation, source=entry["file"], run=run)
                )
        for name in manifest.get("variants") or {}:
            if name.endswith(".truncated.scof"):
                self._truncated[name.replace(".truncated.scof", ".scof")] = _decode(session / name)
            elif name.endswith("-continue.scof"):
                self._continuation = _decode(session / name)


def _first(replies: list[Reply], operation: str) -> Reply | None:
    return next((reply for reply in replies if reply.operation in (None, operation)), None)


def _same(one: Reply, other: Reply) -> bool:
    return (one.source, one.run) == (other.source, other.run)


def _decode(path: Path) -> str:
    # Not read_text: line ends are part of a reply.
    return path.read_bytes().decode()


def _text(path: Path, kind: str) -> str:
    if kind != "conversation":
        return _decode(path)
    data: dict[str, Any] = json.loads(_decode(path))
    return "\n\n".join(part for part in (data.get("reply", ""), data.get("scof", "")) if part)
