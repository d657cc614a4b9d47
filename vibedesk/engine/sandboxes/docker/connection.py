"""The one way to a Docker engine: the SDK's calls off the loop, its errors as sentences, streams on the loop.

The SDK is used for every call but one. `docker exec` as a stream is asked for here, with asyncio: the SDK's sockets
block, differ with every transport, and over ssh wait for full buffers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import ssl
import tempfile
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import docker
import requests
from docker.constants import DEFAULT_DOCKER_API_VERSION
from docker.errors import APIError, DockerException, NotFound

from vibedesk.engine.sandboxes.docker.diagnosis import OLDEST_API, diagnose
from vibedesk.engine.sandboxes.docker.endpoints import DEFAULT_SOCKET, DockerEndpoint
from vibedesk.engine.sandboxes.docker.explanations import explain
from vibedesk.engine.sandboxes.docker.health import DockerHealth, DockerState
from vibedesk.engine.sandboxes.docker.probe import SshError
from vibedesk.engine.sandboxes.docker.this_system import find_system
from vibedesk.engine.sandboxes.driver import (
    SandboxEngineDownError,
    SandboxError,
    SandboxUnavailableError,
)

_log = logging.getLogger(__name__)

T = TypeVar("T")

_THREADS = 12  # stops of many containers wait side by side
_CALL_SECONDS = 120
_CONNECT_SECONDS = 10.0
_PATIENCE_SECONDS = 10.0
_KEEPALIVE_SECONDS = 30
_LIMIT = 1024 * 1024
_MOST_HEADER_LINES = 100
_NO_ENGINE = (KeyError, TypeError, ValueError)  # its answer is not an engine's
_OLDEST = ".".join(map(str, OLDEST_API))
_MAY_COME_BACK = frozenset(
    {
        DockerState.NOT_RUNNING,
        DockerState.NOT_ANSWERING,
        DockerState.UNREACHABLE,
        DockerState.SSH,
    }
)


class _RefusedError(Exception):
    """The engine answered that it does not do it; the text is its answer."""


class _GoneError(Exception):
    """What a call was about is not there any more."""


class DockerConnection:
    """An open way to the engine at `endpoint`; `aclose` ends it.

    Every method raises `SandboxEngineDownError` where the engine does not answer.

    Args:
        endpoint: Where it is.
        patience: Seconds without a word from the engine after which it is asked whether it is still there.
    """

    def __init__(self, endpoint: DockerEndpoint, *, patience: float = _PATIENCE_SECONDS) -> None:
        self.endpoint = endpoint
        self.patience = patience
        self._threads = _Threads(_THREADS)
        self._client: docker.DockerClient | None = None
        self._tunnel: _SshTunnel | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._opening = asyncio.Lock()
        self._was_there = False

    async def call(self, work: Callable[[docker.DockerClient], T]) -> T:
        """Run `work` with the SDK's client on a thread of this connection.

        It may take long while the engine answers others; one that answers nobody is given up. A cancellation comes
        when it is done, so that whoever clears up then finds all there is.

        Raises:
            SandboxError: the engine refused; NotFound errors of the SDK pass as they are.
        """
        client = await self.client()
        running = self._threads.start(lambda: work(client))
        try:
            return await self.while_it_answers(asyncio.shield(running))
        except asyncio.CancelledError:
            await asyncio.wait({running}, timeout=self.patience)
            raise
        except NotFound:
            raise
        except (DockerException, requests.RequestException, OSError) as error:
            if _ran_out(error) and await self.answers():
                raise _too_slow_error() from error
            raise self.translated(error) from error

    async def while_it_answers(self, work: Awaitable[T]) -> T:
        """Await `work`, which is cancelled when the engine answers nobody any more."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=self.patience)
                if not task.done() and not await self.answers():
                    raise self.down_error("no answer")
            return task.result()
        finally:
            if task.cancel():
                await asyncio.wait({task})

    async def answers(self) -> bool:
        """Whether the engine answers now; waits no longer than `patience`."""
        if self.endpoint.host.startswith("ssh://") and (
            self._tunnel is None or not self._tunnel.alive
        ):
            return False
        try:
            async with asyncio.timeout(self.patience):
                reader, writer = await self._connect_stream()
                try:
                    writer.write(b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n")
                    return (await reader.readuntil(b"\r\n")).split()[1:2] == [b"200"]
                finally:
                    writer.transport.abort()
        except (OSError, EOFError, asyncio.LimitOverrunError, SandboxError):
            return False

    async def client(self) -> docker.DockerClient:
        """Return the SDK's client, connected. Its calls block: use them off the loop."""
        async with self._opening:
            address = self.endpoint.host
            if address.startswith("ssh://"):
                # Always the same socket: what the client has made before uses it, too.
                address = f"unix://{await self._open_tunnel()}"
            if self._client is None:
                try:
                    self._client = await self._threads.start(lambda: self._connect(address))
                except (DockerException, requests.RequestException, OSError, *_NO_ENGINE) as error:
                    raise await self._why_not(error) from error
                self._was_there = True
            return self._client

    async def _open_tunnel(self) -> Path:
        """See to it that the way over ssh is open; return the socket at its end."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="vibedesk-ssh-")
        path = Path(self._folder.name, "docker.sock")
        if self._tunnel is None or not self._tunnel.alive:
            await self._close_tunnel()
            try:
                self._tunnel = await _SshTunnel.open(self.endpoint.host, path)
            except SshError as error:
                seconds = 2 * _CONNECT_SECONDS
                system = await asyncio.to_thread(find_system)
                health = explain(self.endpoint, error, system, seconds=seconds)
                raise SandboxEngineDownError(health.message, remedy=health.remedy) from error
        return path

    async def _close_tunnel(self) -> None:
        tunnel, self._tunnel = self._tunnel, None
        if tunnel is not None:
            await tunnel.aclose()

    async def _why_not(self, error: Exception) -> SandboxError:
        """Return what keeps the engine from being used in the words of `vibedesk doctor`."""
        health: DockerHealth = await asyncio.to_thread(
            diagnose, self.endpoint, seconds=self.patience
        )
        if health.usable:
            return self.translated(error)
        back = self._was_there or health.state in _MAY_COME_BACK
        kind = SandboxEngineDownError if back else SandboxUnavailableError
        return kind(health.message, remedy=health.remedy, details={"reason": _explanation(error)})

    async def stream_exec(self, exec_id: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Start a created exec and return both directions of it; what comes has Docker's stream headers."""
        client = await self.client()
        version = client.api.api_version
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                reader, writer = await self._connect_stream()
                try:
                    body = json.dumps({"Detach": False, "Tty": False}).encode()
                    writer.write(
                        f"POST /v{version}/exec/{exec_id}/start HTTP/1.1\r\nHost: docker\r\n"
                        "Content-Type: application/json\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n".encode()
                        + body
                    )
                    await _upgraded(reader)
                except BaseException:
                    writer.transport.abort()
                    raise
        except _GoneError as error:
            raise self.gone_error(str(error)) from error
        except (OSError, EOFError, asyncio.LimitOverrunError, _RefusedError) as error:
            raise self.translated(error) from error
        return reader, writer

    def translated(self, error: BaseException) -> SandboxError:
        """Return what the SDK or the socket said as an error for people."""
        text = _explanation(error)
        if "no space left on device" in text.lower():
            return disk_full_error()
        refused = isinstance(error, _RefusedError) or (
            isinstance(error, APIError) and not _is_gateway(error)
        )
        if refused:
            return SandboxError(
                f"Docker could not do what was asked: {text}.",
                remedy="Try again; `vibedesk doctor` looks at Docker.",
                details={"reason": text},
                retryable=True,
            )
        return self.down_error(text)

    def down_error(self, reason: str) -> SandboxEngineDownError:
        return SandboxEngineDownError(
            f"Docker ({self.endpoint.name}) does not answer.",
            remedy="Start it, or choose the local sandbox; `vibedesk doctor` says how. Nothing is lost.",
            details={"reason": reason},
        )

    def gone_error(self, reason: str) -> SandboxError:
        """Return the error for something that went away in the middle of its use."""
        return SandboxError(
            "The sandbox ended before it could be used.",
            remedy="Try again.",
            code="sandbox_lost",
            details={"reason": reason},
            retryable=True,
        )

    async def aclose(self) -> None:
        async with self._opening:
            client, self._client = self._client, None
            if client is not None:
                with contextlib.suppress(Exception):
                    client.close()
            await self._close_tunnel()
            if self._folder is not None:
                self._folder.cleanup()

    def _connect(self, address: str) -> docker.DockerClient:
        with contextlib.closing(self._client_of(address, _OLDEST)) as first:
            found = str(first.version()["ApiVersion"])
            if _numbers(found) < OLDEST_API:
                raise DockerException("its API is too old")
        version = min(found, DEFAULT_DOCKER_API_VERSION, key=_numbers)
        client = self._client_of(address, version)
        client.ping()
        client.api.timeout = _CALL_SECONDS
        return client

    def _client_of(self, address: str, version: str) -> docker.DockerClient:
        client = docker.DockerClient(
            base_url=address,
            version=version,
            timeout=int(_CONNECT_SECONDS),
            tls=self.endpoint.tls or False,
            max_pool_size=_THREADS + 4,
        )
        # Else REQUESTS_CA_BUNDLE goes before the engine's own certificates, and proxies before 127.0.0.1.
        client.api.trust_env = False
        return client

    async def _connect_stream(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host = f"unix://{self._tunnel.path}" if self._tunnel else self.endpoint.host
        if host.startswith("unix://"):
            return await asyncio.open_unix_connection(host.removeprefix("unix://"), limit=_LIMIT)
        if host.startswith("npipe:"):
            raise SandboxError(
                "Docker's named pipe cannot be used by this version of VibeDesk.",
                remedy="Let Docker Desktop offer its API over TCP on localhost, and set DOCKER_HOST to it.",
            )
        parts = urlsplit(host)
        context: ssl.SSLContext | None = None
        if self.endpoint.tls is not None:
            context = await asyncio.to_thread(_tls_context, self.endpoint.tls)
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port, ssl=context, limit=_LIMIT
        )
        _keep_alive(writer.get_extra_info("socket"))
        return reader, writer


def _ran_out(error: BaseException) -> bool:
    """Whether the time that a call had is over."""
    if isinstance(error, requests.Timeout):
        return True
    # Where the answer had begun, only the text says so.
    return isinstance(error, requests.ConnectionError) and "timed out" in str(error).lower()


def _too_slow_error() -> SandboxError:
    return SandboxError(
        "Docker answers, but does not come to an end with one of its containers.",
        remedy="Try again; if that does not help, restart Docker. Nothing is lost.",
        retryable=True,
    )


def disk_full_error() -> SandboxError:
    """Return the error for people whose engine has no room left."""
    return SandboxError(
        "Docker's disk is full.",
        remedy="Free space where Docker keeps its data (docker system df shows what takes it; "
        "`vibedesk sandboxes --clean 0` removes what VibeDesk keeps), then continue; nothing is lost.",
        code="disk_full",
        retryable=True,
    )


async def _upgraded(reader: asyncio.StreamReader) -> None:
    """Read the answer's head.

    Raises:
        _GoneError: the container does not run any more.
        _RefusedError: the engine has another reason not to begin a stream.
        OSError: that was no answer of an engine.
    """
    status = await reader.readuntil(b"\r\n")
    for _ in range(_MOST_HEADER_LINES):
        if await reader.readuntil(b"\r\n") == b"\r\n":
            break
    code = status.split()[1:2]
    if code in ([b"101"], [b"200"]):
        return
    said = (await reader.read(2_000)).decode(errors="replace").strip()
    if code in ([b"404"], [b"409"]):  # between the two calls it went, or was stopped
        raise _GoneError(said)
    answer = f"{status.decode(errors='replace').strip()} {said}".strip()
    if status.startswith(b"HTTP/") and code not in ([b"502"], [b"503"], [b"504"]):
        raise _RefusedError(answer)
    raise OSError(f"Docker answered {answer}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _keep_alive(connection: socket.socket) -> None:
    """Let the system notice that the other machine is gone, and routers that the connection is used."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", _KEEPALIVE_SECONDS), ("TCP_KEEPINTVL", 10)):
        if (option := getattr(socket, name, None)) is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _tls_context(tls: docker.tls.TLSConfig) -> ssl.SSLContext:
    context = ssl.create_default_context()
    verify = tls.verify
    if tls.ca_cert:
        context = ssl.create_default_context(cafile=tls.ca_cert)
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert:
        context.load_cert_chain(*tls.cert)
    return context


def _explanation(error: BaseException) -> str:
    explained = error.explanation if isinstance(error, APIError) else None
    return str(explained or str(error) or type(error).__name__).strip().rstrip(".")


def _is_gateway(error: APIError) -> bool:
    """Whether a proxy in between, or an engine that shuts down, answered."""
    return error.response is not None and error.response.status_code in (502, 503, 504)


class _Threads:
    """Runs blocking calls beside the loop, so many at once.

    Not an executor of the standard library: the program's end waits for those, and a call to an engine that hangs
    lasts minutes.
    """

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)

    def start(self, work: Callable[[], T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(self._run(work), name="docker call")
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return task

    async def _run(self, work: Callable[[], T]) -> T:
        async with self._free:
            loop = asyncio.get_running_loop()
            done: asyncio.Future[T] = loop.create_future()

            def settle(result: T | None, error: BaseException | None) -> None:
                if done.cancelled():
                    return
                if error is not None:
                    done.set_exception(error)
                else:
                    done.set_result(result)  # type: ignore[arg-type]

            def call() -> None:
                result, error = None, None
                try:
                    result = work()
                except BaseException as caught:  # noqa: BLE001 - raised where it is awaited
                    error = caught
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(settle, result, error)

            threading.Thread(target=call, name="docker", daemon=True).start()
            return await done


class _SshTunnel:
    """The engine's socket on another machine, brought here by the system's own ssh."""

    def __init__(self, process: asyncio.subprocess.Process, path: Path) -> None:
        self._process = process
        self._listening: asyncio.Task[None] | None = None
        self.path = path

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @classmethod
    async def open(cls, address: str, path: Path) -> _SshTunnel:
        """Bring the socket to `path`.

        Raises:
            SshError: with what ssh said.
        """
        parts = urlsplit(address)
        destination = (
            f"{parts.username}@{parts.hostname}" if parts.username else str(parts.hostname)
        )
        remote = parts.path if parts.path not in ("", "/") else DEFAULT_SOCKET
        port = ("-p", str(parts.port)) if parts.port else ()
        options = ("BatchMode=yes", "ExitOnForwardFailure=yes", "ServerAliveInterval=20")
        await asyncio.to_thread(path.unlink, missing_ok=True)
        try:
            process = await asyncio.create_subprocess_exec(
                *("ssh", "-N", "-T", *port),
                *(word for option in options for word in ("-o", option)),
                *("-L", f"{path}:{remote}", "--", destination),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except FileNotFoundError as error:
            raise SshError("There is no ssh program.") from error
        except OSError as error:
            raise SshError(f"ssh could not be started: {error.strerror}") from error
        tunnel = cls(process, path)
        try:
            await tunnel._wait()
        except BaseException:
            await tunnel.aclose()
            raise
        tunnel._listening = asyncio.create_task(tunnel._listen(), name="ssh's words")
        return tunnel

    async def _listen(self) -> None:
        """Read what ssh says, which would stop it when nobody does."""
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            _log.info("ssh: %s", line.decode(errors="replace").strip())

    async def _wait(self) -> None:
        assert self._process.stderr is not None
        deadline = asyncio.get_running_loop().time() + 2 * _CONNECT_SECONDS
        while not await asyncio.to_thread(self.path.exists):
            if self._process.returncode is not None:
                said = (await self._process.stderr.read()).decode(errors="replace").strip()
                raise SshError(said.splitlines()[-1].strip() if said else "ssh ended at once")
            if asyncio.get_running_loop().time() > deadline:
                raise SshError("ssh was not connected in time")
            await asyncio.sleep(0.05)

    async def aclose(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()
