"""A project's files in a folder of their own, what each defines, and what the checkers say of them."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from vibedesk_repair.bindings import Bindings, bindings

_MYPY = re.compile(
    r"^(?P<path>[^:\n]+\.pyi?):(?P<line>\d+)(?::\d+)*: error: (?P<message>.+?)(?:\s+\[(?P<code>[\w-]+)\])?$"
)
# Of mypy, pyright and Python itself: an import that does not find what it names.
_IMPORT_FAILS = frozenset(
    {
        "attr-defined", "import", "import-not-found", "reportAttributeAccessIssue", "reportMissingImports",
        "ImportError", "ModuleNotFoundError",
    }
)  # fmt: skip
_NAMES = ("F821", "F811", "F822", "F823")
_UNREADABLE = 1000  # what a syntax error counts: nothing else in its file can be judged


class Problem(NamedTuple):
    """What a checker finds; `code` is `import` for a name that a module of the project does not have."""

    code: str
    path: str
    line: int
    message: str


class Import(NamedTuple):
    """One `from … import` of a file, and the module that it names, in full."""

    path: str
    node: ast.ImportFrom
    module: str


class Project:
    """The files, by project path; `types` says whether mypy is asked too, where the project has it.

    `told` is what was found wrong before.
    """

    def __init__(
        self, folder: Path, files: dict[str, str], *, types: bool, told: Sequence[Problem] = ()
    ) -> None:
        self.folder = folder
        self._told = told
        self._untold: set[tuple[str, str, str]] | None = None
        self.texts: dict[str, str] = {}
        for path, text in files.items():
            self.write(path, text)
        self.asks_mypy = types and _has("mypy")
        self._judged: dict[str, str] | None = None
        self._found: list[Problem] = []
        self._cache = Path.cwd() / ".mypy_cache"

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
        moment = _moment(text)
        os.utime(target, (moment, moment))
        self.texts[path] = text

    # -- what the checkers say ---------------------------------------------------------------------
    def problems(self) -> list[Problem]:
        """Return what is wrong now, by ruff with the project's own rules, by mypy and by what imports what.

        An import that was there from the beginning counts only where it was told to fail, too: there is more than
        texts say of a module.
        """
        if self._judged != self.texts:
            self._found = [*self.unreadable()] or self._checked()
            self._judged = dict(self.texts)
        return self._found

    def _checked(self) -> list[Problem]:
        found = self.ruff("--extend-select", ",".join(_NAMES))
        types = self.mypy() if self.asks_mypy else []
        failing = [p for p in (*self._told, *types) if p.code in _IMPORT_FAILS]
        wrong = list(self.wrong_imports())
        if self._untold is None:
            self._untold = {
                (each.path, each.module, name)
                for each, name in wrong
                if not any(self._is_told_by(problem, each, name) for problem in failing)
            }
        found += [
            Problem("import", each.path, each.node.lineno, name)
            for each, name in wrong
            if (each.path, each.module, name) not in self._untold
        ]
        return [*dict.fromkeys(found), *types]

    def _is_told_by(self, problem: Problem, wrong: Import, name: str) -> bool:
        named = name if wrong.module in self.modules() else wrong.module
        quoted = re.compile(rf"""(["'`]){re.escape(named)}\1""")
        return problem.path == wrong.path and quoted.search(problem.message) is not None

    def unreadable(self) -> Iterator[Problem]:
        for path, text in self.texts.items():
            if not path.endswith(".py"):
                continue
            try:
                ast.parse(text)
            except (SyntaxError, ValueError) as error:
                line = getattr(error, "lineno", 0) or 0
                yield Problem("syntax", path, line, getattr(error, "msg", str(error)))

    def ruff(self, *arguments: str) -> list[Problem]:
        done = subprocess.run(
            [*_ruff(), "check", "--output-format", "json", "--no-cache", *arguments, "."],
            cwd=self.folder, capture_output=True, check=False,
        )  # fmt: skip
        here = self.folder.resolve()
        return [
            Problem(
                each["code"] or "syntax",
                str(Path(each["filename"]).resolve().relative_to(here)),
                each["location"]["row"],
                each["message"],
            )
            for each in json.loads(done.stdout or b"[]")
            if each["filename"].endswith(".py")
        ]

    def take_fixes(self, codes: set[str], paths: set[str]) -> None:
        """Let ruff make its safe fixes of these rules in these files."""
        subprocess.run(
            [*_ruff(), "check", "--quiet", "--no-cache", "--select", ",".join(sorted(codes)), "--fix", *sorted(paths)],
            cwd=self.folder, capture_output=True, check=False,
        )  # fmt: skip
        for path in paths:
            self.write(path, (self.folder / path).read_bytes().decode())

    def mypy(self) -> list[Problem]:
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", "--cache-dir", str(self._cache)],
            cwd=self.folder, capture_output=True, check=False,
        )  # fmt: skip
        lines = done.stdout.decode(errors="replace").splitlines()
        found = [
            Problem(match["code"] or "", match["path"], int(match["line"]), match["message"])
            for line in lines
            if (match := _MYPY.match(line.strip()))
        ]
        if done.returncode and not found:
            self.asks_mypy = False  # it does not run here, and so says nothing
        return found

    # -- what is where -----------------------------------------------------------------------------
    def modules(self) -> dict[str, str]:
        """Module name → path."""
        return {
            path.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): path
            for path in self.texts
            if path.endswith(".py")
        }

    def defined(self, path: str) -> set[str]:
        """Return the functions, classes and values that a module makes itself."""
        known = self._bindings(path)
        return known.defined if known else set()

    def exported(self, path: str) -> set[str] | None:
        """Return all that can be taken from a module, None where that cannot be known."""
        found: set[str] = set()
        modules = self.modules()
        paths = [path]
        for each in paths:  # grows by what they take everything from
            known = self._bindings(each)
            if known is None or known.is_open:
                return None
            found |= known.bound
            for star in known.stars:
                source = modules.get(_module_of(each, star))
                if source is None:
                    return None
                if source not in paths:
                    paths.append(source)
        return found

    def _bindings(self, path: str) -> Bindings | None:
        try:
            return bindings(ast.parse(self.texts[path]))
        except SyntaxError:
            return None

    def home_of(self, name: str, not_in: str) -> str | None:
        """Return the one module of the project that defines a name."""
        owners = [
            module
            for module, path in self.modules().items()
            if path != not_in and not path.startswith("tests/") and name in self.defined(path)
        ]
        return owners[0] if len(owners) == 1 else None

    def imports(self) -> Iterator[Import]:
        """Yield the `from … import` of every file that can be read, but none that may fail."""
        for path, text in list(self.texts.items()):
            if not path.endswith(".py"):
                continue
            try:
                tree = ast.parse(text)
            except SyntaxError:
                continue
            everywhere = list(ast.walk(tree))
            tries = [node for node in everywhere if isinstance(node, ast.Try) and node.handlers]
            may_fail = {node for each in tries for part in each.body for node in ast.walk(part)}
            for node in everywhere:
                if isinstance(node, ast.ImportFrom) and node not in may_fail:
                    yield Import(path, node, _module_of(path, node))

    def is_own(self, module: str) -> bool:
        return module.split(".")[0] in {name.split(".")[0] for name in self.modules()}

    def wrong_imports(self) -> Iterator[tuple[Import, str]]:
        """Yield every name that is imported from a module of the project which does not have it."""
        modules = self.modules()
        for each in self.imports():
            if not each.module or not (each.node.level or self.is_own(each.module)):
                continue
            known = self.exported(modules[each.module]) if each.module in modules else set()
            if known is None:
                continue
            package = any(m.startswith(f"{each.module}.") for m in modules)
            for alias in each.node.names:
                there = (
                    alias.name in known
                    or alias.name == "*"
                    or f"{each.module}.{alias.name}" in modules
                )
                if not there and (each.module in modules or not package):
                    yield each, alias.name


def _module_of(path: str, node: ast.ImportFrom) -> str:
    """Return the name, in full, of the module that an import of this file takes from."""
    package = path.removesuffix(".py").split("/")[:-1]
    base = package[: len(package) - node.level + 1] if node.level else []
    return ".".join([*base, *([node.module] if node.module else [])])


def _moment(text: str) -> int:
    """Return a time for a file, in seconds, which only this text has.

    mypy takes files of one second and one size for the same, and its cache is shared with earlier repairs.
    """
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


def counted(problems: list[Problem]) -> Counter[tuple[str, str, str]]:
    return Counter((p.code, p.path, p.message) for p in problems)


def weight(problems: list[Problem]) -> int:
    return sum(_UNREADABLE if p.code == "syntax" else 1 for p in problems)


@cache
def _has(module: str) -> bool:
    return not subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, check=False
    ).returncode


@cache
def _ruff() -> tuple[str, ...]:
    """The project's own ruff, else the one on PATH."""
    return (sys.executable, "-m", "ruff") if _has("ruff") else (shutil.which("ruff") or "ruff",)
