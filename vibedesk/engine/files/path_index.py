"""Which paths of a project are taken, also as a file system sees them that ignores case and Unicode form."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from vibedesk.base.errors import InvalidInputError
from vibedesk.base.project_paths import UnsafePathError, normalize_project_path


class PathIndex:
    """The paths in use. Asking costs the length of the path, not the number of paths."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._files: dict[str, str] = {}
        self._folders: Counter[str] = Counter()
        for path in paths:
            self.add(path)

    def add(self, path: str) -> None:
        folded = _folded(path)
        if folded in self._files:
            return
        self._files[folded] = path
        self._folders.update(_folders_of(folded))

    def remove(self, path: str) -> None:
        folded = _folded(path)
        if self._files.pop(folded, None) is None:
            return
        for folder in _folders_of(folded):
            self._folders[folder] -= 1
            if not self._folders[folder]:
                del self._folders[folder]

    def check_free(self, path: str) -> None:
        """Make sure that a file may be made at `path` (normalised).

        Raises:
            InvalidInputError: another file or folder stands in the way.
        """
        folded = _folded(path)
        taken = self._files.get(folded)
        if taken is not None:
            reason = "exists already" if taken == path else f"differs only in spelling from {taken}"
            raise _refused(path, f"{path} {reason}.")
        if folded in self._folders:
            raise _refused(path, f"{path} is a folder.")
        for folder in _folders_of(folded):
            if folder in self._files:
                raise _refused(path, f"{self._files[folder]} is a file, so it cannot hold {path}.")


def checked_path(path: str) -> str:
    """Return `path` normalised.

    Raises:
        InvalidInputError: it may not be written in a project.
    """
    try:
        return normalize_project_path(path)
    except UnsafePathError as error:
        raise InvalidInputError(
            f"{path!r} cannot be a file of the project.",
            remedy="Use a path inside the project, such as src/App.tsx.",
            details={"path": path, "reason": str(error)},
        ) from error


def _refused(path: str, message: str) -> InvalidInputError:
    return InvalidInputError(message, remedy="Choose another name.", details={"path": path})


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _folders_of(path: str) -> Iterator[str]:
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)
