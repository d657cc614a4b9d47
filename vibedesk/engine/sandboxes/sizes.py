"""Named sizes of sandboxes: how much of a machine one app may use."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 1024**3

AUTOMATIC = "auto"
"""The setting that lets the machine decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSize:
    """Limits of one sandbox. The local sandbox cannot enforce them; it shows what it uses."""

    name: str
    cpus: float
    memory: int
    """Bytes, swap included."""
    disk: int
    """Bytes that the app may write, its packages beyond the shared ones included."""
    processes: int = 512
    file: int = GIB
    """Bytes of one file."""


SIZES: dict[str, SandboxSize] = {
    size.name: size
    for size in (
        SandboxSize(name="lite", cpus=1, memory=1 * GIB, disk=2 * GIB, processes=256),
        SandboxSize(name="standard-1", cpus=1, memory=2 * GIB, disk=4 * GIB),
        SandboxSize(name="standard-2", cpus=2, memory=4 * GIB, disk=8 * GIB),
        SandboxSize(name="standard-3", cpus=4, memory=8 * GIB, disk=16 * GIB),
        SandboxSize(name="standard-4", cpus=8, memory=16 * GIB, disk=32 * GIB),
    )
}


def size_for(name: str, *, cpus: float, memory: int) -> SandboxSize:
    """Return the size called `name`, never more than an engine with `cpus` cores and `memory` bytes has.

    `auto` (or a name that is not known any more) is the largest size that leaves half of the memory to others.
    """
    size = SIZES.get(name)
    if size is None:
        fitting = [s for s in SIZES.values() if s.cpus <= cpus and s.memory <= memory // 2]
        size = fitting[-1] if fitting else SIZES["lite"]
    return SandboxSize(
        name=size.name,
        cpus=min(size.cpus, cpus),
        memory=min(size.memory, memory),
        disk=size.disk,
        processes=size.processes,
        file=size.file,
    )
