"""Which Node, which isolation, which driver: found on this machine, and said when something is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from vibedesk.engine.sandboxes.driver import SandboxUnavailableError
from vibedesk.engine.sandboxes.local_driver import LocalDriver
from vibedesk.engine.sandboxes.node import MINIMUM_VERSION, NodeToolchain, find_toolchains
from vibedesk.engine.sandboxes.select import choose_driver


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
    choice = await choose_driver("auto", tmp_path / "state")
    assert (await choice.driver.isolation()).kind == "none"
    assert "bubblewrap is not installed" in choice.reason


async def test_docker_is_refused_plainly(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailableError, match="not part of this version") as caught:
        await choose_driver("docker", tmp_path / "state")
    assert "--sandbox local" in caught.value.remedy


async def test_a_folder_that_cannot_be_written_is_no_obstacle_to_looking(tmp_path: Path) -> None:
    choice = await choose_driver("local", tmp_path / "state")
    assert not (tmp_path / "state").exists()
    assert choice.driver.name == "local"
