"""The box a person describes an app in."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hairline, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, key_hint, label, set_look
from vibedesk.ui.widgets.rings import Spinner

_LINES_AT_LEAST = 3
_LINES_AT_MOST = 9


class _WishField(QPlainTextEdit):
    """A field that grows with its text; Enter sends, Shift Enter makes a line."""

    sent = Signal()
    focus_changed = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("role", "prompt")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setAccessibleName(self.tr("Describe the app you want"))
        self.setPlaceholderText(self.tr("Describe the app you want."))
        self.document().setDocumentMargin(0)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        theme.changed.connect(self._dress)
        self._dress()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.sent.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    def _dress(self) -> None:
        self.setFont(self._theme.font("lead"))
        self._fit()

    def _fit(self) -> None:
        # A plain text document measures its height in lines.
        lines = int(self.document().size().height())
        shown = max(_LINES_AT_LEAST, min(_LINES_AT_MOST, lines))
        self.setFixedHeight(shown * self.fontMetrics().lineSpacing() + 6)
        needs_bar = lines > _LINES_AT_MOST
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if needs_bar else policy.ScrollBarAlwaysOff
        )


class PromptBox(QFrame):
    """Takes a wish and hands it over once; without a model it offers to add one instead."""

    submitted = Signal(str)
    add_model_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._model = ""
        self._busy = False
        self.setProperty("role", "prompt")
        self._field = _WishField(theme)
        self._field.sent.connect(self.submit)
        self._field.textChanged.connect(self._refresh)
        self._field.focus_changed.connect(lambda on: set_look(self, "focused", on))
        self._model_glyph = IconLabel(theme, "brain", "text.muted", 16)
        self._model_words = ElidedLabel("", tone="secondary")
        self._hint = label("", tone="muted", fs="small")
        self._key = key_hint(self.tr("Enter"))
        self._spinner = Spinner(theme, 16)
        self._plan = text_button(theme, self.tr("Plan it"), variant="primary", icon="arrow-right")
        self._plan.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self._plan.setText(f"{self.tr('Plan it')}\u2009")
        self._plan.clicked.connect(self.submit)
        self._add = text_button(
            theme, self.tr("Add a model first"), variant="primary", icon="brain"
        )
        self._add.clicked.connect(self.add_model_requested)
        foot = hbox(
            self._model_glyph,
            self._model_words,
            None,
            self._spinner,
            self._hint,
            self._key,
            2,
            self._plan,
            self._add,
            gap=8,
            margins=(16, 9, 10, 9),
        )
        text = vbox(self._field, margins=(18, 15, 14, 8))
        self.setLayout(vbox(text, hairline(), foot, gap=0))
        self._refresh()

    def text(self) -> str:
        return self._field.toPlainText()

    def set_text(self, text: str) -> None:
        self._field.setPlainText(text)
        self._field.moveCursor(QTextCursor.MoveOperation.End)

    def set_model(self, name: str) -> None:
        """Show which model will be asked; empty means that none is set up."""
        self._model = name
        self._refresh()

    def set_busy(self, *, busy: bool) -> None:
        """Say that the wish was taken and the project is being made."""
        self._busy = busy
        self._field.setReadOnly(busy)
        self._refresh()

    def submit(self) -> None:
        """Hand over what is written, if there is anything and a model to ask."""
        wish = self.text().strip()
        if wish and self._model and not self._busy:
            self.submitted.emit(wish)
        elif wish and not self._model:
            self._add.setFocus()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._field.setFocus()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self._refresh()

    def _refresh(self) -> None:
        has_model, has_wish = bool(self._model), bool(self.text().strip())
        self._model_words.setText(self._model if has_model else self.tr("No model yet"))
        self._model_glyph.set_icon("brain", "text.muted" if has_model else "warning.text")
        self._plan.setVisible(has_model)
        self._add.setVisible(not has_model)
        self._plan.setEnabled(has_wish and not self._busy)
        tip = "" if has_wish else self.tr("Describe the app first")
        self._plan.setToolTip(tip)
        self._spinner.setVisible(self._busy)
        self._hint.setText(self.tr("Starting the project") if self._busy else "")
        self._key.setVisible(has_model and has_wish and not self._busy)
