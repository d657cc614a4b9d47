"""The context menu of the code."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from vibedesk.ui.editor.code_editor import CodeEditor, EditCommand

REGENERATE_KEYS = "Ctrl+Alt+R"


class EditorMenu(QMenu):
    """What can be done with the text, and with the file as a whole.

    Signals:
        regenerate_chosen: Have the file written anew.
        lock_chosen: Whether it should be locked.
    """

    regenerate_chosen = Signal()
    lock_chosen = Signal(bool)

    def __init__(self, parent: QWidget, editor: CodeEditor, *, locked: bool) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        keys = QKeySequence.StandardKey
        self._add(editor, "undo", self.tr("Undo"), keys.Undo)
        self._add(editor, "redo", self.tr("Redo"), keys.Redo)
        self.addSeparator()
        self._add(editor, "cut", self.tr("Cut"), keys.Cut)
        self._add(editor, "copy", self.tr("Copy"), keys.Copy)
        self._add(editor, "paste", self.tr("Paste"), keys.Paste)
        self.addSeparator()
        self._add(editor, "select_all", self.tr("Select all"), keys.SelectAll)
        self.addSeparator()
        again = self.addAction(self.tr("Regenerate file…"))
        again.setShortcut(QKeySequence(REGENERATE_KEYS))
        again.setEnabled(not locked)
        again.triggered.connect(self.regenerate_chosen)
        lock = self.addAction(self.tr("Locked: VibeDesk does not write it"))
        lock.setCheckable(True)
        lock.setChecked(locked)
        lock.triggered.connect(self.lock_chosen)

    def _add(
        self, editor: CodeEditor, command: EditCommand, text: str, keys: QKeySequence.StandardKey
    ) -> None:
        action = self.addAction(text)
        action.setShortcut(QKeySequence(keys))
        action.setEnabled(editor.can(command))
        action.triggered.connect(lambda: editor.do(command))
