"""Fetches the files of a git repository from elsewhere: shallow, bounded, and without running anything of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pygit2

from vibedesk.base.errors import InvalidInputError, NotFoundError

_MOST_FETCHED = 200_000_000
_MOST_CONTENT = 50_000_000
# What an entry counts, whatever it holds: a few objects can name one folder a million times.
_ENTRY_BYTES = 25_000
_MOST_SECONDS = 120.0
_CONNECT_MILLISECONDS = 15_000
_QUIET_MILLISECONDS = 30_000
_LINK, _SUBMODULE = 0o120000, 0o160000


def fetch_files(url: str, ref: str, scratch: Path, content: Path) -> None:
    """Write the files of a repository's newest commit to `content`, without links and submodules. Blocking.

    Args:
        url: https, ssh (with the keys of the person's agent) or file.
        ref: A branch or tag; empty: what the repository shows first.
        scratch: A folder to make for what is on its way.
        content: A folder that is there and empty.

    Raises:
        NotFoundError: there is no such repository, branch or tag.
        InvalidInputError: it asks for a sign-in, or is too large or too slow.
    """
    deadline = time.monotonic() + _MOST_SECONDS
    refused: list[InvalidInputError] = []

    def refuse(message: str, remedy: str) -> InvalidInputError:
        refused.append(InvalidInputError(message, remedy=remedy))
        return refused[0]

    class Bounds(pygit2.RemoteCallbacks):
        asked = False

        def credentials(self, url: str, username: str | None, allowed: Any) -> Any:
            if not self.asked and allowed & pygit2.enums.CredentialType.SSH_KEY:
                self.asked = True
                return pygit2.KeypairFromAgent(username or "git")
            raise refuse(
                "The repository is not there, or asks for a sign-in.",
                "Check the address; for a private repository use an ssh address and your ssh agent.",
            )

        def transfer_progress(self, stats: Any) -> None:
            if stats.received_bytes > _MOST_FETCHED:
                raise refuse(
                    "The repository is too large for a template.",
                    "Make a repository of the template alone.",
                )
            if time.monotonic() > deadline:
                raise refuse(
                    "The repository did not come in time.", "Check the network and try again."
                )

    settings = pygit2.settings
    settings.server_connect_timeout = _CONNECT_MILLISECONDS
    settings.server_timeout = _QUIET_MILLISECONDS
    # Bare, and its files are read from it: no hook, filter or submodule of it has any part in this.
    repository = pygit2.init_repository(str(scratch), bare=True)
    wanted = (
        [f"+refs/{kind}/{ref}:refs/template/{kind}" for kind in ("heads", "tags")]
        if ref
        else ["+HEAD:refs/template/heads"]
    )
    depth = 0 if url.startswith("file:") else 1  # the local transport knows no shallow ones
    try:
        remote = repository.remotes.create_anonymous(url)
        remote.fetch(wanted, callbacks=Bounds(), depth=depth, proxy=True)
    except (pygit2.GitError, OSError, InvalidInputError, ValueError, KeyError) as error:
        if refused:
            raise refused[0] from error
        raise NotFoundError(
            f"The repository {url} could not be fetched.",
            remedy="Check the address and the network.",
            details={"reason": str(error)},
        ) from error
    found = next(
        (
            name
            for name in ("refs/template/heads", "refs/template/tags")
            if name in repository.references
        ),
        None,
    )
    if found is None:
        raise NotFoundError(
            f"The repository has no branch or tag {ref!r}." if ref else "The repository is empty.",
            remedy="Name one that it has, like address@main.",
        )
    tree = repository.references[found].peel(pygit2.Tree)
    _write_tree(repository, tree, content, _MOST_CONTENT)


def _write_tree(repository: Any, tree: Any, folder: Path, left: int) -> int:
    """Write the plain files of a tree; return how many more bytes there may be."""
    for entry in tree:
        name = str(entry.name)
        if entry.filemode in (_LINK, _SUBMODULE) or name.lower() in (".git", ".", ".."):
            continue
        if "/" in name or "\\" in name or "\0" in name:
            continue
        found = repository[entry.id]
        is_folder = isinstance(found, pygit2.Tree)
        left -= _ENTRY_BYTES if is_folder else _ENTRY_BYTES + found.size
        if left < 0:
            raise InvalidInputError(
                "The repository is too large for a template.",
                remedy="Make a repository of the template alone.",
            )
        if is_folder:
            (folder / name).mkdir()
            left = _write_tree(repository, found, folder / name, left)
            continue
        (folder / name).write_bytes(found.data)
        if entry.filemode & 0o100:
            (folder / name).chmod(0o755)
    return left
