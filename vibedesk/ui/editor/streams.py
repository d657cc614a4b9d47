"""What the agent is writing at present, as far as the editor needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

WriteMode = Literal["full", "patch", "append"]
"""How a file is written: anew, by a patch that shows only when it is applied, or at its end."""


@dataclass(slots=True)
class Stream:
    """One file that is being written, shown or not."""

    path: str
    mode: WriteMode
    before: str | None
    """What the file read at the start; None where that is not known."""
    parts: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.keep("" if self.mode == "full" else self.before or "")

    @property
    def grows(self) -> bool:
        """Whether each piece shows as it comes; until a patch is made, its file reads as before."""
        return self.mode != "patch"

    def add(self, text: str) -> None:
        if self.grows:
            self.parts.append(text)

    @property
    def text(self) -> str:
        """The file as it reads so far."""
        return "".join(self.parts)

    def keep(self, text: str) -> None:
        """The file reads so by now, with what the person typed."""
        self.parts = [text]
