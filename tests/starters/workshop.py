"""Starters laid out, installed and served as a local sandbox does it, without an engine around them."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from vibedesk.base.resources import resource
from vibedesk.engine.files.folder_access import TEMPORARY_PREFIX
from vibedesk.engine.sandboxes.environment import sandbox_environment, write_config
from vibedesk.engine.sandboxes.layout import layout_for
from vibedesk.engine.sandboxes.node import find_toolchains
from vibedesk.engine.sandboxes.ports import pick_port
from vibedesk.engine.sandboxes.python import find_python_tools

HOST = "127.0.0.1"
_POLL_SECONDS = 0.05
_START_SECONDS = 60.0
_END_SECONDS = 20.0
_BETWEEN_WRITES_SECONDS = 0.1
_INSTALLED = ("node_modules", ".venv")


def starter_names() -> list[str]:
    return sorted(folder.parent.name for folder in resource("templates").glob("*/template.json"))


def starter_folder(name: str) -> Path:
    return resource("templates", name)


def description(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((starter_folder(name) / "template.json").read_text("utf-8"))
    return found


@dataclass(frozen=True)
class App:
    """A starter in a folder of its own, with what its commands need on PATH."""

    name: str
    folder: Path
    environment: Mapping[str, str]

    def run(self, command: str) -> str:
        """Run one of the description's commands; return its output, or fail with it."""
        status, output = self.attempt(command)
        assert status == 0, f"{self.name}: {command} ended with {status}\n{output}"
        return output

    def attempt(self, command: str) -> tuple[int, str]:
        """Run a command; return its exit status and output."""
        done = subprocess.run(
            shlex.split(command),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=200,
            check=False,
        )
        return done.returncode, done.stdout.decode(errors="replace")

    def of(self, key: str) -> str:
        """Return a command of the description, "" where it has none."""
        return str(description(self.name).get(key, ""))

    @contextmanager
    def serving(self, key: str) -> Iterator[Server]:
        """Run the description's server command `key` on a free port until the block ends; its page answers."""
        port = pick_port()
        command = self.of(key).replace("{host}", HOST).replace("{port}", str(port))
        log = self.folder.parent / f"{self.folder.name}-{key}-{port}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                shlex.split(command),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        server = Server(process, port, log)
        try:
            server.until(lambda: server.status("/") == 200, seconds=_START_SECONDS)
            yield server
        finally:
            server.end()


@dataclass(frozen=True)
class Server:
    """A server command that runs."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def output(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    def client(self) -> httpx.Client:
        """Return a browser of its own: it keeps cookies and says where its requests come from."""
        return httpx.Client(
            base_url=self.url, trust_env=False, timeout=30, headers={"Origin": self.url}
        )

    def change(self, file: Path, text: str) -> None:
        """Write a file as VibeDesk does: whole, and not so soon after its last change that a watcher swallows it."""
        self.until(
            lambda: (
                not file.exists() or time.time() - file.stat().st_mtime > _BETWEEN_WRITES_SECONDS
            )
        )
        new = file.with_name(f"{TEMPORARY_PREFIX}{file.name}.tmp")
        new.write_text(text, "utf-8")
        new.replace(file)

    def status(self, path: str) -> int:
        """Return the status of a page, 0 if nothing answers."""
        try:
            return httpx.get(self.url + path, trust_env=False, timeout=30).status_code
        except httpx.HTTPError:
            return 0

    def until(self, holds: Callable[[], object], *, seconds: float = 20.0) -> None:
        """Return once `holds()` is true; fail where the server ends first or the time is up."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not within {seconds:g} s\n{self.output}"
            try:
                status = self.process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"the server ended with {status}\n{self.output}")

    def end(self) -> None:
        """End the process group; fail where something of it goes on."""
        members = self.members()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(_END_SECONDS)
        _, alive = psutil.wait_procs(members, timeout=_END_SECONDS)
        for process in alive:
            process.kill()
        assert not alive, f"still running after the end of the server: {alive}"

    def members(self) -> list[psutil.Process]:
        """Return the processes of the server that are alive."""
        try:
            first = psutil.Process(self.process.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


class Workshop:
    """Installs each starter once and hands out copies."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._environment = _environment(root)
        self._installed: dict[str, App] = {}

    def installed(self, name: str) -> App:
        """Return the starter in a folder with its packages, the same one every time."""
        if name not in self._installed:
            app = self._lay_out(name)
            app.run(app.of("install_command"))
            for command in description(name).get("setup_commands", ()):
                app.run(command)
            self._installed[name] = app
        return self._installed[name]

    def copy(self, name: str, copy_name: str) -> App:
        """Return the starter in a folder that may be changed; its packages are hard links."""
        original, app = self.installed(name), self._lay_out(name, copy_name)
        for part in _INSTALLED:
            if (original.folder / part).is_dir():
                shutil.copytree(
                    original.folder / part, app.folder / part, symlinks=True, copy_function=os.link
                )
        return app

    def _lay_out(self, name: str, folder_name: str = "") -> App:
        folder = self._root / (folder_name or name)
        left = shutil.ignore_patterns("template.json", *_INSTALLED, "dist", "data", "__pycache__")
        shutil.copytree(starter_folder(name), folder, ignore=left)
        return App(name, folder, self._environment)


def _environment(root: Path) -> dict[str, str]:
    layout = layout_for(
        app=root,
        private=root / "private",
        toolchain=find_toolchains()[0],
        wrapped=False,
        python=find_python_tools(),
    )
    layout.create()
    write_config(layout, os.environ)
    # Unlike those of sandboxes the caches are shared, or every run would fetch everything.
    caches = {
        "npm_config_cache": str(Path.home() / ".npm"),
        "npm_config_prefer_offline": "true",
        "UV_CACHE_DIR": str(Path.home() / ".cache" / "uv"),
    }
    return {**sandbox_environment(layout, os.environ), **caches}
