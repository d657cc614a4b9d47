"""The one-line head of a card: what it is about, how it stands, and whether it is open."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QStackedLayout, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label, set_tone
from vibedesk.ui.widgets.rings import Spinner

WorkState = Literal["running", "done", "failed", "stopped"]
_GLYPHS: dict[str, tuple[str, str]] = {
    "done": ("check-bold", "success.text"),
    "failed": ("x-circle-fill", "danger.text"),
    "stopped": ("minus-bold", "text.muted"),
}
HEADER_HEIGHT = 36


class StateGlyph(QWidget):
    """A spinner while work runs, then a mark that says how it ended."""

    def __init__(self, theme: Theme, state: WorkState) -> None:
        super().__init__()
        self._icon = IconLabel(theme, "check-bold", "success.text", 14)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(Spinner(theme, 14))
        self._stack.addWidget(self._icon)
        self.setFixedSize(14, 14)
        self.set_state(state)

    def set_state(self, state: WorkState) -> None:
        words = {
            "running": self.tr("running"),
            "done": self.tr("done"),
            "failed": self.tr("failed"),
            "stopped": self.tr("stopped"),
        }
        self.setAccessibleName(words[state])
        if state in _GLYPHS:
            self._icon.set_icon(*_GLYPHS[state])
        self._stack.setCurrentIndex(0 if state == "running" else 1)


class CardHeader(QFrame):
    """Icon, words, a target that gives way first, a count, a state and a chevron.

    With `set_expandable(True)` it is a Tab stop; Space, Enter and clicks toggle it.
    """

    toggled = Signal(bool)

    def __init__(
        self,
        theme: Theme,
        icon: str,
        *,
        mono_target: bool = False,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
    ) -> None:
        super().__init__()
        self.setProperty("role", "foldhead")
        self._theme = theme
        self._icon = IconLabel(theme, icon, "text.muted", 15)
        self._verb = ElidedLabel("")
        self._verb.setProperty("strong", "mid")
        self._target = ElidedLabel("", tone="muted", mode=elide)
        if mono_target:
            self._target.setProperty("mono", True)
        self._extra = label("", tone="muted", fs="small")
        self._glyph = StateGlyph(theme, "running")
        self._chevron = IconLabel(theme, "caret-right", "text.muted", 12)
        self._row = hbox(
            self._icon,
            self._verb,
            (self._target, 1),
            self._extra,
            self._glyph,
            self._chevron,
            margins=(10, 0, 10, 0),
        )
        self.setLayout(self._row)
        self.setFixedHeight(HEADER_HEIGHT)
        self._expanded = False
        self.set_expandable(False)

    @property
    def expanded(self) -> bool:
        return self._expanded

    def set_icon(self, icon: str, tone: str = "text.muted") -> None:
        self._icon.set_icon(icon, tone)

    def set_words(self, verb: str, target: str = "") -> None:
        self._verb.setText(verb)
        self._target.setText(target)
        # With a target it is the target that gives way, else the verb has all the room.
        self._target.setVisible(bool(target))
        self._verb.setMinimumWidth(self._verb.sizeHint().width() if target else 24)
        self._row.setStretch(1, 0 if target else 1)
        self._say()

    def set_extra(self, text: str, tone: str = "muted") -> None:
        self._extra.setText(text)
        self._extra.setVisible(bool(text))
        set_tone(self._extra, tone)
        self._say()

    def set_state(self, state: WorkState | None) -> None:
        self._glyph.setVisible(state is not None)
        if state is not None:
            self._glyph.set_state(state)
        self._say()

    def set_expandable(self, expandable: bool) -> None:
        self._chevron.setVisible(expandable)
        policy = Qt.FocusPolicy.TabFocus if expandable else Qt.FocusPolicy.NoFocus
        self.setFocusPolicy(policy)

    def set_expanded(self, expanded: bool) -> None:
        self._expanded = expanded
        self._chevron.set_icon("caret-down" if expanded else "caret-right")
        self._say()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._toggle()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._toggle()
        else:
            super().keyPressEvent(event)

    def _toggle(self) -> None:
        if self.focusPolicy() != Qt.FocusPolicy.NoFocus:
            self.set_expanded(not self._expanded)
            self.toggled.emit(self._expanded)

    def _say(self) -> None:
        parts = (
            self._verb.text(),
            self._target.text(),
            self._extra.text(),
            self._glyph.accessibleName() if self._glyph.isVisibleTo(self) else "",
        )
        words = ", ".join(part for part in parts if part)
        if self.focusPolicy() != Qt.FocusPolicy.NoFocus:
            state = self.tr("expanded") if self._expanded else self.tr("collapsed")
            words = f"{words}, {state}"
        self.setAccessibleName(words)
