"""Settings, usage, variables and the looks inside: their pages and dialogs, joined with the engine."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.ui.dialogs.bug_report import BugReportDialog
from vibedesk.ui.dialogs.inspector import InspectorDialog
from vibedesk.ui.dialogs.variables import VariableActions, VariableEntry, VariablesDialog
from vibedesk.ui.sandbox.words import bytes_words
from vibedesk.ui.sandbox_control import SandboxControl
from vibedesk.ui.settings.building_control import BuildingControl
from vibedesk.ui.settings.building_page import BuildingPage
from vibedesk.ui.settings.data_page import DataPage
from vibedesk.ui.settings.models_control import ModelsControl
from vibedesk.ui.settings.models_page import ModelsPage
from vibedesk.ui.settings.page import SettingsEntry, SettingsPage
from vibedesk.ui.settings.place_page import PlacePage
from vibedesk.ui.shell.main_window import MainWindow
from vibedesk.ui.tasks import ErrorHandler, WidgetTasks
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.messages import MessageAction

VARIABLE_BANNER = "variable "
"""Keys of the banners that say that the app asked for one begin with this."""
_OPEN, _LATER = "open", "later"
_DAYS = "housekeeping.days"
_USUAL_DAYS = 30
_LEVEL = "log.level"


class SettingsControl(QObject):
    """Makes the pages when they are first shown, opens the dialogs, and does what they ask for.

    Args:
        window: The frame; gets the pages "settings" and "usage".
        theme: The look.
        engine: Started already.
        home: Where the data is.
        sandbox: Knows where apps run.
        project: The open project's id and title; both empty where none is open.
        failed: Told what went wrong.
    """

    models_changed = Signal()
    """Which models are asked may be different now."""

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        engine: Engine,
        home: Home,
        sandbox: SandboxControl,
        project: Callable[[], tuple[str, str]],
        failed: ErrorHandler,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._theme = theme
        self._engine = engine
        self._home = home
        self._sandbox = sandbox
        self._project = project
        self._failed = failed
        self._page: SettingsPage | None = None
        self._models: ModelsControl | None = None
        self._building: BuildingControl | None = None
        self._usage: Callable[[str], None] | None = None
        self._asked: set[str] = set()
        self._tasks = WidgetTasks(self, failed)
        window.add_page("settings", self._make_settings)
        window.add_page("usage", self._make_usage)
        window.page_shown.connect(self._on_page)
        window.banner_action.connect(self._on_banner)
        window.menu_chosen.connect(self._on_menu)

    # -- the ways in ----------------------------------------------------------------------------------
    def open_settings(self, page: str = "") -> None:
        """Show the settings, at a page of them."""
        self._window.show_page("settings")
        shown = self._settings
        if page and shown.current != page:
            shown.show_entry(page)

    def open_usage(self) -> None:
        """Show the usage of the open project, or of all."""
        self._window.show_page("usage")

    def open_variables(self, wanted: str = "") -> None:
        """Show the open project's variables, `wanted` first."""
        project_id, title = self._project()
        if project_id:
            self._do(self._show_variables(project_id, title, wanted))

    def variable_asked(self, name: str, purpose: str) -> None:
        """Say that the open app asked for a variable."""
        self._asked.add(name)
        words = self.tr("The app asks for {0}: {1}").format(name, purpose) if purpose else ""
        self._window.show_banner(
            "info",
            words or self.tr("The app asks for {0}.").format(name),
            [
                MessageAction(key=_OPEN, text=self.tr("Enter it")),
                MessageAction(key=_LATER, text=self.tr("Not now")),
            ],
            key=f"{VARIABLE_BANNER}{name}",
        )

    def tell_asked(self, project_id: str) -> None:
        """Say which variable a project that is opened still asks for."""
        self._do(self._tell_asked(project_id))

    async def _tell_asked(self, project_id: str) -> None:
        for view in await self._engine.variables(project_id):
            here = project_id == self._project()[0]
            if here and not view.has_value and view.asked_by != "you":
                self.variable_asked(view.name, view.purpose)
                return

    def leave_project(self) -> None:
        """Take away what was said of the project that was open."""
        for name in self._asked:
            self._window.dismiss_banner(f"{VARIABLE_BANNER}{name}")
        self._asked.clear()

    # -- pages ----------------------------------------------------------------------------------------
    @property
    def _settings(self) -> SettingsPage:
        assert self._page is not None, "the window makes it when it is shown"
        return self._page

    def _make_settings(self) -> SettingsPage:
        entries = (
            SettingsEntry(
                key="models", title=self.tr("Models and keys"), icon="brain", make=self._make_models
            ),
            SettingsEntry(
                key="building", title=self.tr("Building"), icon="hammer", make=self._make_building
            ),
            SettingsEntry(
                key="place",
                title=self.tr("Where apps run"),
                icon="shipping-container",
                make=self._make_place,
            ),
            SettingsEntry(key="usage", title=self.tr("Usage and limits"), icon="coins"),
            SettingsEntry(
                key="data", title=self.tr("Data"), icon="hard-drives", make=self._make_data
            ),
        )
        page = SettingsPage(self._theme, entries)
        page.page_shown.connect(self._on_settings_page)
        page.elsewhere_requested.connect(lambda _: self.open_usage())
        self._page = page
        page.show_entry("models")
        return page

    def _make_models(self) -> ModelsPage:
        page = ModelsPage(self._theme)
        self._models = ModelsControl(page, self._engine, self._failed)
        self._models.changed.connect(self.models_changed)
        return page

    def _make_building(self) -> BuildingPage:
        page = BuildingPage(self._theme)
        self._building = BuildingControl(page, self._engine, self._failed)
        return page

    def _make_place(self) -> PlacePage:
        page = PlacePage(self._theme)
        page.change_requested.connect(lambda: self._do(self._change_place(page)))
        return page

    def _make_data(self) -> DataPage:
        page = DataPage(self._theme, str(self._home.root))
        page.clean_requested.connect(lambda days: self._do(self._clean(page, days)))
        page.days_changed.connect(lambda days: self._do(self._set(_DAYS, days)))
        page.level_changed.connect(lambda level: self._do(self._set(_LEVEL, level)))
        page.report_requested.connect(self._report)
        return page

    def _make_usage(self) -> Any:
        # The plots are loaded when the page is first shown.
        from vibedesk.ui.usage.control import UsageControl
        from vibedesk.ui.usage.page import UsagePage

        page = UsagePage(self._theme)
        control = UsageControl(page, self._engine, self._failed, self._say_saved)
        self._usage = control.refresh
        return page

    def _on_page(self, name: str) -> None:
        if name == "usage" and self._usage is not None:
            self._usage(self._project()[0])
        elif name == "settings" and self._page is not None:
            self._on_settings_page(self._page.current)

    def _on_settings_page(self, key: str) -> None:
        if self._window.page != "settings" or self._page is None:
            return
        page = self._page.page(key)
        if key == "models" and self._models is not None:
            self._models.refresh()
        elif key == "building" and self._building is not None:
            self._building.refresh()
        elif isinstance(page, PlacePage):
            self._do(self._show_place(page))
        elif isinstance(page, DataPage):
            self._do(self._show_data(page))

    # -- where apps run, and data -----------------------------------------------------------------------
    async def _show_place(self, page: PlacePage) -> None:
        place = await self._sandbox.place()
        page.show_place(place, "")
        page.show_place(place, await self._sandbox.place_words())

    async def _change_place(self, page: PlacePage) -> None:
        await self._sandbox.choose_place()
        await self._show_place(page)

    async def _show_data(self, page: DataPage) -> None:
        days = await self._engine.setting(_DAYS, default=_USUAL_DAYS)
        level = await self._engine.setting(_LEVEL, default="info")
        page.show_settings(days if isinstance(days, int) and days > 0 else _USUAL_DAYS, str(level))
        page.show_stored(await self._engine.stored())

    async def _clean(self, page: DataPage, days: int) -> None:
        page.set_cleaning(cleaning=True)
        try:
            freed = await self._engine.clean(older_than_days=days)
        except VibeDeskError as error:
            page.set_cleaning(cleaning=False)
            page.say(str(error), failed=True)
            return
        page.set_cleaning(cleaning=False)
        page.say(self.tr("Done. {0} became free.").format(bytes_words(freed)))
        page.show_stored(await self._engine.stored())

    async def _set(self, key: str, value: object) -> None:
        await self._engine.set_setting(key, value)

    # -- dialogs ----------------------------------------------------------------------------------------
    def _on_menu(self, key: str) -> None:
        match key:
            case "settings":
                self.open_settings()
            case "usage":
                self.open_usage()
            case "variables":
                self.open_variables()
            case "inspect":
                self._inspect()
            case "report":
                self._report()

    def _on_banner(self, banner: str, action: str) -> None:
        if banner.startswith(VARIABLE_BANNER):
            self._window.dismiss_banner(banner)
            if action == _OPEN:
                self.open_variables(banner.removeprefix(VARIABLE_BANNER))

    async def _show_variables(self, project_id: str, title: str, wanted: str) -> None:
        async def keep(entry: VariableEntry) -> None:
            await self._engine.set_variable(
                project_id,
                entry.name,
                entry.value,
                secret=entry.secret,
                consent=entry.consent,
            )

        actions = VariableActions(
            load=partial(self._engine.variables, project_id),
            keep=keep,
            remove=partial(self._engine.remove_variable, project_id),
            secrets=self._engine.secrets_state,
            unlock=self._engine.unlock_secrets,
        )
        dialog = VariablesDialog(
            self._theme, self._window, app=title, actions=actions, wanted=wanted
        )
        await dialog.answer()

    def _inspect(self) -> None:
        project_id, title = self._project()
        if project_id:
            self._do(self._show_inside(project_id, title))

    async def _show_inside(self, project_id: str, title: str) -> None:
        inspect = partial(self._engine.inspect, project_id)
        await InspectorDialog(self._theme, self._window, app=title, inspect=inspect).answer()

    def _report(self) -> None:
        self._do(self._show_report())

    async def _show_report(self) -> None:
        project_id, title = self._project()
        dialog = BugReportDialog(
            self._theme,
            self._window,
            collect=lambda with_: self._engine.bug_report(
                project_id if with_ and project_id else None
            ),
            write=self._engine.write_bug_report,
            project=title if project_id else "",
        )
        path = await dialog.answer()
        if path is not None:
            self._say_saved(path)

    def _say_saved(self, path: Path) -> None:
        self._window.show_toast("success", self.tr("Saved {0}").format(path.name), str(path.parent))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(work)
