"""Loads, caches, sweeps and ends agents: one per project."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from vibedesk.base.aio import TaskScope
from vibedesk.engine.agent.code_generator_agent import CodeGeneratorAgent

_log = logging.getLogger(__name__)

SWEEP_SECONDS = 60.0


class AgentManager:
    """Keeps the agents that are in use.

    An agent is inactive when it has no run and nobody looks at it; a sweep ends and forgets inactive ones,
    with their sandboxes. Their state needs no saving: it is stored with every transition.

    Args:
        load: Makes the agent of a project from what is stored.
        is_watched: Whether a view of the project is open.
        sweep_seconds: How often to look.
    """

    def __init__(
        self,
        load: Callable[[str], Awaitable[CodeGeneratorAgent]],
        is_watched: Callable[[str], bool],
        *,
        sweep_seconds: float = SWEEP_SECONDS,
    ) -> None:
        self._load = load
        self._is_watched = is_watched
        self._sweep_seconds = sweep_seconds
        self._agents: dict[str, CodeGeneratorAgent] = {}
        self._loading = asyncio.Lock()
        self._scope = TaskScope("agent manager")

    def start(self) -> None:
        """Begin to sweep."""
        self._scope.start(self._sweep_forever(), name="sweep")

    async def get(self, project_id: str) -> CodeGeneratorAgent:
        """Return the project's agent, loading it if it is not there."""
        async with self._loading:
            agent = self._agents.get(project_id)
            if agent is None:
                agent = self._agents[project_id] = await self._load(project_id)
            return agent

    def loaded(self, project_id: str) -> CodeGeneratorAgent | None:
        """Return the agent if it is in memory."""
        return self._agents.get(project_id)

    @property
    def agents(self) -> tuple[CodeGeneratorAgent, ...]:
        return tuple(self._agents.values())

    async def sweep(self) -> list[str]:
        """End every inactive agent; return their projects."""
        async with self._loading:
            inactive = [
                project_id
                for project_id, agent in self._agents.items()
                if not agent.busy and not self._is_watched(project_id)
            ]
            for project_id in inactive:
                await self._agents.pop(project_id).aclose()
        return inactive

    async def evict(self, project_id: str) -> None:
        """End one agent, whatever it does; its stored state stays as it is."""
        async with self._loading:
            agent = self._agents.pop(project_id, None)
            if agent is not None:
                await agent.aclose()

    async def aclose(self) -> None:
        """End every agent; runs that were under way can be resumed later."""
        await self._scope.aclose()
        async with self._loading:
            agents, self._agents = list(self._agents.values()), {}
            await asyncio.gather(*(agent.aclose() for agent in agents))

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_seconds)
            try:
                for project_id in await self.sweep():
                    _log.info("agent of %s was inactive and is closed", project_id)
            except Exception:  # noqa: BLE001 - the next sweep tries again
                _log.exception("sweep failed")
