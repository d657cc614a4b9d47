from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).resolve().parents[2]


def _pins() -> dict[str, str]:
    lines = (_ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def _asked_for() -> list[str]:
    pyproject = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = pyproject["project"]
    return [
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
        *pyproject["build-system"]["requires"],
    ]


def _needed_here() -> set[str]:
    """Names of everything that an install pulls in on this system, as the installed packages tell."""
    waiting = [Requirement(line) for line in _asked_for()]
    needed: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in needed:
            continue
        needed.add(name)
        for line in metadata.requires(name) or ():
            further = Requirement(line)
            extras = requirement.extras or {""}
            if further.marker is None or any(
                further.marker.evaluate({"extra": extra}) for extra in extras
            ):
                waiting.append(further)
    return needed


def test_every_package_that_an_install_pulls_in_is_pinned() -> None:
    assert _needed_here() - _pins().keys() == set()


def test_the_pins_satisfy_what_the_project_asks_for() -> None:
    pins = _pins()
    unmet = [
        line
        for line in _asked_for()
        if pins[canonicalize_name(Requirement(line).name)] not in Requirement(line).specifier
    ]
    assert unmet == []


def test_no_index_or_address_is_written_down() -> None:
    assert "://" not in (_ROOT / "constraints.txt").read_text(encoding="utf-8")
