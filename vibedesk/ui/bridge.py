"""Where the engine's events reach the window: from its thread to Qt's, at most once a frame."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from vibedesk.engine.engine import Engine
from vibedesk.engine.events import Event
from vibedesk.engine.subscription import Subscription

FRAME_MS = 16


class ProjectFeed(QObject):
    """The events of one project, delivered in order, in batches of a frame.

    Args:
        engine: Where they come from.
        on_events: Gets each batch on the window's thread.
        parent: Ends the feed with it.
    """

    _arrived = Signal()

    def __init__(
        self, engine: Engine, on_events: Callable[[list[Event]], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._on_events = on_events
        self._subscription: Subscription | None = None
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._deliver)
        # Emitted on the engine's thread: the queue is what crosses over.
        self._arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)

    async def open(self, project_id: str) -> None:
        """Begin; the first event is a snapshot."""
        subscription = await self._engine.subscribe(project_id, self._wake)
        self._subscription = subscription
        if self._closed:
            await self._engine.unsubscribe(subscription)
            return
        self._deliver()

    async def close(self) -> None:
        """End; nothing is delivered any more."""
        self._closed = True
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await self._engine.unsubscribe(subscription)

    def _wake(self) -> None:
        if not self._closed:
            self._arrived.emit()

    def _on_arrived(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _deliver(self) -> None:
        if self._subscription is None or self._closed:
            return
        events = self._subscription.drain()
        if events:
            self._on_events(events)
