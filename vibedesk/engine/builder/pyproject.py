"""What a pyproject.toml asks of versions, and which one may replace another."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from vibedesk.engine.scof import PatchError

Table = dict[str, Any]

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.I)
_LOWER_BOUNDS = frozenset({">=", ">", "~=", "==", "==="})
_OF_INDEXES = frozenset(
    {"index", "index-url", "extra-index-url", "find-links", "no-index", "sources"}
)
_TABLES = (
    ("project", "optional-dependencies"),
    ("dependency-groups",),
    ("tool",),
    ("tool", "uv"),
)
_UV_LISTS = ("constraint-dependencies", "override-dependencies")
_FROM_ELSEWHERE = frozenset({"git", "url", "path", "directory", "editable", "virtual"})
_TABLE_LINE = re.compile(r"\s*\[\[?([\w.-]+)\]")
_KEY = re.compile(r"\s*([\w-]+)\s*=")
_STRING = re.compile(r"""#.*|"([^"]*)"|'([^']*)'""")


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonProject:
    """What a project says of its packages' versions.

    Attributes:
        oldest_python: It is to run on this one too; None where it does not say.
        asks: What it asks of packages already, by name.
        own_index: Whether it says itself where packages come from.
    """

    oldest_python: Version | None = None
    asks: Mapping[NormalizedName, SpecifierSet] = field(default_factory=dict)
    own_index: bool = False


def read_project(pyproject: str) -> PythonProject:
    """Return what the text says; nothing of what cannot be read."""
    try:
        read = tomllib.loads(pyproject)
    except tomllib.TOMLDecodeError:
        return PythonProject()
    asks: dict[NormalizedName, SpecifierSet] = {}
    for _, entries in _lists(read):
        for entry in entries if isinstance(entries, list) else ():
            requirement = _requirement(entry)
            if requirement is not None:
                name = canonicalize_name(requirement.name)
                asks[name] = asks.get(name, SpecifierSet()) & requirement.specifier
    return PythonProject(
        oldest_python=_oldest(_table(read, "project").get("requires-python")),
        asks=asks,
        own_index=not _OF_INDEXES.isdisjoint(_table(read, "tool", "uv")),
    )


def line_of_python_package(pyproject: str, package: str) -> int:
    """Return the line, from 1, in which a project asks for a package; 0 where it does not."""
    try:
        lists = dict(_lists(tomllib.loads(pyproject)))
    except tomllib.TOMLDecodeError:
        return 0
    name, table, key = canonicalize_name(package), "", ""
    for number, line in enumerate(pyproject.splitlines(), start=1):
        if heading := _TABLE_LINE.match(line):
            table, key = heading[1], ""
        elif begun := _KEY.match(line):
            key = begun[1]
        # What uv only limits is asked for by another package.
        if table == "tool.uv" or f"{table}.{key}" not in lists:
            continue
        for said in _STRING.finditer(line):
            requirement = _requirement(said[1] or said[2])
            if requirement is not None and canonicalize_name(requirement.name) == name:
                return number
    return 0


def checked_pyproject(proposed: str, starter: str | None) -> str:
    """Return the text to write for a pyproject.toml that a model wrote.

    What the starter's own lists and the proposed one leaves out is put back: packages, the oldest Python, and what it
    says to tools.

    Args:
        proposed: What the model wrote.
        starter: The starter's own; None where it has none.

    Raises:
        PatchError: no tool could use it; `reason` is malformed.
    """
    try:
        read = tomllib.loads(proposed)
    except tomllib.TOMLDecodeError as error:
        raise _malformed(f"pyproject.toml is no TOML: {error}.") from error
    own = tomllib.loads(starter) if starter else {}
    if "project" in read or "project" in own:
        _check_project(read.get("project"))
    for path in _TABLES:
        if not isinstance(_table(read, *path[:-1]).get(path[-1], {}), dict):
            raise _malformed(f"`{'.'.join(path)}` in pyproject.toml is no table.")
    for place, entries in _lists(read):
        includes = place.startswith("dependency-groups.")
        if not isinstance(entries, list) or not all(_is_listed(e, includes) for e in entries):
            raise _malformed(f"`{place}` in pyproject.toml is no list of packages.")
    return _with_what_is_left_out(proposed, read, own)


def python_requirements(pyproject: str) -> list[str]:
    """Return what the text asks of an index, as it is written there; nothing of what cannot be read."""
    try:
        read = tomllib.loads(pyproject)
    except tomllib.TOMLDecodeError:
        return []
    listed = [
        entry for _, entries in _lists(read) if isinstance(entries, list) for entry in entries
    ]
    return list(dict.fromkeys(entry for entry in listed if _requirement(entry) is not None))


def unlocked_python_requirements(pyproject: str, lock: str) -> list[str] | None:
    """Return what the text asks of an index that uv's lock file was not made for, as it is written there.

    None where that file does not say what it was made for.
    """
    try:
        locked = set(_locked(tomllib.loads(lock)))
    except (tomllib.TOMLDecodeError, InvalidSpecifier, TypeError):
        return None
    if not locked:
        return None
    return [
        entry
        for entry in python_requirements(pyproject)
        if (r := _requirement(entry)) is not None
        and locked.isdisjoint(
            (canonicalize_name(r.name), frozenset(r.extras), versions)
            for versions in (r.specifier, None)
        )
    ]


def with_python_requirements(pyproject: str, instead: Mapping[str, str | None]) -> str:
    """Return the text with other requirements: by what it lists, what it is to list instead; None: nothing."""
    import tomlkit

    document = tomlkit.parse(pyproject)
    for _, entries in _lists(document):
        # Groups that a group includes may be written as tables: there are no packages among them.
        if isinstance(entries, tomlkit.items.Array):
            for place, entry in reversed(list(enumerate(entries.unwrap()))):
                taken = instead.get(entry, entry) if isinstance(entry, str) else entry
                if taken is None:
                    del entries[place]
                elif taken != entry:
                    entries[place] = taken
    return tomlkit.dumps(document)


