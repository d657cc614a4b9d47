from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import setup as checkout_setup
from setup import Environment, SetupError

_ROOT = Path(checkout_setup.__file__).resolve().parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(_ROOT / name, tmp_path / name)
    return tmp_path


def _pretend_made(checkout: Path) -> Environment:
    environment = Environment(checkout)
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    environment._stamp.write_text(environment._digest(), encoding="utf-8")
    return environment


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_made_environment_is_not_made_again(checkout: Path) -> None:
    assert _pretend_made(checkout).is_current()


def test_an_environment_without_its_stamp_is_made_again(checkout: Path) -> None:
    environment = _pretend_made(checkout)
    environment._stamp.unlink()
    assert not environment.is_current()


def test_an_environment_without_python_is_made_again(checkout: Path) -> None:
    environment = _pretend_made(checkout)
    environment.python.unlink()
    assert not environment.is_current()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("constraints.txt", "peewee==", "peewee==9"),
        ("pyproject.toml", '"qasync>=', '"qasync>=0.1,>='),
    ],
)
def test_changed_pins_make_it_again(checkout: Path, file: str, old: str, new: str) -> None:
    environment = _pretend_made(checkout)
    _change(checkout / file, old, new)
    assert not environment.is_current()


def test_changed_lint_rules_do_not_make_it_again(checkout: Path) -> None:
    environment = _pretend_made(checkout)
    _change(checkout / "pyproject.toml", "line-length = 100", "line-length = 90")
    assert environment.is_current()


def test_a_moved_checkout_is_set_up_again(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _pretend_made(checkout)
    moved = tmp_path_factory.mktemp("moved") / "checkout"
    shutil.copytree(checkout, moved)
    assert not Environment(moved).is_current()


def test_without_network_it_says_which_step_failed_and_starts_over_next_time(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/")
    monkeypatch.setenv("PIP_RETRIES", "0")
    environment = Environment(checkout)
    with pytest.raises(SetupError, match="while installing the Python packages") as failure:
        environment.make()
    assert "make setup" in str(failure.value)
    assert not environment.is_current()
    assert "hatchling" in capfd.readouterr().err


def test_an_unfit_python_is_refused_with_the_versions_that_fit(tmp_path: Path) -> None:
    finished = subprocess.run(
        ["/bin/sh", str(_ROOT / "scripts" / "setup.sh"), "run"],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path)},
    )
    assert finished.returncode == 1
    assert "Python 3.11, 3.12 or 3.13" in finished.stderr


def test_it_runs_on_the_standard_library_alone() -> None:
    finished = subprocess.run(
        [sys.executable, "-S", str(_ROOT / "scripts" / "setup.py"), "--help"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
