"""What every test shares: an environment of its own, no network but loopback, skips that are accounted for."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest

from tests.support.environment import isolate_environment
from tests.support.garbage import GarbageOnMainThread
from tests.support.network_guard import forbid_other_hosts
from tests.support.own_process import OwnProcess
from tests.support.processes import Leftovers, leftovers_since_now
from tests.support.skip_guard import SkipGuard
from tests.support.workers import (
    Workers,
    is_worker,
    long_ones_first,
    number_of_workers,
    use_own_screen,
)
from vibedesk.base.paths import Home, resolve_home
from vibedesk.engine.sandboxes import ports

_session_home = pytest.StashKey[Path]()
_PORTS_EACH = 500

hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=100, print_blob=True)
hypothesis.settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=20_000,
    print_blob=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


pytest.register_assert_rewrite("tests.engine.sandboxes.contract")


def pytest_configure(config: pytest.Config) -> None:
    session_home = Path(tempfile.mkdtemp(prefix="vibedesk-tests-"))
    config.stash[_session_home] = session_home
    isolate_environment(session_home)
    _keep_compiled_modules()
    use_own_screen(config)
    _take_own_ports()
    forbid_other_hosts()
    config.pluginmanager.register(OwnProcess())
    config.pluginmanager.register(Workers())
    config.pluginmanager.register(GarbageOnMainThread())
    config.pluginmanager.register(
        SkipGuard(
            Path(__file__).with_name("allowed_skips.txt"), enforced=bool(os.environ.get("CI"))
        )
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if is_worker(config):
        long_ones_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return number_of_workers()


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_session_home], ignore_errors=True)


def _keep_compiled_modules() -> None:
    """Hundreds of Python programs are started by the tests; none of them needs to compile what another one did."""
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _take_own_ports() -> None:
    """Let no two workers pick the same port for their projects before either listens there."""
    # A process of a test's own has the ports of the worker that started it.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        first = int(worker.removeprefix("gw")) * _PORTS_EACH % len(ports._PORTS)
        ports._PORTS = ports._PORTS[first : first + _PORTS_EACH]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A VibeDesk home of the test's own, also for the processes that it starts."""
    root = tmp_path / "home"
    root.mkdir()
    monkeypatch.setenv("VIBEDESK_HOME", str(root))
    return resolve_home()


@pytest.fixture
def leftovers() -> Leftovers:
    """What the test has started and not ended; ask for it before what starts anything."""
    return leftovers_since_now()
