"""A dialog whose answer is awaited. It never runs an event loop of its own."""

from __future__ import annotations

import asyncio
from typing import Generic, Literal, TypeVar

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QDialog, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox
from vibedesk.ui.widgets.labels import IconLabel, label
from vibedesk.ui.widgets.prose import Prose

Answer = TypeVar("Answer")
DialogTone = Literal["accent", "warning", "danger"]


class AwaitableDialog(QDialog, Generic[Answer]):
    """A window-modal dialog: `answer()` opens it, gives what the person chose and cleans it up.

    Escape and closing give `None`. If the awaiting task is cancelled, the dialog goes away. The
    focus returns to where it was.
    """

    def __init__(self, theme: Theme, parent: QWidget | None, title: str) -> None:
        super().__init__(parent)
        self.theme = theme
        self._answer: Answer | None = None
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(24, 22, 24, 20)
        self.column.setSpacing(14)

    async def answer(self) -> Answer | None:
        """Open the dialog and return the answer, or `None` if there was none."""
        opener = QApplication.focusWidget()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        self.finished.connect(finish)
        self.open()
        try:
            await done
        finally:
            self.hide()
            self.deleteLater()
            if opener is not None and isValid(opener) and opener.isVisible():
                opener.setFocus(Qt.FocusReason.OtherFocusReason)
        return self._answer

    def give(self, answer: Answer) -> None:
        """Close the dialog with an answer."""
        self._answer = answer
        self.accept()

    def add_heading(self, title: str, icon: str = "", tone: DialogTone = "accent") -> None:
        """Add the title, a question or an object, with its glyph."""
        words = label(title, fs="title_sm")
        words.setWordWrap(True)
        row = hbox(gap=12)
        if icon:
            tile = frame("dialogicon", hbox(IconLabel(self.theme, icon, f"{tone}.text", 20)))
            tile.setProperty("tone", tone)
            tile.setFixedSize(36, 36)
            row.addWidget(tile)
        row.addWidget(words, 1)
        add_layout(self.column, row)

    def add_text(self, text: str) -> Prose:
        """Add running text."""
        prose = Prose(self.theme, "secondary")
        prose.set_text(text)
        self.column.addWidget(prose)
        return prose

    def add_buttons(self, *safe_first: QWidget) -> QHBoxLayout:
        """Add the row of buttons at the right: the safe one first, the acting one last."""
        row = hbox(None, *safe_first, gap=8)
        self.column.addSpacing(4)
        add_layout(self.column, row)
        return row

    def fit(self, width: int) -> None:
        """Give the dialog its width; its height is from now on what its content needs."""
        self.setFixedWidth(width)
        for child in self.findChildren(QWidget):
            child.ensurePolished()
        self._fit_height()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit_height()
        return super().event(event)

    def _fit_height(self) -> None:
        layout = self.layout()
        if layout is not None:
            self.setFixedHeight(layout.totalHeightForWidth(self.width()))
