"""The rail at the left: where to be, and what goes on elsewhere."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QToolButton, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import vbox
from vibedesk.ui.widgets.labels import badge
from vibedesk.ui.widgets.rings import Dot

Place = Literal["build", "projects", "usage", "history", "settings"]


_MADE_LATER: tuple[Place, ...] = ("usage", "settings")
"""The places that are there only once the engine has started."""


class _RailButton(QToolButton):
    """Icon over word, with room for a mark at its upper right."""

    def __init__(self, theme: Theme, text: str, icon: str, *, checkable: bool) -> None:
        super().__init__()
        self.setText(text)
        self.setAccessibleName(text)
        self.setProperty("role", "rail")
        self.setCheckable(checkable)
        self.setIcon(theme.icon(icon, "text.muted", 20, on="accent.text", name_on=f"{icon}-fill"))
        self.setIconSize(QSize(20, 20))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self._mark: QWidget | None = None

    def set_mark(self, mark: QWidget) -> None:
        mark.setParent(self)
        mark.hide()
        self._mark = mark
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        if self._mark is not None:
            self._mark.adjustSize()
            self._mark.move(self.width() - self._mark.width() - 8, 4)


class Rail(QWidget):
    """Build, Projects and History; Chat too while the chat is not beside the work."""

    place_requested = Signal(str)
    chat_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setFixedWidth(theme.size("rail"))
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._build = _RailButton(theme, self.tr("Build"), "sparkle", checkable=True)
        self._projects = _RailButton(theme, self.tr("Projects"), "squares-four", checkable=True)
        self._history = _RailButton(
            theme, self.tr("History"), "clock-counter-clockwise", checkable=True
        )
        self._history.setToolTip(self.tr("The versions of this project  Ctrl+Shift+H"))
        self._history.hide()
        self._places: dict[Place, _RailButton] = {
            "build": self._build,
            "projects": self._projects,
            "usage": _RailButton(theme, self.tr("Usage"), "coins", checkable=True),
            "history": self._history,
            "settings": _RailButton(theme, self.tr("Settings"), "gear-six", checkable=True),
        }
        self._places["settings"].setToolTip(self.tr("Settings  Ctrl+,"))
        for place in _MADE_LATER:
            self._places[place].setEnabled(False)
        for place, button in self._places.items():
            button.clicked.connect(lambda _=False, key=place: self.place_requested.emit(key))
            self._group.addButton(button)
        self._chat = _RailButton(theme, self.tr("Chat"), "chat-circle", checkable=False)
        self._chat.setToolTip(self.tr("Show the chat  Ctrl+Alt+B"))
        self._chat.clicked.connect(self.chat_requested)
        self._chat.hide()
        self._dot = Dot(theme, "live.solid", 8)
        self._build.set_mark(self._dot)
        self._unread = badge("", "live")
        self._chat.set_mark(self._unread)
        self._working = False
        self.setLayout(
            vbox(
                self._build,
                self._projects,
                self._places["usage"],
                self._chat,
                None,
                self._history,
                self._places["settings"],
                gap=2,
                margins=(4, 2, 4, 6),
            )
        )

    def set_place(self, place: Place, *, in_workspace: bool) -> None:
        """Mark where the window is. The dot on Build shows only elsewhere."""
        self._places[place].setChecked(True)
        self._dot.setVisible(self._working and not in_workspace)

    def set_ready(self, name: str) -> None:
        """Say that a page can be shown now."""
        for place in _MADE_LATER:
            if place == name:
                self._places[place].setEnabled(True)

    def set_history_button(self, *, shown: bool) -> None:
        """Show the way to the history; there is one while a project is open."""
        self._history.setVisible(shown)

    def set_working(self, *, working: bool, in_workspace: bool) -> None:
        self._working = working
        self._dot.set_running(working and not in_workspace)
        self._dot.setVisible(working and not in_workspace)
        name = self.tr("Build, work is running") if working else self.tr("Build")
        self._build.setAccessibleName(name)

    def set_chat_button(self, *, shown: bool, unread: int) -> None:
        self._chat.setVisible(shown)
        self._unread.setText(str(unread))
        self._unread.setVisible(unread > 0)
        self._unread.adjustSize()
        name = self.tr("Chat, {count} new").format(count=unread) if unread else self.tr("Chat")
        self._chat.setAccessibleName(name)
