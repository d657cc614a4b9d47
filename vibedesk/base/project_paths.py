"""Which paths inside a project may be written: project-relative POSIX, on every system."""

from __future__ import annotations

import re
import unicodedata

_DRIVE = re.compile(r"^[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WINDOWS_RESERVED = re.compile(
    r"^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)$", re.I
)
_WINDOWS_FORBIDDEN = frozenset('<>:"|?*')
_MAX_COMPONENT_BYTES = 255
_MAX_PATH_BYTES = 1024


class UnsafePathError(ValueError):
    """The path leaves the project, touches `.git`, or cannot exist on every system."""


def normalize_project_path(raw: str) -> str:
    """Return `raw` as a clean project-relative POSIX path.

    Leading `./` and doubled slashes are dropped; everything else stays byte for byte.

    Raises:
        UnsafePathError: for absolute paths, `..`, drive letters, backslashes, control characters,
            `.git` in any spelling that some file system takes for it, and names Windows cannot hold.
    """
    if not raw or raw.startswith("/") or _DRIVE.match(raw) or "\\" in raw:
        raise UnsafePathError(f"not a project-relative path: {raw!r}")
    if _CONTROL.search(raw):
        raise UnsafePathError(f"control character in path: {raw!r}")
    parts = [part for part in raw.split("/") if part not in ("", ".")]
    if parts[:1] == ["~"]:
        raise UnsafePathError(f"not a project-relative path: {raw!r}")
    if not parts or raw.endswith("/"):
        raise UnsafePathError(f"names no file: {raw!r}")
    for part in parts:
        _check_component(part, raw)
    path = "/".join(parts)
    try:
        encoded = path.encode()
    except UnicodeEncodeError as error:
        raise UnsafePathError(f"not valid Unicode: {raw!r}") from error
    if len(encoded) > _MAX_PATH_BYTES:
        raise UnsafePathError(f"path too long: {raw[:80]!r}…")
    return path


def _check_component(part: str, raw: str) -> None:
    if part == "..":
        raise UnsafePathError(f"leaves the project: {raw!r}")
    if _is_git(part):
        raise UnsafePathError(f"touches .git: {raw!r}")
    if part[-1] in ". " or _WINDOWS_RESERVED.match(part.split(".", 1)[0].rstrip(" ")):
        raise UnsafePathError(f"a name that Windows cannot hold: {raw!r}")
    if _WINDOWS_FORBIDDEN.intersection(part):
        raise UnsafePathError(f"a character that Windows cannot hold: {raw!r}")
    if len(part.encode(errors="replace")) > _MAX_COMPONENT_BYTES:
        raise UnsafePathError(f"name too long: {raw[:80]!r}…")


def _is_git(part: str) -> bool:
    # NTFS and HFS+ take these for `.git`: other case, trailing dots and blanks, `GIT~1`, a stream
    # suffix, ignorable and compatibility characters (git's own CVE-2014-9390 and CVE-2019-1352).
    if not part.isascii():
        visible = "".join(c for c in part if unicodedata.category(c) != "Cf")
        part = unicodedata.normalize("NFKC", visible)
    folded = part.casefold().split(":", 1)[0].rstrip(". ")
    return folded in (".git", "git~1")
