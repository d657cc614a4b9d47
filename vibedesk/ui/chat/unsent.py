"""What a person wrote in one project and did not hand over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from vibedesk.ui.chat.pictures import Attached


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """Everything in the chat and the blueprint that only the window knows."""

    text: str = ""
    pictures: tuple[Attached, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    """By the question that they answer."""
    wishes: Mapping[str, str] = field(default_factory=dict)
    """What queued wishes are being changed to, by their ids."""
    plan: Mapping[str, Any] = field(default_factory=dict)
    """The parts of the blueprint that were changed."""

    def edits(self) -> dict[str, Any]:
        """Return what is no message, to be stored; `with_edits` takes it."""
        parts = {"answers": self.answers, "wishes": self.wishes, "plan": self.plan}
        return {name: dict(part) for name, part in parts.items() if part}

    @classmethod
    def with_edits(
        cls, text: str, pictures: tuple[Attached, ...], edits: Mapping[str, Any]
    ) -> Self:
        return cls(
            text=text,
            pictures=pictures,
            answers=edits.get("answers", {}),
            wishes=edits.get("wishes", {}),
            plan=edits.get("plan", {}),
        )
