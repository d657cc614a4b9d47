"""Everything that is stored and known of a project, for people who look why it does what it does; no secrets.

The bug report is made of it: a few texts that a person sees before they are written anywhere.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import platform
import sys
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vibedesk import __version__
from vibedesk.base.clock import utc_now
from vibedesk.base.errors import InvalidInputError, StorageError
from vibedesk.base.logs import LOG_NAME
from vibedesk.base.paths import Home
from vibedesk.base.redaction import known_secrets, redacted
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.keeping import all_settings
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.records import ProjectRecord
from vibedesk.engine.store.usage import timings
from vibedesk.engine.store.variables import variables
from vibedesk.engine.usage import usage_of_project
from vibedesk.engine.views import (
    BugReportView,
    DoctorView,
    ProjectView,
    ReportFileView,
    SandboxView,
    VersionView,
)

Json = dict[str, Any]

_LOG_LINES: Final = 2_000
_PERSONS: Final = frozenset(
    {
        "wish", "messages", "files", "drafts", "blueprint", "blueprint_text", "blueprint_sections", "open_wishes",
        "wishes", "wishes_stored", "plans", "suggestions", "questions", "attachments", "proposals", "description",
        "name", "title", "folder", "variables",
    }
)  # fmt: skip
"""What a bug report leaves out of a project: it is the person's, and says nothing of VibeDesk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Who knows what is stored nowhere."""

    project: Callable[[str], Awaitable[ProjectView]]
    sandbox: Callable[[str], Awaitable[SandboxView]]
    versions: Callable[[str], Awaitable[list[VersionView]]]
    doctor: Callable[[], Awaitable[DoctorView]]
    line: Callable[[], tuple[tuple[str, ...], tuple[str, ...]]]
    """The projects that run, and those that wait for a place."""


class Inspector:
    """Looks into one home."""

    def __init__(
        self, home: Home, database: Database, store: ProjectStore, sources: Sources
    ) -> None:
        self._home = home
        self._database = database
        self._store = store
        self._sources = sources

    async def inspect(self, project_id: str) -> Json:
        """Return what a view of the project has, and everything else that is known of it.

        Raises:
            NotFoundError: there is no such project.
        """
        view = await self._sources.project(project_id)
        stored = await self._database.run(
            lambda: stored_facts(self._store, project_id), durable=False
        )
        running, waiting = self._sources.line()
        return {
            **view.to_dict(),
            **stored,
            "queue": {"running": list(running), "waiting": list(waiting)},
            "sandbox": (await self._sources.sandbox(project_id)).to_dict(),
            "versions": [v.to_dict() for v in await self._sources.versions(project_id)],
        }

    async def bug_report(self, project_id: str | None) -> BugReportView:
        """Return what a bug report would have: nothing is written.

        Args:
            project_id: Whose state belongs to it; None: no project's. Its texts and files are not in it.
        """
        doctor = await self._sources.doctor()
        settings = await self._database.run(all_settings, durable=False)
        texts = {
            "about.json": _json(_about()),
            "doctor.json": _json(doctor.to_dict()),
            "settings.json": _json(settings),
            LOG_NAME: await asyncio.to_thread(self._log_tail),
        }
        if project_id is not None:
            facts = await self.inspect(project_id)
            texts["project.json"] = _json({k: v for k, v in facts.items() if k not in _PERSONS})
        return BugReportView(
            tuple(ReportFileView(name, self._cleaned(text)) for name, text in texts.items())
        )

    def _log_tail(self) -> str:
        try:
            text = (self._home.logs / LOG_NAME).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.split("\n")[-_LOG_LINES:])

    def _cleaned(self, text: str) -> str:
        """Take out secrets, and who the person is as far as paths tell it."""
        for path, word in ((self._home.root, "HOME"), (self._home.projects, "PROJECTS")):
            text = text.replace(json.dumps(str(path))[1:-1], word).replace(str(path), word)
        person = Path.home()
        if person != Path(person.anchor):
            text = text.replace(str(person), "~")
        return redacted(text, known_secrets())


def write_bug_report(report: BugReportView, destination: Path) -> None:
    """Write the report as a ZIP file. Blocking.

    Raises:
        InvalidInputError: there is a file already.
        StorageError: it cannot be written.
    """
    try:
        descriptor = os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(descriptor, "wb") as out,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for file in report.files:
                archive.writestr(file.name, file.text)
    except FileExistsError as error:
        raise InvalidInputError(
            f"{destination} is there already.", remedy="Choose another name."
        ) from error
    except OSError as error:
        raise StorageError(f"{destination} cannot be written: {error.strerror}.") from error


def _about() -> Json:
    return {
        "vibedesk": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "at": utc_now(),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def stored_facts(store: ProjectStore, project_id: str) -> Json:
    """Return what is stored of a project beside what its view has. On the store's thread."""
    record = store.get(project_id)
    facts = {
        "stored_state": _state(record),
        "memory": record.run,
        "options": record.options,
        "waits": record.waiting,
        "plans": [dataclasses.asdict(phase) for phase in store.phases(project_id)],
        "wishes_stored": [dataclasses.asdict(wish) for wish in store.wishes(project_id)],
        "variables": [
            {**dataclasses.asdict(v), "value": None if v.secret else v.value}
            for v in variables(project_id)
        ],
        "timings": [dataclasses.asdict(timing) for timing in timings(project_id)],
        "usage": usage_of_project(project_id),
        "settings": all_settings(),
    }
    clean: Json = without_secrets(facts)
    return clean


def without_secrets(value: Any) -> Any:
    """Return JSON data with every text redacted."""
    match value:
        case str():
            return redacted(value, known_secrets())
        case dict():
            return {key: without_secrets(item) for key, item in value.items()}
        case list() | tuple():
            return [without_secrets(item) for item in value]
        case _:
            return value


def _state(record: ProjectRecord) -> Json:
    return {
        "state": record.state.value,
        "reason": record.state_reason,
        "failed_state": record.failed_state.value if record.failed_state else None,
        "error": record.error,
        "template": record.template,
        "sample": record.sample,
        "port": record.port,
        "sandbox_id": record.sandbox_id,
        "last_seq": record.last_seq,
        "code_version": record.code_version,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
