"""What the phase bar shows, derived from what is known of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from vibedesk.engine.events import HALTS
from vibedesk.ui.shell.phase_bar import PauseControl, PhaseView, RunControl
from vibedesk.ui.widgets.phase_strip import PhaseStep, StepState, StripTone

_STEP_OF_STATE = {
    "blueprinting": "blueprint",
    "awaiting_approval": "blueprint",
    "planning_phase": "plan",
    "implementing_phase": "implement",
    "installing_deps": "implement",
    "starting_server": "review",
    "reviewing": "review",
    "fixing": "fix",
    "finalizing": "finalize",
}
_ORDER = ("blueprint", "plan", "implement", "review", "fix", "finalize")
_SHARE = {
    "blueprinting": 0.05,
    "awaiting_approval": 0.1,
    "planning_phase": 0.1,
    "installing_deps": 0.2,
    "implementing_phase": 0.25,
    "starting_server": 0.85,
    "reviewing": 0.9,
    "fixing": 0.9,
    "finalizing": 0.95,
}
_WRITING_SHARE = 0.6
_TO_A_REVIEW = ("installing_deps", "starting_server", "reviewing")
"""From what was written to the look at it."""

_BESIDE_THE_PAGE = ("planning_phase", "implementing_phase", "finalizing")
"""While the page shows the last good phase."""
_PERSONS_TURN = ("answers", "needs_person")
"""Waits in which the engine rests, and the run is under way all the same."""

Translate = Callable[[str], str]


@dataclass(slots=True)
class RunView:
    """A run as the window knows it; `phase_view` makes the picture of it."""

    state: str = "idle"
    reason: str = ""
    running: bool = False
    can_continue: bool = False
    stopping: bool = False
    pausing: bool = False
    """Whether it stops working as soon as its present step is done."""
    waiting: str = ""
    """What the run waits for, a reason of `events.Waiting`; empty while it works."""
    halted: str = ""
    """Which of `events.HALTS` the run is in, whatever else is waited for."""
    phase_number: int = 0
    phase_name: str = ""
    phase_total: int = 0
    planned: list[str] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)
    failed_step: str = ""
    elapsed: str = ""
    errors: int = 0
    """How many problems are open that block the phase."""
    fix_try: int = 1
    """Which try at them is made, from 1."""
    fix_tries: int = 3
    built: bool = False
    """Whether a phase was completed."""
    after_fix: bool = False
    """Whether a fix was the last thing that was written."""

    def open_phase(self, number: int, name: str, planned: list[str]) -> None:
        self.phase_number, self.phase_name = number, name
        self.phase_total = max(self.phase_total, number)
        self.planned, self.finished = list(planned), set()

    @property
    def busy(self) -> bool:
        """Whether the agent works: a run that waits for the person's decision does not."""
        return self.running and self.waiting != "needs_person"

    @property
    def starts_app(self) -> bool:
        """Whether the app comes back by itself: a run that is halted starts none until the person has it go on."""
        return self.running and not self.halted

    @property
    def changes_page(self) -> bool:
        """Whether files may change under the page, or it shows nothing finished yet."""
        return self.busy and not (self.built and self.state in _BESIDE_THE_PAGE)

    @property
    def fixing(self) -> bool:
        """Whether what is wrong is being mended: a fix is made, or how one came out is looked at."""
        looked_at = self.after_fix and self.state in _TO_A_REVIEW
        return self.busy and (self.state == "fixing" or looked_at)

    def enter(self, state: str, reason: str, previous: str) -> None:
        self.failed_step = _STEP_OF_STATE.get(previous, "") if state == "error" else ""
        self.state, self.reason = state, reason
        if state not in _TO_A_REVIEW:
            self.after_fix = state == "fixing"
        self.running = self._under_way
        self.stopping = self.stopping and self.running
        self.pausing = self.pausing and self.running
        self.halted = ""
        if not self.running:
            self.waiting = ""
        self.can_continue = state in ("error", "idle")

    def wait_for(self, reason: str) -> None:
        self.waiting = reason
        if reason in HALTS:
            self.halted = reason
        self.pausing = self.pausing and reason != "paused"

    def end_wait(self, reason: str) -> None:
        self.waiting = ""
        if reason == self.halted:
            self.halted = ""

    @property
    def _under_way(self) -> bool:
        return self.state in _STEP_OF_STATE and self.state != "awaiting_approval"

    def go_on(self) -> None:
        """The engine works again at what it was cut off from."""
        self.running = self._under_way
        self.can_continue = self.can_continue and not self.running

    def take_up(
        self,
        state: str,
        reason: str,
        *,
        running: bool,
        waiting: str,
        can_continue: bool,
        halted: str = "",
    ) -> None:
        """Become what a snapshot says; `running` is whether the engine works at it."""
        self.enter(state, reason, "")
        self.stopping = self.pausing = False
        self.running = self.running and (running or waiting in _PERSONS_TURN)
        self.waiting = waiting if self.running else ""
        self.halted = halted if self.running else ""
        self.can_continue = can_continue and not self.running

    @property
    def files_done(self) -> tuple[int, int]:
        """Return (finished, all) of the open phase."""
        return len(self.finished), max(len(self.planned), len(self.finished))

    def phase_view(self, tr: Translate) -> PhaseView:
        return PhaseView(
            overline=self._overline(tr),
            title=self._title(tr),
            steps=tuple(self._step(key, tr) for key in _ORDER),
            share=self._share(),
            tone=self._tone(),
            elapsed=self.elapsed,
            control=self._control(),
            pause=self._pause(),
        )

    def _overline(self, tr: Translate) -> str:
        if self.state == "complete" and self.elapsed:
            return tr("Built in {0}").format(self.elapsed)
        if self.pausing:
            writing = self.state == "implementing_phase"
            return tr("Pausing after its files") if writing else tr("Pausing after this step")
        if not self.phase_number:
            return ""
        total = max(self.phase_total, self.phase_number)
        return tr("Phase {0} of {1}").format(self.phase_number, total)

    def _title(self, tr: Translate) -> str:
        match self.state:
            case "blueprinting":
                return tr("Making the plan")
            case "awaiting_approval":
                return tr("The plan is ready for you")
            case "planning_phase":
                return tr("Planning the next phase")
            case "complete":
                return tr("Your app is ready")
            case _:
                return self.phase_name or tr("Ready to build")

    def _step(self, key: str, tr: Translate) -> PhaseStep:
        titles = {
            "blueprint": tr("Blueprint"),
            "plan": tr("Plan"),
            "implement": tr("Implement"),
            "review": tr("Review"),
            "fix": tr("Fix"),
            "finalize": tr("Finalize"),
        }
        state = self._step_state(key)
        share, extra = 0.0, ""
        if key == "implement" and state in ("active", "waiting") and self.planned:
            done, total = self.files_done
            share, extra = done / total, f"{done}/{total}"
        if key == "fix" and state == "fixing":
            words = tr("try {0} of {1}") if self.fix_try <= self.fix_tries else tr("debugging")
            extra = words.format(self.fix_try, self.fix_tries)
        if key == "review" and state == "failed" and self.errors:
            words = tr("{0} problem") if self.errors == 1 else tr("{0} problems")
            extra = words.format(self.errors)
        if state == "waiting":
            of_waits = {"needs_person": tr("needs you"), "paused": tr("paused")}
            extra = of_waits.get(self.waiting, tr("waiting"))
        return PhaseStep(key=key, title=titles[key], state=state, share=share, extra=extra)

    def _step_state(self, key: str) -> StepState:
        if self.state == "complete":
            return "done"
        current = _STEP_OF_STATE.get(self.state, "") or self.failed_step
        if not current:
            return "done" if key == "blueprint" and self.phase_number else "todo"
        here, place = _ORDER.index(current), _ORDER.index(key)
        if place < here:
            if key == "review" and current == "fix":
                return "failed"
            return "todo" if key == "fix" else "done"
        if place > here:
            return "todo"
        if self.state == "error":
            return "failed"
        if self.waiting and self.running:
            return "waiting"
        if not self.running and self.state != "awaiting_approval":
            return "todo"
        return "fixing" if key == "fix" else "active"

    def _share(self) -> float:
        if self.state == "complete":
            return 1.0
        within = _SHARE.get(self.state, 0.0)
        if self.state == "implementing_phase" and self.planned:
            done, total = self.files_done
            within += _WRITING_SHARE * done / total
        total = max(self.phase_total, 1)
        return min(1.0, (max(self.phase_number, 1) - 1 + within) / total)

    def _tone(self) -> StripTone:
        if self.waiting and self.running:
            return "warning"
        match self.state:
            case "complete":
                return "success"
            case "error":
                return "danger"
            case "fixing" | "awaiting_approval" | "idle":
                return "warning"
            case _:
                return "live" if self.running else "warning"

    def _control(self) -> RunControl:
        if self.stopping:
            return "stopping"
        if self.running:
            return "paused" if self.halted == "paused" else "stop"
        return "continue" if self.can_continue else "none"

    def _pause(self) -> PauseControl:
        if self._control() != "stop" or self.waiting in _PERSONS_TURN:
            return "none"
        return "asked" if self.pausing else "offered"
