"""How large a sandbox is on a machine."""

from __future__ import annotations

import pytest

from vibedesk.engine.sandboxes.sizes import GIB, SIZES, size_for


@pytest.mark.parametrize(
    ("name", "machine", "size", "limits"),
    [
        # The machine decides: the largest that leaves half of the memory to others, and has its cores.
        ("auto", (64, 256), "standard-4", (8, 16)),
        ("auto", (8, 32), "standard-4", (8, 16)),
        ("auto", (8, 31), "standard-3", (4, 8)),
        ("auto", (7, 64), "standard-3", (4, 8)),
        ("auto", (2, 8), "standard-2", (2, 4)),
        ("auto", (1, 64), "standard-1", (1, 2)),
        ("auto", (1, 2), "lite", (1, 1)),
        # One that is smaller than the smallest gives all it has.
        ("auto", (0.5, 0.5), "lite", (0.5, 0.5)),
        ("lite", (0.5, 0.5), "lite", (0.5, 0.5)),
        # One that was chosen by name is what was asked for, as far as the machine goes.
        ("lite", (64, 256), "lite", (1, 1)),
        ("standard-2", (2, 4), "standard-2", (2, 4)),
        ("standard-4", (2, 64), "standard-4", (2, 16)),
        ("standard-4", (16, 6), "standard-4", (8, 6)),
        # A name that is none any more is as if the machine decided.
        ("gigantic", (2, 8), "standard-2", (2, 4)),
        ("", (2, 8), "standard-2", (2, 4)),
    ],
)
def test_a_size_never_goes_beyond_the_machine(
    name: str, machine: tuple[float, float], size: str, limits: tuple[float, float]
) -> None:
    """Cores and GiB, of the machine and of the sandbox."""
    found = size_for(name, cpus=machine[0], memory=int(machine[1] * GIB))
    assert (found.name, found.cpus, found.memory / GIB) == (size, *limits)
    named = SIZES[size]
    assert (found.disk, found.processes, found.file) == (named.disk, named.processes, named.file)
