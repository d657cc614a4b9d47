"""Which files of a project belong together: imports, style classes and API addresses."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vibedesk.engine.builder.relevance.file_facts import FileFacts, Reference

_ENDINGS = (
    "ts",
    "tsx",
    "js",
    "jsx",
    "mjs",
    "vue",
    "svelte",
    "css",
    "scss",
    "json",
    "d.ts",
    "py",
    "html",
)
_COMPILED = re.compile(r"\.(?:[cm]?js|jsx)$")
_USUAL_ALIASES = (("@/", "src/"), ("~/", "src/"), ("$lib/", "src/lib/"))
_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.S)
_TRAILING = re.compile(r",(\s*[}\]])")
_CONFIGURATION = re.compile(r"(?:^|/)(?:tsconfig|jsconfig)[\w.-]*\.json$")
_QUERY = re.compile(r"(?<=.)[?#]")
_MOST_ALIKE = 8
"""An address or class that more files share than this says nothing."""

_IMPORTED, _LATER, _BARREL, _CLASS, _ADDRESS = 1.0, 0.3, 0.4, 0.6, 0.5


@dataclass(frozen=True, slots=True)
class ImportGraph:
    """`uses` and `used_by`: path → the other path → how close they are, up to 1."""

    uses: Mapping[str, Mapping[str, float]]
    used_by: Mapping[str, Mapping[str, float]]


def import_graph(facts: Mapping[str, FileFacts], texts: Mapping[str, str]) -> ImportGraph:
    """Return the graph of a project; linear in the number of references."""
    resolver = _Resolver(facts, _aliases(texts))
    uses: dict[str, dict[str, float]] = {path: {} for path in facts}
    for path in facts:
        for reference in facts[path].references:
            for target, closeness in resolver.targets(path, reference):
                _join(uses, path, target, closeness)
    _join_by_class(facts, uses)
    _join_by_address(facts, uses)
    used_by: dict[str, dict[str, float]] = {path: {} for path in facts}
    for path, targets in uses.items():
        for target, closeness in targets.items():
            used_by[target][path] = closeness
    return ImportGraph(uses, used_by)


def _join(uses: dict[str, dict[str, float]], path: str, target: str, closeness: float) -> None:
    if target != path:
        uses[path][target] = max(closeness, uses[path].get(target, 0.0))


def _join_by_class(facts: Mapping[str, FileFacts], uses: dict[str, dict[str, float]]) -> None:
    made: dict[str, list[str]] = {}
    for path, of in facts.items():
        for name in of.classes_made:
            made.setdefault(name, []).append(path)
    for path, of in facts.items():
        for name in of.classes_used & made.keys():
            if len(made[name]) <= _MOST_ALIKE:
                for target in made[name]:
                    _join(uses, path, target, _CLASS)


def _join_by_address(facts: Mapping[str, FileFacts], uses: dict[str, dict[str, float]]) -> None:
    known: dict[str, list[str]] = {}
    for path, of in facts.items():
        for address in of.addresses:
            known.setdefault(address, []).append(path)
    for paths in known.values():
        if len(paths) <= _MOST_ALIKE:
            for path in paths:
                for target in paths:
                    _join(uses, path, target, _ADDRESS)


class _Resolver:
    """Finds the file that an import means."""

    def __init__(self, facts: Mapping[str, FileFacts], aliases: list[tuple[str, str]]) -> None:
        self._facts = facts
        self._aliases = aliases
        self._found: dict[tuple[str, str], str | None] = {}

    def targets(self, path: str, reference: Reference) -> Iterable[tuple[str, float]]:
        """Return the files that `reference` in `path` means; through barrels also those that have the names."""
        target = self.file(path, reference.target)
        if path.endswith(".py"):
            # `from package import module`
            package = reference.target if reference.target.endswith(".") else f"{reference.target}."
            for name in reference.names:
                if (inner := self.file(path, package + name)) is not None:
                    yield inner, _IMPORTED
        if target is None:
            return
        if reference.later:
            yield target, _LATER
            return
        behind = set[str]()
        if not reference.handed_on and reference.names:
            self._behind(target, frozenset(reference.names), behind, {target})
        yield target, _BARREL if behind else _IMPORTED
        for inner in behind:
            yield inner, _IMPORTED

    def _behind(self, barrel: str, names: frozenset[str], found: set[str], seen: set[str]) -> None:
        """Collect the files that a barrel takes `names` from."""
        facts = self._facts[barrel]
        left = names - set(facts.exports)
        if not left:
            return
        for reference in facts.references:
            taken = left & set(reference.names) if "*" not in reference.names else left
            if not reference.handed_on or not taken:
                continue
            inner = self.file(barrel, reference.target)
            if inner is None or inner in seen:
                continue
            seen.add(inner)
            if (
                "*" not in reference.names
                or "*" in names
                or taken & set(self._facts[inner].exports)
            ):
                found.add(inner)
            else:
                self._behind(inner, taken, found, seen)

    def file(self, path: str, target: str) -> str | None:
        key = (posixpath.dirname(path), target)
        if key not in self._found:
            self._found[key] = self._search(path, target)
        return self._found[key]

    def _search(self, path: str, target: str) -> str | None:
        bases = _python_bases(path, target) if path.endswith(".py") else self._bases(path, target)
        for base in bases:
            for candidate in _candidates(base):
                if candidate in self._facts:
                    return candidate
        return None

    def _bases(self, path: str, target: str) -> Iterable[str]:
        target = _QUERY.split(target, maxsplit=1)[0]
        folder = posixpath.dirname(path)
        if target.startswith("."):
            yield posixpath.normpath(posixpath.join(folder, target))
        elif target.startswith("/"):
            yield target[1:]
            yield f"public{target}"
        else:
            for prefix, inside in self._aliases:
                if target.startswith(prefix):
                    yield posixpath.normpath(inside + target[len(prefix) :])
            if path.endswith((".css", ".scss", ".html")):
                yield posixpath.normpath(posixpath.join(folder, target))


def _candidates(base: str) -> Iterable[str]:
    yield base
    for ending in _ENDINGS:
        yield f"{base}.{ending}"
    if _COMPILED.search(base):
        stem = _COMPILED.sub("", base)
        yield f"{stem}.ts"
        yield f"{stem}.tsx"
    for ending in _ENDINGS:
        yield f"{base}/index.{ending}"
    yield f"{base}/__init__.py"


def _python_bases(path: str, module: str) -> Iterable[str]:
    dots = len(module) - len(module.lstrip("."))
    parts = [part for part in module.split(".") if part]
    folders = path.split("/")[:-1]
    if dots:
        yield "/".join([*folders[: len(folders) - dots + 1], *parts])
        return
    # A program may be started in any folder above the file.
    for end in range(len(folders), -1, -1):
        yield "/".join([*folders[:end], *parts])


def _aliases(texts: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (prefix of an import, folder it stands for), the project's own first."""
    found: list[tuple[str, str]] = []
    for path in sorted(texts):
        if not _CONFIGURATION.search(path) or "paths" not in texts[path]:
            continue
        try:
            options = json.loads(_plain_json(texts[path]))["compilerOptions"]
            base = posixpath.join(posixpath.dirname(path), options.get("baseUrl", "."))
            for pattern, places in options["paths"].items():
                for place in places:
                    folder = posixpath.normpath(posixpath.join(base, place.removesuffix("*")))
                    ends = "/" if place.endswith("/*") else ""
                    found.append((pattern.removesuffix("*"), folder + ends))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # a file that no compiler reads either
    return [*found, *_USUAL_ALIASES]


def _plain_json(text: str) -> str:
    return _TRAILING.sub(r"\1", _COMMENT.sub(lambda match: match[1] or "", text))
