"""The project's folder on disk: the document written out, and what other programs changed brought back.

The document is the truth; the folder follows it (`materialise`). What was last written per path is remembered, so
that a change by an editor, an installer or the person's own git is seen as the difference from that (`take_in`) and
merged with what happened in the document meanwhile.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vibedesk.base.errors import InvalidInputError, StorageError
from vibedesk.engine.files.blobs import blob_digest
from vibedesk.engine.files.document import ProjectDocument
from vibedesk.engine.files.folder_access import FileFacts, FolderAccess
from vibedesk.engine.files.folder_scan import ignore_text, left_out, scan_folder, taken
from vibedesk.engine.files.ignore_rules import folders_above, in_tools_folder, is_ignore_file
from vibedesk.engine.files.material_log import Known, Material, MaterialLog
from vibedesk.engine.files.project_files import ProjectFiles, decoded_text
from vibedesk.engine.files.text_diff import apply_text_edits, merged_edits, unified_diff
from vibedesk.engine.store.database import Database

_log = logging.getLogger(__name__)

MOST_TEXT_BYTES = 5_000_000
MOST_BINARY_BYTES = 50_000_000
_ORIGIN = "disk"
_MOST_NAMES = 5
# Two writes so close together can leave the same time and size.
_TIME_GRAIN_NS = 100_000_000


def _keep_nothing() -> None:
    """Where the document's own log is enough."""


@dataclass(frozen=True, slots=True)
class FolderChange:
    """A file that another program changed, as it now stands in the document."""

    path: str
    version: int
    deleted: bool = False


@dataclass(slots=True)
class TakenIn:
    """What came in, and what was left out and why."""

    changes: list[FolderChange] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[FolderChange]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)


@dataclass(slots=True)
class Undone:
    """What became of what a command did to the project's files.

    Attributes:
        paths: What is again as it was.
        left: What could not be put back and stays for now.
        kept: Whether all that lay there instead is a version.
        known: Whether it is known what changed; otherwise these are all that may have.
        unsure: New files that may be of it, or of the app, and stay.
    """

    paths: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    kept: bool = True
    known: bool = True
    unsure: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.paths or self.left or self.unsure)

    def add(self, other: Undone) -> None:
        """Take over what became of more of it."""
        self.paths += other.paths
        self.left += other.left
        self.kept &= other.kept
        self.known &= other.known
        self.unsure += other.unsure

    @property
    def what(self) -> str:
        """What the command did, in words: "changed app.js"."""
        names = _names([*self.paths, *self.left])
        if not names:
            return f"may have made {_names(self.unsure)}"
        return f"changed {names}" if self.known else f"may have changed {names}"

    @property
    def outcome(self) -> str:
        """What became of that, in sentences for the person."""
        kept = "is in the history" if self.kept else "could not be kept"
        undone = f"That was undone; what was there {kept}." if self.paths else ""
        left = f"{_names(self.left)} could not be put back." if self.left else ""
        unsure = f"Left alone, as it may be the app's: {_names(self.unsure)}."
        return " ".join(filter(None, (undone, left, unsure if self.unsure else "")))


@dataclass(slots=True)
class _Found:
    """What differs on disk from what was last known."""

    contents: dict[str, bytes] = field(default_factory=dict)
    facts: dict[str, FileFacts] = field(default_factory=dict)
    missing: dict[str, Known] = field(default_factory=dict)


