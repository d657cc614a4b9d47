"""The window's conduct: pages, library, opening and leaving projects, closing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from vibedesk.base.errors import ConsentRequiredError, VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.views import ProjectCardView
from vibedesk.ui.dialogs.ask import confirm
from vibedesk.ui.dialogs.consent import ask_consent
from vibedesk.ui.dialogs.model_setup import ModelChoice, Provider, ask_model
from vibedesk.ui.home.card_list import project_cards
from vibedesk.ui.home.cards import SampleCard
from vibedesk.ui.home.projects import ProjectsPage
from vibedesk.ui.home.welcome import WelcomePage
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.project_session import ProjectSession
from vibedesk.ui.shell.main_window import MainWindow
from vibedesk.ui.shell.status_bar import StatusItem
from vibedesk.ui.shell.top_bar import ProjectChoice
from vibedesk.ui.shell.workspace import Workspace
from vibedesk.ui.tasks import WidgetTasks
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.messages import MessageAction

_CLOCK_MS = 1000
_HOST_BANNER = "host "
_CUSTOM_PROVIDER = "custom"
_APPROVAL = "build.approval"


class WindowController(QObject):
    """Joins the window and the engine.

    Args:
        window: The frame.
        theme: The look.
        engine: Started already.
        home: Where the browser profiles go.
        welcome: The page for a new wish.
        projects: The library page.
    """

    closed = Signal()

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        engine: Engine,
        home: Home,
        welcome: Callable[[], WelcomePage],
        projects: Callable[[], ProjectsPage | None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._theme = theme
        self._engine = engine
        self._home = home
        self._welcome = welcome
        self._projects = projects
        self._panels: ProjectPanels | None = None
        self._session: ProjectSession | None = None
        self._cards: list[ProjectCardView] = []
        self._running: list[str] = []
        self._model = ""
        self._closing = False
        self._switching = asyncio.Lock()
        self._tick = QTimer(self)
        self._tick.setInterval(_CLOCK_MS)
        self._tick.timeout.connect(self._show_elapsed)
        self._tasks = WidgetTasks(self, self._on_error)
        self._connect()

    def start(self) -> None:
        """Fill the pages with what the engine knows."""
        self._do(self._refresh())

    def connect_welcome(self, page: WelcomePage) -> None:
        page.wish_submitted.connect(lambda wish: self._do(self._new_project(wish)))
        page.sample_chosen.connect(lambda name: self._do(self._new_project("", sample=name)))
        page.add_model_requested.connect(lambda: self._do(self._set_up_model()))
        page.project_chosen.connect(self.open_project)
        page.all_projects_requested.connect(lambda: self._window.show_page("projects"))

    def connect_projects(self, page: ProjectsPage) -> None:
        page.project_chosen.connect(self.open_project)
        page.new_project_requested.connect(lambda: self._window.show_page("welcome"))
        page.delete_requested.connect(lambda key: self._do(self._delete(key)))
        page.set_projects(project_cards(self._cards, self._running))

    def open_project(self, project_id: str) -> None:
        self._do(self._open(project_id))

    def raise_window(self) -> None:
        """Bring the window to the front, for a second start."""
        window = self._window
        if window.isMinimized():
            window.showNormal()
        window.show()
        window.raise_()
        window.activateWindow()

    # -- wiring -----------------------------------------------------------------------------------------
    def _connect(self) -> None:
        window = self._window
        window.open_project_requested.connect(self.open_project)
        window.page_shown.connect(self._on_page)
        window.stop_requested.connect(self._on_stop)
        window.continue_requested.connect(self._on_continue)
        window.status_clicked.connect(self._on_status)
        window.banner_action.connect(self._on_banner)
        window.closing.connect(lambda: self._do(self._close()))
        self.connect_welcome(self._welcome())

    def _do(self, work: object) -> None:
        self._tasks.start(work)  # type: ignore[arg-type]

    def _on_error(self, error: VibeDeskError) -> None:
        self._window.show_toast("danger", error.message, error.remedy)

    def _on_refusal(self, error: VibeDeskError) -> None:
        """The engine refused a command of the open project."""
        if isinstance(error, ConsentRequiredError):
            self._do(self._consent_and_go_on())
        else:
            self._on_error(error)

    def _on_host_wanted(self, host: str) -> None:
        self._window.show_banner(
            "warning",
            self.tr("The app wants to reach {0}.").format(host),
            [MessageAction(key="allow", text=self.tr("Allow in this project"))],
            key=f"{_HOST_BANNER}{host}",
        )

    def _on_banner(self, banner: str, _action: str) -> None:
        session = self._session
        if banner.startswith(_HOST_BANNER) and session is not None:
            self._window.dismiss_banner(banner)
            host = banner.removeprefix(_HOST_BANNER)
            self._do(self._grant(session.project_id, host))

    async def _grant(self, project_id: str, host: str) -> None:
        await self._engine.grant_host(project_id, host)

    async def _consent_and_go_on(self) -> None:
        if await ask_consent(self._theme, self._window):
            await self._engine.grant_consent()
            if self._session is not None:
                self._session.go_on()

    async def _confirm_deletion(self, title: str, text: str, action: str) -> bool:
        return await confirm(
            self._theme, self._window, title=title, text=text, action=action, danger=True
        )

    def _on_chat_action(self, key: str) -> None:
        if key == "model":
            self._do(self._set_up_model())

    def _on_page(self, name: str) -> None:
        self._window.store.set_page(name)
        if name != "workspace":
            self._do(self._refresh())
        self._show_status()

    def _on_stop(self) -> None:
        if self._session is not None:
            self._session.stop()

    def _on_continue(self) -> None:
        if self._session is not None:
            self._session.go_on()

    def _on_status(self, key: str) -> None:
        if key == "model":
            self._do(self._set_up_model())

    # -- the library -----------------------------------------------------------------------------------
    async def _refresh(self) -> None:
        self._cards = await self._engine.projects()
        self._running = await self._engine.running()
        cards = project_cards(self._cards, self._running)
        self._welcome().set_projects(cards)
        page = self._projects()
        if page is not None:
            page.set_projects(cards)
        self._window.set_project_choices([ProjectChoice(id=c.id, title=c.title) for c in cards])
        samples = await self._engine.samples()
        self._welcome().set_samples(
            [
                SampleCard(id=s.name, title=s.title, description=s.description, palette=s.palette)
                for s in samples
            ]
        )
        await self._refresh_model()
        self._show_status()

    async def _refresh_model(self) -> None:
        ready = [p for p in await self._engine.providers() if p.ready]
        self._model = ready[0].default_model if ready else ""
        self._welcome().set_model(self._model)

    async def _set_up_model(self, reason: str = "") -> None:
        async def keep(choice: ModelChoice) -> str | None:
            compatible = choice.provider == "openai_compatible"
            try:
                await self._engine.set_up_provider(
                    _CUSTOM_PROVIDER if compatible else choice.provider,
                    key=choice.key,
                    base_url=choice.base_url if compatible else "",
                    model=choice.model,
                )
            except VibeDeskError as error:
                return str(error)
            return None

        defaults = {p.name: p.default_model for p in await self._engine.providers()}
        models: dict[Provider, str] = {
            "anthropic": defaults.get("anthropic", ""),
            "openai": defaults.get("openai", ""),
        }
        answer = await ask_model(
            self._theme, self._window, models=models, check=keep, reason=reason
        )
        if answer == "sample":
            self._window.show_page("welcome")
        await self._refresh_model()

    async def _new_project(self, wish: str, *, sample: str = "") -> None:
        self._welcome().set_busy(busy=True)
        try:
            approval = bool(await self._engine.setting(_APPROVAL, default=not sample))
            options = ProjectOptions(sample=sample, approval=approval and not sample)
            project_id = await self._create(wish, options)
            if project_id is None:
                return
            self._welcome().set_wish("")
            await self._open(project_id)
            await self._engine.generate(project_id)
        finally:
            self._welcome().set_busy(busy=False)

    async def _create(self, wish: str, options: ProjectOptions) -> str | None:
        try:
            return await self._engine.create(wish, options)
        except ConsentRequiredError:
            if not await ask_consent(self._theme, self._window):
                return None
            await self._engine.grant_consent()
            return await self._engine.create(wish, options)

    async def _delete(self, project_id: str) -> None:
        title = next((c.title for c in self._cards if c.id == project_id), project_id)
        agreed = await confirm(
            self._theme,
            self._window,
            title=self.tr("Delete {0}?").format(title),
            text=self.tr("Its folder moves to the trash, where you can get it back."),
            action=self.tr("Delete project"),
            danger=True,
        )
        if not agreed:
            return
        if self._session is not None and self._session.project_id == project_id:
            async with self._switching:
                await self._leave()
            self._forget_open_project()
        await self._engine.delete_project(project_id)
        await self._refresh()

    def _forget_open_project(self) -> None:
        if self._panels is not None:
            self._panels.clear()
        self._window.set_project("", "")
        if self._window.page == "workspace":
            self._window.show_page("projects")

    # -- the open project --------------------------------------------------------------------------------
    async def _open(self, project_id: str) -> None:
        if self._panels is None:
            self._panels = ProjectPanels(self._theme)
            workspace = Workspace(self._theme, self._panels.placed(), self._window.store)
            self._window.install_workspace(workspace)
            self._panels.chat.action_requested.connect(self._on_chat_action)
        # One after the other: two sessions on the same panels would send everything twice.
        async with self._switching:
            if self._session is not None and self._session.project_id == project_id:
                self._window.show_page("workspace")
                return
            await self._leave()
            if not self._closing:
                self._show_session(project_id, self._panels)

    def _show_session(self, project_id: str, panels: ProjectPanels) -> None:
        session = ProjectSession(
            self._engine,
            project_id,
            panels,
            self._home.browser_profiles,
            self._confirm_deletion,
            self,
        )
        session.run_changed.connect(self._show_run)
        session.facts_changed.connect(self._show_facts)
        session.failed.connect(self._on_refusal)
        session.watch.host_wanted.connect(self._on_host_wanted)
        session.consent_wanted.connect(lambda: self._do(self._consent_and_go_on()))
        session.deleted.connect(lambda: self._window.show_page("projects"))
        self._session = session
        self._window.set_project(project_id, "", "")
        self._window.show_page("workspace")
        session.start()
        panels.chat.set_draft(self._window.store.draft(project_id))
        panels.chat.focus_composer()

    async def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None and self._panels is not None:
            for host in session.watch.told:
                self._window.dismiss_banner(f"{_HOST_BANNER}{host}")
            await session.close()
            self._window.store.set_draft(session.project_id, self._panels.chat.draft())
            session.deleteLater()

    def _show_run(self) -> None:
        session = self._session
        if session is None:
            return
        self._window.set_working(working=session.run.running)
        if session.run.running and not self._tick.isActive():
            self._tick.start()
        elif not session.run.running:
            self._tick.stop()
        self._window.set_phase(session.run.phase_view(self.tr))
        if session.run.state == "complete":
            self._window.favour_preview()
        self._show_status()

    def _show_elapsed(self) -> None:
        session = self._session
        if session is None:
            return
        session.run.elapsed = session.clock.words()
        self._window.set_phase_times(session.run.elapsed, "")

    def _show_facts(self) -> None:
        session = self._session
        if session is None:
            return
        detail = self.tr("recorded example") if session.sample else ""
        self._window.set_project_title(session.title, detail)
        self._show_status()

    def _show_status(self) -> None:
        session = self._session if self._window.page == "workspace" else None
        left: list[StatusItem] = []
        right: list[StatusItem] = []
        if session is not None:
            state, reason = session.sandbox
            left.append(
                StatusItem(
                    key="sandbox",
                    text=self._sandbox_words(state),
                    dot=_SANDBOX_DOTS.get(state, "text.muted"),
                    tooltip=reason or self._sandbox_kind_words(session.sandbox_kind),
                )
            )
            if session.sample:
                text = self.tr("Recorded example, no model is asked")
                right.append(StatusItem(key="sample", text=text, icon="info"))
            else:
                right.append(
                    StatusItem(
                        key="model",
                        text=session.model or self._model or self.tr("No model"),
                        icon="brain",
                        clickable=True,
                    )
                )
                cost = self.tr("${0:.2f} this project").format(session.cost)
                right.append(StatusItem(key="cost", text=cost, icon="coins"))
        else:
            count = self.tr("{0} projects").format(len(self._cards))
            left.append(StatusItem(key="projects", text=count, icon="squares-four"))
            model = self._model or self.tr("No model set up")
            right.append(StatusItem(key="model", text=model, icon="brain", clickable=True))
        self._window.set_status_items(left, right)

    def _sandbox_words(self, state: str) -> str:
        words = {
            "absent": self.tr("App not started"),
            "building": self.tr("Preparing the sandbox"),
            "starting": self.tr("App is starting"),
            "running": self.tr("App is running"),
            "paused": self.tr("App is paused"),
            "stopped": self.tr("App is stopped"),
            "failed": self.tr("App has stopped by itself"),
        }
        return words.get(state, state)

    def _sandbox_kind_words(self, kind: str) -> str:
        match kind:
            case "local+bwrap":
                return self.tr("In the local sandbox: it sees its own folder only.")
            case "local":
                return self.tr("On this computer, with your own rights.")
            case _:
                return ""

    # -- the end -----------------------------------------------------------------------------------------
    async def _close(self) -> None:
        if self._closing:
            return
        if await self._engine.running():
            agreed = await confirm(
                self._theme,
                self._window,
                title=self.tr("Stop building and close?"),
                text=self.tr("Everything finished is saved. You can continue when you come back."),
                action=self.tr("Close VibeDesk"),
            )
            if not agreed:
                return
        self._closing = True
        self._window.hide()
        try:
            async with self._switching:
                await self._leave()
            if self._panels is not None:
                self._panels.preview.shut_down()
        finally:
            self.closed.emit()


_SANDBOX_DOTS = {
    "running": "success.text",
    "starting": "live.solid",
    "building": "live.solid",
    "failed": "danger.text",
    "stopped": "text.muted",
}
