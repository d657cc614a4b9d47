"""The one way out of a sandbox: an HTTP proxy and package relay that serves connections which came from inside.

What comes from inside is hostile: everything is bounded in size, number and time, and read by h11, which is
strict about what could be understood in two ways. Requests are written anew towards the other side.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

import h11

from vibedesk.base.hosts import Host, Place, split_host_port
from vibedesk.engine.sandboxes.egress.npm_registry import QUESTION_BYTES, NpmRegistry
from vibedesk.engine.sandboxes.egress.reach import (
    Continued,
    Dial,
    Reach,
    RefusedError,
    Resolver,
    Route,
    UnreachableError,
)
from vibedesk.engine.sandboxes.egress.registries import Registries
from vibedesk.engine.sandboxes.egress.rules import (
    NETWORK_OFF,
    Decision,
    NetworkRules,
    decide,
)
from vibedesk.engine.sandboxes.egress.tunnel import HelloGuard, join
from vibedesk.engine.sandboxes.egress.upstream import Upstream
from vibedesk.engine.sandboxes.streams import ByteStream

_log = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]

_HTTPS_PORT = 443
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 1024 * 1024
_ABSOLUTE = re.compile(r"http://([^/?#]+)(/[^#]*|\?[^#]*|)", re.IGNORECASE)
_READING = (b"GET", b"HEAD")
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one sandbox may take of the host: bytes, numbers, and seconds."""

    connections: int = 128
    tunnels: int = 64
    hosts_told: int = 200
    """An app that makes up names gets no further."""
    header_bytes: int = 32 * 1024
    body_bytes: int = 256 * 1024 * 1024
    unused_body_bytes: int = 4 * 1024 * 1024
    """Of a request that needs none, or a small one."""
    header_seconds: float = 30.0
    """From a request's first byte to the end of its head."""
    next_request_seconds: float = 300.0
    piece_seconds: float = 60.0
    """Between two pieces of a request's body."""
    answer_seconds: float = 300.0
    """Between two pieces of an answer."""
    write_seconds: float = 120.0
    """Until the app takes a piece."""
    idle_tunnel_seconds: float = 1800.0
    hello_seconds: float = 10.0
    """Until a tunnel's ClientHello is whole."""


