"""A local sandbox's private folder on this machine, and where its parts lie as seen from inside.

Without bubblewrap both are the same. Inside bubblewrap the places are fixed, so that neither the person's
name nor the shape of their disk shows up in logs, prompts and error reports.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from vibedesk.base.resources import resource
from vibedesk.engine.sandboxes.node import NodeToolchain
from vibedesk.engine.sandboxes.python import PythonToolchain

INSIDE_APP = Path("/app")
_INSIDE_HOME = Path("/home/app")
_INSIDE_TMP = Path("/tmp")
_INSIDE_CONFIG = Path("/opt/vibedesk/config")
_INSIDE_BIN = Path("/opt/vibedesk/bin")
_INSIDE_NODE_PREFIX = Path("/opt/node")
_INSIDE_UV = Path("/opt/uv/bin/uv")
_QUICK_UNPACK = "quick_unpack.cjs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One folder or file: where it is on this machine, and where a command in the sandbox sees it."""

    outside: Path
    inside: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLayout:
    """The places of one local sandbox."""

    app: Place
    """The project's work folder."""
    home: Place
    tmp: Place
    config: Place
    """Written by VibeDesk: npm's configuration, certificates; read-only in bubblewrap."""
    bin: Place
    """First on PATH: node, npm and npx of the chosen toolchain, uv; read-only in bubblewrap."""
    node: Place
    npm_package: Place
    uv: Place | None = None
    python: Place | None = None
    """The folder of a Python that is new enough, where the machine's own is not; the last on PATH."""

    @property
    def toolchain(self) -> tuple[Place, ...]:
        """What programs come from outside; read-only in bubblewrap."""
        found = (self.node, self.npm_package, self.uv, self.python)
        return tuple(place for place in found if place is not None)

    @property
    def private(self) -> tuple[Place, ...]:
        """The folders that are the sandbox's own."""
        return (self.home, self.tmp, self.config, self.bin)

    @property
    def places(self) -> tuple[Place, ...]:
        """Everything of this machine's disk that is at a place of its own inside."""
        return (self.app, *self.private, *self.toolchain)

    def create(self) -> None:
        """Make the private folders, empty but for the toolchain's commands. Blocking."""
        for place in self.private:
            place.outside.mkdir(parents=True, mode=0o700)
        (self.bin.outside / "node").symlink_to(self.node.inside)
        if self.uv is not None:
            (self.bin.outside / "uv").symlink_to(self.uv.inside)
        shutil.copy(resource("sandbox", _QUICK_UNPACK), self.bin.outside)
        node = f"{_quoted(self.node.inside)} --require {_quoted(self.bin.inside / _QUICK_UNPACK)}"
        for name in ("npm", "npx"):
            script = self.bin.outside / name
            cli = self.npm_package.inside / "bin" / f"{name}-cli.js"
            script.write_text(f'#!/bin/sh\nexec {node} {_quoted(cli)} "$@"\n')
            script.chmod(0o755)

    def remove(self) -> None:
        """Remove the private folders; the work folder stays. Blocking."""
        root = self.home.outside.parent
        if root.exists():
            shutil.rmtree(root)


def layout_for(
    *,
    app: Path,
    private: Path,
    toolchain: NodeToolchain,
    wrapped: bool,
    python: PythonToolchain | None = None,
) -> SandboxLayout:
    """Return the places of a sandbox for the project folder `app` with the private folder `private`."""
    node, npm_package = toolchain.node, toolchain.npm_package
    if not wrapped:
        return SandboxLayout(
            app=_same(app),
            home=_same(private / "home"),
            tmp=_same(private / "tmp"),
            config=_same(private / "config"),
            bin=_same(private / "bin"),
            node=_same(node),
            npm_package=_same(npm_package),
            uv=_same(python.uv) if python else None,
            python=_same(python.prefix) if python and python.prefix else None,
        )
    return SandboxLayout(
        app=Place(outside=app, inside=INSIDE_APP),
        home=Place(outside=private / "home", inside=_INSIDE_HOME),
        tmp=Place(outside=private / "tmp", inside=_INSIDE_TMP),
        config=Place(outside=private / "config", inside=_INSIDE_CONFIG),
        bin=Place(outside=private / "bin", inside=_INSIDE_BIN),
        node=_moved(node, _INSIDE_NODE_PREFIX / "bin/node"),
        npm_package=_moved(npm_package, _INSIDE_NODE_PREFIX / "lib/node_modules/npm"),
        uv=_moved(python.uv, _INSIDE_UV) if python else None,
        # Where it was made: a Python knows the place of its own libraries.
        python=_same(python.prefix) if python and python.prefix else None,
    )


def _same(path: Path) -> Place:
    return Place(outside=path, inside=path)


def _moved(path: Path, inside: Path) -> Place:
    # What lies in /usr is there inside as well, with the libraries it is linked to.
    return _same(path) if path.is_relative_to("/usr") else Place(outside=path, inside=inside)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
