"""Issues as they are kept, and as they are told. On the store's thread."""

from __future__ import annotations

from typing import Any, Final

from vibedesk.engine.review.issues import Issue, rank
from vibedesk.engine.store.issues import IssueRecord, IssueStatus, IssueStore

SHOWN_STATUSES: Final[tuple[IssueStatus, ...]] = ("open", "skipped", "given_up")


def issue_of(record: IssueRecord) -> Issue:
    return Issue.from_dict(record.data)


def shown_issues(store: IssueStore) -> list[dict[str, Any]]:
    """Return the issues as they are told, the gravest first. On the store's thread."""
    records = store.of_status(*SHOWN_STATUSES)
    return [
        {
            **issue_of(record).to_dict(),
            # As it was when it was found: what makes two findings the same may have changed since.
            "signature": record.signature,
            "status": record.status,
            "first_seen": record.first_seen,
            "times_seen": record.times_seen,
            "fixes_tried": list(record.fixes),
        }
        for record in sorted(records, key=lambda record: rank(issue_of(record)))
    ]
