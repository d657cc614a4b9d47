"""The editor panel: open files in tabs, typing along with what the agent writes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QStackedWidget, QWidget

from vibedesk.ui.editor.chunk_buffer import ChunkBuffer
from vibedesk.ui.editor.code_editor import CodeEditor
from vibedesk.ui.editor.factory import create_editor
from vibedesk.ui.editor.file_header import FileHeader
from vibedesk.ui.editor.file_notes import FileNotes
from vibedesk.ui.editor.find_bar import FindBar
from vibedesk.ui.editor.line_changes import changed_lines
from vibedesk.ui.editor.line_problems import LineProblem
from vibedesk.ui.editor.menu import REGENERATE_KEYS, EditorMenu
from vibedesk.ui.editor.streams import Stream, WriteMode
from vibedesk.ui.editor.tabs import FileTabs
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.messages import EmptyState

_TYPING_PAUSE_MS = 300
_REMEMBERED_CLOSED = 20


class EditorPanel(QWidget):
    """Shows files by path. It knows nothing of where they come from.

    All methods belong to the window's thread, but `stream_chunk` may be called on any.

    Signals:
        change: The person changed a file: path, position and removed length in UTF-8 bytes, inserted text.
            Sent at once, in order, relative to the text as the editor shows it.
        text_edited: Path and whole text, once the person pauses typing.
        current_changed: Another file is in front; "" when none is.
        cursor_moved: Line and column in the file in front, counted from 1.
        follow_changed: Whether the view follows the agent.
        reopen_requested: The person wants a closed file back; answer with `open_file`.
        tab_mode_changed: Whether Tab moves the focus instead of typing (Ctrl M).
        regenerate_requested: Have this file written anew.
        review_requested: Show the new version of this file that waits.
        lock_requested: A file, and whether the agent should leave it alone.
    """

    change = Signal(str, int, int, str)
    text_edited = Signal(str, str)
    current_changed = Signal(str)
    cursor_moved = Signal(int, int)
    follow_changed = Signal(bool)
    reopen_requested = Signal(str)
    tab_mode_changed = Signal(bool)
    regenerate_requested = Signal(str)
    review_requested = Signal(str)
    lock_requested = Signal(str, bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._editors: dict[str, CodeEditor] = {}
        self._views: dict[str, QWidget] = {}
        self._streams: dict[str, Stream] = {}
        self._closed: list[str] = []
        self._typed: set[str] = set()
        self._problems: dict[str, Sequence[LineProblem]] = {}
        self._following = True
        self._tab_moves_focus = False
        self._buffer = ChunkBuffer(self._on_chunk, self)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_PAUSE_MS)
        self._typing.timeout.connect(self._tell_typed)
        self._tabs = FileTabs(theme)
        self._header = FileHeader(theme)
        self._find = FindBar(theme)
        self.notes = FileNotes(theme)
        self._stack = QStackedWidget()
        self._empty = EmptyState(
            theme,
            "file-code",
            self.tr("No file open"),
            self.tr(
                "Choose a file in the tree. While VibeDesk writes, its files open here by themselves."
            ),
        )
        self._build()

    # -- files

    @property
    def current_path(self) -> str | None:
        """Return the file in front; None while there is none, or something that is no file."""
        path = self._tabs.current_path
        return path if path in self._editors else None

    @property
    def open_paths(self) -> list[str]:
        """Return the open files in the order of their tabs."""
        return [path for path in self._tabs.paths if path in self._editors]

    def open_file(self, path: str, text: str, *, pinned: bool = False) -> None:
        """Bring a file to the front.

        A file that is already open, or grows here while it is written, keeps the text it has here. Files that are not pinned
        share one tab, in italics, until the person types in them or double-clicks it.
        """
        stream = self._streams.get(path)
        if path not in self._editors:
            shown = stream.text if stream is not None and stream.grows else text
            self._add(path, shown, pinned=pinned)
            if stream is not None:
                if stream.before is None and not stream.grows:
                    stream.before = text
                self._show_writing(stream)
        elif pinned:
            self._tabs.pin(path)
        self._show(path)

    def text(self, path: str) -> str | None:
        """Return what an open file reads here, or None."""
        editor = self._editors.get(path)
        return None if editor is None else editor.text()

    def file_changed(self, path: str, text: str) -> None:
        """Take in a file that was changed elsewhere."""
        self._buffer.flush()
        editor = self._editors.get(path)
        stream = self._streams.get(path)
        if editor is None or (stream is not None and stream.grows):
            return
        before = editor.text()
        editor.merge_text(text)
        if before != text:
            editor.mark_lines("changed", changed_lines(before, text))

    def apply_edit(self, path: str, position: int, removed: int, inserted: str) -> None:
        """Take in another writer's exact change (UTF-8 bytes); it is not sent back."""
        self._buffer.flush()
        editor = self._editors.get(path)
        if editor is not None:
            editor.apply_edit(position, removed, inserted)

    def file_renamed(self, old: str, new: str) -> None:
        stream = self._streams.pop(old, None)
        if stream is not None:
            stream.path = new
            self._streams[new] = stream
        editor = self._editors.pop(old, None)
        if editor is not None:
            self._editors[new] = editor
            editor.set_path(new)
            self._tabs.rename(old, new)
        self.notes.rename(old, new)
        self._update_header()

    def file_deleted(self, path: str) -> None:
        self._streams.pop(path, None)
        self._discard(path)

    def close_file(self, path: str) -> None:
        """Close a tab; the person can have a file back with Ctrl Shift T."""
        if path in self._views:
            self.close_view(path)
        elif path in self._editors:
            self._closed = [*self._closed, path][-_REMEMBERED_CLOSED:]
            self._discard(path)

    def close_all(self) -> None:
        """Forget every file, for example because another project opens."""
        self._buffer.flush()
        self._streams.clear()
        for key in list(self._views):
            self.close_view(key)
        for path in list(self._editors):
            self._discard(path)
        self._closed.clear()
        self._problems.clear()
        self.notes.clear()
        self._update_header()

    def go_to(self, path: str, line: int, column: int = 1) -> None:
        """Show a place in an open file, counted from 1."""
        if path in self._editors:
            self._show(path)
            self._set_following(following=False)
            self._editors[path].go_to(line, column)
            self._editors[path].widget.setFocus()

    def set_problems(self, problems: Mapping[str, Sequence[LineProblem]]) -> None:
        """Mark what is wrong, by path, in place of what was marked; it moves with the text until the next call."""
        before, self._problems = self._problems, dict(problems)
        for path, editor in self._editors.items():
            told = self._problems.get(path, ())
            if told != before.get(path, ()) or told:
                self._show_problems(path, editor)

    def problem_lines(self, path: str) -> list[tuple[int, LineProblem]]:
        """Return on which lines, from 1, the problems of an open file stand by now."""
        editor = self._editors.get(path)
        return [] if editor is None else editor.problem_lines()

    def _show_problems(self, path: str, editor: CodeEditor) -> None:
        told = self._problems.get(path, ())
        editor.show_problems(told)
        errors = any(problem.level == "error" for problem in told)
        self._tabs.set_problems(path, "error" if errors else "warning" if told else "")

    # -- what is no file, such as a review

    def show_view(
        self, key: str, widget: QWidget, title: str, file: str, *, front: bool = True
    ) -> None:
        """Open something about a file in a tab of its own, or bring it to the front.

        The panel does not own `widget`: a closed tab lets go of it, and it can be shown again.
        """
        if key not in self._views:
            self._views[key] = widget
            self._stack.addWidget(widget)
            self._tabs.open_view(key, title, file)
            if self._tabs.count() == 1:
                front = True
        if front:
            self._show(key)
        self._update_header()

    def set_view_writing(self, key: str, *, writing: bool) -> None:
        """Say whether what a view shows is being written."""
        if key in self._views:
            self._tabs.set_writing(key, writing=writing)

    def close_view(self, key: str) -> None:
        """Close the tab of a view, if it is open."""
        widget = self._views.pop(key, None)
        if widget is not None:
            self._tabs.set_writing(key, writing=False)
            self._tabs.remove(key)
            self._stack.removeWidget(widget)
            widget.setParent(None)
            self._show_what_follows()

    # -- what the agent writes

    def stream_start(self, path: str, mode: WriteMode, text: str | None = "") -> None:
        """A file begins to be written.

        Args:
            path: Which.
            mode: How.
            text: What it reads now, if it is not open; None where that is not known.
        """
        self._buffer.flush()
        editor = self._editors.get(path)
        stream = Stream(path, mode, text if editor is None else editor.text())
        self._streams[path] = stream
        if editor is not None:
            if mode == "full":
                editor.set_text("")
            self._show_writing(stream)
        if self._leads and (stream.grows or editor is not None or text):
            self.open_file(path, text or "")
            self._reveal(path)
        self._update_header()

    def stream_chunk(self, path: str, text: str) -> None:
        """More of a file; shown with the next frame. Callable on any thread."""
        self._buffer.add(path, text)

    def stream_end(self, path: str, final_text: str | None) -> None:
        """A file is written, or will not be; what the person typed meanwhile is part of `final_text`.

        Where the text is not known (None) nothing opens.
        """
        self._buffer.flush()
        stream = self._streams.pop(path, None)
        editor = self._editors.get(path)
        if final_text is None:
            self._update_header()
            return
        if editor is None and self._leads and stream is not None:
            self._add(path, final_text, pinned=False)
            self._show(path)
            editor = self._editors[path]
        if editor is not None:
            editor.merge_text(final_text)
            editor.set_writing(writing=False)
            self._tabs.set_writing(path, writing=False)
            if stream is not None:
                self._mark_written(editor, stream, final_text)
        self._update_header()

    def clear_marks(self) -> None:
        """Forget which lines are new or changed; a new run begins."""
        for editor in self._editors.values():
            editor.mark_lines("added", [])

    def set_following(self, following: bool) -> None:
        """Follow the agent or stay; switched on when a run begins."""
        self._set_following(following=following)

    @property
    def following(self) -> bool:
        return self._following

    def flush(self) -> None:
        """Show at once what waits for the next frame."""
        self._buffer.flush()

    # -- the person

    def open_find_bar(self) -> None:
        """Open the find bar for the file in front."""
        editor = self._current_editor()
        if editor is not None:
            self._find.open_for(editor)

    def zoom(self, steps: int) -> None:
        """Make the code larger or smaller; 0 resets."""
        for editor in self._editors.values():
            editor.zoom(steps)

    def focus_editor(self) -> None:
        page = self._stack.currentWidget()
        if page is not None:
            page.setFocus()

    # -- inside

    def _build(self) -> None:
        self._tabs.file_selected.connect(self._on_file_selected)
        self._tabs.close_requested.connect(self.close_file)
        self._tabs.pin_requested.connect(self._tabs.pin)
        self._header.chip.clicked.connect(lambda on: self._set_following(following=on))
        self._find.closed.connect(self.focus_editor)
        self._files_button = icon_button(
            self._theme, "caret-down", self.tr("Open files"), size=14, small=True
        )
        self._files_button.clicked.connect(self._show_files_menu)
        self._stack.addWidget(self._empty)
        self.notes.unlock_requested.connect(lambda path: self.lock_requested.emit(path, False))
        self.notes.review_requested.connect(self.review_requested)
        strip = hbox((self._tabs, 1), self._files_button, 6, gap=0)
        self.setLayout(vbox(strip, self._header, self.notes, self._find, (self._stack, 1), gap=0))
        self.setMinimumWidth(self._theme.size("editor_min"))
        self.setAccessibleName(self.tr("Editor"))
        for keys, act in (
            (QKeySequence(QKeySequence.StandardKey.Find), self.open_find_bar),
            (QKeySequence("Ctrl+W"), self._close_current),
            (QKeySequence("Meta+M" if sys.platform == "darwin" else "Ctrl+M"), self._turn_tab_mode),
            (QKeySequence("Ctrl+Shift+T"), self._reopen),
            (QKeySequence(REGENERATE_KEYS), self._regenerate_current),
            (QKeySequence(QKeySequence.StandardKey.ZoomIn), partial(self.zoom, 1)),
            (QKeySequence("Ctrl+="), partial(self.zoom, 1)),
            (QKeySequence(QKeySequence.StandardKey.ZoomOut), partial(self.zoom, -1)),
            (QKeySequence("Ctrl+0"), partial(self.zoom, 0)),
        ):
            shortcut = QShortcut(keys, self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)
        self._update_header()

    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    def _current_editor(self) -> CodeEditor | None:
        path = self._tabs.current_path
        return None if path is None else self._editors.get(path)

    def _add(self, path: str, text: str, *, pinned: bool) -> None:
        if not pinned:
            for other in self._tabs.paths:
                if not self._tabs.pinned(other) and other not in self._streams:
                    self._discard(other)
        editor = create_editor(self._theme)
        editor.set_path(path)
        editor.set_text(text)
        editor.set_tab_moves_focus(on=self._tab_moves_focus)
        self._editors[path] = editor
        self._stack.addWidget(editor.widget)
        self._tabs.open(path, pinned=pinned)
        self._connect(editor)
        self._show_problems(path, editor)

    def _connect(self, editor: CodeEditor) -> None:
        signals = editor.signals
        signals.edited.connect(partial(self._on_edited, editor))
        signals.cursor_moved.connect(partial(self._on_cursor_moved, editor))
        signals.navigated.connect(self._on_navigated)
        signals.menu_requested.connect(partial(self._show_menu, editor))

    def _path_of(self, editor: CodeEditor) -> str | None:
        return next((path for path, other in self._editors.items() if other is editor), None)

    def _discard(self, path: str) -> None:
        editor = self._editors.pop(path, None)
        if editor is None:
            return
        if path in self._typed:
            self._typed.discard(path)
            self.text_edited.emit(path, editor.text())
        if path in self._streams:
            self._streams[path].keep(editor.text())
        self._find.forget(editor)
        self._tabs.remove(path)
        self._stack.removeWidget(editor.widget)
        editor.close()
        self._show_what_follows()

    def _show_what_follows(self) -> None:
        """After a tab was closed, show the one that is in front now."""
        following = self._tabs.current_path
        if following is not None:
            self._show(following)
        else:
            self._stack.setCurrentWidget(self._empty)
            self._find.hide()
            self.current_changed.emit("")
        self._update_header()

    def _show(self, path: str) -> None:
        before = self._stack.currentWidget()
        self._tabs.select(path)
        editor = self._editors.get(path)
        if editor is None:
            self._find.hide()
            self._stack.setCurrentWidget(self._views[path])
            self._update_header()
            self.current_changed.emit("")
            return
        self._stack.setCurrentWidget(editor.widget)
        self._find.set_editor(editor)
        self._update_header()
        if before is not editor.widget:
            self.current_changed.emit(path)
            self.cursor_moved.emit(*editor.cursor())

    @property
    def _leads(self) -> bool:
        """Whether the view goes where the agent writes; what is being reviewed stays in front."""
        return self._following and self._tabs.current_path not in self._views

    def _show_writing(self, stream: Stream) -> None:
        editor = self._editors[stream.path]
        editor.set_writing(writing=stream.grows)
        self._tabs.set_writing(stream.path, writing=True)

    def _on_chunk(self, path: str, text: str) -> None:
        stream = self._streams.get(path)
        if stream is None:
            return
        stream.add(text)
        editor = self._editors.get(path)
        if editor is None or not stream.grows:
            return
        editor.append(text)
        if self._following and path == self.current_path:
            editor.reveal_end()

    def _reveal(self, path: str) -> None:
        if self._streams[path].grows:
            self._editors[path].reveal_end()

    def _mark_written(self, editor: CodeEditor, stream: Stream, text: str) -> None:
        changed = [] if stream.before is None else changed_lines(stream.before, text)
        editor.mark_lines("changed" if stream.before else "added", changed)
        if self._following and stream.mode == "patch" and changed:
            editor.reveal_line(changed[0].start)

    def _set_following(self, *, following: bool) -> None:
        changed, self._following = following != self._following, following
        self._header.chip.setChecked(following)
        if following and self._streams:
            # What a patch is made to may not be known here.
            seen = (p for p, s in self._streams.items() if s.grows or p in self._editors)
            if path := next(reversed(list(seen)), None):
                self.open_file(path, "")
                self._reveal(path)
        if changed:
            self.follow_changed.emit(following)

    def _update_header(self) -> None:
        path = self.current_path
        self._header.crumbs.set_path(path or "")
        self.notes.show_for(path or "")
        self._header.setVisible(path is not None)
        self._header.chip.setVisible(bool(self._streams))
        self._tabs.setVisible(self._tabs.count() > 0)
        self._files_button.setVisible(self._tabs.count() > 1)

    def _show_files_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for index, path in enumerate(self._tabs.paths):
            name = path if path in self._editors else self._tabs.tabText(index)
            menu.addAction(name).triggered.connect(partial(self._on_file_selected, path))
        button = self._files_button
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _close_current(self) -> None:
        path = self._tabs.current_path
        if path is not None:
            self.close_file(path)

    def _regenerate_current(self) -> None:
        if self.current_path is not None:
            self.regenerate_requested.emit(self.current_path)

    def _show_menu(self, editor: CodeEditor, place: QPoint) -> None:
        self.menu_for(editor).popup(place)

    def menu_for(self, editor: CodeEditor) -> EditorMenu:
        """Return the context menu of the code in an editor of this panel."""
        path = self._path_of(editor) or ""
        menu = EditorMenu(self, editor, locked=self.notes.is_locked(path))
        menu.regenerate_chosen.connect(lambda: self.regenerate_requested.emit(path))
        menu.lock_chosen.connect(lambda on: self.lock_requested.emit(path, on))
        return menu

    def _turn_tab_mode(self) -> None:
        self._tab_moves_focus = not self._tab_moves_focus
        for editor in self._editors.values():
            editor.set_tab_moves_focus(on=self._tab_moves_focus)
        self.tab_mode_changed.emit(self._tab_moves_focus)

    def _reopen(self) -> None:
        if self._closed:
            self.reopen_requested.emit(self._closed.pop())

    # -- what others tell

    def _on_file_selected(self, path: str) -> None:
        self._show(path)
        if self._streams and path not in self._streams:
            self._set_following(following=False)
        self.focus_editor()

    def _on_edited(self, editor: CodeEditor, position: int, removed: int, inserted: str) -> None:
        path = self._path_of(editor)
        if path is None:
            return
        self._tabs.pin(path)
        self.change.emit(path, position, removed, inserted)
        self._typed.add(path)
        self._typing.start()

    def _tell_typed(self) -> None:
        typed, self._typed = self._typed, set()
        for path in typed:
            editor = self._editors.get(path)
            if editor is not None:
                self.text_edited.emit(path, editor.text())

    def _on_cursor_moved(self, editor: CodeEditor, line: int, column: int) -> None:
        if editor is self._current_editor():
            self.cursor_moved.emit(line, column)

    def _on_navigated(self) -> None:
        if self._streams and self._following:
            self._set_following(following=False)
