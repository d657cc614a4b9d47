"""Which packages can be kept ready, and what decides that two projects have the same ones."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.engine.sandboxes.docker.conftest import ROOT
from vibedesk.engine.sandboxes.docker.lock_files import LockedPackages, locked_packages

TEMPLATES = ROOT / "resources" / "templates"
STARTERS = sorted(path.parent for path in TEMPLATES.glob("*/template.json"))
PROJECT = '[project]\nname = "app"\nversion = "0.1.0"\ndependencies = ["alpha==1.0"]\n'
LOCK = "version = 1\n"


def write(folder: Path, pyproject: str, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(pyproject, "utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def kept(folder: Path, index: str = "") -> LockedPackages:
    found = locked_packages(folder, index)
    assert found is not None
    return found


@pytest.mark.parametrize("starter", STARTERS, ids=lambda path: path.name)
def test_every_starter_has_packages_that_can_be_kept(starter: Path) -> None:
    assert locked_packages(starter) is not None


@pytest.mark.parametrize(
    "changed",
    [
        PROJECT.replace("1.0", "1.1"),
        PROJECT.replace('"app"', '"shop"'),
        PROJECT + 'requires-python = ">=3.12"\n',
        PROJECT + '[dependency-groups]\ndev = ["beta"]\n',
        PROJECT + '[tool.uv]\nconstraint-dependencies = ["beta<2"]\n',
    ],
)
def test_what_an_install_depends_on_makes_others_of_them(tmp_path: Path, changed: str) -> None:
    before = kept(write(tmp_path / "one", PROJECT))
    after = kept(write(tmp_path / "two", changed))
    assert before.digest != after.digest


def test_what_an_install_does_not_ask_changes_nothing_and_is_not_shown(tmp_path: Path) -> None:
    more = 'description = "Mine: \\u00e4"\n[tool.ruff]\nline-length = 90\n'
    before = kept(write(tmp_path / "one", PROJECT))
    after = kept(write(tmp_path / "two", PROJECT + more))
    assert before == after


def test_the_manifest_that_is_shown_says_the_same(tmp_path: Path) -> None:
    """Tables in lists and under keys that sort before plain values are where a writer of TOML goes wrong."""
    text = (
        f"{PROJECT}[dependency-groups]\ndev = [{{include-group = 'lint'}}]\nlint = []\n"
        "[tool.uv]\nrequired-version = '>=0.1'\npackage = false\ndefault-groups = 'all'\n"
        "[tool.uv.a-table]\na = {b = [1, 'q\"\\ä']}\n"
        "[[tool.uv.index]]\nname = 'one'\nurl = 'https://one.example'\n"
        "[[tool.uv.index]]\nname = 'two'\nurl = 'https://two.example'\n"
    )
    shown = kept(write(tmp_path / "one", text)).files["pyproject.toml"]
    assert tomllib.loads(shown.decode()) == tomllib.loads(text)


def test_the_index_decides_where_no_lock_file_does(tmp_path: Path) -> None:
    free = write(tmp_path / "free", PROJECT)
    assert kept(free, "https://one.example").digest != kept(free, "https://two.example").digest
    locked = write(tmp_path / "locked", PROJECT, **{"uv.lock": LOCK})
    assert kept(locked, "https://one.example") == kept(locked, "https://two.example")
    assert "--locked" in kept(locked).install
    assert "--locked" not in kept(free).install


@pytest.mark.parametrize(
    "pyproject",
    [
        "[tool.ruff]\n",
        "[project",
        PROJECT.replace('["alpha==1.0"]', "[]"),
        PROJECT + '[build-system]\nrequires = ["hatchling"]\n',
        PROJECT + "[tool.uv]\npackage = true\n",
        PROJECT + 'dynamic = ["version"]\n',
        PROJECT + '[tool.uv.workspace]\nmembers = ["libs/*"]\n',
        PROJECT + '[tool.uv.sources]\nalpha = {path = "libs/alpha"}\n',
        PROJECT + '[tool.uv.sources]\nalpha = [{workspace = true, marker = "x"}]\n',
        PROJECT + '[project.optional-dependencies]\npdf = ["beta"]\n',
        PROJECT + '[dependency-groups]\ndocs = ["beta"]\n',
        PROJECT + "[tool]\nuv = 1\n",
        PROJECT + "[tool.uv]\ndefault-groups = [[]]\n",
        PROJECT + f"[tool.uv]\ndeep = {'[' * 400}{']' * 400}\n",
    ],
)
def test_packages_that_belong_to_the_python_project_are_not_kept(
    tmp_path: Path, pyproject: str
) -> None:
    assert locked_packages(write(tmp_path / "one", pyproject)) is None
