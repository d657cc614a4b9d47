"""Sandboxes to test with: a project folder, a driver, and who is still alive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from tests.support.processes import is_alive
from vibedesk.engine.sandboxes.driver import (
    OutputLine,
    Sandbox,
    SandboxDriver,
    SandboxSpec,
    SandboxStatus,
)
from vibedesk.engine.sandboxes.ports import pick_port

DEADLINE_SECONDS = 20.0


@dataclass
class Place:
    """An open sandbox with everything it told."""

    sandbox: Sandbox
    folder: Path
    port: int
    lines: list[OutputLine] = field(default_factory=list)
    statuses: list[tuple[SandboxStatus, str]] = field(default_factory=list)

    async def script(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        await self.sandbox.push([name])
        return name


@pytest.fixture
def token() -> str:
    """A word on the command line of every process of this test."""
    return f"marker-{uuid4().hex}"


def living(token: str) -> list[str]:
    """The processes, zombies aside, that have `token` on their command line."""
    # Tests ask this over and over, so only those that fit are asked for their status.
    commands = {
        process: " ".join(process.info["cmdline"] or [])
        for process in psutil.process_iter(["cmdline"])
    }
    return [
        f"{process.pid} {command[-120:]}"
        for process, command in commands.items()
        if token in command and is_alive(process)
    ]


async def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_SECONDS:g} s: {what}"
        await asyncio.sleep(0.02)


@pytest.fixture
def spec(tmp_path: Path) -> SandboxSpec:
    folder = tmp_path / "projects" / "my-app"
    folder.mkdir(parents=True)
    return SandboxSpec(
        project_id="01JD0000000000000000000000",
        folder=folder,
        port=pick_port(),
        env={"APP_GREETING": "hello"},
    )


@pytest.fixture
async def place(driver: SandboxDriver, spec: SandboxSpec) -> AsyncIterator[Place]:
    lines: list[OutputLine] = []
    statuses: list[tuple[SandboxStatus, str]] = []
    sandbox = await driver.open(
        spec,
        on_line=lines.append,
        on_status=lambda status, reason: statuses.append((status, reason)),
    )
    yield Place(sandbox, spec.folder, spec.port, lines, statuses)
    await driver.aclose()
