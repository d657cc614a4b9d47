"""The versions of a project that are kept in git, apart from the person's own branches.

A snapshot is a commit on `refs/vibedesk/history`, made from the document's finished files without touching HEAD, the
index or a branch. Only in a project that VibeDesk made does `main` follow, and only while nobody else used it.

Methods block on the disk: call them on a worker thread, or on the database's owner thread.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vibedesk.base.clock import iso
from vibedesk.base.errors import InvalidInputError, NotAllowedNowError, NotFoundError
from vibedesk.engine.files.authorship import is_persons
from vibedesk.engine.files.git_repository import (
    Commit,
    FileDifference,
    GitRepository,
    TreeFile,
)
from vibedesk.engine.files.ignore_rules import IgnoreRules, is_ignore_file
from vibedesk.engine.files.project_files import ProjectFiles, decoded_text
from vibedesk.engine.store.database import Database

HISTORY_REFERENCE = "refs/vibedesk/history"
_AUTHORS = {
    "agent": ("VibeDesk agent", "agent@vibedesk.invalid"),
    "fix": ("VibeDesk fix", "fix@vibedesk.invalid"),
    "you": ("You, in VibeDesk", "you@vibedesk.invalid"),
}
_MOST_NAMES = 3
_AUTHOR, _VERSION, _FILES = "VibeDesk-Author", "VibeDesk-Version", "VibeDesk-Files"


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """One version in the history. `author`: agent, fix or you; `code_version`: the document's."""

    commit: str
    label: str
    author: str
    at: str
    files_changed: int
    code_version: int


@dataclass(frozen=True, slots=True)
class _Pending:
    """What the document has that the history does not."""

    version: int
    progress: int
    whole: bool
    changes: Mapping[str, TreeFile | None]


