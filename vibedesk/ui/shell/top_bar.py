"""The bar at the top: which project, which layout, which look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from vibedesk.ui.shell.arrangement import LayoutMode
from vibedesk.ui.theme.theme import Scheme, Theme
from vibedesk.ui.widgets.boxes import hbox
from vibedesk.ui.widgets.buttons import LayoutButton, Segment, Segmented, icon_button
from vibedesk.ui.widgets.labels import ElidedLabel, IconLabel, label
from vibedesk.ui.widgets.marks import Mark
from vibedesk.ui.widgets.rings import Ring

if TYPE_CHECKING:  # loaded after the first paint, with the panels
    from vibedesk.ui.shell.phase_bar import PhaseView

_MENU_PROJECTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectChoice:
    """A project as the switcher names it."""

    id: str
    title: str


class TopBar(QWidget):
    """Says where one is and switches project, layout and look."""

    project_chosen = Signal(str)
    all_projects_requested = Signal()
    new_project_requested = Signal()
    mode_chosen = Signal(str)
    tree_toggled = Signal()
    scheme_chosen = Signal(str)
    menu_chosen = Signal(str)
    pause_requested = Signal()
    stop_requested = Signal()
    continue_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._choices: tuple[ProjectChoice, ...] = ()
        self._current = ""
        self.setFixedHeight(theme.size("topbar"))
        self._page_title = label("", strong=True)
        self._project = self._make_switcher()
        self._phase = _PhaseInBar(theme)
        self._phase.pause_requested.connect(self.pause_requested)
        self._phase.stop_requested.connect(self.stop_requested)
        self._phase.continue_requested.connect(self.continue_requested)
        self._tree = icon_button(
            theme, "sidebar-simple", self.tr("Files"), size=18, shortcut="Ctrl+B"
        )
        self._tree.clicked.connect(self.tree_toggled)
        self._modes = Segmented(
            theme,
            self.tr("Layout"),
            [
                Segment(key="build", text=self.tr("Build"), icon="columns", tooltip="Ctrl+1"),
                Segment(key="code", text=self.tr("Code"), icon="code", tooltip="Ctrl+2"),
                Segment(key="preview", text=self.tr("Preview"), icon="browser", tooltip="Ctrl+3"),
            ],
        )
        self._modes.chosen.connect(self.mode_chosen)
        self._look = icon_button(theme, "circle-half", self.tr("Colours"), size=18)
        self._look.clicked.connect(self._on_look_clicked)
        self._more = icon_button(theme, "dots-three", self.tr("More"), size=18)
        self._more.clicked.connect(self._on_more_clicked)
        mark = QWidget()
        mark.setFixedWidth(theme.size("rail"))
        mark.setLayout(hbox(None, Mark(theme, 28), None))
        self.setLayout(
            hbox(
                mark,
                self._page_title,
                self._project,
                self._phase,
                None,
                self._tree,
                self._modes,
                self._look,
                self._more,
                gap=8,
                margins=(0, 0, 8, 0),
            )
        )
        self.show_page_title("")

    def show_page_title(self, title: str) -> None:
        """Show a page that is no project: its name alone."""
        self._page_title.setText(title)
        self._page_title.show()
        for widget in (self._project, self._phase, self._tree, self._modes):
            widget.hide()

    def show_project(self) -> None:
        """Show what belongs to an open project."""
        self._page_title.hide()
        self._project.show()
        self._modes.show()

    def set_project(self, title: str, detail: str) -> None:
        self._title.setText(title)
        self._detail.setText(detail)
        self._detail.setVisible(bool(detail))
        self._project.setAccessibleName(
            self.tr("Switch project, current {title}").format(title=title)
        )
        self._project.updateGeometry()

    def set_choices(self, choices: Sequence[ProjectChoice], current: str) -> None:
        """Set the projects the switcher offers, newest first."""
        self._choices, self._current = tuple(choices), current

    def set_mode(self, mode: LayoutMode) -> None:
        self._modes.set_current(mode)

    def set_tree_button(self, *, shown: bool) -> None:
        self._tree.setVisible(shown)

    def set_phase(self, view: PhaseView, *, shown: bool) -> None:
        self._phase.show_view(view)
        self._phase.setVisible(shown and bool(view.title))

    def _make_switcher(self) -> LayoutButton:
        self._title = ElidedLabel("")
        self._title.setProperty("strong", "true")
        self._title.setMaximumWidth(320)
        self._detail = label("", tone="muted", fs="small")
        face = hbox(
            self._title,
            self._detail,
            IconLabel(self._theme, "caret-down", "text.muted", 12),
            gap=8,
            margins=(10, 6, 10, 6),
        )
        button = LayoutButton(face, self.tr("Switch project"))
        button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        button.clicked.connect(self._on_switcher_clicked)
        return button

    def _on_switcher_clicked(self) -> None:
        menu = self._menu()
        for choice in self._choices[:_MENU_PROJECTS]:
            action = menu.addAction(choice.title.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(choice.id == self._current)
            action.triggered.connect(lambda _=False, key=choice.id: self.project_chosen.emit(key))
        if self._choices:
            menu.addSeparator()
        all_ = menu.addAction(self._theme.icon("squares-four"), self.tr("All projects"))
        all_.triggered.connect(self.all_projects_requested)
        new = menu.addAction(self._theme.icon("plus"), self.tr("New project"))
        new.triggered.connect(self.new_project_requested)
        menu.popup(self._project.mapToGlobal(QPoint(0, self._project.height() + 2)))

    def _on_look_clicked(self) -> None:
        menu = self._menu()
        group = QActionGroup(menu)
        names: dict[Scheme, str] = {
            "system": self.tr("Like the system"),
            "dark": self.tr("Dark"),
            "light": self.tr("Light"),
            "high_contrast": self.tr("High contrast"),
        }
        for scheme in sorted(get_args(Scheme), key=list(names).index):
            action = QAction(names[scheme], menu, checkable=True)
            action.setChecked(self._theme.scheme == scheme)
            action.triggered.connect(lambda _=False, key=scheme: self.scheme_chosen.emit(key))
            group.addAction(action)
            menu.addAction(action)
        corner = QPoint(self._look.width() - menu.sizeHint().width(), self._look.height() + 4)
        menu.popup(self._look.mapToGlobal(corner))

    def _on_more_clicked(self) -> None:
        menu = self._menu()
        open_ = bool(self._title.text())
        for key, icon, text, shown in (
            ("variables", "password", self.tr("The app's variables…"), open_),
            ("inspect", "tree-structure", self.tr("Look inside this project…"), open_),
            ("usage", "coins", self.tr("Usage and cost"), True),
            ("settings", "gear-six", self.tr("Settings"), True),
            ("report", "lifebuoy", self.tr("Report a problem…"), True),
            ("stop_all", "hand-palm", self.tr("Stop all runs and apps"), True),
        ):
            if shown:
                action = menu.addAction(self._theme.icon(icon), text)
                action.triggered.connect(lambda _=False, key=key: self.menu_chosen.emit(key))
        corner = QPoint(self._more.width() - menu.sizeHint().width(), self._more.height() + 4)
        menu.popup(self._more.mapToGlobal(corner))

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu


class _PhaseInBar(QWidget):
    """Ring, title and how to stop, for windows too low for the phase bar."""

    pause_requested = Signal()
    stop_requested = Signal()
    continue_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._ring = Ring(theme, 18)
        self._words = ElidedLabel("", tone="secondary")
        self._words.setMaximumWidth(260)
        self._pause = icon_button(
            theme, "pause-fill", self.tr("Pause"), tone="text.secondary", shortcut="Ctrl+Shift+."
        )
        self._pause.clicked.connect(self.pause_requested)
        self._stop = icon_button(
            theme, "stop-fill", self.tr("Stop"), tone="text.secondary", shortcut="Ctrl+."
        )
        self._stop.clicked.connect(self.stop_requested)
        self._continue = icon_button(theme, "play-fill", self.tr("Continue"), tone="text.secondary")
        self._continue.clicked.connect(self.continue_requested)
        buttons = (self._pause, self._stop, self._continue)
        self.setLayout(hbox(self._ring, self._words, *buttons, gap=8, margins=(8, 0, 0, 0)))

    def show_view(self, view: PhaseView) -> None:
        self._ring.set_share(view.share, f"{view.tone}.solid")
        running = next((s for s in view.steps if s.state in ("active", "waiting", "fixing")), None)
        words = f"{view.title}: {running.title} {running.extra}" if running else view.title
        self._words.setText(words.strip())
        self._pause.setVisible(view.pause != "none")
        self._pause.setEnabled(view.pause == "offered")
        self._stop.setVisible(view.may_stop or view.control == "stopping")
        self._stop.setEnabled(view.may_stop)
        self._continue.setVisible(view.may_continue)
        self.setAccessibleName(words)
