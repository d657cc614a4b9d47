"""The models of one project, built when they are first asked, so that a project without a model can still be shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from vibedesk.engine.models.capabilities import ModelCapabilities
from vibedesk.engine.models.protocol import ModelRequest, StreamItem
from vibedesk.engine.models.router import ModelRouter
from vibedesk.engine.models.structured import OnRestart, OnText

if TYPE_CHECKING:
    from pydantic import BaseModel

_Answer = TypeVar("_Answer", bound="BaseModel")


class ProjectRouter:
    """Asks as `ModelRouter` does, through one that `build` makes on first use.

    Args:
        build: Makes the router; raises `NoModelError` where nothing is set up.
    """

    def __init__(self, build: Callable[[], Awaitable[ModelRouter]]) -> None:
        self._build = build
        self._router: ModelRouter | None = None
        self._building = asyncio.Lock()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[StreamItem, None]:
        """As `ModelRouter.stream`; also raises `NoModelError`."""
        router = await self._ready()
        async with aclosing(router.stream(request)) as items:
            async for item in items:
                yield item

    async def ask_structured(
        self,
        request: ModelRequest,
        schema: type[_Answer],
        on_text: OnText | None = None,
        on_restart: OnRestart | None = None,
    ) -> _Answer:
        """As `ModelRouter.ask_structured`; also raises `NoModelError`."""
        router = await self._ready()
        return await router.ask_structured(request, schema, on_text, on_restart)

    async def capabilities(self, request: ModelRequest) -> ModelCapabilities:
        """Return what is known of the model that is asked first; raises what keeps any from being asked."""
        return (await self._ready()).capabilities(request)

    async def prompt_room(self, request: ModelRequest) -> int:
        """As `ModelRouter.prompt_room`; raises what keeps any model from being asked."""
        return (await self._ready()).prompt_room(request)

    async def answer_room(self, request: ModelRequest) -> int:
        """As `ModelRouter.answer_room`; raises what keeps any model from being asked."""
        return (await self._ready()).answer_room(request)

    def renew(self) -> None:
        """Build anew for the next question, because the settings changed; one that is being answered goes on."""
        self._router = None

    async def aclose(self) -> None:
        router, self._router = self._router, None
        if router is not None:
            await router.aclose()

    async def _ready(self) -> ModelRouter:
        async with self._building:
            if self._router is None:
                self._router = await self._build()
            return self._router
