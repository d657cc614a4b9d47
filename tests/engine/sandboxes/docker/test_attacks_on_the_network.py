"""Attacks from inside a real container on the network: out of it, into it, and to its neighbours.

Nothing here leaves this machine: what is tried directly are this machine's own addresses, with a listener of the test
behind them; everything else is only asked of the proxy, whose way out is a table in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from tests.engine.sandboxes.conftest import until
from tests.engine.sandboxes.docker.hostile import Cell, Jail, on_one_loop
from tests.engine.sandboxes.egress.loopback import PUBLIC, listening
from vibedesk.engine.sandboxes.driver import ServerNotReadyError
from vibedesk.engine.sandboxes.egress.reach import is_near_address
from vibedesk.engine.sandboxes.egress.rules import NETWORK_OFF, NetworkRules

pytestmark = [on_one_loop, pytest.mark.timeout(120)]

HOST = "api.example.com"
MOST_ADDRESSES = 16

ASK = """
import json, socket, sys
for request in json.loads(sys.argv[1]):
    with socket.create_connection(('127.0.0.1', 3128), timeout=20) as connection:
        connection.sendall(request.encode('latin-1'))
        answer = b''
        while True:
            data = connection.recv(65536)
            answer += data
            if not data or (sys.argv[2:] == ['tunnel'] and b'bye' in answer):
                break
        print(json.dumps([request, answer.decode('latin-1')]))
"""


async def ask(cell: Cell, *requests: str, tunnel: bool = False) -> dict[str, str]:
    """Send requests to the proxy as an app does, and return the answers."""
    words = [json.dumps(requests), *(["tunnel"] if tunnel else [])]
    outcome = await cell.python(ASK, *words, timeout=60)
    assert outcome.status == 0, outcome.text
    return dict(json.loads(line) for line in outcome.lines)


def requests_for(place: str) -> list[str]:
    head = f"Host: {place}\r\nConnection: close\r\n\r\n"
    return [f"CONNECT {place} HTTP/1.1\r\n{head}", f"GET http://{place}/ HTTP/1.1\r\n{head}"]


@pytest.fixture(autouse=True)
def _nothing_asked_yet(jail: Jail) -> None:
    jail.net.addresses.clear()
    jail.net.ports.clear()
    jail.net.resolved.clear()
    jail.net.dialled.clear()


# -- what there is


async def test_there_is_no_network_but_its_own_loopback(cell: Cell) -> None:
    look = """
import json, os
def rows(name, skip):
    return [line.split() for line in open(f'/proc/net/{name}').read().splitlines()[skip:]]
print(json.dumps({
    'interfaces': [row[0] for row in rows('dev', 2)],
    'class': os.listdir('/sys/class/net'),
    'routes': rows('route', 1),
    'routes6': sorted({row[-1] for row in rows('ipv6_route', 0)}) if os.path.exists('/proc/net/ipv6_route') else [],
    'arp': rows('arp', 1),
}))
"""
    found = await cell.answer(look)
    assert found["interfaces"] == ["lo:"]
    assert found["class"] == ["lo"]
    assert found["routes"] == found["arp"] == []
    assert set(found["routes6"]) <= {"lo"}


async def test_every_namespace_is_its_own(jail: Jail, cell: Cell) -> None:
    look = "import json, os; print(json.dumps({n: os.readlink('/proc/self/ns/' + n) for n in ('net', 'pid', 'ipc', 'mnt', 'uts')}))"
    one, other = await cell.answer(look), await jail.cells[0].answer(look)
    for name in one:
        ours = os.readlink(f"/proc/self/ns/{name}")  # noqa: PTH115
        assert len({one[name], other[name], ours}) == 3


# -- the host


class Listener:
    """A service of the host on every address, TCP and UDP; notes who comes."""

    def __init__(self) -> None:
        self.came: list[Any] = []
        self.tcp = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.port = int(self.tcp.getsockname()[1])
        self.udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.udp.bind(("::", self.port))
        for listening_one in (self.tcp, self.udp):
            listening_one.setblocking(False)

    def look(self) -> list[Any]:
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, address = self.tcp.accept()
                connection.close()
                self.came.append(address)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.came.append(self.udp.recvfrom(100))
        return self.came


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.tcp.close()
    made.udp.close()


def own_addresses() -> list[str]:
    """Return the addresses of this machine, and of no other."""
    found = {
        entry.address
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in (socket.AF_INET, socket.AF_INET6) and "%" not in entry.address
    }
    return sorted({"127.0.0.1", "::1", *found})[:MOST_ADDRESSES]


@pytest.fixture
def bridge() -> Iterator[str]:
    """A bridge of this machine's own, as Docker makes them; its address. Nobody else is on it."""
    name, address = f"vdt{os.getpid()}", "198.51.100.9"

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True)

    ip("link", "add", name, "type", "bridge")
    try:
        ip("address", "add", f"{address}/24", "dev", name)
        ip("link", "set", name, "up")
        yield address
    finally:
        ip("link", "delete", name)


