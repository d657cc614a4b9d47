"""Kept versions as rows to show: number, label, who made it, when, how many files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from PySide6.QtCore import QCoreApplication

from vibedesk.engine.views import VersionView

Author = Literal["agent", "fix", "you"]
AUTHOR_TONES: dict[str, str] = {
    "agent": "text.muted",
    "fix": "warning.text",
    "you": "info.text",
}


@dataclass(frozen=True, slots=True)
class Version:
    """One version as people know it; `number` counts from the oldest, which is 1."""

    number: int
    commit: str
    label: str
    author: str
    at: datetime
    files: int
    current: bool

    @property
    def name(self) -> str:
        return f"v{self.number}"

    def matches(self, words: str, author: str) -> bool:
        """Return whether it is by `author` ("" is anybody) and has all of `words` in label or name."""
        text = f"{self.label} {self.name}".casefold()
        return author in ("", self.author) and all(w in text for w in words.casefold().split())


def versions_of(views: Sequence[VersionView]) -> list[Version]:
    """Return the versions, newest first."""
    count = len(views)
    return [
        Version(
            number=count - place,
            commit=view.commit,
            label=view.label,
            author=view.author,
            at=datetime.fromisoformat(view.at.replace("Z", "+00:00")).astimezone(),
            files=view.files_changed,
            current=place == 0,
        )
        for place, view in enumerate(views)
    ]


def author_words(author: str) -> str:
    """Say who made a version."""
    words = {"agent": "VibeDesk", "fix": _tr("Automatic fix"), "you": _tr("You")}
    return words.get(author, author)


def files_words(count: int) -> str:
    return _tr("1 file") if count == 1 else _tr("{0} files").format(count)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Versions", text)
