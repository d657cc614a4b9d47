"""Reads the text of unified diffs into hunks; counts in their headers are not believed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from vibedesk.engine.scof.errors import PatchError

_HUNK_HEADER = re.compile(r"@@(?:\s+-(\d+)(?:,(\d+))?\s+\+(\d+)(?:,(\d+))?)?.*")
_OLD_FILE = re.compile(r"--- (?P<path>.+)")
_NEW_FILE = re.compile(r"\+\+\+ (?P<path>.+)")
_FENCE = re.compile(r"```\w*\s*")
_PREAMBLE = re.compile(
    r"(?:diff |index |new file mode |deleted file mode |old mode |new mode |similarity index |rename |Index: |={20,})"
)


@dataclass(slots=True)
class Hunk:
    """One `@@` part. `kinds` has a character of ` +-` per line of `lines`."""

    start: int | None
    kinds: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    unmarked: bool = False
    old_has_last_newline: bool = True
    new_has_last_newline: bool = True
    says_last_newline: bool = False

    def old(self) -> list[str]:
        return [line for kind, line in zip(self.kinds, self.lines, strict=True) if kind != "+"]

    def new(self) -> list[str]:
        return [line for kind, line in zip(self.kinds, self.lines, strict=True) if kind != "-"]

    def context_edges(self) -> tuple[int, int]:
        """Return how many lines of context come before the first and after the last change."""
        changed = [index for index, kind in enumerate(self.kinds) if kind != " "]
        if not changed:
            return len(self.kinds), 0
        return changed[0], len(self.kinds) - 1 - changed[-1]

    def cut(self, above: int, below: int) -> Hunk:
        stop = len(self.kinds) - below
        start = None if self.start is None else self.start + above
        return Hunk(start, self.kinds[above:stop], self.lines[above:stop])

    def parts(self) -> list[Hunk]:
        """Return the hunk's runs of changes as hunks of their own, each with the context around it."""
        runs: list[tuple[int, int]] = []
        for index, kind in enumerate(self.kinds):
            if kind == " ":
                continue
            if runs and runs[-1][1] == index:
                runs[-1] = (runs[-1][0], index + 1)
            else:
                runs.append((index, index + 1))
        edges = (
            [0, *(stop for _, stop in runs[:-1])],
            [*(start for start, _ in runs[1:]), len(self.kinds)],
        )
        found: list[Hunk] = []
        for start, stop in zip(*edges, strict=True):
            above = sum(1 for kind in self.kinds[:start] if kind != "+")
            first = None if self.start is None else self.start + above
            found.append(Hunk(first, self.kinds[start:stop], self.lines[start:stop], self.unmarked))
        return found


def parse_hunks(diff: str) -> list[Hunk]:
    """Return the hunks of a diff of one file.

    Raises:
        PatchError: `malformed`: no hunk changes anything, or several files are named.
    """
    lines = diff.removeprefix("\ufeff").split("\n")
    if lines[-1] in ("", "\r"):
        lines.pop()
    if lines and all(line.endswith("\r") for line in lines):
        lines = [line[:-1] for line in lines]
    hunks: list[Hunk] = []
    targets: set[str] = set()
    skipped = False
    for index, line in enumerate(lines):
        if skipped:  # the +++ after a ---
            skipped = False
        elif match := _HUNK_HEADER.fullmatch(line):
            hunks.append(Hunk(_start_of(match)))
        elif _is_file_header(lines, index):
            targets.add(_header_path(lines[index + 1]))
            skipped = True
        elif hunks and not _PREAMBLE.match(line):
            _add_line(hunks[-1], line)
    hunks = [hunk for hunk in map(_trimmed, hunks) if set(hunk.kinds) - {" "}]
    if not hunks or len(targets) > 1:
        raise PatchError("malformed", "The patch has no hunks for one file.")
    return hunks


def split_patch_by_file(diff: str) -> list[tuple[str, str]]:
    """Return (path, hunks) of each file that the headers of `diff` name, `a/` and `b/` removed."""
    parts: list[tuple[str, list[str]]] = []
    lines = re.findall(r"[^\n]*\n|[^\n]+", diff)
    old_path = ""
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else ""
        if _OLD_FILE.match(line) and _NEW_FILE.match(following):
            old_path = _header_path(line)
        elif (match := _NEW_FILE.match(line)) and (old_path or not parts):
            new_path = _header_path(match[0])
            parts.append((old_path if new_path == "/dev/null" else new_path, []))
            old_path = ""
        elif parts and not _PREAMBLE.match(line):
            parts[-1][1].append(line)
    return [(path, "".join(hunks)) for path, hunks in parts]


def _header_path(line: str) -> str:
    path = line[4:].strip().split("\t", 1)[0].strip().strip("\"'")
    return path[2:] if path.startswith(("a/", "b/")) else path


def _start_of(header: re.Match[str]) -> int | None:
    if header[1] is None:
        return None
    # A position of nothing (`-3,0`) names the line before it.
    number = int(header[1][:9])
    return number if header[2] and not int(header[2][:9]) else max(0, number - 1)


def _is_file_header(lines: Sequence[str], index: int) -> bool:
    return (
        index + 1 < len(lines)
        and _OLD_FILE.match(lines[index]) is not None
        and _NEW_FILE.match(lines[index + 1]) is not None
        and (index + 2 >= len(lines) or lines[index + 2].startswith("@@"))
    )


def _add_line(hunk: Hunk, line: str) -> None:
    kind = line[:1]
    if kind in ("+", "-", " "):
        hunk.kinds.append(kind)
        hunk.lines.append(line[1:])
    elif kind == "\\":
        _add_newline_note(hunk)
    elif not line.strip():
        hunk.kinds.append(" ")
        hunk.lines.append("")
    else:  # a context line whose blank was lost, or no line of a patch at all
        hunk.unmarked = True
        hunk.kinds.append(" ")
        hunk.lines.append(line)


def _add_newline_note(hunk: Hunk) -> None:
    r"""Take in a line `\ No newline at end of file`, which speaks of the line before it."""
    if not hunk.kinds:
        return
    hunk.says_last_newline = True
    if hunk.kinds[-1] != "+":
        hunk.old_has_last_newline = False
    if hunk.kinds[-1] != "-":
        hunk.new_has_last_newline = False


def _trimmed(hunk: Hunk) -> Hunk:
    """Drop a closing fence that got into the hunk."""
    if hunk.unmarked and hunk.kinds[-1] == " " and _FENCE.fullmatch(hunk.lines[-1]):
        hunk.kinds.pop()
        hunk.lines.pop()
    return hunk
