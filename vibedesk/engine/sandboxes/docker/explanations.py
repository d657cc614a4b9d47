"""Why a Docker engine cannot be used and what to do, in plain words with the commands of the system at hand."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

from vibedesk.engine.sandboxes.docker.endpoints import DockerEndpoint
from vibedesk.engine.sandboxes.docker.health import DockerHealth, DockerState
from vibedesk.engine.sandboxes.docker.probe import SshError, WrongAnswerError
from vibedesk.engine.sandboxes.docker.this_system import System, find_system

_GROUP_MEANS = "Members of that group can do on this machine what root can."
_WANTS_TLS = "HTTP request to an HTTPS server"
_ROOTLESS_GUIDE = "docs.docker.com/engine/security/rootless"
_INSTALL_GUIDE = "docs.docker.com/engine/install"
_NOT_THE_DEFAULT = {
    "DOCKER_HOST": "To use this machine's Docker instead: unset DOCKER_HOST.",
    "context": "To use this machine's Docker instead: docker context use default.",
    "default": "",
}


def explain(
    endpoint: DockerEndpoint,
    error: Exception,
    system: System,
    *,
    seconds: float,
) -> DockerHealth:
    """Return what it means that asking the engine failed with `error`."""
    match error:
        case SshError():
            found = _ssh(endpoint, str(error))
        case WrongAnswerError():
            found = _wrong_answer(endpoint, error)
        case ssl.SSLError():
            found = _tls(endpoint, error)
        case PermissionError() if endpoint.socket is not None:
            found = _no_permission(endpoint.socket, system)
        case FileNotFoundError() | ConnectionRefusedError() | NotADirectoryError() if (
            endpoint.socket is not None
        ):
            left_over = isinstance(error, ConnectionRefusedError)
            found = _nobody_serves(endpoint, endpoint.socket, system, left_over=left_over)
        case TimeoutError() if endpoint.socket is not None:
            found = _hangs(endpoint, system, f"did not answer within {seconds:g} s")
        case ConnectionError() | http.client.HTTPException() if endpoint.socket is not None:
            found = _hangs(endpoint, system, "broke off the connection")
        case _:
            found = _unreachable(endpoint, error, seconds)
    return found


def _nobody_serves(
    endpoint: DockerEndpoint, path: Path, system: System, *, left_over: bool
) -> DockerHealth:
    """What to say of a socket that is not there, or `left_over` by an engine that is gone."""
    if desktop := _start_of(path, system):
        name, remedy, commands = desktop
        return DockerHealth(
            state=DockerState.NOT_RUNNING,
            message=f"{name} does not run.",
            remedy=remedy,
            commands=commands,
        )
    if endpoint.source != "default":
        return DockerHealth(
            state=DockerState.NOT_RUNNING,
            message=f"Nothing listens at {endpoint.host}, which {endpoint.named_by} names.",
            remedy=_or_default("Start the Docker that is meant.", endpoint),
        )
    if system.platform != "linux":
        return _desktop(system)
    if not system.engine and not left_over:
        return _not_installed(system)
    return DockerHealth(
        state=DockerState.NOT_RUNNING,
        message="Docker is installed but does not run.",
        remedy=f"Start it: `{system.start}`",
        commands=(system.start,),
    )


def _not_installed(system: System) -> DockerHealth:
    message = "Docker is not installed."
    if system.client:
        message = "Only the docker command is installed, not the engine behind it."
    commands = system.install
    if commands:
        if not system.is_root:
            commands = (*commands, system.join_group)
        remedy = f"On {system.label or 'this system'}: `{' && '.join(commands)}`"
        if not system.is_root:
            remedy += f", then log out and in again. {_GROUP_MEANS}"
    else:
        remedy = f"Follow {_INSTALL_GUIDE} for {system.label or 'this system'}."
    if system.podman:
        remedy += (
            " Or use Podman, which is installed: `systemctl --user enable --now podman.socket`, and set "
            "DOCKER_HOST=unix://$XDG_RUNTIME_DIR/podman/podman.sock."
        )
    return DockerHealth(
        state=DockerState.NOT_INSTALLED, message=message, remedy=remedy, commands=commands
    )


def _desktop(system: System) -> DockerHealth:
    """What to say where Docker is a program with a window."""
    others = {"macos": ", OrbStack or Colima", "windows": " or Rancher Desktop"}
    if system.client:
        return DockerHealth(
            state=DockerState.NOT_RUNNING,
            message="Docker is installed but does not run.",
            remedy=f"Start Docker Desktop{others.get(system.platform, '')}, whichever you use, and wait until it is up.",
        )
    return DockerHealth(
        state=DockerState.NOT_INSTALLED,
        message="Docker is not installed.",
        remedy=f"Install Docker Desktop{others.get(system.platform, '')} and start it.",
    )


def _start_of(path: Path, system: System) -> tuple[str, str, tuple[str, ...]] | None:
    """Return (name, remedy, commands) of the product whose socket this is; None for Docker's own."""
    text = path.as_posix()
    for mark, name, command in (
        ("/podman/", "Podman's service", "systemctl --user start podman.socket"),
        ("/.colima/", "Colima", "colima start"),
        ("/.lima/", "Lima", "limactl start docker"),
        ("/.docker/desktop/", "Docker Desktop", "systemctl --user start docker-desktop"),
        ("/.docker/run/", "Docker Desktop", ""),
        ("/.orbstack/", "OrbStack", ""),
        ("/.rd/", "Rancher Desktop", ""),
        ("/run/user/", "Your own (rootless) Docker", "systemctl --user start docker"),
    ):
        if mark not in text:
            continue
        if text.startswith("/run/podman/"):
            command = system.command("systemctl start podman.socket")
        if not command or (system.platform != "linux" and command.startswith("systemctl")):
            return name, f"Start {name} and wait until it is up.", ()
        return name, f"Start it: `{command}`", (command,)
    return None


