"""Places: what the property test does not reach."""

from __future__ import annotations

import asyncio
import logging

import pytest

from vibedesk.engine.slots import Slots, limit_from


async def held_idle(slots: Slots, key: str) -> None:
    await slots.acquire(key)
    slots.set_busy(key, False)


async def test_who_is_asked_for_a_place_stops_in_order_also_when_nobody_waits_any_more() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()
    stopped: list[str] = []

    async def give_back(key: str) -> bool:
        asked.set()
        await go_on.wait()
        stopped.append(key)
        return False

    slots = Slots(1, give_back)
    await held_idle(slots, "old")
    newcomer = asyncio.create_task(slots.acquire("new"))
    await asked.wait()
    newcomer.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await newcomer
    assert stopped == ["old"]
    assert slots.line == ()


async def test_a_place_that_cannot_be_given_back_is_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def give_back(key: str) -> bool:
        raise OSError(f"{key} hangs")

    slots = Slots(1, give_back)
    place = await slots.acquire("old")
    slots.set_busy("old", False)
    waits = asyncio.Event()

    async def told(position: int) -> None:
        assert position == 1
        waits.set()

    with caplog.at_level(logging.ERROR):
        newcomer = asyncio.create_task(slots.acquire("new", told))
        await waits.wait()
    assert "old could not give its place back" in caplog.text
    place.release()
    assert (await newcomer).key == "new"


async def test_nobody_is_asked_while_there_is_room_or_everybody_is_busy() -> None:
    async def give_back(key: str) -> bool:
        raise AssertionError(key)

    slots = Slots(2, give_back)
    await held_idle(slots, "a")
    await slots.acquire("b")
    slots.set_busy("a", True)
    waits = asyncio.Event()

    async def told(_position: int) -> None:
        waits.set()

    newcomer = asyncio.create_task(slots.acquire("c", told))
    await waits.wait()
    newcomer.cancel()
    assert slots.holders == ("a", "b")


async def test_the_one_that_was_used_longest_ago_is_asked_first() -> None:
    asked: list[str] = []

    async def give_back(key: str) -> bool:
        asked.append(key)
        return False

    slots = Slots(4, give_back)
    for key in "abcd":
        await held_idle(slots, key)
    slots.set_busy("a", True)
    slots.set_busy("a", False)
    await slots.acquire("b")
    waits = asyncio.Event()

    async def told(_position: int) -> None:
        waits.set()

    newcomer = asyncio.create_task(slots.acquire("new", told))
    await waits.wait()
    assert asked == ["c", "d", "a", "b"]
    newcomer.cancel()


async def test_what_was_said_before_a_place_was_taken_counts() -> None:
    asked: list[str] = []

    async def give_back(key: str) -> bool:
        asked.append(key)
        places[key].release()
        return True

    slots = Slots(2, give_back)
    slots.set_busy("a", False)
    places = {key: await slots.acquire(key) for key in "ab"}
    assert (await slots.acquire("c")).key == "c"
    assert asked == ["a"]


async def test_a_failure_to_tell_the_place_in_line_leaves_the_line() -> None:
    slots = Slots(1)
    place = await slots.acquire("a")

    async def told(_position: int) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        await slots.acquire("b", told)
    assert slots.line == ()
    place.release()
    assert slots.holders == ()


async def test_when_everything_ends_nobody_is_let_through() -> None:
    slots = Slots(1)
    place = await slots.acquire("a")
    newcomer = asyncio.create_task(slots.acquire("b"))
    await asyncio.sleep(0)
    slots.close()
    place.release()
    slots.limit = 5
    assert slots.line == ("b",)
    newcomer.cancel()
    await asyncio.wait({newcomer})
    assert slots.holders == slots.line == ()


@pytest.mark.parametrize(
    ("stored", "limit"),
    [(3, 3), (1, 1), (0, 7), (-2, 7), ("9", 7), (2.5, 7), (True, 7), (None, 7), ([], 7)],
)
def test_only_a_whole_number_above_0_is_a_limit(stored: object, limit: int) -> None:
    assert limit_from(stored, 7) == limit
