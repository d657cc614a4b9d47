from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.sandboxes.conftest import until
from tests.engine.sandboxes.egress.hellos import (
    hello,
    message,
    real_hello,
    records,
    server_name,
)
from tests.engine.sandboxes.egress.loopback import (
    PUBLIC,
    MemoryStream,
    Way,
    ask,
    ask_until_dropped,
    listening,
    make_way,
    open_port,
)
from vibedesk.engine.sandboxes.egress.proxy import Limits
from vibedesk.engine.sandboxes.egress.registries import Registries
from vibedesk.engine.sandboxes.egress.rules import NetworkRules

GET = b"GET http://api.example.com/a?b=c HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
TUNNEL = b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"
OTHER_TUNNEL = b"CONNECT api.example.com:7000 HTTP/1.1\r\nHost: x\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.fixture
def way() -> Way:
    made = make_way()
    made.net.addresses["api.example.com"] = [PUBLIC]
    return made


class Server:
    """An HTTP server that notes what it is sent and gives one answer."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        lowered = head.lower()
        if b"content-length: " in lowered:
            length = int(lowered.split(b"content-length: ")[1].split(b"\r\n")[0])
            self.bodies.append(await reader.readexactly(length))
        elif b"transfer-encoding: chunked" in lowered:
            self.bodies.append(await reader.readuntil(b"0\r\n\r\n"))
        writer.write(self.answer)
        await writer.drain()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends everything back in capitals, and a word of its own after the other side has ended."""
    while data := await reader.read(65536):
        writer.write(data.upper())
        await writer.drain()
    writer.write(b"bye")
    await writer.drain()


# -- tunnels


async def test_a_tunnel_carries_both_ways_and_half_ends(way: Way) -> None:
    async with listening(echo) as behind, open_port(way.egress) as port:
        way.net.ports[7000] = behind
        answer = await ask(
            port, b"CONNECT api.example.com:7000 HTTP/1.1\r\nHost: x\r\n\r\nearly ", b"late "
        )
    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\nEARLY LATE bye"
    assert way.net.dialled == [(PUBLIC, 7000)]
    assert way.refused == []


