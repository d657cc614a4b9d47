"""Repair without a model, applied to the document: what is mended is merged with what the person typed meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vibedesk.engine.agent.app_runtime import AppRuntime
from vibedesk.engine.agent.code_service import CodeService
from vibedesk.engine.agent.wanted_packages import resolve_wanted
from vibedesk.engine.builder.project_access import ProjectAccess, telling_changes
from vibedesk.engine.event_bus import Emit
from vibedesk.engine.events import Notice
from vibedesk.engine.repair.fixer import RepairResult, repair
from vibedesk.engine.repair.python_repair import PythonRepair
from vibedesk.engine.review.issues import Issue
from vibedesk.engine.sandboxes.driver import SandboxError


@dataclass(slots=True)
class Repaired:
    """What was written, and which packages are to be installed.

    `fixed` are the issues (signatures) that the check finds no more, `asking` those that the packages are for.
    """

    paths: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    asking: list[str] = field(default_factory=list)


class Repairer:
    """Repairs one project."""

    def __init__(self, access: ProjectAccess, runtime: AppRuntime, code: CodeService) -> None:
        self._access = access
        self._runtime = runtime
        self._code = code

    async def mend(self, issues: Sequence[Issue]) -> Repaired:
        """Mend what needs no model; nothing where the tools for it do not run."""
        access = self._access
        if not await self._runtime.packages_present():
            return Repaired()
        texts = await access.read(access.files.texts)
        marks = await access.read(access.files.marks)
        protected = {path for path, said in marks.items() if "locked" in said}
        try:
            result = await self._repair(
                issues, texts, protected | access.template.untouchable_files
            )
        except SandboxError as error:
            words = f"Repair without a model did not run: {error.message}"
            await access.bus.emit(access.project_id, Notice(words, "no_repair"))
            return Repaired()
        packages = await self._existing(result.packages)
        written = await access.commit(
            lambda emit: self._write(result.edits, texts, emit), durable=True
        )
        known = {issue.signature for issue in issues}
        fixed = [signature for signature in result.fixed if signature in known]
        asking = {signature for package in packages for signature in result.asking[package]}
        return Repaired(written, packages, fixed, sorted(asking.difference(fixed)))

    async def _repair(
        self,
        issues: Sequence[Issue],
        texts: Mapping[str, str],
        protected: set[str] | frozenset[str],
    ) -> RepairResult:
        python = None
        if self._access.template.language == "python":
            python = PythonRepair(await self._runtime.sandbox())
        service = await self._code.within(await self._runtime.sandbox())
        return await repair(issues, texts, service, python=python, protect=protected)

    async def _existing(self, packages: Sequence[str]) -> list[str]:
        # Their versions are chosen by the install that follows.
        found = await resolve_wanted(self._access, self._runtime, packages)
        return [package for package in packages if package not in found.missing]

    def _write(self, edits: Mapping[str, str], base: Mapping[str, str], emit: Emit) -> list[str]:
        files = self._access.files
        with telling_changes(files, emit):
            for path, text in edits.items():
                files.merge(path, base.get(path, ""), text, "fix")
        return sorted(edits)
