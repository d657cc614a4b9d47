"""The window's conduct: pages, library, opening and leaving projects, closing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from vibedesk.base.errors import ConsentRequiredError, VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine
from vibedesk.engine.project_options import (
    BUDGET_SETTING,
    DEFAULT_BUDGET,
    ImageFile,
    ProjectOptions,
    default_budget,
)
from vibedesk.engine.views import EstimateView, ProjectCardView
from vibedesk.ui.chat.image_intake import ImageIntake
from vibedesk.ui.chat.pictures import Attached
from vibedesk.ui.chat_control import check_images
from vibedesk.ui.dialogs.ask import confirm
from vibedesk.ui.dialogs.consent import ask_consent
from vibedesk.ui.dialogs.model_setup import KeyPlace, ModelChoice, Provider, ask_model
from vibedesk.ui.drafts import Drafts
from vibedesk.ui.history.page import HistoryPage
from vibedesk.ui.history_control import HistoryControl
from vibedesk.ui.home.card_list import project_cards
from vibedesk.ui.home.cards import SampleCard
from vibedesk.ui.home.estimate_watch import EstimateWatch, estimate_reason, estimate_words
from vibedesk.ui.home.projects import ProjectsPage
from vibedesk.ui.home.welcome import WelcomePage
from vibedesk.ui.mending_control import HISTORY
from vibedesk.ui.problems.problem import tally
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.project_session import ProjectSession
from vibedesk.ui.sandbox_control import SANDBOX_ITEM, SandboxControl
from vibedesk.ui.settings.building_control import APPROVAL_SETTING
from vibedesk.ui.settings_control import SettingsControl
from vibedesk.ui.shell.main_window import MainWindow
from vibedesk.ui.shell.phase_bar import PhaseView
from vibedesk.ui.shell.status_bar import StatusItem
from vibedesk.ui.shell.top_bar import ProjectChoice
from vibedesk.ui.shell.workspace import Workspace
from vibedesk.ui.starters_control import StartersControl
from vibedesk.ui.tasks import WidgetTasks
from vibedesk.ui.theme.theme import Theme
from vibedesk.ui.widgets.messages import MessageAction

_CLOCK_MS = 1000
_HOST_BANNER = "host "
_ALLOW, _REFUSE = "allow", "refuse"
_PLACE_ITEM = "place"
_PROBLEM_ITEMS = ("errors", "warnings")
_CUSTOM_PROVIDER = "custom"
_MAY_PASS = ("timeout", "rate_limited", "server_down")
"""What a connection test may find that says nothing against a key."""


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
        self._provider_ready = False
        self._budget: float | None = DEFAULT_BUDGET
        self._closing = False
        self._making = False
        self._switching = asyncio.Lock()
        self._tick = QTimer(self)
        self._tick.setInterval(_CLOCK_MS)
        self._tick.timeout.connect(self._show_elapsed)
        self._tasks = WidgetTasks(self, self._on_error)
        self._sandbox = SandboxControl(window, theme, engine, self._on_refusal)
        self._history: HistoryControl | None = None
        self.settings = SettingsControl(
            window, theme, engine, home, self._sandbox, self._open_project, self._on_error
        )
        self._place_offered = False
        self._drafts = Drafts(window.store, self)
        self._connect()

    def start(self) -> None:
        """Fill the pages with what the engine knows."""
        self._do(self._refresh())

    def connect_welcome(self, page: WelcomePage) -> None:
        page.wish_submitted.connect(
            lambda wish, images: self._do(self._new_project(wish, images=images))
        )
        # Qt's connections do not keep it alive.
        self._intake = ImageIntake(self._theme, page.tray, check_images(self._engine), self._tasks)
        page.tray.offered.connect(self._intake.take)
        page.tray.opened.connect(self._intake.show)
        self._starters = StartersControl(
            page.starters, self._window, self._theme, self._engine, self._on_error
        )
        self._estimates = EstimateWatch(self._engine.estimate, self._show_estimate, page)
        page.wish_changed.connect(self._estimates.set_wish)
        self._drafts.watch_welcome(page)
        page.sample_chosen.connect(lambda name: self._do(self._new_project("", sample=name)))
        page.add_model_requested.connect(self._open_models)
        page.project_chosen.connect(self.open_project)
        page.all_projects_requested.connect(lambda: self._window.show_page("projects"))
        page.place_requested.connect(lambda: self._do(self._choose_place()))
        page.place_dismissed.connect(lambda: self._do(self._dismiss_place()))

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
        window.pause_requested.connect(self._on_pause)
        window.stop_requested.connect(self._on_stop)
        window.continue_requested.connect(self._on_continue)
        window.status_clicked.connect(self._on_status)
        window.banner_action.connect(self._on_banner)
        window.menu_chosen.connect(self._on_menu)
        window.add_page("history", self._make_history)
        window.keep_version_requested.connect(self._on_keep_version)
        self._sandbox.changed.connect(self._show_status)
        self.settings.models_changed.connect(lambda: self._do(self._refresh_model_shown()))
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
            [
                MessageAction(key=_ALLOW, text=self.tr("Allow in this project")),
                MessageAction(key=_REFUSE, text=self.tr("Don't allow")),
            ],
            key=f"{_HOST_BANNER}{host}",
        )

    def _on_banner(self, banner: str, action: str) -> None:
        session = self._session
        if banner.startswith(_HOST_BANNER) and session is not None:
            self._window.dismiss_banner(banner)
            host = banner.removeprefix(_HOST_BANNER)
            if action == _REFUSE:
                self._do(self._engine.refuse_host(session.project_id, host))
            else:
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
            self._open_models()
        elif key == HISTORY:
            self._window.show_page("history")

    def _on_page(self, name: str) -> None:
        self._window.store.set_page(name)
        if self._history is not None:
            self._history.set_shown(shown=name == "history")
        if name not in ("workspace", "history"):
            self._do(self._refresh())
        self._show_status()

    def _make_history(self) -> HistoryPage:
        page = HistoryPage(self._theme)
        self._history = HistoryControl(
            self._engine,
            page,
            self._on_error,
            lambda text: self._window.show_toast("success", text),
            self,
        )
        if self._session is not None:
            self._history.attach(self._session)
        return page

    def _on_keep_version(self) -> None:
        if self._history is not None:
            self._history.page.start_keeping()

    def _on_pause(self) -> None:
        if self._session is not None:
            self._session.pause()

    def _on_stop(self) -> None:
        if self._session is not None:
            self._session.stop()

    def _on_menu(self, key: str) -> None:
        if key == "stop_all":
            self._do(self._stop_all())

    async def _stop_all(self) -> None:
        await self._engine.stop_all()
        self._window.show_toast(
            "success",
            self.tr("Everything is stopped."),
            self.tr("What was finished is kept. Continue each project when you like."),
        )
        await self._refresh()

    def _on_continue(self) -> None:
        if self._session is not None:
            self._session.go_on()

    def _on_status(self, key: str) -> None:
        if key == "model":
            self._open_models()
        elif key == "cost":
            self.settings.open_usage()
        elif key == SANDBOX_ITEM:
            self._sandbox.open_popover()
        elif key in _PROBLEM_ITEMS and self._panels is not None:
            self._window.show_page("workspace")
            if self._window.workspace is not None:
                self._window.workspace.show_work()
            self._panels.dock.show_page("problems")
        elif key == _PLACE_ITEM:
            self._do(self._choose_place())

    # -- the library -----------------------------------------------------------------------------------
    async def _refresh(self) -> None:
        await self._refresh_projects()
        samples = await self._engine.samples()
        self._welcome().set_samples(
            [
                SampleCard(id=s.name, title=s.title, description=s.description, palette=s.palette)
                for s in samples
            ]
        )
        await self._refresh_model()
        self._show_status()
        await self._starters.refresh()
        await self._offer_place()

    async def _refresh_projects(self) -> None:
        self._cards = await self._engine.projects()
        self._running = await self._engine.running()
        cards = project_cards(self._cards, self._running)
        self._welcome().set_projects(cards)
        page = self._projects()
        if page is not None:
            page.set_projects(cards)
        self._show_choices()

    def _show_choices(self) -> None:
        """Offer the projects in the switcher; the open one is called what it tells itself."""
        titles = {card.id: card.title for card in self._cards}
        session = self._session
        if session is not None and session.project_id in titles and session.title:
            titles[session.project_id] = session.title
        self._window.set_project_choices(
            [ProjectChoice(id=key, title=title) for key, title in titles.items()]
        )

    async def _offer_place(self) -> None:
        """On a first start say where apps run; once answered or waved away never again by itself."""
        if self._place_offered or await self._sandbox.place_was_asked():
            return
        self._place_offered = True
        self._welcome().offer_place(self.tr("Looking what is here…"))
        words = await self._sandbox.place_words()
        if not await self._sandbox.place_was_asked():
            self._welcome().offer_place(words)

    async def _choose_place(self) -> None:
        await self._sandbox.choose_place()
        self._welcome().offer_place(None)

    async def _dismiss_place(self) -> None:
        self._welcome().offer_place(None)
        await self._sandbox.dismiss_place()

    async def _refresh_model(self) -> None:
        """Show which model a wish is sent to, and what it may cost there."""
        self._provider_ready = any(p.ready for p in await self._engine.providers())
        routes = (await self._engine.routes()).routes
        first = [
            step.model
            for route in routes
            if route.operation == "blueprint"
            for step in route.steps
            if not step.problem
        ]
        self._model = next(iter(first), "")
        self._budget = await self._default_budget()
        self._welcome().set_model(self._model)
        self._estimates.renew()

    async def _default_budget(self) -> float | None:
        return default_budget(await self._engine.setting(BUDGET_SETTING, default=DEFAULT_BUDGET))

    async def _refresh_model_shown(self) -> None:
        await self._refresh_model()
        self._show_status()

    def _open_models(self) -> None:
        """Show the page of models; where none is set up, the first step to one."""
        if self._provider_ready:
            self.settings.open_settings("models")
        else:
            self._do(self._set_up_model())

    def _open_project(self) -> tuple[str, str]:
        """Return id and title of the open project; empty where none is."""
        session = self._session
        return ("", "") if session is None else (session.project_id, session.title)

    async def _set_up_model(self, reason: str = "") -> None:
        async def keep(choice: ModelChoice) -> str | None:
            compatible = choice.provider == "openai_compatible"
            secrets = await self._engine.secrets_state()
            if choice.key and secrets.locked:
                return secrets.message
            name = _CUSTOM_PROVIDER if compatible else choice.provider
            try:
                tried = await self._engine.test_connection(
                    name, key=choice.key, base_url=choice.base_url, model=choice.model
                )
                if not tried.ok and tried.code not in _MAY_PASS:
                    return f"{tried.message} {tried.remedy}".strip()
                await self._engine.set_up_provider(
                    name,
                    key=choice.key,
                    base_url=choice.base_url,
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
            self._theme,
            self._window,
            models=models,
            check=keep,
            reason=reason,
            keys=KeyPlace(state=self._engine.secrets_state, unlock=self._engine.unlock_secrets),
            look=self._engine.discover_local,
        )
        if answer == "more":
            self.settings.open_settings("models")
        if answer == "sample":
            self._window.show_page("welcome")
        await self._refresh_model_shown()

    def _show_estimate(self, estimate: EstimateView | None) -> None:
        if estimate is None:
            self._welcome().set_estimate("", "")
        else:
            self._welcome().set_estimate(
                estimate_words(estimate, self._budget), estimate_reason(estimate, self._budget)
            )

    async def _new_project(
        self, wish: str, *, sample: str = "", images: Sequence[Attached] = ()
    ) -> None:
        if self._making:
            return
        self._making = True
        self._welcome().set_busy(busy=True)
        try:
            approval = bool(await self._engine.setting(APPROVAL_SETTING, default=not sample))
            options = ProjectOptions(
                sample=sample,
                template="" if sample else self._welcome().starters.chosen,
                approval=approval and not sample,
                budget=None if sample else await self._default_budget(),
                sandbox=await self._sandbox.place(),
            )
            project_id = await self._create(wish, options, [image.file for image in images])
            if project_id is None:
                return
            if not sample:
                self._welcome().set_wish("")
                self._welcome().tray.clear()
                self._welcome().starters.choose("")
            await self._open(project_id)
            await self._engine.generate(project_id)
        finally:
            self._making = False
            self._welcome().set_busy(busy=False)

    async def _create(
        self, wish: str, options: ProjectOptions, images: Sequence[ImageFile]
    ) -> str | None:
        try:
            return await self._engine.create(wish, options, images)
        except ConsentRequiredError:
            if not await ask_consent(self._theme, self._window):
                return None
            await self._engine.grant_consent()
            return await self._engine.create(wish, options, images)

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
            await self._leave_deleted(self._session)
        deleted = await self._engine.delete_project(project_id)
        if deleted.left:
            self._window.show_toast("warning", self.tr("The project is deleted."), deleted.left)
        await self._refresh()

    async def _leave_deleted(self, session: ProjectSession) -> None:
        """Show the open project no more; a page that is none of its stays."""
        async with self._switching:
            if self._session is not session:
                return
            await self._leave()
        if self._panels is not None:
            self._panels.clear()
        self._window.set_project("", "")
        if self._window.page in ("workspace", "history"):
            self._window.show_page("projects")
        else:
            await self._refresh()

    # -- the open project --------------------------------------------------------------------------------
    async def _open(self, project_id: str) -> None:
        if self._panels is None:
            self._panels = ProjectPanels(self._theme)
            workspace = Workspace(self._theme, self._panels.placed(), self._window.store)
            self._window.install_workspace(workspace)
            self._panels.chat.action_requested.connect(self._on_chat_action)
            self._panels.chat.blueprint_shown.connect(workspace.show_page)
            self._panels.preview.sandbox_requested.connect(self._sandbox.open_popover)
        # One after the other: two sessions on the same panels would send everything twice.
        async with self._switching:
            session = self._session
            here = session is not None and session.project_id == project_id
            if here and session is not None and not session.failed_to_open:
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
        session.code_wanted.connect(self._window.show_code)
        session.failed.connect(self._on_refusal)
        session.mending.told.connect(self._window.show_toast)
        session.watch.host_wanted.connect(self._on_host_wanted)
        session.variable_asked.connect(self.settings.variable_asked)
        session.consent_wanted.connect(lambda: self._do(self._consent_and_go_on()))
        session.deleted.connect(lambda: self._do(self._leave_deleted(session)))
        self._session = session
        self._sandbox.attach(session)
        if self._history is not None:
            self._history.attach(session)
        self._window.set_project(project_id, "", "")
        self._show_choices()
        self._do(self._refresh_projects())
        self._window.show_page("workspace")
        session.start()
        self.settings.tell_asked(project_id)
        self._drafts.show(project_id, panels.chat)
        panels.chat.focus_composer()

    async def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None and self._panels is not None:
            self._show_no_run()
            self._sandbox.detach()
            self.settings.leave_project()
            if self._history is not None:
                self._history.detach()
            for host in session.watch.told:
                self._window.dismiss_banner(f"{_HOST_BANNER}{host}")
            try:
                await session.close()
            finally:
                self._drafts.leave()
                session.deleteLater()

    def _show_no_run(self) -> None:
        self._tick.stop()
        self._window.set_working(working=False)
        self._window.set_phase(PhaseView())

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
        self._show_choices()
        self._show_status()

    def _show_status(self) -> None:
        in_project = self._window.page in ("workspace", "history")
        session = self._session if in_project else None
        left: list[StatusItem] = []
        right: list[StatusItem] = []
        if session is not None:
            left.append(self._sandbox.status_item())
            right += self._problem_items(session)
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
                right.append(StatusItem(key="cost", text=cost, icon="coins", clickable=True))
        else:
            many = self.tr("{0} projects").format(len(self._cards))
            count = self.tr("1 project") if len(self._cards) == 1 else many
            left.append(StatusItem(key="projects", text=count, icon="squares-four"))
            where = self.tr("Where your apps run")
            left.append(
                StatusItem(key=_PLACE_ITEM, text=where, icon="shipping-container", clickable=True)
            )
            model = self._model or self.tr("No model set up")
            right.append(StatusItem(key="model", text=model, icon="brain", clickable=True))
        self._window.set_status_items(left, right)

    def _problem_items(self, session: ProjectSession) -> list[StatusItem]:
        errors, warnings = tally(session.mending.problems)
        many_errors = self.tr("{0} errors").format(errors)
        errors_words = self.tr("1 error") if errors == 1 else many_errors
        many_warnings = self.tr("{0} warnings").format(warnings)
        warnings_words = self.tr("1 warning") if warnings == 1 else many_warnings
        return [
            StatusItem(
                key=key,
                text=str(count),
                icon=f"{icon}-fill" if count else icon,
                tone=tone if count else "text.muted",
                tooltip=words,
                details=words,
                clickable=True,
            )
            for key, count, icon, tone, words in (
                ("errors", errors, "x-circle", "danger.text", errors_words),
                ("warnings", warnings, "warning", "warning.text", warnings_words),
            )
        ]

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
        finally:
            self._drafts.save()
            if self._panels is not None:
                self._panels.preview.shut_down()
            self.closed.emit()
