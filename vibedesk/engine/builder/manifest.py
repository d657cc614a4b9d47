"""Guards the file that lists an app's packages: a broken one never replaces a good one."""

from __future__ import annotations

import json
from typing import Any

from vibedesk.engine.builder.pyproject import checked_pyproject
from vibedesk.engine.builder.templates import NPM, UV
from vibedesk.engine.scof import PatchError

MANIFESTS = frozenset({"package.json", "pyproject.toml"})
WRITTEN_BY_INSTALLS = frozenset({*NPM.lock_files, *UV.lock_files})
"""Lock files: no model writes them."""
_KEPT = ("scripts", "dependencies", "devDependencies")


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


def _package_json(proposed: str, starter: str | None) -> str:
    try:
        manifest = json.loads(proposed)
    except ValueError as error:
        raise PatchError("malformed", f"package.json is no JSON: {error}.") from error
    if not isinstance(manifest, dict):
        raise PatchError("malformed", "package.json holds no object.")
    for section in (*_KEPT, "optionalDependencies", "peerDependencies"):
        entries = manifest.get(section, {})
        if not isinstance(entries, dict) or not all(isinstance(v, str) for v in entries.values()):
            raise PatchError("malformed", f"`{section}` in package.json maps no names to texts.")
    left_out = _left_out(manifest, json.loads(starter) if starter else {})
    if not left_out:
        return proposed
    for section, entries in left_out.items():
        manifest[section] = dict(sorted({**manifest.get(section, {}), **entries}.items()))
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


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
