"""Asks what should be different before a file is written anew."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QWidget

from vibedesk.ui.dialogs.awaitable import AwaitableDialog
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import key_hint, label

_FIELD_HEIGHT = 110
_MENU_LENGTH = 70


class _Instructions(QPlainTextEdit):
    """Enter makes a line; Tab goes on."""

    def __init__(self, dialog: RegenerateDialog) -> None:
        super().__init__()
        self._dialog = dialog

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._dialog.submit()
        else:
            super().keyPressEvent(event)


class RegenerateDialog(AwaitableDialog[str]):
    """What is wanted in some lines, with what was wanted before at hand. Its answer is never empty."""

    def __init__(
        self, theme: Theme, parent: QWidget | None, path: str, recent: Sequence[str], draft: str
    ) -> None:
        title = self.tr("Regenerate {0}").format(path.rsplit("/", 1)[-1])
        super().__init__(theme, parent, title)
        self.add_heading(title, "arrow-clockwise")
        self.add_text(
            self.tr("The file is written anew. You see every change before anything is taken over.")
        )
        self._field = _Instructions(self)
        self._field.setProperty("role", "instructions")
        self._field.setPlaceholderText(
            self.tr("What should be different? For example: show the total above the list.")
        )
        self._field.setAccessibleName(self.tr("Instructions"))
        self._field.setTabChangesFocus(True)
        self._field.setFixedHeight(_FIELD_HEIGHT)
        self._field.setPlainText(draft)
        self._field.textChanged.connect(self._refresh)
        self.column.addWidget(self._field)
        self._recent = text_button(
            theme, self.tr("Recent"), variant="ghost", icon="clock-counter-clockwise", compact=True
        )
        self._recent.setAccessibleName(self.tr("Recent instructions"))
        self._recent.setAutoDefault(False)
        menu = QMenu(self)
        for words in recent:
            line = " ".join(words.split())
            shown = line if len(line) <= _MENU_LENGTH else f"{line[: _MENU_LENGTH - 1]}…"
            menu.addAction(shown.replace("&", "&&")).triggered.connect(
                lambda _=False, words=words: self._field.setPlainText(words)
            )
        self._recent.setMenu(menu)
        self._recent.setVisible(bool(recent))
        add_layout(
            self.column,
            hbox(
                self._recent,
                None,
                key_hint("Ctrl Enter"),
                label(self.tr("regenerate"), tone="muted", fs="small"),
                gap=6,
            ),
        )
        keep = text_button(theme, self.tr("Cancel"))
        keep.setAutoDefault(False)
        keep.clicked.connect(self.reject)
        self._start = text_button(theme, self.tr("Regenerate"), variant="primary")
        self._start.setAutoDefault(False)
        self._start.clicked.connect(self.submit)
        self.add_buttons(keep, self._start)
        self._refresh()
        self._field.setFocus()
        self.fit(theme.size("dialog_md"))

    def submit(self) -> None:
        words = self._field.toPlainText().strip()
        if words:
            self.give(words)

    def _refresh(self) -> None:
        enabled = bool(self._field.toPlainText().strip())
        self._start.setEnabled(enabled)
        self._start.setToolTip("" if enabled else self.tr("Write what should be different first"))


async def ask_instructions(
    theme: Theme, parent: QWidget | None, path: str, *, recent: Sequence[str] = (), draft: str = ""
) -> str | None:
    """Ask how a file should be written anew; None where the person changed their mind."""
    return await RegenerateDialog(theme, parent, path, recent, draft).answer()
