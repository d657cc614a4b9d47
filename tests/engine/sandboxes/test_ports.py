"""Ports: chosen free and harmless, seen as taken, their holder named."""

from __future__ import annotations

import os
import socket
import time

import pytest

from vibedesk.engine.sandboxes.driver import PortInUseError, SandboxError
from vibedesk.engine.sandboxes.ports import is_port_in_use, pick_port, port_holder, wait_until_free


def test_a_picked_port_is_free_and_not_taken() -> None:
    first = pick_port()
    while is_port_in_use(first ^ 1):  # tests beside this one have ports, too
        first = pick_port()
    assert 20_000 <= first < 30_000
    with socket.create_server(("127.0.0.1", first)):
        others = [port for port in range(20_000, 30_000) if port not in (first, first ^ 1)]
        assert pick_port(others) in {first ^ 1}
    with pytest.raises(SandboxError, match="No port"):
        pick_port(range(20_000, 30_000))


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::"])
def test_a_listening_port_is_in_use_and_its_holder_is_named(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    port = pick_port()
    with socket.create_server((address, port), family=family, dualstack_ipv6=":" in address):
        assert is_port_in_use(port)
        assert port_holder(port).endswith(f"(process {os.getpid()})")
    assert not is_port_in_use(port)
    assert port_holder(port) == ""


async def test_waiting_for_a_port_ends_with_an_error_that_names_it() -> None:
    port = pick_port()
    with socket.create_server(("127.0.0.1", port)):
        began = time.monotonic()
        with pytest.raises(PortInUseError) as caught:
            await wait_until_free(port, 0.3)
        assert 0.3 <= time.monotonic() - began < 3
    assert caught.value.details["port"] == str(port)
    assert f"process {os.getpid()}" in caught.value.message
    await wait_until_free(port, 0)
