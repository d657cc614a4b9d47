"""Files while a model writes them.

A new file streams into its text in the document, where everybody sees it grow; a rewrite, a patch and an append
stream into a draft beside it and reach the text when they close. Either way the text as the model sent it is stored
piece by piece, so that a killed process can go on where it was.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass

from vibedesk.base.errors import NotAllowedNowError
from vibedesk.engine.files.document import ProjectDocument
from vibedesk.engine.files.path_index import checked_path
from vibedesk.engine.files.project_files import ProjectFiles, clean_text
from vibedesk.engine.files.text_diff import merged_edits, text_edits, unified_diff
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.tables import DraftChunkRow, DraftRow, FileRow


@dataclass(frozen=True, slots=True)
class Draft:
    """A file being written.

    `mode` is full, patch or append; `text` is what the model sent so far, `base` what that replaces (None: new).
    `kept` is what of `text` an answer before had sent.
    """

    path: str
    mode: str
    base: str | None
    text: str
    truncated: bool
    phase: int
    kept: str = ""


class Drafts:
    """The open drafts of one project. Methods join the running transaction or block, as `ProjectFiles`'s do.

    Args:
        database: Where they are stored.
        project_id: Whose they are.
        files: The same project's files.
    """

    def __init__(self, database: Database, project_id: str, files: ProjectFiles) -> None:
        self.project_id = project_id
        self._database = database
        self._files = files

    def start(
        self, path: str, mode: str, phase: int = 0, *, kept: str = "", shown: str | None = None
    ) -> str:
        """Begin to write a file and return its normalised path.

        A draft of that path that is still open is dropped: its new file starts again, empty. A whole file that others
        typed into since then stays instead, and what they typed survives when it closes.

        Args:
            path: Where.
            mode: full, patch or append.
            phase: Whose file it is.
            kept: What had come of a whole file in an answer before; what is appended goes on from there.
            shown: How the file read when the model was asked, which it writes anew; None: as it reads now.

        Raises:
            InvalidInputError: no file may be there.
        """
        return self._database.call(self._start, checked_path(path), mode, phase, kept, shown)

    def append(self, path: str, text: str) -> None:
        """Add what came; costs what came.

        Raises:
            NotAllowedNowError: no draft of `path` is open.
        """
        self._database.call(self._append, checked_path(path), clean_text(text), durable=False)

    def close(self, path: str, text: str, origin: str = "agent") -> int:
        """End a draft: its file reads `text` from now on. Returns the version of the code.

        Args:
            path: Whose draft.
            text: The whole new content of the file. For a whole file it replaces what was `shown`, and what others
                typed since survives; for a patch or an append it is what the file as it is now becomes.
            origin: Who wrote it.

        Raises:
            NotAllowedNowError: no draft of `path` is open.
        """
        return self._database.call(self._close, checked_path(path), clean_text(text), origin)

    def interrupt(self, path: str) -> None:
        """Note that the stream ended inside the file.

        The draft stays, with what came, until it is started again or discarded.
        """
        self._database.call(self._interrupt, checked_path(path))

    def discard(self, path: str, *, origin: str = "agent") -> int:
        """Drop a draft, a new file with it, and return the version of the code."""
        return self._database.call(self._discard, checked_path(path), origin)

    def get(self, path: str) -> Draft | None:
        """Return the open draft of `path`, if there is one."""
        return self._database.call(self._get, checked_path(path))

    def list(self) -> builtins.list[Draft]:
        """Return every open draft with what came so far, also after a crash."""
        return self._database.call(self._list)

    # ---- on the owner thread ------------------------------------------------------------

    def _start(self, path: str, mode: str, phase: int, kept: str, shown: str | None) -> str:
        stored = self._files.stored
        row = self._row(path)
        replaced = self._typed_over(row) if row is not None and mode == "full" else None
        if replaced is not None:
            self._drop(path)
        elif row is not None:
            self._discard(path, "agent")
        document = stored.current()
        file_id = document.file_id(path)
        base = replaced
        if file_id is not None and base is None:
            base = shown if mode == "full" and shown is not None else document.text_of(file_id)
        if file_id is None:
            with stored.changing("agent") as document:
                file_id = document.put_text(path, kept)
        DraftRow.insert(
            project=self.project_id,
            path=path,
            mode=mode,
            file_id=file_id,
            base=base,
            text=kept,
            phase=phase,
        ).execute()
        return path

    def _typed_over(self, row: DraftRow) -> str | None:
        """Return the text at `row`'s path as it was before others typed into it; None if nobody did."""
        document = self._files.stored.current()
        before = self._written(row) if _streams(row) else row.base
        if before is None or document.file_id(row.path) != row.file_id:
            return None
        return before if document.text_of(row.file_id) != before else None

    def _append(self, path: str, text: str) -> None:
        row = self._need(path)
        if not text:
            return
        DraftChunkRow.insert(project=self.project_id, path=path, text=text).execute()
        if _streams(row):
            with self._files.stored.changing("agent") as document:
                if document.path_of(row.file_id) is not None:
                    document.append_text(row.file_id, text)

    def _close(self, path: str, text: str, origin: str) -> int:
        row = self._need(path)
        stored = self._files.stored
        document = stored.current()
        current = document.text_of(row.file_id)
        if row.mode == "full":
            sent = self._written(row) if row.base is None else row.base
            edits = merged_edits(sent, current, text)
        else:
            edits = text_edits(current, text)
        place = document.path_of(row.file_id)
        with stored.changing(origin) as document:
            if place is None:  # it was deleted meanwhile, but the answer counts on it
                self._revive(document, row)
            document.edit_text(row.file_id, edits)
        self._describe(place or path, row.phase, row.base or "", text)
        self._drop(path)
        return self._files.version

    def _interrupt(self, path: str) -> None:
        self._need(path)
        self._update(path, truncated=True)

    def _revive(self, document: ProjectDocument, row: DraftRow) -> None:
        if row.path in document:
            document.delete(row.path)
        document.revive(row.path, row.file_id)

    def _discard(self, path: str, origin: str) -> int:
        row = self._need(path)
        place = self._files.stored.current().path_of(row.file_id)
        # What somebody typed into a new file meanwhile is not the draft's to delete.
        typed = row.mode == "full" and self._typed_over(row) is not None
        if row.base is None and place is not None and not typed:
            with self._files.stored.changing(origin) as document:
                document.delete(place)
        self._drop(path)
        return self._files.version

    def _get(self, path: str) -> Draft | None:
        row = self._row(path)
        return None if row is None else self._value(row)

    def _list(self) -> builtins.list[Draft]:
        rows: Iterable[DraftRow] = (
            DraftRow.select().where(DraftRow.project == self.project_id).order_by(DraftRow.path)
        )
        return [self._value(row) for row in rows]

    def _value(self, row: DraftRow) -> Draft:
        return Draft(
            row.path, row.mode, row.base, self._written(row), row.truncated, row.phase, row.text
        )

    def _written(self, row: DraftRow) -> str:
        chunks: Iterable[DraftChunkRow] = (
            DraftChunkRow.select(DraftChunkRow.text)
            .where((DraftChunkRow.project == self.project_id) & (DraftChunkRow.path == row.path))
            .order_by(DraftChunkRow.id)
        )
        return row.text + "".join(chunk.text for chunk in chunks)

    def _describe(self, path: str, phase: int, old: str, new: str) -> None:
        FileRow.update(phase=phase, last_diff=unified_diff(path, old, new)).where(
            (FileRow.project == self.project_id) & (FileRow.path == path)
        ).execute()

    def _update(self, path: str, **values: object) -> None:
        DraftRow.update(**values).where(
            (DraftRow.project == self.project_id) & (DraftRow.path == path)
        ).execute()

    def _drop(self, path: str) -> None:
        for table in (DraftRow, DraftChunkRow):
            table.delete().where(
                (table.project == self.project_id) & (table.path == path)
            ).execute()

    def _row(self, path: str) -> DraftRow | None:
        return DraftRow.get_or_none((DraftRow.project == self.project_id) & (DraftRow.path == path))

    def _need(self, path: str) -> DraftRow:
        row = self._row(path)
        if row is None:
            raise NotAllowedNowError(
                f"{path} is not being written.", remedy="Ask for the file again."
            )
        return row


def _streams(row: DraftRow) -> bool:
    return row.base is None and row.mode == "full"
