"""The map of the files that a request does not show: a line each, or a line for a folder where that is too long."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

_MOST_NAMES = 6
_LONGEST_PURPOSE = 120


def project_map(
    paths: Collection[str],
    purposes: Mapping[str, str],
    exports: Mapping[str, Sequence[str]],
    scores: Mapping[str, float],
    *,
    characters: int,
) -> list[str]:
    """Return the lines of the map, in the order of the paths.

    Folders that matter least are folded first: to the names of their files, then to their number. The whole is no
    longer than `characters` unless even that is.
    """
    folders: dict[str, list[str]] = {}
    for path in sorted(paths):
        folders.setdefault(path.rpartition("/")[0], []).append(path)
    weights = {
        folder: max((scores.get(path, 0.0) for path in inside), default=0.0)
        for folder, inside in folders.items()
    }
    forms = {
        folder: [
            [_line(path, purposes.get(path, ""), exports.get(path, ())) for path in inside],
            [_names(folder, inside)],
            [f"{folder or '.'}/ ({len(inside)} files)"],
        ]
        for folder, inside in folders.items()
    }
    length = dict.fromkeys(folders, 0)
    used = sum(_size(forms[folder][0]) for folder in folders)
    for _ in range(2):
        for folder in sorted(folders, key=lambda folder: (weights[folder], folder)):
            if used <= characters:
                break
            now = forms[folder][length[folder]]
            shorter = forms[folder][length[folder] + 1]
            if _size(shorter) < _size(now):
                used += _size(shorter) - _size(now)
            length[folder] += 1
    return [line for folder in folders for line in forms[folder][length[folder]]]


def _line(path: str, purpose: str, exports: Sequence[str]) -> str:
    words = purpose.strip().partition("\n")[0]
    if len(words) > _LONGEST_PURPOSE:
        words = f"{words[:_LONGEST_PURPOSE].rstrip()}…"
    # A file that exports what it is called says nothing with that.
    stem = path.rsplit("/", 1)[-1].partition(".")[0]
    names = [name for name in exports[:_MOST_NAMES] if name != stem]
    return path + (f": {words}" if words else "") + (f" ({', '.join(names)})" if names else "")


def _names(folder: str, inside: Sequence[str]) -> str:
    names = ", ".join(path.rpartition("/")[2] for path in inside)
    return f"{folder}/: {names}" if folder else names


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 3 for line in lines)
