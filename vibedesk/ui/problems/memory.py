"""One problem with everything that is remembered of it, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from vibedesk.ui.problems.delegate import LEVEL_LOOKS
from vibedesk.ui.problems.problem import (
    Problem,
    cost_words,
    seen_words,
    source_words,
    status_words,
    try_words,
)
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label
from vibedesk.ui.work import Work, wait_words

_STACK_LINES = 6


class ProblemView(QFrame):
    """Message, place, since when, what was tried and what that cost; Fix, Skip and Copy.

    Signals:
        opened: Show the place of this problem, by its signature.
        fix_requested, skip_requested, copy_requested: What the person wants done with it.
        transcript_requested: Show a debugging session.
    """

    opened = Signal(str)
    fix_requested = Signal(str)
    skip_requested = Signal(str)
    copy_requested = Signal(str)
    transcript_requested = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._problem: Problem | None = None
        self._work: Work = "rest"
        self.setProperty("role", "problemview")
        self.setAccessibleName(self.tr("The chosen problem"))
        self._fix = text_button(theme, self.tr("Fix"), icon="wrench", compact=True)
        self._skip = text_button(theme, self.tr("Skip"), variant="ghost", compact=True)
        self._copy = text_button(theme, self.tr("Copy"), variant="ghost", icon="copy", compact=True)
        self._skip.setToolTip(self.tr("Leave it for the next phase"))
        for button, signal in (
            (self._fix, self.fix_requested),
            (self._skip, self.skip_requested),
            (self._copy, self.copy_requested),
        ):
            button.clicked.connect(lambda _=False, signal=signal: signal.emit(self.signature))
        self._status = ElidedLabel(tone="muted")
        self._status.setProperty("fs", "small")
        bar = frame(
            "problembar",
            hbox(
                self._fix, self._skip, self._copy, None, self._status,
                gap=4, margins=(8, 4, 12, 4),
            ),
        )  # fmt: skip
        self._page = QWidget()
        self._column = QVBoxLayout(self._page)
        self._column.setContentsMargins(14, 8, 12, 10)
        self._column.setSpacing(5)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._page)
        scroll.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        scroll.setAccessibleName(self.tr("What is known of the problem"))
        self.setLayout(vbox(bar, (scroll, 1), gap=0))

    @property
    def signature(self) -> str:
        """Of the shown problem; "" while there is none."""
        return self._problem.signature if self._problem is not None else ""

    def words(self) -> str:
        """Return what is shown, line by line."""
        shown = [part.text() for part in self._page.findChildren(QLabel)]
        wells = [part.toPlainText() for part in self._page.findChildren(QPlainTextEdit)]
        return "\n".join((*shown, *wells))

    def show_problem(self, problem: Problem | None, work: Work = "rest") -> None:
        """Show one, or none, and what `work` that is under way makes of it."""
        if problem == self._problem and work == self._work:
            return
        self._problem, self._work = problem, work
        self._clear()
        if problem is None:
            return
        self._fix.setEnabled(work == "rest")
        self._fix.setToolTip(wait_words(work))
        self._skip.setVisible(problem.status != "skipped")
        self._status.setText(status_words(problem, work))
        self._fill(problem)

    def _clear(self) -> None:
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _fill(self, problem: Problem) -> None:
        icon, tone = LEVEL_LOOKS[problem.level]
        head = QWidget()
        glyph = vbox(2, IconLabel(self._theme, icon, tone, 14), None, gap=0)
        head.setLayout(hbox(glyph, (_wrapped(problem.message.strip(), strong="mid"), 1)))
        self._column.addWidget(head)
        if problem.place:
            place = text_button(self._theme, problem.place, variant="link", compact=True)
            place.setAccessibleName(self.tr("Open {place}").format(place=problem.place))
            place.clicked.connect(lambda: self.opened.emit(problem.signature))
            row = QWidget()
            row.setLayout(hbox(14, place, None, gap=0))
            self._column.addWidget(row)
        found = " · ".join(part for part in (source_words(problem.source), problem.code) if part)
        for words in (found, seen_words(problem)):
            if words:
                self._column.addWidget(_wrapped(words, tone="muted", fs="small"))
        if problem.tries:
            self._column.addWidget(label(self.tr("What was tried"), fs="small", strong="mid"))
        for number, tried in enumerate(problem.tries, start=1):
            text = f"{number}. {try_words(tried)}"
            self._column.addWidget(_wrapped(text, tone="secondary", fs="small"))
            if tried.session:
                self._column.addWidget(self._transcript_button(tried.session))
        cost = cost_words(problem)
        if cost:
            words = self.tr("Cost of the tries: {0}").format(cost)
            self._column.addWidget(_wrapped(words, tone="muted", fs="small"))
        if problem.stack.strip():
            self._column.addWidget(self._stack(problem.stack.strip()))
        self._column.addStretch(1)

    def _transcript_button(self, session: str) -> QWidget:
        read = text_button(
            self._theme, self.tr("Show how it was debugged"), variant="link", compact=True
        )
        read.clicked.connect(lambda: self.transcript_requested.emit(session))
        row = QWidget()
        row.setLayout(hbox(read, None, gap=0))
        return row

    def _stack(self, text: str) -> QPlainTextEdit:
        well = QPlainTextEdit(text)
        well.setReadOnly(True)
        well.setTabChangesFocus(True)
        well.setProperty("role", "output")
        well.setFont(self._theme.font("code_sm"))
        well.setAccessibleName(self.tr("Where it comes from"))
        well.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        lines = min(_STACK_LINES, text.count("\n") + 1)
        well.setFixedHeight(lines * self._theme.line_height("code_sm") + 30)
        return well


def _wrapped(text: str, **look: object) -> QLabel:
    words = label(text, **look)  # type: ignore[arg-type]
    words.setWordWrap(True)
    words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return words