def _no_permission(path: Path, system: System) -> DockerHealth:
    group, is_member = _group_of(path)
    if is_member:
        message = f"You were added to the group {group}, but this session began before."
        return DockerHealth(
            state=DockerState.NO_PERMISSION,
            message=f"You may not use Docker yet. {message}",
            remedy="Log out and in again (or restart the machine), then start VibeDesk again.",
        )
    join = system.join_group
    if group and group != "root":
        join = join.replace("docker", group, 1)
    return DockerHealth(
        state=DockerState.NO_PERMISSION,
        message=f"Docker is there, but you may not use it: {path} is closed to you.",
        remedy=f"Join its group: `{join}`, then log out and in again. {_GROUP_MEANS} Without that: a Docker of "
        f"your own ({_ROOTLESS_GUIDE}).",
        commands=(join,),
    )


def _group_of(path: Path) -> tuple[str, bool]:
    """Return the group of a socket, and whether this person belongs to it without this process knowing."""
    if sys.platform == "win32":
        return "", False
    import grp
    import pwd

    try:
        group = grp.getgrgid(path.stat().st_gid)
        person = pwd.getpwuid(os.geteuid()).pw_name
    except (OSError, KeyError):
        return "", False
    return group.gr_name, person in group.gr_mem and group.gr_gid not in os.getgroups()


def _hangs(endpoint: DockerEndpoint, system: System, what: str) -> DockerHealth:
    restart = system.restart if endpoint.source == "default" else ""
    how = f": `{restart}`" if restart else "."
    return DockerHealth(
        state=DockerState.NOT_ANSWERING,
        message=f"Docker is there but {what}.",
        remedy=f"Wait a little, or start it anew{how}",
        commands=(restart,) if restart else (),
    )


def _unreachable(endpoint: DockerEndpoint, error: Exception, seconds: float) -> DockerHealth:
    host = urlsplit(endpoint.host).hostname or endpoint.host
    remedy = "Start Docker there, and see that it listens at this address."
    match error:
        case socket.gaierror():
            message = f"The name {host} is not known"
            remedy = "Correct it, or connect to the network (VPN) that knows it."
        case ConnectionRefusedError():
            message = f"Nothing answers at {endpoint.host}"
        case TimeoutError():
            message = f"{endpoint.host} did not answer within {seconds:g} s"
            remedy = "See that the machine is on and that no firewall is in between."
        case ConnectionError() | http.client.HTTPException():
            message = f"{endpoint.host} broke off the connection"
            remedy = "If it wants TLS, set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH."
        case OSError():
            message = f"{endpoint.host} cannot be reached: {error.strerror or error}"
            remedy = "Check the network and the address."
        case _:
            message = f"{endpoint.host} cannot be reached: {error}"
    return DockerHealth(
        state=DockerState.UNREACHABLE,
        message=f"{message} ({endpoint.named_by} names it).",
        remedy=_or_default(remedy, endpoint),
        is_remote=endpoint.is_remote,
    )


