from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]

_CONFTEST = """
from pathlib import Path
from tests.support.skip_guard import SkipGuard

def pytest_configure(config):
    config.pluginmanager.register(SkipGuard(Path("allowed.txt"), enforced={enforced}))
"""

_TESTS = """
import pytest

def test_passes():
    pass

@pytest.mark.skip(reason="no such thing here")
def test_skipped():
    pass

@pytest.mark.xfail(reason="known")
def test_expected_to_fail():
    assert False
"""


def _run(
    folder: Path, allowed: str, *options: str, enforced: bool = True, tests: str = _TESTS
) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "conftest.py").write_text(_CONFTEST.format(enforced=enforced), encoding="utf-8")
    (folder / "allowed.txt").write_text(allowed, encoding="utf-8")
    (folder / "test_things.py").write_text(tests, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={"PYTHONPATH": str(_ROOT), "PATH": ""},
        check=False,
        capture_output=True,
        text=True,
    )


def test_an_unlisted_skip_fails_the_run_and_is_named(tmp_path: Path) -> None:
    finished = _run(tmp_path, "")
    assert finished.returncode == pytest.ExitCode.TESTS_FAILED
    assert "test_things.py::test_skipped" in finished.stdout
    assert "test_things.py::test_expected_to_fail" not in finished.stdout


def test_a_listed_skip_is_fine(tmp_path: Path) -> None:
    finished = _run(tmp_path, "# why\ntest_things.py::test_sk* | nothing to test it with\n")
    assert finished.returncode == pytest.ExitCode.OK, finished.stdout


def test_a_listing_without_a_reason_is_refused(tmp_path: Path) -> None:
    finished = _run(tmp_path, "test_things.py::test_skipped |\n")
    assert finished.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no reason given" in finished.stderr


def test_a_module_skipped_at_import_counts_too(tmp_path: Path) -> None:
    tests = "import pytest\npytest.importorskip('no_such_module_here')\n"
    (tmp_path / "test_other.py").write_text("def test_passes():\n    pass\n", encoding="utf-8")
    finished = _run(tmp_path, "", tests=tests)
    assert finished.returncode == pytest.ExitCode.TESTS_FAILED
    assert "test_things.py" in finished.stdout


def test_the_skips_of_all_workers_count(tmp_path: Path) -> None:
    skipped = "import pytest\npytest.importorskip('no_such_module_here')\n"
    (tmp_path / "test_other.py").write_text(skipped, encoding="utf-8")
    finished = _run(tmp_path, "", "-n", "2")
    assert finished.returncode == pytest.ExitCode.TESTS_FAILED
    named = finished.stdout.partition("gives no reason for")[2]
    assert "test_things.py::test_skipped" in named
    assert "test_other.py" in named


def test_outside_ci_skips_are_only_shown(tmp_path: Path) -> None:
    assert _run(tmp_path, "", enforced=False).returncode == pytest.ExitCode.OK
