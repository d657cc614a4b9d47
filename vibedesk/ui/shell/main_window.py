"""The window: bars, rail, pages. It shows what it is given and says what the person asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QElapsedTimer, QEvent, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QHideEvent,
    QKeySequence,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from vibedesk.ui.shell.arrangement import LayoutMode
from vibedesk.ui.shell.banner_slot import BannerSlot
from vibedesk.ui.shell.layout_store import LayoutStore
from vibedesk.ui.shell.rail import Place, Rail
from vibedesk.ui.shell.regions import focus_next_region, focus_region
from vibedesk.ui.shell.status_bar import StatusBar, StatusItem
from vibedesk.ui.shell.top_bar import ProjectChoice, TopBar
from vibedesk.ui.theme.theme import Scheme, Theme
from vibedesk.ui.widgets.boxes import hbox, vbox
from vibedesk.ui.widgets.messages import MessageAction, MessageKind
from vibedesk.ui.widgets.toast import Toast, ToastStack

if TYPE_CHECKING:  # loaded after the first paint, with the panels
    from vibedesk.ui.shell.phase_bar import PhaseView
    from vibedesk.ui.shell.workspace import Workspace

PageName = Literal["welcome", "projects", "workspace", "history", "usage", "settings"]
PageFactory = Callable[[], QWidget]
_OF_PROJECT = ("workspace", "history")
_PLACE_OF: dict[PageName, Place] = {
    "projects": "projects",
    "usage": "usage",
    "history": "history",
    "settings": "settings",
}
_ANNOUNCE_EVERY_MS = 5000


class MainWindow(QMainWindow):
    """The frame of everything. Pages are made when first shown; the workspace comes when it is ready.

    Args:
        theme: The look.
        pages: Makes the welcome page and the projects page.
        store: Where sizes and choices are remembered.
    """

    new_project_requested = Signal()
    open_project_requested = Signal(str)
    page_shown = Signal(str)
    mode_changed = Signal(str)
    scheme_changed = Signal(str)
    pause_requested = Signal()
    stop_requested = Signal()
    continue_requested = Signal()
    step_activated = Signal(str)
    status_clicked = Signal(str)
    banner_action = Signal(str, str)
    banner_dismissed = Signal(str)
    keep_version_requested = Signal()
    menu_chosen = Signal(str)
    """Something of the top bar's menu: settings, usage, variables, inspect or report."""
    closing = Signal()
    seen_changed = Signal()
    """It was hidden, minimised or shown again; `seen` says which."""

    def __init__(
        self,
        theme: Theme,
        pages: Mapping[Literal["welcome", "projects"], PageFactory],
        store: LayoutStore,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._factories: dict[PageName, PageFactory] = {}
        self._store = store
        self._pages: dict[PageName, QWidget] = {}
        self._page: PageName = "welcome"
        self._workspace: Workspace | None = None
        self._project_id = ""
        self._title = ""
        self._phase: PhaseView | None = None
        self._unread = 0
        self._working = False
        self._may_close = False
        self._last_announcement = QElapsedTimer()
        self.setObjectName("main")
        self.setWindowTitle(self.tr("VibeDesk"))
        self.setMinimumSize(theme.size("window_min_w"), theme.size("window_min_h"))
        self._top = TopBar(theme)
        self._rail = Rail(theme)
        for name, factory in pages.items():
            self.add_page(name, factory)
        self._banners = BannerSlot(theme)
        self._stack = QStackedWidget()
        self._status = StatusBar(theme)
        self._build_frame()
        self._toasts = ToastStack(theme, self)
        self._connect_frame()
        self._add_actions()
        self._restore_geometry()

    @property
    def store(self) -> LayoutStore:
        """Where sizes and choices are remembered."""
        return self._store

    @property
    def page(self) -> PageName:
        return self._page

    @property
    def seen(self) -> bool:
        """Whether a person can see it: it is neither hidden nor minimised."""
        return self.isVisible() and not self.isMinimized()

    def status_widget(self, key: str) -> QWidget | None:
        """Return what shows a fact of the status bar, for what opens beside it."""
        return self._status.widget_of(key)

    @property
    def workspace(self) -> Workspace | None:
        """The page of the open project; none before it was installed."""
        return self._workspace

    def install_workspace(self, workspace: Workspace) -> None:
        """Take the page of the open project, once; it may be built after the first paint."""
        workspace.arranged.connect(self._on_arranged)
        workspace.mode_requested.connect(self._on_mode_chosen)
        workspace.phase_bar.pause_requested.connect(self.pause_requested)
        workspace.phase_bar.stop_requested.connect(self.stop_requested)
        workspace.phase_bar.continue_requested.connect(self.continue_requested)
        workspace.phase_bar.step_activated.connect(self.step_activated)
        if self._phase is not None:
            workspace.phase_bar.show_view(self._phase)
        workspace.set_project(self._project_id)
        workspace.fit(self.size())
        self._workspace = workspace
        self._pages["workspace"] = workspace
        self._stack.addWidget(workspace)

    def add_page(self, name: PageName, factory: PageFactory) -> None:
        """Take what makes a page; it is made when it is first shown."""
        self._factories[name] = factory
        self._rail.set_ready(name)

    def show_page(self, name: PageName) -> None:
        """Show a page; it is made now if this is the first time.

        Raises:
            KeyError: The workspace was asked for before it was installed.
        """
        page = self._page_widget(name)
        self._page = name
        self._stack.setCurrentWidget(page)
        in_workspace = name == "workspace"
        if name in _OF_PROJECT:
            self._top.show_project()
            self._top.set_tree_button(shown=False)
        else:
            titles = {
                "welcome": self.tr("New project"),
                "projects": self.tr("Projects"),
                "usage": self.tr("Usage"),
                "settings": self.tr("Settings"),
            }
            self._top.show_page_title(titles[name])
        self._rail.set_place(_PLACE_OF.get(name, "build"), in_workspace=in_workspace)
        self._rail.set_working(working=self._working, in_workspace=in_workspace)
        self._on_arranged()
        self._refresh_title()
        self.page_shown.emit(name)

    def set_project(self, project_id: str, title: str, detail: str = "") -> None:
        """Name the open project; its own arrangement of the panels is taken on."""
        self._top.set_project(title, detail)
        self._title = title
        self._rail.set_history_button(shown=bool(project_id) and "history" in self._factories)
        if project_id != self._project_id:
            self._project_id = project_id
            if self._workspace is not None:
                self._workspace.set_project(project_id)
        self._refresh_title()

    def set_project_title(self, title: str, detail: str = "") -> None:
        """Change only the words, for example when the blueprint gave the project its name."""
        self.set_project(self._project_id, title, detail)

    def set_project_choices(self, choices: Sequence[ProjectChoice]) -> None:
        """Set what the project switcher offers, newest first."""
        self._top.set_choices(choices, self._project_id)

    def set_phase(self, view: PhaseView) -> None:
        """Show how the run stands."""
        self._phase = view
        if self._workspace is not None:
            self._workspace.phase_bar.show_view(view)
        self._on_arranged()

    def set_phase_times(self, elapsed: str, estimate: str) -> None:
        """Change only the times of the run."""
        if self._workspace is not None:
            self._workspace.phase_bar.set_times(elapsed, estimate)

    def set_working(self, *, working: bool) -> None:
        """Say whether the agent works; the rail shows it while another page is open."""
        self._working = working
        self._rail.set_working(working=working, in_workspace=self._page == "workspace")

    def set_unread(self, count: int) -> None:
        """Set how many chat messages wait while the chat is closed."""
        self._unread = count
        self._on_arranged()

    def set_status_items(self, left: Sequence[StatusItem], right: Sequence[StatusItem]) -> None:
        self._status.set_items(left, right)

    def show_banner(
        self,
        kind: MessageKind,
        text: str,
        actions: Sequence[MessageAction] = (),
        *,
        key: str = "",
    ) -> None:
        """Show a banner; the text stands for a key where none is given."""
        self._banners.show_banner(key or text, kind, text, actions)
        self.announce(text)

    def dismiss_banner(self, key: str) -> None:
        self._banners.dismiss(key)

    def show_toast(
        self,
        kind: MessageKind,
        title: str,
        text: str = "",
        actions: Sequence[tuple[MessageAction, Callable[[], None]]] = (),
    ) -> None:
        """Show a note that leaves by itself, unless it is an error."""
        toast = Toast(self._theme, kind, title, text, [action for action, _ in actions])
        calls = {action.key: call for action, call in actions}

        def act(key: str) -> None:
            toast.closed.emit()
            calls[key]()

        toast.action_triggered.connect(act)
        self._toasts.show_toast(toast)
        self.announce(f"{title}. {text}".strip())

    def favour_preview(self) -> None:
        """Give the preview more room once, when an app is complete."""
        if self._workspace is not None:
            self._workspace.favour_preview()

    def show_code(self) -> None:
        """Bring the editor of the project on screen forward, in a layout that has one."""
        workspace = self._open_workspace
        if workspace is not None:
            workspace.show_work()
            if not workspace.arrangement.editor:
                self._on_mode_chosen("build")

    def toggle_dock(self) -> None:
        workspace = self._open_workspace
        if workspace is not None:
            workspace.toggle_dock()

    def announce(self, text: str) -> None:
        """Tell screen readers, politely and at most once in five seconds."""
        timer = self._last_announcement
        if timer.isValid() and timer.elapsed() < _ANNOUNCE_EVERY_MS:
            return
        timer.start()
        # Qt builds the enums of QAccessible on import, which the first paint need not wait for.
        from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def allow_close(self) -> None:
        """Let the next close through; before that, closing only asks."""
        self._may_close = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._toasts.place()
        if self._workspace is not None:
            self._workspace.fit(self.size())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.seen_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.seen_changed.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.seen_changed.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._store.set_geometry(self.saveGeometry())
        self._store.save()
        if self._may_close:
            super().closeEvent(event)
        else:
            event.ignore()
            self.closing.emit()

    def _build_frame(self) -> None:
        gap = self._theme.size("gap")
        middle = QWidget()
        middle.setLayout(vbox(self._banners, (self._stack, 1), gap=0))
        root = QWidget()
        root.setObjectName("root")
        body = hbox(self._rail, (middle, 1), gap=0, margins=(0, 0, gap, 0))
        column = vbox(self._top, body, self._status, gap=0)
        column.setStretch(1, 1)
        root.setLayout(column)
        self.setCentralWidget(root)

    def _connect_frame(self) -> None:
        self._top.project_chosen.connect(self.open_project_requested)
        self._top.all_projects_requested.connect(lambda: self.show_page("projects"))
        self._top.new_project_requested.connect(self._on_new_project)
        self._top.mode_chosen.connect(self._on_mode_chosen)
        self._top.tree_toggled.connect(self._on_toggle_tree)
        self._top.scheme_chosen.connect(self._on_scheme_chosen)
        self._top.menu_chosen.connect(self.menu_chosen)
        self._top.pause_requested.connect(self.pause_requested)
        self._top.stop_requested.connect(self.stop_requested)
        self._top.continue_requested.connect(self.continue_requested)
        self._rail.place_requested.connect(self._on_place_requested)
        self._rail.chat_requested.connect(self._on_toggle_chat)
        self._banners.action_triggered.connect(self.banner_action)
        self._banners.dismissed.connect(self.banner_dismissed)
        self._status.item_clicked.connect(self.status_clicked)

    def _add_actions(self) -> None:
        standard = QKeySequence.StandardKey
        table: list[tuple[str, str | QKeySequence.StandardKey, Callable[[], object]]] = [
            (self.tr("New project"), standard.New, self._on_new_project),
            (self.tr("Open a project"), standard.Open, lambda: self.show_page("projects")),
            (self.tr("Build layout"), "Ctrl+1", lambda: self._on_mode_chosen("build")),
            (self.tr("Code layout"), "Ctrl+2", lambda: self._on_mode_chosen("code")),
            (self.tr("Preview layout"), "Ctrl+3", lambda: self._on_mode_chosen("preview")),
            (self.tr("Show or hide files"), "Ctrl+B", self._on_toggle_tree),
            (self.tr("Show or hide chat"), "Ctrl+Alt+B", self._on_toggle_chat),
            (self.tr("Show or hide logs"), "Ctrl+J", self.toggle_dock),
            (self.tr("Go to chat"), "Ctrl+L", self._on_focus_chat),
            (self.tr("Go to editor"), "Ctrl+E", self._on_focus_editor),
            (self.tr("Go to preview"), "Ctrl+Shift+B", self._on_focus_preview),
            (self.tr("Next part of the window"), "F6", lambda: self._on_region(backwards=False)),
            (
                self.tr("Previous part of the window"),
                "Shift+F6",
                lambda: self._on_region(backwards=True),
            ),
            (self.tr("History"), "Ctrl+Shift+H", lambda: self._on_place_requested("history")),
            (self.tr("Keep a version"), "Ctrl+Alt+S", self._on_keep_version),
            (self.tr("Settings"), "Ctrl+,", lambda: self._on_place_requested("settings")),
            (self.tr("Pause"), "Ctrl+Shift+.", self._on_pause),
            (self.tr("Stop"), "Ctrl+.", self._on_stop),
            (self.tr("Full screen"), "F11", self._on_full_screen),
            (self.tr("Quit"), "Ctrl+Q", self.close),
        ]
        for text, shortcut, call in table:
            action = QAction(text, self)
            action.setShortcut(QKeySequence(shortcut))
            action.triggered.connect(lambda _=False, call=call: call())
            self.addAction(action)

    def _page_widget(self, name: PageName) -> QWidget:
        page = self._pages.get(name)
        if page is None:
            if name == "workspace":
                raise KeyError(name)
            page = self._pages[name] = self._factories[name]()
            self._stack.addWidget(page)
        return page

    def _refresh_title(self) -> None:
        named = self._page in _OF_PROJECT and self._title
        words = f"{self._title} - VibeDesk" if named else "VibeDesk"
        self.setWindowTitle(words)

    def _restore_geometry(self) -> None:
        geometry = self._store.geometry()
        if geometry.isEmpty() or not self.restoreGeometry(geometry):
            room = self.screen().availableSize()
            self.resize(min(1600, room.width()), min(1000, room.height()))

    def _regions(self) -> list[QWidget]:
        middle: list[QWidget] = [self._stack]
        workspace = self._open_workspace
        if workspace is not None:
            panels = workspace.panels
            middle = [
                panels.chat,
                workspace.phase_bar,
                panels.files,
                panels.editor,
                panels.preview,
                panels.dock,
            ]
        return [self._top, self._rail, self._banners, *middle, self._status]

    def _on_region(self, *, backwards: bool) -> None:
        focus_next_region(self._regions(), backwards=backwards)

    def _on_arranged(self) -> None:
        workspace = self._open_workspace
        if workspace is None:
            self._rail.set_chat_button(shown=False, unread=0)
            return
        arrangement = workspace.arrangement
        self._top.set_mode(workspace.mode)
        self._top.set_tree_button(shown=arrangement.tree != "hidden")
        if self._phase is not None:
            self._top.set_phase(self._phase, shown=arrangement.phase_in_top_bar)
        away = not workspace.chat_shown
        self._rail.set_chat_button(
            shown=arrangement.chat_in_drawer or away, unread=self._unread if away else 0
        )

    def _on_mode_chosen(self, mode: LayoutMode) -> None:
        if self._page == "history":
            self.show_page("workspace")
        workspace = self._open_workspace
        if workspace is not None:
            workspace.show_work()
            workspace.set_mode(mode)
            self._top.set_mode(mode)
            self.mode_changed.emit(mode)

    def _on_scheme_chosen(self, scheme: Scheme) -> None:
        self._theme.set_scheme(scheme)
        self._store.set_scheme(scheme)
        self.scheme_changed.emit(scheme)

    def _on_place_requested(self, place: str) -> None:
        if place == "projects":
            self.show_page("projects")
        elif place == "usage" or place == "settings":
            if place in self._factories:
                self.show_page(place)
                focus_region(self._pages[place])
        elif place == "history":
            if self._project_id and "history" in self._factories:
                self.show_page("history")
                focus_region(self._pages["history"])
        else:
            self.show_page("workspace" if self._project_id and self._workspace else "welcome")

    def _on_keep_version(self) -> None:
        if self._project_id and "history" in self._factories:
            self.show_page("history")
            self.keep_version_requested.emit()

    def _on_new_project(self) -> None:
        self.show_page("welcome")
        focus_region(self._pages["welcome"])
        self.new_project_requested.emit()

    @property
    def _open_workspace(self) -> Workspace | None:
        """The workspace, if it is the page shown."""
        return self._workspace if self._page == "workspace" else None

    def _on_toggle_tree(self) -> None:
        workspace = self._open_workspace
        if workspace is not None and workspace.arrangement.tree != "hidden":
            workspace.toggle_tree()
            panels = workspace.panels
            focus_region(panels.files if workspace.tree_shown else panels.editor)

    def _on_toggle_chat(self) -> None:
        workspace = self._open_workspace
        if workspace is not None:
            workspace.toggle_chat()
            panels = workspace.panels
            focus_region(panels.chat if workspace.chat_shown else panels.editor)

    def _on_focus_chat(self) -> None:
        workspace = self._open_workspace
        if workspace is not None:
            workspace.show_chat()
            _enter(workspace.panels.chat, workspace.panels.focus_chat)

    def _on_focus_editor(self) -> None:
        workspace = self._open_workspace
        if workspace is not None:
            self.show_code()
            _enter(workspace.panels.editor, workspace.panels.focus_editor)

    def _on_focus_preview(self) -> None:
        workspace = self._open_workspace
        if workspace is not None:
            workspace.show_work()
            if workspace.arrangement.preview != "open":
                self._on_mode_chosen("preview")
            _enter(workspace.panels.preview, workspace.panels.focus_preview)

    def _on_pause(self) -> None:
        if self._phase is not None and self._phase.pause == "offered":
            self.pause_requested.emit()

    def _on_stop(self) -> None:
        if self._phase is not None and self._phase.may_stop:
            self.stop_requested.emit()

    def _on_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)


def _enter(panel: QWidget, focus: Callable[[], None] | None) -> None:
    """Give the keyboard to what a panel is there for, such as the code and not its tabs."""
    if focus is not None:
        focus()
    else:
        focus_region(panel)
