"""Which versions of wanted packages exist, also of those that a manifest names; the registry of the project's installs is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.builder.manifest import (
    LOCK_FILES,
    requirements,
    unlocked_requirements,
    with_requirements,
)
from vibedesk.engine.builder.package_versions import ResolvedPackages, resolve_packages
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.builder.python_versions import resolve_python_packages
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.sandboxes.egress.registries import default_python_index

_SAY_WHERE = (".yarnrc.yml", "bunfig.toml", "uv.toml")
"""Settings that neither npm nor we read: with them packages may come from elsewhere, so none is said to be missing."""


async def resolve_wanted(
    access: ProjectAccess, runtime: AppRuntime, wanted: Sequence[str]
) -> ResolvedPackages:
    """Return what to install for `wanted`; as it is, where the starter's tool asks no registry that is known.

    Raises:
        SandboxError: the sandbox, where the registry is asked, is not to be had.
    """
    template, files = access.template, access.files

    def has_own_registry() -> bool:
        return any(files.exists(name) for name in _SAY_WHERE)

    if (
        not wanted
        or not template.adds_from_registry
        or "index" in template.add_command
        or await access.read(has_own_registry)
    ):
        return ResolvedPackages(specs=list(wanted))
    if not template.packages.takes_from("uv"):
        return await resolve_packages(wanted, runtime.ask)
    manifest = template.packages.manifest
    pyproject = await access.read(lambda: files.read(manifest) if files.exists(manifest) else "")
    return await resolve_python_packages(
        wanted,
        runtime.ask,
        pyproject=pyproject,
        default_index=await asyncio.to_thread(default_python_index),
    )


async def manifest_changed(access: ProjectAccess, runtime: AppRuntime) -> bool:
    """Whether the manifest asks for what no install has brought yet."""
    _, new = await _listed_anew(access, runtime)
    return bool(new)


async def correct_manifest(access: ProjectAccess, runtime: AppRuntime) -> ResolvedPackages:
    """Have the manifest ask for what exists only, before it is installed.

    Returns:
        What became of that which it asks for and no install has brought yet.

    Raises:
        SandboxError: the sandbox, where the registry is asked, is not to be had.
    """
    files, path = access.files, access.template.packages.manifest
    text, new = await _listed_anew(access, runtime)
    found = await resolve_wanted(access, runtime, new)
    corrected = with_requirements(path, text, {**dict.fromkeys(found.missing), **found.replaced})

    def write(emit: Emit) -> None:
        with telling_changes(files, emit):
            files.merge(path, text, corrected, "agent")

    if corrected != text:
        await access.commit(write, durable=True)
    return found


async def _listed_anew(access: ProjectAccess, runtime: AppRuntime) -> tuple[str, list[str]]:
    """Return the manifest's text, and what it asks for that no install has brought yet.

    The lock file knows what was installed. Where there is none that says so, it is taken to be what the manifest in the
    folder asks for.
    """
    files, path = access.files, access.template.packages.manifest
    text = await access.read(lambda: files.read(path) if files.exists(path) else "")

    def look() -> list[str]:
        new = unlocked_requirements(path, text, _read(runtime.folder / LOCK_FILES[path]))
        if new is None:
            there = requirements(path, _read(runtime.folder / path))
            new = [spec for spec in requirements(path, text) if spec not in there]
        return new

    return text, await asyncio.to_thread(look)


def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""
