"""What a visit of the app's page in a real browser says is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from vibedesk.engine.browser.reports import CheckOutcome, FailedRequest, PageReport
from vibedesk.engine.review.issues import SEVERITIES, Issue, Severity
from vibedesk.engine.review.parsers.node_stack import Locate, parse_stack
from vibedesk.engine.review.parsers.vite import parse_vite

NO_START = "no_start"
"""The code of an app that only its checks, on empty data, could not start."""
_RESOURCE = "Failed to load resource"
_BOUNDARY = "[app-error]"
_LONGEST = 4000
_LOG_LINES = 12
_RENDERED_BY = re.compile(r"Check the (?:top-level )?render (?:method|call)[^.\n]*\.")


def page_issues(
    report: PageReport,
    *,
    api_paths: Collection[str] = (),
    locate: Locate | None = None,
    root: str = "",
    given: Collection[str] = (),
) -> list[Issue]:
    """Return what is wrong with the visited page.

    Args:
        report: The visit.
        api_paths: Beginnings of paths whose refusals (4xx) are normal, save that there is nothing to read there.
        locate: Finds the real place of a line in generated code.
        root: The work folder as the dev server names it.
        given: Files that the app did not write; an error lies in one of them only where nothing else is known.
    """
    if not 200 <= report.status < 400:
        said = report.reason or f"the page answers {report.status}"
        return [_page("page_unreachable", said, "critical", stack=report.text[:_LONGEST])]
    issues = _overlay(report, locate, root, given)
    if report.reason:  # it was there, and could not be looked at to the end
        issues.append(_page("page_stopped", report.reason, "critical", stack=_warned(report)))
    if report.blank and not issues:
        issues.append(
            _page("blank_page", "The page shows nothing.", "critical", stack=_warned(report))
        )
    for error in report.errors:
        issues.append(_thrown(error.stack or error.message, "blocking", locate, given))
    for message in report.console:
        if message.level == "error" and _RESOURCE not in message.text:
            severity: Severity = "critical" if _BOUNDARY in message.text else "blocking"
            issues.append(_thrown(message.text, severity, locate, given))
    issues = _each_once(issues)
    if report.restless:
        said = "The page changes all the time without being touched, as where an effect sets state at every render."
        issues.append(_page("restless_page", said, "warning"))
    issues += _requests(report.failed_requests, api_paths)
    issues += [
        _page("other_host", f"The page asks for {host}, which the app may not reach.", "warning")
        for host in dict.fromkeys(_host(url) for url in report.blocked)
    ]
    issues += [
        _page(f"a11y-{finding.rule}", finding.message, "warning", selector=finding.selector)
        for finding in report.accessibility
    ]
    return issues


def check_issue(
    outcome: CheckOutcome,
    *,
    picture: str,
    locate: Locate | None = None,
    given: Collection[str] = (),
    server: Sequence[Issue] = (),
) -> Issue:
    """Return the issue that a failed check is.

    Args:
        outcome: Of the check.
        picture: The digest of what the page showed.
        locate: As for a page.
        given: As for a page.
        server: What the server's log tells; where it failed to answer, the last of it is why.
    """
    thrown = thrown_in(outcome, locate=locate, given=given)
    if any(request.status >= 500 for request in outcome.failed_requests):
        thrown += reversed(server)
    place = next((issue for issue in thrown if issue.file), None)
    if outcome.step is not None:
        said = f"Step {outcome.step + 1}, {outcome.sentence}: {outcome.error}"
    else:
        said = thrown[0].message if thrown else outcome.error
    return Issue(
        source="check",
        kind="behaviour",
        code="check_failed",
        file=place.file if place else "",
        line=place.line if place else 0,
        column=place.column if place else 0,
        message=f"The check “{outcome.name}” fails. {said}",
        stack="\n".join(issue.stack or issue.message for issue in thrown)[:_LONGEST],
        severity="blocking",
        evidence={
            "check": outcome.name,
            "step": outcome.step,
            "console": [m.text[:500] for m in outcome.console if m.level in ("error", "warning")][
                :20
            ],
            "requests": [
                f"{r.method} {r.url} {r.status or r.reason}" for r in outcome.failed_requests
            ][:20],
            "picture": picture,
        },
    )


def thrown_in(
    outcome: CheckOutcome, *, locate: Locate | None = None, given: Collection[str] = ()
) -> list[Issue]:
    """Return what the page threw while a check ran; `locate` and `given` as for a page."""
    return [_thrown(e.stack or e.message, "blocking", locate, given) for e in outcome.errors]


def started_for_checks(found: Iterable[Issue]) -> bool:
    """Whether the app started for the checks that `found` this; else they showed nothing of what is checked."""
    return all(issue.code != NO_START for issue in found)


def no_start_issue(said: str, *, log: str, server: Sequence[Issue] = ()) -> Issue:
    """Return the issue that an app is whose server does not start for its checks.

    Args:
        said: What it does not, and where.
        log: What the server printed.
        server: The errors in that.
    """
    why = next(reversed(server), None)
    return Issue(
        source="check",
        kind="runtime",
        code=NO_START,
        file=why.file if why else "",
        line=why.line if why else 0,
        column=why.column if why else 0,
        message=f"{said}: {why.message}" if why else f"{said}.",
        stack=(why.stack if why else "") or "\n".join(log.splitlines()[-_LOG_LINES:]),
        severity="critical",
    )


def _overlay(
    report: PageReport, locate: Locate | None, root: str, given: Collection[str]
) -> list[Issue]:
    if not report.overlay:
        return []
    found = parse_vite(report.overlay, root, source="page")
    thrown = parse_stack(
        report.overlay, source="page", severity="critical", locate=locate, given=given
    )
    if found:
        return found
    if thrown is not None:
        return [thrown]
    first = next((line for line in report.overlay.splitlines() if line.strip()), "an error")
    return [
        _page(
            "error_page",
            f"The page shows an error: {first.strip()}",
            "critical",
            stack=report.overlay[:_LONGEST],
        )
    ]


def _each_once(issues: list[Issue]) -> list[Issue]:
    """Return the errors without those that are told twice: thrown, logged and shown by the app's boundary."""
    first: dict[tuple[str, str], Issue] = {}
    for issue in issues:
        known = first.setdefault((issue.message, issue.file), issue)
        if SEVERITIES.index(issue.severity) < SEVERITIES.index(known.severity):
            first[issue.message, issue.file] = replace(known, severity=issue.severity)
    return list(first.values())


