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
from vibedesk.engine.builder.templates import Template
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
    return await resolve_python_packages(
        wanted,
        runtime.ask,
        pyproject=await access.manifest(),
        default_index=await asyncio.to_thread(default_python_index),
    )


def listed_anew(template: Template, folder: Path, manifest: str) -> list[str] | None:
    """Return what a manifest's text asks for that the lock file in `folder` was not made for: no install has brought it.

    None where there is no lock file that says so, or the starter may use another tool, which writes another one. It reads
    the disk.
    """
    name = template.packages.manifest
    if not (template.sync_argv()[:1] == template.install_argv()[:1] in (["npm"], ["uv"])):
        return None
    return unlocked_requirements(name, manifest, _read(folder / LOCK_FILES[name]))


def install_commands(template: Template, folder: Path) -> list[list[str]]:
    """Return what installs what the manifest in `folder` asks for: the next where one fails. It reads the disk."""
    name = template.packages.manifest
    manifest = _read(folder / name)
    install, sync = template.install_argv(), template.sync_argv()
    if manifest == _read(template.folder / name):
        return [install]
    # The starter's own install may take nothing that its lock file does not know, and a manifest that somebody changed can
    # be ahead of that: an install failed, or a person edited it.
    new = listed_anew(template, folder, manifest)
    if new is None:
        # Another tool's way is only a guess for a starter of the person's own that names none.
        return [sync] if sync[:1] == install[:1] else [install]
    # More than packages may be new: npm has overrides and workspaces.
    return [sync] if new else [install, sync]


async def manifest_changed(access: ProjectAccess, runtime: AppRuntime) -> bool:
    """Whether the manifest asks for what no install has brought yet."""
    _, new = await _of_document(access, runtime)
    return bool(new)


async def correct_manifest(access: ProjectAccess, runtime: AppRuntime) -> ResolvedPackages:
    """Have the manifest ask for what exists only, before it is installed.

    Returns:
        What became of that which it asks for and no install has brought yet.

    Raises:
        SandboxError: the sandbox, where the registry is asked, is not to be had.
    """
    files, path = access.files, access.template.packages.manifest
    text, new = await _of_document(access, runtime)
    found = await resolve_wanted(access, runtime, new)
    corrected = with_requirements(path, text, {**dict.fromkeys(found.missing), **found.replaced})

    def write(emit: Emit) -> None:
        with telling_changes(files, emit):
            files.merge(path, text, corrected, "agent")

    if corrected != text:
        await access.commit(write, durable=True)
    return found


async def _of_document(access: ProjectAccess, runtime: AppRuntime) -> tuple[str, list[str]]:
    """Return the manifest's text, and what it asks for that no install has brought yet.

    The lock file knows what was installed. Where there is none that says so, it is taken to be what the manifest in the
    folder asks for.
    """
    path, text = access.template.packages.manifest, await access.manifest()

    def look() -> list[str]:
        new = listed_anew(access.template, runtime.folder, text)
        if new is None:
            there = requirements(path, _read(runtime.folder / path))
            new = [spec for spec in requirements(path, text) if spec not in there]
        return new

    return text, await asyncio.to_thread(look)


def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""
