"""Which versions of wanted packages exist, asked of the registry that the project's installs use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.builder.package_versions import ResolvedPackages, resolve_packages
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.builder.python_versions import resolve_python_packages
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
