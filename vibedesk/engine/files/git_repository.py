"""The git repository in a project's folder. This module and `git_fetch` are those that use pygit2.

What we do here runs nobody's code and reads nobody's settings: libgit2 knows neither hooks nor fsmonitor, nothing
here talks to a network, and the machine's and the person's own configuration are not looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import pygit2
from pygit2.enums import ConfigLevel, FileMode, RepositoryOpenFlag, SortMode

from vibedesk.base.errors import StorageError
from vibedesk.engine.store.failures import folder_error

_MAIN = "refs/heads/main"
_FILE_MODES = (FileMode.BLOB, FileMode.BLOB_EXECUTABLE)


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file as git keeps it."""

    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, as git keeps it."""

    id: str
    message: str
    time: int


@dataclass(frozen=True, slots=True)
class FileDifference:
    """How one file differs between two versions; `patch` is empty for binary files."""

    path: str
    status: Literal["added", "changed", "deleted"]
    patch: str
    binary: bool = False


class GitRepository:
    """The repository of one folder; never one of a folder above it."""

    def __init__(self, folder: Path, repository: pygit2.Repository) -> None:
        self._folder = folder
        self._repository = repository

    @classmethod
    def open(cls, folder: Path, *, create: bool) -> GitRepository | None:
        """Open the folder's repository; None if it has none and none is to be made.

        Raises:
            StorageError: it cannot be read or made.
        """
        _prepare_library()
        with _translated(folder):
            # An empty `.git` is where a sandbox hides the folder's own; it holds no repository.
            if (folder / ".git").is_file() or (folder / ".git" / "HEAD").exists():
                return cls(folder, pygit2.Repository(str(folder), RepositoryOpenFlag.NO_SEARCH))
            if not create:
                return None
            return cls(folder, pygit2.init_repository(str(folder), initial_head="main"))

    def tip(self, reference: str) -> str | None:
        """Return the commit that a reference names."""
        with _translated(self._folder):
            found = self._repository.references.get(reference)
            return None if found is None else str(found.peel(pygit2.Commit).id)

    def commits(self, reference: str) -> Iterator[Commit]:
        """Return a reference's commits, newest first, first parents only."""
        with _translated(self._folder):
            found = self._repository.references.get(reference)
            if found is None:
                return
            walker = self._repository.walk(found.peel(pygit2.Commit).id, SortMode.TOPOLOGICAL)
            walker.simplify_first_parent()
            for commit in walker:
                yield Commit(str(commit.id), commit.message, commit.commit_time)

    def commit(
        self,
        reference: str,
        changes: Mapping[str, TreeFile | None],
        *,
        parent: str | None,
        keep: bool,
        message: str,
        author: tuple[str, str],
        always: bool = False,
    ) -> str | None:
        """Add a commit to a reference and return its id; None if nothing differs from the parent.

        Args:
            reference: It must still name `parent`.
            changes: Files by path; None removes one.
            parent: The commit to follow.
            keep: Begin with the parent's files; costs what changed. Otherwise with none.
            message: The whole message.
            author: Name and address of author and committer.
            always: Add it also where nothing differs.
        """
        with _translated(self._folder):
            base = self._tree_of(parent) if parent else None
            tree = self._changed_tree(base if keep else None, _nested(changes))
            if tree is None:
                tree = self._repository.TreeBuilder().write()
            if base is not None and tree == base.id and not always:
                return None
            signature = pygit2.Signature(*author)
            made = self._repository.create_commit(
                reference, signature, signature, message, tree, [parent] if parent else []
            )
            return str(made)

    def files(self, commit: str) -> dict[str, TreeFile]:
        """Return every file of a commit; links and submodules are none."""
        with _translated(self._folder):
            return dict(self._walk_tree(self._tree_of(commit), ""))

    def differing(self, commit: str, changes: Mapping[str, TreeFile | None]) -> list[str]:
        """Return the paths among `changes` (None: no such file) that are otherwise in a commit."""
        with _translated(self._folder):
            tree = self._tree_of(commit)
            return [path for path, file in changes.items() if self._file_in(tree, path) != file]

    def _file_in(self, tree: pygit2.Tree, path: str) -> TreeFile | None:
        try:
            entry = tree[path]
        except KeyError:
            return None
        if not isinstance(entry, pygit2.Blob) or entry.filemode not in _FILE_MODES:
            return None
        return TreeFile(entry.data, entry.filemode == FileMode.BLOB_EXECUTABLE)

    def differences_to(
        self, commit: str, files: Mapping[str, TreeFile | None]
    ) -> list[FileDifference]:
        """Return how `files` (None: no such file) differ from those of a commit, in order of path."""
        with _translated(self._folder):
            tree = self._tree_of(commit)
            found = []
            for path, file in sorted(files.items()):
                old = self._file_in(tree, path)
                before = old.data if old is not None else None
                after = file.data if file is not None else None
                if before != after:
                    patch = pygit2.Patch.create_from(before, after, path, path)
                    found.append(_difference(patch))
            return found

    def differences(self, old: str | None, new: str) -> list[FileDifference]:
        """Return how `new` differs from `old` (None: from nothing), in order of path."""
        with _translated(self._folder):
            tree = self._tree_of(new)
            diff = (
                self._tree_of(old).diff_to_tree(tree)
                if old is not None
                else tree.diff_to_tree(swap=True)
            )
            return sorted(
                (_difference(patch) for patch in diff if patch is not None),
                key=lambda difference: difference.path,
            )

    def advance_main(self, commit: str) -> bool:
        """Move `main` forward to `commit`, HEAD's index with it, if nobody else has put anything there.

        Returns:
            Whether `main` now names it. It stays where it is when its tip is not an ancestor of `commit`, or when
            something was staged on it.
        """
        with _translated(self._folder):
            tip = self.tip(_MAIN)
            if tip == commit:
                return True
            if tip is not None and not self._repository.descendant_of(commit, tip):
                return False
            checked_out = self._on_main()
            if checked_out and not self._index_is(tip):
                return False
            if tip is None:
                self._repository.create_reference_direct(_MAIN, pygit2.Oid(hex=commit), force=False)
            else:
                self._repository.references[_MAIN].set_target(pygit2.Oid(hex=commit))
            if checked_out:
                index = self._repository.index
                index.read_tree(self._tree_of(commit))
                index.write()
            return True

    def _on_main(self) -> bool:
        return self._repository.references["HEAD"].target == _MAIN

    def _index_is(self, commit: str | None) -> bool:
        index = self._repository.index
        index.read()
        if commit is None:
            return len(index) == 0
        return len(self._tree_of(commit).diff_to_index(index)) == 0

    def _tree_of(self, commit: str) -> pygit2.Tree:
        found = self._repository[pygit2.Oid(hex=commit)]
        return found.peel(pygit2.Tree)

    def _walk_tree(self, tree: pygit2.Tree, inside: str) -> Iterator[tuple[str, TreeFile]]:
        for entry in tree:
            path = f"{inside}{entry.name}"
            if isinstance(entry, pygit2.Tree):
                yield from self._walk_tree(entry, path + "/")
            elif isinstance(entry, pygit2.Blob) and entry.filemode in _FILE_MODES:
                yield path, TreeFile(entry.data, entry.filemode == FileMode.BLOB_EXECUTABLE)

    def _changed_tree(self, base: pygit2.Tree | None, changes: _Nested) -> pygit2.Oid | None:
        """Return a tree with `changes` made in `base`; None if nothing is left in it."""
        builder = (
            self._repository.TreeBuilder(base)
            if base is not None
            else self._repository.TreeBuilder()
        )
        for name, change in changes.items():
            old = base[name] if base is not None and name in base else None
            if isinstance(change, dict):
                inner = self._changed_tree(old if isinstance(old, pygit2.Tree) else None, change)
                if inner is not None:
                    builder.insert(name, inner, FileMode.TREE)
                elif isinstance(old, pygit2.Tree):
                    builder.remove(name)
            elif change is not None:
                mode = FileMode.BLOB_EXECUTABLE if change.executable else FileMode.BLOB
                builder.insert(name, self._repository.create_blob(change.data), mode)
            elif old is not None and not isinstance(old, pygit2.Tree):
                builder.remove(name)
        return builder.write() if len(builder) else None


