"""Programs that are forked from one with the imports done are like those that are started from the beginning."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.support.prestarted import Started, is_starter, start

ASKS = ("projects", "--json")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "VIBEDESK_HOME": str(tmp_path / "home")}


@pytest.fixture(params=[False, True], ids=["forked", "from the beginning"])
def run(request: pytest.FixtureRequest, env: dict[str, str]) -> Callable[..., tuple[int, str, str]]:
    more = {"PYTHONSAFEPATH": ""} if request.param else {}  # empty, it changes nothing but the way

    def run(*arguments: str, **variables: str) -> tuple[int, str, str]:
        process = start(*arguments, env={**env, **more, **variables})
        assert isinstance(process, subprocess.Popen if request.param else Started)
        stdout, stderr = process.communicate(timeout=60)
        return process.wait(), stdout, stderr

    return run


def test_status_streams_and_environment_are_the_programs_own(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    assert run(*ASKS) == (0, "[]\n", "")
    file = tmp_path / "file"
    file.touch()
    status, stdout, stderr = run(*ASKS, VIBEDESK_HOME=str(file))
    assert (status, stdout) == (1, "")
    assert str(file) in stderr
    status, stdout, stderr = run("bild")
    assert (status, stdout) == (2, "")
    assert "invalid choice: 'bild'" in stderr


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, -15), (signal.SIGKILL, -9)]
)
def test_signals_reach_it_and_its_end_is_told(
    env: dict[str, str], number: int, status: int
) -> None:
    process = start("--bind", "127.0.0.1", "0", env=env, module="http.server")
    assert isinstance(process, Started)
    itself = psutil.Process(process.pid)
    assert is_starter(itself.ppid())
    while not (listening := itself.net_connections("tcp")):
        assert process.poll() is None
    # It listens before it is ready for the signal.
    asked = HTTPConnection("127.0.0.1", listening[0].laddr.port, timeout=60)
    asked.request("HEAD", "/")
    asked.getresponse()
    asked.close()
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.poll() == process.wait() == status
    assert not psutil.pid_exists(process.pid)
    process.kill()  # one that has ended stays as it is
