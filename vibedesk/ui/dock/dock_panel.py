"""The dock: pages behind tabs, with the tools of the shown page, that folds to its header.

It knows whether it is folded; its place in the window gives it the room that follows from that.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QWidget

from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import frame, hbox, vbox
from vibedesk.ui.widgets.buttons import LayoutButton, icon_button
from vibedesk.ui.widgets.labels import IconLabel, badge, label, set_tone


class _Tab(LayoutButton):
    """Icon, title, and how many errors and warnings stand on the page."""

    def __init__(self, theme: Theme, title: str, icon: str) -> None:
        self._icon = IconLabel(theme, icon, "text.muted", 14)
        self._icon_name = icon
        self._words = label(title, tone="muted", fs="small", strong="mid")
        self._errors, self._warnings = badge("", "danger"), badge("", "warning")
        face = hbox(
            self._icon, self._words, self._errors, self._warnings, gap=6, margins=(8, 0, 8, 0)
        )
        super().__init__(face, title, "docktab")
        self.setCheckable(True)
        self.toggled.connect(self._on_toggled)
        self.set_counts(0, 0)

    def set_counts(self, errors: int, warnings: int) -> None:
        for shown, count in ((self._errors, errors), (self._warnings, warnings)):
            shown.setText(str(count))
            shown.setVisible(count > 0)
        told = (
            (errors, self.tr("1 error"), self.tr("{0} errors")),
            (warnings, self.tr("1 warning"), self.tr("{0} warnings")),
        )
        words = [one if n == 1 else many.format(n) for n, one, many in told if n]
        self.setAccessibleDescription(", ".join(words))
        self.updateGeometry()

    def _on_toggled(self, on: bool) -> None:
        set_tone(self._words, "primary" if on else "muted")
        self._icon.set_icon(self._icon_name, "text.primary" if on else "text.muted")


class DockPanel(QWidget):
    """Holds pages under the editor. Folded it is only its header.

    Signals:
        fold_requested: The person pressed the caret; whoever placed the dock decides.
        collapsed_changed: It is folded now, or not any more.
        page_changed: The key of the page that is shown now.
    """

    fold_requested = Signal()
    collapsed_changed = Signal(bool)
    page_changed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._keys: list[str] = []
        self._buttons: dict[str, _Tab] = {}
        self._collapsed = False
        self._group = QButtonGroup(self)
        self._tabs = QHBoxLayout()
        self._tabs.setSpacing(2)
        self._tools = QStackedWidget()
        self._pages = QStackedWidget()
        self._toggle = icon_button(theme, "caret-down", "", size=15, small=True)
        self._toggle.clicked.connect(self.fold_requested)
        header = frame(
            "header",
            hbox(self._tabs, None, self._tools, self._toggle, gap=4, margins=(10, 0, 8, 0)),
        )
        header.setFixedHeight(theme.size("dock_collapsed"))
        self.setLayout(vbox(header, (self._pages, 1), gap=0))
        self.setAccessibleName(self.tr("Dock"))
        self.set_collapsed(False)

    @property
    def collapsed(self) -> bool:
        return self._collapsed

    @property
    def current(self) -> str:
        return self._keys[self._pages.currentIndex()] if self._keys else ""

    def add_page(
        self, key: str, title: str, icon: str, page: QWidget, tools: QWidget | None = None
    ) -> None:
        """Append a page; `tools` stand in the header while it is shown."""
        tab = _Tab(self._theme, title, icon)
        tab.clicked.connect(lambda: self.show_page(key))
        self._group.addButton(tab)
        self._tabs.addWidget(tab)
        self._keys.append(key)
        self._buttons[key] = tab
        self._pages.addWidget(page)
        self._tools.addWidget(tools or QWidget())
        if len(self._keys) == 1:
            tab.setChecked(True)

    def show_page(self, key: str) -> None:
        """Show a page, unfolding the dock."""
        index = self._keys.index(key)
        self._buttons[key].setChecked(True)
        self._pages.setCurrentIndex(index)
        self._tools.setCurrentIndex(index)
        self.set_collapsed(False)
        self.page_changed.emit(key)

    def set_counts(self, key: str, errors: int, warnings: int) -> None:
        """Say in a page's tab how many errors and warnings stand there."""
        self._buttons[key].set_counts(errors, warnings)

    def set_collapsed(self, collapsed: bool) -> None:
        changed = collapsed != self._collapsed
        self._collapsed = collapsed
        self._pages.setVisible(not collapsed)
        self._tools.setVisible(not collapsed)
        self._toggle.setIcon(
            self._theme.icon("caret-up" if collapsed else "caret-down", "text.muted", 15)
        )
        words = self.tr("Unfold the dock") if collapsed else self.tr("Fold the dock")
        self._toggle.setAccessibleName(words)
        self._toggle.setToolTip(words)
        if changed:
            self.collapsed_changed.emit(collapsed)
