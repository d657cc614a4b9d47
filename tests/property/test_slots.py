"""Places are given in the order of arrival, never more than allowed, and everybody in line knows where they stand."""

from __future__ import annotations

import asyncio
import itertools
import math

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vibedesk.engine.slots import Place, Slots

KEYS = [f"project-{n}" for n in range(6)]


class SlotsMachine(RuleBasedStateMachine):
    """Projects come, wait, give up, go, and are asked for places that they do not need."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.tasks: dict[int, tuple[str, asyncio.Task[Place]]] = {}
        self.told: dict[int, int] = {}
        self.places: list[Place] = []
        self.arrived = 0
        self.generous: dict[str, bool] = {}
        self.unneeded: set[str] = set()
        self.uses: dict[str, float] = {}
        """When each holder was used last; infinite while that is not known yet."""
        self.clock = itertools.count()
        self.kept: set[str] = set()
        """Who kept the place when asked for it."""
        self.asked: list[str] = []
        self.wrongly_asked: list[str] = []
        self.held = 0
        """How many held a place after the last step."""

    def teardown(self) -> None:
        for _, task in self.tasks.values():
            task.cancel()
        self.settle()
        self.loop.close()

    def settle(self) -> None:
        """Let every task go as far as it can."""

        async def some_turns() -> None:
            for _ in range(80):
                await asyncio.sleep(0)

        self.loop.run_until_complete(some_turns())
        for number, (key, task) in list(self.tasks.items()):
            if task.done():
                del self.tasks[number]
                if not task.cancelled():
                    self.places.append(task.result())
                    self.uses[key] = next(self.clock)

    @property
    def idle(self) -> list[str]:
        """Holders whose place is not needed and who were not asked for it yet, oldest use first."""
        keys = [k for k in self.slots.holders if k in self.unneeded and k not in self.kept]
        return sorted(keys, key=lambda key: self.uses.get(key, math.inf))

    @initialize(limit=st.integers(1, 3))
    def begin(self, limit: int) -> None:
        self.slots = Slots(limit, self.give_back)
        self.limit = limit

    async def give_back(self, key: str) -> bool:
        # What is raised here is logged and no failure of the waiter's, so it is looked at afterwards.
        if key not in self.idle or self.uses.get(key, math.inf) > self.uses.get(
            self.idle[0], math.inf
        ):
            self.wrongly_asked.append(key)
        if not self.tasks:
            self.wrongly_asked.append("for nobody")
        self.asked.append(key)
        self.kept.add(key)
        await asyncio.sleep(0)
        if self.generous[key]:
            for place in [p for p in self.places if p.key == key]:
                self.release(place)
        return key not in self.slots.holders

    @rule(key=st.sampled_from(KEYS), generous=st.booleans())
    def come(self, key: str, generous: bool) -> None:
        self.arrived += 1
        number = self.arrived
        holds = key in self.slots.holders
        waiting = self.slots.line

        async def note(position: int) -> None:
            await asyncio.sleep(0)
            self.told[number] = position

        self.generous[key] = generous
        self.kept.discard(key)
        self.uses.pop(key, None)
        task = self.loop.create_task(self.slots.acquire(key, note))
        self.tasks[number] = (key, task)
        self.settle()
        if holds:
            assert number not in self.tasks
            assert number not in self.told, "who holds a place does not wait"
        elif waiting and number not in self.tasks:
            assert key in waiting or not set(waiting) & set(self.slots.line)

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.tasks)))
        self.tasks[number][1].cancel()
        self.settle()
        assert number not in self.tasks

    @precondition(lambda self: self.tasks)
    @rule(data=st.data())
    def give_up_and_be_let_through_in_one_moment(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.tasks)))
        if self.places:
            self.release(self.places[0])
        self.tasks[number][1].cancel()
        self.settle()

    @precondition(lambda self: self.places)
    @rule(data=st.data())
    def go(self, data: st.DataObject) -> None:
        before = self.slots.line
        place = data.draw(st.sampled_from(self.places))
        self.release(place)
        place.release()  # twice is once
        self.settle()
        still = [key for key in before if key in self.slots.line]
        assert still == list(before[len(before) - len(still) :]), "first come, first through"

    def release(self, place: Place) -> None:
        self.places.remove(place)
        place.release()
        if place.key not in self.slots.holders:
            self.uses.pop(place.key, None)
            self.kept.discard(place.key)

    @rule(key=st.sampled_from(KEYS), busy=st.booleans())
    def set_busy(self, key: str, busy: bool) -> None:
        self.kept.discard(key)
        if key in self.slots.holders and (busy or key not in self.unneeded):
            self.uses[key] = next(self.clock)
        if busy:
            self.unneeded.discard(key)
        else:
            self.unneeded.add(key)
        self.slots.set_busy(key, busy)
        self.settle()

    @rule(limit=st.integers(-1, 5))
    def change_limit(self, limit: int) -> None:
        self.slots.limit = limit
        self.limit = max(limit, 1)
        held = self.slots.holders
        self.settle()
        assert set(held) <= {*self.slots.holders, *self.asked}, "nobody loses a place"

    @invariant()
    def only_who_needs_it_least_is_asked_and_only_for_somebody(self) -> None:
        assert self.wrongly_asked == []

    @invariant()
    def nobody_waits_beside_a_free_place(self) -> None:
        if self.slots.line:
            assert len(self.slots.holders) >= self.limit
            assert not self.idle, "who does not need a place was asked for it"

    @invariant()
    def nobody_is_let_through_above_the_limit(self) -> None:
        assert len(self.slots.holders) <= max(self.limit, self.held)
        self.held = len(self.slots.holders)

    @invariant()
    def holders_are_who_was_let_through(self) -> None:
        assert set(self.slots.holders) == {place.key for place in self.places}

    @invariant()
    def everybody_knows_the_place_in_line(self) -> None:
        line = self.slots.line
        assert line == tuple(dict.fromkeys(key for key, _ in self.tasks.values()))
        for number, (key, _) in self.tasks.items():
            assert self.told[number] == line.index(key) + 1


TestSlots = SlotsMachine.TestCase
