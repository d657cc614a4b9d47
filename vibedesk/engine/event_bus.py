"""How facts become events: stored first, then told, in order, to every subscriber.

`commit` runs a piece of work in one transaction on the store's thread; what the work emits gets the project's
next sequence numbers in that same transaction and goes out after it. There is one store thread and one path
from it to the loop, so events are told in the order of their numbers, and a subscriber that arrives late gets
a snapshot that is exact for the number it carries.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TypeVar

from vibedesk.base.clock import utc_now
from vibedesk.engine.events import TRANSIENT, Event, Payload, Snapshot
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.subscription import Subscription
from vibedesk.engine.views import ProjectView

T = TypeVar("T")
Emit = Callable[[Payload], None]


class EventBus:
    """Stores and tells the events of every project."""

    def __init__(self, database: Database, store: ProjectStore) -> None:
        self._database = database
        self._store = store
        self._subscriptions: dict[str, list[Subscription]] = {}
        self._loop = asyncio.get_running_loop()

    async def commit(
        self, project_id: str, work: Callable[[Emit], T], *, durable: bool = False
    ) -> T:
        """Run `work(emit)` in one transaction and tell what it emitted after the commit.

        Args:
            project_id: Whose events they are.
            work: Runs on the store's thread; must not block on anything but SQLite.
            durable: Survive a power cut too (`synchronous=FULL`); for state transitions.
        """

        def transaction() -> tuple[T, list[Event]]:
            payloads: list[Payload] = []
            result = work(payloads.append)
            return result, self._store_events(project_id, payloads)

        future = self._database.submit(transaction, durable=durable)
        told: asyncio.Future[T] = self._loop.create_future()
        future.add_done_callback(
            lambda done: self._loop.call_soon_threadsafe(self._finish, done, told)
        )
        # The transaction happens once it is submitted; a cancelled caller must not hide its events.
        return await asyncio.shield(told)

    async def emit(self, project_id: str, *payloads: Payload) -> None:
        """Tell facts that need no other work."""

        def work(emit: Emit) -> None:
            for payload in payloads:
                emit(payload)

        await self.commit(project_id, work)

    async def subscribe(
        self,
        subscription: Subscription,
        view: Callable[[], ProjectView],
    ) -> None:
        """Push a snapshot made by `view` (run on the store's thread), then everything after it.

        A caller that is cancelled has no subscription: it is closed.
        """
        future = self._database.submit(view, durable=False)
        done: asyncio.Future[None] = self._loop.create_future()

        def finish() -> None:
            try:
                project = future.result()
            except BaseException as error:  # noqa: BLE001 - handed to the caller
                done.set_exception(error)
                return
            done.set_result(None)
            if subscription.closed:
                return
            snapshot = Snapshot(project=project)
            subscription.push(Event(subscription.project_id, project.seq, utc_now(), snapshot))
            listeners = self._subscriptions.setdefault(subscription.project_id, [])
            listeners[:] = [*(other for other in listeners if not other.closed), subscription]

        future.add_done_callback(lambda _: self._loop.call_soon_threadsafe(finish))
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            self.unsubscribe(subscription)
            raise

    def unsubscribe(self, subscription: Subscription) -> None:
        subscription.close()
        listeners = self._subscriptions.get(subscription.project_id, [])
        if subscription in listeners:
            listeners.remove(subscription)

    def has_listeners(self, project_id: str) -> bool:
        return any(not s.closed for s in self._subscriptions.get(project_id, ()))

    def close(self) -> None:
        for listeners in self._subscriptions.values():
            for subscription in listeners:
                subscription.close()
        self._subscriptions.clear()

    def _store_events(self, project_id: str, payloads: list[Payload]) -> list[Event]:
        if not payloads:
            return []
        first = self._store.take_sequence(project_id, len(payloads))
        at = utc_now()
        events = [Event(project_id, first + i, at, p) for i, p in enumerate(payloads)]
        self._store.add_events(
            [
                (project_id, e.seq, e.at, e.type, json.dumps(_stored(e), ensure_ascii=False))
                for e in events
                if e.type not in TRANSIENT
            ]
        )
        return events

    def _finish(self, done: object, told: asyncio.Future[T]) -> None:
        try:
            result, events = done.result()  # type: ignore[attr-defined]
        except BaseException as error:  # noqa: BLE001 - handed to the caller
            if not told.cancelled():
                told.set_exception(error)
            return
        for event in events:
            for subscription in tuple(self._subscriptions.get(event.project_id, ())):
                subscription.push(event)
        if not told.cancelled():
            told.set_result(result)


def _stored(event: Event) -> dict[str, object]:
    data = event.payload.to_data()
    if event.type == "file_end":
        # The document has the text; the log only says that it came.
        return {"path": data["path"], "characters": len(data["content"])}
    return data
