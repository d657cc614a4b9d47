"""Which Docker engine is meant: what DOCKER_HOST, a Docker context, or the usual socket say.

The contexts are read here and not with the SDK's `ContextAPI`, which knows the environment of this process only, and
takes contexts from the current folder where there is no `config.json`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from docker.tls import TLSConfig

Source = Literal["DOCKER_HOST", "context", "default"]

DEFAULT_SOCKET = "/var/run/docker.sock"
DEFAULT_PIPE = "npipe:////./pipe/docker_engine"
_DEFAULT = "default"
_TCP = ("tcp:", "http:", "https:")
_PORT, _TLS_PORT = 2375, 2376
_SCHEMES = frozenset({"unix", "npipe", "tcp", "http", "https", "ssh"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerEndpoint:
    """Where an engine is to be found."""

    name: str
    """For people: the context's name, what DOCKER_HOST says, or `default`."""
    host: str
    """unix://PATH, tcp://HOST:PORT (never without the port), ssh://USER@HOST or npipe:PATH."""
    tls: TLSConfig | None = None
    """How a TCP connection is encrypted; None where it is not."""
    source: Source = "default"
    problem: str = ""
    """Why it cannot even be tried, in a sentence; empty where it can."""
    remedy: str = ""
    """What to do about that."""

    @property
    def is_remote(self) -> bool:
        """Whether the engine may be on another machine; a TCP port of this one may lead to one, too."""
        return not self.host.startswith(("unix:", "npipe:"))

    @property
    def where(self) -> str:
        """`on this machine`, or `at` its address."""
        return f"at {self.host}" if self.is_remote else "on this machine"

    @property
    def socket(self) -> Path | None:
        """The socket's path, where it is one."""
        return Path(self.host.removeprefix("unix://")) if self.host.startswith("unix:") else None

    @property
    def named_by(self) -> str:
        """What says that this is the engine to use, for a sentence."""
        match self.source:
            case "DOCKER_HOST":
                return "DOCKER_HOST"
            case "context":
                return f"the Docker context {self.name}"
            case "default":
                return "Docker's default"


def find_endpoint(environ: Mapping[str, str]) -> DockerEndpoint:
    """Return the engine that the docker command would use, too. Blocking: reads files.

    Args:
        environ: The environment; DOCKER_HOST goes before DOCKER_CONTEXT and the context chosen with
            `docker context use`.
    """
    folder = _config_folder(environ)
    if host := environ.get("DOCKER_HOST", "").strip():
        return _checked(_from_environment(host, environ, folder))
    name = environ.get("DOCKER_CONTEXT", "").strip() or _current_context(folder)
    if name and name != _DEFAULT:
        return _checked(_from_context(name, folder))
    return DockerEndpoint(name=_DEFAULT, host=_default_host(environ))


def _from_environment(host: str, environ: Mapping[str, str], folder: Path) -> DockerEndpoint:
    host = host if "://" in host or host.startswith("npipe:") else f"tcp://{host}"
    found = DockerEndpoint(name=host, host=host, source="DOCKER_HOST")
    verify = bool(environ.get("DOCKER_TLS_VERIFY")) or host.startswith("https:")
    if not _is_tcp(host) or not (verify or environ.get("DOCKER_TLS")):
        return found
    certificates = Path(environ.get("DOCKER_CERT_PATH") or folder)
    return _with_tls(found, certificates, verify=verify)


def _from_context(name: str, folder: Path) -> DockerEndpoint:
    key = hashlib.sha256(name.encode()).hexdigest()
    found = DockerEndpoint(name=name, host="", source="context")
    stored = _read_json(folder / "contexts" / "meta" / key / "meta.json")
    endpoint = _object(_object(stored.get("Endpoints")).get("docker"))
    host = endpoint.get("Host")
    if not host or not isinstance(host, str):
        what = "has no Docker engine" if stored else "does not exist"
        return dataclasses.replace(
            found,
            problem=f"The Docker context {name} {what}.",
            remedy="`docker context ls` lists what there is.",
        )
    found = dataclasses.replace(found, host=host)
    certificates = folder / "contexts" / "tls" / key / "docker"
    skip = bool(endpoint.get("SkipTLSVerify"))
    if _is_tcp(host) and (certificates.is_dir() or skip or host.startswith("https:")):
        return _with_tls(found, certificates, verify=not skip)
    return found


def _with_tls(endpoint: DockerEndpoint, folder: Path, *, verify: bool) -> DockerEndpoint:
    from docker.errors import TLSParameterError
    from docker.tls import TLSConfig

    authority, cert, key = (folder / name for name in ("ca.pem", "cert.pem", "key.pem"))
    client = (str(cert), str(key)) if _is_there(cert) or _is_there(key) else None
    try:
        tls = TLSConfig(
            ca_cert=str(authority) if verify and _is_there(authority) else None,
            client_cert=client,
            verify=verify,
        )
    except TLSParameterError:
        missing = key if _is_there(cert) else cert
        return dataclasses.replace(
            endpoint,
            problem=f"The file {missing} for the TLS connection to {endpoint.host} is missing.",
            remedy="Put ca.pem, cert.pem and key.pem there (DOCKER_CERT_PATH names the folder).",
        )
    return dataclasses.replace(endpoint, tls=tls)


def _is_tcp(host: str) -> bool:
    return host.startswith(_TCP)


def _checked(endpoint: DockerEndpoint) -> DockerEndpoint:
    """Return the endpoint with its address as it is used, or with a problem where its host is none."""
    if endpoint.problem:
        return endpoint
    with contextlib.suppress(ValueError):
        parts = urlsplit(endpoint.host)
        known = parts.scheme in _SCHEMES and (parts.port is None or parts.port > 0)
        if known and parts.scheme in ("unix", "npipe"):
            return endpoint
        if known and parts.hostname:
            return _with_port(endpoint, parts) if _is_tcp(endpoint.host) else endpoint
    return dataclasses.replace(
        endpoint,
        problem=f"{endpoint.host} is no address of a Docker engine ({endpoint.named_by} names it).",
        remedy="Write it like unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host.",
    )


def _with_port(endpoint: DockerEndpoint, parts: SplitResult) -> DockerEndpoint:
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    port = parts.port or (_TLS_PORT if endpoint.tls is not None else _PORT)
    return dataclasses.replace(endpoint, host=f"tcp://{host}:{port}{parts.path.rstrip('/')}")


def _default_host(environ: Mapping[str, str]) -> str:
    """Return the usual socket; where there is none, that of a Docker which serves this person only."""
    if sys.platform == "win32":
        return DEFAULT_PIPE
    usual = Path(DEFAULT_SOCKET)
    if not _is_there(usual):
        home = _home(environ)
        runtime = environ.get("XDG_RUNTIME_DIR", "")
        for path in (
            Path(runtime, "docker.sock") if runtime else usual,
            home / ".docker" / "run" / "docker.sock",
            home / ".docker" / "desktop" / "docker.sock",
        ):
            if _is_there(path):
                return f"unix://{path}"
    return f"unix://{usual}"


def _config_folder(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("DOCKER_CONFIG") or _home(environ) / ".docker")


def _home(environ: Mapping[str, str]) -> Path:
    home = environ.get("USERPROFILE" if sys.platform == "win32" else "HOME")
    return Path(home) if home else Path.home()


def _current_context(folder: Path) -> str:
    name = _read_json(folder / "config.json").get("currentContext")
    return name if isinstance(name, str) else ""


def _read_json(path: Path) -> dict[str, Any]:
    """Return what is in a file; nothing where it cannot be read, as the docker command does."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return _object(value)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that may not be looked into
        return False
