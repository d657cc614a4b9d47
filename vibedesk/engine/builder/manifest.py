"""Guards the file that lists an app's packages: a broken one never replaces a good one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vibedesk.engine.builder.package_versions import split_spec
from vibedesk.engine.builder.pyproject import (
    checked_pyproject,
    line_of_python_package,
    python_requirements,
    unlocked_python_requirements,
    with_python_requirements,
)
from vibedesk.engine.builder.templates import NPM, UV
from vibedesk.engine.scof import PatchError

MANIFESTS = frozenset({"package.json", "pyproject.toml"})
LOCK_FILES = {"package.json": "package-lock.json", "pyproject.toml": "uv.lock"}
"""Of each manifest the lock file that says what it was made for."""
WRITTEN_BY_INSTALLS = frozenset({*NPM.lock_files, *UV.lock_files})
"""Lock files: no model writes them."""
_KEPT = ("scripts", "dependencies", "devDependencies")
_INSTALLED = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_JSON_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:|"(?:[^"\\]|\\.)*"|[{}\[\]]')


def checked_manifest(path: str, proposed: str, starter: str | None) -> str:
    """Return the text to write for a manifest that a model wrote.

    What the starter's own manifest lists and the proposed one leaves out (scripts, packages) is put back: the
    starter's commands need it, and models write the file from memory. Other files come back as they are.

    Args:
        path: Where it is to be written; only package.json and pyproject.toml at the top are manifests.
        proposed: What the model wrote.
        starter: The starter's own manifest; None where it has none.

    Raises:
        PatchError: it cannot be read, or no tool could use it; `reason` is malformed.
    """
    match path:
        case "package.json":
            return _package_json(proposed, starter)
        case "pyproject.toml":
            return checked_pyproject(proposed, starter)
    return proposed


def requirements(path: str, text: str) -> list[str]:
    """Return what a manifest asks of a registry, as an install command would name it; nothing of what cannot be read."""
    match path:
        case "package.json":
            return list(dict.fromkeys(spec for _, _, spec in _listed(_read(text))))
        case "pyproject.toml":
            return python_requirements(text)
    return []


def unlocked_requirements(path: str, text: str, lock: str) -> list[str] | None:
    """Return those of a manifest's `requirements` that its lock file was not made for: no install has brought them yet.

    Args:
        path: Which manifest it is.
        text: What it reads.
        lock: The text of the file that `LOCK_FILES` names for it.

    Returns:
        None where the lock file does not say what it was made for.
    """
    if path == "pyproject.toml":
        return unlocked_python_requirements(text, lock)
    packages = _read(lock).get("packages")
    root = packages.get("") if isinstance(packages, dict) else None
    if not isinstance(root, dict):
        return None
    locked = [spec for _, _, spec in _listed(root)]
    return [spec for spec in requirements(path, text) if spec not in locked]


def line_of_package(path: str, text: str, package: str) -> int:
    """Return the line, from 1, in which a manifest asks for a package; 0 where it does not, or says so elsewhere."""
    match path:
        case "package.json":
            return _line_of_npm_package(text, package)
        case "pyproject.toml":
            return line_of_python_package(text, package)
    return 0


def _line_of_npm_package(text: str, package: str) -> int:
    depth, section = 0, ""
    for token in _JSON_TOKEN.finditer(text):
        if token[1] is None:
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        elif depth == 1:
            section = token[1]
        elif depth == 2 and section in _INSTALLED and token[1] == package:
            return text.count("\n", 0, token.start()) + 1
    return 0


def with_requirements(path: str, text: str, instead: Mapping[str, str | None]) -> str:
    """Return a manifest that asks for other packages.

    Args:
        path: Which manifest it is.
        text: What it reads.
        instead: By what `requirements` names: what is asked for instead; None: nothing.
    """
    if instead.keys().isdisjoint(requirements(path, text)):
        return text
    if path == "pyproject.toml":
        return with_python_requirements(text, instead)
    manifest = _read(text)
    for section, name, spec in list(_listed(manifest)):
        taken = instead.get(spec, spec)
        if taken is None:
            del manifest[section][name]
        elif taken != spec:
            manifest[section][name] = f"^{split_spec(taken)[1]}"  # as npm lists what it adds
    return _written(manifest)


def _read(text: str) -> dict[str, Any]:
    try:
        manifest = json.loads(text)
    except ValueError:
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _listed(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (section, name, spec) of every package."""
    for section in _INSTALLED:
        entries = manifest.get(section)
        for name, version in entries.items() if isinstance(entries, dict) else ():
            if isinstance(version, str):
                yield section, name, f"{name}@{version}" if version else name


def _written(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def _package_json(proposed: str, starter: str | None) -> str:
    try:
        manifest = json.loads(proposed)
    except ValueError as error:
        raise PatchError("malformed", f"package.json is no JSON: {error}.") from error
    if not isinstance(manifest, dict):
        raise PatchError("malformed", "package.json holds no object.")
    for section in ("scripts", *_INSTALLED):
        entries = manifest.get(section, {})
        if not isinstance(entries, dict) or not all(isinstance(v, str) for v in entries.values()):
            raise PatchError("malformed", f"`{section}` in package.json maps no names to texts.")
    left_out = _left_out(manifest, json.loads(starter) if starter else {})
    if not left_out:
        return proposed
    for section, entries in left_out.items():
        manifest[section] = dict(sorted({**manifest.get(section, {}), **entries}.items()))
    return _written(manifest)


def _left_out(manifest: dict[str, Any], starter: dict[str, Any]) -> dict[str, dict[str, str]]:
    packages = {
        name
        for section in ("dependencies", "devDependencies", "optionalDependencies")
        for name in manifest.get(section, {})
    }
    scripts = set(manifest.get("scripts", {}))
    found = {}
    for section in _KEPT:
        known = scripts if section == "scripts" else packages
        entries = {k: v for k, v in starter.get(section, {}).items() if k not in known}
        if entries:
            found[section] = entries
    return found
