"""Writes what a SCOF stream says into a folder, and nowhere else."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from vibedesk.base.project_paths import UnsafePathError, normalize_project_path
from vibedesk.engine.scof.errors import PatchError
from vibedesk.engine.scof.patches import patch_outcome
from vibedesk.engine.scof.result import FileOperation, ScofResult

_FATAL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


@dataclass(slots=True)
class ApplyReport:
    """What was done, as project-relative paths, and what was refused, with reasons."""

    written: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def apply_scof(result: ScofResult, folder: Path) -> ApplyReport:
    """Carry out `result`'s operations in `folder`, in the stream's order.

    A path is refused, and the rest goes on, when it leaves the folder (also through a link), touches
    `.git`, or does not fit what is there. Each file is replaced at once or not at all.

    Raises:
        OSError: The disk is full, read-only or broken; what was done so far stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    applier = _Applier(Path(os.path.realpath(folder)))
    for operation in result.operations:
        applier.carry_out(operation)
    applier.report.written = list(dict.fromkeys(applier.report.written))
    return applier.report


class _RefusedError(Exception):
    """One operation cannot be done; its message says why."""


class _Applier:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.report = ApplyReport()

    def carry_out(self, operation: FileOperation) -> None:
        try:
            self._dispatch(operation)
        except (_RefusedError, UnsafePathError) as error:
            self.report.refused.append((operation.path, str(error)))
        except PatchError as error:
            self.report.refused.append((operation.path, f"{error.reason}: {error.message}"))
        except OSError as error:
            if error.errno in _FATAL:
                raise
            self.report.refused.append((operation.path, error.strerror or str(error)))

    def _dispatch(self, operation: FileOperation) -> None:
        path = operation.path
        match operation.kind:
            case "write":
                self._write(path, operation.text.encode("utf-8", "replace"))
            case "append":
                place = self._place(path)
                before = place.read_bytes() if place.exists() else b""
                self._write(path, before + operation.text.encode("utf-8", "replace"))
            case "patch":
                self._patch(path, operation.text)
            case "delete":
                self._delete(path)
            case "rename":
                self._rename(path, operation.target)
            case _:
                assert_never(operation.kind)

    def _inside(self, place: Path) -> Path:
        """Return `place`, which has no links any more, if it belongs to the project."""
        if not place.is_relative_to(self._root) or place == self._root:
            raise _RefusedError("a link leads out of the project")
        normalize_project_path(place.relative_to(self._root).as_posix())
        return place

    def _place(self, path: str) -> Path:
        """Return where the content of `path` is, links resolved."""
        return self._inside(Path(os.path.realpath(self._root / normalize_project_path(path))))

    def _entry(self, path: str) -> Path:
        """Return where `path` itself is: only links above it are resolved."""
        whole = self._root / normalize_project_path(path)
        parent = Path(os.path.realpath(whole.parent))
        if parent != self._root:
            self._inside(parent)
        return parent / whole.name

    def _write(self, path: str, content: bytes) -> None:
        place = self._place(path)
        if place.is_dir():
            raise _RefusedError("a folder has that name")
        self._make_folder(place.parent)
        mode = place.stat().st_mode & 0o777 if place.exists() else None
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".scof-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o644 if mode is None else mode)  # noqa: PTH101  # a plain name
            os.replace(temporary, place)  # noqa: PTH105
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self.report.written.append(path)

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise _RefusedError("a file stands where a folder is needed") from error

    def _patch(self, path: str, diff: str) -> None:
        place = self._place(path)
        try:
            original = place.read_bytes().decode() if place.exists() else ""
        except UnicodeDecodeError as error:
            raise _RefusedError("the file to change is no text") from error
        if not place.exists() and not _creates_file(diff):
            raise _RefusedError("the file to change does not exist")
        outcome = patch_outcome(original, diff)
        if outcome.already_applied:
            self.report.warnings.append(
                f"already_applied: the patch of {path} was in the file already"
            )
        self._write(path, outcome.text.encode())

    def _delete(self, path: str) -> None:
        entry = self._entry(path)
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.exists() or entry.is_symlink():
            entry.unlink()
        else:
            self.report.warnings.append(f"nothing to delete: {path}")
            return
        self.report.deleted.append(path)

    def _rename(self, path: str, target: str) -> None:
        source, goal = self._entry(path), self._entry(target)
        if not source.exists() and not source.is_symlink():
            raise _RefusedError("the file to move does not exist")
        if goal.is_dir() and not goal.is_symlink() and not _same(source, goal):
            raise _RefusedError(f"a folder is in the way: {target}")
        if goal.is_relative_to(source) and goal != source:
            raise _RefusedError("a folder cannot move into itself")
        self._make_folder(goal.parent)
        source.replace(goal)
        self.report.renamed.append((path, target))


def _same(one: Path, other: Path) -> bool:
    """Tell whether two names are one entry, as on file systems that ignore case."""
    return one.exists() and other.exists() and one.samefile(other)


def _creates_file(diff: str) -> bool:
    return any(
        line.startswith(("--- /dev/null", "@@ -0,0 ", "@@ -0 ")) for line in diff.split("\n")
    )
