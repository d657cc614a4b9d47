"""Podman's Docker-compatible service for tests, with folders of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import psutil
import pytest
import requests
from docker.errors import DockerException

from tests.support.places import DISK

_START_SECONDS = 30.0
_SETTINGS = """
[engine]
runtime = "here"
[engine.runtimes]
here = ["{folder}/runtime"]
"""
# Podman wants to raise limits beyond those of the machine, which needs a right that root in a container may lack.
_RUNTIME = """#!{python} -IS
import json, os, resource, sys
from pathlib import Path

def cut(path, process_of):
    config = json.loads(path.read_text())
    for limit in process_of(config).get("rlimits", []):
        most = resource.getrlimit(getattr(resource, limit["type"]))[1]
        if most != resource.RLIM_INFINITY:
            limit.update(hard=min(limit["hard"], most), soft=min(limit["soft"], most))
    path.write_text(json.dumps(config))

words = sys.argv[1:]
if "create" in words and "--bundle" in words:
    cut(Path(words[words.index("--bundle") + 1]) / "config.json", lambda config: config["process"])
if "exec" in words and "--process" in words:
    cut(Path(words[words.index("--process") + 1]), lambda config: config)
os.execv("{runtime}", [{name!r}, *words])
"""


@contextlib.contextmanager
def podman_service() -> Iterator[str]:
    """Run the service for the time of the block; yields what DOCKER_HOST is set to. Skips the test without Podman."""
    podman = shutil.which("podman")
    if os.geteuid() != 0 or podman is None:
        pytest.skip("Podman is not installed, or this is not root")
    folder = Path(tempfile.mkdtemp(prefix="vd-podman-", dir=DISK))
    own = [podman, "--root", str(folder / "root"), "--runroot", str(folder / "run")]
    settings = _write_settings(folder)
    # It leaves a copy of every image that it is given in the folder for temporary files.
    environment = {**os.environ, "CONTAINERS_CONF": str(settings), "TMPDIR": str(folder)}
    host = f"unix://{folder}/podman.sock"
    try:
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*own, "system", "service", "--time=0", host],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            _wait_until_it_answers(host, process, folder / "log")
            yield host
        finally:
            subprocess.run(
                [*own, "kill", "--all"], env=environment, check=False, capture_output=True
            )
            process.terminate()
            process.wait()
    finally:
        # Those that watch the containers stay for minutes, and then would make the folder anew.
        for pid in _processes_of(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for mount in _mounts_below(folder):
            subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def _processes_of(folder: Path) -> list[int]:
    """The processes, other than this one, that have the folder on their command line."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(f"{folder}/" in word for word in process.info["cmdline"] or [])
    ]


def _mounts_below(folder: Path) -> list[str]:
    """What is mounted there, the innermost first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [
        where for line in reversed(lines) if (where := line.split()[4]).startswith(f"{folder}/")
    ]


def _write_settings(folder: Path) -> Path:
    runtime = next(path for name in ("crun", "runc") if (path := shutil.which(name)))
    program = folder / "runtime"
    program.write_text(
        _RUNTIME.format(python=sys.executable, runtime=runtime, name=Path(runtime).name)
    )
    program.chmod(0o755)
    settings = folder / "containers.conf"
    settings.write_text(_SETTINGS.format(folder=folder))
    return settings


def _wait_until_it_answers(host: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with (
            contextlib.suppress(DockerException, requests.RequestException),
            contextlib.closing(docker.DockerClient(base_url=host, version="1.41")) as client,
        ):
            client.ping()
            return
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, "Podman does not answer"
        time.sleep(0.05)  # nothing says when it does
