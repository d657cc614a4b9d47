"""What `vibedesk doctor` finds: what is there, what is missing, how to get it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys

from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home, existing_place
from vibedesk.engine.models.protocol import NO_MODEL_REMEDY
from vibedesk.engine.models.samples import list_samples
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.views import CheckView, DoctorView, ProviderView

_COMFORTABLE_BYTES = 2 * 1024**3
_NEEDED_BYTES = 500 * 1024**2


async def examine(home: Home, driver: LocalDriver, providers: list[ProviderView]) -> DoctorView:
    """Look at everything the main job needs.

    The main job can run when Node and a writable home with space are there: without a key the recorded
    examples still build.
    """
    node, node_ok = await _node(driver)
    disk, disk_ok = await asyncio.to_thread(_disk, home)
    folder, folder_ok = await asyncio.to_thread(_writable, home)
    checks = (
        folder,
        disk,
        node,
        await _isolation(driver),
        _docker(),
        *_keys(providers),
        await asyncio.to_thread(_samples),
        _display(),
    )
    return DoctorView(can_build=node_ok and disk_ok and folder_ok, checks=checks)


async def _node(driver: LocalDriver) -> tuple[CheckView, bool]:
    try:
        toolchain = await driver.toolchain()
    except VibeDeskError as error:
        return CheckView("Node.js", "missing", error.message, error.remedy), False
    return CheckView("Node.js", "ok", toolchain.source), True


async def _isolation(driver: LocalDriver) -> CheckView:
    try:
        isolation = await driver.isolation()
    except VibeDeskError as error:
        return CheckView("Sandbox", "missing", error.message, error.remedy)
    if isolation.kind == "bubblewrap":
        return CheckView("Sandbox", "ok", isolation.sentence)
    return CheckView(
        "Sandbox",
        "warning",
        isolation.sentence,
        "Install bubblewrap (on Debian and Ubuntu: sudo apt install bubblewrap).",
    )


def _docker() -> CheckView:
    return CheckView("Docker", "ok", "Not used: this version runs apps in the local sandbox.")


def _keys(providers: list[ProviderView]) -> list[CheckView]:
    ready = [p for p in providers if p.ready]
    if not ready:
        return [
            CheckView(
                "Model",
                "warning",
                "No model is set up; the recorded examples work without one.",
                NO_MODEL_REMEDY,
            )
        ]
    return [
        CheckView(
            "Model",
            "ok",
            f"{p.label}, {p.default_model}"
            + (f" (key from the {p.key_source})" if p.key_source else ""),
        )
        for p in ready
    ]


def _samples() -> CheckView:
    names = ", ".join(sample.slug for sample in list_samples())
    if not names:
        return CheckView("Examples", "warning", "No recorded examples are installed.")
    return CheckView("Examples", "ok", f"Recorded examples: {names}.")


def _disk(home: Home) -> tuple[CheckView, bool]:
    free = shutil.disk_usage(existing_place(home.root)).free
    text = f"{free / 1024**3:.1f} GB free at {home.root}"
    if free < _NEEDED_BYTES:
        return CheckView("Disk", "missing", text, "Free at least 500 MB."), False
    if free < _COMFORTABLE_BYTES:
        return CheckView("Disk", "warning", text, "2 GB or more leave room for packages."), True
    return CheckView("Disk", "ok", text), True


def _writable(home: Home) -> tuple[CheckView, bool]:
    place = existing_place(home.root)
    if not place.is_dir():
        return CheckView(
            "Data folder",
            "missing",
            f"{place} is not a folder.",
            "Choose another data folder with --home.",
        ), False
    # statvfs knows read-only mounts, which permission bits do not show to root.
    read_only = bool(os.statvfs(place).f_flag & os.ST_RDONLY) if hasattr(os, "statvfs") else False
    if read_only or not os.access(place, os.W_OK):
        return CheckView(
            "Data folder",
            "missing",
            f"{home.root} cannot be written.",
            "Make it writable or choose another with --home.",
        ), False
    return CheckView("Data folder", "ok", str(home.root)), True


def _display() -> CheckView:
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return CheckView("Display", "ok", "The window can be shown.")
    return CheckView(
        "Display",
        "warning",
        "There is no display, so only the command line works.",
        "Start it from a desktop session, or build with `vibedesk build`.",
    )
