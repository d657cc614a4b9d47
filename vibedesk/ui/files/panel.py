"""The files panel: filter, tree, and what can be done with a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QLineEdit, QMenu, QStackedWidget, QWidget

from vibedesk.ui.files.file_marks import UNMARKED, FileMark, FileState, PersonMark
from vibedesk.ui.files.menu import REGENERATE_KEYS, TreeMenu
from vibedesk.ui.files.tree_model import FileTreeModel, Role
from vibedesk.ui.files.tree_view import FileTreeView
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.labels import label

_FEW = 60
_EXPANDED_WHEN_FILTERED = 400


class _FilterField(QLineEdit):
    """Esc empties it and gives the keyboard back."""

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
            self.left.emit()
        elif event.key() == Qt.Key.Key_Down:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class FilesPanel(QWidget):
    """Shows the files it is told of. It knows nothing of where they come from.

    Signals:
        file_activated: Show this file (one click).
        file_pinned: Show this file and keep its tab (double click, Enter, Open).
        rename_requested: Old and new path; the tree changes when it is told by `file_renamed`.
        delete_requested: The person wants files or folders (a list of paths) gone; ask if need be.
        regenerate_requested: Have this file written anew.
        review_requested: Show the new version of this file that waits.
        mark_requested: Paths of files, a mark (locked, pinned, excluded), and whether they should have it.
        reveal_requested: Show a file or folder in the system's file manager.
    """

    file_activated = Signal(str)
    file_pinned = Signal(str)
    rename_requested = Signal(str, str)
    delete_requested = Signal(list)
    regenerate_requested = Signal(str)
    review_requested = Signal(str)
    mark_requested = Signal(list, str, bool)
    reveal_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._marks: dict[str, FileMark] = {}
        self._writing: set[str] = set()
        self._filter = ""
        self._expanded: set[str] = set()
        self._collapsed: set[str] = set()
        self._arranging = False
        self._model = FileTreeModel(self)
        self._view = FileTreeView(theme, self._model)
        self._nothing = label("", tone="muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._nothing.setContentsMargins(12, 16, 12, 0)
        self._nothing.setWordWrap(True)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._view)
        self._stack.addWidget(self._nothing)
        self._field = _FilterField()
        self._field.setProperty("kind", "toolbar")
        self._field.setPlaceholderText(self.tr("Filter files"))
        self._field.setAccessibleName(self.tr("Filter files"))
        self._field.setClearButtonEnabled(True)
        self._field_row = frame("plain", hbox(self._field, margins=(8, 6, 8, 2)))
        self._field_row.hide()
        self._search = icon_button(
            theme, "magnifying-glass", self.tr("Filter files"), checkable=True
        )
        header = frame(
            "header",
            hbox(label(self.tr("Files"), strong=True), None, self._search, margins=(14, 0, 6, 0)),
        )
        header.setFixedHeight(theme.size("panel_header"))
        self.setLayout(vbox(header, self._field_row, (self._stack, 1), gap=0))
        self.setMinimumWidth(theme.size("tree_min"))
        self.setAccessibleName(self.tr("Files"))
        self._connect()

    # -- what it shows

    @property
    def paths(self) -> list[str]:
        return list(self._marks)

    def set_files(self, files: Iterable[str]) -> None:
        """Become exactly these files; what is known about those that stay is kept."""
        self._marks = {path: self._marks.get(path, UNMARKED) for path in files}
        self._writing.intersection_update(self._marks)
        self._refresh()

    def clear(self) -> None:
        """Forget one project's files, what was filtered and which folders were turned."""
        self._search.setChecked(False)
        self._expanded.clear()
        self._collapsed.clear()
        self.set_files([])

    def set_state(self, path: str, state: FileState) -> None:
        """Say where a file stands in the run; an unknown file is added."""
        self._set_mark(path, replace(self._marks.get(path, UNMARKED), state=state))
        if state == "writing":
            self.reveal(path)

    def set_problems(self, path: str, errors: int, warnings: int = 0) -> None:
        """Say how many problems are known in a file."""
        if path in self._marks:
            self._set_mark(path, replace(self._marks[path], errors=errors, warnings=warnings))

    def set_person_marks(self, path: str, marks: Iterable[PersonMark]) -> None:
        """Say what the person said of a file."""
        if path in self._marks:
            self._set_mark(path, replace(self._marks[path], person=frozenset(marks)))

    def person_marks(self, path: str) -> frozenset[PersonMark]:
        return self._marks.get(path, UNMARKED).person

    def set_proposed(self, path: str, *, proposed: bool) -> None:
        """Say whether a new version of a file waits to be looked at."""
        if path in self._marks:
            self._set_mark(path, replace(self._marks[path], proposed=proposed))

    def clear_states(self) -> None:
        """Begin a new run: nothing is new, modified or queued any more."""
        self._writing.clear()
        self._marks = {path: replace(mark, state="unchanged") for path, mark in self._marks.items()}
        self._refresh()

    def remove_file(self, path: str) -> None:
        self._marks.pop(path, None)
        self._writing.discard(path)
        self._model.remove(path)
        self._update_view()

    def file_renamed(self, old: str, new: str) -> None:
        mark = self._marks.pop(old, None)
        self._writing.discard(old)
        if mark is not None:
            selected = self.current_path == old
            self._model.remove(old)
            self._set_mark(new, mark)
            if selected:
                self.select(new)

    @property
    def current_path(self) -> str | None:
        """Return the selected file or folder."""
        path = self._view.currentIndex().data(Role.PATH)
        return None if path is None else str(path)

    def select(self, path: str) -> None:
        """Highlight a file without opening it, for example because its tab came to the front."""
        self.reveal(path)
        index = self._model.index_of(path)
        self._view.selectionModel().setCurrentIndex(
            index, QItemSelectionModel.SelectionFlag.ClearAndSelect
        )

    def reveal(self, path: str) -> None:
        """Open the folders above a file and scroll to it."""
        index = self._model.index_of(path)
        if index.isValid():
            parent = index.parent()
            while parent.isValid():
                self._view.expand(parent)
                parent = parent.parent()
            self._view.scrollTo(index)

    def focus_tree(self) -> None:
        self._view.setFocus()
        if not self._view.currentIndex().isValid():
            self._view.setCurrentIndex(self._model.index(0, 0))

    def start_filter(self) -> None:
        """Open the filter field."""
        self._search.setChecked(True)
        self._field.setFocus()

    # -- inside

    def _connect(self) -> None:
        view, model = self._view, self._model
        view.file_activated.connect(self.file_activated)
        view.file_pinned.connect(self.file_pinned)
        view.delete_requested.connect(self.delete_requested)
        view.customContextMenuRequested.connect(self._show_menu)
        view.expanded.connect(lambda index: self._remember(str(index.data(Role.PATH)), opened=True))
        view.collapsed.connect(
            lambda index: self._remember(str(index.data(Role.PATH)), opened=False)
        )
        model.rename_requested.connect(self.rename_requested)
        model.rowsInserted.connect(
            lambda parent, first, _last: self._open_new(model.index(first, 0, parent))
        )
        self._field.textChanged.connect(self._on_filter)
        self._field.left.connect(self._leave_filter)
        shortcut = QShortcut(QKeySequence(REGENERATE_KEYS), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self._regenerate_current)
        self._search.toggled.connect(self._on_search_toggled)

    def _set_mark(self, path: str, mark: FileMark) -> None:
        self._marks[path] = mark
        if mark.state == "writing":
            self._writing.add(path)
        else:
            self._writing.discard(path)
        if self._matches(path):
            self._model.set_mark(path, mark)
        self._update_view()

    def _matches(self, path: str) -> bool:
        return self._filter in path.casefold()

    def _refresh(self) -> None:
        shown = {path: mark for path, mark in self._marks.items() if self._matches(path)}
        current = self.current_path
        self._model.set_files(shown)
        self._arrange()
        if current is not None and current in shown and self.current_path != current:
            self.select(current)
        self._update_view()

    def _arrange(self) -> None:
        """Open folders: what the person opened, what is small enough to be seen whole, what a filter found."""
        few = len(self._marks) <= _FEW
        filtered = bool(self._filter) and len(self._model.paths) <= _EXPANDED_WHEN_FILTERED
        self._arranging = True
        for folder in self._model.folders():
            wanted = folder in self._expanded or (
                few and _is_source(folder) and folder not in self._collapsed
            )
            if wanted or filtered:
                self._view.expand(self._model.index_of(folder))
        self._arranging = False

    def _open_new(self, index: object) -> None:
        if len(self._marks) <= _FEW and not self._arranging:
            self._arrange()

    def _remember(self, folder: str, *, opened: bool) -> None:
        if self._arranging or self._filter:
            return
        (self._expanded if opened else self._collapsed).add(folder)
        (self._collapsed if opened else self._expanded).discard(folder)

    def _update_view(self) -> None:
        self._view.set_spinning(spinning=bool(self._writing))
        empty = self._model.rowCount() == 0
        if empty:
            self._nothing.setText(
                self.tr("Nothing found for “{words}”.").format(words=self._field.text())
                if self._filter
                else self.tr("No files yet. They appear here as VibeDesk writes them.")
            )
        self._stack.setCurrentWidget(self._nothing if empty else self._view)

    def _on_filter(self, words: str) -> None:
        self._filter = words.strip().casefold()
        self._refresh()

    def _on_search_toggled(self, shown: bool) -> None:
        self._field_row.setVisible(shown)
        if shown:
            self._field.setFocus()
        else:
            self._field.clear()

    def _leave_filter(self) -> None:
        if not self._field.text():
            self._search.setChecked(False)
        self.focus_tree()

    def _show_menu(self, at: QPoint) -> None:
        index = self._view.indexAt(at)
        if not index.isValid():
            return
        paths = self._view.selected_paths()
        path = str(index.data(Role.PATH))
        menu = self.menu_for(paths if path in paths else [path])
        menu.popup(self._view.viewport().mapToGlobal(at))

    def menu_for(self, paths: Sequence[str]) -> QMenu:
        """Return the context menu of files and folders."""
        files = self._files_in(paths)
        menu = TreeMenu(self, paths, {path: self._marks[path] for path in files})
        path = paths[0]
        menu.open_chosen.connect(lambda: self.file_pinned.emit(path))
        menu.regenerate_chosen.connect(lambda: self.regenerate_requested.emit(path))
        menu.review_chosen.connect(lambda: self.review_requested.emit(path))
        menu.rename_chosen.connect(lambda: self._rename(path))
        menu.delete_chosen.connect(lambda: self.delete_requested.emit(list(paths)))
        menu.reveal_chosen.connect(lambda: self.reveal_requested.emit(path))
        menu.mark_chosen.connect(lambda mark, on: self.mark_requested.emit(files, mark, on))
        return menu

    def _files_in(self, paths: Sequence[str]) -> list[str]:
        """Return the files among some paths, and those in the folders among them."""
        chosen = set(paths)
        folders = tuple(f"{path}/" for path in paths if path not in self._marks)
        return [path for path in self._marks if path in chosen or path.startswith(folders)]

    def _rename(self, path: str) -> None:
        self.select(path)
        self._view.rename_current()

    def _regenerate_current(self) -> None:
        path = self.current_path
        if path is not None and path in self._marks:
            self.regenerate_requested.emit(path)


def _is_source(folder: str) -> bool:
    return folder.split("/", 1)[0] in ("src", "app", "server", "client")
