"""Packages of a Python app are looked up in the index before they are installed: uv and an index on loopback."""

from __future__ import annotations

import json
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.engine.agent.conftest import Bench
from tests.support.model_server import ModelServer
from tests.support.tiny_app import phase, whole
from tests.support.tiny_python_index import TinyIndex, tiny_index
from vibedesk.base.paths import Home
from vibedesk.engine.engine import Engine

PAGE = "<!doctype html>\n<title>Greeter</title>\n<h1>Good morning</h1>\n"
PYPROJECT = (
    '[project]\nname = "app"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
    "dependencies = []\n\n[tool.uv]\npackage = false\n"
)
DESCRIPTION = {
    "name": "tiny-python",
    "description": "A page served by Python, without packages. For tests.",
    "language": "python",
    "frameworks": ["http.server"],
    "important_files": ["pyproject.toml", "index.html"],
    "usage": ["index.html is the page."],
    "install_command": "uv sync",
    "dev_command": "uv run --frozen --no-sync python -m http.server --bind {host} {port}",
    "build_command": "",
}


@pytest.fixture
def index() -> Iterator[TinyIndex]:
    with tiny_index() as index:
        index.publish("alpha", "1.0", "1.1")
        index.publish("alpha", "1.2", yanked=True)
        index.publish("beta", "1.0", "1.5", "2.0")
        yield index


