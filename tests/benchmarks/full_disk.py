"""How soon everything in a sandbox ends that fills its disk, where Docker's storage has no quota.

From the moment when its files pass the limit until its container runs no more; the limit is issue 3's, for the slowest.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.engine.sandboxes.docker.hostile import (
    LARGE,
    SLOW,
    TINY,
    Jail,
    opened_jail,
    settles,
    taken,
)
from tests.support.docker_engines import Dockerd, load_image

RUNS = int(os.environ.get("RUNS", "7"))
LIMIT_SECONDS = 2.0
FILLINGS = {"at full speed": LARGE, "slowly, and just over the limit": SLOW}


async def seconds_over_the_limit(jail: Jail, script: str) -> float:
    cell = await jail.open()
    await cell.run("true")
    measure = partial(asyncio.to_thread, taken, jail.files_of(cell))
    filling = asyncio.create_task(cell.python(script, "/app"))
    assert await settles(measure, lambda size: size > TINY.disk)
    passed = time.monotonic()
    assert await settles(lambda: asyncio.to_thread(jail.runs, cell), lambda runs: not runs)
    seconds = time.monotonic() - passed
    assert "filled its disk" in (await filling).text
    await cell.sandbox.remove()
    return seconds


async def measure(host: str, folder: Path) -> dict[str, list[float]]:
    async with opened_jail(host, folder) as jail:
        return {
            name: [await seconds_over_the_limit(jail, script) for _ in range(RUNS)]
            for name, script in FILLINGS.items()
        }


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="vibedesk-bench-") as folder, Dockerd() as engine:
        with contextlib.closing(engine.client()) as client:
            load_image(client)
        seconds = asyncio.run(measure(engine.host, Path(folder)))
    for name, each in seconds.items():
        print(
            f"  {name}: {statistics.median(each):.2f} s  ({min(each):.2f} to {max(each):.2f}; "
            f"limit {LIMIT_SECONDS:g} s)"
        )
    good = max(max(each) for each in seconds.values()) <= LIMIT_SECONDS
    print("within the limit" if good else "OVER THE LIMIT")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
