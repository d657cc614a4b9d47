"""The way from this machine to the internet: the proxies and certificates of the person's environment.

Credentials for the proxy stay here, on the host's side.
"""

from __future__ import annotations

import base64
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import certifi
import httpx

_log = logging.getLogger(__name__)

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The HTTP proxy that the person's machine needs."""

    host: str
    port: int
    tls: bool
    """Whether the way to the proxy itself is encrypted."""
    authorization: str = ""
    """The value of Proxy-Authorization."""

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


class Upstream:
    """What HTTPS_PROXY, HTTP_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR and NODE_EXTRA_CA_CERTS say.

    Args:
        parent: The environment VibeDesk runs in.
    """

    def __init__(self, parent: Mapping[str, str]) -> None:
        self._parent = dict(parent)
        self._proxies: dict[str, Proxy | None] = {
            scheme: self._find_proxy(scheme) for scheme in ("http", "https")
        }
        exceptions = parent.get("no_proxy") or parent.get("NO_PROXY") or ""
        self._exceptions = [
            entry.strip().lower() for entry in exceptions.split(",") if entry.strip()
        ]

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """Trusts what the system trusts, the certificates of certifi, and the person's own. Blocking at first."""
        file, folder = self._parent.get("SSL_CERT_FILE"), self._parent.get("SSL_CERT_DIR")
        if file or folder:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        else:
            context = ssl.create_default_context()
            file = certifi.where()
        # Reading a bundle holds the interpreter for up to 0.1 s, so none is read twice.
        paths = [path for path in (file, folder, self._parent.get("NODE_EXTRA_CA_CERTS")) if path]
        for path in {Path(path).resolve() for path in paths}:
            self._trust(context, path)
        return context

    def proxy_for(self, scheme: Literal["http", "https"], host: str, port: int) -> Proxy | None:
        """Return the proxy on the way to a host (an address without brackets); None where there is none."""
        proxy = self._proxies[scheme]
        return None if proxy is None or self._is_exception(host.lower(), port) else proxy

    def transport(self) -> httpx.AsyncBaseTransport:
        """Return a transport for httpx that goes the right way for every request, also after redirects."""
        return _Routes(self)

    def _find_proxy(self, scheme: str) -> Proxy | None:
        for name in (f"{scheme}_proxy", "all_proxy"):
            address = self._parent.get(name) or self._parent.get(name.upper())
            if address:
                return _parse_proxy(name, address)
        return None

    def _is_exception(self, host: str, port: int) -> bool:
        for entry in self._exceptions:
            if entry == "*":
                return True
            name, colon, number = entry.rpartition(":")
            if colon and number.isdigit() and ":" not in name:
                if int(number) != port:
                    continue
                entry = name
            plain = entry.strip("[]").removeprefix("*").removeprefix(".")
            if host == plain or host.endswith(f".{plain}") or _in_network(host, plain):
                return True
        return False

    def _trust(self, context: ssl.SSLContext, path: Path) -> None:
        try:
            if path.is_dir():
                context.load_verify_locations(capath=path)
            else:
                context.load_verify_locations(cafile=path)
        except OSError as error:  # ssl.SSLError is one
            _log.warning("no certificates could be read from %s: %s", path, error)


class _Routes(httpx.AsyncBaseTransport):
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._transports: dict[Proxy | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        proxy = self._upstream.proxy_for(
            "https" if url.scheme == "https" else "http",
            url.host,
            url.port or _PORTS.get(url.scheme, 0),
        )
        if proxy not in self._transports:
            self._transports[proxy] = self._made(proxy)
        return await self._transports[proxy].handle_async_request(request)

    def _made(self, proxy: Proxy | None) -> httpx.AsyncHTTPTransport:
        context = self._upstream.ssl_context
        return httpx.AsyncHTTPTransport(
            verify=context,
            limits=httpx.Limits(max_connections=24, max_keepalive_connections=24),
            proxy=None
            if proxy is None
            else httpx.Proxy(
                proxy.address,
                ssl_context=context if proxy.tls else None,
                headers={"Proxy-Authorization": proxy.authorization}
                if proxy.authorization
                else None,
            ),
        )

    async def aclose(self) -> None:
        for transport in self._transports.values():
            await transport.aclose()


def _parse_proxy(name: str, address: str) -> Proxy | None:
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _PORTS or not parts.hostname:
        _log.warning("%s is not used: it is not an http(s) address", name)
        return None
    authorization = ""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Proxy(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "https",
        authorization=authorization,
    )


def _in_network(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
