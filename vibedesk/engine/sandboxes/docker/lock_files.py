"""What a project's packages are, as its lock file says: the name under which they are kept ready.

A Python project may have no lock file yet: then its manifest says it, and the lock file that comes out is kept, too.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LOCK = "package-lock.json"
_MANIFEST = "package.json"
_NPMRC = ".npmrc"
_NPM_INSTALL = ("npm", "ci", "--no-audit", "--no-fund")
_PYPROJECT = "pyproject.toml"
_UV_LOCK = "uv.lock"
_UV_SETTINGS = ("uv.toml", ".python-version")
# What every app would otherwise compile for itself at its first start.
_UV_INSTALL = ("uv", "sync", "--compile-bytecode")
_MOST_BYTES = 20_000_000
# npm runs these of the project itself while it installs: what they do belongs to the project, not to its packages.
_INSTALL_SCRIPTS = frozenset(
    {"preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"}
)
_SELF = frozenset({"name", "version", "license"})
_OF_PACKAGES = (
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "bundleDependencies",
    "bundledDependencies",
    "overrides",
    "engines",
    "os",
    "cpu",
)
_OF_PYTHON_PACKAGES = ("name", "version", "requires-python", "dependencies")


@dataclass(frozen=True, slots=True)
class LockedPackages:
    """Everything that decides what an install makes of a lock file."""

    files: dict[str, bytes]
    """By name in the work folder; of the project's own only what the digest covers."""
    digest: str
    install: tuple[str, ...]
    """The command that installs them."""
    made: tuple[str, ...]
    """What it makes in the work folder, the packages' own folder first; nothing else is kept."""

    def key(self, system: str) -> str:
        """Return the content's name: packages with programs in them fit one system only."""
        return hashlib.sha256(f"{system}\0{self.digest}".encode()).hexdigest()[:16]


def locked_packages(folder: Path, python_index: str = "") -> LockedPackages | None:
    """Read a project's lock file; None where its packages cannot be kept apart from it. Blocking.

    That is so without a lock file of npm and without packages in a pyproject.toml, with packages from the project's
    own folders, where the project itself or its own scripts take part in the install, and where only the install
    command says which of them are wanted.

    Args:
        folder: The project's.
        python_index: Where uv gets packages, unless the project says it; empty for uv's own default.
    """
    return _npm_packages(folder) or _python_packages(folder, python_index)


def _npm_packages(folder: Path) -> LockedPackages | None:
    files = {
        name: data
        for name in (_MANIFEST, _LOCK, _NPMRC)
        if (data := _read(folder / name)) is not None
    }
    try:
        manifest = _object(json.loads(files[_MANIFEST]))
        lock = _object(json.loads(files[_LOCK]))
        packages = _object(lock["packages"])
        root = _object(packages[""])
        own_scripts = _INSTALL_SCRIPTS & _object(manifest.get("scripts", {})).keys()
    except (KeyError, RecursionError, ValueError):
        return None
    if own_scripts or any(_is_local(place, entry) for place, entry in packages.items() if place):
        return None
    # The app's name and version change nothing. No package's own script may find more of the project than what the
    # digest covers: what it makes of that would be every other project's, too.
    rest = {name: value for name, value in root.items() if name not in _SELF}
    kept_lock = {
        "lockfileVersion": lock.get("lockfileVersion"),
        "requires": True,
        "packages": {**packages, "": rest},
    }
    kept_manifest = {name: manifest[name] for name in _OF_PACKAGES if name in manifest}
    files[_LOCK] = json.dumps(kept_lock, sort_keys=True).encode()
    files[_MANIFEST] = json.dumps(kept_manifest, sort_keys=True).encode()
    return LockedPackages(files, _digest(files), _NPM_INSTALL, ("node_modules",))


def _python_packages(folder: Path, index: str) -> LockedPackages | None:
    import tomlkit

    names = (_PYPROJECT, _UV_LOCK, *_UV_SETTINGS)
    files = {name: data for name in names if (data := _read(folder / name)) is not None}
    try:
        manifest = tomllib.loads(files[_PYPROJECT].decode())
        project = _object(manifest["project"])
        groups = _object(manifest.get("dependency-groups", {}))
        settings = _object(_object(manifest.get("tool", {})).get("uv", {}))
        if not project.get("dependencies") or _takes_part(manifest, project, settings):
            return None
        if _is_chosen(project, groups, settings):
            return None
        # The app's name and version stay: they are in the lock file as well.
        kept = {
            "project": {name: project[name] for name in _OF_PYTHON_PACKAGES if name in project},
            "dependency-groups": groups,
            "tool": {"uv": settings},
        }
        files[_PYPROJECT] = tomlkit.dumps(kept, sort_keys=True).encode()
    except (KeyError, RecursionError, TypeError, ValueError):
        return None
    # A lock file that says something else than the manifest is the project's own install's business.
    locked = ("--locked",) if _UV_LOCK in files else ()
    decides = files if locked else {**files, "index": index.encode()}
    return LockedPackages(files, _digest(decides), (*_UV_INSTALL, *locked), (".venv", _UV_LOCK))


def _takes_part(
    manifest: dict[str, Any], project: dict[str, Any], settings: dict[str, Any]
) -> bool:
    """Whether what is installed is partly made of the Python project itself."""
    built = "build-system" in manifest or settings.get("package") or project.get("dynamic")
    return bool(built or "workspace" in settings) or any(
        {"path", "workspace"} & _object(place).keys()
        for places in _object(settings.get("sources", {})).values()
        for place in (places if isinstance(places, list) else [places])
    )


def _is_chosen(project: dict[str, Any], groups: dict[str, Any], settings: dict[str, Any]) -> bool:
    """Whether a Python project has packages that are installed only where the command names their group."""
    usual = settings.get("default-groups", ["dev"])
    return bool(project.get("optional-dependencies")) or (
        usual != "all" and not groups.keys() <= set(usual)
    )


def _digest(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _is_local(place: str, entry: Any) -> bool:
    if not isinstance(entry, dict) or entry.get("link") or not place.startswith("node_modules/"):
        return True
    return str(entry.get("resolved", "")).startswith("file:")