def _check_project(project: object) -> None:
    if not isinstance(project, dict):
        raise _malformed("pyproject.toml has no table `project`.")
    name, requires = project.get("name"), project.get("requires-python", "")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _malformed("`name` of the project in pyproject.toml is no name.")
    dynamic = project.get("dynamic")
    if not (isinstance(dynamic, list) and "version" in dynamic) and not _version(
        project.get("version")
    ):
        raise _malformed("`version` of the project in pyproject.toml is no version.")
    try:
        SpecifierSet(requires)
    except (InvalidSpecifier, TypeError, AttributeError) as error:
        raise _malformed("`requires-python` in pyproject.toml names no versions.") from error


def _malformed(words: str) -> PatchError:
    return PatchError("malformed", words)


def _lists(read: Table) -> Iterator[tuple[str, object]]:
    """Yield everything that is to be a list of packages, with its place in the file."""
    project = _table(read, "project")
    if "dependencies" in project:
        yield "project.dependencies", project["dependencies"]
    for place in (("project", "optional-dependencies"), ("dependency-groups",)):
        for name, entries in _table(read, *place).items():
            yield ".".join((*place, name)), entries
    uv = _table(read, "tool", "uv")
    for name in _UV_LISTS:
        if name in uv:
            yield f"tool.uv.{name}", uv[name]


def _locked(
    lock: Table,
) -> Iterator[tuple[NormalizedName, frozenset[str], SpecifierSet | None]]:
    """Yield (name, extras, versions) of what uv's lock file was made for: the lists of its own project, as they were.

    Of what comes from elsewhere than an index it does not note which versions would do: None.
    """
    packages = lock.get("package")
    lists = list(_table(lock, "manifest").values())
    for package in packages if isinstance(packages, list) else ():
        if isinstance(package, dict) and "." in _table(package, "source").values():
            said = _table(package, "metadata")
            lists += [said.get("requires-dist"), *_table(said, "requires-dev").values()]
    for entries in lists:
        for entry in entries if isinstance(entries, list) else ():
            name = entry.get("name") if isinstance(entry, dict) else None
            if isinstance(name, str):
                elsewhere = not _FROM_ELSEWHERE.isdisjoint(entry)
                versions = None if elsewhere else SpecifierSet(str(entry.get("specifier", "")))
                yield canonicalize_name(name), frozenset(entry.get("extras", ())), versions


def _is_listed(entry: object, includes: bool) -> bool:
    """Whether it is a package or, where such lists may include others, another group."""
    return (includes and isinstance(entry, dict)) or _requirement(entry) is not None


def _table(read: Table, *path: str) -> Table:
    for name in path:
        found = read.get(name)
        read = found if isinstance(found, dict) else {}
    return read


def _requirement(entry: object) -> Requirement | None:
    try:
        return Requirement(entry) if isinstance(entry, str) else None
    except InvalidRequirement:
        return None


def _oldest(requires: object) -> Version | None:
    try:
        specifiers = SpecifierSet(requires if isinstance(requires, str) else "")
    except InvalidSpecifier:
        return None
    bounds = [
        _version(s.version.removesuffix(".*")) for s in specifiers if s.operator in _LOWER_BOUNDS
    ]
    return max((bound for bound in bounds if bound is not None), default=None)


def _version(text: object) -> Version | None:
    try:
        return Version(text) if isinstance(text, str) else None
    except InvalidVersion:
        return None


# -- what is put back --------------------------------------------------------------------------------
def _with_what_is_left_out(proposed: str, read: Table, own: Table) -> str:
    left = _left_out(read, own)
    if not left:
        return proposed
    import tomlkit

    document = tomlkit.parse(proposed)
    for path, value in left:
        table: Any = document
        for name in path[:-1]:
            table = table.setdefault(name, tomlkit.table())
        there = table.get(path[-1])
        if isinstance(value, list) and isinstance(there, tomlkit.items.AoT):
            # Groups that a group includes, written as tables, leave no place for packages.
            table[path[-1]] = [*there.unwrap(), *value]
        elif isinstance(value, list) and there is not None:
            there.extend(value)
        else:
            table[path[-1]] = value
    return tomlkit.dumps(document)


def _left_out(read: Table, own: Table) -> list[tuple[tuple[str, ...], Any]]:
    """Return what to put back, by its place; a list is added to one that is there."""
    known = {
        canonicalize_name(requirement.name)
        for place, entries in _lists(read)
        if isinstance(entries, list) and not place.startswith("tool.")
        for entry in entries
        if (requirement := _requirement(entry)) is not None
    }
    left: list[tuple[tuple[str, ...], Any]] = []
    groups = [("dependency-groups", name) for name in _table(own, "dependency-groups")]
    for path in (("project", "dependencies"), *groups):
        packages = [
            entry
            for entry in _table(own, path[0]).get(path[1], ())
            if (r := _requirement(entry)) is not None and canonicalize_name(r.name) not in known
        ]
        left += [(path, packages)] if packages else []
    if "requires-python" not in _table(read, "project"):
        left += [
            (("project", "requires-python"), asked)
            for asked in [_table(own, "project").get("requires-python")]
            if asked is not None
        ]
    tools, own_tools = _table(read, "tool"), _table(own, "tool")
    left += [(("tool", name), said) for name, said in own_tools.items() if name not in tools]
    if "uv" in tools:
        uv = _table(tools, "uv")
        left += [
            (("tool", "uv", name), said)
            for name, said in _table(own_tools, "uv").items()
            if name not in uv
        ]
    return left
