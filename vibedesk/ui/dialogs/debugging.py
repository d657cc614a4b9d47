"""How a problem was debugged: what the model said, and what it looked at, turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from vibedesk.ui.debug_transcript import in_order, transcript_text, turn_heading
from vibedesk.ui.dialogs.awaitable import AwaitableDialog
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import label
from vibedesk.ui.widgets.prose import Prose

_HEIGHT = 420
_BETWEEN = 8
_MOST_LINES = 12
_WELL_PADDING = 24


class DebuggingDialog(AwaitableDialog[None]):
    """The transcript of one debugging session.

    Args:
        theme: The look.
        parent: The window it belongs to.
        problem: What was debugged, in a line; empty where that is not known any more.
        turns: {turn, role, text} each, as the engine keeps them.
    """

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None,
        *,
        problem: str,
        turns: Sequence[Mapping[str, Any]],
    ) -> None:
        title = self.tr("How it was debugged")
        super().__init__(theme, parent, title)
        self._turns = in_order(turns)
        self.add_heading(title, "bug")
        if problem:
            self.add_text(problem)
        self.column.addWidget(self._make_page())
        copy = text_button(theme, self.tr("Copy"), icon="copy")
        copy.setAutoDefault(False)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text()))
        close = text_button(theme, self.tr("Close"))
        close.setDefault(True)
        close.clicked.connect(self.reject)
        self.add_buttons(copy, close)
        self.fit(theme.size("dialog_lg"))
        close.setFocus()

    def text(self) -> str:
        """Return all of it, for the clipboard."""
        return transcript_text(self._turns)

    def _make_page(self) -> QScrollArea:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(6)
        if not self._turns:
            column.addWidget(label(self.tr("It ended before a model answered."), tone="muted"))
        for number, (turn, role, text) in enumerate(self._turns):
            column.addSpacing(_BETWEEN if number else 0)
            column.addWidget(label(turn_heading(turn, role), tone="muted", fs="small"))
            column.addWidget(self._said(text) if role == "model" else self._saw(text))
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        scroll.setFixedHeight(_HEIGHT)
        scroll.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        scroll.setAccessibleName(self.tr("What was said and seen"))
        return scroll

    def _said(self, text: str) -> Prose:
        prose = Prose(self.theme)
        prose.set_text(text.strip())
        return prose

    def _saw(self, text: str) -> QPlainTextEdit:
        well = QPlainTextEdit(text.strip())
        well.setReadOnly(True)
        well.setTabChangesFocus(True)
        well.setProperty("role", "output")
        well.setFont(self.theme.font("code_sm"))
        well.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        well.setAccessibleName(self.tr("What it saw"))
        lines = min(_MOST_LINES, text.strip().count("\n") + 1)
        well.setFixedHeight(lines * self.theme.line_height("code_sm") + _WELL_PADDING)
        return well


async def show_debugging(
    theme: Theme, parent: QWidget | None, *, problem: str, turns: Sequence[Mapping[str, Any]]
) -> None:
    """Show a transcript until the person closes it."""
    await DebuggingDialog(theme, parent, problem=problem, turns=turns).answer()
