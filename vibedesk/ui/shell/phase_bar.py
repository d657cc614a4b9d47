"""The island above the work area: what happens now, how far it is, and how to stop it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button, text_button
from vibedesk.ui.widgets.island import Island
from vibedesk.ui.widgets.labels import IconLabel, label
from vibedesk.ui.widgets.phase_strip import PhaseStep, PhaseStrip, ProgressEdge, StripTone

RunControl = Literal["none", "stop", "stopping", "paused", "continue"]
"""What can be done about a run: nothing, stop it, wait until it stops, stop it or go on, or go on."""
PauseControl = Literal["none", "offered", "asked"]
_FOLD_AFTER_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseView:
    """Everything the phase bar shows.

    `share` (0 to 1) is the overall progress; `control` is what the person can do about the run.
    """

    overline: str = ""
    title: str = ""
    steps: tuple[PhaseStep, ...] = ()
    share: float = 0.0
    tone: StripTone = "live"
    elapsed: str = ""
    estimate: str = ""
    control: RunControl = "none"
    pause: PauseControl = "none"

    @property
    def finished(self) -> bool:
        return self.tone == "success" and self.control == "none"

    @property
    def may_stop(self) -> bool:
        return self.control in ("stop", "paused")

    @property
    def may_continue(self) -> bool:
        return self.control in ("continue", "paused")


class PhaseBar(Island):
    """Shows a `PhaseView`. Ten seconds after everything is done it folds to one line."""

    step_activated = Signal(str)
    pause_requested = Signal()
    stop_requested = Signal()
    continue_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._theme = theme
        self._view = PhaseView()
        self._strip = PhaseStrip(theme)
        self._strip.step_activated.connect(self.step_activated)
        self._elapsed = label("", strong="mid", fs="small")
        self._estimate = label("", tone="muted", fs="small")
        for words in (self._elapsed, self._estimate):
            words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            words.setFixedHeight(16)
        self._line = frame("vline")
        self._line.setFixedSize(1, 24)
        self._pause = icon_button(
            theme, "pause-fill", self.tr("Pause"), tone="text.secondary", shortcut="Ctrl+Shift+."
        )
        self._pause.clicked.connect(self.pause_requested)
        self._stop = text_button(theme, self.tr("Stop"), icon="stop-fill", compact=True)
        self._stop.setToolTip(self.tr("Stop and keep every finished file  Ctrl+."))
        self._stop.clicked.connect(self.stop_requested)
        self._continue = text_button(theme, self.tr("Continue"), icon="play-fill", compact=True)
        self._continue.clicked.connect(self.continue_requested)
        self._edge = ProgressEdge(theme)
        self._open = QWidget()
        times = vbox(None, self._elapsed, self._estimate, None, gap=0)
        self._open.setLayout(
            hbox(
                (self._strip, 1),
                self._line,
                times,
                self._pause,
                self._stop,
                self._continue,
                gap=10,
                margins=(0, 0, 10, 0),
            )
        )
        self._folded = self._make_folded()
        self.add(self._open, 1)
        self.add(self._folded, 1)
        self.add(self._edge)
        self._fold_timer = QTimer(self)
        self._fold_timer.setSingleShot(True)
        self._fold_timer.setInterval(_FOLD_AFTER_MS)
        self._fold_timer.timeout.connect(lambda: self._fold(folded=True))
        self._fold(folded=False)
        self.show_view(self._view)

    @property
    def view(self) -> PhaseView:
        return self._view

    @property
    def folded(self) -> bool:
        return not self._folded.isHidden()

    def show_view(self, view: PhaseView) -> None:
        was_finished = self._view.finished
        self._view = view
        self._strip.set_heading(view.overline, view.title)
        self._strip.set_steps(view.steps)
        self._edge.set_progress(view.share, view.tone)
        self.set_times(view.elapsed, view.estimate)
        self._pause.setVisible(view.pause != "none")
        self._pause.setEnabled(view.pause == "offered")
        stopping = view.control == "stopping"
        self._stop.setVisible(view.may_stop or stopping)
        self._stop.setEnabled(view.may_stop)
        self._stop.setText("\u2009" + (self.tr("Stopping") if stopping else self.tr("Stop")))
        self._continue.setVisible(view.may_continue)
        self._folded_words.setText(" · ".join(p for p in (view.title, view.overline) if p))
        if not view.finished:
            self._fold_timer.stop()
            self._fold(folded=False)
        elif not was_finished:
            self._fold_timer.start()

    def set_times(self, elapsed: str, estimate: str) -> None:
        """Change only the two times, which do so every second."""
        self._elapsed.setText(elapsed)
        self._estimate.setText(estimate)
        self._elapsed.setVisible(bool(elapsed))
        self._estimate.setVisible(bool(estimate))
        shown = bool(elapsed or estimate) or self._view.control != "none"
        self._line.setVisible(shown)

    def fold(self) -> None:
        """Take one line only; any news unfolds it."""
        self._fold(folded=True)

    def _make_folded(self) -> QWidget:
        part = QWidget()
        self._folded_words = label("", tone="secondary", fs="small", strong="mid")
        show = text_button(self._theme, self.tr("Show steps"), variant="ghost", compact=True)
        show.clicked.connect(lambda: self._fold(folded=False))
        part.setLayout(
            hbox(
                IconLabel(self._theme, "check-circle-fill", "success.text", 16),
                self._folded_words,
                None,
                show,
                margins=(14, 0, 6, 0),
            )
        )
        return part

    def _fold(self, *, folded: bool) -> None:
        self._open.setVisible(not folded)
        self._folded.setVisible(folded)
        self.setFixedHeight(self._theme.size("phase_folded" if folded else "phase_strip"))
