"""The review of a file that the model wrote anew: it fills while it is written, then each change is decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QProgressBar, QStackedWidget, QWidget

from vibedesk.ui.review.diff_lines import DiffHunk
from vibedesk.ui.review.diff_view import Decision, DiffView
from vibedesk.ui.review.writing_view import WritingView
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox, vbox
from vibedesk.ui.widgets.buttons import Segment, Segmented, icon_button, text_button
from vibedesk.ui.widgets.labels import ElidedLabel, key_hint, label
from vibedesk.ui.widgets.messages import EmptyState
from vibedesk.ui.widgets.rings import Spinner

ReviewState = Literal["writing", "ready", "interrupted", "failed"]
_WIDE, _NARROW = 720, 560
_MOST_SHARE = 0.95
"""How full the bar gets before the end has come: the new file may be longer than the old one."""


class ReviewPage(QWidget):
    """One file written anew. It knows nothing of where that comes from.

    Signals:
        take_requested: Take these hunks over (a list of indexes).
        drop_requested: Forget it; also: stop writing it.
        again_requested: Have it written once more; of one that is whole the person may want something else.
    """

    take_requested = Signal(list)
    drop_requested = Signal()
    again_requested = Signal()

    def __init__(self, theme: Theme, path: str, instructions: str) -> None:
        super().__init__()
        self._theme = theme
        self.path = path
        self.instructions = instructions
        self.state: ReviewState = "writing"
        self._hunks: list[DiffHunk] = []
        self._old_lines = 0
        self._busy = False
        self._asked_for: list[int] = []
        self._title = ElidedLabel(path.rsplit("/", 1)[-1])
        self._title.setProperty("fs", "title_sm")
        self._asked = ElidedLabel(" ".join(instructions.split()), tone="muted")
        self._asked.setProperty("fs", "small")
        self._layout_choice = Segmented(
            theme,
            self.tr("How changes are shown"),
            (
                Segment(key="unified", text=self.tr("Unified"), icon="rows"),
                Segment(key="split", text=self.tr("Side by side"), icon="columns"),
            ),
        )
        self._drop = text_button(theme, self.tr("Drop"), compact=True)
        self._drop.setToolTip(self.tr("Forget what was written. The file stays as it is."))
        self._other = icon_button(
            theme, "arrow-clockwise", self.tr("Ask for it again…"), small=True
        )
        self._take_all = text_button(theme, self.tr("Take all"), compact=True)
        self._take = text_button(theme, "", variant="primary", icon="check", compact=True)
        self._view = DiffView(theme)
        self._writing = WritingView(theme)
        self._writing.begin(path)
        self._message = EmptyState(theme, "clock-counter-clockwise", "", "", tone="warning")
        self._again = text_button(theme, self.tr("Ask again"), icon="arrow-clockwise")
        self._message_page = QWidget()
        self._stack = QStackedWidget()
        self._build()
        self._connect()
        self._refresh()

    # -- what it shows

    def begin(self) -> None:
        """It is written from its beginning, for the first time or again."""
        self.state = "writing"
        self._writing.begin(self.path)
        self._refresh()

    def set_old(self, text: str) -> None:
        """Say what the file was when it was asked for."""
        self._old_lines = text.count("\n") + 1
        if self.state == "writing":
            self._writing.set_old(text)
            self._refresh()

    def add(self, text: str) -> None:
        """More of it has come."""
        self._writing.add(text)
        self._refresh_progress()

    def show_hunks(self, hunks: Sequence[DiffHunk]) -> None:
        """It is whole; nothing is decided yet."""
        self.state, self._hunks = "ready", list(hunks)
        self._view.show_hunks(hunks, decidable=True)
        self._refresh()

    def show_interrupted(self) -> None:
        self._show_end("interrupted", self.tr("Interrupted"), self._interrupted_words())

    def show_failed(self, message: str, remedy: str) -> None:
        """It could not be written."""
        self._show_end("failed", self.tr("Not written"), f"{message} {remedy}".strip())

    def show_conflict(self, hunk: int, sentence: str) -> None:
        """A chosen hunk does not fit any more: it is left out, the others stay chosen, and the person sees why."""
        self.set_busy(busy=False)
        if 0 <= hunk < len(self._hunks):
            for other in self._asked_for:
                if other != hunk:
                    self._view.set_decision(other, "take")
            self._view.set_decision(hunk, "leave", sentence)
        self._refresh()

    def set_busy(self, *, busy: bool) -> None:
        """Show that what was asked for is being done."""
        self._busy = busy
        self._refresh()

    @property
    def chosen(self) -> list[int]:
        """Return which hunks the person took."""
        return [at for at, decision in enumerate(self._view.decisions) if decision == "take"]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        self._layout_choice.setVisible(wide and self.state == "ready")
        self._view.set_layout(
            "split" if wide and self._layout_choice.current == "split" else "unified"
        )
        self._foot_words.setVisible(wide)
        across = self.width() >= _NARROW
        self._head_row.setDirection(
            QBoxLayout.Direction.LeftToRight if across else QBoxLayout.Direction.TopToBottom
        )

    # -- inside

    def _build(self) -> None:
        theme = self._theme
        words = vbox(self._title, self._asked, gap=0)
        self._asked.setVisible(bool(self._asked.text()))
        buttons = hbox(None, self._other, self._drop, self._take_all, self._take, gap=6)
        self._buttons = frame("plain", buttons)
        texts = QWidget()
        texts.setLayout(words)
        self._head_row = hbox(
            (texts, 1), self._layout_choice, self._buttons, gap=10, margins=(14, 7, 8, 7)
        )
        head = frame("header", self._head_row)
        self._spinner = Spinner(theme, 14, "live.solid")
        self._progress_words = label("", tone="live", fs="small")
        self._progress = QProgressBar()
        self._progress.setProperty("role", "thin")
        self._progress.setTextVisible(False)
        self._progress.setRange(0, 100)
        self._progress.setAccessibleName(self.tr("How much is written"))
        self._cancel = text_button(theme, self.tr("Cancel"), compact=True)
        self._progress_row = frame(
            "header",
            hbox(
                self._spinner,
                self._progress_words,
                (self._progress, 1),
                self._cancel,
                gap=10,
                margins=(14, 4, 8, 4),
            ),
        )
        self._counts = label("", tone="success", mono=True)
        self._counts_gone = label("", tone="danger", mono=True)
        self._place = label("", tone="muted", fs="small")
        self._previous = icon_button(
            theme, "arrow-up", self.tr("Previous change"), size=14, small=True, shortcut="K"
        )
        self._next = icon_button(
            theme, "arrow-down", self.tr("Next change"), size=14, small=True, shortcut="J"
        )
        path = ElidedLabel(self.path, tone="secondary", mode=Qt.TextElideMode.ElideLeft)
        self._place_row = frame(
            "header",
            hbox(
                (path, 1),
                self._counts,
                self._counts_gone,
                8,
                self._previous,
                self._place,
                self._next,
                gap=6,
                margins=(14, 3, 8, 3),
            ),
        )
        self._message_page.setLayout(
            vbox(
                None,
                self._message,
                hbox(None, self._again, None),
                None,
                gap=0,
                margins=(0, 0, 0, 16),
            )
        )
        for page in (self._writing, self._view, self._message_page):
            self._stack.addWidget(page)
        self._foot_words = label(
            self.tr("What you do not take stays out of the file"), tone="muted", fs="small"
        )
        keys = hbox(gap=14)
        for names, meaning in (
            (("Y",), self.tr("take")),
            (("N",), self.tr("leave")),
            (("J", "K"), self.tr("next, previous")),
        ):
            hints = [key_hint(name) for name in names]
            add_layout(keys, hbox(*hints, label(meaning, tone="muted", fs="small"), gap=5))
        self._foot = frame("reviewfoot", hbox(keys, None, self._foot_words, margins=(14, 6, 14, 6)))
        self.setLayout(
            vbox(
                head,
                self._progress_row,
                self._place_row,
                (self._stack, 1),
                self._foot,
                gap=0,
            )
        )
        name = self.tr("Review of {0}").format(self.path)
        self.setAccessibleName(name)

    def _connect(self) -> None:
        self._drop.clicked.connect(self.drop_requested)
        self._cancel.clicked.connect(self.drop_requested)
        self._again.clicked.connect(self.again_requested)
        self._other.clicked.connect(self.again_requested)
        self._take_all.clicked.connect(lambda: self._ask_for(self._view.fitting))
        self._take.clicked.connect(self._on_take)
        self._view.decided.connect(lambda _index, _decision: self._refresh())
        self._view.current_changed.connect(lambda _index: self._refresh_place())
        self._previous.clicked.connect(lambda: self._view.go_to(self._view.current - 1))
        self._next.clicked.connect(lambda: self._view.go_to(self._view.current + 1))
        self._layout_choice.chosen.connect(self._view.set_layout)

    def _on_take(self) -> None:
        undecided = all(decision == "open" for decision in self._view.decisions)
        self._ask_for(self._view.fitting if undecided else self.chosen)

    def _ask_for(self, hunks: list[int]) -> None:
        self._asked_for = hunks
        self.take_requested.emit(hunks)

    def _show_end(self, state: ReviewState, title: str, text: str) -> None:
        self.state = state
        self._message.set_words(title, text)
        self._refresh()

    def _interrupted_words(self) -> str:
        return self.tr("VibeDesk was closed while it wrote this file. The file is as it was.")

    def _refresh(self) -> None:
        ready, writing = self.state == "ready", self.state == "writing"
        has_changes = ready and bool(self._hunks)
        if ready and not self._hunks:
            self._message.set_words(
                self.tr("Nothing would change"),
                self.tr("What was written reads as the file does."),
            )
        pages = {True: self._view if has_changes else self._message_page, False: self._message_page}
        self._stack.setCurrentWidget(self._writing if writing else pages[ready])
        self._progress_row.setVisible(writing)
        self._spinner.setVisible(writing)
        self._place_row.setVisible(has_changes)
        self._foot.setVisible(has_changes)
        self._layout_choice.setVisible(has_changes and self.width() >= _WIDE)
        self._buttons.setVisible(not writing)
        self._again.setVisible(self.state in ("interrupted", "failed"))
        # Whoever enters the page is where there is something to do.
        self.setFocusProxy(self._view if has_changes else self._cancel if writing else self._drop)
        self._refresh_buttons(has_changes=has_changes)
        self._refresh_progress()
        self._refresh_place()

    def _refresh_buttons(self, *, has_changes: bool) -> None:
        decisions: list[Decision] = self._view.decisions if has_changes else []
        count, taken = len(decisions), decisions.count("take")
        undecided = decisions.count("open") == count
        self._take.setVisible(has_changes)
        more = has_changes and taken < len(self._view.fitting)
        self._take_all.setVisible(more and not undecided)
        if undecided:
            words = self.tr("Take all {0} changes") if count != 1 else self.tr("Take the change")
            words = words.format(count)
        else:
            words = self.tr("Take {0} of {1} changes").format(taken, count)
        self._take.setText(f"\u2009{words}")
        self._take.setAccessibleName(words)
        self._take.setEnabled(not self._busy and (undecided or taken > 0))
        self._take.setToolTip("" if self._take.isEnabled() else self.tr("No change is taken yet"))
        self._take_all.setEnabled(not self._busy)
        self._other.setVisible(self.state == "ready")
        self._other.setEnabled(not self._busy)
        self._drop.setEnabled(not self._busy)
        self._again.setEnabled(not self._busy)

    def _refresh_progress(self) -> None:
        if self.state != "writing":
            return
        lines = self._writing.line_count
        if not lines:
            self._progress_words.setText(self.tr("Asking for it"))
        elif self._old_lines:
            text = self.tr("Writing, {0} of about {1} lines")
            self._progress_words.setText(text.format(lines, max(lines, self._old_lines)))
        share = min(_MOST_SHARE, lines / self._old_lines) if self._old_lines else 0.0
        self._progress.setValue(max(self._progress.value(), round(100 * share)) if lines else 0)

    def _refresh_place(self) -> None:
        count, current = len(self._hunks), self._view.current
        self._counts.setText(f"+{sum(hunk.added for hunk in self._hunks)}")
        self._counts_gone.setText(f"-{sum(hunk.removed for hunk in self._hunks)}")
        self._place.setText(self.tr("{0} of {1}").format(current + 1, count))
        self._previous.setEnabled(current > 0)
        self._next.setEnabled(current + 1 < count)
