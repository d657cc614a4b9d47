"""What can go wrong when a change is applied to a file."""

from __future__ import annotations

from typing import ClassVar, Literal

from vibedesk.base.errors import VibeDeskError

PatchReason = Literal["no_match", "ambiguous", "malformed", "empty_search"]


class PatchError(VibeDeskError):
    """A patch or an edit cannot be applied; the file is as it was.

    `reason` says why: the place was not found, several places fit, the text is no patch at all, or
    nothing was searched for in a file that is not empty.
    """

    code = "patch_refused"
    default_remedy: ClassVar[str] = "Ask for the whole file instead."

    def __init__(self, reason: PatchReason, message: str) -> None:
        super().__init__(message, details={"reason": reason})
        self.reason: PatchReason = reason
