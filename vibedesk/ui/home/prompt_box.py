"""The box a person describes an app in."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent

from vibedesk.ui.chat.image_tray import ImageTray
from vibedesk.ui.chat.pictures import DropFrame, Source
from vibedesk.ui.chat.prompt_field import PromptField
from vibedesk.ui.home.starter_picker import StarterPicker
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hairline, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, key_hint, label, set_look
from vibedesk.ui.widgets.rings import Spinner

_LINES_AT_LEAST = 3
_LINES_AT_MOST = 9


class PromptBox(DropFrame):
    """Takes a wish and hands it over once; without a model it offers to add one instead."""

    submitted = Signal(str, object)
    """The wish, and a tuple of `Attached`."""
    wish_changed = Signal(str)
    add_model_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__("prompt")
        self._theme = theme
        self._model = ""
        self._busy = False
        self._field = PromptField(
            theme,
            self.tr("Describe the app you want"),
            least=_LINES_AT_LEAST,
            most=_LINES_AT_MOST,
            font="lead",
        )
        self._field.setPlaceholderText(
            self.tr("Describe the app you want. You can drop pictures here.")
        )
        self._field.sent.connect(self.submit)
        self._field.textChanged.connect(self._on_text_changed)
        self._tray = ImageTray(theme)
        self._tray.changed.connect(self._refresh)
        self._field.images_offered.connect(self._tray.offer)
        self._attach = text_button(
            theme, self.tr("Attach"), variant="ghost", icon="paperclip", compact=True
        )
        self._attach.setAccessibleName(self.tr("Attach pictures"))
        self._attach.clicked.connect(self._tray.choose)
        self._starters = StarterPicker(theme)
        self._field.focus_changed.connect(lambda on: set_look(self, "focused", on))
        self._model_glyph = IconLabel(theme, "brain", "text.muted", 16)
        self._model_words = ElidedLabel("", tone="secondary")
        self._hint = label("", tone="muted", fs="small")
        self._estimate = label("", tone="muted", fs="small")
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
            self._estimate,
            self._key,
            2,
            self._plan,
            self._add,
            gap=8,
            margins=(18, 9, 10, 9),
        )
        text = vbox(self._field, self._tray, margins=(18, 15, 14, 4))
        # With what goes with the wish beside it, the model and the estimate would have no room.
        tools = hbox(self._attach, self._starters, None, gap=2, margins=(8, 0, 10, 6))
        self.setLayout(vbox(text, tools, hairline(), foot, gap=0))
        self._refresh()

    @property
    def tray(self) -> ImageTray:
        """The pictures that go with the wish."""
        return self._tray

    @property
    def starters(self) -> StarterPicker:
        """What the app begins with."""
        return self._starters

    def text(self) -> str:
        return self._field.toPlainText()

    def set_text(self, text: str) -> None:
        self._field.set_text(text)

    def set_estimate(self, text: str, why: str) -> None:
        """Say what the wish will cost, and what that rests on; an empty text says nothing."""
        self._estimate.setText(text)
        self._estimate.setToolTip(why)
        self._estimate.setAccessibleName(text)
        self._estimate.setAccessibleDescription(why)
        self._refresh()

    def take_sources(self, sources: list[Source]) -> None:
        self._tray.offer(sources)

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
        if wish and self._model and not self._busy and not self._tray.reading:
            self.submitted.emit(wish, self._tray.pictures)
        elif wish and not self._model:
            self._add.setFocus()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._field.setFocus()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self._refresh()

    def _on_text_changed(self) -> None:
        self._refresh()
        self.wish_changed.emit(self.text())

    def _refresh(self) -> None:
        has_model, has_wish = bool(self._model), bool(self.text().strip())
        self._model_words.setText(self._model if has_model else self.tr("No model yet"))
        self._model_glyph.set_icon("brain", "text.muted" if has_model else "warning.text")
        self._plan.setVisible(has_model)
        self._add.setVisible(not has_model)
        reading = self._tray.reading
        self._plan.setEnabled(has_wish and not self._busy and not reading)
        tip = "" if has_wish else self.tr("Describe the app first")
        if reading:
            tip = self.tr("The pictures are still being read.")
        self._attach.setEnabled(not self._busy)
        self._starters.setEnabled(not self._busy)
        self._estimate.setVisible(has_model and bool(self._estimate.text()) and not self._busy)
        self._plan.setToolTip(tip)
        self._spinner.setVisible(self._busy)
        self._hint.setText(self.tr("Starting the project") if self._busy else "")
        self._key.setVisible(has_model and has_wish and not self._busy)
