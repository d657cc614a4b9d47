"""Files that are patched, dropped, deleted or renamed while somebody has them open; real panels, real engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest

from tests.ui.qt_loop import until
from tests.ui.test_project_session import (
    APP,
    Opened,
    Scenario,
    engine,
    play,
    tell,
)
from vibedesk.base.errors import VibeDeskError
from vibedesk.engine import events as e
from vibedesk.engine.engine import Engine
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.ui.chat.writing_card import WritingCard
from vibedesk.ui.editor.scintilla import ScintillaEditor

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
pytestmark = pytest.mark.ui

__all__ = ["engine", "play"]

Play = Callable[[Scenario], None]
CARD = "src/parts/Card.tsx"
BEFORE = f"// {APP}\n"
SCI_MARKERGET = 2046


class Agent:
    """What the agent does to files, as its writer does it."""

    def __init__(self, engine: Engine, opened: Opened) -> None:
        self._engine = engine
        self._opened = opened
        self.editor = opened.panels.editor
        self.project_id = opened.session.project_id

    async def run(self) -> None:
        await tell(
            self._engine, self._opened, e.StateChange("implementing_phase", "planning_phase", "")
        )
        self.editor.show()

    async def start(self, mode: str, path: str = APP) -> None:
        def work(files: ProjectFiles, drafts: Drafts, emit: Emit) -> None:
            drafts.start(path, mode)
            drafts.append(path, "<<")
            emit(e.FileStart(path, mode))
            emit(e.FileChunk(path, "<<"))

        await self.commit(work)
        await until(lambda: path in self._opened.session._streams._lines, "it is told")

    async def end(self, text: str) -> None:
        def work(files: ProjectFiles, drafts: Drafts, emit: Emit) -> None:
            version = drafts.close(APP, text)
            emit(e.FileEnd(APP, files.read(APP)))
            emit(e.FileChanged(APP, version, "agent"))

        await self.commit(work)

    async def drop(self) -> None:
        def work(files: ProjectFiles, drafts: Drafts, emit: Emit) -> None:
            drafts.discard(APP)
            emit(e.FileDropped(APP))

        await self.commit(work)

    async def delete(self, path: str) -> None:
        await self.commit(
            lambda files, _, emit: emit(e.FileDeleted(path, files.delete(path, "agent"), "agent"))
        )

    async def rename(self, path: str, new: str) -> None:
        await self.commit(
            lambda files, _, emit: emit(
                e.FileRenamed(path, new, files.rename(path, new, "agent"), "agent")
            )
        )

    async def commit(self, work: Callable[[ProjectFiles, Drafts, Emit], None]) -> None:
        services = self._engine._ours
        files, drafts = services._documents(self.project_id)
        await self._engine._call(
            services.bus.commit(self.project_id, lambda emit: work(files, drafts, emit))
        )

    async def open(self, path: str = APP) -> None:
        self._opened.session.show_file(path, pinned=True)
        await until(lambda: self.editor.current_path == path, "it is open")

    def type(self, words: str, path: str = APP) -> None:
        QTest.keyClicks(self.editor._editors[path].widget, words)

    async def stored(self, path: str = APP) -> str:
        return await self._engine.read_file(self.project_id, path)

    def state(self, path: str = APP) -> str:
        return self._opened.panels.files._marks[path].state


@pytest.mark.parametrize("mode", ["patch", "append"])
def test_a_file_that_is_opened_while_it_is_changed_shows_its_text(play: Play, mode: str) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent = Agent(engine, opened)
        await agent.run()
        await agent.start(mode)
        assert agent.editor.text(APP) is None
        agent.editor.set_following(False)
        agent.editor.set_following(True)
        assert agent.editor.text(APP) is None, "what is not known is not shown as nothing"
        await agent.open()
        assert agent.editor.text(APP) == BEFORE
        agent.editor._editors[APP].go_to(1, 4)
        agent.type("my ")
        await opened.session.send_typed()
        mine = f"// my {APP}\n"
        assert await agent.stored() == mine
        await agent.end(f"{mine}// more\n")
        await until(lambda: agent.editor.text(APP) == f"{mine}// more\n", "what was made shows")
        await until(lambda: APP not in agent.editor._streams, "it is over")
        agent.type("own ")
        await opened.session.send_typed()
        assert await agent.stored() == agent.editor.text(APP) == f"// my own {APP}\n// more\n"

    play(scenario)


def test_what_is_typed_into_a_file_that_is_patched_is_stored_at_once_and_never_out_of_sight(
    play: Play,
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent = Agent(engine, opened)
        await agent.run()
        await agent.open()
        await agent.start("patch")
        agent.editor._editors[APP].go_to(1, 1)
        agent.type("my ")
        await until(lambda: opened.session._sync._outgoing.empty(), "it is on its way")
        await opened.session.send_typed()
        assert await agent.stored() == f"my {BEFORE}"
        texts: list[str] = []
        agent.editor._editors[APP].signals.text_changed.connect(
            lambda: texts.append(agent.editor.text(APP) or "")
        )
        await agent.end(f"my {BEFORE}// more\n")
        # The engine hears of this after it has made the patch.
        agent.type("own ")
        await until(lambda: APP not in agent.editor._streams, "it is over")
        await opened.session.send_typed()
        assert await agent.stored() == agent.editor.text(APP) == f"my own {BEFORE}// more\n"
        assert all(text.startswith("my o") for text in texts)
        assert agent.state() == "modified"

    play(scenario)


@pytest.mark.parametrize("mode", ["patch", "full"])
def test_a_change_that_was_refused_ends_there(play: Play, mode: str) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent = Agent(engine, opened)
        await agent.run()
        await agent.open()
        await agent.start(mode)
        agent.editor._editors[APP].go_to(1, 1)
        agent.type("my ")
        await agent.drop()
        await until(lambda: APP not in agent.editor._streams, "it is over")
        await until(lambda: not opened.session._sync.is_streaming(APP), "it is over")
        await opened.session.send_typed()
        assert await agent.stored() == agent.editor.text(APP) == f"my {BEFORE}"
        assert agent.state() != "writing"

    play(scenario)


@pytest.mark.parametrize("mode", ["patch", "full"])
def test_lines_are_marked_only_against_a_text_that_is_known(play: Play, mode: str) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent = Agent(engine, opened)

        def marked() -> list[int]:
            editor = agent.editor._editors[APP]
            assert isinstance(editor, ScintillaEditor)
            lines = range((agent.editor.text(APP) or "").count("\n"))
            return [line for line in lines if editor._send(SCI_MARKERGET, line)]

        async def write(text: str) -> None:
            await agent.start(mode)
            await agent.end(text)
            await until(lambda: agent.editor.text(APP) == text, "what was made shows")
            await until(lambda: APP not in agent.editor._streams, "it is over")

        await agent.run()
        await write("one\ntwo\n")
        assert marked() == [], "nobody knew what was there before"
        await write("one\ntwo\nthree\n")
        assert marked() == [2]

    play(scenario)


@pytest.mark.parametrize(("path", "marks"), [(APP, []), ("src/New.tsx", [0, 1])])
def test_a_file_that_was_half_written_when_the_project_opened_is_new_only_if_it_was_none(
    play: Play, path: str, marks: list[int]
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent = Agent(engine, opened)
        text = "one\ntwo\n"

        def begin(files: ProjectFiles, drafts: Drafts, emit: Emit) -> None:
            drafts.start(path, "full")
            drafts.append(path, "one\n")

        def end(files: ProjectFiles, drafts: Drafts, emit: Emit) -> None:
            version = drafts.close(path, text)
            emit(e.FileEnd(path, text))
            emit(e.FileChanged(path, version, "agent"))

        def marked() -> list[int]:
            editor = agent.editor._editors[path]
            assert isinstance(editor, ScintillaEditor)
            return [line for line in range(2) if editor._send(SCI_MARKERGET, line)]

        await agent.run()
        await agent.commit(begin)
        [draft] = (await engine.project(agent.project_id)).drafts
        opened.session._streams.take_up(draft)
        await agent.commit(end)
        await until(lambda: agent.editor.text(path) == text, "what was made shows")
        await until(lambda: path not in agent.editor._streams, "it is over")
        assert marked() == marks
        assert agent.state(path) == ("new" if marks else "modified")

    play(scenario)


def test_what_is_written_in_the_conversation_ends_as_it_ended(play: Play) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent = Agent(engine, opened)

        def card() -> WritingCard:
            return opened.panels.chat.findChildren(WritingCard)[-1]

        def said() -> str:
            return card()._rows.accessibleDescription()

        await agent.run()
        await agent.start("patch")
        await until(lambda: opened.panels.chat.findChildren(WritingCard), "the card")
        assert said() == f"{APP}, being written"
        await agent.drop()
        await until(lambda: said() == f"{APP}, stopped", "it was refused")
        await agent.start("full")
        assert said() == f"{APP}, being written", "it comes again"
        await agent.start("full", CARD)
        await agent.delete(CARD)
        await until(lambda: f"{CARD}, stopped" in said(), "it was deleted")
        await tell(engine, opened, e.StateChange("fixing", "implementing_phase", ""))
        await until(lambda: card().ended, "the step ends")
        await agent.drop()
        await until(lambda: APP not in opened.session._streams._lines, "it is dropped")
        await agent.start("patch")
        await until(lambda: not card().ended, "the fix has a card of its own")
        await tell(engine, opened, e.StateChange("reviewing", "fixing", ""))
        await until(lambda: card().ended, "the fix ends")
        assert said() == f"{APP}, stopped"

    play(scenario)


def test_a_change_to_a_file_that_is_not_open_opens_nothing_when_it_is_refused(play: Play) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent = Agent(engine, opened)
        await agent.run()
        await agent.start("patch")
        await agent.drop()
        await until(lambda: APP not in agent.editor._streams, "it is over")
        assert agent.editor.text(APP) in (None, BEFORE)

    play(scenario)


def test_a_file_that_is_deleted_while_it_is_written_stays_away(play: Play) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent = Agent(engine, opened)
        await agent.run()
        await agent.open()
        await agent.start("full")
        await agent.delete(APP)
        await until(lambda: APP not in opened.panels.files._marks, "it goes")
        await tell(engine, opened, e.StateChange("idle", "implementing_phase", "stopped by you"))
        await until(lambda: not opened.session.run.running, "the run ends")
        assert APP not in opened.panels.files._marks
        assert not opened.session._sync.is_streaming(APP)
        assert opened.errors == []

    play(scenario)


def test_what_is_typed_after_a_file_was_moved_onto_one_that_was_written_is_where_it_was_typed(
    play: Play,
) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent = Agent(engine, opened)
        await agent.run()
        await agent.open(CARD)
        await agent.open()
        await agent.start("full")
        agent.type("gone ")
        await agent.delete(APP)
        await agent.rename(CARD, APP)
        await until(lambda: agent.editor.text(APP) == f"// {CARD}\n", "it is the other one")
        agent.editor._editors[APP].go_to(1, 4)
        agent.type("my ")
        await until(lambda: not opened.session._sync.is_streaming(APP), "it is over")
        await opened.session.send_typed()
        assert await agent.stored() == agent.editor.text(APP) == f"// my {CARD}\n"

    play(scenario)


def test_the_end_of_a_stream_that_could_not_be_fetched_is_told(play: Play) -> None:
    async def scenario(engine: Engine, opened: Opened) -> None:
        agent = Agent(engine, opened)
        await agent.run()
        await agent.open()
        await agent.start("full")
        agent.type("my ")
        sync = opened.session._sync
        sync._project_id = "nowhere"
        await agent.drop()
        await until(lambda: opened.errors, "it is told")
        assert all(isinstance(error, VibeDeskError) for error in opened.errors)
        sync._project_id = agent.project_id
        await agent.open(CARD)
        await until(lambda: not sync.is_streaming(APP), "with the next file it is made good")
        await opened.session.send_typed()
        assert "my " in await agent.stored()
        assert await agent.stored() == agent.editor.text(APP)

    play(scenario)
