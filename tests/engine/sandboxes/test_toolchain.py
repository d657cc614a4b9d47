"""Which Node, which isolation, which driver: found on this machine, and said when something is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engine.sandboxes.test_local_driver import needs_bubblewrap
from vibedesk.engine.sandboxes import bubblewrap
from vibedesk.engine.sandboxes.environment import sandbox_environment
from vibedesk.engine.sandboxes.layout import layout_for
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.node import MINIMUM_VERSION, NodeToolchain, find_toolchains
from vibedesk.engine.sandboxes.python import find_python_tools


def fake_program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def bundled() -> NodeToolchain:
    return find_toolchains()[-1]


def test_the_bundled_node_is_fit(bundled: NodeToolchain) -> None:
    assert bundled.bundled
    assert tuple(map(int, bundled.version.split("."))) >= MINIMUM_VERSION
    assert "came with VibeDesk" in bundled.source
    assert Path(bundled.npm[1]).is_file()


def test_a_fit_node_of_the_machine_is_preferred_and_its_shim_seen_through(
    bundled: NodeToolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = tmp_path / "prefix"
    (prefix / "bin").mkdir(parents=True)
    shutil.copy(bundled.node, prefix / "bin" / "node")
    (prefix / "lib" / "node_modules").mkdir(parents=True)
    shutil.copytree(bundled.npm_package, prefix / "lib" / "node_modules" / "npm", symlinks=True)
    fake_program(tmp_path / "shims", "node", f'exec "{prefix}/bin/node" "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path}/shims:{os.environ['PATH']}")
    first, second = find_toolchains()
    assert first.node == prefix / "bin" / "node"
    assert not first.bundled
    assert "of this machine" in first.source
    assert second == bundled


@pytest.mark.parametrize(
    "script", ['echo \'["/x/bin/node","20.20.0"]\'', "exit 1", "echo nonsense", "kill -9 $$"]
)
def test_an_unfit_node_of_the_machine_is_passed_over(
    bundled: NodeToolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    fake_program(tmp_path / "bin", "node", script)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    assert find_toolchains() == (bundled,)


async def test_a_bubblewrap_that_does_not_work_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_program(
        tmp_path / "bin", "bwrap", "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1"
    )
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    isolation = await LocalDriver(tmp_path / "state").isolation()
    assert isolation.kind == "none"
    assert "does not work here (bwrap: setting up uid map: Permission denied)" in isolation.sentence


async def test_a_machine_without_bubblewrap_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    isolation = await LocalDriver(tmp_path / "state").isolation()
    assert isolation.kind == "none"
    assert "bubblewrap is not installed" in isolation.sentence


async def test_a_folder_that_cannot_be_written_is_no_obstacle_to_looking(tmp_path: Path) -> None:
    await LocalDriver(tmp_path / "state").check()
    assert not (tmp_path / "state").exists()


# -- Python --------------------------------------------------------------------------------------------------
def test_the_machines_python_is_used_where_it_is_new_enough(tmp_path: Path) -> None:
    fake_program(tmp_path / "old", "python3", "echo False")
    fake_program(tmp_path / "new", "python3", "echo True")
    fake_program(tmp_path / "broken", "python3", "exit 1")
    wanted = {"old": False, "new": True, "broken": False, "none": False}
    for folder, fit in wanted.items():
        tools = find_python_tools((str(tmp_path / folder),))
        assert tools is not None
        assert tools.uv.is_file()
        assert (tools.prefix is None) == fit, folder


@needs_bubblewrap
def test_vibedesks_own_python_works_inside(tmp_path: Path) -> None:
    layout = layout_for(
        app=tmp_path / "app",
        private=tmp_path / "private",
        toolchain=find_toolchains()[-1],
        wrapped=True,
        python=find_python_tools(()),
    )
    layout.create()
    bubblewrap.prepare(layout)
    layout.app.outside.mkdir()
    wrapper, reason = bubblewrap.find_bubblewrap(layout)
    assert wrapper, reason
    assert layout.python is not None
    script = "import sqlite3, ssl, venv, sys; print(sys.version_info >= (3, 11))"
    python = str(layout.python.inside / "bin" / "python3")
    done = subprocess.run(
        wrapper.wrap(
            layout, ["uv", "run", "--no-project", "--python", python, "python", "-c", script]
        ),
        env=sandbox_environment(layout, {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "True\n", done.stderr