_Nested = dict[str, "TreeFile | _Nested | None"]


def _nested(changes: Mapping[str, TreeFile | None]) -> _Nested:
    """Return changes by path as folders in folders; what is removed comes before what may take its place."""
    nested: _Nested = {}
    for path, change in sorted(changes.items(), key=lambda item: item[1] is not None):
        *folders, name = path.split("/")
        inner = nested
        for folder in folders:
            below = inner.get(folder)
            if not isinstance(below, dict):
                below = inner[folder] = {}
            inner = below
        if change is not None or not isinstance(inner.get(name), dict):
            inner[name] = change
    return nested


def _difference(patch: pygit2.Patch) -> FileDifference:
    delta = patch.delta
    status: Literal["added", "changed", "deleted"]
    match delta.status_char():
        case "A":
            status = "added"
        case "D":
            status = "deleted"
        case _:
            status = "changed"
    text = "" if delta.is_binary else patch.data.decode(errors="replace")
    return FileDifference(delta.new_file.path, status, text, bool(delta.is_binary))


@cache
def _prepare_library() -> None:
    for level in (
        ConfigLevel.PROGRAMDATA,
        ConfigLevel.SYSTEM,
        ConfigLevel.XDG,
        ConfigLevel.GLOBAL,
    ):
        pygit2.settings.search_path[level] = ""
    # Nothing of a repository is executed here, so one that belongs to somebody else (a container's user) is fine.
    pygit2.settings.owner_validation = False
    pygit2.settings.enable_fsync_gitdir(True)


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise folder_error(error, folder) from error
    except (pygit2.GitError, KeyError, ValueError) as error:
        raise StorageError(
            f"The git repository in {folder} could not be used.",
            code="git",
            remedy="Everything is kept in VibeDesk all the same; check the repository with `git fsck`.",
            details={"reason": str(error)},
        ) from error