class Egress:
    """Serves the connections of one sandbox.

    Args:
        rules: Returns what the person allows now; asked anew for every request, and by `rules_changed`.
        registries: The person's package registries.
        registry: Answers requests for packages; None where there is no relay.
        upstream: The person's proxies.
        on_refused: Called once for every host that a grant would open, as `host` or `host:port`; once more after
            `rules_changed` and `forget_told`.
        resolve: Looks names up; the system's resolver by default.
        dial: Connects to an address that `resolve` named.
        is_near: Whether an address belongs to this machine or a network it is in.
        limits: What the sandbox may take.
    """

    def __init__(
        self,
        *,
        rules: Callable[[], NetworkRules],
        registries: Registries,
        registry: NpmRegistry | None,
        upstream: Upstream,
        on_refused: Callable[[str], None],
        resolve: Resolver | None = None,
        dial: Dial | None = None,
        is_near: Callable[[IPv4Address | IPv6Address], bool] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.registry = registry
        self.limits = limits or Limits()
        self.reach = Reach(upstream, resolve=resolve, dial=dial, is_near=is_near)
        self.tunnels = 0
        self._rules = rules
        self._registries = registries
        self._on_refused = on_refused
        self._told: set[str] = set()
        self._open: dict[asyncio.Timeout, Place] = {}
        self._connections = 0

    async def serve(self, stream: ByteStream) -> None:
        """Serve a connection from inside until it ends. Raises nothing; the stream is dropped at the end."""
        self._connections += 1
        try:
            conversation = _Conversation(self, stream)
            await conversation.run(full=self._connections > self.limits.connections)
        except (ConnectionError, TimeoutError) as error:
            _log.debug("a connection of an app broke: %r", error)
        except Exception:  # noqa: BLE001 - logged, and no app's doing ends the session that carries it
            _log.exception("a connection of an app could not be served")
        finally:
            self._connections -= 1
            stream.abort()

    def rules_changed(self) -> None:
        """Let new rules count at once: drop what is open to hosts that they do not allow, and tell refusals anew."""
        self.forget_told()
        rules, now = self._rules(), asyncio.get_running_loop().time()
        for way, (host, port) in self._open.items():
            if not way.expired() and not decide(rules, str(host), port, self._registries).allowed:
                _log.info("what was open to %s:%d is no longer allowed, and dropped", host, port)
                way.reschedule(now)

    def forget_told(self) -> None:
        """Tell of refused hosts anew: somebody listens who was not told."""
        self._told.clear()

    @asynccontextmanager
    async def using(self, place: Place) -> AsyncIterator[None]:
        """Be dropped with a TimeoutError when the rules no longer allow a place."""
        async with asyncio.timeout(None) as way:
            self._open[way] = place
            try:
                yield
            finally:
                del self._open[way]

    def wants_tls(self, place: Place) -> bool:
        """Whether a tunnel to a place must be TLS."""
        known = self._registries.tls_places | self._registries.relayed_places
        return place[1] == _HTTPS_PORT or place in known

    @property
    def is_off(self) -> bool:
        """Whether the app has no network at all."""
        return self._rules().mode == "none"

    def decide(self, host: Host, port: int) -> Decision:
        """Judge a host by the rules of now; a refusal that a grant would undo is told, once."""
        decision = decide(self._rules(), str(host), port, self._registries)
        ask = decision.ask
        if ask and ask not in self._told and len(self._told) < self.limits.hosts_told:
            self._told.add(ask)
            self._on_refused(ask)
        return decision


class _StopError(Exception):
    """The request is answered with an error, and the connection ends."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class _Conversation:
    """One connection: requests one after the other, or one that becomes a tunnel."""

    def __init__(self, egress: Egress, stream: ByteStream) -> None:
        self._egress = egress
        self._limits = egress.limits
        self._stream = stream
        self._method = b""
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.header_bytes)

    async def run(self, *, full: bool) -> None:
        try:
            if full:
                raise _StopError(503, "The app has too many connections open.")
            while (request := await self._next_request()) is not None:
                await self._answer(request)
                if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                    break
                self._http.start_next_cycle()
        except h11.RemoteProtocolError as error:
            await self._stop(
                error.error_status_hint, "The request is not written as HTTP wants it."
            )
        except _StopError as stop:
            await self._stop(stop.status, stop.sentence)
        await self._leave()

    async def _next_request(self) -> h11.Request | None:
        """Return the next request's head; None at the end of the connection."""
        limits, loop = self._limits, asyncio.get_running_loop()
        begun = bool(self._http.trailing_data[0])
        deadline = loop.time() + (limits.header_seconds if begun else limits.next_request_seconds)
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                self._method = event.method
                return event
            if event is not h11.NEED_DATA:
                return None
            try:
                async with asyncio.timeout_at(deadline):
                    data = await self._stream.read()
            except TimeoutError:
                if begun:
                    raise _StopError(408, "The request did not come to its end in time.") from None
                return None
            if not begun:
                begun = True
                deadline = loop.time() + limits.header_seconds
            self._http.receive_data(data)

    async def _answer(self, request: h11.Request) -> None:
        names = [name for name, _ in request.headers]
        if b"content-length" in names and b"transfer-encoding" in names:
            raise _StopError(400, "The request says its length in two ways.")
        target = request.target.decode("ascii")
        if request.method == b"CONNECT":
            await self._connect(target)
        elif target.startswith("/"):
            await self._relay(request, target)
        elif (absolute := _ABSOLUTE.fullmatch(target)) is not None:
            place = split_host_port(absolute[1], 80)
            if place is None:
                raise _StopError(400, "The address is not written the way addresses are.")
            path = absolute[2] if absolute[2].startswith("/") else f"/{absolute[2]}"
            await self._forward(request, place, path)
        else:
            raise _StopError(400, "This proxy knows http addresses, and CONNECT for all others.")

    # -- packages

    async def _relay(self, request: h11.Request, target: str) -> None:
        body = bytearray()
        async for piece in self._body(self._limits.unused_body_bytes):
            # Of what is too large the registry only has to see that it is.
            body += piece[: QUESTION_BYTES + 1 - len(body)]
        registry = self._egress.registry
        if registry is None:
            raise _StopError(404, "There is no package registry here.")
        if self._egress.is_off:
            said = json.dumps({"error": f"VibeDesk: {NETWORK_OFF}"}).encode()
            await self._send_whole(
                403, [(b"content-type", b"application/json"), _length(said)], said
            )
            return
        answer = await registry.answer(
            request.method.decode("ascii"),
            target,
            {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers},
            bytes(body),
        )
        try:
            headers = [(name.encode(), value.encode("latin-1")) for name, value in answer.headers]
            if answer.status != HTTPStatus.NOT_MODIFIED:
                headers.append((b"content-length", str(answer.length).encode()))
            await self._send_head(answer.status, headers)
            if request.method != b"HEAD" and answer.status != HTTPStatus.NOT_MODIFIED:
                async for piece in answer.body:
                    await self._send(h11.Data(data=piece))
            await self._send(h11.EndOfMessage())
        finally:
            answer.close()

    # -- tunnels

    async def _connect(self, target: str) -> None:
        async for _ in self._body(0):
            pass
        place = split_host_port(target, 0)
        if place is None:
            raise _StopError(400, "CONNECT needs a host and a port.")
        decision = self._egress.decide(*place)
        if not decision.allowed:
            raise _refusal(decision)
        if decision.because == "plain registry":
            raise _StopError(403, "This package registry may only be read from.")
        if self._egress.tunnels >= self._limits.tunnels:
            raise _StopError(503, "The app has too many connections open.")
        self._egress.tunnels += 1
        try:
            async with self._egress.using(place):
                await self._tunnel(place, decision)
        finally:
            self._egress.tunnels -= 1

    async def _tunnel(self, place: Place, decision: Decision) -> None:
        limits = self._limits
        route = await self._open("https", place, decision)
        try:
            await self._write(
                self._http.send(
                    h11.Response(status_code=200, headers=[], reason=b"Connection established")
                )
            )
            inside = HelloGuard(
                Continued(self._http.trailing_data[0], self._stream),
                place[0],
                required=self._egress.wants_tls(place),
                seconds=limits.hello_seconds,
            )
        except BaseException:
            route.stream.abort()
            raise
        await join(inside, route.stream, idle_seconds=limits.idle_tunnel_seconds)

    # -- requests without encryption

    async def _forward(self, request: h11.Request, place: Place, path: str) -> None:
        decision = self._egress.decide(*place)
        if not decision.allowed:
            raise _refusal(decision)
        if decision.trusted and request.method not in _READING:
            raise _StopError(405, "This package registry may only be read from.")
        async with self._egress.using(place):
            await self._exchange(request, place, path, decision)

    async def _exchange(
        self, request: h11.Request, place: Place, path: str, decision: Decision
    ) -> None:
        if self._http.they_are_waiting_for_100_continue:
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        route = await self._open("http", place, decision)
        client = h11.Connection(h11.CLIENT, max_incomplete_event_size=self._limits.header_bytes)
        tasks = [
            asyncio.ensure_future(self._upload(request, place, path, route, client)),
            asyncio.ensure_future(self._download(route, client)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await tasks[1]
        finally:
            route.stream.abort()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _upload(
        self, request: h11.Request, place: Place, path: str, route: Route, client: h11.Connection
    ) -> None:
        authority = _authority(place)
        headers: Headers = [(b"host", authority.encode()), (b"connection", b"close")]
        headers += [
            (name, value)
            for name, value in _end_to_end(request.headers)
            if name not in (b"host", b"expect")
        ]
        if any(name == b"transfer-encoding" for name, _ in request.headers):
            headers.append((b"transfer-encoding", b"chunked"))
        target = path
        if route.proxy is not None:
            target = f"http://{authority}{path}"
            if route.proxy.authorization:
                headers.append((b"proxy-authorization", route.proxy.authorization.encode()))
        head = h11.Request(method=request.method, target=target, headers=headers)
        # A server may answer, and close its end, before it has read everything.
        with contextlib.suppress(ConnectionError):
            await route.stream.write(client.send(head) or b"")
            async for piece in self._body(self._limits.body_bytes):
                await route.stream.write(client.send(h11.Data(data=piece)) or b"")
            await route.stream.write(client.send(h11.EndOfMessage()) or b"")

    async def _download(self, route: Route, client: h11.Connection) -> None:
        async for event in self._events_of(route, client):
            if isinstance(event, h11.Response):
                headers = list(_end_to_end(event.headers))
                await self._send_head(event.status_code, headers, event.reason)
            elif isinstance(event, h11.Data):
                await self._send(h11.Data(data=bytes(event.data)))
        await self._send(h11.EndOfMessage())

    async def _events_of(
        self, route: Route, client: h11.Connection
    ) -> AsyncIterator[h11.Response | h11.Data]:
        """Yield a server's answer up to its end."""
        while True:
            try:
                event = client.next_event()
            except h11.RemoteProtocolError as error:
                raise _StopError(
                    502, "The server's answer is not written as HTTP wants it."
                ) from error
            if event is h11.NEED_DATA:
                try:
                    async with asyncio.timeout(self._limits.answer_seconds):
                        data = await route.stream.read()
                except TimeoutError:
                    raise _StopError(504, "The server did not answer in time.") from None
                client.receive_data(data)
            elif isinstance(event, h11.Response | h11.Data):
                yield event
            elif isinstance(event, h11.EndOfMessage):
                return
            elif not isinstance(event, h11.InformationalResponse):
                raise _StopError(502, "The server ended the connection without an answer.")

    # -- both

    async def _open(
        self, scheme: Literal["http", "https"], place: Place, decision: Decision
    ) -> Route:
        host, port = place
        try:
            return await self._egress.reach.open(scheme, host, port, trusted=decision.trusted)
        except RefusedError as error:
            raise _StopError(403, str(error)) from error
        except UnreachableError as error:
            raise _StopError(502, str(error)) from error

    async def _body(self, most: int) -> AsyncIterator[bytes]:
        """Yield the pieces of the request's body."""
        total = 0
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                try:
                    async with asyncio.timeout(self._limits.piece_seconds):
                        self._http.receive_data(await self._stream.read())
                except TimeoutError:
                    raise _StopError(408, "The request did not come to its end in time.") from None
            elif isinstance(event, h11.Data):
                total += len(event.data)
                if total > most:
                    raise _StopError(413, "The request is too large.")
                yield bytes(event.data)
            else:
                return

    async def _send_head(self, status: int, headers: Headers, reason: bytes = b"") -> None:
        reason = reason or _reason(status)
        await self._send(h11.Response(status_code=status, headers=headers, reason=reason))

    async def _send(self, event: h11.Event) -> None:
        await self._write(self._http.send(event))

    async def _send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        await self._send_head(status, headers)
        if self._method != b"HEAD":
            await self._send(h11.Data(data=body))
        await self._send(h11.EndOfMessage())

    async def _write(self, data: bytes | None) -> None:
        if data:
            async with asyncio.timeout(self._limits.write_seconds):
                await self._stream.write(data)

    async def _stop(self, status: int, sentence: str) -> None:
        """Answer with an error unless an answer has begun already."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self._stream.abort()  # the app must not take half an answer for a whole one
            return
        body = f"VibeDesk: {sentence}\n".encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"connection", b"close"),
            _length(body),
        ]
        await self._send_whole(status, headers, body)

    async def _leave(self) -> None:
        """End the connection so that the last answer arrives although more may be on its way to us."""
        await self._stream.end()
        left = _LINGER_BYTES
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while left > 0 and (data := await self._stream.read()):
                    left -= len(data)


def _refusal(decision: Decision) -> _StopError:
    how = " Allow it in VibeDesk, which asks about it, then try again." if decision.ask else ""
    return _StopError(403, decision.reason + how)


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers that are not for the next hop alone; names are in lower case."""
    given = list(headers)
    named = {
        name.strip().lower()
        for key, value in given
        if key == b"connection"
        for name in value.split(b",")
    }
    leaving = _HOP_BY_HOP | (named - {b"content-length", b"host"})
    if any(key == b"transfer-encoding" for key, _ in given):
        leaving |= {b"content-length"}
    return [(key, value) for key, value in given if key not in leaving]


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(body)).encode()


def _authority(place: Place) -> str:
    host, port = place
    name = f"[{host}]" if isinstance(host, IPv6Address) else str(host)
    return name if port == 80 else f"{name}:{port}"


def _reason(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b"Answer"