async def test_a_tunnel_carries_much_at_the_readers_pace(way: Way) -> None:
    async with listening(echo) as behind, open_port(way.egress) as port:
        way.net.ports[7000] = behind
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"CONNECT api.example.com:7000 HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        much = b"x" * 8_000_000

        async def send() -> None:
            writer.write(much)
            await writer.drain()
            writer.write_eof()

        sending = asyncio.create_task(send())
        received = await reader.read()
        await sending
        writer.close()
    assert received == much.upper() + b"bye"


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("other.example:443", "other.example"),
        ("OTHER.example.:80", "other.example"),
        ("other.example:22", "other.example:22"),
        ("api.example.com:8080", "api.example.com:8080"),
        ("127.0.0.1:443", None),
        ("localhost:443", None),
        ("[::1]:443", None),
        ("169.254.169.254:80", None),
        ("8.8.8.8:53", None),
        ("db.internal:5432", None),
        ("router:80", None),
    ],
)
async def test_what_is_not_granted_is_refused_and_asked_for(
    way: Way, target: str, told: str | None
) -> None:
    request = f"CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    async with open_port(way.egress) as port:
        first, second = await ask(port, request), await ask(port, request)
    assert first == second
    head, body = first.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert body.startswith(b"VibeDesk: ")
    assert way.refused == ([told] if told else [])
    assert (b"Allow it in VibeDesk" in body) is bool(told)
    assert way.net.resolved == way.net.dialled == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.5"],
        [PUBLIC, "192.168.0.1"],
        ["fd00::1", PUBLIC],
        ["::ffff:169.254.169.254"],
        ["64:ff9b::a00:1"],
        ["100.64.0.1"],
        [],
    ],
)
@pytest.mark.parametrize(
    "request_bytes", [b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", GET]
)
async def test_a_granted_name_must_not_lead_into_private_networks(
    way: Way, addresses: list[str], request_bytes: bytes
) -> None:
    way.net.addresses["api.example.com"] = addresses
    async with open_port(way.egress) as port:
        answer = await ask(port, request_bytes)
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert way.net.dialled == []


async def test_the_checked_address_is_the_one_that_is_dialled(way: Way) -> None:
    """A name whose second look-up gives another address (DNS rebinding) is looked up once."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])

    async def rebinding(name: str, port: int) -> list[str]:
        way.net.resolved.append(name)
        return next(answers)

    way.egress.reach._resolve = rebinding
    async with listening(echo) as behind, open_port(way.egress) as port:
        way.net.ports[443] = behind
        await ask(port, b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert way.net.dialled == [(PUBLIC, 443)]
    assert way.net.resolved == ["api.example.com"]


async def test_the_next_address_is_tried(way: Way) -> None:
    way.net.addresses["api.example.com"] = ["8.8.8.8", PUBLIC]
    dial = way.net.dial

    async def first_is_down(address: str, port: int):
        if address == "8.8.8.8":
            raise ConnectionRefusedError(111, "refused")
        return await dial(address, port)

    way.egress.reach._dial = first_is_down
    async with listening(echo) as behind, open_port(way.egress) as port:
        way.net.ports[7000] = behind
        answer = await ask(port, b"CONNECT api.example.com:7000 HTTP/1.1\r\nHost: x\r\n\r\nx")
    assert answer.endswith(b"Xbye")


async def test_unknown_names_and_closed_ports_are_said(way: Way) -> None:
    async with open_port(way.egress) as port:
        closed = await ask(port, b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        way.net.addresses.clear()
        unknown = await ask(port, b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert closed.startswith(b"HTTP/1.1 502 ")
    assert b"ECONNREFUSED: api.example.com does not answer on port 443." in closed
    assert unknown.startswith(b"HTTP/1.1 502 ")
    assert b"ENOTFOUND" in unknown


async def test_without_network_everything_is_refused_and_nothing_asked(way: Way) -> None:
    way = make_way(NetworkRules("none", frozenset({"api.example.com"})))
    async with open_port(way.egress) as port:
        for request in (
            GET,
            b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        ):
            assert b"switched off" in await ask(port, request)
    assert way.refused == []


async def test_an_idle_tunnel_ends() -> None:
    way = make_way(limits=Limits(idle_tunnel_seconds=0.05))
    way.net.addresses["api.example.com"] = [PUBLIC]
    async with listening(echo) as behind, open_port(way.egress) as port:
        way.net.ports[7000] = behind
        request = b"CONNECT api.example.com:7000 HTTP/1.1\r\nHost: x\r\n\r\n"
        assert (await ask(port, request, finish=False)).startswith(b"HTTP/1.1 200 ")
    assert way.egress.tunnels == 0


async def test_tunnels_and_connections_are_counted() -> None:
    way = make_way(limits=Limits(tunnels=1, connections=2))
    way.net.addresses["api.example.com"] = [PUBLIC]
    request = b"CONNECT api.example.com:7000 HTTP/1.1\r\nHost: x\r\n\r\n"
    async with listening(echo) as behind, open_port(way.egress) as port:
        way.net.ports[7000] = behind
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        await reader.readuntil(b"\r\n\r\n")
        assert (await ask(port, request)).startswith(b"HTTP/1.1 503 ")
        idle = await asyncio.open_connection("127.0.0.1", port)
        assert (await ask(port, GET)).startswith(b"HTTP/1.1 503 ")
        idle[1].close()
        writer.write_eof()
        assert await reader.read() == b"bye"
        writer.close()
        assert (await ask(port, request)).endswith(b"bye")


async def test_an_app_that_makes_up_names_is_told_of_only_so_often() -> None:
    way = make_way(limits=Limits(hosts_told=3))
    async with open_port(way.egress) as port:
        for number in range(5):
            await ask(port, b"CONNECT h%d.example:443 HTTP/1.1\r\nHost: x\r\n\r\n" % number)
    assert way.refused == ["h0.example", "h1.example", "h2.example"]


# -- what a tunnel begins with


class Sink:
    """Notes what comes, answers `got` to the first of it."""

    def __init__(self) -> None:
        self.came = bytearray()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self.came:
                writer.write(b"got")
            self.came += data


GOOD = [
    real_hello("api.example.com"),
    real_hello("api.example.com") + b"\x17\x03\x03\x00\x01early",
    hello(b"API.example.COM"),
    hello(b"api.example.com."),
    records(message([server_name(b"api.example.com")]), range(500)),
]
BAD = [
    real_hello("evil.example"),
    real_hello("api.example.com.evil.example"),
    real_hello(None),
    hello(b"evil.example\x00.api.example.com"),
    records(message(None)),
    records(message([server_name(b"api.example.com")]) + message([server_name(b"evil.example")])),
    b"\x15\x03\x01\x00\x02\x01\x5a" + real_hello("evil.example"),
    b"\x16\x03\x01\xff\xff" + bytes(70_000),
    b"\x16" * 400,
    real_hello("api.example.com")[:-1],
]


@pytest.mark.parametrize("tunnel", [TUNNEL, OTHER_TUNNEL])
@pytest.mark.parametrize("first", GOOD)
async def test_a_tls_tunnel_for_its_own_host_is_carried_unchanged(
    way: Way, tunnel: bytes, first: bytes
) -> None:
    sink = Sink()
    async with listening(sink.accept) as behind, open_port(way.egress) as port:
        way.net.ports |= {443: behind, 7000: behind}
        assert (
            await ask(port, tunnel + first[:3], first[3:100], first[100:]) == ESTABLISHED + b"got"
        )
    assert sink.came == first


@pytest.mark.parametrize("tunnel", [TUNNEL, OTHER_TUNNEL])
@pytest.mark.parametrize("first", BAD)
async def test_nothing_of_a_tls_tunnel_for_another_name_gets_through(
    way: Way, tunnel: bytes, first: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sink = Sink()
    async with listening(sink.accept) as behind, open_port(way.egress) as port:
        way.net.ports |= {443: behind, 7000: behind}
        assert await ask_until_dropped(port, tunnel, first) == ESTABLISHED
    assert sink.came == b""
    assert "api.example.com" in caplog.text
    assert way.egress.tunnels == 0


@pytest.mark.parametrize("first", [b"G", b"SSH-2.0-x\r\n", b"\x80\x2e\x01\x03\x01", b""])
async def test_a_tunnel_to_the_port_of_https_must_be_tls(way: Way, first: bytes) -> None:
    sink = Sink()
    async with listening(sink.accept) as behind, open_port(way.egress) as port:
        way.net.ports |= {443: behind, 7000: behind}
        assert await ask_until_dropped(port, TUNNEL, first) == ESTABLISHED
        assert sink.came == b""
        await ask_until_dropped(port, OTHER_TUNNEL, first)
    assert sink.came == first


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://wheels.example:8443/simple", real_hello("wheels.example")),
        ("https://10.0.0.9:8443/simple", real_hello(None)),
        ("https://[fd00::9]:8443/simple", real_hello(None)),
    ],
)
async def test_a_tunnel_to_a_registry_must_be_tls(address: str, good: bytes) -> None:
    way = make_way(registries=Registries(python=(address,)))
    way.net.addresses["wheels.example"] = ["10.0.0.9"]
    place = address.split("/")[2].encode()
    tunnel = b"CONNECT " + place + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    sink = Sink()
    async with listening(sink.accept) as behind, open_port(way.egress) as port:
        way.net.ports[8443] = behind
        for first in (b"EHLO x\r\n", real_hello("api.example.com")):
            assert await ask_until_dropped(port, tunnel, first) == ESTABLISHED
        assert sink.came == b""
        assert await ask(port, tunnel, good) == ESTABLISHED + b"got"


async def test_a_granted_npm_registry_is_tunnelled_to_as_tls() -> None:
    way = make_way(
        NetworkRules(granted=frozenset({"npm.example:8443"})),
        registries=Registries(npm="https://npm.example:8443/"),
    )
    way.net.addresses["npm.example"] = [PUBLIC]
    tunnel = b"CONNECT npm.example:8443 HTTP/1.1\r\nHost: x\r\n\r\n"
    sink = Sink()
    async with listening(sink.accept) as behind, open_port(way.egress) as port:
        way.net.ports[8443] = behind
        assert await ask_until_dropped(port, tunnel, b"plain") == ESTABLISHED
        assert sink.came == b""
        assert await ask(port, tunnel, real_hello("npm.example")) == ESTABLISHED + b"got"


async def test_the_npm_registry_is_not_tunnelled_to() -> None:
    way = make_way(registries=Registries(npm="https://npm.example/"))
    async with open_port(way.egress) as port:
        answer = await ask(port, b"CONNECT npm.example:443 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"npm_config_registry" in answer
    assert way.net.resolved == way.net.dialled == []


@pytest.mark.parametrize(
    ("tunnel", "first"), [(TUNNEL, b""), (TUNNEL, b"\x16\x03"), (OTHER_TUNNEL, b"\x16\x03")]
)
async def test_a_hello_that_does_not_come_is_given_up(tunnel: bytes, first: bytes) -> None:
    way = make_way(limits=Limits(hello_seconds=0.05))
    way.net.addresses["api.example.com"] = [PUBLIC]
    sink = Sink()
    async with listening(sink.accept) as behind, open_port(way.egress) as port:
        way.net.ports |= {443: behind, 7000: behind}
        assert await ask_until_dropped(port, tunnel, first, finish=False) == ESTABLISHED
    assert sink.came == b""


async def test_servers_that_speak_first_are_not_waited_with() -> None:
    way = make_way(limits=Limits(hello_seconds=0.05))
    way.net.addresses["api.example.com"] = [PUBLIC]

    async def polite(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(b"welcome, ")
        writer.write(await reader.read(100))

    async with listening(polite) as behind, open_port(way.egress) as port:
        way.net.ports[7000] = behind
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(OTHER_TUNNEL)
        assert await reader.readexactly(len(ESTABLISHED) + 9) == ESTABLISHED + b"welcome, "
        writer.write(b"thanks")
        assert await reader.read() == b"thanks"
        writer.close()


# -- the person changes the rules


class Changing:
    """Rules that change, and tunnels that are open meanwhile."""

    def __init__(self, *granted: str) -> None:
        self.way = make_way()
        self.way.egress._rules = lambda: self.rules
        self.rules = NetworkRules(granted=frozenset(granted))
        for host in granted:
            self.way.net.addresses[host.partition(":")[0]] = [PUBLIC]

    def change(self, rules: NetworkRules) -> None:
        self.rules = rules
        self.way.egress.rules_changed()


async def open_tunnel(port: int, place: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"CONNECT {place} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert await reader.readuntil(b"\r\n\r\n") == ESTABLISHED
    return reader, writer


async def dropped(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 5)
    return b""


async def test_open_tunnels_end_when_their_host_is_no_longer_allowed() -> None:
    changing = Changing("a.example:7000", "b.example:7000")
    async with listening(echo) as behind, open_port(changing.way.egress) as port:
        changing.way.net.ports[7000] = behind
        a, b = await open_tunnel(port, "a.example:7000"), await open_tunnel(port, "b.example:7000")
        changing.change(NetworkRules(granted=frozenset({"b.example:7000"})))
        changing.change(changing.rules)
        assert await dropped(a[0]) == b""
        b[1].write(b"still ")
        assert await b[0].readexactly(6) == b"STILL "
        assert changing.way.egress.tunnels == 1
        changing.change(NetworkRules("none"))
        assert await dropped(b[0]) == b""
        await until(lambda: changing.way.egress.tunnels == 0, "no tunnel is left")
        for _, writer in (a, b):
            writer.close()
    assert changing.way.refused == [], "nobody asked for anything"


async def test_a_tunnel_that_is_only_being_opened_ends_too() -> None:
    changing = Changing("a.example:7000")
    resolving = asyncio.Event()

    async def resolve(name: str, port: int) -> list[str]:
        resolving.set()
        await asyncio.sleep(60)
        return [PUBLIC]

    changing.way.egress.reach._resolve = resolve
    async with open_port(changing.way.egress) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"CONNECT a.example:7000 HTTP/1.1\r\nHost: x\r\n\r\n")
        await resolving.wait()
        changing.change(NetworkRules())
        assert await dropped(reader) == b""
        writer.close()
    assert changing.way.net.dialled == []


async def test_plain_requests_under_way_end_too() -> None:
    changing = Changing("a.example")
    arrived = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()

    async with listening(slow) as behind, open_port(changing.way.egress) as port:
        changing.way.net.ports[80] = behind
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET http://a.example/ HTTP/1.1\r\nHost: x\r\n\r\n")
        await arrived.wait()
        changing.change(NetworkRules())
        assert await dropped(reader) == b""
        writer.close()


async def test_a_refused_host_is_told_again_after_a_change_or_to_somebody_new() -> None:
    changing = Changing()
    egress, refused = changing.way.egress, changing.way.refused
    request = b"CONNECT a.example:443 HTTP/1.1\r\nHost: x\r\n\r\n"
    async with open_port(egress) as port:
        for _ in range(2):
            await ask(port, request)
        assert refused == ["a.example"]
        changing.change(NetworkRules(granted=frozenset({"b.example"})))
        for _ in range(2):
            await ask(port, request)
        assert refused == ["a.example"] * 2
        egress.forget_told()
        for _ in range(2):
            await ask(port, request)
    assert refused == ["a.example"] * 3


# -- plain requests


async def test_a_plain_request_is_written_anew(way: Way) -> None:
    server = Server()
    async with listening(server.accept) as behind, open_port(way.egress) as port:
        way.net.ports[80] = behind
        answer = await ask(
            port,
            b"GET http://API.example.com./a?b=c HTTP/1.1\r\nHost: evil.example\r\nX-Mine: 1\r\n"
            b"Proxy-Authorization: Basic x\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\n"
            b"Upgrade: websocket\r\nAuthorization: Bearer app\r\n\r\n",
        )
    assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
    (head,) = server.heads
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "get /a?b=c http/1.1"
    assert sorted(filter(None, lines[1:])) == [
        "authorization: bearer app",
        "connection: close",
        "host: api.example.com",
        "x-mine: 1",
    ]


@pytest.mark.parametrize("length", [b"Content-Length: 11", b"Transfer-Encoding: chunked"])
async def test_bodies_are_carried_and_the_connection_stays(way: Way, length: bytes) -> None:
    server = Server(
        b"HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n"
        b"Connection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    )
    body = b"hello world" if b"Length" in length else b"b\r\nhello world\r\n0\r\n\r\n"
    request = (
        b"POST http://api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n"
        b"Expect: 100-continue\r\n" + length + b"\r\n\r\n"
    )
    async with listening(server.accept) as behind, open_port(way.egress) as port:
        way.net.ports[80] = behind
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(request)
            assert b"100 " in await reader.readuntil(b"\r\n\r\n")
            writer.write(body)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 201 Made\r\n")
            assert b"content-length" not in head.lower()
            assert await reader.readuntil(b"0\r\n\r\n") == b"2\r\nok\r\n0\r\n\r\n"
        writer.close()
    assert server.bodies == [body, body]


async def test_requests_in_a_row_are_answered_in_order(way: Way) -> None:
    async with listening(Server().accept) as behind, open_port(way.egress) as port:
        way.net.ports[80] = behind
        refused = b"GET http://other.example/ HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = await ask(port, GET + GET + refused + GET)
    assert answer.count(b"200 OK") == 2
    assert answer.count(b"403 Forbidden") == 1, "nothing is served after a refusal"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"", b"502"),
        (b"garbage\r\n\r\n", b"502"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, b"502"),
    ],
)
async def test_servers_may_be_hostile_too(way: Way, answer: bytes, status: bytes) -> None:
    async with listening(Server(answer).accept) as behind, open_port(way.egress) as port:
        way.net.ports[80] = behind
        assert (await ask(port, GET)).startswith(b"HTTP/1.1 " + status)


async def test_half_an_answer_is_not_taken_for_a_whole_one(way: Way) -> None:
    server = Server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    async with listening(server.accept) as behind, open_port(way.egress) as port:
        way.net.ports[80] = behind
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"content-length: 100" in head
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(100)
        writer.close()


async def test_a_plain_registry_may_only_be_read_from() -> None:
    way = make_way(registries=Registries(npm="http://127.0.0.2:4873/"))
    async with listening(Server().accept) as behind, open_port(way.egress) as port:
        way.net.ports[4873] = behind
        read = await ask(port, b"GET http://127.0.0.2:4873/tiny HTTP/1.1\r\nHost: x\r\n\r\n")
        put = await ask(
            port,
            b"PUT http://127.0.0.2:4873/tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        )
        tunnel = await ask(port, b"CONNECT 127.0.0.2:4873 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert read.startswith(b"HTTP/1.1 200 ")
    assert put.startswith(b"HTTP/1.1 405 ")
    assert tunnel.startswith(b"HTTP/1.1 403 ")
    assert way.net.dialled == [("127.0.0.2", 4873)]


# -- hostile input

HOSTILE = [
    (b"\x00\x01\x02\x03\r\n\r\n", b"400"),
    (b"GET\r\n\r\n", b"400"),
    (b"GET / HTTP/1.1\r\n\r\n", b"400"),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
    (b"GET / HTTP/1.1\r\nHost: a\r\n continued: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
    (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"GET https://api.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"GET ftp://api.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"GET http://user@api.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"GET http://api.example.com#@evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"GET http://api.example.com\\@evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"GET http://%61pi.example.com/ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"GET http:///etc HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"GET http://api.example.com:99999/ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"CONNECT api.example.com HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"CONNECT /etc HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", b"413"),
    (
        b"POST http://api.example.com/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"400",
    ),
    (
        b"POST http://api.example.com/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
        b"Content-Length: 4\r\n\r\nabcd",
        b"400",
    ),
    (
        b"POST http://api.example.com/ HTTP/1.1\r\nHost: x\r\n"
        b"Transfer-Encoding: chunked, identity\r\n\r\n",
        b"501",
    ),
    (b"POST /tiny HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000, b"431"),
    (b"GET /" + b"y" * 200_000, b"431"),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 40_000, b"431"),
]


@pytest.mark.parametrize(("request_bytes", "status"), HOSTILE)
async def test_hostile_input_is_answered_and_the_connection_ends(
    way: Way, request_bytes: bytes, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with open_port(way.egress) as port:
        answer = await ask(port, request_bytes + GET, finish=False)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"onnection: close" in answer
    assert answer.count(b"HTTP/1.1") == 1
    assert way.net.dialled == []
    assert caplog.records == []


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET http://api.example.com/ HTTP/1.1\r\nHost: "],
        [b"P"],
        [b"POST /tiny HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc"],
    ],
)
async def test_a_request_that_never_ends_is_given_up(pieces: list[bytes]) -> None:
    way = make_way(limits=Limits(header_seconds=0.05, piece_seconds=0.05))
    async with open_port(way.egress) as port:
        answer = await ask(port, *pieces, finish=False)
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_head_that_trickles_is_given_up() -> None:
    """Every byte comes in time, the whole does not."""
    way = make_way(limits=Limits(header_seconds=0.2))
    async with open_port(way.egress) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = asyncio.create_task(reader.read())
        for byte in itertools.cycle(b"GET"):
            writer.write(bytes([byte]))
            done, _ = await asyncio.wait({answer}, timeout=0.01)
            if done:
                break
        assert answer.result().startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_an_idle_connection_ends_quietly() -> None:
    way = make_way(limits=Limits(next_request_seconds=0.05))
    async with open_port(way.egress) as port:
        assert await ask(port, finish=False) == b""


async def test_a_body_without_end_is_cut() -> None:
    way = make_way(limits=Limits(body_bytes=1000, unused_body_bytes=1000))
    way.net.addresses["api.example.com"] = [PUBLIC]

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass

    chunk = b"100\r\n" + b"x" * 256 + b"\r\n"
    async with listening(swallow) as behind, open_port(way.egress) as port:
        way.net.ports[80] = behind
        for target in (b"http://api.example.com/", b"/tiny"):
            head = b"POST " + target + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            answer = await ask(port, head, *[chunk] * 10, finish=False)
            assert answer.startswith(b"HTTP/1.1 413 ")


async def test_an_app_that_does_not_read_holds_nothing_up(way: Way) -> None:
    way = make_way(limits=Limits(write_seconds=0.1))
    way.net.addresses["api.example.com"] = [PUBLIC]
    server = Server(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 50_000_000)
    async with listening(server.accept) as behind, open_port(way.egress) as port:
        way.net.ports[80] = behind
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        await until(lambda: way.egress._connections == 0, "the connection is dropped")
        writer.transport.abort()


async def test_a_bug_of_ours_is_logged_and_stays_here(
    way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(host: str) -> None:
        raise RuntimeError("bug")

    way.egress._on_refused = fails
    async with open_port(way.egress) as port:
        assert await ask(port, b"CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n") == b""
    assert "could not be served" in caplog.text


def run(stream: MemoryStream, way: Way) -> bytes:
    asyncio.run(way.egress.serve(stream))
    assert stream.aborted
    return bytes(stream.written)


REQUESTS = (
    b"GET /tiny HTTP/1.1\r\nHost: x\r\nUser-Agent: npm\r\n\r\n",
    b"POST /-/npm/v1/security HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n{}{}",
    b"PUT /t HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n",
)


@given(request=st.sampled_from(REQUESTS), data=st.data())
def test_how_a_request_is_cut_does_not_matter(request: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(request)), max_size=8))
    edges = [0, *sorted(cuts), len(request)]
    pieces = [piece for a, b in itertools.pairwise(edges) if (piece := request[a:b])]
    assert run(MemoryStream(pieces), make_way()) == run(MemoryStream([request]), make_way())


@given(
    pieces=st.lists(
        st.one_of(
            st.binary(min_size=1, max_size=40),
            st.sampled_from(
                [*REQUESTS, b"\r\n", b"\r\n\r\n", b"GET ", b" HTTP/1.1\r\n", b"Host: x"]
            ),
        ),
        max_size=8,
    )
)
def test_any_input_ends_without_an_error_of_ours(pieces: list[bytes]) -> None:
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger("vibedesk.engine.sandboxes.egress.proxy")
    logger.addHandler(handler)
    try:
        written = run(MemoryStream(pieces), make_way())
    finally:
        logger.removeHandler(handler)
    assert records == []
    assert not written or written.startswith(b"HTTP/1.1 ")


# -- through the person's own proxy


class PersonsProxy:
    """An HTTP proxy on loopback that wants a password."""

    def __init__(self, behind: int, status: bytes = b"200 OK") -> None:
        self.heads: list[bytes] = []
        self._behind = behind
        self._status = status

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        if b"Basic bWU6c2VjcmV0" not in head:
            writer.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
            return
        if head.startswith(b"GET"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nvia")
            return
        writer.write(b"HTTP/1.1 " + self._status + b"\r\nX-Proxy: secret\r\n\r\n")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._behind)

        async def back() -> None:
            while data := await far_reader.read(65536):
                writer.write(data)
                await writer.drain()

        returning = asyncio.create_task(back())
        while data := await reader.read(65536):
            far_writer.write(data)
        far_writer.write_eof()
        await returning
        far_writer.close()


@pytest.mark.parametrize("known", [True, False], ids=["name known here", "known to the proxy only"])
async def test_tunnels_and_requests_go_through_the_persons_proxy(known: bool) -> None:
    async with listening(echo) as behind:
        proxy = PersonsProxy(behind)
        async with listening(proxy.accept) as proxy_port:
            address = f"http://me:secret@127.0.0.1:{proxy_port}"
            way = make_way(environment={"HTTPS_PROXY": address, "HTTP_PROXY": address})
            if known:
                way.net.addresses["api.example.com"] = [PUBLIC]
            async with open_port(way.egress) as port:
                tunnel = await ask(
                    port, b"CONNECT api.example.com:7000 HTTP/1.1\r\nHost: x\r\n\r\nhello "
                )
                plain = await ask(port, GET)
                refused = await ask(port, b"CONNECT o.example:443 HTTP/1.1\r\nHost: x\r\n\r\n")
                way.net.addresses["api.example.com"] = ["10.0.0.1"]
                private = [await ask(port, GET), await ask(port, TUNNEL)]
    assert tunnel == b"HTTP/1.1 200 Connection established\r\n\r\nHELLO bye"
    assert plain.endswith(b"via")
    assert refused.startswith(b"HTTP/1.1 403 ")
    for answer in private:
        assert answer.startswith(b"HTTP/1.1 403 ")
        assert b"private network" in answer
    assert [head.split(b"\r\n")[0] for head in proxy.heads] == [
        b"CONNECT api.example.com:7000 HTTP/1.1",
        b"GET http://api.example.com/a?b=c HTTP/1.1",
    ]
    assert way.net.dialled == []


async def test_a_proxy_that_gives_no_tunnel_is_said() -> None:
    proxy = PersonsProxy(0)
    async with listening(proxy.accept) as proxy_port:
        way = make_way(environment={"HTTPS_PROXY": f"http://127.0.0.1:{proxy_port}"})
        async with open_port(way.egress) as port:
            answer = await ask(port, b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert b"answered 407" in answer
