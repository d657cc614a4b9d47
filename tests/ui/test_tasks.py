from __future__ import annotations

import asyncio

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot

from vibedesk.base.errors import StorageError, VibeDeskError
from vibedesk.ui.tasks import WidgetTasks


def _destroy(owner: QObject) -> None:
    owner.deleteLater()
    QCoreApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete)


async def _until(done: asyncio.Event) -> None:
    await asyncio.wait_for(done.wait(), 5)


async def test_work_is_done_and_forgotten(qtbot: QtBot) -> None:
    owner, told = QObject(), list[VibeDeskError]()
    tasks = WidgetTasks(owner, told.append)
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    tasks.start(work(), name="work")
    assert tasks.running == 1
    await _until(done)
    await asyncio.sleep(0)
    assert tasks.running == 0
    assert told == []


async def test_a_failure_is_told_once_and_in_plain_words(qtbot: QtBot) -> None:
    owner, told = QObject(), list[VibeDeskError]()
    heard = asyncio.Event()

    def on_error(error: VibeDeskError) -> None:
        told.append(error)
        if len(told) == 2:
            heard.set()

    tasks = WidgetTasks(owner, on_error)

    async def known() -> None:
        raise StorageError("The home could not be written.")

    async def unknown() -> None:
        raise KeyError("x")

    tasks.start(known())
    tasks.start(unknown())
    await _until(heard)
    assert {error.code for error in told} == {"storage", "internal"}


async def test_work_ends_with_its_owner(qtbot: QtBot) -> None:
    owner, told = QObject(), list[VibeDeskError]()
    tasks = WidgetTasks(owner, told.append)
    started, ended = asyncio.Event(), asyncio.Event()

    async def forever() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    tasks.start(forever())
    await _until(started)
    _destroy(owner)
    await _until(ended)
    assert told == []


async def test_nothing_starts_for_an_owner_that_is_gone(qtbot: QtBot) -> None:
    owner = QObject()
    tasks = WidgetTasks(owner, lambda error: None)
    _destroy(owner)
    ran: list[bool] = []

    async def work() -> None:
        ran.append(True)

    tasks.start(work())
    await asyncio.sleep(0)
    assert tasks.running == 0
    assert ran == []
