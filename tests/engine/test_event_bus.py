"""Events are stored before they are told, in order and without gaps, whoever listens and whenever."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from vibedesk.base.errors import NotFoundError, StorageError
from vibedesk.base.paths import Home
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import Event, FileEnd, Notice, SandboxLog, Snapshot
from vibedesk.engine.files.drafts import Drafts
from vibedesk.engine.files.project_files import ProjectFiles
from vibedesk.engine.project_views import project_view
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.subscription import Subscription
from vibedesk.engine.views import ProjectView


@dataclass
class Bus:
    """A bus over a real database with one project."""

    home: Home
    database: Database
    store: ProjectStore
    bus: EventBus
    project_id: str

    def view(self) -> ProjectView:
        files = ProjectFiles(self.database, self.project_id)
        drafts = Drafts(self.database, self.project_id, files)
        return project_view(self.store, files, drafts, running=False, sandbox_state="absent")

    async def subscribe(self) -> Subscription:
        subscription = Subscription(self.project_id)
        await self.bus.subscribe(subscription, self.view)
        return subscription

    def stored(self) -> list[tuple[int, str, dict[str, object]]]:
        with closing(sqlite3.connect(self.home.database)) as connection:
            rows = connection.execute("SELECT seq, type, data FROM events ORDER BY seq").fetchall()
        return [(seq, kind, json.loads(data)) for seq, kind, data in rows]


@pytest.fixture
async def bus(home: Home) -> AsyncIterator[Bus]:
    database, store = Database.open(home, write=True), ProjectStore()
    record = await database.run(
        lambda: store.create({"name": "a", "wish": "a", "folder": "a", "template": "react-vite"})
    )
    made = EventBus(database, store)
    yield Bus(home, database, store, made, record.id)
    made.close()
    database.close()


def numbers(events: list[Event]) -> list[int]:
    return [event.seq for event in events]


async def test_concurrent_commits_are_told_in_gapless_order(bus: Bus) -> None:
    early = await bus.subscribe()

    async def worker(name: int) -> None:
        for turn in range(20):
            await bus.bus.emit(bus.project_id, *[Notice(f"{name}.{turn}", "x")] * (turn % 3 + 1))

    await asyncio.gather(*(worker(name) for name in range(10)))
    events = early.drain()
    assert isinstance(events[0].payload, Snapshot)
    assert numbers(events) == list(range(len(events)))
    assert [seq for seq, _, _ in bus.stored()] == numbers(events[1:])
    for name in range(10):
        mine = [e.payload.message for e in events[1:] if e.payload.message.startswith(f"{name}.")]  # type: ignore[attr-defined]
        assert mine == sorted(mine, key=lambda text: int(text.split(".")[1]))


async def test_a_late_subscriber_gets_an_exact_snapshot_and_everything_after(bus: Bus) -> None:
    late: list[Subscription] = []

    async def write() -> None:
        for turn in range(60):

            def work(emit: Emit, turn: int = turn) -> None:
                bus.store.update(bus.project_id, title=str(turn + 1))
                emit(Notice(str(turn + 1), "x"))

            await bus.bus.commit(bus.project_id, work)

    async def join() -> None:
        late.extend([await bus.subscribe() for _ in range(15)])

    await asyncio.gather(write(), join())
    for subscription in late:
        snapshot, *rest = subscription.drain()
        project = snapshot.payload.project  # type: ignore[attr-defined]
        assert snapshot.seq == project.seq == int(project.title or 0)
        assert numbers(rest) == list(range(snapshot.seq + 1, 61))


async def test_a_cancelled_caller_loses_no_event(bus: Bus) -> None:
    listening = await bus.subscribe()
    callers = [
        asyncio.create_task(bus.bus.emit(bus.project_id, Notice(str(n), "x"))) for n in range(50)
    ]
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await bus.bus.emit(bus.project_id, Notice("last", "x"))
    events = listening.drain()[1:]
    assert numbers(events) == list(range(1, len(events) + 1))
    assert [seq for seq, _, _ in bus.stored()] == numbers(events)
    assert events[-1].payload == Notice("last", "x")


async def test_work_that_fails_tells_and_stores_nothing(bus: Bus) -> None:
    listening = await bus.subscribe()

    def fail(emit: Emit) -> None:
        bus.store.update(bus.project_id, title="changed")
        emit(Notice("never", "x"))
        raise StorageError("full")

    with pytest.raises(StorageError):
        await bus.bus.commit(bus.project_id, fail)
    await bus.bus.emit(bus.project_id, Notice("next", "x"))
    assert [e.payload for e in listening.drain()[1:]] == [Notice("next", "x")]
    assert bus.stored() == [(1, "notice", {"message": "next", "code": "x"})]
    assert (await bus.database.run(lambda: bus.store.get(bus.project_id))).title == ""


async def test_an_event_is_stored_before_it_is_told(bus: Bus) -> None:
    seen: list[bool] = []
    subscription = Subscription(bus.project_id, lambda: seen.append(len(bus.stored()) >= told()))

    def told() -> int:
        return sum(not isinstance(e.payload, Snapshot) for e in list(subscription._events))

    await bus.bus.subscribe(subscription, bus.view)
    for number in range(5):
        await bus.bus.emit(bus.project_id, Notice(str(number), "x"))
    assert len(seen) == 6
    assert all(seen)


async def test_high_rate_text_is_not_stored_twice(bus: Bus) -> None:
    await bus.bus.emit(bus.project_id, SandboxLog("server", "line"), FileEnd("a.js", "text" * 100))
    assert bus.stored() == [(2, "file_end", {"path": "a.js", "characters": 400})]


async def test_a_gone_subscriber_hears_nothing_more_and_hurts_nobody(bus: Bus) -> None:
    gone, stays = await bus.subscribe(), await bus.subscribe()
    bus.bus.unsubscribe(gone)
    assert bus.bus.has_listeners(bus.project_id)
    await bus.bus.emit(bus.project_id, Notice("a", "x"))
    assert numbers(gone.drain()) == [0]
    assert numbers(stays.drain()) == [0, 1]
    bus.bus.unsubscribe(stays)
    assert not bus.bus.has_listeners(bus.project_id)


async def test_who_leaves_before_the_snapshot_is_made_does_not_listen(bus: Bus) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow_view() -> ProjectView:
        asked.set()
        go_on.wait()
        return bus.view()

    subscription = Subscription(bus.project_id)
    leaving = asyncio.create_task(bus.bus.subscribe(subscription, slow_view))
    await asyncio.to_thread(asked.wait)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    go_on.set()
    stays = await bus.subscribe()
    assert subscription.closed
    assert subscription.drain() == []
    bus.bus.unsubscribe(stays)
    assert not bus.bus.has_listeners(bus.project_id)


async def test_a_subscription_to_nothing_is_refused(bus: Bus) -> None:
    def nobody() -> ProjectView:
        raise NotFoundError("There is no such project.")

    with pytest.raises(NotFoundError):
        await bus.bus.subscribe(Subscription("nobody"), nobody)
    assert not bus.bus.has_listeners("nobody")


async def test_numbers_go_on_after_a_restart(bus: Bus, home: Home) -> None:
    await bus.bus.emit(bus.project_id, Notice("a", "x"), SandboxLog("server", "line"))
    bus.database.close()
    database = Database.open(home, write=True)
    again = Bus(home, database, bus.store, EventBus(database, bus.store), bus.project_id)
    listening = await again.subscribe()
    await again.bus.emit(bus.project_id, Notice("b", "x"))
    assert numbers(listening.drain()) == [2, 3]
    database.close()
