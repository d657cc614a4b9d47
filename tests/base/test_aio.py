"""Tasks with an owner, work that a cancel waits for, and batches that lose nothing."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.base.aio import Batcher, TaskScope, finish


async def test_scope_cancels_its_tasks_and_waits_until_they_have_unwound() -> None:
    unwound: list[str] = []
    started = asyncio.Event()

    async def work() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            unwound.append("work")

    scope = TaskScope("test")
    task = scope.start(work(), name="work")
    await started.wait()
    await scope.aclose()
    assert unwound == ["work"]
    assert task.cancelled()


async def test_scope_may_be_closed_by_one_of_its_own_tasks() -> None:
    scope = TaskScope("test")
    await scope.start(scope.aclose(), name="closer")


async def test_finish_ends_the_work_before_the_cancel_goes_on() -> None:
    go, done = asyncio.Event(), []

    async def work() -> None:
        await go.wait()
        done.append(True)

    caller = asyncio.create_task(finish(work()))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done == [True]


async def test_finish_hands_on_results_and_failures() -> None:
    async def fail() -> None:
        raise ValueError("no")

    assert await finish(asyncio.sleep(0, "yes")) == "yes"
    with pytest.raises(ValueError, match="no"):
        await finish(fail())


@given(st.lists(st.tuples(st.integers(), st.booleans()), max_size=30))
def test_batches_keep_everything_in_order(items: list[tuple[int, bool]]) -> None:
    handled: list[int] = []

    async def put_all() -> None:
        async def handle(batch: list[int]) -> None:
            await asyncio.sleep(0)
            handled.extend(batch)

        async with Batcher(handle) as batcher:
            for item, nowait in items:
                if nowait:
                    batcher.put_nowait(item)
                else:
                    await batcher.put(item)

    asyncio.run(put_all())
    assert handled == [item for item, _ in items]


async def test_a_batch_is_handed_over_at_most_once_a_frame() -> None:
    batches: list[list[int]] = []

    async def handle(batch: list[int]) -> None:
        batches.append(batch)

    async with Batcher(handle) as batcher:
        for number in range(1000):
            await batcher.put(number)
    assert [n for batch in batches for n in batch] == list(range(1000))
    assert len(batches) < 100


async def test_a_lone_item_is_handed_over_by_the_timer() -> None:
    came = asyncio.Event()

    async def handle(_: list[int]) -> None:
        came.set()

    batcher: Batcher[int] = Batcher(handle)
    batcher.put_nowait(1)
    await asyncio.wait_for(came.wait(), 30)


async def test_what_was_gathered_is_kept_when_the_body_is_cancelled() -> None:
    handled: list[int] = []
    gathered = asyncio.Event()

    async def handle(batch: list[int]) -> None:
        await asyncio.sleep(0)
        handled.extend(batch)

    async def gather() -> None:
        async with Batcher(handle) as batcher:
            for number in range(10):
                await batcher.put(number)
            gathered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(gather())
    await gathered.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert handled == list(range(10))


async def test_a_failure_of_the_handler_is_raised_by_the_next_put() -> None:
    failed = asyncio.Event()

    async def handle(_: list[int]) -> None:
        failed.set()
        raise ValueError("full")

    batcher: Batcher[int] = Batcher(handle)
    batcher.put_nowait(1)
    await failed.wait()
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="full"):
        await batcher.put(2)
