"""As `package_versions`, for Python: the package index is asked where the app's own installs run."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from vibedesk.base.resources import resource
from vibedesk.engine.builder.package_versions import Ask, ResolvedPackages
from vibedesk.engine.builder.pyproject import read_project

_LONE_EQUALS = re.compile(r"(?<![<>=!~])=(?!=)")
_MAJORS = re.compile(r"[<>=!~]\s*v?(\d+)")


async def resolve_python_packages(
    wanted: Sequence[str], ask: Ask, *, pyproject: str = "", default_index: str = ""
) -> ResolvedPackages:
    """Find for every requirement (`httpx`, `pandas[excel]>=2`) the newest version that fits the project.

    Yanked releases and those for a newer Python than the project's oldest are passed over. What the project asks of
    a package already holds, unless another version is wanted. A version that does not exist is replaced by the
    newest of its major version, else by the newest of all; a package without any version that can be had is missing.
    Everything stays as it is where the index does not answer or the project has an index of its own.

    Args:
        wanted: Requirements; what is none stays as it is.
        ask: Runs a command where packages are installed.
        pyproject: The project's pyproject.toml; empty where it has none.
        default_index: The simple API to ask where the environment of `ask` names none.
    """
    asked = {spec: found for spec in wanted if (found := _requirement(spec)) is not None}
    project = read_project(pyproject)
    if not asked or project.own_index:
        return ResolvedPackages(specs=list(dict.fromkeys(wanted)))
    names = list(dict.fromkeys(canonicalize_name(r.name) for r in asked.values()))
    program = resource("packages", "python_index.py").read_text("utf-8")
    _, lines = await ask(["python3", "-I", "-c", program, default_index, *names])
    # Some packages have thousands of files.
    index = await asyncio.to_thread(_answers, lines, project.oldest_python)
    result = ResolvedPackages()
    for spec in dict.fromkeys(wanted):
        requirement = asked.get(spec)
        name = canonicalize_name(requirement.name) if requirement is not None else None
        if requirement is None or name is None or name not in index:
            _take(result, spec, spec)
            continue
        asked_already = project.asks.get(name, SpecifierSet())
        version, as_wanted = _choose(requirement.specifier, asked_already, index[name])
        if version is None:
            result.missing.append(spec)
            continue
        plain = _plain(requirement)
        taken = f"{plain}=={version}"
        _take(result, taken, f"{plain}{requirement.specifier}" if as_wanted else plain)
        if not as_wanted:
            result.replaced[spec] = taken
    return result


def _take(result: ResolvedPackages, spec: str, left_open: str) -> None:
    if spec not in result.specs:
        result.specs.append(spec)
        result.open.append(left_open)


def _requirement(spec: str) -> Requirement | None:
    """Return what a spec asks for; None for what names no package of an index. `name=1` is read as `name==1`."""
    try:
        found = Requirement(_LONE_EQUALS.sub("==", spec))
    except InvalidRequirement:
        return None
    return None if found.url or found.marker else found


def _plain(requirement: Requirement) -> str:
    extras = ",".join(sorted(requirement.extras))
    return f"{requirement.name}[{extras}]" if extras else requirement.name


def _choose(
    wanted: SpecifierSet, asked_already: SpecifierSet, versions: Sequence[Version]
) -> tuple[Version | None, bool]:
    """Return the version to take, if there is any, and whether it is as wanted."""
    majors = [int(number) for number in _MAJORS.findall(str(wanted))]
    candidates = [(wanted & asked_already, True), (wanted, True)]
    candidates += [(SpecifierSet(f"=={min(majors)}.*"), False)] if majors else []
    for specifiers, as_wanted in [*candidates, (SpecifierSet(), False)]:
        fitting = list(specifiers.filter(versions))
        if fitting:
            return max(fitting), as_wanted
    return None, False


# -- the index -------------------------------------------------------------------------------------
def _answers(
    lines: Sequence[str], oldest_python: Version | None
) -> dict[NormalizedName, list[Version]]:
    """Return the versions that can be had by name, none of a package that is not there.

    A name is left out where the index did not say.
    """
    python = oldest_python
    found: dict[NormalizedName, list[Version]] = {}
    for line in lines:
        match _json(line):
            case {"python": str(version)} if python is None:
                python = _version(version)
            case {"name": str(name), "exists": False}:
                found[canonicalize_name(name)] = []
            case {"name": str(name), "exists": True, "files": list(files)}:
                found[canonicalize_name(name)] = sorted(set(_versions(files, python)))
    return found


def _json(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _versions(files: Iterable[object], python: Version | None) -> Iterator[Version]:
    for file in files:
        match file:
            case [str(filename), str() | None as requires, False]:
                version = _version_of(filename)
                if version is not None and _runs_on(requires, python):
                    yield version


def _version_of(filename: str) -> Version | None:
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[1]
        return parse_sdist_filename(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None


def _runs_on(requires: str | None, python: Version | None) -> bool:
    if not requires or python is None:
        return True
    try:
        return SpecifierSet(requires).contains(python, prereleases=True)
    except InvalidSpecifier:  # old packages have some that nobody can read
        return True


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
