from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.environment import SET_FOR_TESTS
from vibedesk.base.paths import Home, resolve_home


def test_no_key_or_home_of_the_person_who_runs_the_tests_gets_in() -> None:
    kept = [name for name in os.environ if name.startswith(("ANTHROPIC_", "OPENAI_", "VIBEDESK_"))]
    assert sorted({*kept} - SET_FOR_TESTS) == ["VIBEDESK_HOME", "VIBEDESK_REVIEW"]
    assert not resolve_home().root.is_relative_to(Path.home())


@pytest.mark.parametrize("name", sorted(SET_FOR_TESTS))
def test_what_is_set_for_tests_alone_reaches_them(name: str, tmp_path: Path) -> None:
    program = (
        "import os, pathlib; from tests.support.environment import isolate_environment;"
        f"isolate_environment(pathlib.Path({str(tmp_path)!r})); print(os.environ[{name!r}])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, name: "all"},
        cwd=Path(__file__).parents[2],
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.stdout == "all\n", finished.stderr


def test_the_home_fixture_is_this_tests_own(home: Home, tmp_path: Path) -> None:
    assert home.root == tmp_path / "home"
    assert resolve_home() == home


def test_the_command_line_loads_neither_qt_nor_a_model_sdk() -> None:
    heavy = "{'PySide6', 'PyQt6', 'qasync', 'anthropic', 'openai'}"
    program = f"import sys, vibedesk.cli; sys.exit(str({heavy} & sys.modules.keys()) if {heavy} & sys.modules.keys() else 0)"
    finished = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
