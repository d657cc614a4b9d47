"""What `vibedesk doctor` finds: what is there, what is missing, how to get it."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import sys
from pathlib import Path

from vibedesk.base.errors import VibeDeskError
from vibedesk.base.paths import Home, existing_place
from vibedesk.engine.browser.diagnosis import diagnose_browser
from vibedesk.engine.models.protocol import NO_MODEL_REMEDY
from vibedesk.engine.models.samples import list_samples
from vibedesk.engine.sandboxes.docker.diagnosis import (
    PATIENCE_SECONDS,
    DockerEndpoint,
    DockerHealth,
    diagnose,
    find_endpoint,
)
from vibedesk.engine.sandboxes.docker.probe import SshError, WrongAnswerError, has_image
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.views import CheckView, DoctorView, ProviderView

_COMFORTABLE_BYTES = 2 * 1024**3
_NEEDED_BYTES = 500 * 1024**2
_COMFORTABLE_FOR_DOCKER = 5 * 1024**3
"""The image is made of about 2 GB, and every project has packages of its own."""


async def examine(
    home: Home, driver: LocalDriver, providers: list[ProviderView], *, browser: bool = True
) -> DoctorView:
    """Look at everything the main job needs, and with `browser` whether apps can be looked at.

    The main job can run when Node and a writable home with space are there: without a key the recorded
    examples still build. Docker sandboxes have a Node of their own, but ours is asked for npm's settings.
    """
    endpoint, health = await asyncio.to_thread(_look_at_docker)
    node, node_ok = await _node(driver)
    chosen, local = await _sandboxes(driver, health)
    disk, disk_ok = await asyncio.to_thread(_disk, home)
    folder, folder_ok = await asyncio.to_thread(_writable, home)
    checks = (
        folder,
        disk,
        node,
        chosen,
        await asyncio.to_thread(_docker, endpoint, health),
        local,
        *([await _browser()] if browser else ()),
        *_keys(providers),
        await asyncio.to_thread(_samples),
        _display(),
    )
    return DoctorView(can_build=node_ok and disk_ok and folder_ok, checks=checks)


def _look_at_docker() -> tuple[DockerEndpoint, DockerHealth]:
    endpoint = find_endpoint(os.environ)
    return endpoint, diagnose(endpoint)


async def _node(driver: LocalDriver) -> tuple[CheckView, bool]:
    try:
        toolchain = await driver.toolchain()
    except VibeDeskError as error:
        return CheckView("Node.js", "missing", error.message, error.remedy), False
    return CheckView("Node.js", "ok", toolchain.source), True


async def _sandboxes(driver: LocalDriver, docker: DockerHealth) -> tuple[CheckView, CheckView]:
    """Say which kind `auto` takes here and why, and what the local one is like whichever it is."""
    local = await _local_sandbox(driver)
    if docker.usable:
        chosen = f"Apps run in Docker (auto): {docker.engine} answers."
        return CheckView("Sandbox", "ok", chosen), local
    chosen = f"Apps run in the local sandbox (auto): {docker.message}"
    remedy = "" if local.status == "ok" else "Get Docker (see there), or mend the local sandbox."
    return CheckView("Sandbox", local.status, chosen, remedy), local


async def _local_sandbox(driver: LocalDriver) -> CheckView:
    try:
        isolation = await driver.isolation()
    except VibeDeskError as error:
        return CheckView("Local sandbox", "missing", error.message, error.remedy)
    if isolation.kind == "bubblewrap":
        return CheckView("Local sandbox", "ok", isolation.sentence)
    return CheckView(
        "Local sandbox",
        "warning",
        isolation.sentence,
        "Install bubblewrap: `sudo apt install bubblewrap` on Debian and Ubuntu.",
    )


async def _browser() -> CheckView:
    """Say whether apps can be looked at; building goes on without, but nobody sees what the page is like."""
    health = await diagnose_browser()
    return CheckView("Browser", "ok" if health.works else "warning", health.message, health.remedy)


def _docker(endpoint: DockerEndpoint, health: DockerHealth) -> CheckView:
    """Say how Docker is, and what of it is missing."""
    if not health.usable:
        return CheckView("Docker", "warning", health.message, health.remedy)
    sentences, remedies = [health.message], [health.remedy]
    short = False
    if health.data_root:
        place = existing_place(Path(health.data_root))
        free = shutil.disk_usage(place).free
        sentences.append(f"{free / 1024**3:.1f} GB free for its data in {health.data_root}.")
        short = free < _COMFORTABLE_FOR_DOCKER
        if short:
            remedies.append("Free some space there; `docker system df` shows what takes it.")
    if shutil.which("docker") is None:
        sentences.append("There is no docker command, which Open shell takes.")
        remedies.append("For shells: install docker-ce-cli, docker-cli or docker-client.")
    sentences.append(_image(endpoint, health))
    worse = short or bool(health.missing_limits)
    return CheckView(
        "Docker",
        "warning" if worse else "ok",
        " ".join(filter(None, sentences)),
        " ".join(filter(None, remedies)),
    )


def _image(endpoint: DockerEndpoint, health: DockerHealth) -> str:
    from vibedesk.engine.sandboxes.docker.image import image_tag

    try:
        there = has_image(endpoint, image_tag(health.architecture or None), PATIENCE_SECONDS)
    except (OSError, http.client.HTTPException, SshError, WrongAnswerError, VibeDeskError):
        return ""
    if there:
        return "The sandbox image is there."
    return "The sandbox image is made once, at the first start, in about a minute."


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
