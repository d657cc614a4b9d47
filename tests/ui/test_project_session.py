"""An open project on real panels with the real engine; nothing is built here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from tests.ui.preview.app_server import AppServer, html
from tests.ui.qt_loop import run_on_qt, until
from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home
from vibedesk.engine import events as e
from vibedesk.engine.engine import Engine
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.states import AgentState
from vibedesk.ui.chat.activity_card import ActivityCard
from vibedesk.ui.chat.outcome_cards import CompleteCard, ContinueCard
from vibedesk.ui.project_panels import ProjectPanels
from vibedesk.ui.project_session import ProjectSession
from vibedesk.ui.theme.theme import Theme

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = pytest.mark.ui

PATHS = ("src/parts/Card.tsx", "src/parts/Row.tsx", "src/App.tsx")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(Home(root=tmp_path, projects=tmp_path / "projects"))
    made.start()
    yield made
    made.shutdown_blocking()


class Opened:
    """A session on panels of its own, with what it told."""

    def __init__(self, engine: Engine, project_id: str, panels: ProjectPanels, root: Path) -> None:
        self.owner = QObject()
        self.panels = panels
        self.asked: list[str] = []
        self.errors: list[VibeDeskError] = []
        self.agrees = True
        self.session = ProjectSession(
            engine, project_id, panels, root / "profiles", self._confirm, self.owner
        )
        self.session.failed.connect(self.errors.append)

    async def _confirm(self, title: str, text: str, action: str) -> bool:
        self.asked.append(title)
        return self.agrees


Scenario = Callable[[Engine, Opened], Awaitable[None]]


@pytest.fixture
def play(qapp: QApplication, engine: Engine, tmp_path: Path) -> Callable[[Scenario], None]:
    theme = Theme("dark")
    theme.apply(qapp)

    def start(scenario: Scenario) -> None:
        async def run() -> None:
            project_id = await engine.create("", ProjectOptions(sample="kanban-board"))
            for path in PATHS:
                await engine.create_file(project_id, path, f"// {path}\n")
            opened = Opened(engine, project_id, ProjectPanels(theme), tmp_path)
            opened.session.start()
            await until(lambda: opened.session.loaded, "the snapshot")
            try:
                await scenario(engine, opened)
            finally:
                await opened.session.close()
                for panel in vars(opened.panels).values():
                    if isinstance(panel, QWidget):
                        # Else every test after this one dresses it, too.
                        panel.deleteLater()

        run_on_qt(qapp, run())

    return start


def test_a_project_shows_its_files_and_its_wish(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        assert set(opened.panels.files.paths) == set(PATHS)
        assert opened.session.sample == "kanban-board"
        assert not opened.session.run.running

    play(scenario)


def test_typing_reaches_the_document_and_a_folder_takes_it_along(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        panels, project_id = opened.panels, opened.session.project_id
        opened.session.show_file(PATHS[0], pinned=True)
        await until(lambda: panels.editor.current_path == PATHS[0])
        panels.editor.change.emit(PATHS[0], 0, 0, "typed ")
        panels.files.rename_requested.emit("src/parts", "src/pieces")
        await until(lambda: panels.editor.current_path == "src/pieces/Card.tsx", "the tab follows")
        assert "src/pieces/Row.tsx" in panels.files.paths
        await opened.session._sync.all_sent()
        text = await engine.read_file(project_id, "src/pieces/Card.tsx")
        assert text == f"typed // {PATHS[0]}\n"

    play(scenario)


def test_deleting_asks_and_takes_a_whole_folder(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        opened.agrees = False
        opened.panels.files.delete_requested.emit(["src/parts"])
        await until(lambda: opened.asked == ["Delete src/parts?"])
        assert set(opened.panels.files.paths) == set(PATHS)
        opened.agrees = True
        opened.panels.files.delete_requested.emit(["src/parts"])
        await until(lambda: opened.panels.files.paths == ["src/App.tsx"])

    play(scenario)


def test_a_refused_message_goes_back_into_the_composer(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        opened.panels.chat.message_sent.emit("Paint it pink", ())
        await until(lambda: opened.errors)
        assert opened.errors[0].code == "no_more_recorded_answers"
        assert opened.panels.chat.draft() == "Paint it pink"

    play(scenario)


def test_nothing_can_be_written_where_nobody_hears_it_any_more(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        panels, session = opened.panels, opened.session
        written_in = (panels.chat, panels.blueprint, panels.files, panels.editor)
        session.show_file(PATHS[0], pinned=True)
        await until(lambda: panels.editor.current_path == PATHS[0])
        panels.editor.change.emit(PATHS[0], 0, 0, "typed ")
        closing = asyncio.ensure_future(session.close())
        await asyncio.sleep(0)
        assert not any(panel.isEnabled() for panel in written_in)
        await closing
        assert await engine.read_file(session.project_id, PATHS[0]) == f"typed // {PATHS[0]}\n"
        panels.clear()
        assert all(panel.isEnabled() for panel in written_in)

    play(scenario)


async def tell(engine: Engine, opened: Opened, *payloads: e.Payload) -> None:
    """Let the engine tell what happened."""
    assert engine._services is not None
    for payload in payloads:
        await engine._call(engine._services.bus.emit(opened.session.project_id, payload))


def words(widget: QWidget) -> str:
    return "\n".join(w.text() for w in widget.findChildren(QLabel) if not w.isHidden())


def test_a_sandbox_that_is_made_shows_how_far_it_is(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        preview, session = opened.panels.preview, opened.session
        await tell(engine, opened, e.SandboxState("building", ""))
        await until(lambda: preview.state == "preparing")
        await tell(engine, opened, e.SandboxLog("vibedesk", "Unpacking Node.js (2 of 7)"))
        await until(lambda: "Unpacking Node.js (2 of 7)" in words(preview._preparing))
        assert "Preparing the sandbox…" in words(preview._preparing)
        assert session.progress == "Unpacking Node.js (2 of 7)"
        await tell(engine, opened, e.SandboxState("starting", ""))
        await until(lambda: "Starting the app…" in words(preview._preparing))
        assert session.progress == ""
        await tell(engine, opened, e.SandboxLog("server", "VITE ready"))
        await tell(engine, opened, e.SandboxState("running", "The app answers."))
        told = "The app tried to run more than 64 processes. Your files are safe."
        await tell(engine, opened, e.SandboxLog("vibedesk", told))
        await until(lambda: told in words(opened.panels.chat))
        assert session.progress == ""
        reason = "The sandbox stopped. It used more than 2 GB. Your files are safe."
        await tell(engine, opened, e.SandboxState("failed", reason))
        await until(lambda: preview.state == "stopped")
        assert reason in words(preview._stopped)
        assert session.progress == ""

    play(scenario)


def test_an_app_that_stops_to_start_again_does_not_look_stopped(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        preview, session = opened.panels.preview, opened.session
        session._preview_url = "http://127.0.0.1:9"
        session.set_restarting(restarting=True)
        await tell(engine, opened, e.SandboxState("stopped", "It was stopped."))
        await until(lambda: preview.state == "preparing")
        assert "Starting the app…" in words(preview._preparing)
        await tell(engine, opened, e.SandboxState("failed", "The disk of Docker is full."))
        await until(lambda: "The disk of Docker is full." in words(preview._stopped))
        assert preview.state == "stopped"
        await tell(engine, opened, e.SandboxState("stopped", "It was stopped."))
        await until(lambda: preview.state == "preparing")
        session.set_restarting(restarting=False)
        assert preview.state == "stopped", "it did not come back"

    play(scenario)


def test_an_app_that_stopped_can_be_started_while_the_run_is_paused(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        preview, session = opened.panels.preview, opened.session
        session._preview_url = "http://127.0.0.1:9"
        await tell(engine, opened, e.StateChange("implementing_phase", "planning_phase", ""))
        await tell(engine, opened, e.SandboxState("stopped", "Another app has its place."))
        await until(lambda: session.sandbox[0] == "stopped")
        assert preview.state != "stopped", "the run starts it again"
        await tell(engine, opened, e.Waiting("paused", None, "Paused. Nothing is lost."))
        await until(lambda: preview.state == "stopped", "it is offered to start it")
        await tell(engine, opened, e.SandboxState("starting", ""))
        await until(lambda: preview.state == "preparing")
        await tell(engine, opened, e.SandboxState("stopped", "It was stopped."))
        await until(lambda: preview.state == "stopped")

    play(scenario)


def test_a_pause_leaves_it_said_why_the_app_stopped(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        preview, session = opened.panels.preview, opened.session
        session._preview_url = "http://127.0.0.1:9"
        reason = "The app used more than 256 MB of memory. Your files are safe."
        await tell(engine, opened, e.StateChange("implementing_phase", "planning_phase", ""))
        await tell(engine, opened, e.SandboxState("failed", reason))
        await until(lambda: preview.state == "stopped")
        await tell(engine, opened, e.Waiting("paused", None, "Paused. Nothing is lost."))
        await until(lambda: session.run.phase_view(str).control == "paused")
        assert reason in words(preview._stopped)

    play(scenario)


def test_another_wait_leaves_a_pause_a_pause(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        session, run = opened.session, opened.session.run
        session._preview_url = "http://127.0.0.1:9"
        paused = e.Waiting("paused", None, "Paused. Nothing is lost.")
        await tell(engine, opened, e.StateChange("implementing_phase", "planning_phase", ""))
        await tell(engine, opened, paused, e.Waiting("rate_limit", None, "The model is busy."))
        await until(lambda: run.waiting == "rate_limit")
        assert (run.phase_view(str).control, run.starts_app) == ("paused", False)
        assert session.clock.stands
        await tell(engine, opened, e.Resumed("rate_limit"))
        await until(lambda: run.waiting == "")
        assert (run.phase_view(str).control, session.clock.stands) == ("paused", True)
        await tell(engine, opened, paused, e.Resumed("paused"))
        await until(lambda: run.phase_view(str).control == "stop")
        assert run.starts_app
        assert not session.clock.stands

    play(scenario)


@pytest.fixture
def app() -> Iterator[AppServer]:
    server = AppServer()
    server.pages = {"/": html("<h1>app</h1>")}
    yield server
    server.close()


def test_allowing_a_host_loads_a_page_that_is_there_and_starts_nothing(
    play: Callable[[Scenario], None], app: AppServer
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        preview, session = opened.panels.preview, opened.session

        async def allow(*hosts: str) -> None:
            await engine.grant_host(session.project_id, hosts[-1])
            await until(lambda: session._granted == hosts, "it is told")

        try:
            await tell(engine, opened, e.ServerStarted(app.url), e.SandboxState("running", ""))
            await until(lambda: preview.state == "live", "the page")
            seen = app.asked.count("/")
            await allow("a.example.org")
            await until(lambda: app.asked.count("/") > seen, "it is loaded again")
            await until(lambda: preview.state == "live", "the page again")
            await tell(engine, opened, e.SandboxState("stopped", ""))
            await until(lambda: preview.state == "stopped")
            await allow("a.example.org", "b.example.org")
            assert preview.state == "stopped", "it still offers to start the app"
            await tell(engine, opened, e.SandboxState("building", ""))
            await until(lambda: preview.state == "preparing")
            await allow("a.example.org", "b.example.org", "c.example.org")
            assert preview.state == "preparing"
        finally:
            preview.shut_down()

    play(scenario)


def test_one_that_is_closed_shows_nothing_any_more(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        preview, session = opened.panels.preview, opened.session
        await tell(engine, opened, e.ServerStarted("http://127.0.0.1:9"))
        session.set_restarting(restarting=True)
        await tell(engine, opened, e.SandboxState("stopped", "It was stopped."))
        await until(lambda: preview.state == "preparing")
        await session.close()
        session.set_restarting(restarting=False)
        assert preview.state == "preparing", "another project may be shown by now"

    play(scenario)


def test_a_wait_is_said_in_chat_strip_and_preview_and_ends(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        chat, preview, run = opened.panels.chat, opened.panels.preview, opened.session.run
        line = "Waiting for a free sandbox: {0} in line."
        await tell(engine, opened, e.Waiting("slot", None, line.format("2nd")))
        await until(lambda: preview.state == "preparing")
        assert "Waiting in line" in words(preview._preparing)
        assert chat._waiting.accessibleName() == line.format("2nd")
        assert run.waiting == "slot"
        await tell(engine, opened, e.Waiting("slot", None, line.format("1st")))
        await until(lambda: line.format("1st") in words(preview._preparing))
        await tell(engine, opened, e.Resumed("slot"))
        await until(lambda: run.waiting == "")
        assert preview.state == "empty"
        assert not chat._waiting.accessibleName()
        gone = "Docker does not answer. The build goes on by itself when it is back."
        await tell(engine, opened, e.Waiting("sandbox", None, gone))
        await until(lambda: "Waiting for Docker" in words(preview._preparing))
        assert gone in words(preview._preparing)
        await tell(engine, opened, e.Resumed("sandbox"))
        await until(lambda: preview.state == "empty")

    play(scenario)


def test_a_wait_for_the_model_leaves_the_preview_alone(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        await tell(engine, opened, e.Waiting("rate_limit", None, "The model asks us to slow down."))
        await until(lambda: opened.session.run.waiting == "rate_limit")
        assert opened.panels.preview.state == "empty"

    play(scenario)


def test_a_host_is_asked_for_once_whoever_wants_it(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        wanted: list[str] = []
        opened.session.watch.host_wanted.connect(wanted.append)
        opened.panels.preview.request_blocked.emit("https://api.example.org/data", "not granted")
        await tell(
            engine,
            opened,
            e.HostRefused("api.example.org"),
            e.HostRefused("db.example.org:5432"),
            e.HostRefused("db.example.org:5432"),
        )
        await until(lambda: len(wanted) == 2)
        opened.panels.preview.request_blocked.emit("https://db.example.org:5432/", "not granted")
        assert wanted == ["api.example.org", "db.example.org:5432"]

    play(scenario)


def test_another_writers_edit_appears_in_the_open_editor(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        editor, project_id = opened.panels.editor, opened.session.project_id
        opened.session.show_file("src/App.tsx", pinned=True)
        await until(lambda: editor.current_path == "src/App.tsx")
        other = Opened(engine, project_id, ProjectPanels(opened.panels.chat._theme), Path())
        other.session._tasks.start(other.session._sync.send_typed())
        await other.session._sync.fetch()
        other.session._sync.typed("src/App.tsx", 0, 0, "theirs ")
        await until(lambda: editor.text("src/App.tsx") == "theirs // src/App.tsx\n")
        await other.session.close()

    play(scenario)


APP = "src/App.tsx"
REWRITTEN = "anew one\n// src/App.tsx\nanew two\n"


class Rewriting:
    """The agent, half way through writing a file anew, which is open beside it."""

    def __init__(self, engine: Engine, opened: Opened) -> None:
        self._engine, self._opened = engine, opened
        self._editor = opened.panels.editor
        self.project_id = opened.session.project_id

    async def begin(self) -> None:
        running = e.StateChange("implementing_phase", "planning_phase", "")
        await tell(self._engine, self._opened, running)
        self._opened.panels.editor.show()
        self._opened.session.show_file(APP, pinned=True)
        await until(lambda: self._editor.text(APP) == f"// {APP}\n", "it is open")

        def work(drafts: Drafts, emit: Emit) -> None:
            drafts.start(APP, "full")
            emit(e.FileStart(APP, "full"))

        await self._commit(work)
        await self.write(REWRITTEN[:30])

    async def write(self, text: str) -> None:
        def work(drafts: Drafts, emit: Emit) -> None:
            drafts.append(APP, text)
            emit(e.FileChunk(APP, text))

        await self._commit(work)
        await until(lambda: (self._editor.text(APP) or "").endswith(text), "it is shown")

    async def end(self) -> None:
        files, _ = self._documents()

        def work(drafts: Drafts, emit: Emit) -> None:
            version = drafts.close(APP, REWRITTEN)
            emit(e.FileEnd(APP, files.read(APP)))
            emit(e.FileChanged(APP, version, "agent"))

        await self._commit(work)

    def type(self, words: str) -> None:
        QTest.keyClicks(self._editor._editors[APP].widget, words)

    async def stored(self) -> str:
        return await self._engine.read_file(self.project_id, APP)

    def _documents(self) -> tuple[ProjectFiles, Drafts]:
        assert self._engine._services is not None
        return self._engine._services._documents(self.project_id)

    async def _commit(self, work: Callable[[Drafts, Emit], None]) -> None:
        assert self._engine._services is not None
        _, drafts = self._documents()
        bus = self._engine._services.bus
        await self._engine._call(bus.commit(self.project_id, lambda emit: work(drafts, emit)))


def test_what_is_typed_into_a_rewrite_is_there_when_it_is_whole(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent, editor = Rewriting(engine, opened), opened.panels.editor
        await agent.begin()
        editor._editors[APP].go_to(1, 1)
        agent.type("my ")
        await agent.write(REWRITTEN[30:])
        texts: list[str] = []
        editor._editors[APP].signals.text_changed.connect(
            lambda: texts.append(editor.text(APP) or "")
        )
        agent.type("own ")
        await agent.end()
        await until(lambda: not opened.session._sync.is_streaming(APP), "it is whole")
        await opened.session.send_typed()
        assert editor.text(APP) == await agent.stored() == "my own " + REWRITTEN
        assert all(text.startswith("my o") for text in texts), "it never goes out of sight"

    play(scenario)


def test_what_is_typed_into_a_rewrite_outlives_a_stop(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent, editor = Rewriting(engine, opened), opened.panels.editor
        await agent.begin()
        agent.type("my ")
        await tell(engine, opened, e.StateChange("idle", "implementing_phase", "stopped by you"))
        await until(lambda: not opened.session._sync.is_streaming(APP), "it has ended")
        await opened.session.send_typed()
        assert editor.text(APP) == await agent.stored() == f"my // {APP}\n"

    play(scenario)


def test_what_is_typed_into_a_rewrite_outlives_that_the_project_is_left(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent = Rewriting(engine, opened)
        await agent.begin()
        agent.type("my ")
        await opened.session.close()
        assert await agent.stored() == f"my // {APP}\n"
        await agent.end()
        assert await agent.stored() in (f"my {REWRITTEN}", REWRITTEN.replace("// src", "my // src"))

    play(scenario)


def test_what_is_typed_into_a_rewrite_outlives_its_tab(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent, editor = Rewriting(engine, opened), opened.panels.editor
        await agent.begin()
        agent.type("my ")
        editor.set_following(False)
        editor.close_file(APP)
        opened.session.show_file(APP, pinned=True)
        await until(lambda: editor.text(APP), "it is open again")
        assert editor.text(APP) == "my " + REWRITTEN[:30]
        agent.type("own ")
        await agent.write(REWRITTEN[30:])
        await agent.end()
        await until(lambda: not opened.session._sync.is_streaming(APP), "it is whole")
        await opened.session.send_typed()
        assert editor.text(APP) == await agent.stored() == "own my " + REWRITTEN

    play(scenario)


def test_a_click_on_what_cannot_be_opened_says_so_and_following_goes_on(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        editor, planned = opened.panels.editor, "src/Planned.tsx"

        async def says(path: str, words: str) -> None:
            opened.errors.clear()
            opened.session.show_file(path)
            await until(lambda: opened.errors, "it is said")
            assert [error.message for error in opened.errors] == [words]
            assert editor.following

        phase = {"number": 1, "name": "Basics", "files": [{"path": planned}]}
        await tell(engine, opened, e.PhaseDesigned(phase))
        await tell(engine, opened, e.StateChange("implementing_phase", "planning_phase", ""))
        await until(lambda: planned in opened.panels.files.paths, "it is planned")
        await says(planned, f"{planned} is not written yet.")
        await says("src/Gone.tsx", "src/Gone.tsx is not there any more.")
        opened.session.show_file(APP)
        await until(lambda: editor.current_path == APP, "it is open")
        assert not editor.following

    play(scenario)


def test_what_was_built_is_counted_in_words(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        for files, phases in ((1, 1), (2, 1), (1, 2), (3, 2)):
            await tell(engine, opened, e.GenerationComplete(files, phases))
        await until(lambda: len(opened.panels.chat.findChildren(CompleteCard)) == 4)
        cards = opened.panels.chat.findChildren(CompleteCard)
        words = ("1 file", "2 files", "1 file in 2 phases", "3 files in 2 phases")
        for card, said in zip(cards, words, strict=True):
            assert f"{said}, " in card.text().split("\n")

    play(scenario)


def test_what_is_typed_right_after_a_file_was_renamed_is_stored(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        editor, new = opened.panels.editor, "src/Main.tsx"
        opened.session.show_file(APP, pinned=True)
        await until(lambda: editor.current_path == APP)
        opened.panels.files.rename_requested.emit(APP, new)
        await until(lambda: editor.current_path == new, "the tab follows")
        editor.change.emit(new, 0, 0, "typed ")
        await opened.session.send_typed()
        assert await engine.read_file(opened.session.project_id, new) == f"typed // {APP}\n"

    play(scenario)


@pytest.mark.parametrize(
    "code",
    [
        "unknown_price",
        "fallback",
        "images_not_seen",
        "nothing_changed",
        "no_summary",
        "check_steps_left_out",
        "other_data",
        "too_large_to_show",
        "left_out",
        "manifest_locked",
        "no_review",
        "no_checks",
        "check_suggested",
    ],
)
def test_what_bears_on_money_or_on_the_result_is_told_in_the_chat_once(
    play: Callable[[Scenario], None], code: str
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        words = "The first model did not answer. Asking another one instead."
        await tell(engine, opened, e.Notice(words, code), e.Notice(words, code))
        chat = opened.panels.chat
        await until(lambda: any(words in w.accessibleName() for w in chat.findChildren(QWidget)))
        await tell(engine, opened, e.Notice("app.ts was not written: you locked it.", "locked"))
        await until(
            lambda: any("locked it" in w.accessibleName() for w in chat.findChildren(QWidget))
        )
        shown = [card for card in chat.findChildren(ActivityCard) if words in card.text()]
        assert len(shown) == 1

    play(scenario)


def test_what_became_of_a_file_is_told_in_the_chat_and_other_notices_in_the_log_only(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        locked = "src/App.tsx was not written: you locked it."
        refused = "There is no file no.js in the project."
        await tell(
            engine,
            opened,
            e.Notice("A change was made already.", "already_applied"),
            e.Notice(locked, "locked"),
            e.Notice(refused, "not_regenerated"),
        )
        chat = opened.panels.chat

        def told(text: str) -> bool:
            return any(text in w.accessibleName() for w in chat.findChildren(QWidget))

        await until(lambda: told(locked) and told(refused))
        assert not any("made already" in w.accessibleName() for w in chat.findChildren(QWidget))

    play(scenario)


def test_a_stop_that_is_refused_can_be_asked_for_again(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        run = opened.session.run
        await tell(engine, opened, e.StateChange("implementing_phase", "planning_phase", ""))
        await until(lambda: run.running, "it runs")
        await engine.delete_project(opened.session.project_id)
        opened.session.stop()
        assert run.phase_view(str).control == "stopping"
        await until(lambda: opened.errors, "it is refused")
        assert run.phase_view(str).control == "stop"

    play(scenario)


def test_a_pause_is_on_its_way_until_the_run_waits(play: Callable[[Scenario], None]) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        run = opened.session.run
        await tell(engine, opened, e.StateChange("implementing_phase", "planning_phase", ""))
        await until(lambda: run.running, "it runs")
        opened.session.pause()
        assert run.phase_view(str).pause == "asked"
        # Here nothing really runs, so the engine refuses.
        await until(lambda: opened.errors, "it is refused")
        assert run.phase_view(str).pause == "offered"
        run.pausing = True
        await tell(engine, opened, e.Waiting("paused", None, "Paused. Nothing is lost."))
        await until(lambda: run.phase_view(str).control == "paused")
        assert "Paused. Nothing is lost." in words(opened.panels.chat)
        assert opened.session.clock.stands, "nothing is worked at"
        await tell(engine, opened, e.Resumed("paused"))
        await until(lambda: run.phase_view(str).control == "stop")
        assert run.phase_view(str).pause == "offered"
        assert not opened.session.clock.stands
        run.pausing = True
        opened.session.go_on()
        assert run.phase_view(str).pause == "offered", "to go on takes a pause back"

    play(scenario)


def test_what_was_added_to_the_roadmap_of_a_complete_app_can_be_built(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        run, chat = opened.session.run, opened.panels.chat
        await tell(engine, opened, e.StateChange("complete", "finalizing", ""))
        await until(lambda: run.state == "complete")
        assert run.phase_view(str).control == "none"
        await tell(engine, opened, e.Notice("The roadmap has more.", "roadmap_open"))
        await until(lambda: run.phase_view(str).control == "continue")
        assert len(chat.findChildren(ContinueCard)) == 1
        await tell(engine, opened, e.StateChange("planning_phase", "complete", ""))
        await until(lambda: run.phase_view(str).control == "stop")

    play(scenario)


def test_what_was_added_to_the_roadmap_is_still_offered_when_the_project_is_opened_again(
    play: Callable[[Scenario], None], tmp_path: Path
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        project_id, services = opened.session.project_id, engine._ours

        def complete(_: Emit) -> None:
            services.store.update(project_id, state=AgentState.COMPLETE, run={"roadmap_open": True})

        await engine._call(services.bus.commit(project_id, complete))
        await opened.session.close()
        opened.session = ProjectSession(
            engine, project_id, opened.panels, tmp_path / "again", opened._confirm, opened.owner
        )
        opened.session.start()
        await until(lambda: opened.session.loaded, "the snapshot")
        assert opened.session.run.phase_view(str).control == "continue"
        assert len(opened.panels.chat.findChildren(ContinueCard)) == 1

    play(scenario)


def test_what_cannot_be_shown_is_told_once_and_hides_nothing_else(
    play: Callable[[Scenario], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        broken = e.PhaseDesigned({})

        def lines() -> list[str]:
            return [line.text for line in opened.panels.logs.model.lines]

        await tell(engine, opened, broken, e.SandboxLog("server", "first"), broken)
        await until(lambda: "first" in lines(), "what came with it")
        await tell(engine, opened, broken, e.SandboxLog("server", "second"))
        await until(lambda: "second" in lines(), "what comes after it")
        assert [error.code for error in opened.errors] == ["internal"]
        reference = opened.errors[0].details["reference"]
        assert any(reference in record.getMessage() for record in caplog.records)

    play(scenario)
