"""Asks a Docker engine what it is, by plain HTTP, within a bounded time. Blocking.

Not with the SDK: its errors do not tell a socket that is missing from one that is forbidden, nor an engine that does
not speak TLS from one that refuses a certificate, and it knows no ssh without a library of its own.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

from vibedesk.engine.sandboxes.docker.endpoints import DockerEndpoint

if TYPE_CHECKING:
    from docker.tls import TLSConfig

Json = dict[str, Any]
T = TypeVar("T")

_MOST_BYTES = 4 * 1024 * 1024
_LOOK_SECONDS = 0.02


class WrongAnswerError(Exception):
    """Something answers that does not answer like Docker. The text is its answer, shortened."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class SshError(Exception):
    """The way over ssh could not be opened. The text is what ssh said."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What an engine says of itself: the answers to `/version` and `/info`."""

    version: Json
    info: Json


def ask_engine(
    endpoint: DockerEndpoint, seconds: float, *, has_use: Callable[[Json], bool]
) -> Answers:
    """Ask the engine what it is.

    Args:
        endpoint: Where.
        seconds: How long to try in all, whatever hangs: names, connections, answers.
        has_use: Whether an engine with this `/version` is worth a second question; else `info` is empty.

    Raises:
        TimeoutError: the time was up.
        OSError: as the socket says; `socket.gaierror`, `ssl.SSLError` and so on.
        SshError: the way over ssh did not open.
        http.client.HTTPException: the answer broke off.
        WrongAnswerError: it is no Docker.
    """

    def ask(deadline: float) -> Answers:
        with _way_to(endpoint, deadline) as way:
            version = _object(*_get(way, "/version"))
            if "ApiVersion" not in version:
                raise WrongAnswerError(200, json.dumps(version)[:200])
            info = _object(*_get(way, "/info")) if has_use(version) else {}
            return Answers(version, info)

    return _within(seconds, ask)


def has_image(endpoint: DockerEndpoint, tag: str, seconds: float) -> bool:
    """Return whether the engine has an image. Raises as `ask_engine`."""
    path = f"/images/{quote(tag, safe='/:')}/json"

    def ask(deadline: float) -> bool:
        with _way_to(endpoint, deadline) as way:
            status, text = _get(way, path)
            if status not in (200, 404):
                raise WrongAnswerError(status, text)
            return status == 200

    return _within(seconds, ask)


def tls_context(tls: TLSConfig) -> ssl.SSLContext:
    """Return the context of a connection with these settings. Blocking: reads the certificates."""
    context = ssl.create_default_context(cafile=tls.ca_cert or None)
    if tls.verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert:
        context.load_cert_chain(*tls.cert)
    return context


def _within(seconds: float, work: Callable[[float], T]) -> T:
    """Run `work(deadline)` on a thread of its own and wait for it no longer than that: a look-up of a name has no limit."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work(time.monotonic() + seconds))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            failure.append(error)

    thread = threading.Thread(target=run, name="docker probe", daemon=True)
    thread.start()
    thread.join(seconds + _LOOK_SECONDS)
    if outcome:
        return outcome[0]
    raise failure[0] if failure else TimeoutError("no answer")


class _Way(http.client.HTTPConnection):
    """HTTP over whatever `connect_socket` opens."""

    def __init__(self, open_socket: Callable[[], socket.socket]) -> None:
        super().__init__("docker")
        self._open_socket = open_socket

    def connect(self) -> None:
        self.sock = self._open_socket()


@contextmanager
def _way_to(endpoint: DockerEndpoint, deadline: float) -> Iterator[_Way]:
    if endpoint.host.startswith("ssh:"):
        with _tunnel(endpoint.host, deadline) as path, _closing(_unix(path, deadline)) as way:
            yield way
    elif endpoint.socket is not None:
        with _closing(_unix(str(endpoint.socket), deadline)) as way:
            yield way
    else:
        with _closing(_tcp(endpoint, deadline)) as way:
            yield way


@contextmanager
def _closing(way: _Way) -> Iterator[_Way]:
    try:
        yield way
    finally:
        way.close()


def _unix(path: str, deadline: float) -> _Way:
    def connect() -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_left(deadline))
            connection.connect(path)
        except BaseException:
            connection.close()
            raise
        return connection

    return _Way(connect)


def _tcp(endpoint: DockerEndpoint, deadline: float) -> _Way:
    parts = urlsplit(endpoint.host)

    def connect() -> socket.socket:
        address = (str(parts.hostname), parts.port or 0)
        connection = socket.create_connection(address, timeout=_left(deadline))
        if endpoint.tls is None:
            return connection
        try:
            connection.settimeout(_left(deadline))
            context = tls_context(endpoint.tls)
            return context.wrap_socket(connection, server_hostname=parts.hostname)
        except BaseException:
            connection.close()
            raise

    return _Way(connect)


@contextmanager
def _tunnel(address: str, deadline: float) -> Iterator[str]:
    """Bring the engine's socket here by the system's own ssh, which must not ask anything; yield its path."""
    parts = urlsplit(address)
    if shutil.which("ssh") is None:
        raise SshError("There is no ssh program.")
    remote = parts.path if parts.path not in ("", "/") else "/var/run/docker.sock"
    destination = f"{parts.username}@{parts.hostname}" if parts.username else str(parts.hostname)
    with tempfile.TemporaryDirectory(prefix="vibedesk-ssh-") as folder:
        path = Path(folder, "docker.sock")
        process = subprocess.Popen(
            [
                *("ssh", "-N", "-T"),
                *(("-p", str(parts.port)) if parts.port else ()),
                *("-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes"),
                *("-o", f"ConnectTimeout={max(int(_left(deadline)), 1)}"),
                *("-L", f"{path}:{remote}", "--", destination),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            while not path.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SshError(_last_words(process))
                time.sleep(_LOOK_SECONDS)
            try:
                yield str(path)
            except (http.client.HTTPException, ConnectionError) as error:
                # ssh stands, but there was nothing at its other end.
                raise SshError(_last_words(process)) from error
        finally:
            _end(process)
            if process.stderr is not None:
                process.stderr.close()


def _last_words(process: subprocess.Popen[bytes]) -> str:
    """End ssh and return the last line that it said."""
    _end(process)
    said = process.stderr.read().decode(errors="replace") if process.stderr else ""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    process.wait()


def _get(way: _Way, path: str) -> tuple[int, str]:
    way.request("GET", path)
    try:
        answer = way.getresponse()
    except (http.client.BadStatusLine, http.client.LineTooLong) as error:
        if isinstance(error, ConnectionError):
            raise
        raise WrongAnswerError(0, "no HTTP") from error
    return answer.status, answer.read(_MOST_BYTES).decode(errors="replace")


def _object(status: int, text: str) -> Json:
    """Return the JSON object of an answer."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if status != 200 or not isinstance(value, dict):
        raise WrongAnswerError(status, " ".join(text.split())[:200])
    return value


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer")
    return left
