"""What is wrong with an app that is served: what its page answers, what its server printed, and a visit, seen together."""

from __future__ import annotations

from collections.abc import Collection

from vibedesk.engine.browser.reports import PageReport
from vibedesk.engine.review.checkers import read_log
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.page_issues import page_issues
from vibedesk.engine.review.parsers.node_stack import Locate


def served_app_issues(
    report: PageReport | None,
    *,
    status: int,
    log: str,
    root: str,
    api_paths: Collection[str] = (),
    locate: Locate | None = None,
    given: Collection[str] = (),
) -> list[Issue]:
    """Return what is wrong.

    Args:
        report: The visit; None where nobody looked.
        status: What the page answers; 0 where nothing does.
        log: The last lines of the server. They are read only where something is wrong now: what was printed before
            the last change may be mended long since.
        root: The work folder as the server names it.
        api_paths: As for `page_issues`.
        locate: As for `page_issues`.
        given: As for `page_issues`.
    """
    seen: list[Issue] = []
    if report is not None:
        seen = page_issues(report, api_paths=api_paths, locate=locate, root=root, given=given)
    issues: list[Issue] = []
    answers = 200 <= status < 400  # many an app sends its visitors to a page for signing in first
    if not answers or any(issue.blocks for issue in seen):
        issues += read_log(log, root, given=given)
    if not answers and not any(issue.severity == "critical" for issue in issues):
        said = f"the page answers {status}" if status else "the page does not answer"
        issues.append(
            Issue(source="server", kind="runtime", code="page_status", message=said, stack=log, severity="critical")
        )  # fmt: skip
    return [*issues, *seen]
