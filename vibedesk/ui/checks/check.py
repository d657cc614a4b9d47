"""An acceptance check as the window knows it, and its words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QCoreApplication

from vibedesk.engine.views import CheckResultView
from vibedesk.ui.widgets.times import moment_words

State = Literal["running", "passed", "failed", "outdated", "unknown"]
"""outdated: the code changed since it was run."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check with how it stands."""

    result: CheckResultView
    running: bool = False

    @property
    def name(self) -> str:
        return self.result.name

    @property
    def why(self) -> str:
        """Why it was corrected; empty where it was not."""
        return self.result.why

    @property
    def state(self) -> State:
        if self.running:
            return "running"
        if self.result.passed is None:
            return "unknown"
        if self.result.outdated:
            return "outdated"
        return "passed" if self.result.passed else "failed"


def state_words(check: Check) -> str:
    return {
        "running": _tr("Running"),
        "passed": _tr("Passes"),
        "failed": _tr("Fails"),
        "outdated": _tr("Passed before the last change")
        if check.result.passed
        else _tr("Failed before the last change"),
        "unknown": _tr("Not run yet"),
    }[check.state]


def phase_words(check: Check) -> str:
    if check.result.phase is None:
        return _tr("Whole app")
    return _tr("Phase {0}").format(check.result.phase)


def ran_words(check: Check) -> str:
    """Return when it was last run; "" if it never was."""
    return moment_words(check.result.at) if check.result.at else ""


def summary_words(checks: Iterable[Check]) -> str:
    """Return how all of them stand in one line; "" where there are none."""
    known = list(checks)
    states = [check.state for check in known]
    running = next((check.name for check in known if check.running), "")
    if not known:
        return ""
    if running:
        done = len(known) - states.count("running")
        return _tr("Running {name}").format(name=running) if done else _tr("Running the checks")
    if states.count("unknown") == len(known):
        return _tr("{0} checks, not run yet").format(len(known))
    outdated = states.count("outdated")
    if outdated == len(known):
        return _tr("{0} checks, not run since the last change").format(outdated)
    passed = states.count("passed")
    if outdated:
        words = _tr("{passed} of {all} pass, {old} ran before the last change")
        return words.format(passed=passed, all=len(known), old=outdated)
    return _tr("{passed} of {all} pass").format(passed=passed, all=len(known))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Checks", text)
