"""Files that a model wrote anew and the person has not taken over yet. On the store's thread."""

from __future__ import annotations

from typing import Any

from vibedesk.base.clock import utc_now
from vibedesk.base.errors import NotFoundError
from vibedesk.base.ids import new_id
from vibedesk.engine.store.records import ProposalRecord
from vibedesk.engine.store.tables import ProposalRow

_OPEN = ("writing", "ready")


class Proposals:
    """The proposals of one project."""

    def __init__(self, project_id: str) -> None:
        self.project_id = project_id

    def add(self, path: str, instructions: str, base: str) -> ProposalRecord:
        proposal_id = new_id()
        ProposalRow.insert(
            id=proposal_id,
            project=self.project_id,
            path=path,
            instructions=instructions,
            base=base,
            at=utc_now(),
        ).execute()
        return self.get(proposal_id)

    def get(self, proposal_id: str) -> ProposalRecord:
        """Return one proposal.

        Raises:
            NotFoundError: the project has none with this id.
        """
        row = ProposalRow.get_or_none(self._of(proposal_id))
        if row is None:
            raise NotFoundError(
                f"There is no proposal {proposal_id!r}.", remedy="Ask for the file again."
            )
        return _record(row)

    def open(self) -> list[ProposalRecord]:
        """Return those that are written or wait to be taken over, oldest first."""
        rows = (
            ProposalRow.select()
            .where((ProposalRow.project == self.project_id) & ProposalRow.status.in_(_OPEN))
            .order_by(ProposalRow.id)
        )
        return [_record(row) for row in rows]

    def append(self, proposal_id: str, text: str) -> None:
        ProposalRow.update(text=ProposalRow.text.concat(text)).where(
            self._of(proposal_id)
        ).execute()

    def set(self, proposal_id: str, *, status: str, text: str | None = None) -> None:
        values: dict[str, Any] = {"status": status}
        if text is not None:
            values["text"] = text
        ProposalRow.update(**values).where(self._of(proposal_id)).execute()

    def _of(self, proposal_id: str) -> Any:
        return (ProposalRow.id == proposal_id) & (ProposalRow.project == self.project_id)


def _record(row: Any) -> ProposalRecord:
    return ProposalRecord(
        id=row.id,
        path=row.path,
        instructions=row.instructions,
        base=row.base,
        text=row.text,
        status=row.status,
    )
