"""A relay of the person's npm registries, shared by all sandboxes, with a store on the host.

Apps can only read through it: packages, and what is known against them. What one app does changes nothing of what
another gets: everything in the store was fetched by this code, tarballs are checked against their description when
they come and whenever they go.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import gzip
import hashlib
import json
import logging
import re
import socket
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote, unquote

import httpx

from vibedesk.engine.sandboxes.egress.npm_metadata import (
    Tarball,
    looks_like_description,
    rewrite,
)
from vibedesk.engine.sandboxes.egress.npm_store import (
    Content,
    Document,
    Head,
    MismatchError,
    PackageStore,
)
from vibedesk.engine.sandboxes.egress.registries import NOT_ASKED, Registries
from vibedesk.engine.sandboxes.egress.upstream import Upstream

_log = logging.getLogger(__name__)
T = TypeVar("T")

RELAY_ADDRESS = "http://127.0.0.1:3128/"
"""Where a sandbox's agent listens; what `npm_config_registry` says inside."""

_SHORT = "application/vnd.npm.install-v1+json"
_ACCEPT = {"short": f"{_SHORT}; q=1.0, application/json; q=0.8, */*", "full": "application/json"}
_ADVISORIES = ("-", "npm", "v1", "security", "advisories", "bulk")
"""Where npm's audit asks: a POST of names and versions, answered with what is known against them."""
QUESTION_BYTES = 512 * 1024
"""Of such a question, packed as it comes; npm's own have some ten thousand."""
_QUESTION_UNPACKED_BYTES = 4 * 1024 * 1024
_KNOWN_BYTES = 8 * 1024 * 1024
_NAME_LENGTH = 214
_MOST_NAMES = 30
"""In one header, of which Node takes 16 KiB with all others."""
_VERSION_LENGTH = 256
_PART = re.compile(r"[A-Za-z0-9_~!'()*][A-Za-z0-9._~!'()*-]*")
_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~+-]*")
_DOCUMENT_BYTES = 96 * 1024 * 1024
_SMALL_BYTES = 4 * 1024 * 1024
_LARGE_AT_ONCE = 2
_TARBALL_BYTES = 1024 * 1024 * 1024
_MAX_BYTES = 6 * 1024 * 1024 * 1024
_WRITE_BYTES = 512 * 1024
_SEND_BYTES = 256 * 1024
_ATTEMPTS = 2
_RETRY_SECONDS = 0.3
_DOWN_SECONDS = 5.0
_JUST_NOW_SECONDS = 30.0
# The store is the cache; a second copy in every sandbox would only take room.
_NOT_STORED = ("cache-control", "no-store")
_TIMEOUT = httpx.Timeout(60.0, connect=15.0)
_THREADS = 4
_TURN_SECONDS = 0.001
_PAUSE_SECONDS = 0.0001
# OpenSSL's numbers by the names that Node gives them, which people find on the web.
_TRUST_NAMES = {
    2: "UNABLE_TO_GET_ISSUER_CERT",
    10: "CERT_HAS_EXPIRED",
    18: "DEPTH_ZERO_SELF_SIGNED_CERT",
    19: "SELF_SIGNED_CERT_IN_CHAIN",
    20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    62: "ERR_TLS_CERT_ALTNAME_INVALID",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to one request."""

    status: int
    headers: list[tuple[str, str]]
    length: int
    body: AsyncIterator[bytes]
    close: Callable[[], None] = lambda: None
    """To be called when it was sent, or will not be."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What a request is about."""

    kind: Literal["package", "version", "tags", "tarball", "advisories"]
    package: str = ""
    name: str = ""
    """The version or tag, or the tarball's file name."""

    @property
    def path(self) -> str:
        """Where a registry has it; tarballs have no place of their own."""
        if self.kind == "advisories":
            return "/".join(_ADVISORIES)
        package = quote(self.package, safe="@").replace("%2F", "%2f")
        if self.kind == "tags":
            return f"-/package/{package}/dist-tags"
        return f"{package}/{quote(self.name)}" if self.kind == "version" else package


class ProblemError(Exception):
    """The request cannot be answered; the text is one sentence, with a word in front that npm's log readers know."""

    def __init__(
        self, status: int, sentence: str, *, passing: bool = False, again: bool = False
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.passing = passing
        """Whether an older copy serves as well meanwhile."""
        self.again = again
        """Whether another attempt may help at once."""


class _Turns:
    """Lets the event loop's thread run in between.

    It would get the interpreter only every 5 ms, and give it away again with every system call: a loop that
    serves many connections hardly moves then.
    """

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def take(self) -> None:
        if time.perf_counter() - self._since > _TURN_SECONDS:
            time.sleep(_PAUSE_SECONDS)
            self._since = time.perf_counter()


class NpmRegistry:
    """Answers read requests of npm, pnpm, yarn and bun.

    Args:
        store: A folder of its own.
        registries: Where packages come from.
        upstream: How they are reached.
        address: Ours, as the sandboxes see it, ending with a slash.
        fresh_seconds: How long a package description is used before the registry is asked whether it changed.
        max_bytes: What the store may hold.
    """

    def __init__(
        self,
        store: Path,
        registries: Registries,
        upstream: Upstream,
        *,
        address: str = RELAY_ADDRESS,
        fresh_seconds: float = 300.0,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        self._store = PackageStore(store, max_bytes)
        self._registries = registries
        self._upstream = upstream
        self._address = address
        self._fresh_seconds = fresh_seconds
        self._flights: dict[str, asyncio.Task[Any]] = {}
        self._down: dict[str, tuple[float, ProblemError]] = {}
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="npm-registry")
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        # One at a time: they compute, and would only get in each other's way.
        self._documents = ThreadPoolExecutor(1, thread_name_prefix="npm-documents")
        self._client: httpx.AsyncClient | None = None

    async def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Answer a request.

        Args:
            method: Of HTTP.
            target: The path, perhaps with a query.
            headers: With names in lower case.
            body: What came with it; of more than `QUESTION_BYTES` the beginning suffices, it is refused.
        """
        try:
            resource = parse_target(method, target)
            if resource is None:
                return _json_answer(200, {})
            if resource.kind == "tarball":
                return await self._answer_tarball(resource)
            if resource.kind == "advisories":
                return await self._answer_audit(resource, headers, body)
            return await self._answer_document(resource, headers)
        except ProblemError as problem:
            return _json_answer(problem.status, {"error": problem.sentence})
        except OSError as error:
            _log.warning("the package store failed", exc_info=error)
            word = errno.errorcode.get(error.errno or 0, "EIO")
            return _json_answer(500, {"error": f"{word}: the package store cannot be used."})

    async def size(self) -> int:
        """Return the bytes that the store takes."""
        return await self._in_pool(self._store.size)

    async def clean(self, older_than: float) -> int:
        """Remove what no app has used for so many seconds; return the bytes freed."""
        return await self._in_pool(self._store.clean, older_than)

    async def aclose(self) -> None:
        """End all fetches."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
        for pool in (self._pool, self._documents):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _answer_document(self, resource: Resource, headers: Mapping[str, str]) -> Answer:
        short = resource.kind == "package" and _SHORT in headers.get("accept", "")
        document = await self._document(
            resource, "short" if short else "full", max_age=self._fresh_seconds
        )
        head, content = document.head, document.content
        fields = [
            ("content-type", head.content_type),
            ("etag", head.etag),
            ("vary", "accept, accept-encoding"),
            _NOT_STORED,
        ]
        if head.etag in headers.get("if-none-match", ""):
            content.close()
            return Answer(304, fields, 0, _pieces(b""))
        packed = self._content_pieces(content)
        if "gzip" not in headers.get("accept-encoding", ""):
            return Answer(200, fields, head.length, _unpacked_pieces(packed), content.close)
        return Answer(
            200, [*fields, ("content-encoding", "gzip")], content.size, packed, content.close
        )

    async def _answer_tarball(self, resource: Resource) -> Answer:
        tarball = await self._find_tarball(resource)
        content = await self._in_pool(self._store.read_tarball, tarball.integrity)
        if content is None:
            await self._shared(
                tarball.integrity, functools.partial(self._download, resource, tarball)
            )
            content = await self._in_pool(self._store.read_tarball, tarball.integrity)
        if content is None:
            raise ProblemError(500, f"EIO: {resource.name} could not be read again.")
        fields = [("content-type", "application/octet-stream"), _NOT_STORED]
        return Answer(200, fields, content.size, self._content_pieces(content), content.close)

    async def _answer_audit(
        self, resource: Resource, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Pass the question on what is known against packages: their names and versions, in words of our own."""
        registry = self._registry_of(resource)
        asked = await self._in_pool(_read_question, body, headers.get("content-encoding", ""))
        # What comes from elsewhere this registry knows nothing of, and has no business to know.
        elsewhere = {n for n in asked if self._registries.npm_registry_of(n) != registry}
        asked = {name: versions for name, versions in asked.items() if name not in elsewhere}
        notice = _notice_of_unasked(sorted(elsewhere))
        if not asked:
            # Of what nobody was asked about, nobody said that it is well.
            return _json_answer(404 if elsewhere else 200, {}, *notice)

        async def receive(response: httpx.Response) -> Any:
            _require_ok(response, "the list of known holes")
            received = bytearray()
            async for piece in response.aiter_raw():
                received += piece
                if len(received) > _KNOWN_BYTES:
                    raise ProblemError(502, "The list of known holes is too large.")
            packed = response.headers.get("content-encoding", "").lower() == "gzip"
            return await self._in_pool(_read_known, received, packed)

        known = await self._ask(
            registry,
            registry + resource.path,
            {
                "accept": "application/json",
                "accept-encoding": "gzip",
                "content-type": "application/json",
                "content-encoding": "gzip",
            },
            receive,
            question=gzip.compress(json.dumps(asked).encode()),
        )
        return _json_answer(200, known, *notice)

    async def _document(
        self,
        resource: Resource,
        form: Literal["short", "full"],
        *,
        max_age: float,
        anew: bool = False,
    ) -> Document:
        """Return a document that the registry confirmed within `max_age` seconds, or an older one if it is away.

        With `anew` it is fetched even if it did not change.
        """
        registry = self._registry_of(resource)
        key = self._document_key(registry, resource, form)
        stored = await self._in_pool(self._store.read_document, key)
        if stored is not None:
            if stored.age < max_age and not anew:
                return stored
            stored.content.close()
        other_key = self._document_key(registry, resource, "full" if form == "short" else "short")
        if form == "short" and not anew:  # the whole has all that the short form has
            whole = await self._in_pool(self._store.read_document, other_key)
            if whole is not None and whole.age < max_age:
                return whole
            if whole is not None:
                whole.content.close()
        known = None if anew or stored is None else stored.head
        fallback: ProblemError | None = None
        try:
            await self._shared(
                key, functools.partial(self._refresh, resource, form, registry, key, known)
            )
        except ProblemError as problem:
            if not problem.passing:
                raise
            fallback = problem
        found = await self._in_pool(self._store.read_document, key)
        if fallback is not None:
            if found is None:  # better too little, or too much, than nothing
                found = await self._in_pool(self._store.read_document, other_key)
            if found is None:
                raise fallback
            _log.info("%s is served as it was: %s", resource.package, fallback)
        if found is None:
            raise ProblemError(500, f"EIO: {resource.package} could not be read again.")
        return found

    def _document_key(self, registry: str, resource: Resource, form: str) -> str:
        return "\n".join((registry, resource.path, form, self._address))

    async def _refresh(
        self, resource: Resource, form: str, registry: str, key: str, known: Head | None
    ) -> None:
        headers = {"accept": _ACCEPT[form], "accept-encoding": "gzip"}
        if known is not None and known.registry_etag:
            headers["if-none-match"] = known.registry_etag
        if known is not None and known.registry_modified:
            headers["if-modified-since"] = known.registry_modified

        async def receive(response: httpx.Response) -> None:
            if response.status_code == 304 and known is not None:
                await self._in_pool(self._store.confirm_document, key)
                return
            _require_ok(response, resource.package)
            async with contextlib.AsyncExitStack() as turn:
                received = bytearray()
                async for piece in response.aiter_raw():
                    small = len(received) <= _SMALL_BYTES
                    received += piece
                    if len(received) > _DOCUMENT_BYTES:
                        raise ProblemError(
                            502, f"The description of {resource.package} is too large."
                        )
                    if small and len(received) > _SMALL_BYTES:
                        await turn.enter_async_context(self._large)
                await asyncio.get_running_loop().run_in_executor(
                    self._documents,
                    self._keep_document,
                    resource,
                    registry,
                    key,
                    response.headers,
                    received,
                )

        await self._ask(registry, registry + resource.path, headers, receive)

    def _keep_document(
        self,
        resource: Resource,
        registry: str,
        key: str,
        headers: httpx.Headers,
        received: bytearray,
    ) -> None:
        """Unpack, turn and store what a registry sent. Blocking, in steps that let the loop go on."""
        packed = headers.get("content-encoding", "").lower() == "gzip"
        try:
            document = _unpacked(received) if packed else bytes(received)
            if not looks_like_description(document):
                raise ValueError("no JSON")
            rewritten = rewrite(
                document, resource.package, registry, self._address, between=_Turns().take
            )
        except ValueError as error:
            raise ProblemError(
                502,
                f"The package registry sent no description of {resource.package}; a sign-in page of the "
                "network may be in the way.",
                passing=True,
            ) from error
        digest, length = hashlib.sha256(), 0
        packer = zlib.compressobj(3, wbits=31)
        body: list[bytes] = []
        for part in rewritten.parts:
            digest.update(part)
            length += len(part)
            body.append(packer.compress(part))
        body.append(packer.flush())
        head = Head(
            content_type=headers.get("content-type", "application/json"),
            length=length,
            etag=f'"{digest.hexdigest()[:32]}"',
            registry_etag=headers.get("etag", ""),
            registry_modified=headers.get("last-modified", ""),
        )
        if resource.kind == "package":
            self._store.write_tarballs(f"{registry}\n{resource.package}", rewritten.tarballs)
        self._store.write_document(key, head, body)

    async def _find_tarball(self, resource: Resource) -> Tarball:
        registry = self._registry_of(resource)
        key = f"{registry}\n{resource.package}"
        tarballs, age = await self._in_pool(self._store.read_tarballs, key)
        if resource.name not in tarballs and age > _JUST_NOW_SECONDS:
            whole = Resource("package", resource.package)
            # Without a list the registry's "unchanged" would leave us without one.
            document = await self._document(
                whole, "short", max_age=_JUST_NOW_SECONDS, anew=not tarballs
            )
            document.content.close()
            tarballs, _ = await self._in_pool(self._store.read_tarballs, key)
        if resource.name not in tarballs:
            raise ProblemError(404, f"{resource.package} has no file {resource.name}.")
        return tarballs[resource.name]

    async def _download(self, resource: Resource, tarball: Tarball) -> None:
        async def receive(response: httpx.Response) -> None:
            _require_ok(response, resource.name)
            writer = await self._in_pool(self._store.tarball_writer, tarball.integrity)
            try:
                gathered, total = bytearray(), 0
                async for piece in response.aiter_raw():
                    gathered += piece
                    total += len(piece)
                    if total > _TARBALL_BYTES:
                        raise ProblemError(502, f"{resource.name} is too large.")
                    if len(gathered) >= _WRITE_BYTES:
                        await self._in_pool(writer.write, gathered)
                        gathered = bytearray()
                await self._in_pool(writer.write, gathered)
                await self._in_pool(writer.commit)
            except MismatchError as error:
                raise ProblemError(
                    422,
                    f"EINTEGRITY: the registry sent a {resource.name} that does not match its checksum.",
                ) from error
            finally:
                await asyncio.shield(self._in_pool(writer.close))

        registry = self._registry_of(resource)
        await self._ask(registry, tarball.url, {"accept-encoding": "identity"}, receive)

    async def _ask(
        self,
        registry: str,
        url: str,
        headers: Mapping[str, str],
        receive: Callable[[httpx.Response], Awaitable[T]],
        *,
        question: bytes | None = None,
    ) -> T:
        """Ask a registry, twice if need be; a `question` is posted.

        Raises:
            ProblemError: it cannot be reached, or answered with an error.
        """
        until, problem = self._down.get(registry, (0.0, None))
        if problem is not None and time.monotonic() < until:
            raise ProblemError(problem.status, problem.sentence, passing=True)
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(_RETRY_SECONDS)
            last = attempt == _ATTEMPTS - 1
            try:
                client = await self._opened_client()
                async with client.stream(
                    "GET" if question is None else "POST",
                    url,
                    headers=dict(headers),
                    content=question,
                ) as response:
                    if url.startswith("https:") and response.url.scheme != "https":
                        raise ProblemError(502, "The package registry leads to an unsafe address.")
                    if response.status_code >= 500 and not last:
                        continue
                    result = await receive(response)
            except httpx.TransportError as error:
                problem = _transport_problem(error)
                if problem.again and not last:
                    continue
                _log.info("the package registry cannot be reached: %r", error)
                # Hundreds of requests of one install must not each wait for it.
                self._down[registry] = (time.monotonic() + _DOWN_SECONDS, problem)
                raise problem from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise ProblemError(502, "The package registry answered in no known way.") from error
            self._down.pop(registry, None)
            return result
        raise AssertionError("unreachable")

    async def _opened_client(self) -> httpx.AsyncClient:
        if self._client is None:
            await self._in_pool(lambda: self._upstream.ssl_context)
        if self._client is None:  # nobody else made it meanwhile
            self._client = httpx.AsyncClient(
                transport=self._upstream.transport(),
                trust_env=False,
                follow_redirects=True,
                max_redirects=5,
                timeout=_TIMEOUT,
                headers={"user-agent": "vibedesk"},
            )
        return self._client

    def _registry_of(self, resource: Resource) -> str:
        registry = self._registries.npm_registry_of(resource.package)
        if not registry:
            raise ProblemError(404, "No package registry is set up on this computer.")
        return registry

    async def _shared(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run `work` once for all who ask for the same meanwhile; who leaves does not end it for the others."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(work(), name=f"npm-registry/{key}")
            flight.add_done_callback(functools.partial(self._landed, key))
        result: T = await asyncio.shield(flight)
        return result

    def _landed(self, key: str, flight: asyncio.Task[Any]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # everybody who asked may have left

    async def _content_pieces(self, content: Content) -> AsyncIterator[bytes]:
        if content.file is None:
            async for piece in _pieces(content.data or b""):
                yield piece
            return
        while piece := await self._in_pool(content.file.read, _SEND_BYTES):
            yield piece

    async def _in_pool(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)


def parse_target(method: str, target: str) -> Resource | None:
    """Return what a request is about; None for the question whether we are there.

    Raises:
        ProblemError: it is nothing that we answer.
    """
    path = target.partition("?")[0]
    parts = [unquote(part) for part in path.split("/") if part]
    if method == "POST" and tuple(parts) == _ADVISORIES:
        return Resource("advisories")
    if parts[:3] == ["-", "npm", "v1"] or parts[:2] == ["-", "v1"]:
        # npm goes on quietly where a registry has no search.
        raise ProblemError(
            404, "This relay of the package registry has no search, and of audits npm's own only."
        )
    if method not in ("GET", "HEAD"):
        raise ProblemError(405, "Packages can only be installed here, not published or changed.")
    if parts == ["-", "ping"]:
        return None
    if parts[:2] == ["-", "package"] and parts[-1:] == ["dist-tags"]:
        package, rest = _package_of(parts[2:-1])
        if package and not rest:
            return Resource("tags", package)
    package, rest = _package_of(parts)
    match rest:
        case _ if not package:
            pass
        case []:
            return Resource("package", package)
        case ["-", name] if "/" not in name:
            return Resource("tarball", package, name)
        case [version] if _VERSION.fullmatch(version):
            return Resource("version", package, version)
    raise ProblemError(404, "This relay of the package registry has no such page.")


def _read_question(body: bytes, encoding: str) -> dict[str, list[str]]:
    """Return the versions by package that an audit asks about.

    Raises:
        ProblemError: it is too large, or anything else than that.
    """
    if len(body) > QUESTION_BYTES:
        raise ProblemError(413, "An audit of so many packages is too large.")
    try:
        if encoding.lower() == "gzip":
            body = _unpacked(body, _QUESTION_UNPACKED_BYTES)
        elif encoding:
            raise ValueError(encoding)
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "The audit's question cannot be read.") from error
    if not isinstance(asked, dict) or not all(map(_is_asked, asked, asked.values())):
        raise ProblemError(400, "An audit asks for the versions of packages, and nothing else.")
    return asked


def _is_asked(name: str, versions: object) -> bool:
    """Whether it is a package's name with a list of versions."""
    return (
        0 < len(name) <= _NAME_LENGTH
        and _package_of([name]) == (name, [])
        and isinstance(versions, list)
        and all(
            isinstance(version, str)
            and len(version) <= _VERSION_LENGTH
            and _VERSION.fullmatch(version)
            for version in versions
        )
    )


def _read_known(received: bytes | bytearray, packed: bool) -> dict[str, Any]:
    """Return what a registry says that it knows against packages.

    Raises:
        ProblemError: it says something else.
    """
    try:
        known = json.loads(_unpacked(received, _KNOWN_BYTES) if packed else received)
        if not isinstance(known, dict):
            raise ValueError("no list by package")
    except (ValueError, RecursionError) as error:
        raise ProblemError(
            502,
            "The package registry sent no list of known holes; a sign-in page of the network may be in the way.",
        ) from error
    return known


def _package_of(parts: list[str]) -> tuple[str, list[str]]:
    """Split a package's name off a path; empty where none is there."""
    if not parts:
        return "", []
    name, rest = parts[0], parts[1:]
    if name.startswith("@") and "/" not in name and rest:
        name, rest = f"{name}/{rest[0]}", rest[1:]
    scope, slash, plain = name.rpartition("/")
    known = _PART.fullmatch(plain) and (
        not slash or (scope.startswith("@") and _PART.fullmatch(scope[1:]))
    )
    return (name, rest) if known else ("", rest)


def _require_ok(response: httpx.Response, what: str) -> None:
    status = response.status_code
    if status == 200:
        return
    if status in (404, 410):
        raise ProblemError(404, f"{what} is not in the package registry.")
    if status in (401, 403):
        raise ProblemError(
            status, f"The package registry wants a sign-in for {what}; that does not work here yet."
        )
    raise ProblemError(
        502, f"The package registry answered {status}.", passing=status == 429 or status >= 500
    )


def _transport_problem(error: httpx.TransportError) -> ProblemError:
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and len(chain) < 16:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            word = _TRUST_NAMES.get(link.verify_code, "UNABLE_TO_VERIFY_LEAF_SIGNATURE")
            return ProblemError(
                502, f"{word}: the package registry's certificate is not trusted.", passing=True
            )
    if any(isinstance(link, socket.gaierror) for link in chain):
        word = "ENOTFOUND"
    elif isinstance(error, httpx.TimeoutException):
        word = "ETIMEDOUT"
    elif isinstance(error, (httpx.ConnectError, httpx.ProxyError)):
        word = "ECONNREFUSED"
    else:
        word = "ECONNRESET"
    return ProblemError(
        502, f"{word}: the package registry cannot be reached.", passing=True, again=True
    )


def _unpacked(packed: bytes | bytearray, most: int = _DOCUMENT_BYTES) -> bytes:
    """Undo gzip, of `most` bytes.

    Raises:
        ValueError: it is damaged, or too large.
    """
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(packed, most)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not unpacker.eof:
        raise ValueError("incomplete, or too large")
    return unpacked


def _json_answer(status: int, value: object, *more: tuple[str, str]) -> Answer:
    body = json.dumps(value).encode()
    headers = [("content-type", "application/json"), _NOT_STORED, *more]
    return Answer(status, headers, len(body), _pieces(body))


def _notice_of_unasked(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the header that npm prints as a notice, for who reads it; none where there are no such packages."""
    if not names:
        return []
    more = len(names) - _MOST_NAMES
    told = [*names[:_MOST_NAMES], *([f"and {more} more"] if more > 0 else [])]
    return [("npm-notice", NOT_ASKED + ", ".join(told))]


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    view = memoryview(data)
    for start in range(0, len(data), _SEND_BYTES):
        yield bytes(view[start : start + _SEND_BYTES])


async def _unpacked_pieces(packed: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    unpacker = zlib.decompressobj(wbits=31)
    async for piece in packed:
        while piece:
            yield unpacker.decompress(piece, _SEND_BYTES)
            piece = unpacker.unconsumed_tail
    yield unpacker.flush()
