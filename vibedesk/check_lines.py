"""What is printed of checks and findings: by `vibedesk check`, and at the end of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vibedesk.engine.views import CheckResultView, ProjectView, ReadinessView

_INDENT = " " * 6
_MOST_LEFT = 5
"""Problems that are listed at the end of a run."""
_LONGEST = 160
"""Characters of such a line."""


def check_lines(check: CheckResultView) -> Iterator[str]:
    """Yield how a check that was run just now went; of a failed one the step and what was there instead."""
    if check.passed is None:
        yield f"-     {check.name}: not run, it has no steps"
        return
    if check.outdated:
        yield f"-     {check.name}: the code changed while it ran"
        return
    yield f"{'pass' if check.passed else 'FAIL'}  {check.name}"
    if check.passed:
        return
    if check.step is not None:
        yield f"{_INDENT}Step {check.step + 1}: {check.sentence}"
    yield from (f"{_INDENT}{line}" for line in check.error.splitlines() if line.strip())


def finding_line(finding: dict[str, Any]) -> str:
    """Return a finding of any review with its place, and what became of it."""
    place = ":".join(str(part) for part in (finding["file"], finding["line"]) if part)
    first = finding["message"].strip().split("\n", 1)[0]
    became = {"skipped": " (skipped by you)", "given_up": " (could not be mended)"}
    no_fault = finding["evidence"].get("no_fault")
    note = f" (no fault, says the model: {no_fault})" if no_fault else ""
    note = became.get(finding["status"], note)
    return f"{finding['severity']:<8}  {place + ': ' if place else ''}{first}{note}"


def outcome_lines(project: ProjectView) -> Iterator[str]:
    """Yield how a complete app stands: what was not seen in a browser, how its checks went, and what is left."""
    if project.reviewed_at and "page" not in project.reviewed:
        yield "The page was not looked at in a browser."
    checks = project.checks
    if checks:
        passed = sum(check.passed is True and not check.outdated for check in checks)
        failed = sum(check.passed is False and not check.outdated for check in checks)
        outdated = sum(check.outdated for check in checks)
        pieces = [
            f"{passed} of {len(checks)} "
            + ("check" if len(checks) == 1 else "checks")
            + (" passes" if passed == 1 else " pass")
        ]
        unrun = len(checks) - passed - failed - outdated
        if outdated:
            pieces.append(f"{outdated} ran before the last change")
        if unrun:
            pieces.append(f"{unrun} {'was' if unrun == 1 else 'were'} not run")
        yield ", ".join(pieces) + "."
    count = len(project.issues)
    if not count:
        return
    word = "warning" if all(i["severity"] == "warning" for i in project.issues) else "problem"
    yield f"1 {word} is left:" if count == 1 else f"{count} {word}s are left:"
    for issue in project.issues[:_MOST_LEFT]:
        line = finding_line(issue)
        yield f"  {line if len(line) <= _LONGEST else line[: _LONGEST - 1] + '…'}"
    if count > _MOST_LEFT:
        yield f"  and {count - _MOST_LEFT} more: vibedesk show {project.name}"


def readiness_lines(report: ReadinessView, *, security: bool) -> Iterator[str]:
    """Yield the whole report, sums included."""
    for check in report.checks:
        yield from check_lines(check)
    ran = [check for check in report.checks if check.passed is not None]
    if ran:
        passed = sum(check.passed is True and not check.outdated for check in ran)
        yield f"{passed} of {len(ran)} {'check passes' if len(ran) == 1 else 'checks pass'}."
    else:
        yield "There are no acceptance checks to run."
    if report.unbuilt:
        yield from map(finding_line, report.unbuilt)
        yield "The app cannot be built as it is; what keeps it from that must be mended first."
    if not security:
        return
    yield from map(finding_line, report.findings)
    if not report.findings:
        yield "The security review found nothing."
        return
    count = len(report.findings)
    words = "1 finding" if count == 1 else f"{count} findings"
    blocking = len(report.blocking)
    yield f"{words} of the security review; {blocking or 'none'} must be mended first."
