"""What the conversation rests on besides the transcript: its summary, the queue, what was told since. Store's thread."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from vibedesk.base.errors import NotFoundError
from vibedesk.engine.store.records import Json, WishRecord
from vibedesk.engine.store.tables import EventRow, ProjectRow, WishRow


class ConversationStore:
    """One project's conversation."""

    def __init__(self, project_id: str) -> None:
        self.project_id = project_id

    # -- the summary ----------------------------------------------------------------------------
    def summary(self) -> tuple[str, str]:
        """Return (text, id of the last message that it stands for); both empty where nothing is summed up."""
        row = ProjectRow.select(ProjectRow.summary).where(ProjectRow.id == self.project_id).first()
        if row is None or row.summary is None:
            return "", ""
        stored = json.loads(row.summary)
        return stored["text"], stored["upto"]

    def set_summary(self, text: str, upto: str) -> None:
        stored = json.dumps({"text": text, "upto": upto}, ensure_ascii=False)
        ProjectRow.update(summary=stored).where(ProjectRow.id == self.project_id).execute()

    # -- the queue ------------------------------------------------------------------------------
    def wish(self, wish_id: str) -> WishRecord:
        """Return a queued wish.

        Raises:
            NotFoundError: the project has none with this id.
        """
        row = WishRow.get_or_none(self._wish(wish_id))
        if row is None:
            raise NotFoundError("This wish is not in the queue any more.")
        return WishRecord(id=row.id, text=row.text, status=row.status, phase=row.phase)

    def change_wish(self, wish_id: str, text: str) -> None:
        """Give a wish another text; a phase that was stopped with the old one does not answer it any more."""
        WishRow.update(text=text, phase=None).where(self._wish(wish_id)).execute()

    def remove_wish(self, wish_id: str) -> None:
        WishRow.delete().where(self._wish(wish_id)).execute()

    def _wish(self, wish_id: str) -> Any:
        return (WishRow.id == wish_id) & (WishRow.project == self.project_id)

    # -- what was told --------------------------------------------------------------------------
    def last_answer(self) -> int:
        """Return the number of the event that told the last answer; 0 if there was none."""
        rows: Any = (
            EventRow.select(EventRow.seq, EventRow.data)
            .where((EventRow.project == self.project_id) & (EventRow.type == "message_complete"))
            .order_by(EventRow.seq.desc())
            .tuples()
            .iterator()
        )
        answers = (seq for seq, data in rows if json.loads(data)["role"] == "assistant")
        return int(next(answers, 0))

    def told_since(self, seq: int, types: Collection[str]) -> list[tuple[str, Json]]:
        """Return (type, data) of the stored events of some types after one, in order."""
        rows: Any = (
            EventRow.select(EventRow.type, EventRow.data)
            .where(
                (EventRow.project == self.project_id)
                & (EventRow.seq > seq)
                & EventRow.type.in_(list(types))
            )
            .order_by(EventRow.seq)
            .tuples()
        )
        return [(kind, json.loads(data)) for kind, data in rows]
