"""The sandboxes of an engine: one driver, looked for when code is to run and not before.

What a project is, its versions and its end need no Node.js; only its code does.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from vibedesk.engine.sandboxes.driver import (
    LineSink,
    Sandbox,
    SandboxDriver,
    SandboxSpec,
    StatusSink,
)
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.select import SandboxSetting, choose_driver


class LocalSandboxes:
    """Finds the driver once. Drivers own a folder, so there is one of a kind.

    Args:
        state_folder: Where the sandboxes' private folders go.
    """

    def __init__(self, state_folder: Path) -> None:
        self._state_folder = state_folder
        self._driver: LocalDriver | None = None
        self._choosing = asyncio.Lock()

    async def driver(self, setting: SandboxSetting) -> LocalDriver:
        """Return the driver that serves `setting`.

        Raises:
            SandboxUnavailableError: there is none; says what is missing and how to get it.
        """
        async with self._choosing:
            if self._driver is None or setting == "docker":
                self._driver = (await choose_driver(setting, self._state_folder)).driver
            return self._driver

    def chosen_later(self, setting: SandboxSetting) -> SandboxDriver:
        """Return a driver that is looked for when its first sandbox is opened."""
        return _ChosenLater(self, setting)

    async def aclose(self) -> None:
        if self._driver is not None:
            await self._driver.aclose()


class _ChosenLater:
    """A driver for `setting` that is there as soon as it is needed; `LocalSandboxes` closes the real one."""

    def __init__(self, sandboxes: LocalSandboxes, setting: SandboxSetting) -> None:
        self._sandboxes = sandboxes
        self._setting = setting

    @property
    def name(self) -> str:
        return "local"

    async def check(self) -> None:
        await (await self._sandboxes.driver(self._setting)).check()

    async def open(self, spec: SandboxSpec, *, on_line: LineSink, on_status: StatusSink) -> Sandbox:
        driver = await self._sandboxes.driver(self._setting)
        return await driver.open(spec, on_line=on_line, on_status=on_status)

    async def aclose(self) -> None:
        """Nothing to do: the real driver serves other projects, too."""
