"""In CI nothing is skipped silently: a skip that `allowed_skips.txt` gives no reason for fails the run."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest


class SkipGuard:
    """Collects the skipped tests of a run, those of all workers, and holds them against the list.

    Args:
        listing: Lines of `node id pattern | reason`; blank lines and `#` lines are free.
        enforced: Whether an unlisted skip fails the run.
    """

    def __init__(self, listing: Path, *, enforced: bool) -> None:
        self._allowed = _read_listing(listing)
        self._enforced = enforced
        self._unlisted: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # An expected failure is reported as skipped too.
        if not hasattr(report, "wasxfail"):
            self._note(report)

    def _note(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.skipped and not any(
            fnmatchcase(report.nodeid, pattern) for pattern in self._allowed
        ):
            self._unlisted.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._enforced and self._unlisted and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._enforced and self._unlisted:
            terminalreporter.section(
                "skips that tests/allowed_skips.txt gives no reason for", red=True
            )
            for nodeid in self._unlisted:
                terminalreporter.write_line(nodeid)


def _read_listing(listing: Path) -> list[str]:
    patterns = []
    for line in listing.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        pattern, _, reason = (part.strip() for part in line.partition("|"))
        if not reason:
            raise pytest.UsageError(f"{listing}: no reason given for {pattern!r}")
        patterns.append(pattern)
    return patterns
