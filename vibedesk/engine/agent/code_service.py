"""The TypeScript language service of one project, whoever asks it: one for all, in the sandbox of the moment."""

from __future__ import annotations

import asyncio
import re

from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.repair.language_service import LanguageService
from vibedesk.engine.sandboxes.driver import Sandbox

_SETTINGS = re.compile(r"(.+/)?tsconfig[\w.-]*\.json")


class CodeService:
    """Keeps a project's language service, and has it read packages and settings anew where they changed."""

    def __init__(self, access: ProjectAccess, runtime: AppRuntime) -> None:
        self._access = access
        self._runtime = runtime
        self._service: LanguageService | None = None
        self._of: Sandbox | None = None
        self._settings: dict[str, tuple[str, bool]] = {}
        self._lock = asyncio.Lock()

    async def within(self, sandbox: Sandbox) -> LanguageService | None:
        """Return the service in `sandbox`, with the packages of now; None for a project without TypeScript.

        Raises:
            SandboxError: it does not run there.
        """
        if self._access.template.language != "typescript":
            return None
        async with self._lock:
            settings = await self._access.read(self._present_settings)
            if self._service is None or self._of is not sandbox:
                await self._end()
                self._service, self._of = LanguageService(sandbox), sandbox
            elif settings != self._settings:
                await self._service.refresh()
            self._settings = settings
            return self._service

    async def aclose(self) -> None:
        async with self._lock:
            await self._end()

    async def _end(self) -> None:
        service, self._service = self._service, None
        if service is not None:
            await service.aclose()

    def _present_settings(self) -> dict[str, tuple[str, bool]]:
        """Return what says which packages are there and how code is compiled, and whether the folder has it yet.

        On the store's thread.
        """
        files, packages = self._access.files, self._access.template.packages
        named = {packages.manifest, *packages.lock_files}
        ahead = set(self._runtime.work_folder.changed_paths())
        return {
            path: (files.read(path), path not in ahead)
            for path in files.list()
            if path in named or _SETTINGS.fullmatch(path)
        }
