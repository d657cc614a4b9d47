from __future__ import annotations

import asyncio
import socket

import pytest

from tests.support.network_guard import NetworkForbiddenError


@pytest.mark.parametrize("address", ["203.0.113.7", "10.0.0.1", "2001:db8::1"])
def test_other_machines_are_out_of_reach(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as client, pytest.raises(NetworkForbiddenError, match=address):
        client.connect((address, 9))


def test_names_of_other_machines_are_not_looked_up() -> None:
    with pytest.raises(NetworkForbiddenError):
        socket.getaddrinfo("vibedesk.invalid", 443)


async def test_asyncio_is_held_to_it_too() -> None:
    with pytest.raises(NetworkForbiddenError):
        await asyncio.open_connection("203.0.113.7", 9)


async def test_loopback_is_open() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(
            "localhost", server.sockets[0].getsockname()[1]
        )
        assert await reader.readline() == b"hello\n"
        writer.close()
        await writer.wait_closed()
