"""Kills the program (-9) at many points of its lives and says whether it always went on as if nothing had been.

    python -m tests.chaos [--points 200] [--twice 40] [--seed 1] [--jobs N] [--only ACT]

Prints a line for each kill that was not survived, and how many there were in each state; ends with 1 if any was not, if
a program had ended before the place of its kill came, if a state had fewer than five kills, or, with all acts, if there
is a state that none of them is ever in.
"""

from __future__ import annotations

import argparse
import os
import queue
import random
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.lives import ACTS, Kill, Point, Stage
from tests.chaos.points import choose, every_point, never_met, too_few
from tests.support.environment import isolate_environment

Job = tuple[Point, random.Random | None]


@dataclass(slots=True)
class Tally:
    """What came of it so far; shared by the threads."""

    total: int
    survived: int = 0
    failed: list[str] = field(default_factory=list)
    decided: Counter[str] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    unreached: list[Point] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, point: Point, kills: list[Kill], failure: str) -> None:
        with self.lock:
            self.decided.update(kill.decided for kill in kills if kill.reached)
            self.came.update(kill.came for kill in kills if kill.reached)
            if not all(kill.reached for kill in kills):
                self.unreached.append(point)
            self.kinds[point.kind] += 1
            if failure:
                self.failed.append(f"{point}\n{failure}")
                print(f"NOT SURVIVED: {point}\n{failure}", flush=True)
            else:
                self.survived += 1
            done = self.survived + len(self.failed)
            if done % 20 == 0:
                print(f"{done} of {self.total}, {len(self.failed)} not survived", flush=True)


def work(stage: Stage, jobs: queue.SimpleQueue[Job], tally: Tally) -> None:
    while True:
        try:
            point, again = jobs.get_nowait()
        except queue.Empty:
            return
        try:
            tally.add(point, stage.survive(point, again), "")
        except Exception:  # noqa: BLE001 - whatever it is, it is what came of this kill
            tally.add(point, [], traceback.format_exc(limit=-2))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--points", type=int, default=200, help="how many kills, one a life")
    parser.add_argument("--twice", type=int, default=40, help="how many lives with two kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=ACTS, help="only this act")
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vibedesk-chaos-") as folder:
        isolate_environment(Path(folder))
        stages = [Stage(Path(tempfile.mkdtemp(dir=folder))) for _ in range(options.jobs)]
        acts = [options.only] if options.only else list(ACTS)
        lives = {act: stages[0].undisturbed(act) for act in acts}
        for act in acts:
            like = lives.get(ACTS[act].like, lives[act])
            assert lives[act].outcome == like.outcome, f"{act} does not come to the same"
        every = every_point(lives)
        chance = random.Random(options.seed)
        jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        chosen = choose(every, options.points, options.seed)
        for point in chosen:
            jobs.put((point, None))
        for point in choose(every, options.twice, options.seed + 1) if options.twice else ():
            jobs.put((point, random.Random(chance.random())))
        tally = Tally(jobs.qsize())
        print(
            f"{len(every)} events in {len(lives)} acts; {tally.total} lives to disturb", flush=True
        )
        threads = [
            threading.Thread(target=work, args=(stage, jobs, tally), daemon=True)
            for stage in stages
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print("kills by the state shown when they were decided, and when they came:")
    for state in sorted(tally.decided | tally.came):
        print(f"  {state:<20} {tally.decided[state]:>4} {tally.came[state]:>4}")
    print("lives by the event that the first kill followed:")
    print("  " + ", ".join(f"{kind} {count}" for kind, count in tally.kinds.most_common()))
    minutes = (time.monotonic() - begun) / 60
    print(f"{tally.survived} of {tally.total} survived, {minutes:.1f} minutes")
    for point in tally.unreached:
        print(f"NOT KILLED, it had ended before: {point}")
    few = too_few(chosen, tally.decided)
    if few:
        print(f"TOO FEW kills in: {', '.join(few)}")
    unmet = [] if options.only else never_met(every)
    if unmet:
        print(f"NO LIFE IS EVER IN: {', '.join(unmet)}")
    return 1 if tally.failed or tally.unreached or few or unmet else 0


if __name__ == "__main__":
    sys.exit(main())
