"""What every test shares: an environment of its own, no network but loopback, skips that are accounted for."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
import pytest

from tests.support.network_guard import forbid_other_hosts
from tests.support.own_process import OwnProcess
from tests.support.skip_guard import SkipGuard
from vibedesk.base.paths import Home, resolve_home

_OUR_PREFIXES = ("ANTHROPIC_", "OPENAI_", "VIBEDESK_")
_PICTURES = "VIBEDESK_SHOTS"
"""Where tests of the window leave pictures; the one variable of ours that a person sets for tests."""
_session_home = pytest.StashKey[Path]()

hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=200, print_blob=True)
hypothesis.settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=20_000,
    print_blob=True,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure(config: pytest.Config) -> None:
    session_home = Path(tempfile.mkdtemp(prefix="vibedesk-tests-"))
    config.stash[_session_home] = session_home
    _isolate_environment(session_home)
    forbid_other_hosts()
    config.pluginmanager.register(OwnProcess())
    config.pluginmanager.register(
        SkipGuard(
            Path(__file__).with_name("allowed_skips.txt"), enforced=bool(os.environ.get("CI"))
        )
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_session_home], ignore_errors=True)


def _isolate_environment(session_home: Path) -> None:
    """Take away keys, homes and the keychain of whoever runs the tests; child processes inherit that.

    The proxy variables stay, because npm may need them to reach its registry; loopback goes around them.
    """
    ours = [name for name in os.environ if name.startswith(_OUR_PREFIXES)]
    for name in ours:
        if name != _PICTURES:
            del os.environ[name]
    os.environ["VIBEDESK_HOME"] = str(session_home)
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    for name in ("NO_PROXY", "no_proxy"):
        others = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join(["127.0.0.1", "localhost", "::1", *others])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A VibeDesk home of the test's own, also for the processes that it starts."""
    root = tmp_path / "home"
    root.mkdir()
    monkeypatch.setenv("VIBEDESK_HOME", str(root))
    return resolve_home()
