"""Runs the real command line in processes of its own, and says what came of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import psutil

from tests.support.prestarted import Started, start
from vibedesk.engine.events import PAYLOADS

_TIMEOUT = 240
_URL = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended: exit status and what it printed."""

    status: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that `--json` printed."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def project_id(self) -> str:
        project_id = self.events[0]["project_id"]
        assert isinstance(project_id, str)
        return project_id

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    def of_type(self, *types: str) -> list[dict[str, Any]]:
        """Return the data of the events of these types, in order."""
        return [event["data"] for event in self.events if event["type"] in types]

    @property
    def states(self) -> list[str]:
        return [data["state"] for data in self.of_type("state_change")]

    def assert_one_sentence(self, *words: str) -> None:
        """Check that stderr is one plain line that holds `words`, but for the hint how to go on."""
        lines = self.stderr.strip().splitlines()
        if lines[1:] and lines[-1].startswith("Go on with: vibedesk resume "):
            lines.pop()
        assert len(lines) == 1, self.stderr
        assert "Traceback" not in lines[0]
        for word in words:
            assert word in lines[0], lines[0]


def vibedesk(*arguments: str, home: Path, env: Mapping[str, str] | None = None) -> Finished:
    """Run one command to its end."""
    with running(*arguments, home=home, env=env) as process:
        return process.wait()


@contextmanager
def running(
    *arguments: str, home: Path, env: Mapping[str, str] | None = None
) -> Iterator[RunningCommand]:
    """Start a command; one that still runs at the end of the block is killed."""
    process = start(*arguments, "--home", str(home), env={**os.environ, **(env or {})})
    command = RunningCommand(process)
    try:
        yield command
    finally:
        command.kill()


@dataclass
class RunningCommand:
    """A command under way; its lines can be waited for."""

    process: Started | subprocess.Popen[str]
    _lines: list[str] = field(default_factory=list)
    _errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in (
                (self.process.stdout, self._lines),
                (self.process.stderr, self._errors),
            )
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, lines: list[str]) -> None:
        with stream:
            for line in stream:
                with self._changed:
                    lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, text: str, timeout: float = 90) -> str:
        """Return the first line of either stream that holds `text`, once it came."""
        deadline = monotonic() + timeout
        with self._changed:
            while True:
                for line in (*self._lines, *self._errors):
                    if text in line:
                        return line
                if not any(reader.is_alive() for reader in self._readers):
                    raise AssertionError(f"it ended without {text!r}: {self._shown()}")
                left = deadline - monotonic()
                if left <= 0:
                    raise AssertionError(f"no {text!r} came: {self._shown()}")
                self._changed.wait(min(left, 1.0))

    def wait_for_url(self) -> str:
        """Return the address that `--serve` announces."""
        found = _URL.search(self.wait_for("Serving "))
        assert found is not None
        return found.group()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def wait(self, timeout: float = _TIMEOUT) -> Finished:
        status = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(10)
        return Finished(status, "".join(self._lines), "".join(self._errors))

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def _shown(self) -> str:
        return "".join((*self._lines[-20:], *self._errors[-20:]))


def assert_gapless(events: list[dict[str, Any]]) -> None:
    """Check the stream of `--json`: a snapshot, then every event once, in order, by the documented names."""
    assert events[0]["type"] == "snapshot"
    first = events[0]["seq"]
    assert [event["seq"] for event in events] == list(range(first, first + len(events)))
    assert {event["type"] for event in events[1:]} <= set(PAYLOADS)
    assert {frozenset(event) for event in events} == {
        frozenset({"type", "seq", "at", "project_id", "data"})
    }


def processes_of(*marks: str) -> list[str]:
    """Return the command lines of running processes that name one of `marks`, as a folder."""
    return [line for _, line in _running(*marks)]


def servers_of(folder: Path, *ports: str) -> list[str]:
    """Return the command lines of running processes that name one of `ports` and work in `folder`.

    Projects of other tests may have drawn the same port.
    """
    found: list[str] = []
    for pid, line in _running(*ports):
        # Inside a sandbox the folder has another path; it is the same folder.
        with suppress(OSError):
            if Path(f"/proc/{pid}/cwd").samefile(folder):
                found.append(line)
    return found


def _running(*marks: str) -> Iterator[tuple[int, str]]:
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or ())
        alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if alive and process.pid != os.getpid() and any(mark in line for mark in marks):
            yield process.pid, line


def read_expected(session: Path) -> dict[str, Any]:
    """Return a recording's `expected.json`."""
    expected = json.loads((session / "expected.json").read_text(encoding="utf-8"))
    assert isinstance(expected, dict)
    return expected
