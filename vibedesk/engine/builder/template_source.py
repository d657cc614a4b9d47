"""Where a person's template comes from: a folder, or a git repository that is fetched without running anything of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.files.git_fetch import fetch_files

_SCHEMES = ("https", "ssh", "file")
_SCP = re.compile(r"(?P<place>(?:[\w.-]+@)?[\w.-]+:(?!//)[^@\s]+)(?:@(?P<ref>\S+))?")
_REF = re.compile(r"(?!.*(?:\.\.|//|@\{))[\w][\w./+-]*(?<![/.])")


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """A folder, or a git repository with a branch or tag (empty: its own choice)."""

    text: str
    """As it is shown and kept; it holds no password."""
    name: str
    folder: Path | None = None
    url: str = ""
    ref: str = ""

    @classmethod
    def parse(cls, text: str) -> SourceAddress:
        """Read what a person wrote.

        Raises:
            InvalidInputError: it is no absolute path and no https, ssh or file address, or it has a password in it.
        """
        text = text.strip()
        if text.startswith(("/", "~/")):
            folder = Path(text).expanduser()
            return cls(str(folder), folder.name, folder=folder)
        url, ref = _split(text)
        if ref and not _REF.fullmatch(ref):
            raise InvalidInputError(
                f"{ref!r} is no branch or tag.", remedy="Write it like address@main."
            )
        name = re.split(r"[/:]", url.rstrip("/"))[-1].removesuffix(".git")
        return cls(text, name, url=url, ref=ref)


def _split(text: str) -> tuple[str, str]:
    """Return address and branch of `address@branch`."""
    if "://" not in text:
        match = _SCP.fullmatch(text)
        if match is None:
            raise _unreadable(text)
        return match["place"], match["ref"] or ""
    try:
        parts = urlsplit(text)
        secret = parts.password is not None or (parts.scheme == "https" and "@" in parts.netloc)
    except ValueError as error:
        raise _unreadable(text) from error
    if parts.scheme not in _SCHEMES or not parts.path.strip("/"):
        raise _unreadable(text)
    if secret:
        raise InvalidInputError(
            "The address has a user name or password in it.",
            remedy="Leave it out; for a private repository use an ssh address and your ssh agent.",
        )
    path, _, ref = parts.path.partition("@")
    if (parts.scheme != "file" and not parts.netloc) or parts.query or parts.fragment:
        raise _unreadable(text)
    return f"{parts.scheme}://{parts.netloc}{path}", ref


@contextmanager
def fetched(address: SourceAddress, scratch: Path) -> Iterator[Path]:
    """Have the source's files in a folder for the time of the block; what is fetched goes to `scratch`. Blocking.

    Raises:
        NotFoundError: there is no such repository or branch.
        InvalidInputError: it needs a sign-in, or is larger or slower than a template may be.
    """
    if address.folder is not None:
        yield address.folder
        return
    content = scratch / "content" / (address.name or "template")
    try:
        content.mkdir(parents=True)
        fetch_files(address.url, address.ref, scratch / "repository", content)
        yield content
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unreadable(text: str) -> InvalidInputError:
    return InvalidInputError(
        f"{text!r} is no template.",
        remedy="Give a folder's path beginning with / or ~/, or a git address beginning with https://, ssh:// or "
        "file://, with @branch after it where you want one.",
    )
