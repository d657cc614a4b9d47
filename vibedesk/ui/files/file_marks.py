"""What the tree says about a file, and which mark of many a closed folder shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

PersonMark = Literal["locked", "pinned", "excluded"]
"""What the person said of a file: no model writes it, every request has it, no request has it."""
PERSON_MARKS: dict[PersonMark, str] = {
    "locked": "lock-simple",
    "pinned": "push-pin",
    "excluded": "eye-slash",
}
"""Their icons, in the order in which they are shown."""

FileState = Literal["unchanged", "new", "modified", "writing", "queued", "fixing"]
"""A file's place in the current run."""

MarkKind = Literal["errors", "warnings", "fixing", "writing", "modified", "new", "queued"]
WORST_FIRST: tuple[MarkKind, ...] = (
    "errors",
    "warnings",
    "fixing",
    "writing",
    "modified",
    "new",
    "queued",
)
TONES: dict[MarkKind, str] = {
    "errors": "danger.text",
    "warnings": "warning.text",
    "fixing": "warning.text",
    "writing": "live.text",
    "modified": "warning.text",
    "new": "success.text",
    "queued": "text.muted",
}


@dataclass(frozen=True, slots=True)
class FileMark:
    """State of one file, the problems known in it, and what the person said of it."""

    state: FileState = "unchanged"
    errors: int = 0
    warnings: int = 0
    person: frozenset[PersonMark] = frozenset()
    proposed: bool = False
    """A new version of it waits to be looked at."""

    @property
    def kinds(self) -> tuple[MarkKind, ...]:
        """All that can be said, the worst first."""
        kinds: list[MarkKind] = []
        if self.errors:
            kinds.append("errors")
        if self.warnings:
            kinds.append("warnings")
        if self.state != "unchanged":
            kinds.append(self.state)
        return tuple(sorted(kinds, key=WORST_FIRST.index))

    @property
    def shown(self) -> MarkKind | None:
        """The one mark there is room for: work in progress hides older problems."""
        if self.state in ("writing", "fixing"):
            return self.state
        return next(iter(self.kinds), None)


UNMARKED = FileMark()


def worst(tally: Counter[MarkKind]) -> MarkKind | None:
    """Return the worst kind that occurs."""
    return next((kind for kind in WORST_FIRST if tally[kind] > 0), None)