def _tls(endpoint: DockerEndpoint, error: ssl.SSLError) -> DockerHealth:
    reason = (error.reason or "").replace("_", " ").lower()
    if isinstance(error, ssl.SSLCertVerificationError):
        message = f"The certificate of {endpoint.host} is not trusted: {error.verify_message}"
        remedy = "Put the certificate authority that signed it into ca.pem (DOCKER_CERT_PATH, or the context's)."
    elif "wrong version" in reason or "record layer" in reason or "http request" in reason:
        message = f"{endpoint.host} does not speak TLS"
        remedy = "Unset DOCKER_TLS_VERIFY and DOCKER_TLS, or correct the port."
    else:
        message = f"The TLS connection to {endpoint.host} failed: {reason or error}"
        remedy = "See that cert.pem and key.pem (DOCKER_CERT_PATH, or the context's) are the ones it accepts."
    return DockerHealth(
        state=DockerState.TLS,
        message=f"{message}.",
        remedy=_or_default(remedy, endpoint),
        is_remote=True,
    )


def _wrong_answer(endpoint: DockerEndpoint, error: WrongAnswerError) -> DockerHealth:
    if _WANTS_TLS in str(error):
        return DockerHealth(
            state=DockerState.TLS,
            message=f"{endpoint.host} wants a TLS connection.",
            remedy="Set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem.",
            is_remote=True,
        )
    said = f"HTTP {error.status}" if error.status else "no HTTP"
    return DockerHealth(
        state=DockerState.NOT_DOCKER,
        message=f"Something answers at {endpoint.host}, but not as Docker does ({said}).",
        remedy=_or_default("Correct the address.", endpoint),
        is_remote=endpoint.is_remote,
    )


def _ssh(endpoint: DockerEndpoint, said: str) -> DockerHealth:
    parts = urlsplit(endpoint.host)
    place = f"{parts.username}@{parts.hostname}" if parts.username else str(parts.hostname)
    login = f"ssh {f'-p {parts.port} ' if parts.port else ''}{place}"
    text = said.lower()
    commands: tuple[str, ...] = (login,)
    if "no ssh program" in text:
        remedy, commands = "Install an ssh client (openssh-client).", ()
    elif "permission denied" in text or "too many authentication" in text:
        remedy = f"Log in there with a key that asks nothing: `ssh-copy-id {place}`"
        commands = (f"ssh-copy-id {place}",)
    elif "host key verification" in text or "identification has changed" in text:
        remedy = f"Log in once in a terminal and look at the machine's key: `{login}`"
    elif "open failed" in text or "forward" in text:
        remedy = f"See that Docker runs there and that you may use it: `{login} docker version`"
        commands = (f"{login} docker version",)
    else:
        remedy = f"It must work in a terminal without a question: `{login}`"
    why = f": {said.rstrip('.')}" if said else ""
    return DockerHealth(
        state=DockerState.SSH,
        message=f"Docker at {endpoint.host} cannot be reached over ssh{why}.",
        remedy=_or_default(remedy, endpoint),
        commands=commands,
        is_remote=True,
    )


def not_to_be_tried(endpoint: DockerEndpoint) -> DockerHealth | None:
    """Return what keeps an engine from being asked at all, if anything does."""
    if endpoint.problem:
        return DockerHealth(
            state=DockerState.UNREACHABLE,
            message=endpoint.problem,
            remedy=_or_default(endpoint.remedy, endpoint),
            is_remote=endpoint.is_remote,
        )
    return _pipe(endpoint) if endpoint.host.startswith("npipe:") else None


def _pipe(endpoint: DockerEndpoint) -> DockerHealth:
    path = Path(endpoint.host.removeprefix("npipe:").replace("/", "\\"))
    if not path.exists():
        return _desktop(System(platform="windows", client=find_system().client))
    return DockerHealth(
        state=DockerState.WRONG_KIND,
        message="Docker's named pipe cannot be used by this version of VibeDesk.",
        remedy="Let Docker Desktop offer its API on tcp://localhost:2375 (Settings › General), and set "
        "DOCKER_HOST=tcp://localhost:2375.",
    )


def _or_default(remedy: str, endpoint: DockerEndpoint) -> str:
    """Return the remedy, with the way back to this machine's Docker where another one was named."""
    return f"{remedy} {_NOT_THE_DEFAULT[endpoint.source]}".strip()
