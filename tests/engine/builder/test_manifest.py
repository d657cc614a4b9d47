"""A manifest from a model is checked before it replaces a good one."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st
from uv import find_uv_bin

from tests.engine.sandboxes.docker.test_lock_files import STARTERS
from tests.support.tiny_python_index import tiny_index
from vibedesk.engine.builder.manifest import (
    LOCK_FILES,
    checked_manifest,
    line_of_package,
    requirements,
    unlocked_requirements,
    with_requirements,
)
from vibedesk.engine.builder.templates import load_template
from vibedesk.engine.scof import PatchError

_STARTER = json.dumps(
    {
        "name": "starter",
        "scripts": {"dev": "vite", "build": "vite build"},
        "dependencies": {"react": "19.3.1"},
        "devDependencies": {"vite": "8.3.8"},
    }
)
_PROJECT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["alpha>=1"]\n'
_NAMES = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4)
_LISTED = """{
  "name": "left-pad",
  "overrides": { "tiny": "1.0.0", "dependencies": { "tiny": "2" } },
  "dependencies": { "tiny-two": "1",
    "@acme/ui": "^1.0.0", "quoted\\"": "\\"tiny\\": 1" },
  "devDependencies": {
    "tiny": "^3.0.0"
  }
}
"""
_ASKS = """[project] # "alpha"
name = "gamma"
keywords = ["alpha"]
dependencies = [
  # "alpha==0.1",
  'beta[extra]>=2; python_version > "3.8"', "Alpha.One~=1.0",
  "alpha",
]
[project.optional-dependencies]
web = ["delta"]
[tool.uv]
constraint-dependencies = ["deep<2"]
[[tool.uv.index]]
name = "deep"
[dependency-groups]
dev = [
  "epsilon",
  {include-group = "web"},
]
"""


@pytest.mark.parametrize(
    ("path", "text", "package", "line"),
    [
        ("package.json", _LISTED, "@acme/ui", 5),
        ("package.json", _LISTED, "tiny-two", 4),
        ("package.json", _LISTED, "tiny", 7),
        ("package.json", _LISTED, "left-pad", 0),
        ("package.json", _LISTED[:40], "tiny", 0),
        ("pyproject.toml", _ASKS, "alpha", 7),
        ("pyproject.toml", _ASKS, "beta", 6),
        ("pyproject.toml", _ASKS, "alpha-one", 6),
        ("pyproject.toml", _ASKS, "delta", 10),
        ("pyproject.toml", _ASKS, "epsilon", 17),
        ("pyproject.toml", _ASKS, "gamma", 0),
        ("pyproject.toml", _ASKS, "deep", 0),
        ("pyproject.toml", _ASKS + "[", "alpha", 0),
        ("go.mod", "tiny", "tiny", 0),
    ],
)
def test_a_package_is_found_where_the_app_itself_asks_for_it(
    path: str, text: str, package: str, line: int
) -> None:
    assert line_of_package(path, text, package) == line


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


@pytest.mark.parametrize(
    "broken",
    [
        "[project",
        "",
        "project = 1\n",
        "[project]\n",
        _PROJECT.replace('name = "app"\n', ""),
        _PROJECT.replace('"app"', '"my app!"'),
        _PROJECT.replace('version = "1"\n', ""),
        _PROJECT.replace('"1"', '"first"'),
        _PROJECT.replace("version", 'dynamic = ["readme"]\nversion = 1 #'),
        _PROJECT.replace(">=3.11", "the newest"),
        _PROJECT.replace('">=3.11"', "3.11"),
        _PROJECT.replace('["alpha>=1"]', '"alpha>=1"'),
        _PROJECT.replace("alpha>=1", "alpha at 1"),
        _PROJECT.replace('"alpha>=1"', "1"),
        _PROJECT + '[dependency-groups]\ndev = ["mypy latest"]\n',
        _PROJECT + '[project.optional-dependencies]\ndev = "mypy"\n',
        _PROJECT + '[tool.uv]\nconstraint-dependencies = ["=1"]\n',
    ],
)
def test_a_pyproject_that_no_tool_can_use_is_refused(broken: str) -> None:
    with pytest.raises(PatchError) as caught:
        checked_manifest("pyproject.toml", broken, _PROJECT)
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize(
    "sound",
    [
        _PROJECT,
        _PROJECT.replace('version = "1"', 'dynamic = ["version"]'),
        _PROJECT
        + '[dependency-groups]\ndev = ["mypy==2", { include-group = "docs" }]\ndocs = []\n',
        _PROJECT.replace("alpha>=1", "Alpha[fast] == 1.* ; python_version > '3'"),
    ],
)
def test_a_whole_pyproject_is_kept(sound: str) -> None:
    assert checked_manifest("pyproject.toml", sound, _PROJECT) == sound
    assert checked_manifest("pyproject.toml", sound, None) == sound


_ANYTHING = st.recursive(
    st.one_of(
        st.booleans(), st.integers(-9, 9), st.sampled_from(["1", "alpha", "beta>=2", "?", ""])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "dev"]), inner, max_size=2),
    ),
    max_leaves=4,
)
_STARTER_PROJECT = _PROJECT + (
    '[dependency-groups]\ndev = ["gamma"]\n[tool.uv]\npackage = false\n[tool.mypy]\nstrict = true\n'
)


@given(
    project=st.dictionaries(
        st.sampled_from(["dependencies", "optional-dependencies", "requires-python", "dynamic"]),
        _ANYTHING,
    ),
    more=st.fixed_dictionaries(
        {},
        optional={
            "dependency-groups": _ANYTHING,
            "tool": st.one_of(
                _ANYTHING,
                st.dictionaries(st.sampled_from(["uv", "mypy"]), _ANYTHING),
                st.fixed_dictionaries(
                    {
                        "uv": st.dictionaries(
                            st.sampled_from(["constraint-dependencies", "x"]), _ANYTHING
                        )
                    }
                ),
            ),
        },
    ),
)
def test_what_is_taken_of_any_toml_is_whole(
    project: dict[str, object], more: dict[str, object]
) -> None:
    wanted = {"project": {"name": "app", "version": "1", **project}, **more}
    text = tomlkit.dumps(wanted)
    try:
        taken = checked_manifest("pyproject.toml", text, _STARTER_PROJECT)
    except PatchError:
        return
    got = tomllib.loads(taken)
    assert {"uv", "mypy"} <= got["tool"].keys()
    assert "package" in got["tool"]["uv"]
    assert "requires-python" in got["project"]
    assert "alpha" in taken
    assert "gamma" in taken
    assert got["project"].keys() >= wanted["project"].keys()  # type: ignore[attr-defined]
    assert checked_manifest("pyproject.toml", taken, _STARTER_PROJECT) == taken


def test_a_starter_without_a_project_needs_none() -> None:
    other = '[tool.poetry]\nname = "app"\n'
    assert checked_manifest("pyproject.toml", other, other) == other
    with pytest.raises(PatchError):
        checked_manifest("pyproject.toml", other, _PROJECT)


def test_what_the_python_starter_needs_is_put_back() -> None:
    """Models write the file from memory; what they say of their own stays as they wrote it."""
    starter, _ = load_template("python-fastapi").files()
    whole = tomllib.loads(starter["pyproject.toml"])
    wanted = (
        '[project]\nname = "mine"  # kept\nversion = "2"\ndependencies = ["FastAPI==1.0", "beta"]\n\n'
        '[dependency-groups]\ndev = ["pytest==9.9"]\n\n[tool.uv]\n\n[tool.mypy]\nstrict = false\n'
    )
    text = checked_manifest("pyproject.toml", wanted, starter["pyproject.toml"])
    assert 'name = "mine"  # kept' in text
    got = tomllib.loads(text)
    assert got["project"]["requires-python"] == ">=3.11"
    names = [entry.partition("=")[0] for entry in got["project"]["dependencies"]]
    assert names == ["FastAPI", "beta", "jinja2", "python-multipart", "uvicorn"]
    assert got["project"]["dependencies"][0] == "FastAPI==1.0"
    groups = [entry.partition("=")[0] for entry in got["dependency-groups"]["dev"]]
    assert groups == ["pytest", "httpx2", "mypy", "ruff"]
    assert got["tool"] == {**whole["tool"], "mypy": {"strict": False}}
    assert checked_manifest("pyproject.toml", text, starter["pyproject.toml"]) == text


def test_a_python_package_that_moved_is_not_doubled() -> None:
    moved = _PROJECT.replace('["alpha>=1"]', "[]") + '[dependency-groups]\ndev = ["Alpha"]\n'
    assert checked_manifest("pyproject.toml", moved, _PROJECT) == moved


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


# -- what is listed --------------------------------------------------------------------------------


def test_what_npm_installs_is_listed_as_a_command_would_name_it() -> None:
    manifest = {
        "dependencies": {"zod": "^4", "@a/b": "", "local": "file:../x"},
        "devDependencies": {"vite": "8.3.8", "zod": "^4"},
        "peerDependencies": {"react": ">=18 <20"},
        "optionalDependencies": [],
    }
    text = json.dumps(manifest)
    specs = ["zod@^4", "@a/b", "local@file:../x", "vite@8.3.8", "react@>=18 <20"]
    assert requirements("package.json", text) == specs
    assert requirements("src/package.json", text) == []
    instead = {"zod@^4": "zod@3.2.1", "@a/b": None, "vite@8.3.8": None, "never": None}
    assert json.loads(with_requirements("package.json", text, instead)) == {
        "dependencies": {"zod": "^3.2.1", "local": "file:../x"},
        "devDependencies": {"zod": "^3.2.1"},
        "peerDependencies": {"react": ">=18 <20"},
        "optionalDependencies": [],
    }
    assert with_requirements("package.json", text, {"never": None}) == text


@pytest.mark.parametrize("folder", STARTERS, ids=lambda folder: folder.name)
def test_nothing_of_a_starter_is_new_to_its_lock_file(folder: Path) -> None:
    for manifest, lock in LOCK_FILES.items():
        if (folder / lock).exists():
            text, locked = (folder / manifest).read_text(), (folder / lock).read_text()
            assert requirements(manifest, text)
            assert unlocked_requirements(manifest, text, locked) == []


def test_what_is_new_is_what_npm_s_lock_file_was_not_made_for() -> None:
    manifest = {
        "dependencies": {"zod": "^4", "hono": "^4", "nanoid": "^5"},
        "devDependencies": {"vite": "8.3.8"},
    }
    root = {"dependencies": {"zod": "^4", "hono": "^3"}, "devDependencies": {"vite": "8.3.8"}}
    packages = {"": root, "node_modules/nanoid": {"version": "5.1.0"}}
    text, lock = json.dumps(manifest), json.dumps({"lockfileVersion": 3, "packages": packages})
    assert unlocked_requirements("package.json", text, lock) == ["hono@^4", "nanoid@^5"]
    for unknown in ("", "{", "[]", '{"packages": []}', '{"packages": {"": 1}}'):
        assert unlocked_requirements("package.json", text, unknown) is None


def test_what_is_new_is_what_uv_s_lock_file_was_not_made_for(tmp_path: Path) -> None:
    text = (
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["Alpha[x] >=1,  <3", "gamma; python_version<\'3.12\'"]\n'
        '[dependency-groups]\ndev = ["beta~=2.1", { include-group = "docs" }]\ndocs = ["gamma"]\n'
        '[tool.uv]\npackage = false\nconstraint-dependencies = ["alpha<=2.9"]\n'
    )
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    with tiny_index() as index:
        for name in ("alpha", "beta", "gamma"):
            index.publish(name, "2.5.0")
        locking = [find_uv_bin(), "lock", "--quiet", "--default-index", index.address]
        subprocess.run(locking, cwd=tmp_path, check=True, timeout=60)
    lock = (tmp_path / "uv.lock").read_text("utf-8")
    assert unlocked_requirements("pyproject.toml", text, lock) == []
    assert unlocked_requirements("pyproject.toml", text.replace("[x]", ""), lock) == [
        "Alpha >=1,  <3"
    ]
    newer = text.replace("~=2.1", "~=2.2").replace('"gamma"]', '"gamma", "delta"]')
    assert unlocked_requirements("pyproject.toml", newer, lock) == ["beta~=2.2", "delta"]
    broken = lock.replace('extras = ["x"]', "extras = 1")
    for unknown in (
        "",
        "[",
        "package = 1",
        '[[package]]\nname = "app"',
        "[[package]]\nsource = 1",
        broken,
    ):
        assert unlocked_requirements("pyproject.toml", text, unknown) is None


def test_uv_s_lock_file_does_not_say_which_versions_of_a_folder_would_do(tmp_path: Path) -> None:
    (tmp_path / "alpha" / "alpha").mkdir(parents=True)
    (tmp_path / "alpha" / "alpha" / "__init__.py").touch()
    described = '[project]\nname = "alpha"\nversion = "2.5.0"\n'
    (tmp_path / "alpha" / "pyproject.toml").write_text(described, "utf-8")
    text = (
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["alpha>=1"]\n[tool.uv]\npackage = false\n'
        '[tool.uv.sources]\nalpha = { path = "./alpha" }\n'
    )
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    locking = [find_uv_bin(), "lock", "--quiet", "--offline"]
    subprocess.run(locking, cwd=tmp_path, check=True, timeout=60)
    lock = (tmp_path / "uv.lock").read_text("utf-8")
    assert unlocked_requirements("pyproject.toml", text, lock) == []
    beta = text.replace("alpha>=1", "beta>=1")
    assert unlocked_requirements("pyproject.toml", beta, lock) == ["beta>=1"]


def test_of_a_pyproject_only_what_is_replaced_changes() -> None:
    text = _PROJECT.replace('["alpha>=1"]', '[\n    "alpha>=1",  # why\n    "made-up",\n]') + (
        '[dependency-groups]\ndev = ["beta[x] >= 9", { include-group = "docs" }]\ndocs = ["made-up"]\n'
        '[tool.uv]\nconstraint-dependencies = ["beta[x] >= 9"]\n'
    )
    assert requirements("pyproject.toml", text) == ["alpha>=1", "made-up", "beta[x] >= 9"]
    instead = {"made-up": None, "beta[x] >= 9": "beta[x]==2"}
    assert with_requirements("pyproject.toml", text, instead) == (
        text.replace('    "made-up",\n', "")
        .replace('"made-up"', "")
        .replace("beta[x] >= 9", "beta[x]==2")
    )


@pytest.mark.parametrize("path", ["package.json", "pyproject.toml"])
@pytest.mark.parametrize("text", ["", "{", "[]", "[project", '{"dependencies": 1}'])
def test_what_cannot_be_read_lists_nothing_and_stays(path: str, text: str) -> None:
    assert requirements(path, text) == []
    assert with_requirements(path, text, {"zod": None}) == text


@given(
    sections=st.dictionaries(
        st.sampled_from(["dependencies", "devDependencies", "optionalDependencies"]), _NAMES
    ),
    data=st.data(),
)
def test_what_is_dropped_is_gone_and_nothing_else(
    sections: dict[str, dict[str, str]], data: st.DataObject
) -> None:
    text = json.dumps({"name": "app", **sections})
    specs = requirements("package.json", text)
    gone = data.draw(st.lists(st.sampled_from(specs), unique=True) if specs else st.just([]))
    left = with_requirements("package.json", text, dict.fromkeys(gone))
    assert requirements("package.json", left) == [spec for spec in specs if spec not in gone]
    assert json.loads(left)["name"] == "app"
