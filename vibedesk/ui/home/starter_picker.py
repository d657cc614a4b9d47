"""What a new app begins with: left to the plan, or one of the starters, the person's own included."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu, QSizePolicy

from vibedesk.engine.views import TemplateView
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.buttons import LayoutButton
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel


class StarterPicker(LayoutButton):
    """Shows the choice and opens the menu that changes it."""

    add_requested = Signal()
    remove_requested = Signal(str)
    """The name of one of the person's own."""

    def __init__(self, theme: Theme) -> None:
        self._words = ElidedLabel("", tone="secondary")
        super().__init__(
            hbox(
                IconLabel(theme, "package", "text.muted", 14),
                (self._words, 1),
                IconLabel(theme, "caret-down", "text.muted", 12),
                gap=6,
                margins=(8, 0, 6, 0),
            ),
            "",
        )
        self._theme = theme
        self._starters: tuple[TemplateView, ...] = ()
        self._chosen = ""
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._on_clicked)
        self._show()

    @property
    def names(self) -> tuple[str, ...]:
        """The starters that are offered."""
        return tuple(starter.name for starter in self._starters)

    @property
    def chosen(self) -> str:
        """The name of the chosen starter; empty: the plan chooses."""
        return self._chosen

    def set_starters(self, starters: Sequence[TemplateView]) -> None:
        """Offer these; a chosen one that is not among them is chosen no more."""
        self._starters = tuple(starters)
        self.choose(self._chosen)

    def choose(self, name: str) -> None:
        """Choose a starter; an empty or unknown name leaves it to the plan."""
        self._chosen = name if name in self.names else ""
        self._show()

    def _show(self) -> None:
        title = next((s.title for s in self._starters if s.name == self._chosen), "")
        title = title or self.tr("chosen by the plan")
        self._words.setText(self.tr("Starter: {0}").format(title))
        self._words.updateGeometry()
        self.setAccessibleName(self.tr("Starter, {0}").format(title))
        self.setToolTip(self.tr("What the new app begins with"))

    def _on_clicked(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        self._add_choice(menu, "", self.tr("Chosen by the plan"))
        own = [starter for starter in self._starters if starter.own]
        for group in ([s for s in self._starters if not s.own], own):
            menu.addSeparator()
            for starter in group:
                self._add_choice(menu, starter.name, starter.title, starter.description)
        menu.addSeparator()
        add = menu.addAction(self._theme.icon("plus"), self.tr("Add your own…"))
        add.triggered.connect(self.add_requested)
        if own:
            remove = menu.addMenu(self._theme.icon("trash"), self.tr("Remove one of yours"))
            for starter in own:
                remove.addAction(_plain(starter.title)).triggered.connect(
                    lambda _=False, name=starter.name: self.remove_requested.emit(name)
                )
        menu.popup(self.mapToGlobal(QPoint(0, self.height() + 4)))

    def _add_choice(self, menu: QMenu, name: str, title: str, description: str = "") -> None:
        action = menu.addAction(_plain(title))
        action.setToolTip(description)
        action.setCheckable(True)
        action.setChecked(name == self._chosen)
        action.triggered.connect(lambda _=False: self.choose(name))


def _plain(title: str) -> str:
    return title.replace("&", "&&")
