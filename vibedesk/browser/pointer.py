"""The mouse and the keyboard of a page: real Qt events, as its widget would get them from a window system."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragMoveEvent, QDropEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from vibedesk.browser.keys import key_events, key_stroke
from vibedesk.browser.page import BrowserPage, PageFailedError

_FRAME_SECONDS: Final = 0.017
_FRAME_WAIT_SECONDS: Final = 1.0  # a page that draws nothing is not waited for
_ARRIVAL_SECONDS: Final = 1.0
_DRAG_START_PX: Final = 8
_DRAG_PAUSE_SECONDS: Final = 0.25
_DROP_PAUSE_SECONDS: Final = 0.4
_NONE, _LEFT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
_DROP_EFFECTS = {
    Qt.DropAction.CopyAction: "copy",
    Qt.DropAction.MoveAction: "move",
    Qt.DropAction.LinkAction: "link",
}

Point = tuple[float, float]


class _TakenDrag(QObject):
    """Takes over the drag that Chromium hands to the window system, for the offscreen platform has none."""

    def __init__(self, view: QObject) -> None:
        super().__init__()
        self._view = view
        self.data: QMimeData | None = None
        self.actions = Qt.DropAction.IgnoreAction
        view.installEventFilter(self)

    def stop(self) -> None:
        self._view.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ChildAdded:
            # Now it is only being made. This event comes when it is whole, and before it is deleted.
            QCoreApplication.postEvent(self, QEvent(QEvent.Type.User))
        return False

    def event(self, event: QEvent) -> bool:
        if event.type() != QEvent.Type.User:
            return super().event(event)
        for drag in self._view.findChildren(QDrag):
            data = QMimeData()
            for name in drag.mimeData().formats():
                data.setData(name, drag.mimeData().data(name))
            self.data, self.actions = data, drag.supportedActions()
        return True


class Pointer:
    """Mouse and keys of one page; positions are CSS pixels of its viewport."""

    def __init__(self, page: BrowserPage) -> None:
        self._page = page
        self._view = page.view

    async def click(self, at: Point) -> None:
        before = await self._seen("mouseup")
        self._mouse(QEvent.Type.MouseMove, at, _NONE)
        await asyncio.sleep(_FRAME_SECONDS)
        self._mouse(QEvent.Type.MouseButtonPress, at, _LEFT)
        self._mouse(QEvent.Type.MouseButtonRelease, at, _LEFT)
        await self._arrived("mouseup", before)

    async def press(self, name: str) -> None:
        """Press and release a key; raises ValueError where there is none of that name."""
        stroke = key_stroke(name)
        before = await self._seen("keyup")
        for event in key_events(stroke):
            QCoreApplication.sendEvent(self._receiver(), event)
        await self._arrived("keyup", before)

    async def drag(self, start: Point, end: Point) -> None:
        """Take hold at `start`, move to `end` in small steps and let go; also drags of HTML5."""
        before = await self._seen("mouseup")
        await self._page.ask("holdDragEnd")
        taken = _TakenDrag(self._view)
        try:
            self._mouse(QEvent.Type.MouseMove, start, _NONE)
            await self._drawn()
            self._mouse(QEvent.Type.MouseButtonPress, start, _LEFT)
            await self._drawn()
            begun = (start[0] + _DRAG_START_PX, start[1] + _DRAG_START_PX)
            path = [*_between(start, begun, 4), *_between(begun, end, 20)]
            for at in path:
                await self._drag_to(at, taken)
            await asyncio.sleep(_DRAG_PAUSE_SECONDS)
            await self._drawn()
            # The targets may have moved aside meanwhile; one more movement makes the page look again.
            last = (end[0] + 1, end[1] + 1)
            for at in _between(end, last, 2):
                await self._drag_to(at, taken)
            if taken.data is None:
                self._mouse(QEvent.Type.MouseButtonRelease, last, _LEFT)
                await self._arrived("mouseup", before)
            else:
                await self._drop(last, taken, taken.data)
            await asyncio.sleep(_DROP_PAUSE_SECONDS)
        finally:
            taken.stop()
            with contextlib.suppress(PageFailedError):
                await self._page.ask("letDragEndGo")

    async def _drag_to(self, at: Point, taken: _TakenDrag) -> None:
        entered = taken.data is not None
        if taken.data is None:
            self._mouse(QEvent.Type.MouseMove, at, _NONE, held=_LEFT)
        else:
            self._drag_event(at, taken, taken.data)
        await self._drawn()
        if not entered and taken.data is not None:
            place = QPoint(round(at[0]), round(at[1]))
            none = Qt.KeyboardModifier.NoModifier
            entering = QDragEnterEvent(place, taken.actions, taken.data, _LEFT, none)
            QCoreApplication.sendEvent(self._view, entering)

    def _drag_event(self, at: Point, taken: _TakenDrag, data: QMimeData) -> None:
        place = QPoint(round(at[0]), round(at[1]))
        moving = QDragMoveEvent(place, taken.actions, data, _LEFT, Qt.KeyboardModifier.NoModifier)
        QCoreApplication.sendEvent(self._view, moving)

    async def _drop(self, at: Point, taken: _TakenDrag, data: QMimeData) -> None:
        none = Qt.KeyboardModifier.NoModifier
        dropping = QDropEvent(QPointF(*at), taken.actions, data, _LEFT, none)
        QCoreApplication.sendEvent(self._view, dropping)
        await asyncio.sleep(_FRAME_SECONDS)
        action = dropping.dropAction() if dropping.isAccepted() else Qt.DropAction.IgnoreAction
        await self._page.ask("endDrag", *at, _DROP_EFFECTS.get(action, "none"))

    def _mouse(
        self, kind: QEvent.Type, at: Point, button: Qt.MouseButton, held: Qt.MouseButton = _NONE
    ) -> None:
        place = QPointF(*at)
        down = button if kind == QEvent.Type.MouseButtonPress else held
        event = QMouseEvent(kind, place, place, place, button, down, Qt.KeyboardModifier.NoModifier)
        QCoreApplication.sendEvent(self._receiver(), event)

    def _receiver(self) -> QWidget:
        """Return the widget of the page itself: Qt would give a window's event to a list that a field has opened."""
        return self._view.focusProxy() or self._view

    async def _seen(self, kind: str) -> int:
        """Return how many events of a kind the page has got, once it takes any."""
        deadline = asyncio.get_running_loop().time() + _ARRIVAL_SECONDS
        while not await self._page.ask("ready"):
            if asyncio.get_running_loop().time() > deadline:
                break
            self._page.bring_to_front()
            await asyncio.sleep(_FRAME_SECONDS)
        seen = await self._page.ask("seen")
        return int(seen[kind]) if seen else 0

    async def _drawn(self) -> None:
        """Wait until the page has handled what was sent and drawn what came of it.

        Chromium makes one movement of all that come within a frame; a page that works on each would see none of a
        drag but its end where the machine is slow.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _FRAME_WAIT_SECONDS
        asked = await self._page.ask("askForFrames")
        while loop.time() < deadline:
            await asyncio.sleep(_FRAME_SECONDS)
            drawn = await self._page.ask("framesDrawn")
            if drawn is None or drawn != asked:
                return

    async def _arrived(self, kind: str, before: int) -> None:
        """Wait until the page has handled what was sent, or has gone for another."""
        deadline = asyncio.get_running_loop().time() + _ARRIVAL_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            seen = await self._page.ask("seen")
            if seen is None or seen[kind] != before:
                return
            await asyncio.sleep(0.005)


def _between(start: Point, end: Point, steps: int) -> list[Point]:
    return [
        (start[0] + (end[0] - start[0]) * i / steps, start[1] + (end[1] - start[1]) * i / steps)
        for i in range(1, steps + 1)
    ]
