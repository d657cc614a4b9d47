"""The settings: pages beside a list of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QListWidgetItem, QStackedWidget, QWidget

from vibedesk.ui.settings.cards import SideList
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import add_layout, frame, hbox, vbox
from vibedesk.ui.widgets.island import Island
from vibedesk.ui.widgets.labels import label

_SIDE = 232
_NARROW_SIDE = 186
_NARROW = 1010
_KEY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsEntry:
    """A page in the list; without `make` it leads to another place of the window."""

    key: str
    title: str
    icon: str
    make: Callable[[], QWidget] | None = None


class SettingsPage(Island):
    """The list at the left and the chosen page. Pages are made when they are first shown."""

    page_shown = Signal(str)
    elsewhere_requested = Signal(str)
    """An entry that is no page of its own was chosen."""

    def __init__(self, theme: Theme, entries: Sequence[SettingsEntry]) -> None:
        super().__init__(theme)
        self._entries = {entry.key: entry for entry in entries}
        self._made: dict[str, QWidget] = {}
        self._current = ""
        self._list = SideList(self.tr("Settings"))
        for entry in entries:
            item = QListWidgetItem(
                theme.icon(entry.icon, "text.muted", 16, on="accent.text"), entry.title
            )
            item.setData(_KEY, entry.key)
            if entry.make is None:
                item.setToolTip(self.tr("Opens in its own page"))
            self._list.add(item)
        self._list.currentItemChanged.connect(self._on_current)
        self._list.itemActivated.connect(self._on_activated)
        self._list.itemClicked.connect(self._on_activated)
        self._stack = QStackedWidget()
        self._side = frame(
            "sidepage",
            vbox(
                hbox(label(self.tr("Settings"), fs="title"), margins=(10, 0, 0, 0)),
                (self._list, 1),
                gap=14,
                margins=(12, 24, 10, 12),
            ),
        )
        self._side.setFixedWidth(_SIDE)
        row = hbox(self._side, (self._stack, 1), gap=0)
        add_layout(self.column, row, 1)

    @property
    def current(self) -> str:
        """The key of the page that is shown; empty before the first."""
        return self._current

    def page(self, key: str) -> QWidget:
        """Return a page, made now if this is the first time.

        Raises:
            KeyError: there is none of that key.
        """
        if key not in self._made:
            make = self._entries[key].make
            if make is None:
                raise KeyError(key)
            self._made[key] = page = make()
            self._stack.addWidget(page)
        return self._made[key]

    def show_entry(self, key: str) -> None:
        """Show a page."""
        page = self.page(key)
        self._current = key
        self._stack.setCurrentWidget(page)
        for row in range(self._list.count()):
            item = self._list.item(row)
            if item.data(_KEY) == key and self._list.currentRow() != row:
                self._list.setCurrentRow(row)
        self.page_shown.emit(key)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._side.setFixedWidth(_NARROW_SIDE if self.width() < _NARROW else _SIDE)

    def _on_current(self, item: QListWidgetItem | None) -> None:
        key = item.data(_KEY) if item is not None else ""
        if key and self._entries[key].make is not None and key != self._current:
            self.show_entry(key)

    def _on_activated(self, item: QListWidgetItem) -> None:
        key = item.data(_KEY)
        if self._entries[key].make is None:
            self.elsewhere_requested.emit(key)
            self._mark_current()

    def _mark_current(self) -> None:
        for row in range(self._list.count()):
            if self._list.item(row).data(_KEY) == self._current:
                self._list.setCurrentRow(row)
