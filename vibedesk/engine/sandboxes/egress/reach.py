"""Opens connections to the hosts that apps may reach: exactly the addresses that were checked, or the person's proxy."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Literal

import h11
import psutil

from vibedesk.base.hosts import Host
from vibedesk.engine.sandboxes.egress.rules import refuse_addresses
from vibedesk.engine.sandboxes.egress.upstream import Proxy, Upstream
from vibedesk.engine.sandboxes.streams import ByteStream, SocketStream

_log = logging.getLogger(__name__)

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Returns all addresses of a name, in the order of preference; raises OSError where it has none."""
Dial = Callable[[str, int], Awaitable[ByteStream]]
"""Connects to one address (never a name); raises OSError."""

_RESOLVE_SECONDS = 15.0
_CONNECT_SECONDS = 15.0
_PROXY_ANSWER_BYTES = 16 * 1024
_MOST_ADDRESSES = 6
_SHORTEST_4 = 16
_SHORTEST_6 = 48


class RefusedError(Exception):
    """A rule forbids the connection; the text is the sentence."""


class UnreachableError(Exception):
    """The connection did not come about; the text is the sentence."""


@dataclass(frozen=True, slots=True)
class Route:
    """An open connection."""

    stream: ByteStream
    proxy: Proxy | None = None
    """Set where the other end is the person's proxy, which wants whole addresses in requests."""


class Reach:
    """Opens connections on behalf of an app.

    Args:
        upstream: The person's proxies.
        resolve: Looks names up.
        dial: Connects to an address that `resolve` named.
        is_near: Whether an address belongs to this machine or a network it is in.
    """

    def __init__(
        self,
        upstream: Upstream,
        *,
        resolve: Resolver | None = None,
        dial: Dial | None = None,
        is_near: Callable[[IPv4Address | IPv6Address], bool] | None = None,
    ) -> None:
        self._upstream = upstream
        self._resolve = resolve or resolve_name
        self._dial = dial or dial_address
        self._is_near = is_near or is_near_address

    async def open(
        self, scheme: Literal["http", "https"], host: Host, port: int, *, trusted: bool
    ) -> Route:
        """Connect to a host; with `https` the result is a raw way to it, also through a proxy.

        Where the person's environment has a proxy, names that cannot be resolved here are left to it unchecked: in
        such networks often it alone can. A name that can is refused for its addresses before the proxy hears of it.

        Args:
            scheme: Decides which proxy is used.
            host: Already allowed by the rules.
            port: Of the host.
            trusted: Whether its addresses may be private ones.

        Raises:
            RefusedError: one of its addresses is not public.
            UnreachableError: it cannot be resolved or reached.
        """
        proxy = self._upstream.proxy_for(scheme, str(host), port)
        addresses = await self._addresses(host, port, behind_proxy=proxy is not None)
        if not trusted and (addresses or proxy is None):
            refusal = refuse_addresses(addresses, self._is_near)
            if refusal:
                raise RefusedError(refusal)
        if proxy is None:
            return Route(await self._dial_any(addresses, host, port))
        stream = await self._dial_proxy(proxy)
        if scheme == "http":
            return Route(stream, proxy)
        return Route(await _tunnel_through(stream, proxy, _authority(host, port)))

    async def _addresses(self, host: Host, port: int, *, behind_proxy: bool) -> list[str]:
        """Return all addresses; none where only the person's proxy can look the name up."""
        if not isinstance(host, str):
            return [str(host)]
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS):
                return await self._resolve(host, port)
        except (OSError, UnicodeError) as error:  # a timeout is an OSError
            if behind_proxy:
                return []
            raise UnreachableError(
                f"ENOTFOUND: {host} is not known, or there is no network."
            ) from error

    async def _dial_any(self, addresses: Sequence[str], host: Host, port: int) -> ByteStream:
        failure: OSError | None = None
        for address in addresses[:_MOST_ADDRESSES]:
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await self._dial(address, port)
            except OSError as error:
                failure = error
        name = errno.errorcode.get(failure.errno or 0, "ETIMEDOUT") if failure else "ENOTFOUND"
        raise UnreachableError(f"{name}: {host} does not answer on port {port}.") from failure

    async def _dial_proxy(self, proxy: Proxy) -> ByteStream:
        try:
            context = (
                await asyncio.to_thread(lambda: self._upstream.ssl_context) if proxy.tls else None
            )
            async with asyncio.timeout(_CONNECT_SECONDS):
                return SocketStream(
                    *await asyncio.open_connection(proxy.host, proxy.port, ssl=context)
                )
        except OSError as error:
            raise UnreachableError(
                "ECONNREFUSED: the proxy that this computer uses does not answer."
            ) from error


async def resolve_name(name: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def dial_address(address: str, port: int) -> ByteStream:
    """Connect to an address."""
    return SocketStream(*await asyncio.open_connection(address, port))


def is_near_address(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to this machine or a network it is in, where public addresses may be in use too."""
    return any(address in network for network in own_networks(_interface_addresses()))


def own_networks(interfaces: Iterable[tuple[str, str | None]]) -> list[IPv4Network | IPv6Network]:
    """Return the networks of addresses with their masks; a mask that spans half the internet counts for nothing."""
    networks: list[IPv4Network | IPv6Network] = []
    for text, mask in interfaces:
        with contextlib.suppress(ValueError):
            address = ip_address(text.partition("%")[0])
            length = _mask_length(mask) if mask else 0
            if length < (_SHORTEST_4 if address.version == 4 else _SHORTEST_6):
                length = address.max_prefixlen
            networks.append(ip_network((address, length), strict=False))
    return networks


def _interface_addresses() -> list[tuple[str, str | None]]:
    return [
        (entry.address, entry.netmask)
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in (socket.AF_INET, socket.AF_INET6)
    ]


def _mask_length(mask: str) -> int:
    return int(ip_address(mask)).bit_count()


class Continued:
    """A stream of which the first bytes were read already."""

    def __init__(self, first: bytes, stream: ByteStream) -> None:
        self._first = first
        self._stream = stream
        self.write = stream.write
        self.end = stream.end
        self.abort = stream.abort

    async def read(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return await self._stream.read()


async def _tunnel_through(stream: ByteStream, proxy: Proxy, authority: str) -> ByteStream:
    """Ask a proxy for a tunnel; on failure the stream is dropped."""
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            return await _ask_for_tunnel(stream, proxy, authority)
    except (OSError, h11.ProtocolError) as error:
        stream.abort()
        raise UnreachableError(
            "ECONNRESET: the proxy that this computer uses gave no tunnel."
        ) from error
    except BaseException:
        stream.abort()
        raise


async def _ask_for_tunnel(stream: ByteStream, proxy: Proxy, authority: str) -> ByteStream:
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=_PROXY_ANSWER_BYTES)
    headers = [("Host", authority)]
    if proxy.authorization:
        headers.append(("Proxy-Authorization", proxy.authorization))
    asked = client.send(h11.Request(method="CONNECT", target=authority, headers=headers))
    asked = (asked or b"") + (client.send(h11.EndOfMessage()) or b"")
    await stream.write(asked)
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            client.receive_data(await stream.read())
        elif isinstance(event, h11.Response):
            if not 200 <= event.status_code < 300:
                raise UnreachableError(
                    f"ECONNREFUSED: the proxy that this computer uses answered {event.status_code}."
                )
            return Continued(client.trailing_data[0], stream)
        elif isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError("closed")


def _authority(host: Host, port: int) -> str:
    return f"[{host}]:{port}" if isinstance(host, IPv6Address) else f"{host}:{port}"
