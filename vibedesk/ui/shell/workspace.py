"""The page of an open project: chat beside the work area, arranged for the window's size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from vibedesk.ui.dock.dock_panel import DockPanel
from vibedesk.ui.shell.arrangement import Arrangement, LayoutMode, arrange
from vibedesk.ui.shell.layout_store import LayoutStore, Shares
from vibedesk.ui.shell.overlay import Overlay
from vibedesk.ui.shell.phase_bar import PhaseBar
from vibedesk.ui.shell.work_area import WorkArea, in_island
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import vbox
from vibedesk.ui.widgets.island import GapSplitter


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """The panels of an open project, already built. Each brings its own head, none its border.

    `page` takes the place of all but the chat while it is to be seen; `leave_page` ends that. `focus_chat` and so on
    give the keyboard to what the panel is there for; without one its first widget gets it.
    """

    chat: QWidget
    files: QWidget
    editor: QWidget
    preview: QWidget
    dock: DockPanel
    page: QWidget | None = None
    leave_page: Callable[[], None] | None = None
    focus_chat: Callable[[], None] | None = None
    focus_editor: Callable[[], None] | None = None
    focus_preview: Callable[[], None] | None = None


_START = Shares(chat=0.24, tree=0.33, preview=0.37, dock=0.18)
"""Shares near the starting sizes, for panels that were never seen in this mode."""


_FRAME = 3
"""What an island's border and the hairline between tree and editor take."""


