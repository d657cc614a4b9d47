"""Turns the packages a model names into versions that exist, before anything is installed.

The registry is asked through `npm view` where the app's own installs run, so that mirrors, proxies and network
rules of the person and of the sandbox hold here too.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

Ask = Callable[[list[str]], Awaitable[tuple[int, list[str]]]]
"""Runs a command and returns its exit status and the lines it printed, stderr included."""

_AT_ONCE = 3
_EXACT = re.compile(r"[vV=]?(\d+)\.\d+\.\d+(?:[-+][\w.+-]+)?")
_MAJOR = re.compile(r"\D*(\d+)")
_JSON_START = re.compile(r"^\s*[\"\[]", re.M)
_REGISTRY_NAME = re.compile(r"(?:@[a-z0-9~_.-]+/)?[a-z0-9~_][a-z0-9~_.-]*", re.I)
_MISSING = re.compile(r"\bE404\b")
_NO_VERSION = re.compile(r"\bETARGET\b|No match(?:ing version)? found")


@dataclass(slots=True)
class ResolvedPackages:
    """What became of the wanted packages."""

    specs: list[str] = field(default_factory=list)
    """What to install: exact versions; as it was wanted where the registry could not be asked."""
    missing: list[str] = field(default_factory=list)
    """The registry has no package of that name."""
    replaced: dict[str, str] = field(default_factory=dict)
    """Wanted spec → what is taken, where the wanted version does not exist."""
    open: list[str] = field(default_factory=list)
    """As `specs`, but as open as it was wanted, for an installer that finds no exact ones to go together; none for npm."""


async def resolve_packages(wanted: Sequence[str], ask: Ask) -> ResolvedPackages:
    """Find for every spec (`zod`, `zod@4`, `@scope/name@1.2.3`) the version that exists.

    A version that does not exist is replaced by the newest of its major version, else by the newest of all.
    Specs that are no registry names (paths, git, tarballs, aliases) stay as they are: the install judges them.
    """
    limit = asyncio.Semaphore(_AT_ONCE)

    async def resolve(spec: str) -> tuple[str, str | None, bool]:
        async with limit:
            return spec, *await _resolve(spec, ask)

    result = ResolvedPackages()
    for spec, found, as_wanted in await asyncio.gather(*map(resolve, wanted)):
        if found is None:
            result.missing.append(spec)
            continue
        if found not in result.specs:
            result.specs.append(found)
        if not as_wanted:
            result.replaced[spec] = found
    return result


def split_spec(spec: str) -> tuple[str, str]:
    """Return (name, version or range or tag) of a registry spec; the second is empty where none is given."""
    at = spec.rfind("@")
    return (spec[:at], spec[at + 1 :]) if at > 0 else (spec, "")


async def _resolve(spec: str, ask: Ask) -> tuple[str | None, bool]:
    """Return the exact spec, and whether it is as wanted.

    The spec as it is where nobody knows, None where there is no such package.
    """
    name, version = split_spec(spec)
    if not _REGISTRY_NAME.fullmatch(name) or ":" in version or "/" in version:
        return spec, True
    major = _MAJOR.match(version)
    ranges = [version or "latest", *([major.group(1)] if major else []), "latest"]
    for wanted in dict.fromkeys(ranges):
        status, lines = await ask(["npm", "view", f"{name}@{wanted}", "version", "--json"])
        text = "\n".join(lines)
        found = _newest(text) if status == 0 else None
        if found:
            return f"{name}@{found}", wanted == ranges[0]
        if _NO_VERSION.search(text) or status == 0:
            continue
        return (None, False) if _MISSING.search(text) else (spec, True)
    return None, False


def _newest(text: str) -> str | None:
    """Return the version in npm's answer; of several that fit, npm names the newest last."""
    for start in _JSON_START.finditer(text):
        try:
            value, _ = json.JSONDecoder().raw_decode(text, start.end() - 1)
        except ValueError:
            continue
        versions = value if isinstance(value, list) else [value]
        if versions and all(isinstance(v, str) and _EXACT.fullmatch(v) for v in versions):
            return str(max(versions, key=_order))
    return None


def _order(version: str) -> tuple[tuple[int, ...], bool, str]:
    numbers, _, pre = version.partition("-")
    return tuple(map(int, re.findall(r"\d+", numbers)[:3])), not pre, pre
