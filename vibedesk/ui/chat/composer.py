"""Where the person writes: two to eight lines, what waits to be sent above, send and stop below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent, QTextOption
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label, set_look

ComposerMode = Literal["idle", "running", "waiting", "blueprint"]
_LEAST_LINES, _MOST_LINES = 2, 8
_FIELD_PADDING = 4
_HINT_FROM = 320


class _Field(QPlainTextEdit):
    """The text field; says what a key means to the composer."""

    sent = Signal()
    last_requested = Signal()
    focus_changed = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("role", "prompt")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Message to VibeDesk"))
        self.document().setDocumentMargin(0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        theme.changed.connect(self._fit)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.sent.emit()
        elif event.key() == Qt.Key.Key_Up and not self.toPlainText():
            self.last_requested.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    def _fit(self) -> None:
        # A plain text document measures its height in lines.
        lines = round(self.document().size().height())
        shown = max(_LEAST_LINES, min(_MOST_LINES, lines))
        line = self.fontMetrics().lineSpacing()
        self.setFixedHeight(shown * line + _FIELD_PADDING)
        scrolls = lines > _MOST_LINES
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded
            if scrolls
            else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )


class _Queue(QFrame):
    """Messages that wait for their turn."""

    edit_requested = Signal(int)
    remove_requested = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self.setAccessibleName(self.tr("Queued messages"))
        self.hide()

    def set_messages(self, messages: Sequence[str]) -> None:
        while (taken := self._column.takeAt(0)) is not None:
            row = taken.widget()
            if isinstance(row, QWidget):
                row.hide()
                row.deleteLater()
        for index, text in enumerate(messages):
            self._column.addWidget(self._row(index, text))
        self.setVisible(bool(messages))

    def _row(self, index: int, text: str) -> QWidget:
        words = ElidedLabel(" ".join(text.split()), tone="secondary")
        edit = icon_button(
            self._theme, "pencil-simple", self.tr("Edit queued message"), size=14, small=True
        )
        edit.clicked.connect(lambda: self.edit_requested.emit(index))
        remove = icon_button(
            self._theme, "x", self.tr("Remove queued message"), size=14, small=True
        )
        remove.clicked.connect(lambda: self.remove_requested.emit(index))
        glyph = IconLabel(self._theme, "hourglass", "text.muted", 14)
        row = frame("queued", hbox(glyph, (words, 1), edit, remove, gap=6, margins=(10, 3, 4, 3)))
        row.setAccessibleName(self.tr("Queued: {text}").format(text=text))
        return row


class Composer(QWidget):
    """Enter sends, Shift+Enter begins a line, Up in the empty field brings the last message back."""

    sent = Signal(str)
    stop_requested = Signal()
    draft_changed = Signal(str)
    queue_changed = Signal(list)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._mode: ComposerMode = "idle"
        self._sample = False
        self._blocked = ""
        self._last = ""
        self._messages: list[str] = []
        self._queue = _Queue(theme)
        self._queue.edit_requested.connect(self._on_queue_edit)
        self._queue.remove_requested.connect(self._on_queue_remove)
        self._field = _Field(theme)
        self._field.sent.connect(self.send)
        self._field.last_requested.connect(self._on_last_requested)
        self._field.textChanged.connect(self._on_text_changed)
        self._model = ElidedLabel("", tone="secondary")
        self._model.setProperty("fs", "small")
        self._model.setProperty("strong", "mid")
        self._model_icon = IconLabel(theme, "brain", "text.secondary", 14)
        self._hint = label("", tone="muted", fs="caption")
        self._send = self._button("send", "arrow-up", "text.on_accent", self.tr("Send"))
        self._send.clicked.connect(self.send)
        self._stop = self._button("stop", "stop-fill", "text.primary", self.tr("Stop"))
        self._stop.setToolTip(self.tr("Stop. Finished files are kept."))
        self._stop.clicked.connect(self.stop_requested)
        foot = hbox(
            self._model_icon,
            (self._model, 1),
            self._hint,
            4,
            self._send,
            self._stop,
            gap=6,
            margins=(12, 0, 6, 6),
        )
        field = hbox(self._field, margins=(12, 10, 8, 0))
        box = frame("composer", vbox(field, foot, gap=2))
        self._field.focus_changed.connect(lambda on: set_look(box, "focused", on))
        self.setLayout(vbox(self._queue, box, gap=6))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusProxy(self._field)
        self.set_model("")
        self.set_running(False)

    def draft(self) -> str:
        """Return what is written and not sent."""
        return self._field.toPlainText()

    def set_draft(self, text: str) -> None:
        """Put text into the field, the cursor behind it."""
        self._field.setPlainText(text)
        self._field.moveCursor(self._field.textCursor().MoveOperation.End)

    def set_mode(self, mode: ComposerMode) -> None:
        self._mode = mode
        self._refresh()

    def set_running(self, running: bool) -> None:
        """Show or hide the stop button; what is sent while it shows joins the queue."""
        self._stop.setVisible(running)
        self._refresh()

    def set_sample(self, sample: bool) -> None:
        self._sample = sample
        self._refresh()

    def set_blocked(self, reason: str) -> None:
        """Give the reason why nothing can be sent; an empty one allows it."""
        self._blocked = reason
        self._refresh()

    def set_model(self, name: str) -> None:
        """Say which model answers; nothing is shown for an empty name."""
        self._model.setText(name)
        self._model_icon.setVisible(bool(name))

    def set_queue(self, messages: Sequence[str]) -> None:
        self._messages = list(messages)
        self._queue.set_messages(self._messages)

    def set_last(self, text: str) -> None:
        """Remember the message that Up brings back."""
        self._last = text

    def send(self) -> None:
        text = self.draft().strip()
        if not text or self._blocked:
            return
        self._last = text
        self._field.clear()
        self.sent.emit(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hint.setVisible(self.width() >= _HINT_FROM)

    def _button(self, role: str, icon: str, tone: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setProperty("role", role)
        button.setIcon(self._theme.icon(icon, tone, 15))
        button.setIconSize(QSize(15, 15))
        button.setAccessibleName(name)
        button.setToolTip(name)
        return button

    def _on_text_changed(self) -> None:
        self._refresh()
        self.draft_changed.emit(self.draft())

    def _on_last_requested(self) -> None:
        if self._last:
            self.set_draft(self._last)

    def _on_queue_edit(self, index: int) -> None:
        text = self._messages[index]
        self._on_queue_remove(index)
        self.set_draft("\n".join(part for part in (self.draft(), text) if part))
        self._field.setFocus()

    def _on_queue_remove(self, index: int) -> None:
        self.set_queue(self._messages[:index] + self._messages[index + 1 :])
        self.queue_changed.emit(list(self._messages))

    def _refresh(self) -> None:
        written = bool(self.draft().strip())
        running = self._stop.isVisibleTo(self)
        self._field.setPlaceholderText(self._placeholder())
        # Qt paints a new placeholder only with the next change of the text.
        self._field.viewport().update()
        self._send.setEnabled(written and not self._blocked)
        reason = self._blocked or ("" if written else self.tr("Write something first."))
        self._send.setToolTip(reason or self.tr("Send  Enter"))
        self._send.setAccessibleDescription(reason)
        self._send.setVisible(written or not running)
        hint = self.tr("Enter adds to queue") if running else self.tr("Enter to send")
        self._hint.setText(hint)

    def _placeholder(self) -> str:
        if self._sample:
            return self.tr("Recorded example. No model is asked.")
        return {
            "idle": self.tr("What should change?"),
            "running": self.tr("Ask for a change. It joins the next phase."),
            "waiting": self.tr("Answer, or ask what this does."),
            "blueprint": self.tr("Ask about the plan, or change it in words."),
        }[self._mode]
