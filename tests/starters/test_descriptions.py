"""What every starter's files promise, without installing anything."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.starters.workshop import description, starter_folder, starter_names
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.files.ignore_rules import IgnoreRules

_PLATFORMS = ("linux-x64-gnu", "linux-arm64-gnu", "darwin-x64", "darwin-arm64", "win32-x64-msvc")
_NPM = [name for name in starter_names() if (starter_folder(name) / "package.json").is_file()]


def _json(name: str, file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((starter_folder(name) / file).read_text("utf-8"))
    return found


def test_there_are_at_least_seven() -> None:
    assert len(starter_names()) >= 7


@pytest.mark.parametrize("name", starter_names())
def test_a_model_learns_how_to_work_with_it(name: str) -> None:
    starter = load_template(name)

    assert starter.name == name == description(name)["name"]
    assert starter.description
    assert starter.best_for
    assert starter.typecheck_command
    assert starter.lint_command
    assert starter.build_command
    for serving in (starter.dev_command, starter.preview_command):
        assert {"{host}", "{port}"} <= set(re.findall(r"\{\w+\}", serving))
        assert "127.0.0.1" not in serving
    exact = {"typescript": "npm install --save-exact", "python": "uv add --bounds exact"}
    assert description(name)["add_command"] == f"{exact[starter.language]} {{packages}}"
    assert len(starter.usage) >= 10
    made_later = {"template.json", *starter.packages.lock_files}
    for path in {*starter.important_files, *starter.untouchable_files} - made_later:
        assert (starter.folder / path).is_file(), path


@pytest.mark.parametrize("name", starter_names())
def test_what_its_build_writes_is_no_part_of_the_project(name: str) -> None:
    starter = load_template(name)
    rules = IgnoreRules(lambda path: _text(starter.folder / path))
    assert starter.build_folder
    assert not rules.enters(starter.build_folder)


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None


@pytest.mark.parametrize("name", _NPM)
def test_versions_are_exact_and_name_no_registry(name: str) -> None:
    package, lock = _json(name, "package.json"), _json(name, "package-lock.json")

    wanted = {**package.get("dependencies", {}), **package["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values()), wanted
    locked = {place: entry for place, entry in lock["packages"].items() if place}
    assert not [place for place, entry in locked.items() if "resolved" in entry]
    assert all(entry.get("integrity") for entry in locked.values() if not entry.get("inBundle"))
    assert {each: locked[f"node_modules/{each}"]["version"] for each in wanted} == wanted


@pytest.mark.parametrize("name", _NPM)
def test_native_packages_are_locked_for_every_platform(name: str) -> None:
    locked = _json(name, "package-lock.json")["packages"]

    for place, entry in locked.items():
        natives = [each for each in entry.get("optionalDependencies", {}) if "linux-x64" in each]
        for native in natives:
            stem = native.split("linux-x64")[0]
            for platform in _PLATFORMS:
                assert any(
                    f"node_modules/{stem}{platform}" in (other, other.removesuffix("-msvc"))
                    for other in locked
                ), f"{place} has no {stem}{platform}"