class WorkFolder:
    """One project's folder. Methods join the running transaction or block, as `ProjectFiles`'s do.

    Args:
        database: Where it is remembered what was written.
        project_id: Whose folder it is.
        files: The same project's files.
        folder: Where it lies; `create` makes it.
    """

    def __init__(
        self, database: Database, project_id: str, files: ProjectFiles, folder: Path
    ) -> None:
        self.folder = folder
        self._database = database
        self._files = files
        self._access = FolderAccess(folder)
        self._log = files.stored.log
        self._materials = MaterialLog(project_id)

    def create(self) -> None:
        """Make the folder if it is not there."""
        self._access.create()

    @property
    def was_written(self) -> bool:
        """Whether any file was ever written here."""
        return bool(self._database.call(self._materials.known))

    @property
    def version(self) -> int:
        """The newest version of the document that the folder has whole."""
        return self._database.call(self._version)

    def changed_paths(self) -> list[str]:
        """Return the finished files whose latest content the folder does not have yet, deleted ones included."""
        return self._database.call(self._changed_paths)

    def materialise(self, paths: Iterable[str] | None = None) -> list[str]:
        """Write finished files that changed to the folder, and return the paths that differ there now.

        Each file is replaced whole. What another program changed in one of them is taken in first, so that it is
        not overwritten; `ProjectFiles.on_change` tells.

        Args:
            paths: Only these.

        Raises:
            DiskFullError, ReadOnlyHomeError, StorageError: the folder cannot be written.
        """
        return self._database.call(self._materialise, None if paths is None else set(paths))

    def take_in(self) -> TakenIn:
        """Bring what other programs changed in the folder into the document.

        Raises:
            StorageError: the folder is gone, or empty where there were files: that is an unmounted disk or a moved
                folder, not a wish to delete everything.
        """
        return self._database.call(self._take_in)

    def begin_undoing(self, seconds: float) -> None:
        """Note that what is done in the folder for so long is to be put back; also another process knows it then."""
        self._database.call(self._log.set_undoing, int(time.time() + seconds) + 1)

    @property
    def to_be_put_back(self) -> int:
        """Until when (seconds since 1970) what was done is to be put back, since no `put_back` came; 0: nothing is.

        Nothing is either while the folder is not where it was: what is there then is none of ours.
        """
        until = self._database.call(self._log.progress).undoing
        return until if until and self.folder.is_dir() else 0

    def put_back(self, keep: Callable[[], object] = _keep_nothing, *, until: int = 0) -> Undone:
        """Undo in the folder what was done to the project's files since all was taken in.

        What lay there instead is a version of the document below the present one, so nobody's work is lost; but for
        a folder in a file's place. What cannot be put back is for the next `materialise`, which says why.

        Args:
            keep: Called while the document has what lay there, where there is anything that it did not have.
            until: Only what was changed before that (seconds since 1970), or is gone; 0: whenever.
        """
        return self._database.call(self._put_back, keep, until)

    def keep(
        self, contents: Mapping[str, bytes], keep: Callable[[], object] = _keep_nothing
    ) -> Undone:
        """Keep what lies elsewhere in the files' place as `put_back` does; the folder is not touched."""
        refused = self._database.call(self._keep_versions, contents, keep)
        return Undone(sorted(contents.keys() - refused), sorted(refused), kept=not refused)

    def differing(self, digests: Mapping[str, str]) -> list[str]:
        """Return the files in the folder that are not in `digests` (SHA-256 by path), or with another content."""
        known = self._database.call(self._materials.known)
        return sorted(path for path, had in known.items() if digests.get(path) != had.digest)

    @property
    def undoing_inside(self) -> bool:
        """Whether a sandbox that has files of its own may have what a command changed that was to look only.

        Whoever runs such a command sets it before; also another process knows it then.
        """
        return self._database.call(self._log.progress).undoing_inside

    def set_undoing_inside(self, pending: bool) -> None:
        self._database.call(self._log.set_undoing_inside, pending)

    def new_elsewhere(self, paths: Collection[str]) -> set[str]:
        """Return which of these paths, files elsewhere, would be files of the project in the folder and are none."""
        found = taken(self._access, paths)
        return found - self._database.call(self._materials.known, durable=False).keys()

    def stored_by_app(self, paths: Iterable[str]) -> set[str]:
        """Return which of these paths, there or not, hold what the app stored or tools made.

        That is what .gitignore names and the project does not have, nor had where it is gone; no secrets.
        """
        # An app may have named them: the owner thread is not kept with what takes long for many of them.
        ignored = left_out(self._access, paths)
        if not ignored:
            return ignored
        return self._database.call(self._not_the_projects, ignored, durable=False)

    # ---- writing out, on the owner thread -----------------------------------------------

    def _version(self) -> int:
        behind = self._changed_paths()
        return self._log.progress().materialized_version if behind else self._log.head()

    def _changed_paths(self) -> list[str]:
        changed, _ = self._pending()
        document = self._files.stored.current()
        return sorted(path for path in changed if self._differs(document, path))

    def _pending(self) -> tuple[set[str], set[str]]:
        """Return what changed in the document since the folder last had all of it: finished, still open."""
        head = self._log.head()
        changed = self._log.changed_paths(self._log.progress().materialized_version, head)
        still_open = self._files.open_paths() & changed
        return changed - still_open, still_open

    def _differs(self, document: ProjectDocument, path: str) -> bool:
        material = self._materials.get(path)
        if path not in document:
            return material is not None
        return material is None or material.digest != self._digest(document, path)

    def _digest(self, document: ProjectDocument, path: str) -> str:
        return document.digest(path) or blob_digest(document.text(path).encode())

    def _materialise(self, wanted: set[str] | None) -> list[str]:
        changed, still_open = self._pending()
        chosen = changed if wanted is None else changed & wanted
        if not chosen:
            return []
        self._access.create()
        self._take_in_before_writing(chosen)
        document = self._files.stored.current()
        due = sorted(path for path in chosen if self._differs(document, path))
        # A file may take the place of a folder, or of a name that differs only in case.
        for path in due:
            if path not in document:
                self._access.remove(path)
                self._materials.drop(path)
        executables = self._log.executables(due)
        # New files first: a running dev server must not see an import before what it names.
        known = dict(self._materials.present(set(due)))
        for path in sorted(due, key=lambda path: (path in known, path)):
            if path in document:
                self._write_out(document, path, executable=path in executables)
        if chosen == changed and not still_open:
            self._log.set_materialized(self._log.head())
        return due

    def _write_out(self, document: ProjectDocument, path: str, *, executable: bool) -> None:
        digest = document.digest(path)
        text = None if digest is not None else document.text(path)
        data = self._files.blobs.get(digest) if digest is not None else (text or "").encode()
        facts = self._access.write(path, data, executable=executable)
        self._materials.put(
            path, Material(text, digest or blob_digest(data), facts.size, _trusted(facts.mtime_ns))
        )

    def _take_in_before_writing(self, paths: set[str]) -> None:
        known = dict(self._materials.present(paths))
        found, ignored = _Found(), TakenIn()
        for path in sorted(paths):
            if (facts := self._access.facts(path)) is not None:
                self._compare(path, facts, known.get(path), found, ignored)
        document = self._files.stored.current()
        for path in found.contents.keys() - known.keys():
            if path in document:
                self._keep_versions({path: found.contents.pop(path)})
        self._store(found, ignored)

    def _keep_versions(
        self, contents: Mapping[str, bytes], keep: Callable[[], object] = _keep_nothing
    ) -> set[str]:
        """Give what lies in the folder a version of its own, below the document's; call `keep` where that is new.

        Returns:
            What has no place in the document, such as a name that differs from another one only in case.
        """
        document = self._files.stored.current()
        other = {
            path: data
            for path, data in contents.items()
            if path not in document or blob_digest(data) != self._digest(document, path)
        }
        refused = set[str]()
        if not other:
            return refused
        mine = {path: self._files.read_binary(path) for path in other if path in document}
        for path, data in other.items():
            try:
                self._files.write_bytes(path, data, _ORIGIN)
            except InvalidInputError:
                refused.add(path)
        keep()
        for path in other:
            if path in mine:
                self._files.write_bytes(path, mine[path], "restore")
            elif self._files.exists(path):
                self._files.delete(path, "restore")
        return refused

    # ---- undoing, on the owner thread ---------------------------------------------------

    def _put_back(self, keep: Callable[[], object], until: int) -> Undone:
        self._access.create()
        known = self._materials.known()
        found = _Found()
        changed = self._changed_in_folder(
            {path: had for path, had in known.items() if not self._is_later(path, until)}, found
        )
        new = self._new_in_folder(known, until)
        refused = self._keep_versions(found.contents | new, keep)
        # What lies in a folder that took a file's place goes with it; any other that cannot be kept stays.
        left = self._write_again(changed)
        lost = {path for path in refused if changed & set(folders_above(path))}
        for path in new.keys() - refused:
            try:
                self._access.remove(path)
            except StorageError:
                left.add(path)
        self._log.set_undoing(0)
        undone = (changed | (new.keys() - refused)) - left
        return Undone(sorted(undone), sorted(left), kept=not lost)

    def _is_later(self, path: str, until: int) -> bool:
        """Whether what lies there, or anything in the folder that does, changed at `until` or after it."""
        if not until:
            return False
        facts = self._access.facts(path)
        if facts is not None:
            return facts.mtime_ns >= until * 10**9
        inside = self._access.entries(path)
        return any(self._is_later(f"{path}/{entry.name}", until) for entry in inside)

    def _changed_in_folder(self, known: Mapping[str, Known], found: _Found) -> set[str]:
        """Return which of these files are otherwise now, or gone; put what they hold, unless too large, to `found`."""
        changed, ignored = set[str](), TakenIn()
        for path, had in known.items():
            facts = self._access.facts(path)
            if facts is None or facts.size != had.size:
                changed.add(path)
            if facts is not None:
                self._compare(path, facts, had, found, ignored)
        return changed | found.contents.keys()

    def _new_in_folder(self, known: Collection[str], until: int) -> dict[str, bytes]:
        """Return the files that came in: by the project's own .gitignore files, not by changed or new ones."""
        document = self._files.stored.current()
        found: dict[str, FileFacts] = {}

        def rules(path: str) -> str | None:
            if path in found:
                return None
            if path in known:
                return document.text(path) if document.file_id(path) is not None else None
            return ignore_text(self._access, path)

        more = True
        while more:
            more = False
            for path, facts in scan_folder(self._access, rules).files.items():
                seen = path in known or path in document or path in found
                if not seen and not self._is_later(path, until):
                    found[path] = facts
                    # What it hid is seen without it.
                    more = more or is_ignore_file(path)
        read = {path: self._readable(path, facts) for path, facts in found.items()}
        return {path: data for path, data in read.items() if data is not None}

    def _write_again(self, paths: Iterable[str]) -> set[str]:
        """Make files in the folder what the document says; return those that could not be."""
        document = self._files.stored.current()
        executables = self._log.executables(list(paths))
        left = set[str]()
        for path in sorted(paths):
            try:
                self._access.remove_folder(path)
                if path in document:
                    self._write_out(document, path, executable=path in executables)
                else:
                    self._access.remove(path)
                    self._materials.drop(path)
            except StorageError as error:
                _log.warning("%s is not put back: %s", path, error)
                # Nobody's edit: the folder does not have the file, and the next `materialise` is to write it.
                self._materials.drop(path)
                behind = self._log.last_touch(path) - 1
                self._log.set_materialized(min(behind, self._log.progress().materialized_version))
                left.add(path)
        return left

    def _readable(self, path: str, facts: FileFacts) -> bytes | None:
        if facts.size > MOST_BINARY_BYTES:
            return None
        try:
            return self._access.read(path)
        except StorageError:
            return None

    # ---- taking in, on the owner thread -------------------------------------------------

    def _take_in(self) -> TakenIn:
        taken = TakenIn()
        known = self._materials.known()
        if not self.folder.is_dir():
            if known:
                raise self._gone("is gone")
            return taken
        scan = scan_folder(self._access)
        taken.notices += scan.notices
        for path in scan.left_over:
            self._access.remove(path)
        present = dict(scan.files)
        for path in known.keys() - present.keys():
            # Written by us although .gitignore names it: ours all the same.
            facts = None if in_tools_folder(path) else self._access.facts(path)
            if facts is not None:
                present[path] = facts
        if len(known) > 1 and not known.keys() & present.keys():
            raise self._gone("has none of its files any more")
        still_open = self._files.open_paths()
        found = _Found(
            missing={path: known[path] for path in known.keys() - present.keys() - still_open}
        )
        document = self._files.stored.current()
        for path, facts in present.items():
            # What the document has and the folder does not know yet is for `materialise` to compare.
            if path not in still_open and (path in known or path not in document):
                self._compare(path, facts, known.get(path), found, taken)
        self._store(found, taken)
        self._note_executables(present)
        return taken

    def _compare(
        self, path: str, facts: FileFacts, known: Known | None, found: _Found, taken: TakenIn
    ) -> None:
        if known is not None and (facts.size, facts.mtime_ns) == (known.size, known.mtime_ns):
            return
        if facts.size > MOST_BINARY_BYTES:
            taken.notices.append(f"{path} is left out: it is larger than 50 MB.")
            return
        try:
            data = self._access.read(path)
        except StorageError as error:
            taken.notices.append(f"{path} is left out: {error.message}")
            return
        if data is None:
            return
        if known is not None and blob_digest(data) == known.digest:
            if (time_ns := _trusted(facts.mtime_ns)) != known.mtime_ns:
                self._materials.note_time(path, time_ns)
            return
        found.contents[path] = data
        found.facts[path] = facts

    def _store(self, found: _Found, taken: TakenIn) -> None:
        stored = self._files.stored
        document = stored.current()
        texts, digests = self._sorted_out(document, found)
        # A file that changed in the document since is not deleted with its older copy.
        gone = [
            path
            for path, known in sorted(found.missing.items())
            if path in document and known.digest == self._digest(document, path)
        ]
        before = self._log.head()
        differences = {
            path: unified_diff(path, document.text(path) if document.file_id(path) else "", text)
            for path, text in texts.items()
        }
        accepted: list[str] = []
        with stored.changing(_ORIGIN, differences) as document:
            for path in gone:
                document.delete(path)
            for path in (*texts, *digests):
                try:
                    if path in texts:
                        document.put_text(path, texts[path])
                    else:
                        document.put_blob(path, digests[path])
                except InvalidInputError as error:
                    taken.notices.append(f"{path} is left out: {error.message}")
                else:
                    accepted.append(path)
        self._remember(found, accepted)
        version = self._log.head()
        if version > before:
            taken.changes += [FolderChange(path, version, deleted=True) for path in gone]
            taken.changes += [FolderChange(path, version) for path in accepted]

    def _sorted_out(
        self, document: ProjectDocument, found: _Found
    ) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Return what the changed files should read in the document: texts, and digests of binary files."""
        texts: dict[str, str] = {}
        digests: dict[str, str] = {}
        for path, data in sorted(found.contents.items()):
            text = decoded_text(data) if len(data) <= MOST_TEXT_BYTES else None
            if text is None:
                digests[path] = self._files.blobs.put(data)
                continue
            material = self._materials.get(path)
            if material is None or material.text is None or document.file_id(path) is None:
                texts[path] = text
                continue
            current = document.text(path)
            texts[path] = apply_text_edits(current, merged_edits(material.text, current, text))
        return texts, digests

    def _remember(self, found: _Found, accepted: list[str]) -> None:
        for path in found.missing:
            self._materials.drop(path)
        for path in accepted:
            data, facts = found.contents[path], found.facts[path]
            text = decoded_text(data) if len(data) <= MOST_TEXT_BYTES else None
            self._materials.put(
                path, Material(text, blob_digest(data), len(data), _trusted(facts.mtime_ns))
            )

    def _note_executables(self, present: Mapping[str, FileFacts]) -> None:
        executables = self._log.executables(present)
        for path, facts in present.items():
            if facts.executable != (path in executables):
                self._log.set_executable(path, facts.executable)

    def _not_the_projects(self, paths: set[str]) -> set[str]:
        document, known = self._files.stored.current(), self._materials.known()
        others = paths - known.keys() - set(document.paths)
        # Where the project's file was deleted and nobody made another, the deletion is the project's, too.
        deleted = others & self._log.changed_paths(0, self._log.head()) if others else set()
        return others - {path for path in deleted if self._access.facts(path) is None}

    def _gone(self, what: str) -> StorageError:
        return StorageError(
            f"The project's folder {self.folder} {what}.",
            code="folder_missing",
            remedy="If it lies on another disk, connect it. Everything in it is kept in VibeDesk and can be "
            "written out again.",
            details={"path": str(self.folder)},
        )


def _names(paths: Sequence[str]) -> str:
    others = len(paths) - _MOST_NAMES
    return ", ".join(paths[:_MOST_NAMES]) + (f" and {others} more" if others > 0 else "")


def _trusted(mtime_ns: int) -> int:
    """Return the time as one to rely on later; 0 if the file could still change within the same tick."""
    return mtime_ns if abs(time.time_ns() - mtime_ns) > _TIME_GRAIN_NS else 0
