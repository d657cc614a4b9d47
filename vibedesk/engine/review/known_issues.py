"""Issues as they are kept, and as they are told. On the store's thread."""

from __future__ import annotations

from typing import Any, Final

from vibedesk.engine.review.issues import Issue, deduplicated
from vibedesk.engine.store.issues import IssueRecord, IssueStatus, IssueStore

SHOWN_STATUSES: Final[tuple[IssueStatus, ...]] = ("open", "skipped", "given_up")


def issue_of(record: IssueRecord) -> Issue:
    return Issue.from_dict(record.data)


def shown_issues(store: IssueStore) -> list[dict[str, Any]]:
    """Return the issues as they are told, the gravest first. On the store's thread."""
    records = {record.signature: record for record in store.of_status(*SHOWN_STATUSES)}
    return [
        {
            **issue.to_dict(),
            "status": records[issue.signature].status,
            "first_seen": records[issue.signature].first_seen,
            "times_seen": records[issue.signature].times_seen,
            "fixes_tried": list(records[issue.signature].fixes),
        }
        for issue in deduplicated(issue_of(record) for record in records.values())
    ]
