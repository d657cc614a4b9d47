"""The driver of sandboxes on this machine: Node from the machine or from VibeDesk, bubblewrap where it works."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from vibedesk.engine.sandboxes import bubblewrap
from vibedesk.engine.sandboxes.bubblewrap import Bubblewrap
from vibedesk.engine.sandboxes.driver import (
    LineSink,
    RefusedSink,
    SandboxSpec,
    SandboxUnavailableError,
    StatusSink,
    ignore_refused,
)
from vibedesk.engine.sandboxes.layout import layout_for
from vibedesk.engine.sandboxes.local_sandbox import LocalSandbox
from vibedesk.engine.sandboxes.node import NodeToolchain, find_toolchains
from vibedesk.engine.sandboxes.python import PythonToolchain, find_python_tools

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What separates an app from the rest of the machine."""

    kind: Literal["bubblewrap", "none"]
    sentence: str
    """For the person: what it means, and why there is no better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Capabilities:
    toolchain: NodeToolchain
    wrapper: Bubblewrap | None
    isolation: Isolation
    python: PythonToolchain | None


class LocalDriver:
    """Makes `LocalSandbox`es; what the machine offers is found out once.

    Args:
        state_folder: Where the sandboxes' private folders go; this driver's alone. What a killed VibeDesk left
            there is removed with the first `open`.
        use_bubblewrap: False leaves it out even where it works.
    """

    def __init__(self, state_folder: Path, *, use_bubblewrap: bool = True) -> None:
        self._state_folder = state_folder.absolute()
        self._use_bubblewrap = use_bubblewrap
        self._capabilities: _Capabilities | None = None
        self._tidied = False
        self._lock = asyncio.Lock()
        self._sandboxes: dict[str, LocalSandbox] = {}

    @property
    def name(self) -> str:
        return "local"

    async def check(self) -> None:
        await self._find_capabilities()

    async def isolation(self) -> Isolation:
        """What separates apps from the machine. Whether code may run without any is the engine's to ask.

        Raises:
            SandboxUnavailableError: as `check`.
        """
        return (await self._find_capabilities()).isolation

    async def toolchain(self) -> NodeToolchain:
        """The Node.js that apps run with.

        Raises:
            SandboxUnavailableError: as `check`.
        """
        return (await self._find_capabilities()).toolchain

    async def open(
        self,
        spec: SandboxSpec,
        *,
        on_line: LineSink,
        on_status: StatusSink,
        on_refused: RefusedSink = ignore_refused,
    ) -> LocalSandbox:
        capabilities = await self._find_capabilities()
        async with self._lock:
            existing = self._sandboxes.get(spec.project_id)
            if (
                existing
                and replace(existing.spec, sandbox_id=spec.sandbox_id) == spec
                and existing.is_open
            ):
                existing.attach(on_line=on_line, on_status=on_status)
                return existing
            if existing:
                await existing.remove()
            if not self._tidied:
                self._tidied = True
                await asyncio.to_thread(_remove_leftovers, self._state_folder)
            layout = layout_for(
                app=spec.folder.resolve(),
                private=self._state_folder / f"{spec.project_id}-{secrets.token_hex(4)}",
                toolchain=capabilities.toolchain,
                wrapped=capabilities.wrapper is not None,
                python=capabilities.python,
            )
            sandbox = LocalSandbox(
                spec, layout, capabilities.wrapper, on_line=on_line, on_status=on_status
            )
            await sandbox.create()
            self._sandboxes[spec.project_id] = sandbox
            return sandbox

    async def aclose(self) -> None:
        async with self._lock:
            sandboxes = list(self._sandboxes.values())
            self._sandboxes.clear()
            await asyncio.gather(*(sandbox.remove() for sandbox in sandboxes))

    async def _find_capabilities(self) -> _Capabilities:
        async with self._lock:
            if self._capabilities is None:
                self._capabilities = await asyncio.to_thread(self._probe)
            return self._capabilities

    def _probe(self) -> _Capabilities:
        if sys.platform == "win32":
            raise SandboxUnavailableError(
                "The local sandbox does not work on Windows in this version.",
                remedy="Use VibeDesk on Linux or macOS.",
            )
        toolchains = find_toolchains()
        python = find_python_tools()
        reason = "bubblewrap was switched off."
        if self._use_bubblewrap:
            for toolchain in toolchains:
                wrapper, reason = self._probe_bubblewrap(toolchain)
                if wrapper:
                    isolation = Isolation(
                        kind="bubblewrap",
                        sentence="Apps run in bubblewrap: they see their own folder, not your files or other projects.",
                    )
                    return _Capabilities(
                        toolchain=toolchain, wrapper=wrapper, isolation=isolation, python=python
                    )
        isolation = Isolation(
            kind="none",
            sentence=f"The app's code runs with your own rights and can read and change your files. {reason}",
        )
        return _Capabilities(
            toolchain=toolchains[0], wrapper=None, isolation=isolation, python=python
        )

    def _probe_bubblewrap(self, toolchain: NodeToolchain) -> tuple[Bubblewrap | None, str]:
        # Not in the state folder: `doctor` looks while another process uses it, or where it cannot be written.
        with tempfile.TemporaryDirectory(prefix="vibedesk-") as folder:
            private, app = Path(folder, "private"), Path(folder, "app")
            layout = layout_for(app=app, private=private, toolchain=toolchain, wrapped=True)
            layout.create()
            bubblewrap.prepare(layout)
            app.mkdir()
            return bubblewrap.find_bubblewrap(layout)


def _remove_leftovers(state_folder: Path) -> None:
    for leftover in state_folder.glob("*"):
        shutil.rmtree(
            leftover,
            # Its last processes may be ending just now; the next start removes the rest.
            onerror=lambda _call, path, error: _log.warning(
                "%s could not be removed: %s", path, error[1]
            ),
        )
