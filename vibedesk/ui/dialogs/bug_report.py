"""Report a problem: every file of the report is read by the person before it is written anywhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QListWidgetItem,
    QPlainTextEdit,
    QWidget,
)

from vibedesk.base.errors import VibeDeskError
from vibedesk.engine.views import BugReportView
from vibedesk.ui.dialogs.awaitable import AwaitableDialog
from vibedesk.ui.sandbox.words import bytes_words
from vibedesk.ui.settings.cards import SideList, StateLine
from vibedesk.ui.tasks import WidgetTasks
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox
from vibedesk.ui.widgets.buttons import text_button

Collect = Callable[[bool], Awaitable[BugReportView]]
"""Makes the report; with the open project's state or without it."""
Write = Callable[[BugReportView, Path], Awaitable[None]]
Ask = Callable[[QWidget, str], Path | None]

_HEIGHT = 380
_SIDE = 190


def ask_place(parent: QWidget, name: str) -> Path | None:
    """Ask where to save a file; nothing is replaced."""
    chosen, _ = QFileDialog.getSaveFileName(
        parent,
        QCoreApplication.translate("BugReportDialog", "Save the report"),
        str(Path.home() / name),
        "ZIP (*.zip)",
        options=QFileDialog.Option.DontConfirmOverwrite,
    )
    return Path(chosen) if chosen else None


class BugReportDialog(AwaitableDialog[Path]):
    """Files at the left, the chosen one at the right; saving gives the path.

    Args:
        theme: The look.
        parent: The window it belongs to.
        collect: Makes the report.
        write: Writes it.
        project: What the open project is called; empty: none is open.
        ask: Asks where to save it.
    """

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None,
        *,
        collect: Collect,
        write: Write,
        project: str = "",
        ask: Ask = ask_place,
    ) -> None:
        title = self.tr("Report a problem")
        super().__init__(theme, parent, title)
        self._collect = collect
        self._write = write
        self._ask = ask
        self._report: BugReportView | None = None
        self._tasks = WidgetTasks(self, self._say)
        self.add_heading(title, "lifebuoy")
        self.add_text(
            self.tr(
                "This is everything the report has. Nothing is sent: you save it as a file and attach it where you "
                "report the problem. Keys, your texts and your app's files are not in it."
            )
        )
        self._with = QCheckBox(self.tr("With the state of {0}").format(project))
        self._with.setChecked(bool(project))
        self._with.setVisible(bool(project))
        self._with.clicked.connect(lambda: self._tasks.start(self._refresh()))
        self.column.addWidget(self._with)
        self._files = SideList(self.tr("Files of the report"))
        self._files.setFixedWidth(_SIDE)
        self._files.currentRowChanged.connect(self._on_file)
        self._text = QPlainTextEdit()
        self._text.setProperty("role", "log")
        self._text.setReadOnly(True)
        self._text.setFont(theme.font("code_sm"))
        self._text.setAccessibleName(self.tr("What the file says"))
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        place = QWidget()
        place.setFixedHeight(_HEIGHT)
        place.setLayout(
            hbox(self._files, (frame("well", hbox(self._text, margins=(6, 6, 2, 6))), 1), gap=10)
        )
        self.column.addWidget(place)
        self._said = StateLine(theme, wraps=True)
        self.column.addWidget(self._said)
        cancel = text_button(theme, self.tr("Cancel"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self._save = text_button(theme, self.tr("Save…"), variant="primary")
        self._save.setAutoDefault(False)
        self._save.clicked.connect(lambda: self._tasks.start(self._on_save()))
        self.add_buttons(cancel, self._save)
        self._save.setEnabled(False)
        self._said.set_state(self.tr("Collecting"), "muted", busy=True)
        self.fit(theme.size("dialog_lg"))
        self._tasks.start(self._refresh())

    @property
    def names(self) -> list[str]:
        """The files that are shown."""
        return [file.name for file in self._report.files] if self._report is not None else []

    async def _refresh(self) -> None:
        report = await self._collect(self._with.isChecked())
        self._report = report
        self._files.clear()
        for file in report.files:
            size = bytes_words(len(file.text.encode()))
            item = QListWidgetItem(f"{file.name}\u2002{size}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{file.name}, {size}")
            self._files.add(item)
        self._files.setCurrentRow(0)
        self._save.setEnabled(bool(report.files))
        self._said.set_state("")

    def _on_file(self, row: int) -> None:
        if self._report is not None and 0 <= row < len(self._report.files):
            self._text.setPlainText(self._report.files[row].text)

    async def _on_save(self) -> None:
        if self._report is None:
            return
        name = datetime.now().astimezone().strftime("vibedesk-report-%Y%m%d-%H%M%S.zip")
        path = self._ask(self, name)
        if path is None:
            return
        await self._write(self._report, path)
        self.give(path)

    def _say(self, error: VibeDeskError) -> None:
        self._said.set_state(str(error), "danger", "x-circle-fill")
