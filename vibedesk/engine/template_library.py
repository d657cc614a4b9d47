"""The starters of one home, as a person sees them and as projects use them."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from pathlib import Path

from vibedesk.base.errors import InvalidInputError, NotAllowedNowError, NotFoundError
from vibedesk.base.paths import Home
from vibedesk.engine.builder.own_templates import Templates
from vibedesk.engine.builder.templates import (
    DEFAULT_TEMPLATE,
    Template,
    load_folder,
    load_template,
    template_names,
)
from vibedesk.engine.project_options import ProjectOptions
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.projects import ProjectStore
from vibedesk.engine.store.records import ProjectRecord
from vibedesk.engine.views import TemplateView


@dataclass(frozen=True, slots=True)
class ProjectTemplate:
    """The starter of a project: chosen already, or the default one until it is.

    `gone`: it cannot be read any more, and what is here was found out.
    """

    template: Template
    chosen: bool
    gone: bool = False


class TemplateLibrary:
    """Lists, adds and removes starters, and says which one a project begins with."""

    def __init__(self, home: Home, database: Database, store: ProjectStore) -> None:
        self.templates = Templates(home.templates)
        self._database = database
        self._store = store
        self._changing = asyncio.Lock()

    async def views(self) -> list[TemplateView]:
        return [_view(template) for template in await asyncio.to_thread(self.templates.all)]

    async def add(self, source: str) -> TemplateView:
        return _view(await self._add(source))

    async def remove(self, name: str) -> None:
        async with self._changing:
            users = await self._database.run(
                lambda: [r.name for r in self._store.library() if r.template == name],
                durable=False,
            )
            if users:
                raise NotAllowedNowError(
                    f"The template {name!r} is used by {', '.join(users[:3])}"
                    f"{' and others' if len(users) > 3 else ''}.",
                    remedy="Delete these projects first; their sandboxes could not be made again without it.",
                )
            await asyncio.to_thread(self.templates.remove, name)

    async def for_new(self, options: ProjectOptions) -> ProjectOptions:
        """Return the options with the starter's name; one at an address or in a folder is kept first.

        Raises:
            NotFoundError, InvalidInputError: it is no starter.
        """
        wanted = options.template.strip()
        if not wanted:
            # A recorded example shows the default starter.
            return dataclasses.replace(options, template=DEFAULT_TEMPLATE if options.sample else "")
        if ":" in wanted or wanted.startswith(("/", "~/")):
            wanted = (await self._add(wanted)).name
        template = await asyncio.to_thread(self.templates.load, wanted)
        return dataclasses.replace(options, template=template.name)

    async def of(self, record: ProjectRecord) -> ProjectTemplate:
        """Return what a project begins with; a starter that is gone locks nobody out of their project."""
        if not record.template:
            template = await asyncio.to_thread(load_template, DEFAULT_TEMPLATE)
            return ProjectTemplate(template, chosen=False)
        try:
            template = await asyncio.to_thread(self.templates.load, record.template)
        except (NotFoundError, InvalidInputError):
            template = await asyncio.to_thread(_found_out, record)
            return ProjectTemplate(template, chosen=True, gone=True)
        return ProjectTemplate(template, chosen=True)

    async def most_used(self) -> list[Template]:
        """Return the bundled starters: those of most projects first."""

        def count() -> dict[str, int]:
            found: dict[str, int] = {}
            for record in self._store.library():
                found[record.template] = found.get(record.template, 0) + 1
            return found

        used = await self._database.run(count, durable=False)
        names = sorted(template_names(), key=lambda name: -used.get(name, 0))
        return await asyncio.to_thread(lambda: [load_template(name) for name in names])

    async def _add(self, source: str) -> Template:
        async with self._changing:
            return await asyncio.to_thread(self.templates.add, source)


def _found_out(record: ProjectRecord) -> Template:
    """Return what the project's own files say of how it is started; where they say nothing, the usual way."""
    try:
        return load_folder(Path(record.folder), name=record.template, own=True)
    except (NotFoundError, InvalidInputError):
        return dataclasses.replace(load_template(DEFAULT_TEMPLATE), name=record.template)


def _view(template: Template) -> TemplateView:
    return TemplateView(
        name=template.name,
        title=template.title,
        description=template.description,
        best_for=template.best_for,
        frameworks=template.frameworks,
        language=template.language,
        own=template.own,
    )
