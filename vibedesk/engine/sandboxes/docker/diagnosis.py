"""Whether Docker can be used here, and where it cannot, why and what to do."""

from __future__ import annotations

import http.client
from typing import Any

from vibedesk.engine.sandboxes.docker.endpoints import DockerEndpoint, find_endpoint
from vibedesk.engine.sandboxes.docker.explanations import explain, not_to_be_tried
from vibedesk.engine.sandboxes.docker.health import DockerHealth, DockerState
from vibedesk.engine.sandboxes.docker.probe import SshError, WrongAnswerError, ask_engine
from vibedesk.engine.sandboxes.docker.this_system import System, find_system

Json = dict[str, Any]

PATIENCE_SECONDS = 5.0
OLDEST_API = (1, 41)
OLDEST_VERSION = "20.10"
OLDEST_PODMAN = "4.0"
_SYSTEM_CALLS = "system calls"
_ROOTLESS_GUIDE = "docs.docker.com/engine/security/rootless"


def diagnose(
    endpoint: DockerEndpoint, system: System | None = None, *, seconds: float = PATIENCE_SECONDS
) -> DockerHealth:
    """Look at the engine; blocking, not much longer than `seconds`. Never raises for what the engine does.

    Args:
        endpoint: Which one.
        system: This machine, if it was looked at already.
        seconds: How long to wait for it.
    """
    here = system or find_system()
    if (found := not_to_be_tried(endpoint)) is not None:
        return found
    try:
        answers = ask_engine(endpoint, seconds, has_use=lambda version: _api(version) >= OLDEST_API)
    except (OSError, http.client.HTTPException, SshError, WrongAnswerError) as error:
        return explain(endpoint, error, here, seconds=seconds)
    return judge(endpoint, answers.version, answers.info, here)


def judge(endpoint: DockerEndpoint, version: Json, info: Json, system: System) -> DockerHealth:
    """Return what an engine's answers mean."""
    podman = any(
        isinstance(part, dict) and part.get("Name") == "Podman Engine"
        for part in _list(version.get("Components"))
    )
    number = str(version.get("Version") or "").partition("+")[0]
    name = f"{'Podman' if podman else 'Docker'} {number}".strip()
    facts: Json = {
        "version": number,
        "api_version": str(version.get("ApiVersion") or ""),
        "engine": f"{name} {endpoint.where}",
        "is_podman": podman,
        "is_remote": endpoint.is_remote,
    }
    if _api(version) < OLDEST_API:
        return _too_old(name, podman=podman, system=system, endpoint=endpoint, facts=facts)
    if info.get("OSType", "linux") != "linux":
        return DockerHealth(
            state=DockerState.WRONG_KIND,
            message=f"{name} {endpoint.where} runs {info['OSType']} containers.",
            remedy="Switch it to Linux containers (in the menu of Docker Desktop).",
            **facts,
        )
    missing = _missing_limits(info)
    rootless = info.get("Rootless") is True or any(
        "rootless" in str(option) for option in _list(info.get("SecurityOptions"))
    )
    works, remedy = f"{name} {endpoint.where} works", ""
    if rootless:
        works += ", rootless"
    if missing:
        works += f", but cannot limit {' and '.join(missing)}"
        remedy = _more_limits(missing, rootless=rootless)
    return DockerHealth(
        state=DockerState.WORKS,
        message=f"{works}.",
        remedy=remedy,
        architecture=str(info.get("Architecture") or ""),
        is_rootless=rootless,
        cpus=_number(info.get("NCPU")),
        memory=_number(info.get("MemTotal")),
        data_root="" if endpoint.is_remote else str(info.get("DockerRootDir") or ""),
        missing_limits=missing,
        **facts,
    )


def _missing_limits(info: Json) -> tuple[str, ...]:
    limits = (("memory", "MemoryLimit"), ("CPU", "CpuCfsQuota"), ("processes", "PidsLimit"))
    # Podman tells of the machine's limits, also where it may not use them.
    useless = info.get("Rootless") is True and str(info.get("CgroupVersion")) == "1"
    missing = tuple(what for what, key in limits if useless or info.get(key) is False)
    return missing if _has_seccomp(info) else (*missing, _SYSTEM_CALLS)


def _has_seccomp(info: Json) -> bool:
    """Whether containers get a profile of system calls where none is named."""
    options = [str(option).split(",") for option in _list(info.get("SecurityOptions"))]
    return any("name=seccomp" in o and "profile=unconfined" not in o for o in options)


def _more_limits(missing: tuple[str, ...], *, rootless: bool) -> str:
    """Return what to do for what an engine cannot limit; empty where nothing is known."""
    remedies = []
    if rootless and missing != (_SYSTEM_CALLS,):
        remedies.append(f"Let it use cgroups: {_ROOTLESS_GUIDE} (limiting resources).")
    if _SYSTEM_CALLS in missing:
        remedies.append("Give it its default seccomp profile again.")
    return " ".join(remedies)


def _api(version: Json) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in str(version.get("ApiVersion")).split("."))
    except ValueError:
        return (0,)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _too_old(
    name: str, *, podman: bool, system: System, endpoint: DockerEndpoint, facts: Json
) -> DockerHealth:
    wanted = f"Podman {OLDEST_PODMAN}" if podman else f"Docker {OLDEST_VERSION}"
    install = () if podman or endpoint.is_remote else system.install[:1]
    remedy = f"Update it: `{install[0]}`" if install else "Update it."
    return DockerHealth(
        state=DockerState.TOO_OLD,
        message=f"{name} {endpoint.where} is too old: VibeDesk needs {wanted} or newer "
        f"(API {'.'.join(map(str, OLDEST_API))}; this one has {facts['api_version']}).",
        remedy=remedy,
        commands=install,
        **facts,
    )


__all__ = [
    "PATIENCE_SECONDS",
    "DockerEndpoint",
    "DockerHealth",
    "DockerState",
    "diagnose",
    "explain",
    "find_endpoint",
    "judge",
]