TRY = """
import json, socket, sys
addresses, port = json.loads(sys.argv[1])
found = {}
for address in addresses:
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(family, kind) as probe:
            probe.settimeout(2)
            try:
                probe.connect((address, port))
                probe.send(b'hello')
                probe.send(b'again')
                found[f'{address} {kind}'] = 'sent'
            except OSError as error:
                found[f'{address} {kind}'] = str(error)
print(json.dumps(found))
"""


async def test_services_of_the_host_are_out_of_reach(
    cell: Cell, listener: Listener, bridge: str
) -> None:
    addresses = own_addresses()
    assert bridge in addresses
    with socket.create_connection(("127.0.0.1", listener.port)):  # it can be reached from here
        await until(listener.look, "the listener works")
    listener.came.clear()
    outcome = await cell.python(TRY, json.dumps([addresses, listener.port]), timeout=60)
    found = json.loads(outcome.lines[0])
    assert len(found) == 2 * len(addresses)
    assert "sent" not in found.values()
    assert listener.look() == []


async def test_services_of_the_host_are_closed_to_the_proxy(
    jail: Jail, cell: Cell, listener: Listener, bridge: str
) -> None:
    assert bridge in own_addresses()
    # Also a public address of a bridge is near; the other ones of its network are, too.
    assert is_near_address(ip_address(bridge))
    assert is_near_address(ip_address(bridge) + 1)
    addresses = [f"[{a}]" if ":" in a else a for a in own_addresses()]
    places = [f"{address}:{listener.port}" for address in [*addresses, "localhost", "0.0.0.0"]]
    found = await ask(cell, *(request for place in places for request in requests_for(place)))
    for answer in found.values():
        assert answer.startswith("HTTP/1.1 403 ")
        assert "closed to the app" in answer
    assert listener.look() == []
    assert jail.net.dialled == jail.net.resolved == []
    assert cell.refused == []  # nobody is asked for what cannot be allowed


async def test_the_ports_of_other_projects_are_out_of_reach(jail: Jail, cell: Cell) -> None:
    neighbour = jail.cells[0]
    if not neighbour.docker.serving:
        await neighbour.serve()
    outcome = await cell.python(TRY, json.dumps([["127.0.0.1", "::1"], neighbour.port]))
    assert "sent" not in json.loads(outcome.lines[0]).values()
    places = [f"{name}:{neighbour.port}" for name in ("127.0.0.1", "localhost", "app.localhost")]
    found = await ask(cell, *(request for place in places for request in requests_for(place)))
    assert all(answer.startswith("HTTP/1.1 403 ") for answer in found.values())
    assert jail.net.dialled == jail.net.resolved == []


# -- what is only asked of the proxy

PRIVATE = (
    *("127.0.0.1", "127.8.8.8", "127.1", "2130706433", "0x7f000001", "017700000001", "0", "[::1]"),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost", "LOCALHOST.", "a.localhost"),
    *(
        "10.0.0.1",
        "172.16.0.1",
        "172.17.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "[fd00::1]",
        "[fe80::1]",
    ),
    *("169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16"),
    *(
        "metadata.google.internal",
        "instance-data",
        "host.docker.internal",
        "gateway.docker.internal",
    ),
    *(
        "router",
        "nas.local",
        "printer.lan",
        "db.internal",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
    ),
)


async def test_private_places_are_refused_before_anything_is_looked_up(
    jail: Jail, cell: Cell
) -> None:
    """Also those that are only written otherwise; nothing is resolved, nothing dialled, nobody asked."""
    requests = [
        r for name in PRIVATE for port in (80, 443, 8080) for r in requests_for(f"{name}:{port}")
    ]
    found = await ask(cell, *requests)
    assert len(found) == len(requests)
    for request, answer in found.items():
        status, sentence = answer.split(" ")[1], answer.rpartition("\r\n\r\n")[2]
        assert status in ("400", "403"), request
        assert sentence.startswith("VibeDesk: "), request
    assert jail.net.dialled == jail.net.resolved == []
    assert cell.refused == []


async def test_a_host_that_was_not_granted_is_refused_and_told_once(jail: Jail, cell: Cell) -> None:
    requests = [*requests_for(f"{HOST}:443"), *requests_for(f"{HOST}:80")]
    for _ in range(2):
        for answer in (await ask(cell, *requests)).values():
            assert answer.startswith("HTTP/1.1 403 ")
            assert f"The app may not reach {HOST} yet. Allow it in VibeDesk" in answer
    told = f"import urllib.request; urllib.request.urlopen('https://{HOST}/')"
    outcome = await cell.python(
        f"import os; os.environ['https_proxy'] = 'http://127.0.0.1:3128'; {told}"
    )
    assert "403" in outcome.text
    assert cell.refused == [HOST]
    assert jail.net.dialled == jail.net.resolved == []


