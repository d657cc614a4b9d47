"""The checks page of the dock: what the app has to do, and whether it does."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QFrame, QStackedWidget

from vibedesk.ui.checks.check import Check, summary_words
from vibedesk.ui.checks.detail import CheckDetail
from vibedesk.ui.checks.list import CheckList
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox
from vibedesk.ui.widgets.busy_button import BusyButton
from vibedesk.ui.widgets.labels import label
from vibedesk.ui.widgets.messages import EmptyState
from vibedesk.ui.work import Work, wait_words

_DETAIL_SHARE, _DETAIL_FROM = 0.46, 560


class ChecksPanel(QFrame):
    """Shows the acceptance checks of one app. It knows nothing of where they come from.

    Signals:
        run_requested: The names of checks to run; an empty list means all.
        stop_requested: Stop the checks that were asked for.
        picture_wanted: A picture's id; `set_picture` answers.
        picture_opened: Name of the check, and its picture to be shown large.
    """

    run_requested = Signal(list)
    stop_requested = Signal()
    picture_wanted = Signal(str)
    picture_opened = Signal(str, QImage)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "logpage")
        self.list = CheckList(theme)
        self.detail = CheckDetail(theme)
        self._work: Work = "rest"
        self._preparing = False
        """Whether none of the checks that were asked for has begun."""
        self._none = EmptyState(
            theme,
            "list-checks",
            self.tr("No checks yet"),
            self.tr(
                "The blueprint names what the app has to do. Each phase is checked against it."
            ),
            tone="info",
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._none)
        self.list.chosen.connect(lambda _: self._show_current())
        self.list.run_requested.connect(self._on_one)
        self.detail.run_requested.connect(self._on_one)
        self.detail.picture_wanted.connect(self.picture_wanted)
        self.detail.picture_opened.connect(self._on_picture)
        self.setLayout(hbox((self._stack, 1), self.detail, gap=0))
        self._summary = label("", tone="muted", fs="small")
        self._run = BusyButton(theme, self.tr("Run checks"), self.tr("Running"), "play", "ghost")
        self._run.clicked.connect(self._on_all)
        self._stop = BusyButton(theme, self.tr("Stop"), self.tr("Stopping"), "stop-fill", "ghost")
        self._stop.clicked.connect(self._on_stop)
        tools = hbox(None, self._summary, self._stop, self._run, margins=(0, 0, 4, 0))
        self.tools = frame("plain", tools)
        self._refresh()

    def sizeHint(self) -> QSize:
        return QSize(900, 150)

    @property
    def checks(self) -> Sequence[Check]:
        return self.list.checks

    @property
    def summary(self) -> str:
        return self._summary.text()

    def set_checks(self, checks: Sequence[Check]) -> None:
        """Show these in their order."""
        if any(check.running for check in checks):
            self._preparing = False
        self.list.show_checks(checks)
        self._refresh()

    def set_work(self, work: Work) -> None:
        """Say what is under way: until it ends no check can be started."""
        if work != self._work:
            self._preparing = work == "checks"
        self._work = work
        self.detail.set_work(work)
        self._refresh()

    def set_picture(self, picture_id: str, picture: QImage) -> None:
        self.detail.set_picture(picture_id, picture)

    def forget_picture(self, picture_id: str) -> None:
        """Take note that a picture that was wanted did not come."""
        self.detail.forget_picture(picture_id)

    def clear(self) -> None:
        self.set_checks(())
        self.detail.forget()
        self.set_work("rest")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_detail()

    def _on_all(self) -> None:
        if not self._run.busy:
            self.run_requested.emit([])

    def _on_stop(self) -> None:
        if not self._stop.busy:
            self._stop.set_busy(busy=True)
            self.stop_requested.emit()

    def _on_one(self, name: str) -> None:
        if self._work == "rest":
            self.run_requested.emit([name])

    def _on_picture(self, picture_id: str) -> None:
        picture = self.detail.picture(picture_id)
        current = self.list.current
        if picture is not None and current is not None:
            self.picture_opened.emit(current.name, picture)

    def _show_current(self) -> None:
        self.detail.show_check(self.list.current)
        self._place_detail()

    def _refresh(self) -> None:
        checks = self.checks
        asked = self._work == "checks"
        running = any(check.running for check in checks)
        self._stack.setCurrentIndex(0 if checks else 1)
        words = self.tr("Preparing the checks") if self._preparing else summary_words(checks)
        self._summary.setText(words)
        self._run.set_busy(busy=asked or running)
        self._run.setEnabled(asked or running or self._work == "rest")
        self._run.setToolTip("" if asked else wait_words(self._work))
        # Those of a build end with the build.
        self._stop.setVisible(asked)
        if not asked:
            self._stop.set_busy(busy=False)
        self._run.setVisible(bool(checks))
        self._show_current()

    def _place_detail(self) -> None:
        self.detail.setVisible(self.list.current is not None and self.width() >= _DETAIL_FROM)
        self.detail.setFixedWidth(max(300, min(560, round(self.width() * _DETAIL_SHARE))))
