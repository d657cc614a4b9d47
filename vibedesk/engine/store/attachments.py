"""The images that came with a wish or a message. Every method runs on the store's thread."""

from __future__ import annotations

from typing import Any

from vibedesk.base.clock import utc_now
from vibedesk.base.errors import NotFoundError
from vibedesk.base.ids import new_id
from vibedesk.engine.store.records import AttachmentRecord
from vibedesk.engine.store.tables import AttachmentRow


class AttachmentStore:
    """One project's attachments."""

    def __init__(self, project_id: str) -> None:
        self.project_id = project_id

    def add(
        self, *, message: str, name: str, media_type: str, width: int, height: int, blob: str
    ) -> AttachmentRecord:
        record = AttachmentRecord(
            id=new_id(),
            message=message,
            name=name,
            media_type=media_type,
            width=width,
            height=height,
            blob=blob,
        )
        AttachmentRow.insert(
            id=record.id,
            project=self.project_id,
            message=message or None,
            name=name,
            media_type=media_type,
            width=width,
            height=height,
            blob=blob,
            at=utc_now(),
        ).execute()
        return record

    def all(self) -> list[AttachmentRecord]:
        """Return every attachment, oldest first."""
        rows = (
            AttachmentRow.select()
            .where(AttachmentRow.project == self.project_id)
            .order_by(AttachmentRow.id)
        )
        return [_record(row) for row in rows]

    def get(self, attachment_id: str) -> AttachmentRecord:
        """Return one.

        Raises:
            NotFoundError: the project has none with this id.
        """
        row = AttachmentRow.get_or_none(
            (AttachmentRow.id == attachment_id) & (AttachmentRow.project == self.project_id)
        )
        if row is None:
            raise NotFoundError(
                "There is no such image in this project.", remedy="Reload the project."
            )
        return _record(row)


def _record(row: Any) -> AttachmentRecord:
    return AttachmentRecord(
        id=row.id,
        message=row.message or "",
        name=row.name,
        media_type=row.media_type,
        width=row.width,
        height=row.height,
        blob=row.blob,
    )
