"""The relay with the registry that the person's npm uses. It runs as a program of its own, as npm does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vibedesk.engine.sandboxes.node import NodeToolchain, find_toolchains

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[4]
TEMPLATE = ROOT / "resources" / "templates" / "react-vite"


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[str]:
    """The address of a running relay."""
    program = Path(__file__).with_name("relay_program.py")
    with subprocess.Popen(
        [sys.executable, str(program), str(tmp_path / "store")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def npm(
    toolchain: NodeToolchain, folder: Path, home: Path, registry: str, *arguments: str
) -> dict[str, object]:
    """Run npm with a cache of its own; return the lock file."""
    environment = {
        **os.environ,
        "PATH": f"{toolchain.node.parent}:{os.environ['PATH']}",
        "npm_config_cache": str(home),
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        "npm_config_omit_lockfile_registry_resolved": "true",
        **({"npm_config_registry": registry} if registry else {}),
    }
    done = subprocess.run(
        [*toolchain.npm, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lock: dict[str, object] = json.loads((folder / "package-lock.json").read_text())
    return lock


def test_an_app_installs_through_the_relay_as_it_does_without(relay: str, tmp_path: Path) -> None:
    toolchain = find_toolchains()[0]
    locks = []
    for name, registry in (("direct", ""), ("relayed", relay), ("again", relay)):
        folder = tmp_path / name
        shutil.copytree(TEMPLATE, folder)
        cache = tmp_path / f"cache-{name}"
        npm(toolchain, folder, cache, registry, "ci")
        locks.append(
            npm(toolchain, folder, cache, registry, "install", "zod@4.1.12", "--save-exact")
        )
        assert (folder / "node_modules" / "zod" / "package.json").exists()
    direct, relayed, again = locks
    assert relayed == direct
    assert again == direct
    assert '"resolved"' not in json.dumps(relayed)
