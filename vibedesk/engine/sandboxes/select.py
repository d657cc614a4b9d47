"""Chooses the sandbox driver for the `--sandbox` setting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vibedesk.engine.sandboxes.driver import SandboxUnavailableError
from vibedesk.engine.sandboxes.local_driver import LocalDriver

SandboxSetting = Literal["auto", "docker", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverChoice:
    """The driver, checked, and why it is this one."""

    driver: LocalDriver
    reason: str


async def choose_driver(setting: SandboxSetting, state_folder: Path) -> DriverChoice:
    """Return a driver that works on this machine.

    Raises:
        SandboxUnavailableError: there is none of the wanted kind; says what is missing and how to get it.
    """
    if setting == "docker":
        raise SandboxUnavailableError(
            "Docker sandboxes are not part of this version of VibeDesk.",
            remedy="Use the local sandbox: --sandbox local.",
        )
    driver = LocalDriver(state_folder)
    isolation = await driver.isolation()
    wanted = "as asked for" if setting == "local" else "the only kind in this version"
    return DriverChoice(driver=driver, reason=f"The local sandbox, {wanted}. {isolation.sentence}")
