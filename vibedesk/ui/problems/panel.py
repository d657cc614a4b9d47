"""The problems page of the dock: what is wrong, where, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QFrame,
    QListView,
    QMenu,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from vibedesk.ui.problems.delegate import ProblemDelegate
from vibedesk.ui.problems.memory import ProblemView
from vibedesk.ui.problems.model import Grouping, ProblemsModel
from vibedesk.ui.problems.problem import Level, Problem, tally
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox
from vibedesk.ui.widgets.busy_button import BusyButton
from vibedesk.ui.widgets.buttons import Segment, Segmented, icon_button
from vibedesk.ui.widgets.messages import EmptyState
from vibedesk.ui.work import Work, wait_words

_VIEW_SHARE = 0.34
_VIEW_FROM = 700


class _ProblemList(QListView):
    """The rows; Enter and a click open a problem, Ctrl C copies it."""

    opened = Signal(QModelIndex)
    copy_requested = Signal()

    def __init__(self, theme: Theme, model: ProblemsModel) -> None:
        super().__init__()
        self.setProperty("role", "problems")
        self.setModel(model)
        self.setItemDelegate(ProblemDelegate(theme, self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(self.tr("Problems"))
        self.clicked.connect(self.opened)
        theme.changed.connect(self.viewport().update)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(self.currentIndex())
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy_requested.emit()
        else:
            super().keyPressEvent(event)


class ProblemsPanel(QFrame):
    """Shows the problems that are known. It knows nothing of where they come from.

    Signals:
        opened: The person wants to see the place of a problem: path, line and column from 1 (0: not known).
        fix_requested: Signatures to mend; an empty list means all.
        skip_requested: Signatures to leave for later.
        review_requested: Look at the whole app now.
        security_requested: Look for what would be unsafe to publish.
        transcript_requested: Show a debugging session, by its id.
    """

    opened = Signal(str, int, int)
    fix_requested = Signal(list)
    skip_requested = Signal(list)
    review_requested = Signal()
    security_requested = Signal()
    transcript_requested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "logpage")
        self._theme = theme
        self._work: Work = "rest"
        self.model = ProblemsModel(self)
        self._list = _ProblemList(theme, self.model)
        self._list.opened.connect(self._on_opened)
        self._list.copy_requested.connect(self.copy)
        self._list.customContextMenuRequested.connect(self._show_menu)
        self._list.selectionModel().currentChanged.connect(self._show_current)
        self.view = ProblemView(theme)
        self.view.opened.connect(self.open_problem)
        self.view.fix_requested.connect(lambda signature: self.fix_requested.emit([signature]))
        self.view.skip_requested.connect(lambda signature: self.skip_requested.emit([signature]))
        self.view.copy_requested.connect(lambda _: self.copy())
        self.view.transcript_requested.connect(self.transcript_requested)
        self._none = EmptyState(theme, "check-circle", self.tr("No problems"), "", tone="info")
        self._stack = QStackedWidget()
        self._stack.addWidget(self._list)
        self._stack.addWidget(self._none)
        self.setLayout(hbox((self._stack, 1), self.view, gap=0))
        self.tools = self._make_tools()
        for keys, step in ((Qt.Key.Key_F8, 1), (Qt.Modifier.SHIFT | Qt.Key.Key_F8, -1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(lambda step=step: self.step(step))
        self._refresh()

    @property
    def problems(self) -> Sequence[Problem]:
        return self.model.problems

    @property
    def current(self) -> Problem | None:
        row = self._list.currentIndex().data(ProblemsModel.ROW)
        return row if isinstance(row, Problem) else None

    def sizeHint(self) -> QSize:
        return QSize(900, 150)

    # -- what it shows

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Show these, the gravest first; the one at hand stays so if it is among them."""
        self._keeping(lambda: self.model.set_problems(problems))

    def set_work(self, work: Work) -> None:
        """Say what is under way: until it ends nothing else can be asked for."""
        self._work = work
        self.model.set_work(work)
        looking = work == "security"
        self._security.set_busy(busy=looking)
        for button, does in self._asking.items():
            button.setEnabled(work == "rest" or (looking and button is self._security))
            button.setToolTip(wait_words(work) or does)
        self._show_current()

    def set_reviewing(self, *, reviewing: bool) -> None:
        """Show that the look that was asked for is under way."""
        self._review.set_busy(busy=reviewing)

    def set_checked(self, words: str) -> None:
        """Say when the app was last looked at, for an empty list."""
        self._none.set_words(self.tr("No problems"), words)

    def set_grouping(self, grouping: Grouping) -> None:
        self._keeping(lambda: self.model.set_grouping(grouping))

    def set_levels(self, levels: frozenset[Level]) -> None:
        """Show only problems of these levels."""
        self._keeping(lambda: self.model.set_levels(levels))

    def choose(self, signature: str) -> bool:
        """Bring a problem to hand; return whether it is shown."""
        row = self.model.row_of(signature)
        if row >= 0:
            self._list.setCurrentIndex(self.model.index(row, 0))
        return row >= 0

    def clear(self) -> None:
        self.set_levels(frozenset(("error", "warning")))
        self._filter.set_current("all")
        self.set_problems(())
        self.set_work("rest")
        self.set_reviewing(reviewing=False)
        self.set_checked("")

    # -- what the person does

    def step(self, step: Literal[1, -1]) -> None:
        """Go to the next or previous problem and open its place."""
        row = self.model.step_from(self._list.currentIndex().row(), step)
        if row >= 0:
            index = self.model.index(row, 0)
            self._list.setCurrentIndex(index)
            self._on_opened(index)

    def open_problem(self, signature: str) -> None:
        """Ask for the place of a problem to be shown."""
        row = self.model.row_of(signature)
        if row >= 0:
            self._on_opened(self.model.index(row, 0))

    def copy(self) -> None:
        """Copy the problem at hand, or all that are shown."""
        shown = [row for row in self.model.rows if isinstance(row, Problem)]
        wanted = [self.current] if self.current is not None else shown
        text = "\n\n".join(problem.text() for problem in wanted)
        QGuiApplication.clipboard().setText(text)

    def menu_for(self, problem: Problem) -> QMenu:
        """Return the context menu of a problem."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if problem.file:
            menu.addAction(self.tr("Open")).triggered.connect(
                lambda: self.open_problem(problem.signature)
            )
        fix = menu.addAction(self.tr("Fix"))
        fix.setEnabled(self._work == "rest")
        fix.triggered.connect(lambda: self.fix_requested.emit([problem.signature]))
        if problem.status != "skipped":
            menu.addAction(self.tr("Skip")).triggered.connect(
                lambda: self.skip_requested.emit([problem.signature])
            )
        menu.addAction(self.tr("Copy")).triggered.connect(self.copy)
        return menu

    # -- inside

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refresh_view()

    def _make_tools(self) -> QWidget:
        theme = self._theme
        self._filter = Segmented(
            theme,
            self.tr("Which problems to show"),
            [
                Segment(key="all", text=self.tr("All")),
                Segment(key="error", text=self.tr("Errors")),
                Segment(key="warning", text=self.tr("Warnings")),
            ],
        )
        self._filter.setFixedHeight(26)
        self._filter.chosen.connect(self._on_filter)
        self._review = BusyButton(
            theme, self.tr("Review now"), self.tr("Reviewing"), "shield-check", "ghost"
        )
        self._review.clicked.connect(self._on_review)
        self._security = BusyButton(
            theme,
            self.tr("Security review"),
            self.tr("Reviewing security"),
            "shield",
            "ghost",
            icon_only=True,
        )
        self._security.clicked.connect(self._on_security)
        self._fix_all = icon_button(theme, "wrench", self.tr("Fix all"), size=15, small=True)
        self._fix_all.clicked.connect(lambda: self.fix_requested.emit([]))
        self._asking: dict[QAbstractButton, str] = {
            self._fix_all: self.tr("Fix all"),
            self._security: self.tr(
                "Security review: look for secrets, unsafe code and packages with known holes"
            ),
            self._review: self.tr("Look at types, lint, the running app and its checks"),
        }
        for button, does in self._asking.items():
            button.setToolTip(does)
        self._more = icon_button(theme, "rows", self.tr("Group problems"), size=15, small=True)
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self._more)
        by_file = menu.addAction(self.tr("Group by file"))
        by_source = menu.addAction(self.tr("Group by who found them"))
        by_file.triggered.connect(lambda: self.set_grouping("file"))
        by_source.triggered.connect(lambda: self.set_grouping("source"))
        self._more.setMenu(menu)
        return frame(
            "plain",
            hbox(
                None, self._filter, self._more, self._fix_all, self._security, self._review,
                gap=4, margins=(0, 0, 4, 0),
            ),
        )  # fmt: skip

    def _on_filter(self, key: str) -> None:
        levels: dict[str, frozenset[Level]] = {
            "error": frozenset(("error",)),
            "warning": frozenset(("warning",)),
        }
        self.set_levels(levels.get(key, frozenset(("error", "warning"))))

    def _on_review(self) -> None:
        if not self._review.busy:
            self.review_requested.emit()

    def _on_security(self) -> None:
        if not self._security.busy:
            self.security_requested.emit()

    def _on_opened(self, index: QModelIndex) -> None:
        row = index.data(ProblemsModel.ROW)
        if isinstance(row, Problem) and row.file:
            self.opened.emit(row.file, row.line, row.column)

    def _show_menu(self, at: QPoint) -> None:
        row = self._list.indexAt(at).data(ProblemsModel.ROW)
        if isinstance(row, Problem):
            self.menu_for(row).popup(self._list.viewport().mapToGlobal(at))

    def _keeping(self, change: Callable[[], None]) -> None:
        """Do what changes the rows, and keep the problem at hand."""
        before = self.current
        change()
        if before is None or not self.choose(before.signature):
            first = self.model.step_from(-1, 1)
            if first >= 0:
                self._list.setCurrentIndex(self.model.index(first, 0))
        self._refresh()

    def _refresh(self) -> None:
        errors, warnings = tally(self.problems)
        many = self.tr("{0} errors") if errors != 1 else self.tr("1 error")
        self._filter.set_text("error", many.format(errors))
        many = self.tr("{0} warnings") if warnings != 1 else self.tr("1 warning")
        self._filter.set_text("warning", many.format(warnings))
        shown = self.model.rowCount() > 0
        self._filter.setVisible(bool(self.problems))
        self._more.setVisible(bool(self.problems))
        self._fix_all.setVisible(bool(self.problems))
        self._stack.setCurrentIndex(0 if shown else 1)
        self._show_current()

    def _show_current(self) -> None:
        self.view.show_problem(self.current, self._work)
        self._refresh_view()

    def _refresh_view(self) -> None:
        self.view.setVisible(self.current is not None and self.width() >= _VIEW_FROM)
        self.view.setFixedWidth(max(280, min(400, round(self.width() * _VIEW_SHARE))))