async def test_an_app_cannot_flood_the_person_with_questions(jail: Jail) -> None:
    cell = await jail.open()
    async with jail.nobody_else_notices():
        await ask(
            cell, *(requests_for(f"host-{number}.example.com:443")[0] for number in range(250))
        )
    assert len(cell.refused) == 200
    assert jail.net.dialled == jail.net.resolved == []
    await cell.sandbox.remove()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def granted(jail: Jail) -> Cell:
    """A sandbox that may reach one host."""
    return await jail.open(network=NetworkRules(granted=frozenset({HOST})))


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nhello and bye")
        await writer.drain()


@pytest_asyncio.fixture(loop_scope="module")
async def server(jail: Jail) -> AsyncIterator[None]:
    """What stands behind the host's public address: a server on loopback."""
    async with listening(greet) as port:
        jail.net.addresses[HOST] = [PUBLIC]
        jail.net.ports |= {80: port, 443: port}
        yield


async def test_a_granted_host_is_reached(jail: Jail, granted: Cell, server: None) -> None:
    plain = requests_for(HOST)[1]
    assert "hello and bye" in (await ask(granted, plain))[plain]
    tunnel = requests_for(f"{HOST}:80")[0] + f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    assert "hello and bye" in (await ask(granted, tunnel, tunnel=True))[tunnel]
    assert jail.net.dialled == [(PUBLIC, 80), (PUBLIC, 80)]
    assert granted.refused == []


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], [PUBLIC, "10.0.0.5"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["fd00::1"]],
)
async def test_a_granted_name_that_leads_into_private_networks_is_refused(
    jail: Jail, granted: Cell, server: None, addresses: list[str]
) -> None:
    jail.net.addresses[HOST] = addresses
    for answer in (await ask(granted, *requests_for(f"{HOST}:443"))).values():
        assert answer.startswith("HTTP/1.1 403 ")
        assert "private network" in answer
    assert jail.net.dialled == []


async def test_other_ports_of_a_granted_host_are_not_granted(jail: Jail, granted: Cell) -> None:
    granted.refused.clear()
    found = await ask(granted, *requests_for(f"{HOST}:22"))
    assert all(answer.startswith("HTTP/1.1 403 ") for answer in found.values())
    assert granted.refused == [f"{HOST}:22"]
    assert jail.net.dialled == jail.net.resolved == []


async def test_without_a_network_not_even_packages_come(jail: Jail) -> None:
    jail.registry.publish("wanted", "1.0.0")
    cell = await jail.open(network=NetworkRules(mode="none", granted=frozenset({HOST})))
    asked = sum(jail.registry.asked.values())
    package = "GET /wanted HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    requests = [
        package,
        *requests_for(f"{HOST}:443"),
        *requests_for(f"127.0.0.1:{jail.registry.port}"),
    ]
    for answer in (await ask(cell, *requests)).values():
        assert answer.startswith("HTTP/1.1 403 ")
        assert NETWORK_OFF in answer
    npm = await cell.run("npm", "install", "wanted@1.0.0", timeout=60)
    assert npm.status
    assert NETWORK_OFF in npm.text
    assert sum(jail.registry.asked.values()) == asked
    assert jail.net.dialled == jail.net.resolved == cell.refused == []
    await cell.sandbox.remove()


async def test_packages_come_by_default_and_only_they(jail: Jail, cell: Cell) -> None:
    jail.registry.publish("wanted", "1.0.0")
    npm = await cell.run("npm", "view", "wanted", "version", timeout=60)
    assert npm.lines == ["1.0.0"]
    post = "POST /wanted HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    answer = (await ask(cell, post))[post]
    assert not answer.startswith("HTTP/1.1 2")
    # The registry's own place may be read, never tunnelled to.
    tunnel = requests_for(f"127.0.0.1:{jail.registry.port}")[0]
    assert (await ask(cell, tunnel))[tunnel].startswith("HTTP/1.1 403 ")
    await cell.run("rm", "-rf", "/app/node_modules", "/app/package.json", "/app/package-lock.json")


async def test_names_are_not_resolved_inside(cell: Cell) -> None:
    look = f"""
import json, socket
found = []
for name in ({HOST!r}, 'host.docker.internal', 'sandbox2'):
    try:
        found.append(socket.getaddrinfo(name, 80))
    except OSError:
        pass
for server in ('127.0.0.11', '127.0.0.53'):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect((server, 53))
            probe.send(b'?' * 20)
            found.append(probe.recv(100).hex())
        except OSError:
            pass
print(json.dumps(found))
"""
    assert await cell.answer(look) == []


