"""Where a file that broke off goes on, and how what comes then is put to what had come."""

from __future__ import annotations

from vibedesk.engine.builder.relevance.selection import CHARACTERS_PER_TOKEN
from vibedesk.engine.files.drafts import Draft

SHOWN_CHARACTERS = 4_000
"""How much of a file's end is shown to the model that goes on with it."""
_SURE_LINES, _SURE_CHARACTERS = 2, 24
_LARGE = 1 / 3
"""Of what one answer may hold: a file of which so much has come may not fit whole."""


def is_gone_on_with(text: str, *, room: int, again: bool) -> bool:
    """Whether a file that broke off is gone on with instead of sent again.

    Args:
        text: What has come of it.
        room: How many tokens one answer may hold.
        again: It broke off also when it was asked for whole.
    """
    return bool(whole_lines(text)) and (again or len(text) > room * CHARACTERS_PER_TOKEN * _LARGE)


def whole_lines(text: str) -> str:
    """Return `text` up to its last line break: a line that broke off comes again."""
    return text[: text.rfind("\n") + 1]


def joined(kept: str, more: str) -> str:
    """Return `kept` gone on with by `more`, without what `more` repeats of the lines it was shown.

    Only what is surely a repetition is left out: several lines that end `kept` and, like the second half of them,
    stand nowhere else in it. Lines of data that are all alike are not.
    """
    again = _repeated(kept, more)
    half = again[len(again) // 2 :]
    sure = (
        again.count("\n") >= _SURE_LINES
        and sum(not character.isspace() for character in again) >= _SURE_CHARACTERS
        and kept.find(half) == len(kept) - len(half)
    )
    return kept + more[len(again) :] if sure else kept + more


def come_so_far(draft: Draft) -> str:
    """Return what has come of a file; where a second answer went on with it, without what that repeats."""
    return joined(draft.kept, draft.text[len(draft.kept) :])


def _repeated(kept: str, more: str) -> str:
    """Return the most lines that `more` begins with and `kept` ends with."""
    if more.startswith(kept):
        return kept
    end = min(len(more), SHOWN_CHARACTERS)
    while end := more.rfind("\n", 0, end) + 1:
        if kept.endswith(more[:end]):
            return more[:end]
        end -= 1
    return ""
