"""The real program as a process: start it, read its events, kill it, see who is left."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.support.model_server import ModelServer
from tests.support.prestarted import Started, start

Json = dict[str, Any]
DEADLINE_SECONDS = 60.0


class Program:
    """One running `vibedesk …`; its standard output is read as JSON lines.

    Args:
        arguments: Of the command.
        env: Added to the environment.
        module: Another program that prints events.
    """

    def __init__(
        self,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        module: str = "vibedesk",
    ) -> None:
        self.events: list[Json] = []
        self._process = start(
            *map(str, arguments), env={**os.environ, **(env or {})}, module=module
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stderr(self) -> str:
        return "".join(self._errors)

    @property
    def project_id(self) -> str:
        return str(self.events[0]["project_id"])

    @property
    def folder(self) -> Path:
        """Where the project's folder is said to be."""
        named = [
            e["data"]["project"]["folder"]
            for e in self.of("project_changed")
            if "folder" in e["data"]["project"]
        ]
        return Path(named[-1] if named else self.events[0]["data"]["project"]["folder"])

    def of(self, kind: str) -> list[Json]:
        return [event for event in self.events if event["type"] == kind]

    def until(self, condition: Callable[[Json], bool]) -> Json:
        """Read on until an event fits, and return it."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(
                    f"not within {DEADLINE_SECONDS:g} s; last: {self.events[-1:]}"
                ) from None
            if line is None:
                raise AssertionError(f"ended before it: {self.stderr} {self.events[-3:]}")
            event = json.loads(line)
            self.events.append(event)
            if condition(event):
                return event

    def until_events(self, count: int) -> bool:
        """Read on until so many events were printed; return False if it ended before that."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(self.events) < count:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            if line is None:
                return False
            self.events.append(json.loads(line))
        return True

    def until_state(self, state: str) -> Json:
        return self.until(lambda e: e["type"] == "state_change" and e["data"]["state"] == state)

    def until_type(self, kind: str) -> Json:
        return self.until(lambda e: e["type"] == kind)

    def end(self) -> int:
        """Wait for its own end, read the rest, return the exit status."""
        status = self._process.wait(DEADLINE_SECONDS)
        self._rest()
        return status

    def kill(self) -> None:
        """Kill it (-9), read what it had printed, and wait until everything it had started is gone."""
        kill_family(self._process)
        self._rest()

    def _rest(self) -> None:
        for reader in self._readers:
            reader.join(DEADLINE_SECONDS)
        while not self._lines.empty():
            line = self._lines.get()
            if line is not None and line.endswith("\n"):
                self.events.append(json.loads(line))

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(self._process.stderr)


class PythonProcess:
    """A program on the engine's face, given as source; for what the command line does not offer."""

    def __init__(self, source: str, server: ModelServer) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", source],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **server.environment()},
        )

    def first_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "it ended without a word"
        return line.strip()

    def kill(self) -> None:
        """Kill it (-9) and wait until everything it had started is gone."""
        kill_family(self._process)


def kill_family(process: Started | subprocess.Popen[str]) -> None:
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:  # it has ended by itself
        family = []
    process.kill()
    process.wait(DEADLINE_SECONDS)
    _, alive = psutil.wait_procs(family, timeout=30)
    alive = [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert not alive, f"left by the killed program: {alive}"


def run(
    *arguments: str | Path, env: Mapping[str, str] | None = None, timeout: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """Run `vibedesk …` to its end."""
    process = start(*map(str, arguments), env={**os.environ, **(env or {})})
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return subprocess.CompletedProcess(arguments, process.wait(), stdout, stderr)
