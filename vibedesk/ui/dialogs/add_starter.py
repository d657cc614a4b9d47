"""Asks where a starter of the person's own comes from, and adds it before it closes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.views import TemplateView
from vibedesk.ui.dialogs.awaitable import AwaitableDialog
from vibedesk.ui.settings.cards import StateLine
from vibedesk.ui.tasks import WidgetTasks
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, hbox
from vibedesk.ui.widgets.buttons import text_button
from vibedesk.ui.widgets.labels import set_look

Add = Callable[[str], Awaitable[TemplateView]]


class AddStarterDialog(AwaitableDialog[TemplateView]):
    """A folder or a git address. It says what is wrong with it and stays open until it is added or given up."""

    def __init__(self, theme: Theme, parent: QWidget | None, add: Add) -> None:
        title = self.tr("Add a starter of your own")
        super().__init__(theme, parent, title)
        self._adds = add
        self._tasks = WidgetTasks(self, self._refuse)
        self.add_heading(title, "package")
        self.add_text(
            self.tr(
                "A folder on this computer, or the address of a git repository, with @branch after it where you "
                "want one. VibeDesk keeps a copy and offers it for new apps; nothing of it is run before that."
            )
        )
        self._source = QLineEdit()
        self._source.setAccessibleName(self.tr("Folder or git address"))
        self._source.setPlaceholderText("https://git.example.org/me/starter.git@main")
        self._source.textChanged.connect(self._on_edited)
        browse = text_button(theme, self.tr("Choose a folder…"), icon="folder-open")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._choose_folder)
        add_layout(self.column, hbox((self._source, 1), browse, gap=8))
        self._state = StateLine(theme, wraps=True)
        self.column.addWidget(self._state)
        cancel = text_button(theme, self.tr("Cancel"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self._add = text_button(theme, self.tr("Add starter"), variant="primary")
        self._add.setDefault(True)
        self._add.clicked.connect(self._on_add)
        self.add_buttons(cancel, self._add)
        self._busy = False
        self._problem = ""
        self._refresh()
        self._source.setFocus()
        self.fit(theme.size("dialog_md"))

    @property
    def problem(self) -> str:
        """What was wrong with what was entered; empty after a change of it."""
        return self._problem

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Choose a folder"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._source.setText)
        dialog.open()

    def _on_edited(self) -> None:
        self._say_problem("")
        self._refresh()

    def _on_add(self) -> None:
        self._tasks.start(self._try(self._source.text().strip()))

    async def _try(self, source: str) -> None:
        self._busy = True
        self._refresh()
        self._state.set_state(self.tr("Copying it…"), busy=True)
        try:
            self.give(await self._adds(source))
        finally:
            self._busy = False
            self._state.set_state("")
            self._refresh()

    def _refuse(self, error: VibeDeskError) -> None:
        self._say_problem(f"{error.message} {error.remedy}".strip())

    def _say_problem(self, words: str) -> None:
        self._problem = words
        self._state.set_state(words, "danger", "x-circle-fill")
        set_look(self._source, "invalid", "true" if words else "false")
        self._source.setAccessibleDescription(words)

    def _refresh(self) -> None:
        said = bool(self._source.text().strip())
        self._source.setReadOnly(self._busy)
        self._add.setEnabled(said and not self._busy)
        self._add.setToolTip("" if said else self.tr("Name a folder or an address first"))


async def ask_starter(theme: Theme, parent: QWidget | None, add: Add) -> TemplateView | None:
    """Have a starter added; None where the person changed their mind."""
    return await AddStarterDialog(theme, parent, add).answer()