class History:
    """The kept versions of one project.

    Args:
        database: Where it is remembered how far the history has followed.
        project_id: Whose history it is.
        files: The same project's files.
        folder: Where the repository is, or is made with the first snapshot.
        own: VibeDesk made this project, so `main` may follow.
    """

    def __init__(
        self,
        database: Database,
        project_id: str,
        files: ProjectFiles,
        folder: Path,
        *,
        own: bool = True,
    ) -> None:
        self.project_id = project_id
        self._database = database
        self._files = files
        self._log = files.stored.log
        self._folder = folder
        self._own = own

    def snapshot(
        self,
        label: str,
        author: str = "agent",
        *,
        advance_main: bool = False,
        named: bool = False,
        ignored: Callable[[str], bool] | None = None,
    ) -> KeptVersion:
        """Keep the finished files as a version; where nothing changed, the newest one is returned again.

        Args:
            label: What people read in the history.
            author: agent, fix or you.
            advance_main: Let `main` follow, as after a phase.
            named: Add a version also where nothing changed, unless the newest one is called so.
            ignored: Which paths are left out; those that the project's .gitignore files name now if not given.

        Raises:
            InvalidInputError: there is no such author.
            StorageError: git cannot be written.
        """
        if author not in _AUTHORS:
            raise InvalidInputError(f"{author!r} keeps no versions.")
        self._folder.mkdir(parents=True, exist_ok=True)
        repository = GitRepository.open(self._folder, create=True)
        assert repository is not None
        tip = repository.tip(HISTORY_REFERENCE)
        pending = self._database.call(self._pending, tip, ignored)
        message = _message(label, author, pending.version, _count(repository, tip, pending))
        made = repository.commit(
            HISTORY_REFERENCE,
            pending.changes,
            parent=tip,
            keep=not pending.whole,
            message=message,
            author=_AUTHORS[author],
            always=named and not _is_called(repository, message),
        )
        commit = made or tip
        assert commit is not None
        self._database.call(self._log.set_snapshot, pending.progress, commit)
        if advance_main and self._own:
            repository.advance_main(commit)
        return self.version(commit)

    def snapshot_of_person(self) -> KeptVersion | None:
        """Keep what only the person changed since the last version, as one of theirs.

        Files that an agent changed too are left to its own version. None where there is nothing to keep, also before
        the first version.

        Raises:
            StorageError: git cannot be written.
        """
        repository = GitRepository.open(self._folder, create=False)
        tip = repository.tip(HISTORY_REFERENCE) if repository is not None else None
        if repository is None or tip is None:
            return None
        pending = self._database.call(self._pending_of_person, tip)
        paths = repository.differing(tip, pending.changes)
        if not paths:
            return None
        names = ", ".join(sorted(paths)) if len(paths) <= _MOST_NAMES else f"{len(paths)} files"
        made = repository.commit(
            HISTORY_REFERENCE,
            {path: pending.changes[path] for path in paths},
            parent=tip,
            keep=True,
            message=_message(f"Your edits: {names}", "you", pending.version, len(paths)),
            author=_AUTHORS["you"],
        )
        assert made is not None
        self._database.call(self._log.set_snapshot, pending.progress, made)
        return self.version(made)

    def ignored(self) -> Callable[[str], bool]:
        """Return which paths a version made now leaves out; that stays so when .gitignore files change."""
        return self._database.call(self._ignored)

    def versions(self) -> list[KeptVersion]:
        """Return every kept version, newest first."""
        repository = GitRepository.open(self._folder, create=False)
        if repository is None:
            return []
        return [_kept(commit) for commit in repository.commits(HISTORY_REFERENCE)]

    def version(self, commit: str) -> KeptVersion:
        """Return one kept version by its id or the unique beginning of it.

        Raises:
            NotFoundError: there is none.
            InvalidInputError: several begin so.
        """
        wanted = commit.strip().lower()
        fitting = [kept for kept in self.versions() if wanted and kept.commit.startswith(wanted)]
        if not fitting:
            raise NotFoundError(
                f"There is no version {commit!r}.", remedy="Look at the project's history."
            )
        if len(fitting) > 1:
            raise InvalidInputError(
                f"{commit!r} means {len(fitting)} versions.", remedy="Give more of it."
            )
        return fitting[0]

    def files_at(self, commit: str) -> dict[str, bytes]:
        """Return every file of a kept version."""
        kept = self.version(commit)
        return {path: file.data for path, file in self._repository().files(kept.commit).items()}

    def differences(self, new: str, old: str | None = None) -> list[FileDifference]:
        """Return how a version differs from another (None: from the one before it)."""
        versions = [kept.commit for kept in self.versions()]
        commit = self.version(new).commit
        before = versions[versions.index(commit) + 1 :][:1]
        base = self.version(old).commit if old is not None else (before[0] if before else None)
        return self._repository().differences(base, commit)

    def differences_since(self, commit: str) -> list[FileDifference]:
        """Return how the finished files differ now from those of a kept version."""
        kept = self.version(commit)
        repository = self._repository()
        now = self._database.call(self._now)
        gone = repository.files(kept.commit).keys() - now.keys()
        return repository.differences_to(kept.commit, {**now, **dict.fromkeys(gone)})

    def restore_file(self, commit: str, path: str, author: str = "you") -> int:
        """Bring one file of a version back as a new version of the document, and return that.

        As with `restore`, what is there now is kept first, and the outcome is a version of the history, too.

        Raises:
            NotFoundError: there is no such version, or no such file in it.
            InvalidInputError: `commit` means several versions.
            NotAllowedNowError: the file is being written.
        """
        kept = self.version(commit)
        file = self._repository().files(kept.commit).get(path)
        if file is None:
            raise NotFoundError(f"There is no {path} in “{kept.label}”.", details={"path": path})
        self.snapshot(f"Before restoring {path}", author, ignored=self._ignored_but({path}))
        version = self._database.call(self._put_file_back, path, file)
        self.snapshot(f"Restored {path} of “{kept.label}”", author)
        return version

    def restore(self, commit: str, author: str = "you") -> int:
        """Bring a version's files back as a new version of the document, and return that.

        What is there now is kept as a version first, so nothing is lost; other files that .gitignore names stay as
        they are. The restored state is a version of the history, too.

        Raises:
            NotFoundError, InvalidInputError: `commit` names no version, or several.
        """
        kept = self.version(commit)
        wanted = self._repository().files(kept.commit)
        self.snapshot(
            f"Before restoring “{kept.label}”", author, ignored=self._ignored_but(wanted.keys())
        )
        version = self._database.call(self._put_back, wanted)
        self.snapshot(f"Restored “{kept.label}”", author)
        return version

    # ---- on the database's owner thread -------------------------------------------------

    def _ignored(self) -> Callable[[str], bool]:
        document = self._files.stored.current()
        texts = {path: self._ignore_text(path) for path in document.paths if is_ignore_file(path)}
        return IgnoreRules(texts.get).ignored

    def _ignored_but(self, replaced: Collection[str]) -> Callable[[str], bool]:
        """Return which paths are left out before some are replaced: what is replaced is not, whatever names it by now."""
        ignored = self.ignored()
        return lambda path: path not in replaced and ignored(path)

    def _pending(self, tip: str | None, ignored: Callable[[str], bool] | None) -> _Pending:
        head = self._log.head()
        progress = self._log.progress()
        changed = self._log.changed_paths(progress.snapshot_version, head)
        still_open = self._files.open_paths()
        # Other rules concern all files.
        other_rules = ignored is not None or any(map(is_ignore_file, changed))
        whole = tip is None or tip != progress.snapshot_commit or other_rules
        document = self._files.stored.current()
        paths = (set(document.paths) if whole else changed) - still_open
        changes = self._content(paths, ignored)
        # Files that are open are looked at again next time, even if they close without a further change.
        progressed = progress.snapshot_version if still_open & changed else head
        return _Pending(head, progressed, whole, changes)

    def _pending_of_person(self, tip: str) -> _Pending:
        head = self._log.head()
        progress = self._log.progress()
        if tip != progress.snapshot_commit:
            return _Pending(head, progress.snapshot_version, False, {})
        changes = self._log.changes(progress.snapshot_version, head)
        still_open = self._files.open_paths()
        paths = {
            path
            for path, by in changes.items()
            if path not in still_open and all(is_persons(path, origin) for _, origin in by)
        }
        # What is ignored from now on concerns all files: the next whole version looks at them.
        rules_changed = any(map(is_ignore_file, paths))
        whole = paths == changes.keys() and not rules_changed
        progressed = head if whole else progress.snapshot_version
        return _Pending(head, progressed, False, self._content(paths))

    def _content(
        self, paths: Collection[str], ignored: Callable[[str], bool] | None = None
    ) -> dict[str, TreeFile | None]:
        """Return the files at some paths as they are to be kept; None for what is not there, or ignored."""
        document, ignored = self._files.stored.current(), ignored or self._rules().ignored
        executables = self._log.executables(paths)
        return {
            path: (
                TreeFile(self._files.read_binary(path), path in executables)
                if path in document and not ignored(path)
                else None
            )
            for path in paths
        }

    def _now(self) -> dict[str, TreeFile]:
        closed = self._files.closed()
        content = self._content([*closed.texts, *closed.blobs])
        return {path: file for path, file in content.items() if file is not None}

    def _put_file_back(self, path: str, file: TreeFile) -> int:
        if path in self._files.open_paths():
            raise NotAllowedNowError(
                f"{path} is being written right now.", remedy="Wait until it is whole."
            )
        version = self._files.write_bytes(path, file.data, "restore")
        self._log.set_executable(path, file.executable)
        return version

    def _rules(self) -> IgnoreRules:
        return IgnoreRules(self._ignore_text)

    def _ignore_text(self, path: str) -> str | None:
        document = self._files.stored.current()
        return document.text(path) if document.file_id(path) is not None else None

    def _put_back(self, wanted: Mapping[str, TreeFile]) -> int:
        document = self._files.stored.current()
        rules = self._rules()
        open_paths = self._files.open_paths()
        gone = [
            path
            for path in document.paths
            if path not in wanted and path not in open_paths and not rules.ignored(path)
        ]
        texts: dict[str, str] = {}
        blobs: dict[str, bytes] = {}
        for path, file in wanted.items():
            text = decoded_text(file.data)
            if text is None:
                blobs[path] = file.data
            else:
                texts[path] = text
        version = self._files.write_all(texts, "restore", blobs=blobs, deleted=gone)
        executables = self._log.executables(wanted)
        for path, file in wanted.items():
            if file.executable != (path in executables):
                self._log.set_executable(path, file.executable)
        return version

    def _repository(self) -> GitRepository:
        repository = GitRepository.open(self._folder, create=False)
        if repository is None:
            raise NotFoundError("The project has no history yet.")
        return repository


