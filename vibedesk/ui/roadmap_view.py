"""What the roadmap in chat and blueprint shows, derived from the blueprint and the phases so far."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from vibedesk.ui.run_view import RunView

RoadmapRow = tuple[str, str, str]
"""Name, state (todo, active, done, failed) and what stands behind it."""
Translate = Callable[[str], str]


class RoadmapView:
    """The plan of a project: its blueprint and the phases that came of it."""

    def __init__(self) -> None:
        self.blueprint: dict[str, Any] | None = None
        self._phases: dict[int, dict[str, Any]] = {}

    @property
    def total(self) -> int:
        """How many phases there are, as far as is known."""
        return max(len(self._roadmap()), len(self._phases))

    def set_phases(self, phases: Iterable[dict[str, Any]]) -> None:
        self._phases = {phase["number"]: phase for phase in phases}

    def open_phase(self, phase: dict[str, Any]) -> None:
        self._phases[phase["number"]] = {**phase, "completed": False}

    def close_phase(self, number: int) -> None:
        if number in self._phases:
            self._phases[number]["completed"] = True

    def rows(self, run: RunView, tr: Translate) -> list[RoadmapRow]:
        """Return the phases that are planned or were built, in order."""
        phases = [self._phases[number] for number in sorted(self._phases)]
        rows: list[RoadmapRow] = []
        for number, (phase, step) in enumerate(
            itertools.zip_longest(phases, self._roadmap()), start=1
        ):
            name = phase["name"] if phase else str(step)
            rows.append((name, _state(phase, number, run), _extra(phase, tr)))
        return rows

    def _roadmap(self) -> list[str]:
        steps = (self.blueprint or {}).get("implementation_roadmap", ())
        return [str(step["phase"]) for step in steps]


def _state(phase: dict[str, Any] | None, number: int, run: RunView) -> str:
    if phase is not None and phase["completed"]:
        return "done"
    if phase is not None and number == run.phase_number:
        if run.state == "error":
            return "failed"
        return "active" if run.running else "todo"
    return "todo"


def _extra(phase: dict[str, Any] | None, tr: Translate) -> str:
    files = len(phase.get("files", ())) if phase else 0
    if not files:
        return ""
    return tr("1 file") if files == 1 else tr("{0} files").format(files)