@pytest.fixture
async def python_bench(
    home: Home,
    model: ModelServer,
    index: TinyIndex,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Bench]:
    """A bench with an engine of its own, whose apps get their packages from `index`."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.address)
    template = tmp_path / "tiny-python"
    template.mkdir()
    texts = {
        "template.json": json.dumps(DESCRIPTION),
        "pyproject.toml": PYPROJECT,
        "index.html": "<!doctype html><title>Starter</title>",
        ".gitignore": ".venv\n",
    }
    for name, text in texts.items():
        (template / name).write_text(text, "utf-8")
    bench = Bench(Engine(home, attended=False), model, template)
    bench.engine.start()
    yield bench
    await bench.aclose()


def script_phase(server: ModelServer, packages: str, also: str = "") -> None:
    """Queue a build in one phase that installs `packages` with its plan and writes a page."""
    first = phase("Greeting", ["index.html"], last=True, packages=packages)
    blueprint = {"title": "Greeter", "description": "Greets.", "initial_phase": first}
    server.answer(json.dumps(blueprint), operation="blueprint")
    server.answer(also + whole("index.html", PAGE), operation="implement_phase")


async def listed(bench: Bench, project_id: str) -> list[str]:
    text = await bench.engine.read_file(project_id, "pyproject.toml")
    return sorted(tomllib.loads(text)["project"]["dependencies"])


async def test_planned_packages_become_versions_that_exist(python_bench: Bench) -> None:
    script_phase(python_bench.server, "uv pip install alpha beta==1.99\n")
    project_id = await python_bench.build()
    view = await python_bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert await listed(python_bench, project_id) == ["alpha==1.1", "beta==1.5"]
    text = await python_bench.engine.read_file(project_id, "pyproject.toml")
    assert "127.0.0.1" not in text, "the person's index is no part of the app"
    assert python_bench.notices("version_replaced") == [
        "There is no beta==1.99 to be had; taking beta==1.5."
    ]


async def test_a_made_up_package_is_caught_before_the_install(
    python_bench: Bench, index: TinyIndex
) -> None:
    script_phase(python_bench.server, "pip install alpha==1.0 surely-made-up==3.1\n")
    python_bench.server.answer(whole("index.html", PAGE + "<p>Without it</p>\n"), operation="fix")
    project_id = await python_bench.build()
    view = await python_bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert python_bench.notices("no_such_package") == [
        "There is no package surely-made-up==3.1; going on without it."
    ]
    assert "there is no package surely-made-up==3.1" in python_bench.asked("fix")[0]
    assert await listed(python_bench, project_id) == ["alpha==1.0"]
    commands = [e.payload.command for e in python_bench.of("command_started")]  # type: ignore[attr-defined]
    assert not [command for command in commands if "surely-made-up" in command]
    assert index.asked["surely-made-up"] == 1


async def test_what_a_model_lists_is_caught_before_the_install(
    python_bench: Bench, index: TinyIndex
) -> None:
    listing = '["alpha", "beta[x] >= 99", "surely-made-up>=3"]'
    wanted = PYPROJECT.replace("dependencies = []", f"dependencies = {listing}")
    script_phase(python_bench.server, "", also=whole("pyproject.toml", wanted))
    python_bench.server.answer(whole("index.html", PAGE + "<p>Without it</p>\n"), operation="fix")
    project_id = await python_bench.build()
    view = await python_bench.engine.project(project_id)
    assert (view.state, view.issues) == ("complete", ()), view.reason
    assert python_bench.notices("no_such_package") == [
        "There is no package surely-made-up>=3; going on without it."
    ]
    assert python_bench.notices("version_replaced") == [
        "There is no beta[x] >= 99 to be had; taking beta[x]==2.0."
    ]
    assert "there is no package surely-made-up>=3" in python_bench.asked("fix")[0]
    assert await listed(python_bench, project_id) == ["alpha", "beta[x]==2.0"]
    assert index.asked["surely-made-up"] == 1


async def test_where_settings_say_where_packages_come_from_the_install_is_asked(
    python_bench: Bench,
) -> None:
    settings = "# A company's own index would be named here.\n"
    (python_bench.template / "uv.toml").write_text(settings, "utf-8")
    script_phase(python_bench.server, "pip install the-companys-own\n")
    python_bench.server.answer(whole("index.html", PAGE + "<p>Without it</p>\n"), operation="fix")
    await python_bench.build()
    commands = [e.payload.command for e in python_bench.of("command_started")]  # type: ignore[attr-defined]
    assert [command for command in commands if "the-companys-own" in command]


async def test_newest_versions_that_do_not_go_together_are_left_to_uv(
    python_bench: Bench, index: TinyIndex
) -> None:
    index.publish("alpha", "1.3", needs=["beta<2"])
    script_phase(python_bench.server, "uv add alpha>=1.3 beta\n")
    project_id = await python_bench.build()
    view = await python_bench.engine.project(project_id)
    assert view.state == "complete", view.reason
    lock = tomllib.loads(await python_bench.engine.read_file(project_id, "uv.lock"))
    taken = {package["name"]: package.get("version") for package in lock["package"]}
    assert (taken["alpha"], taken["beta"]) == ("1.3", "1.5")


async def test_an_index_that_does_not_answer_is_left_to_the_install(
    python_bench: Bench, index: TinyIndex
) -> None:
    index.status = 400
    script_phase(python_bench.server, "uv add alpha\n")
    project_id = await python_bench.build()
    assert not python_bench.notices("no_such_package")
    commands = [e.payload.command for e in python_bench.of("command_started")]  # type: ignore[attr-defined]
    assert "uv add --bounds exact alpha" in commands
    assert await python_bench.state(project_id) == "error"


async def test_a_broken_pyproject_never_replaces_a_good_one(python_bench: Bench) -> None:
    """TOML that uv cannot use is refused and asked for again; what was installed meanwhile stays listed."""
    broken = PYPROJECT.replace("dependencies = []", 'dependencies = "alpha, beta"')
    script_phase(python_bench.server, "uv add alpha\n", also=whole("pyproject.toml", broken))
    good = PYPROJECT.replace("dependencies = []", 'dependencies = ["alpha", "beta<2"]')
    python_bench.server.answer(whole("pyproject.toml", good), operation="continue")
    project_id = await python_bench.build()
    view = await python_bench.engine.project(project_id)
    assert view.state == "complete", view.reason
    again = python_bench.asked("continue")[-1]
    assert "`project.dependencies` in pyproject.toml is no list of packages." in again
    assert await listed(python_bench, project_id) == ["alpha", "beta<2"]