def _count(repository: GitRepository, tip: str | None, pending: _Pending) -> int:
    if not pending.whole and tip is not None:
        return len(repository.differing(tip, pending.changes))
    before = repository.files(tip) if tip is not None else {}
    after = {path: file for path, file in pending.changes.items() if file is not None}
    return sum(before.get(path) != after.get(path) for path in before.keys() | after.keys())


def _is_called(repository: GitRepository, message: str) -> bool:
    """Tell whether the newest version has the same label and author."""
    newest = next(repository.commits(HISTORY_REFERENCE), None)
    return newest is not None and _named(newest.message) == _named(message)


def _named(message: str) -> list[str]:
    return message.splitlines()[:3]


def _message(label: str, author: str, version: int, files: int) -> str:
    title = " ".join(label.split()) or "Version"
    return f"{title}\n\n{_AUTHOR}: {author}\n{_VERSION}: {version}\n{_FILES}: {files}\n"


def _kept(commit: Commit) -> KeptVersion:
    label, _, rest = commit.message.partition("\n")
    trailers = dict(line.split(": ", 1) for line in rest.splitlines() if ": " in line)
    return KeptVersion(
        commit=commit.id,
        label=label,
        author=trailers.get(_AUTHOR, "you"),
        at=iso(datetime.fromtimestamp(commit.time, UTC)),
        files_changed=_number(trailers.get(_FILES)),
        code_version=_number(trailers.get(_VERSION)),
    )


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0
