"""Shows a command where there is no terminal that could be opened on it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from vibedesk.ui.dialogs.awaitable import AwaitableDialog
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.command_line import CommandLine


class RunYourselfDialog(AwaitableDialog[bool]):
    """A title, a sentence, the command with its copy button."""

    def __init__(
        self, theme: Theme, parent: QWidget | None, title: str, text: str, command: Sequence[str]
    ) -> None:
        super().__init__(theme, parent, title)
        self.add_heading(title, "terminal-window")
        self.add_text(text)
        self.column.addWidget(CommandLine(theme, shlex.join(command)))
        close = text_button(theme, self.tr("Close"))
        close.setDefault(True)
        close.clicked.connect(self.reject)
        self.add_buttons(close)
        self.fit(theme.size("dialog_md"))
        close.setFocus()


async def show_command(
    theme: Theme, parent: QWidget | None, *, title: str, text: str, command: Sequence[str]
) -> None:
    """Show a command until the person closes it."""
    await RunYourselfDialog(theme, parent, title, text, command).answer()
