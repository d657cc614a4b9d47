"""What `vibedesk check` prints: how acceptance checks and build went, and what would be unsafe to publish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vibedesk.engine.views import CheckResultView, ReadinessView

_INDENT = " " * 6


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
