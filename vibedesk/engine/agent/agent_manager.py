"""Loads, caches, sweeps and ends agents: one per project."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from vibedesk.base.aio import TaskScope, end_within
from vibedesk.engine.agent.code_generator_agent import CodeGeneratorAgent
from vibedesk.engine.slots import MOST_AGENTS, Slots

_log = logging.getLogger(__name__)

SWEEP_SECONDS = 60.0
END_SECONDS = 10.0
"""How long an agent may take to end. Then it is left behind; its stored state can be resumed."""


class AgentManager:
    """Keeps the agents that are in use.

    An agent is inactive when it has no run and nobody looks at it; a sweep ends and forgets inactive ones,
    with their sandboxes. Their state needs no saving: it is stored with every transition.

    Only so many run at once (`places.limit`); the others wait in line.

    Args:
        load: Makes the agent of a project from what is stored.
        is_watched: Whether a view of the project is open.
        on_work: Called with a project's id and whether its app is needed now: a run begins or ends, or a preview
            is up.
        sweep_seconds: How often to look.
        end_seconds: How long one agent may take to end.
    """

    def __init__(
        self,
        load: Callable[[str], Awaitable[CodeGeneratorAgent]],
        is_watched: Callable[[str], bool],
        *,
        on_work: Callable[[str, bool], None] = lambda _project_id, _busy: None,
        sweep_seconds: float = SWEEP_SECONDS,
        end_seconds: float = END_SECONDS,
    ) -> None:
        self._end_seconds = end_seconds
        self.places = Slots(MOST_AGENTS)
        self._on_work = on_work
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
                agent.work_among(self.places, self._on_work)
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
            ending = [self._agents.pop(project_id) for project_id in inactive]
            await asyncio.gather(*map(self._end, ending))
        return inactive

    async def evict(self, project_id: str) -> None:
        """End one agent, whatever it does; its stored state stays as it is."""
        async with self._loading:
            agent = self._agents.pop(project_id, None)
            if agent is not None:
                await self._end(agent)

    async def aclose(self) -> None:
        """End every agent; runs that were under way can be resumed later."""
        # Else who waits would begin to work while the others are ended, one after the other.
        self.places.close()
        await self._scope.aclose()
        async with self._loading:
            agents, self._agents = list(self._agents.values()), {}
            await asyncio.gather(*map(self._end, agents))

    async def stop(self, project_id: str, stopping: Coroutine[Any, Any, None]) -> bool:
        """Await what stops a project; give its agent up where that takes too long, and return False then."""
        if await end_within(self._end_seconds, stopping, what=f"the run of {project_id}"):
            return True
        agent = self._agents.pop(project_id, None)
        if agent is not None:
            await agent.give_up(self._end_seconds)
        return False

    async def _end(self, agent: CodeGeneratorAgent) -> None:
        if not await end_within(
            self._end_seconds, agent.aclose(), what=f"the agent of {agent.project_id}"
        ):
            await agent.give_up(self._end_seconds)

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_seconds)
            try:
                for project_id in await self.sweep():
                    _log.info("agent of %s was inactive and is closed", project_id)
            except Exception:  # noqa: BLE001 - the next sweep tries again
                _log.exception("sweep failed")
