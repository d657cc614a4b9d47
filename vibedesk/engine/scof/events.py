"""What a SCOF stream says, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EventKind = Literal["start", "chunk", "end", "command", "refused", "warning"]
FileMode = Literal["full", "patch", "append"]


@dataclass(frozen=True, slots=True)
class InstallPackages:
    """Packages to install: registry specs only, never options or shell text."""

    manager: str
    packages: tuple[str, ...]
    development: bool


@dataclass(frozen=True, slots=True)
class RemovePath:
    """A file or folder to delete."""

    path: str


@dataclass(frozen=True, slots=True)
class RenamePath:
    """A file or folder to move."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class OtherCommand:
    """A shell command that is shown to the person but never run."""

    text: str


Command = InstallPackages | RemovePath | RenamePath | OtherCommand


class ScofEvent:
    """One thing that became certain.

    - `start`, `chunk`, `end`: a file body; `text` of `end` is the whole body, the chunks' concatenation.
      `truncated` on `end`: the stream ended inside the body, `text` is what came.
    - `command`: `text` as written, `command` as understood.
    - `refused`: nothing is done with `path` (as written); `text` says why. A refused body has no other events.
    - `warning`: `text`.
    """

    __slots__ = ("command", "kind", "mode", "path", "text", "truncated")

    def __init__(
        self,
        kind: EventKind,
        path: str = "",
        mode: FileMode | Literal[""] = "",
        text: str = "",
        truncated: bool = False,
        command: Command | None = None,
    ) -> None:
        self.kind = kind
        self.path = path
        self.mode = mode
        self.text = text
        self.truncated = truncated
        self.command = command

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ScofEvent):
            return NotImplemented
        return self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # its fields can be assigned

    def _values(self) -> tuple[object, ...]:
        return (self.kind, self.path, self.mode, self.text, self.truncated, self.command)

    def __repr__(self) -> str:
        return f"ScofEvent({self.kind!r}, {self.path!r}, {self.mode!r}, {self.text[:60]!r}, {self.truncated})"
