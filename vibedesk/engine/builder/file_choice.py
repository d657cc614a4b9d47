"""Which of a project's files a request shows whole, and what it says of the others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChosenFile:
    """A file that is shown whole. `phase` changed it last; 0 is the starter."""

    path: str
    text: str
    phase: int = 0


@dataclass(frozen=True, slots=True)
class FileChoice:
    """What a request shows of the project.

    `chosen` stands in the order in which files were changed, so that a request begins like the one before it.
    `rest` is the map of the other files, in lines. Whether the answer may ask for one of them says `can_ask`.
    `too_large` should have been shown, but there is no room for them.
    """

    chosen: tuple[ChosenFile, ...] = ()
    rest: tuple[str, ...] = ()
    can_ask: bool = False
    too_large: tuple[str, ...] = ()


NO_FILES = FileChoice()
