"""Search/replace edits: whole lines found by content, several blocks in order, atomic per file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vibedesk.engine.scof.errors import PatchError
from vibedesk.engine.scof.indentation import reindent
from vibedesk.engine.scof.line_search import PASSES, REINDENTING_PASS, LineSearch, is_blank
from vibedesk.engine.scof.text_lines import TextLines

_SEARCH = re.compile(r"(?:<{3,}|-{3,})[ \t]+SEARCH[ \t]*")
_SEPARATOR = re.compile(r"={3,}[ \t]*")
_REPLACE = re.compile(r"(?:>{3,}|\+{3,})[ \t]+REPLACE[ \t]*")
_NEARLY = re.compile(r"(?:<{3,}|>{3,}|-{3,}|\+{3,})[ \t]*(?:SEARCH|REPLACE)\b.*")
_ESCAPED = re.compile(
    r"\\+(?:={3,}|(?:<{3,}|-{3,})[ \t]+SEARCH|(?:>{3,}|\+{3,})[ \t]+REPLACE)[ \t]*"
)


@dataclass(frozen=True, slots=True)
class Edit:
    """Whole lines to find and to put there; `filling` is what an empty file becomes."""

    search: list[str]
    replace: list[str]
    filling: str


def apply_edits(original: str, blocks: str | list[tuple[str, str]]) -> str:
    """Return `original` with all `blocks` applied in order, each seeing the former's result.

    `blocks` is text with SEARCH/REPLACE markers, or (search, replace) pairs; a pair's last newline only
    ends its last line. Text outside the markers is ignored.

    Raises:
        PatchError: and then nothing of `blocks` was applied. `malformed`, `no_match`, `ambiguous`, or
            `empty_search` (an empty search fills an empty file and fits no other).
    """
    edits = parse_edit_blocks(blocks) if isinstance(blocks, str) else [*map(_from_pair, blocks)]
    if not edits:
        raise PatchError("malformed", "The edit has no search/replace block.")
    text = original
    file: TextLines | None = None
    for edit in edits:
        if all(is_blank(line) for line in edit.search):
            current = text if file is None else file.text()
            if current.removeprefix("\ufeff"):
                raise PatchError(
                    "empty_search", "An edit of a file that is not empty searches for nothing."
                )
            text, file = current + edit.filling, None
            continue
        if file is None:
            file = TextLines(text)
        _replace_lines(file, edit.search, edit.replace)
    return text if file is None else file.text()


def holds_edits(change: str) -> bool:
    """Whether the body of a patch is search/replace blocks: a unified diff begins with a header or a hunk."""
    first = next((line for line in change.splitlines() if line.strip()), "")
    return bool(_SEARCH.fullmatch(first)) and any(
        _REPLACE.fullmatch(line) for line in change.splitlines()
    )


def parse_edit_blocks(text: str) -> list[Edit]:
    """Return every block in `text`.

    Raises:
        PatchError: `malformed`: a marker is missing, doubled or not quite one.
    """
    blocks: list[Edit] = []
    search: list[str] | None = None
    replace: list[str] | None = None
    for raw in text.split("\n"):
        line = raw.removesuffix("\r")
        if _SEARCH.fullmatch(line):
            if search is not None:
                raise PatchError("malformed", "An edit begins before the former has ended.")
            search = []
        elif _REPLACE.fullmatch(line):
            if search is None or replace is None:
                raise PatchError(
                    "malformed", "An edit ends that has no search part or no '=======' line."
                )
            blocks.append(Edit(search, replace, "".join(f"{each}\n" for each in replace)))
            search = replace = None
        elif search is not None and _SEPARATOR.fullmatch(line):
            if replace is not None:
                raise PatchError("malformed", "An edit has two '=======' lines.")
            replace = []
        elif _NEARLY.fullmatch(line if search is not None else line.lstrip()):
            raise PatchError("malformed", f"An edit has a marker that is none: {line[:80]}")
        elif search is not None:
            literal = line[1:] if _ESCAPED.fullmatch(line) else line
            (search if replace is None else replace).append(literal)
    if search is not None:
        raise PatchError("malformed", "An edit has no closing '>>>>>>> REPLACE' line.")
    return blocks


def _from_pair(block: tuple[str, str]) -> Edit:
    search, replace = block
    return Edit(_lines(search), _lines(replace), replace)


def _lines(text: str) -> list[str]:
    if not text:
        return []
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _replace_lines(file: TextLines, search: list[str], replace: list[str]) -> None:
    finder = LineSearch(file.lines)
    for number in range(len(PASSES)):
        hits = finder.hits(search, number)
        if hits:
            _put(file, _only(hits), search, replace, number)
            return
    # Models wrap the searched lines in blank ones that the file does not have.
    leading, trailing = _blank_edges(search)
    core = search[leading : len(search) - trailing]
    for number in range(len(PASSES)) if leading or trailing else ():
        hits = finder.hits(core, number)
        if not hits:
            continue
        place = _only(hits)
        above = _blanks_before(file.lines, place, leading)
        below = _blanks_after(file.lines, place + len(core), trailing)
        kept_search = search[leading - above : len(search) - (trailing - below)]
        kept_replace = _without_blank_edges(replace, leading - above, trailing - below)
        _put(file, place - above, kept_search, kept_replace, number)
        return
    raise PatchError("no_match", f"The searched lines are not in the file: {core[0].strip()[:80]}")


def _only(hits: list[int]) -> int:
    if len(hits) > 1:
        raise PatchError(
            "ambiguous",
            f"The searched lines occur more than once (lines {hits[0] + 1}, {hits[1] + 1}).",
        )
    return hits[0]


def _put(file: TextLines, place: int, search: list[str], replace: list[str], number: int) -> None:
    stop = place + len(search)
    lines = replace
    if number >= REINDENTING_PASS:
        lines = reindent(replace, search, file.lines[place:stop], file.lines)
    file.replace(place, stop, lines, _kept_ends(file.ends[place:stop], search, replace))


def _kept_ends(ends: list[str], search: list[str], replace: list[str]) -> list[str | None]:
    """Return the line ends of replacement lines that the edit only repeats, None for the others."""
    shorter = min(len(search), len(replace))
    same_above = 0
    while same_above < shorter and search[same_above] == replace[same_above]:
        same_above += 1
    same_below = 0
    while same_below < shorter - same_above and search[-1 - same_below] == replace[-1 - same_below]:
        same_below += 1
    changed = len(replace) - same_above - same_below
    # The changed lines follow the changed ones of the file, or the line above.
    middle: list[str | None] = [*ends[same_above : len(ends) - same_below][:changed]]
    fallback = middle[-1] if middle else (ends[same_above - 1] if same_above else ends[0])
    middle += [fallback] * (changed - len(middle))
    return [*ends[:same_above], *middle, *ends[len(ends) - same_below :]]


def _blank_edges(lines: Sequence[str]) -> tuple[int, int]:
    leading = _blanks_after(lines, 0, len(lines))
    return leading, _blanks_before(lines, len(lines), len(lines) - leading)


def _blanks_before(lines: Sequence[str], stop: int, most: int) -> int:
    count = 0
    while count < most and stop - count > 0 and is_blank(lines[stop - count - 1]):
        count += 1
    return count


def _blanks_after(lines: Sequence[str], start: int, most: int) -> int:
    count = 0
    while count < most and start + count < len(lines) and is_blank(lines[start + count]):
        count += 1
    return count


def _without_blank_edges(lines: list[str], above: int, below: int) -> list[str]:
    above = _blanks_after(lines, 0, above)
    below = _blanks_before(lines, len(lines), min(below, len(lines) - above))
    return lines[above : len(lines) - below]
