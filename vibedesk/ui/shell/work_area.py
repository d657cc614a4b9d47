"""Tree, editor, preview and dock, with the gaps between them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QWidget

from vibedesk.ui.dock.dock_panel import DockPanel
from vibedesk.ui.shell.arrangement import Arrangement
from vibedesk.ui.shell.overlay import Overlay
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, vbox
from vibedesk.ui.widgets.buttons import icon_button
from vibedesk.ui.widgets.island import GapSplitter, Island

_NO_LIMIT = 16_777_215
_BORDERS = 2
"""What an island's upper and lower border take."""


class WorkArea(QWidget):
    """Places its four panels as an `Arrangement` says."""

    preview_requested = Signal()
    moved = Signal()
    reset_requested = Signal()

    def __init__(
        self, theme: Theme, files: QWidget, editor: QWidget, preview: QWidget, dock: DockPanel
    ) -> None:
        super().__init__()
        self._theme = theme
        self._files = files
        self._tree_wanted = True
        self._arrangement: Arrangement | None = None
        self._tree_slot = QWidget()
        self._tree_slot.setMinimumWidth(theme.size("tree_min"))
        self._tree_column = vbox(files, gap=0)
        self._tree_slot.setLayout(self._tree_column)
        editor.setMinimumWidth(260)
        self.code_splitter = _HairSplitter(theme)
        self.code_splitter.addWidget(self._tree_slot)
        self.code_splitter.addWidget(editor)
        self.code_splitter.setStretchFactor(1, 1)
        self._code = Island(theme)
        self._code.add(self.code_splitter, 1)
        self._flyout = Overlay(theme, self._code, theme.size("tree_default"))
        self._preview = in_island(theme, preview)
        self._preview.setMinimumWidth(theme.size("preview_min"))
        self._strip = self._make_strip()
        self._preview_slot = QWidget()
        self._preview_slot.setLayout(vbox((self._preview, 1), (self._strip, 1), gap=0))
        self.middle_splitter = GapSplitter(Qt.Orientation.Horizontal, theme)
        self.middle_splitter.addWidget(self._code)
        self.middle_splitter.addWidget(self._preview_slot)
        self.middle_splitter.setStretchFactor(0, 1)
        self._dock = in_island(theme, dock)
        dock.collapsed_changed.connect(self._fit_dock)
        self._fit_dock(dock.collapsed)
        self.dock_splitter = GapSplitter(Qt.Orientation.Vertical, theme)
        self.dock_splitter.addWidget(self.middle_splitter)
        self.dock_splitter.addWidget(self._dock)
        self.dock_splitter.setStretchFactor(0, 1)
        for splitter in (self.middle_splitter, self.dock_splitter):
            splitter.gap_double_clicked.connect(self.reset_requested)
            splitter.splitterMoved.connect(self.moved)
        self.code_splitter.splitterMoved.connect(self.moved)
        self.setLayout(vbox(self.dock_splitter, gap=0))

    @property
    def preview_open(self) -> bool:
        return not self._preview.isHidden() and not self._preview_slot.isHidden()

    @property
    def tree_shown(self) -> bool:
        """Whether the file tree is shown, docked or as a flyout."""
        docked = not self._tree_slot.isHidden()
        return docked or not self._flyout.isHidden()

    def arrange(self, arrangement: Arrangement) -> None:
        """Show and hide panels; sizes are left alone."""
        before, self._arrangement = self._arrangement, arrangement
        in_flyout = arrangement.tree == "flyout"
        if before is None or (before.tree == "flyout") != in_flyout:
            self._house_tree(in_flyout=in_flyout)
        self._tree_slot.setVisible(arrangement.tree == "docked" and self._tree_wanted)
        if arrangement.tree != "flyout":
            self._flyout.close_over()
        self._code.setVisible(arrangement.editor)
        as_strip = arrangement.preview == "strip"
        self._preview.setVisible(arrangement.preview == "open")
        self._strip.setVisible(as_strip)
        self._preview_slot.setVisible(arrangement.preview != "hidden")
        narrow = self._theme.size("preview_collapsed")
        self._preview_slot.setMaximumWidth(narrow if as_strip else _NO_LIMIT)

    def toggle_tree(self) -> bool:
        """Show or hide the tree; return whether it is shown now."""
        arrangement = self._arrangement
        if arrangement is None or arrangement.tree == "hidden":
            return False
        if arrangement.tree == "flyout":
            if self._flyout.isHidden():
                self._flyout.open()
            else:
                self._flyout.close_over()
        else:
            self._tree_wanted = self._tree_slot.isHidden()
            self._tree_slot.setVisible(self._tree_wanted)
        return self.tree_shown

    def close_flyout(self) -> None:
        self._flyout.close_over()

    def _fit_dock(self, collapsed: bool) -> None:
        folded = self._theme.size("dock_collapsed") + _BORDERS
        self._dock.setMinimumHeight(folded if collapsed else self._theme.size("dock_min"))
        self._dock.setMaximumHeight(folded if collapsed else _NO_LIMIT)

    def _house_tree(self, *, in_flyout: bool) -> None:
        if in_flyout:
            self._flyout.take(self._files)
        else:
            self._tree_column.addWidget(self._files)
            self._files.show()

    def _make_strip(self) -> Island:
        strip = Island(self._theme)
        strip.setFixedWidth(self._theme.size("preview_collapsed"))
        open_ = icon_button(
            self._theme, "browser", self.tr("Show the preview"), size=18, shortcut="Ctrl+1"
        )
        open_.clicked.connect(self.preview_requested)
        add_layout(strip.column, vbox(open_, None, margins=(4, 5, 4, 5)))
        return strip


def in_island(theme: Theme, panel: QWidget) -> Island:
    """Return the panel itself if it is an island, else one around it."""
    if isinstance(panel, Island):
        return panel
    island = Island(theme)
    island.add(panel, 1)
    return island


class _HairSplitter(QSplitter):
    """Splits inside an island: one pixel to see, a few more to grab."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        self.setProperty("role", "hair")