def _warned(report: PageReport) -> str:
    said = [m.text for m in report.console if m.level in ("warning", "error")]
    return "\n".join(dict.fromkeys(said))[:_LONGEST]


def _thrown(
    text: str, severity: Severity, locate: Locate | None, given: Collection[str] = ()
) -> Issue:
    issue = parse_stack(text, severity=severity, locate=locate, given=given)
    if issue is not None:
        return issue
    lines = [line for line in text.splitlines() if line.strip()] or ["an error without words"]
    message = lines[0].strip()
    # Without it the same mistake in two components would be one issue.
    if (rendered := _RENDERED_BY.search(text)) and rendered[0] not in message:
        message = f"{message} {rendered[0]}"
    return Issue(
        source="runtime", kind="runtime", code="console", message=message[:600],
        stack=text[:_LONGEST] if len(lines) > 1 else "", severity=severity,
    )  # fmt: skip


def _requests(failed: Iterable[FailedRequest], api_paths: Collection[str]) -> list[Issue]:
    issues = []
    for request in failed:
        path = urlsplit(request.url).path or "/"
        api = any(path.startswith(prefix) for prefix in api_paths)
        # Nobody has asked the page for anything yet, so what it asks for by itself should be there.
        missing = request.status == 404 and request.method == "GET"
        if path == "/favicon.ico" or (api and 400 <= request.status < 500 and not missing):
            continue
        server = request.status >= 500 or request.status == 0
        told = f"answers {request.status}" if request.status else f"fails: {request.reason}"
        issues.append(
            Issue(
                source="runtime",
                kind="behaviour",
                code="request_failed",
                message=f"{request.method} {path} {told}",
                severity="blocking" if server else "warning",
            )
        )
    return issues


def _page(
    code: str, message: str, severity: Severity, *, stack: str = "", selector: str = ""
) -> Issue:
    return Issue(
        source="page",
        kind="style" if code.startswith("a11y-") else "behaviour",
        code=code,
        message=message,
        stack=stack,
        severity=severity,
        evidence={"selector": selector} if selector else {},
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc or url