class Workspace(QWidget):
    """Arranges the panels and remembers, for each project and mode, how the person moved them."""

    arranged = Signal()
    mode_requested = Signal(str)

    def __init__(self, theme: Theme, panels: Panels, store: LayoutStore) -> None:
        super().__init__()
        self._theme = theme
        self.panels = panels
        self._store = store
        self._project_id = ""
        self._mode: LayoutMode = "build"
        self._window = QSize()
        self._arrangement = arrange(1600, 1000, "build")
        self._chat_wanted = True
        self._preview_favoured = False
        # Sizes given before the splitters know theirs would be scaled, so they are given afterwards.
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(0)
        self._settle.timeout.connect(self._apply_sizes)
        self.phase_bar = PhaseBar(theme)
        self._work = WorkArea(theme, panels.files, panels.editor, panels.preview, panels.dock)
        self._work.moved.connect(self._on_moved)
        self._work.reset_requested.connect(self._on_reset)
        panels.dock.fold_requested.connect(self.toggle_dock)
        panels.dock.collapsed_changed.connect(self._on_dock_folded)
        self._work.preview_requested.connect(lambda: self.mode_requested.emit("build"))
        self._chat = in_island(theme, panels.chat)
        self._chat.setMinimumWidth(theme.size("chat_min"))
        self._chat_slot = QWidget()
        self._chat_slot.setMaximumWidth(theme.size("chat_max"))
        self._chat_column = vbox(self._chat, gap=0)
        self._chat_slot.setLayout(self._chat_column)
        self._splitter = GapSplitter(Qt.Orientation.Horizontal, theme)
        right = QWidget()
        self._middle = QStackedWidget()
        self._middle.addWidget(self._work)
        if panels.page is not None:
            self._middle.addWidget(in_island(theme, panels.page))
        right.setLayout(vbox(self.phase_bar, (self._middle, 1), gap=theme.size("gap")))
        self._splitter.addWidget(self._chat_slot)
        self._splitter.addWidget(right)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.splitterMoved.connect(self._on_moved)
        self._splitter.gap_double_clicked.connect(self._on_reset)
        self.setLayout(vbox(self._splitter, gap=0))
        self._drawer = Overlay(theme, self, theme.size("chat_default"))
        self._drawer.closed.connect(self.arranged)

    @property
    def arrangement(self) -> Arrangement:
        return self._arrangement

    @property
    def mode(self) -> LayoutMode:
        return self._mode

    @property
    def chat_shown(self) -> bool:
        """Whether the chat is to be seen, docked or as a drawer."""
        if self._arrangement.chat_in_drawer:
            return not self._drawer.isHidden()
        return not self._chat_slot.isHidden()

    @property
    def tree_shown(self) -> bool:
        return self._work.tree_shown

    def set_project(self, project_id: str) -> None:
        """Take on the arrangement last used with this project."""
        self._project_id = project_id
        self._preview_favoured = False
        self._mode = self._store.mode(project_id)
        self._rearrange(force=True)

    def show_page(self, shown: bool) -> None:
        """Show the page of `Panels` in place of files, editor, preview and dock, or these again."""
        self._middle.setCurrentIndex(self._middle.count() - 1 if shown else 0)

    @property
    def work_shown(self) -> bool:
        """Whether files, editor, preview and dock have their place, and not the page."""
        return self._middle.currentIndex() == 0

    def show_work(self) -> None:
        """Bring files, editor, preview and dock forward where the page stands in their place."""
        if not self.work_shown and self.panels.leave_page is not None:
            self.panels.leave_page()

    def set_mode(self, mode: LayoutMode) -> None:
        if mode != self._mode:
            self._mode = mode
            self._store.set_mode(self._project_id, mode)
            self._rearrange(force=True)

    def fit(self, window: QSize) -> None:
        """Arrange for a window of this size."""
        first, self._window = self._window.isEmpty(), window
        self._rearrange(force=first)

    def toggle_chat(self) -> None:
        if self._arrangement.chat_in_drawer:
            if self._drawer.isHidden():
                self._drawer.open()
            else:
                self._drawer.close_over()
        else:
            self._chat_wanted = self._chat_slot.isHidden()
            self._chat_slot.setVisible(self._chat_wanted)
        self.arranged.emit()

    def show_chat(self) -> None:
        if not self.chat_shown:
            self.toggle_chat()

    def toggle_tree(self) -> None:
        """Show or hide the tree; one behind the page is shown."""
        if self.work_shown or not self._work.tree_shown:
            self._work.toggle_tree()
        self.show_work()
        self.arranged.emit()

    def show_tree(self) -> None:
        if not self._work.tree_shown:
            self.toggle_tree()

    def toggle_dock(self) -> None:
        """Fold or unfold the dock, as the person wants it; one behind the page is shown. The project remembers it."""
        collapsed = self.work_shown and not self.panels.dock.collapsed
        self.show_work()
        self._store.set_dock_collapsed(self._project_id, collapsed=collapsed)
        self.panels.dock.set_collapsed(collapsed)

    @property
    def dock_collapsed(self) -> bool:
        return self.panels.dock.collapsed

    def favour_preview(self) -> None:
        """Give the preview more room, once, unless the person has moved the border before."""
        if self._preview_favoured or self._store.shares(self._project_id, self._mode) is not None:
            return
        self._preview_favoured = True
        self._apply_sizes()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._settle.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settle.start()

    def _rearrange(self, *, force: bool) -> None:
        if self._window.isEmpty():
            return
        wanted = arrange(self._window.width(), self._window.height(), self._mode)
        if wanted == self._arrangement and not force:
            return
        if wanted.chat_in_drawer != self._arrangement.chat_in_drawer:
            self._house_chat(in_drawer=wanted.chat_in_drawer)
        self._arrangement = wanted
        self._chat_slot.setVisible(self._chat_wanted and not wanted.chat_in_drawer)
        self._work.arrange(wanted)
        self.phase_bar.setVisible(not wanted.phase_in_top_bar)
        folded = self._store.dock_collapsed(self._project_id)
        self.panels.dock.set_collapsed(wanted.dock_starts_collapsed if folded is None else folded)
        self._apply_sizes()
        self.arranged.emit()

    def _house_chat(self, *, in_drawer: bool) -> None:
        if in_drawer:
            self._drawer.take(self._chat)
        else:
            self._drawer.hide()
            self._chat_column.addWidget(self._chat)
            self._chat.show()

    def _apply_sizes(self) -> None:
        """Size the panels as the person left them, else as the design starts."""
        size = self._theme.size
        shares = self._store.shares(self._project_id, self._mode)
        gap = size("gap")
        width, height = self._window.width() - size("rail") - gap, self._window.height()
        chat = round(shares.chat * width) if shares else self._arrangement.chat_width
        self._splitter.setSizes([chat, max(1, width - chat - gap)])
        work = width if self._chat_slot.isHidden() else width - chat - gap
        preview = self._preview_size(shares, work)
        self._work.middle_splitter.setSizes([max(1, work - preview - gap), preview])
        code = work - preview - gap if preview else work
        tree = round(shares.tree * code) if shares else size("tree_default")
        tree = max(size("tree_min"), min(tree, code - size("editor_min") - _FRAME))
        self._work.code_splitter.setSizes([tree, max(1, code - tree)])
        dock = round(shares.dock * height) if shares else size("dock_default")
        if self.panels.dock.collapsed:
            dock = size("dock_collapsed")
        self._work.dock_splitter.setSizes([max(1, height - dock), dock])

    def _preview_size(self, shares: Shares | None, work: int) -> int:
        """Return the preview's width; at the start it leaves the editor and tree their least."""
        size = self._theme.size
        match self._arrangement.preview:
            case "hidden":
                return 0
            case "strip":
                return size("preview_collapsed")
            case "open":
                if shares is not None:
                    return round(shares.preview * work)
                left = work - size("editor_min") - size("tree_min") - size("gap") - _FRAME
                return max(size("preview_min"), min(self._preview_start(), left))

    def _preview_start(self) -> int:
        if self._preview_favoured:
            return self._theme.size("preview_complete")
        return self._arrangement.preview_width

    def _on_dock_folded(self) -> None:
        self._apply_sizes()
        self.arranged.emit()

    def _on_moved(self) -> None:
        self._store.set_shares(self._project_id, self._mode, self._measured())

    def _measured(self) -> Shares:
        """Return the shares as they are; a panel that is away keeps the one it had."""
        known = self._store.shares(self._project_id, self._mode) or _START
        middle, code = self._work.middle_splitter, self._work.code_splitter
        here = self._arrangement
        chat, tree, preview, dock = known.chat, known.tree, known.preview, known.dock
        if not self._chat_slot.isHidden():
            chat = _share(self._splitter.sizes()[0], self._splitter.width())
        if here.tree == "docked" and self._work.tree_shown:
            tree = _share(code.sizes()[0], code.width())
        if here.preview == "open" and here.editor:
            preview = _share(middle.sizes()[1], middle.width())
        if not self.panels.dock.collapsed:
            dock = _share(self._work.dock_splitter.sizes()[1], self._window.height())
        return Shares(chat=chat, tree=tree, preview=preview, dock=dock)

    def _on_reset(self) -> None:
        self._store.forget_shares(self._project_id, self._mode)
        self._preview_favoured = False
        self._apply_sizes()


def _share(part: int, whole: int) -> float:
    return min(0.95, max(0.02, part / max(1, whole)))
