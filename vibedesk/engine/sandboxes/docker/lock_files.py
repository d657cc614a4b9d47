"""What a project's packages are, as its lock file says: the name under which they are kept ready. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LOCK = "package-lock.json"
_MANIFEST = "package.json"
_NPMRC = ".npmrc"
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


@dataclass(frozen=True, slots=True)
class LockedPackages:
    """Everything that decides what an install makes of a lock file."""

    files: dict[str, bytes]
    """By name in the work folder; of the project's own only what the digest covers."""
    digest: str

    def key(self, system: str) -> str:
        """Return the content's name: packages with programs in them fit one system only."""
        return hashlib.sha256(f"{system}\0{self.digest}".encode()).hexdigest()[:16]


def locked_packages(folder: Path) -> LockedPackages | None:
    """Read a project's lock file; None where its packages cannot be kept apart from it. Blocking.

    That is so without a lock file, with packages from the project's own folders, and where the project's own scripts
    take part in the install.
    """
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
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return LockedPackages(files, digest.hexdigest())


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
