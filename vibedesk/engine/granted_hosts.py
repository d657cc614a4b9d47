"""Which hosts beyond the package registries a person lets an app reach."""

from __future__ import annotations

import re
from collections.abc import Callable

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.event_bus import Emit, EventBus
from vibedesk.engine.events import ProjectChanged
from vibedesk.engine.project_sandboxes import ProjectSandboxes
from vibedesk.engine.store.projects import ProjectStore

_HOST = re.compile(
    r"(?=.{1,253}(:\d+)?$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*(:\d{1,5})?"
)


class GrantedHosts:
    """Stores what the person answered about a host, and tells those who enforce it."""

    def __init__(self, store: ProjectStore, bus: EventBus, sandboxes: ProjectSandboxes) -> None:
        self._store = store
        self._bus = bus
        self._sandboxes = sandboxes

    async def grant(self, project_id: str, host: str) -> list[str]:
        """Let the app reach `host` (or host:port); return every granted host.

        Raises:
            InvalidInputError: it is no host name.
            NotFoundError: there is no such project.
        """
        return await self._keep(project_id, host, self._store.grant_host)

    async def refuse(self, project_id: str, host: str) -> None:
        """Remember that the app may not reach `host`, so that nobody asks again; raises as `grant`."""
        await self._keep(project_id, host, self._store.refuse_host)

    async def _keep(
        self, project_id: str, host: str, store: Callable[[str, str], None]
    ) -> list[str]:
        wanted = host.strip().lower()
        if not _HOST.fullmatch(wanted):
            raise InvalidInputError(
                f"{host!r} is no host name.", remedy="Write it like api.example.org."
            )

        def work(emit: Emit) -> list[str]:
            self._store.get(project_id)
            store(project_id, wanted)
            granted = self._store.granted_hosts(project_id)
            emit(ProjectChanged({"granted_hosts": granted}))
            return granted

        granted = await self._bus.commit(project_id, work, durable=True)
        await self._sandboxes.grants_changed(project_id)
        return granted
