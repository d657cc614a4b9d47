"""What is wrong with an app that is served: what its page answers, what its server printed, and a visit, seen together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from vibedesk.engine.browser.reports import DESKTOP, PHONE, PageReport
from vibedesk.engine.review.checkers import read_log
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.page_issues import page_issues
from vibedesk.engine.review.parsers.node_stack import Locate
from vibedesk.engine.review.uncaught import uncaught_errors


def served_app_issues(
    visits: Sequence[PageReport],
    *,
    status: int,
    log: str,
    root: str,
    log_since: str = "",
    api_paths: Collection[str] = (),
    locate: Locate | None = None,
    given: Collection[str] = (),
) -> list[Issue]:
    """Return what is wrong.

    Args:
        visits: On a desktop, and on a phone; none where nobody looked.
        status: What the page answers; 0 where nothing does.
        log: The last lines of the server. They are read only where something is wrong now: what was printed before
            the last change may be mended long since.
        log_since: What of it came while the app was looked at: what nothing caught is wrong, whatever the page shows.
        root: The work folder as the server names it.
        api_paths: As for `page_issues`.
        locate: As for `page_issues`.
        given: As for `page_issues`.
    """
    seen: list[Issue] = []
    for visit in visits:
        known = {issue.signature for issue in seen}
        found = page_issues(visit, api_paths=api_paths, locate=locate, root=root, given=given)
        more = [issue for issue in found if issue.signature not in known]
        seen += more if visit is visits[0] else map(_narrow, more)
    issues: list[Issue] = []
    answers = 200 <= status < 400  # many an app sends its visitors to a page for signing in first
    if not answers or any(issue.blocks for issue in seen):
        issues += read_log(log, root, given=given)
    else:
        issues += uncaught_errors(log_since, root, given=given)
    if not answers and not any(issue.severity == "critical" for issue in issues):
        said = f"the page answers {status}" if status else "the page does not answer"
        issues.append(
            Issue(source="server", kind="runtime", code="page_status", message=said, stack=log, severity="critical")
        )  # fmt: skip
    return [*issues, *seen]


def _narrow(issue: Issue) -> Issue:
    """Say where an issue is seen; not in its message, which makes it the same wherever else it is met."""
    where = f"Only on a screen {PHONE.width} pixels wide, not on one of {DESKTOP.width}."
    return replace(issue, stack=f"{where}\n{issue.stack}".rstrip())
