"""Says plainly, once, that an app's code runs with the person's own rights, and asks for consent."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from vibedesk.ui.dialogs.awaitable import AwaitableDialog
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox, vbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import IconLabel
from vibedesk.ui.widgets.prose import Prose


class ConsentDialog(AwaitableDialog[bool]):
    """What it means, what stays protected, and two buttons. Nothing runs before the answer."""

    def __init__(self, theme: Theme, parent: QWidget | None) -> None:
        title = self.tr("This app's code will run with your own rights")
        super().__init__(theme, parent, title)
        self.add_heading(title, "shield-warning-fill", "warning")
        self.add_text(
            self.tr(
                "VibeDesk runs the app on this computer while it builds it. The tool that would fence "
                "it off (bubblewrap) is missing or does not work here, so the app's code, and the "
                "packages it installs, can do what you can do."
            )
        )
        rows = (
            (
                "warning",
                "warning.text",
                self.tr("It could read and change your files and use the network."),
            ),
            (
                "shield-check",
                "success.text",
                self.tr("It does not get your keys or your shell's environment from VibeDesk."),
            ),
            (
                "shield-check",
                "success.text",
                self.tr("Everything it started ends when you stop it or close VibeDesk."),
            ),
            (
                "info",
                "info.text",
                self.tr("To fence it off, install bubblewrap and start VibeDesk again."),
            ),
        )
        add_layout(self.column, vbox(*(self._row(*row) for row in rows), gap=8))
        self.add_text(self.tr("You are asked this once."))
        refuse = text_button(theme, self.tr("Don't run it"))
        refuse.setAutoDefault(False)
        refuse.clicked.connect(self.reject)
        agree = text_button(theme, self.tr("Run with my rights"), variant="primary")
        agree.setAutoDefault(False)
        agree.clicked.connect(lambda: self.give(True))
        self.add_buttons(refuse, agree)
        refuse.setDefault(True)
        refuse.setFocus()
        self.fit(theme.size("dialog_md"))

    def _row(self, icon: str, tone: str, text: str) -> QWidget:
        words = Prose(self.theme, "primary")
        words.set_text(text)
        row = QWidget()
        glyph = vbox(2, IconLabel(self.theme, icon, tone, 16), None, gap=0)
        row.setLayout(hbox(glyph, (words, 1), gap=10))
        return row


async def ask_consent(theme: Theme, parent: QWidget | None) -> bool:
    """Ask whether the app's code may run; the caller remembers a yes and does not ask again."""
    return bool(await ConsentDialog(theme, parent).answer())
