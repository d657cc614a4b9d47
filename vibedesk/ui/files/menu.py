"""What can be done with the selected rows of the file tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from vibedesk.ui.files.file_marks import FileMark, PersonMark

REGENERATE_KEYS = "Ctrl+Alt+R"


class TreeMenu(QMenu):
    """The context menu of some files and folders. It tells what was chosen and does nothing itself.

    Args:
        parent: Whose menu it is.
        paths: The selected files and folders.
        files: The files among them and in them, with what is known of each.
    """

    open_chosen = Signal()
    regenerate_chosen = Signal()
    review_chosen = Signal()
    rename_chosen = Signal()
    delete_chosen = Signal()
    reveal_chosen = Signal()
    mark_chosen = Signal(str, bool)

    def __init__(
        self, parent: QWidget, paths: Sequence[str], files: Mapping[str, FileMark]
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        single = len(paths) == 1
        mark = files.get(paths[0]) if single else None
        if mark is not None:
            self.addAction(self.tr("Open")).triggered.connect(self.open_chosen)
            self._add_regenerate(mark)
            self.addSeparator()
        self._add_marks(list(files.values()))
        self.addSeparator()
        if single:
            rename = self.addAction(self.tr("Rename"))
            rename.setShortcut(QKeySequence(Qt.Key.Key_F2))
            rename.triggered.connect(self.rename_chosen)
        several = self.tr("Delete {0} items").format(len(paths))
        delete = self.addAction(self.tr("Delete") if single else several)
        delete.setShortcut(QKeySequence(Qt.Key.Key_Delete))
        delete.triggered.connect(self.delete_chosen)
        self.addSeparator()
        copy = self.addAction(self.tr("Copy path") if single else self.tr("Copy paths"))
        text = "\n".join(paths)
        copy.triggered.connect(lambda: QGuiApplication.clipboard().setText(text))
        if single:
            self.addAction(self.tr("Reveal in file manager")).triggered.connect(self.reveal_chosen)

    def _add_regenerate(self, mark: FileMark) -> None:
        if mark.proposed:
            review = self.addAction(self.tr("Review the new version"))
            review.triggered.connect(self.review_chosen)
        again = self.addAction(self.tr("Regenerate file…"))
        again.setShortcut(QKeySequence(REGENERATE_KEYS))
        again.setEnabled("locked" not in mark.person)
        again.triggered.connect(self.regenerate_chosen)

    def _add_marks(self, files: Sequence[FileMark]) -> None:
        words: dict[PersonMark, str] = {
            "locked": self.tr("Locked: VibeDesk does not write it"),
            "pinned": self.tr("Pinned: VibeDesk always reads it"),
            "excluded": self.tr("Excluded: VibeDesk does not read it"),
        }
        for name, text in words.items():
            action = self.addAction(text)
            action.setCheckable(True)
            action.setChecked(bool(files) and all(name in mark.person for mark in files))
            action.setEnabled(bool(files))
            action.triggered.connect(lambda on, name=name: self.mark_chosen.emit(name, on))
