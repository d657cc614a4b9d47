"""A manifest from a model is checked before it replaces a good one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.builder.manifest import checked_manifest
from vibedesk.engine.scof import PatchError

_STARTER = json.dumps(
    {
        "name": "starter",
        "scripts": {"dev": "vite", "build": "vite build"},
        "dependencies": {"react": "19.3.1"},
        "devDependencies": {"vite": "8.3.8"},
    }
)
_NAMES = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4)


@pytest.mark.parametrize(
    "broken",
    ["", "{", '{"name": "x",}', "[]", '"x"', '{"scripts": []}', '{"dependencies": {"react": 19}}'],
)
def test_a_broken_manifest_is_refused(broken: str) -> None:
    with pytest.raises(PatchError) as caught:
        checked_manifest("package.json", broken, _STARTER)
    assert caught.value.reason == "malformed"


def test_what_the_starter_needs_is_put_back() -> None:
    wanted = {"name": "app", "scripts": {"dev": "vite --open"}, "dependencies": {"zod": "4.6.7"}}
    text = checked_manifest("package.json", json.dumps(wanted), _STARTER)
    assert json.loads(text) == {
        "name": "app",
        "scripts": {"build": "vite build", "dev": "vite --open"},
        "dependencies": {"react": "19.3.1", "zod": "4.6.7"},
        "devDependencies": {"vite": "8.3.8"},
    }


def test_a_package_that_moved_between_sections_is_not_doubled() -> None:
    moved = json.loads(_STARTER)
    moved["dependencies"]["vite"] = moved.pop("devDependencies")["vite"]
    text = json.dumps(moved)
    assert checked_manifest("package.json", text, _STARTER) == text


def test_a_broken_pyproject_is_refused_and_a_whole_one_kept() -> None:
    with pytest.raises(PatchError):
        checked_manifest("pyproject.toml", "[project", None)
    assert checked_manifest("pyproject.toml", "[project]\n", None) == "[project]\n"


@given(scripts=_NAMES, dependencies=_NAMES)
def test_nothing_of_the_proposed_manifest_is_lost(
    scripts: dict[str, str], dependencies: dict[str, str]
) -> None:
    wanted = {"scripts": scripts, "dependencies": dependencies}
    got = json.loads(checked_manifest("package.json", json.dumps(wanted), _STARTER))
    starter = json.loads(_STARTER)
    assert got["scripts"] == {**starter["scripts"], **scripts}
    assert {**got["dependencies"], **got.get("devDependencies", {})}.items() >= dependencies.items()
    assert checked_manifest("package.json", json.dumps(got), _STARTER) == json.dumps(got)


def test_other_files_pass() -> None:
    assert checked_manifest("src/package.json", "{", _STARTER) == "{"
