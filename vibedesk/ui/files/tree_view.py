"""The tree's behaviour: one click opens, keys rename and delete, spinners turn."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QTreeView

from vibedesk.ui.files.file_marks import FileMark
from vibedesk.ui.files.tree_delegate import FileTreeDelegate
from vibedesk.ui.files.tree_model import FileTreeModel, Role
from vibedesk.ui.theme.theme import Theme


class FileTreeView(QTreeView):
    """Tells by path what the person wants.

    Signals:
        file_activated: One click.
        file_pinned: Double click or Enter.
        delete_requested: The Delete key; the paths of all selected rows.
    """

    file_activated = Signal(str)
    file_pinned = Signal(str)
    delete_requested = Signal(list)

    def __init__(self, theme: Theme, model: FileTreeModel) -> None:
        super().__init__()
        self._spin = QTimer(self)
        self._spin.setInterval(33)
        self._spin.timeout.connect(self._turn_spinners)
        self.setModel(model)
        self.setItemDelegate(FileTreeDelegate(theme, self))
        self.setHeaderHidden(True)
        self.setIndentation(0)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setMouseTracking(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setExpandsOnDoubleClick(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName(self.tr("Files"))
        self.clicked.connect(self._on_clicked)
        self.doubleClicked.connect(self._on_double_clicked)
        theme.changed.connect(self.viewport().update)

    def set_spinning(self, *, spinning: bool) -> None:
        """Keep spinners turning while files are written."""
        if spinning and not self._spin.isActive():
            self._spin.start()
        elif not spinning:
            self._spin.stop()

    def selected_paths(self) -> list[str]:
        """Return the selected files and folders from top to bottom, without those in a selected folder."""
        chosen = sorted(self.selectionModel().selectedIndexes(), key=self._place)
        paths: list[str] = []
        for index in chosen:
            path = str(index.data(Role.PATH))
            if not any(path.startswith(f"{above}/") for above in paths):
                paths.append(path)
        return paths

    def rename_current(self) -> None:
        index = self.currentIndex()
        if index.isValid():
            self.edit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if not index.isValid() or self.state() == QAbstractItemView.State.EditingState:
            super().keyPressEvent(event)
            return
        match event.key():
            case Qt.Key.Key_F2:
                self.rename_current()
            case Qt.Key.Key_Delete:
                self.delete_requested.emit(self.selected_paths())
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space:
                self._on_double_clicked(index)
                if index.data(Role.IS_FOLDER):
                    self.setExpanded(index, not self.isExpanded(index))
            case _:
                super().keyPressEvent(event)

    def _on_clicked(self, index: QModelIndex) -> None:
        choosing = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        if QGuiApplication.keyboardModifiers() & choosing:
            return
        if index.data(Role.IS_FOLDER):
            self.setExpanded(index, not self.isExpanded(index))
        else:
            self.file_activated.emit(str(index.data(Role.PATH)))

    def _place(self, index: QModelIndex) -> tuple[int, ...]:
        rows: list[int] = []
        while index.isValid():
            rows.insert(0, index.row())
            index = index.parent()
        return tuple(rows)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        if not index.data(Role.IS_FOLDER):
            self.file_pinned.emit(str(index.data(Role.PATH)))

    def _turn_spinners(self) -> None:
        index = self.indexAt(self.viewport().rect().topLeft())
        bottom = self.viewport().height()
        while index.isValid():
            place = self.visualRect(index)
            if place.top() > bottom:
                return
            mark = index.data(Role.MARK)
            folder = index.data(Role.FOLDER_MARK) if index.data(Role.IS_FOLDER) else None
            if folder == "writing" or (isinstance(mark, FileMark) and mark.shown == "writing"):
                self.viewport().update(place)
            index = self.indexBelow(index)
