"""A session whose other end says nothing of use: who is said to be gone."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from vibedesk.engine.sandboxes.docker.session import Session, SessionLostError

ERRORS = struct.pack(">BxxxI", 2, 1) + b"x"
"""What the exec prints to its standard error, as Docker sends it: a sign of life that answers nothing."""


@asynccontextmanager
async def chattering_session(*, docker_answers: bool) -> AsyncIterator[Session]:
    """A session that is never silent and owes every answer."""
    reader = asyncio.StreamReader()

    async def accept(from_session: asyncio.StreamReader, to_session: asyncio.StreamWriter) -> None:
        await from_session.read()
        to_session.close()

    async def answers() -> bool:
        return docker_answers

    async def chatter() -> None:
        while True:
            reader.feed_data(ERRORS)
            await asyncio.sleep(0)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    session = Session(
        reader, writer, on_egress=None, answers=answers, patience=0.5, name="a test's"
    )
    chattering = asyncio.create_task(chatter())
    try:
        yield session
    finally:
        chattering.cancel()
        session.close()
        await session.wait_for_end()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("docker_answers", "who"),
    [(False, "Docker does not answer any more"), (True, "its program does not answer any more")],
)
async def test_who_does_not_answer_is_named(docker_answers: bool, who: str) -> None:
    """Docker is asked before the program is blamed for an answer that stays away."""
    async with chattering_session(docker_answers=docker_answers) as session:
        with pytest.raises(SessionLostError, match=who):
            await asyncio.wait_for(session.ask("exists", paths=["x"]), 30)
