"""Which points of the undisturbed lives the program is killed at."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tests.chaos.lives import Point, Undisturbed
from vibedesk.engine.states import AgentState

LEAST_IN_A_STATE: Final = 5
_SPARE: Final = 2
"""Points beyond these in each state: a life that goes otherwise may be in the next one already."""
_LONGEST_DELAY_S: Final = 0.03


def every_point(lives: Mapping[str, Undisturbed]) -> list[Point]:
    """Return a point for every event of every command."""
    points = []
    for act, undisturbed in lives.items():
        for number, events in enumerate(undisturbed.commands):
            state, visit, after = "", 0, 0
            for event in events:
                kind, data = event["type"], event["data"]
                if kind == "snapshot":
                    state = data["project"]["state"]
                elif kind == "state_change":
                    state, visit, after = data["state"], visit + 1, -1
                if kind != "snapshot":
                    after += 1
                points.append(Point(act, number, state, visit, after, kind))
    return points


def never_met(every: list[Point]) -> list[str]:
    """Return the states of an agent that none of these points is in."""
    return sorted({state.value for state in AgentState} - {point.state for point in every})


def too_few(chosen: list[Point], decided: Counter[str]) -> list[str]:
    """Return the states, of those that points were `chosen` in, with fewer kills than there have to be."""
    wanted = Counter(point.state for point in chosen)
    return sorted(
        state for state, most in wanted.items() if decided[state] < min(LEAST_IN_A_STATE, most)
    )


def choose(every: list[Point], count: int, seed: int) -> list[Point]:
    """Choose `count` points: some in each state, each change of state, then kinds of events in turn.

    Half of the points are a little after their event, so that the kill also meets what no event tells of. Where a state
    has fewer events than points, the same event is taken again with another delay.
    """
    chance = random.Random(seed)
    left = every[:]
    chance.shuffle(left)
    chosen: list[Point] = []
    by_state: dict[str, list[Point]] = defaultdict(list)
    for point in left:
        by_state[point.state].append(point)
    for points in by_state.values():
        first = [p for p in points if p.kind == "state_change"] + points
        chosen += [first[n % len(first)] for n in range(LEAST_IN_A_STATE + _SPARE)]
    taken = set(chosen)
    left = [point for point in left if point not in taken]
    seen = Counter((p.state, p.kind) for p in chosen)
    while len(chosen) < count and left:
        # What was met least so far comes next; `left` is shuffled, so equals come by chance.
        point = min(left, key=lambda p: seen[p.state, p.kind])
        left.remove(point)
        seen[point.state, point.kind] += 1
        chosen.append(point)
    while len(chosen) < count:
        chosen.append(chance.choice(every))
    return [
        replace(point, delay_s=chance.choice((0.0, chance.uniform(0, _LONGEST_DELAY_S))))
        for point in chosen[:count]
    ]
