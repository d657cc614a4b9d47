"""What stands around the conversation: the tabs above it, and the way back to its end."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QToolButton, QWidget

from vibedesk.ui.chat.transcript import Transcript
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.labels import StatusChip

Tab = Literal["chat", "blueprint"]


class TabHeader(QFrame):
    """Chooses between the conversation and the blueprint."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("role", "header")
        self._group = QButtonGroup(self)
        self._tabs: dict[Tab, QToolButton] = {
            "chat": self._tab(self.tr("Chat"), "chat-circle", "chat"),
            "blueprint": self._tab(self.tr("Blueprint"), "blueprint", "blueprint"),
        }
        self._tabs["blueprint"].setToolTip(self.tr("The plan of the app, once there is one"))
        self.setLayout(hbox(*self._tabs.values(), None, gap=2, margins=(10, 0, 8, 0)))
        self.setFixedHeight(theme.size("panel_header"))
        self.set_blueprint_known(known=False)
        self.set_current("chat")

    def set_current(self, tab: Tab) -> None:
        self._tabs[tab].setChecked(True)

    def set_blueprint_known(self, *, known: bool) -> None:
        self._tabs["blueprint"].setEnabled(known)

    def _tab(self, text: str, icon: str, key: Tab) -> QToolButton:
        tab = QToolButton()
        tab.setText(f"\u2009{text}")
        tab.setAccessibleName(text)
        tab.setIcon(self._theme.icon(icon, "text.muted", 14, on="text.primary"))
        tab.setIconSize(QSize(14, 14))
        tab.setProperty("role", "seg")
        tab.setCheckable(True)
        tab.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        tab.clicked.connect(lambda: self.chosen.emit(key))
        self._group.addButton(tab)
        return tab


class LatestButton(QToolButton):
    """Floats over a transcript while its end is out of sight, and leads there."""

    def __init__(self, theme: Theme, transcript: Transcript, parent: QWidget) -> None:
        super().__init__(parent)
        self._transcript = transcript
        self.setText(self.tr("Latest"))
        self.setIcon(theme.icon("arrow-down", "text.secondary", 14))
        self.setIconSize(QSize(14, 14))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setProperty("role", "latest")
        self.setAccessibleName(self.tr("Go to the latest message"))
        self.setToolTip(self.tr("Go to the latest message"))
        self.clicked.connect(transcript.scroll_to_end)
        self.hide()
        transcript.end_reached.connect(self._on_end_reached)
        transcript.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._transcript and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        size, below = self.sizeHint(), self._transcript.geometry()
        left = below.center().x() - size.width() // 2
        top = below.bottom() - size.height() - 8
        self.setGeometry(left, top, size.width(), size.height())

    def _on_end_reached(self, reached: bool) -> None:
        self._place()
        self.setVisible(not reached)
        self.raise_()


class SampleStrip(QWidget):
    """Says plainly that this is a recording."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        words = self.tr("Recorded example. No model is asked.")
        chip = StatusChip(theme, words, "info", "info-bold")
        self.setLayout(hbox(chip, None, margins=(14, 8, 14, 0)))
        self.setAccessibleName(words)
        self.hide()