# -- ports


def listening_at(port: int) -> set[str]:
    """Return the addresses on which this machine listens on a port, as the kernel writes them."""
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}


async def test_the_preview_listens_on_loopback_only(jail: Jail) -> None:
    neighbour = jail.cells[0]
    if not neighbour.docker.serving:
        await neighbour.serve()
    assert listening_at(neighbour.port) == {f"0100007F:{neighbour.port:04X}"}
    ours = [c.laddr.ip for c in psutil.Process().net_connections("inet") if c.status == "LISTEN"]
    assert neighbour.port
    assert set(ours) == {"127.0.0.1"}


async def test_the_ways_out_and_in_cannot_be_taken(jail: Jail, cell: Cell) -> None:
    grab = """
import json, socket
found = []
for options in ((), (socket.SO_REUSEADDR,), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)):
    for address in ('127.0.0.1', '0.0.0.0'):
        with socket.socket() as grabbing:
            for option in options:
                grabbing.setsockopt(socket.SOL_SOCKET, option, 1)
            try:
                grabbing.bind((address, 3128))
                grabbing.listen()
                found.append([address, len(options)])
            except OSError:
                pass
print(json.dumps(found))
"""
    assert await cell.answer(grab) == []


async def test_whoever_ends_the_session_does_not_get_its_port(jail: Jail, cell: Cell) -> None:
    """Neither while it is gone nor afterwards: nothing survives the session, and the next one is first."""
    steal = """
import os, signal, socket, time
if os.fork():
    time.sleep(60)
os.setsid()
for pid in filter(str.isdigit, os.listdir('/proc')):
    if 'agent' in open(f'/proc/{pid}/cmdline').read() and int(pid) < os.getppid() - 1:
        os.kill(int(pid), signal.SIGKILL)
thief = socket.socket()
thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
while True:
    try:
        thief.bind(('127.0.0.1', 3128))
        thief.listen()
    except OSError:
        continue
    break
while True:
    got, _ = thief.accept()
    got.sendall(b'HTTP/1.1 200 stolen\\r\\n\\r\\n')
    got.close()
"""
    outcome = await cell.python(steal, timeout=20)
    assert outcome.error is not None
    request = requests_for(f"{HOST}:443")[0]
    assert (await ask(cell, request))[request].startswith("HTTP/1.1 403 ")


async def test_a_taken_port_of_the_server_is_told(cell: Cell) -> None:
    squat = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print('sits', flush=True); time.sleep(60)"
    outputs = cell.sandbox.exec(["python3", "-c", squat, str(cell.port)])
    await anext(outputs)
    with pytest.raises(ServerNotReadyError) as caught:
        await cell.serve()
    assert "EADDRINUSE" in caught.value.details["log"]
    await outputs.aclose()  # type: ignore[attr-defined]
    await cell.serve()
    await cell.sandbox.stop_server()


# -- floods

HOLD = """
import json, socket, time
held = []
for number in range(700):
    try:
        held.append(socket.create_connection(('127.0.0.1', 3128), timeout=2))
    except OSError:
        break  # full; the next ones wait
    held[-1].setblocking(False)
for _ in range(3):
    time.sleep(0.3)
    for connection in held:
        try:
            connection.send(b'GET http://a')  # never the rest
        except OSError:
            pass
print(json.dumps(len(held)))
"""
HAMMER = """
import json, socket
for number in range(1500):
    with socket.create_connection(('127.0.0.1', 3128), timeout=20) as connection:
        connection.send(b'GARBAGE\\r\\n\\r\\n' if number % 2 else b'')
print(json.dumps('done'))
"""
POUR = """
import json, socket, time
held = []
for number in range(60):
    connection = socket.create_connection(('127.0.0.1', 3128), timeout=20)
    connection.setblocking(False)
    connection.send(b'POST http://api.example.com/ HTTP/1.1\\r\\nHost: api.example.com\\r\\nContent-Length: 99999999999\\r\\n\\r\\n')
    held.append(connection)
until, sent = time.monotonic() + 3, 0
while time.monotonic() < until:
    for connection in held:
        try:
            sent += connection.send(bytes(1 << 16))
        except OSError:
            pass
print(json.dumps(sent))
"""


@pytest.mark.parametrize("flood", [HOLD, HAMMER, POUR], ids=["hold", "hammer", "pour"])
async def test_floods_of_connections_hurt_nobody(jail: Jail, granted: Cell, flood: str) -> None:
    async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)  # takes nothing; ended with the test

    async with listening(sink) as port:
        jail.net.addresses[HOST] = [PUBLIC]
        jail.net.ports[80] = port
        async with jail.nobody_else_notices():
            await granted.answer(flood)
    request = requests_for("other.example.com:443")[0]
    assert (await ask(granted, request))[request].startswith("HTTP/1.1 403 ")
