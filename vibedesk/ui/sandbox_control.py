"""The sandbox of the open project in the window: figures, popover, what the person does about it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from vibedesk.base.errors import (
    ConsentRequiredError,
    NotAllowedNowError,
    VibeDeskError,
    as_vibedesk_error,
)
from vibedesk.engine.engine import Engine
from vibedesk.engine.views import DoctorView, SandboxView
from vibedesk.ui.dialogs.ask import confirm
from vibedesk.ui.dialogs.consent import ask_consent
from vibedesk.ui.dialogs.run_yourself import show_command
from vibedesk.ui.dialogs.where_apps_run import (
    CHOICE_CHECK,
    DOCKER_CHECK,
    ask_where_apps_run,
    check_named,
)
from vibedesk.ui.project_session import ProjectSession
from vibedesk.ui.sandbox.kept import UNUSED_DAYS
from vibedesk.ui.sandbox.popover import SandboxAction, SandboxPopover
from vibedesk.ui.sandbox.terminal import open_terminal
from vibedesk.ui.sandbox.words import (
    PLACE_ASKED_SETTING,
    PLACE_SETTING,
    AppPlace,
    app_place,
    app_state_tone,
    app_state_words,
    bytes_words,
    cpu_share,
    is_up,
    kind_words,
    memory_measure,
    percent_words,
)
from vibedesk.ui.sandbox_monitor import SandboxMonitor
from vibedesk.ui.shell.main_window import MainWindow
from vibedesk.ui.shell.status_bar import StatusFigure, StatusItem
from vibedesk.ui.tasks import WidgetTasks
from vibedesk.ui.theme.theme import Theme

SANDBOX_ITEM = "sandbox"
Refused = Callable[[VibeDeskError], None]
Terminal = Callable[[list[str]], bool]


class SandboxControl(QObject):
    """Joins the engine's sandbox, the status bar and the popover.

    Args:
        window: Where it is shown.
        theme: The look.
        engine: Where the sandboxes live.
        refused: Told what the engine refused, where no popover is open that could say it.
        terminal: Opens a terminal on a command, or returns that there is none.
    """

    changed = Signal()
    """What the status bar shows of it did."""

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        engine: Engine,
        refused: Refused,
        *,
        terminal: Terminal = open_terminal,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._theme = theme
        self._engine = engine
        self._refused = refused
        self._terminal = terminal
        self._session: ProjectSession | None = None
        self._popover: SandboxPopover | None = None
        self._told = ""
        self._acting: dict[str, SandboxAction] = {}
        self._tasks = WidgetTasks(self, refused)
        self.monitor = SandboxMonitor(self._ask, self)
        self.monitor.changed.connect(self._on_usage)
        window.seen_changed.connect(self._follow)
        window.page_shown.connect(self._on_page)

    # -- the open project --------------------------------------------------------------------------
    def attach(self, session: ProjectSession) -> None:
        """Show this project's sandbox from now on."""
        self._session = session
        session.facts_changed.connect(self._follow)
        session.run_changed.connect(self._show_popover)
        session.progress_changed.connect(self._show_popover)
        self._follow()

    def detach(self) -> None:
        """Show none; what was begun goes on."""
        if self._popover is not None:
            self._popover.close_over()
        session, self._session = self._session, None
        if session is not None:
            session.facts_changed.disconnect(self._follow)
            session.run_changed.disconnect(self._show_popover)
            session.progress_changed.disconnect(self._show_popover)
        self.monitor.follow("", "")

    def status_item(self) -> StatusItem:
        """Return what the status bar shows of it."""
        session = self._session
        state, reason = session.sandbox if session is not None else ("absent", "")
        kind = session.sandbox_kind if session is not None else ""
        view = self.monitor.view
        figures = self._figures(view) if view is not None and is_up(state) else ()
        return StatusItem(
            key=SANDBOX_ITEM,
            text=app_state_words(state),
            dot=app_state_tone(state),
            tooltip=reason or kind_words(view.kind if view is not None else kind),
            clickable=True,
            figures=figures,
            details=", ".join(figure.text for figure in figures) or reason,
        )

    def open_popover(self) -> None:
        """Open the popover beside the status bar's item, or close it."""
        anchor = self._window.status_widget(SANDBOX_ITEM)
        if self._session is None or anchor is None:
            return
        popover = self._popover or self._make_popover()
        if popover.is_open:
            popover.close_over()
            return
        popover.show_trouble("")
        popover.note_choice("")
        popover.kept.say("")
        popover.set_stored(None)
        self._show_popover(opening=True)
        popover.open(anchor)
        self.monitor.refresh()
        self._tasks.start(self._show_kept(), name="kept for sandboxes")

    # -- where apps run ----------------------------------------------------------------------------
    async def place(self) -> AppPlace:
        """Return where new projects' apps run."""
        return app_place(await self._engine.setting(PLACE_SETTING, default="auto"))

    async def place_was_asked(self) -> bool:
        return bool(await self._engine.setting(PLACE_ASKED_SETTING, default=False))

    async def place_words(self) -> str:
        """Say in a sentence what is here; it looks, which takes a moment."""
        found = await self._engine.doctor(browser=False)
        docker, choice = check_named(found, DOCKER_CHECK), check_named(found, CHOICE_CHECK)
        if choice is None or (docker is not None and docker.status == "ok"):
            return self.tr("Docker answers. Each app gets a container that it cannot leave.")
        return choice.message

    async def dismiss_place(self) -> None:
        """The person does not want to be asked."""
        await self._engine.set_setting(PLACE_ASKED_SETTING, True)

    async def choose_place(self) -> None:
        """Ask where apps run and keep the answer for new projects."""

        async def look() -> DoctorView:
            return await self._engine.doctor(browser=False)

        answer = await ask_where_apps_run(
            self._theme, self._window, place=await self.place(), look=look
        )
        await self.dismiss_place()
        if answer is not None:
            await self._engine.set_setting(PLACE_SETTING, answer)

    # -- showing -----------------------------------------------------------------------------------
    async def _ask(self, project_id: str) -> SandboxView:
        return await self._engine.sandbox(project_id)

    def _follow(self) -> None:
        session = self._session
        if session is not None and session.loaded:
            self.monitor.follow(session.project_id, session.sandbox[0])
            self._announce(*session.sandbox)
        self.monitor.set_seen(self._window.seen and self._window.page in ("workspace", "history"))
        if self._popover is not None and self._popover.is_open:
            self._show_popover()
            # Reason, size and kind may be others now; the regular questions come only while it runs.
            self.monitor.refresh()

    def _announce(self, state: str, reason: str) -> None:
        """Tell screen readers of a failure, once."""
        failure = reason if state == "failed" else ""
        if failure and failure != self._told:
            self._window.announce(failure)
        self._told = failure

    def _on_page(self, name: str) -> None:
        if self._popover is not None and name != "workspace":
            self._popover.close_over()
        self._follow()

    def _on_usage(self) -> None:
        self._show_popover()
        self.changed.emit()

    def _figures(self, view: SandboxView) -> tuple[StatusFigure, ...]:
        figures: list[StatusFigure] = []
        share = cpu_share(view)
        if share is not None:
            curve = tuple(self.monitor.history.cpu())
            words = self.tr("CPU {0}").format(percent_words(share))
            figures.append(StatusFigure(icon="cpu", text=words, curve=curve))
        if view.memory is not None:
            words = f"{bytes_words(view.memory)} {memory_measure(view)}".strip()
            figures.append(StatusFigure(icon="memory", text=words))
        if view.port:
            words = self.tr("Port {0}").format(view.port)
            figures.append(StatusFigure(icon="globe", text=words))
        return tuple(figures)

    def _show_popover(self, *, opening: bool = False) -> None:
        popover, session = self._popover, self._session
        if popover is None or session is None or not (popover.is_open or opening):
            return
        view = self.monitor.view
        state, reason = session.sandbox
        if not reason and view is not None and view.state == state:
            reason = view.reason
        popover.show_state(state, reason, building=session.run.starts_app)
        popover.show_view(view, self.monitor.history)
        popover.show_progress(session.progress)
        popover.set_busy(self._acting.get(session.project_id))

    def _make_popover(self) -> SandboxPopover:
        popover = SandboxPopover(self._theme, self._window)
        popover.action_requested.connect(self._on_action)
        popover.place_chosen.connect(lambda kind: self._start(self._set_options(sandbox=kind)))
        popover.size_chosen.connect(lambda size: self._start(self._set_options(size=size)))
        popover.network_chosen.connect(lambda kind: self._start(self._set_options(network=kind)))
        popover.browser_requested.connect(lambda url: QDesktopServices.openUrl(QUrl(url)))
        popover.clean_requested.connect(lambda: self._start(self._clean()))
        popover.place_requested.connect(self._on_place)
        self._popover = popover
        return popover

    # -- doing -------------------------------------------------------------------------------------
    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(work)

    def _on_place(self) -> None:
        if self._popover is not None:
            self._popover.close_over()
        self._start(self.choose_place())

    def _on_action(self, action: SandboxAction) -> None:
        session = self._session
        if session is not None and session.project_id not in self._acting:
            self._start(self._act(session.project_id, action))

    async def _act(self, project_id: str, action: SandboxAction) -> None:
        if action == "rebuild" and not await self._agrees_to_rebuild():
            return
        self._acting[project_id] = action
        self._say("")
        self._show_popover()
        session = self._session
        if session is not None and session.project_id == project_id:
            session.set_restarting(restarting=action in ("restart", "rebuild"))
        try:
            await self._do(project_id, action)
        except Exception as caught:  # noqa: BLE001 - whatever it is has to be told where it was asked
            error = as_vibedesk_error(caught)
            # Who leaves a project stops what starts its app, and knows that.
            if session is self._session or not isinstance(error, NotAllowedNowError):
                self._on_refused(project_id, error)
        finally:
            self._acting.pop(project_id, None)
            if session is not None and session is self._session:
                session.set_restarting(restarting=False)
            self._show_popover()
            self.monitor.refresh()

    async def _do(self, project_id: str, action: SandboxAction) -> None:
        match action:
            case "restart":
                await self._engine.restart_sandbox(project_id)
            case "stop":
                await self._engine.stop_sandbox(project_id)
            case "rebuild":
                await self._engine.rebuild_sandbox(project_id)
            case "shell":
                await self._open_shell(project_id)

    async def _agrees_to_rebuild(self) -> bool:
        return await confirm(
            self._theme,
            self._window,
            title=self.tr("Rebuild the sandbox?"),
            text=self.tr(
                "It is removed and made anew from the project's files, with the same packages. What the app "
                "itself stored inside, such as its database and what people uploaded to it, is deleted for "
                "good. Your files, versions and conversation stay."
            ),
            action=self.tr("Rebuild sandbox"),
            danger=True,
        )

    async def _open_shell(self, project_id: str) -> None:
        command = await self._engine.sandbox_shell(project_id)
        if not self._terminal(command):
            await show_command(
                self._theme,
                self._window,
                title=self.tr("Open a shell in the sandbox"),
                text=self.tr(
                    "No terminal was found that VibeDesk could open. Run this in one of yours:"
                ),
                command=command,
            )

    async def _set_options(self, **options: str) -> None:
        """Change one of `sandbox`, `size` and `network` of the project that is shown."""
        session = self._session
        if session is None:
            return
        self._say("")
        changed = False
        try:
            changed = await self._set_with_consent(session.project_id, options)
        except VibeDeskError as error:
            self._on_refused(session.project_id, error)
        # Of an app that moves the popover says more by itself.
        later = changed and ("size" in options or options.get("sandbox") == "auto")
        if self._popover is not None:
            words = self.tr("This counts from the next start.")
            self._popover.note_choice(words if later else "")
        self.monitor.refresh()

    async def _set_with_consent(self, project_id: str, options: dict[str, str]) -> bool:
        """Change them; return whether they were, which the person decides where an app would get their own rights."""
        try:
            await self._engine.set_sandbox_options(project_id, **options)
        except ConsentRequiredError:
            if not await ask_consent(self._theme, self._window):
                return False
            await self._engine.grant_consent()
            await self._engine.set_sandbox_options(project_id, **options)
        return True

    async def _show_kept(self) -> None:
        try:
            stored = await self._engine.kept_for_sandboxes()
            titles = {card.id: card.title for card in await self._engine.projects()}
        except VibeDeskError as error:
            if self._popover is not None:
                self._popover.set_stored([])
                self._popover.kept.say(str(error), failed=True)
            return
        if self._popover is not None:
            self._popover.set_stored(stored, titles)

    async def _clean(self) -> None:
        popover = self._popover
        if popover is None:
            return
        popover.kept.set_cleaning(cleaning=True)
        try:
            freed = await self._engine.clean_sandboxes(older_than_days=UNUSED_DAYS)
        except VibeDeskError as error:
            popover.kept.say(str(error), failed=True)
        else:
            if freed:
                popover.kept.say(self.tr("{0} are free again.").format(bytes_words(freed)))
            else:
                popover.kept.say(
                    self.tr("Everything was used in the last {0} days.").format(UNUSED_DAYS)
                )
        finally:
            popover.kept.set_cleaning(cleaning=False)
        await self._show_kept()

    def _on_refused(self, project_id: str, error: VibeDeskError) -> None:
        session, popover = self._session, self._popover
        here = session is not None and session.project_id == project_id
        if isinstance(error, ConsentRequiredError) and here:
            if popover is not None:
                popover.close_over()
            self._refused(error)
        elif here and popover is not None and popover.is_open:
            self._say(str(error))
        else:
            self._refused(error)

    def _say(self, words: str) -> None:
        if self._popover is not None:
            self._popover.show_trouble(words)
