"""When a sandbox's files are counted again."""

from __future__ import annotations

import pytest

from vibedesk.engine.sandboxes.docker.disk_watch import Count
from vibedesk.engine.sandboxes.docker.keeper import DiskSpace
from vibedesk.engine.sandboxes.sizes import GIB

MIB = 1024 * 1024
LIMIT = 2 * GIB
FREE = 100 * GIB
ENTRIES = 1_000_000
FAR, NEAR = GIB, LIMIT - 10 * MIB


def is_old(
    *,
    used: int | None,
    took: float = 0.1,
    since: float = 0.5,
    written: int = 0,
    entries: int = 0,
) -> bool:
    """Whether a count is old that ended `since` seconds ago; what was made since its begin is on the disk."""
    before = DiskSpace(free=FREE, total=2 * FREE, entries=ENTRIES)
    now = DiskSpace(free=FREE - written, total=2 * FREE, entries=ENTRIES - entries)
    count = Count(space=before, began=1000.0, took=took, used=used)
    return count.is_old(now, LIMIT, 1000.0 + took + since)


@pytest.mark.parametrize("took", [0.1, 3.0, 60.0])
@pytest.mark.parametrize(
    ("used", "written", "entries"),
    [
        (NEAR, 4096, 0),
        (NEAR, -500 * MIB, 0),  # what others freed may hide what it wrote
        (NEAR, 0, 1),
        (FAR, GIB + 1, 0),
        (FAR, 0, 300_000),
        (LIMIT + 1, 0, 0),
    ],
)
def test_one_that_may_be_over_its_limit_is_counted_at_once(
    used: int, written: int, entries: int, took: float
) -> None:
    assert is_old(used=used, took=took, since=0.0, written=written, entries=entries)


@pytest.mark.parametrize("took", [0.1, 3.0, 60.0])
@pytest.mark.parametrize(
    ("written", "entries"), [(GIB - 1, 0), (-GIB, 0), (100 * MIB, 0), (0, 20_000), (0, -20_000)]
)
def test_one_that_is_far_from_it_rests_as_long_as_its_count_took(
    written: int, entries: int, took: float
) -> None:
    assert not is_old(used=FAR, took=took, since=0.9 * took, written=written, entries=entries)
    assert is_old(used=FAR, took=took, since=1.1 * took, written=written, entries=entries)


def test_where_little_changed_it_is_counted_now_and_then() -> None:
    little = {"written": 10 * MIB, "entries": 1000}
    for used, changes in ((FAR, little), (FAR, {}), (NEAR, {})):
        assert not is_old(used=used, since=15.0, **changes)
        assert is_old(used=used, since=25.0, **changes)


@pytest.mark.parametrize("took", [0.1, 60.0])
@pytest.mark.parametrize("written", [0, -GIB, FREE])
def test_one_that_could_not_be_counted_is_counted_again_soon_after_that(
    took: float, written: int
) -> None:
    assert not is_old(used=None, took=took, since=1.0, written=written)
    assert is_old(used=None, took=took, since=3.0, written=written)
