"""Finding the files of a work folder that belong to its project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vibedesk.base.project_paths import UnsafePathError, normalize_project_path
from vibedesk.engine.files.folder_access import Entry, FileFacts, FolderAccess
from vibedesk.engine.files.ignore_rules import IgnoreRules, ReadIgnoreFile, holds_secrets

MOST_FILES = 20_000


@dataclass(slots=True)
class FolderScan:
    """What was found: files by path, what was left out and why, and what a killed program left half written."""

    files: dict[str, FileFacts] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    empty: bool = True
    left_over: list[str] = field(default_factory=list)


def scan_folder(folder: FolderAccess, read: ReadIgnoreFile | None = None) -> FolderScan:
    """Look through a folder. Links, ignored paths and names that no project may hold are left out.

    Args:
        folder: Where to look.
        read: Returns the .gitignore files that count; those that lie there if not given.
    """
    scan = FolderScan()
    rules = IgnoreRules(read) if read is not None else _rules_of(folder)
    for path, facts in _walk(folder, rules, "", scan):
        if len(scan.files) >= MOST_FILES:
            scan.notices.append(
                f"The project's folder has more than {MOST_FILES} files; the rest is left out."
            )
            break
        scan.files[path] = facts
    return scan


def left_out(folder: FolderAccess, paths: Iterable[str]) -> set[str]:
    """Return which of these paths a scan leaves out, there or not; but for those that hold secrets."""
    rules = _rules_of(folder)
    return {path for path in paths if not rules.belongs(path) and not holds_secrets(path)}


def taken(folder: FolderAccess, paths: Iterable[str]) -> set[str]:
    """Return which of these paths a scan takes if a plain file lies there."""
    rules = _rules_of(folder)
    return {path for path in paths if _is_plain(path) and rules.belongs(path)}


def ignore_text(folder: FolderAccess, path: str) -> str | None:
    """Return the text of a .gitignore; None where none is."""
    data = folder.read(path)
    return None if data is None else data.decode(errors="replace")


def _rules_of(folder: FolderAccess) -> IgnoreRules:
    return IgnoreRules(lambda path: ignore_text(folder, path))


def _walk(
    folder: FolderAccess, rules: IgnoreRules, inside: str, scan: FolderScan
) -> Iterator[tuple[str, FileFacts]]:
    for entry in sorted(folder.entries(inside)):
        scan.empty = False
        path = _path(entry, inside, scan)
        if path is None:
            continue
        if entry.is_folder:
            if rules.enters(path):
                yield from _walk(folder, rules, path, scan)
        elif entry.facts is not None and folder.is_left_over(entry.name):
            scan.left_over.append(path)
        elif entry.facts is not None and rules.takes(path):
            yield path, entry.facts


def _path(entry: Entry, inside: str, scan: FolderScan) -> str | None:
    path = f"{inside}/{entry.name}" if inside else entry.name
    if entry.name == ".git":
        return None
    try:
        if normalize_project_path(path) == path:
            return path
        reason = "its name is not plain"
    except UnsafePathError as error:
        reason = str(error)
    scan.notices.append(f"{_printable(path)} is left out: {_printable(reason)}.")
    return None


def _is_plain(path: str) -> bool:
    try:
        return normalize_project_path(path) == path
    except UnsafePathError:
        return False


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode()
