"""What mends one problem: a change of one file's text, made only where there is one way to mean it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from vibedesk_repair.edits import differs_by_one, renamed, with_import
from vibedesk_repair.places import has, home_outside, is_standard, is_there
from vibedesk_repair.project import Import, Problem, Project

_UNDEFINED = re.compile(r"(?:Undefined name `(?P<ruff>\w+)`|Name \"(?P<mypy>\w+)\" is not defined)")
_NO_ATTRIBUTE = re.compile(r'"[^"]+" has no attribute "(?P<wrong>\w+)"; maybe "(?P<right>\w+)"\?$')
_NO_ARGUMENT = re.compile(
    r'^Unexpected keyword argument "(?P<wrong>\w+)" .*; did you mean "(?P<right>\w+)"\?$'
)
_NOT_EXPORTED = re.compile(
    r'^Module "(?P<module>[^"]+)" does not explicitly export attribute "(?P<name>\w+)"'
)
_AWAIT = re.compile(r"\bawait\s+")


class Fix(NamedTuple):
    """`change` takes the text of the file as it is then, and returns the new one."""

    what: str
    path: str
    change: Callable[[str], str]


def fixes(problem: Problem, project: Project) -> Iterator[Fix]:
    """Yield what mends a problem, surest first."""
    match problem.code:
        case "F821" | "name-defined":
            yield from _name_of_nowhere(problem, project)
        case "import":
            yield from _wrong_import(problem, project)
        case "attr-defined" if problem.message.startswith("Module "):
            yield from _wrong_package(problem, project)
            yield from _only_passed_on(problem, project)
        case "attr-defined" | "union-attr":
            yield from _spelled(problem, _NO_ATTRIBUTE, r"(?<=\.){}\b")
        case "call-arg":
            yield from _spelled(problem, _NO_ARGUMENT, r"\b{}(?=\s*=[^=])")
        case "await-not-async":
            yield from _await_outside(problem, project)


def _name_of_nowhere(problem: Problem, project: Project) -> Iterator[Fix]:
    said = _UNDEFINED.search(problem.message)
    if said is None:
        return
    name = said["ruff"] or said["mypy"]
    home = project.home_of(name, problem.path)
    home = home or home_outside(name, project.texts.get("pyproject.toml", ""))
    if home:
        line = f"from {home} import {name}"
    elif is_standard(name) and _is_used_as_module(project.texts[problem.path], name):
        line = f"import {name}"
    else:
        return
    yield Fix(line, problem.path, lambda text: with_import(text, line))


def _is_used_as_module(text: str, name: str) -> bool:
    """Whether everything that is asked of the name is in the module of that name."""
    members = {
        node.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    }
    return bool(members) and all(has(name, member) for member in members)


# -- imports from the wrong place ------------------------------------------------------------------------
def _wrong_import(problem: Problem, project: Project) -> Iterator[Fix]:
    for wrong, name in project.wrong_imports():
        if (wrong.path, wrong.node.lineno, name) != (problem.path, problem.line, problem.message):
            continue
        home = project.home_of(name, wrong.path)
        if home is not None:
            yield from _moved(wrong, name, home, project)
        elif wrong.module in project.modules():
            yield from _near(wrong, name, project)


def _near(wrong: Import, name: str, project: Project) -> Iterator[Fix]:
    """A name of that module that differs by a letter, and that the file has not got yet."""
    there = project.defined(project.modules()[wrong.module])
    near = [other for other in there if differs_by_one(other, name)]
    if len(near) == 1 and near[0] not in _bound(project.texts[wrong.path]):
        yield Fix(f"{name} is {near[0]}", wrong.path, lambda text: renamed(text, name, near[0]))


def _wrong_package(problem: Problem, project: Project) -> Iterator[Fix]:
    """A name that a package has, and another module of it is asked for."""
    for each in project.imports():
        if each.path != problem.path or each.node.level or project.is_own(each.module):
            continue
        for alias in each.node.names:
            if has(each.module, alias.name) or f'"{alias.name}"' not in problem.message:
                continue
            top = each.module.split(".")[0]
            manifest = project.texts.get("pyproject.toml", "")
            home = top if has(top, alias.name) else home_outside(alias.name, manifest)
            if home and home != each.module:
                yield from _moved(each, alias.name, home, project)


def _only_passed_on(problem: Problem, project: Project) -> Iterator[Fix]:
    """A name that a module of the project has only taken from another one."""
    said = _NOT_EXPORTED.search(problem.message)
    if said is None or (home := project.home_of(said["name"], problem.path)) is None:
        return
    for each in project.imports():
        takes = any(alias.name == said["name"] for alias in each.node.names)
        if takes and (each.path, each.module) == (problem.path, said["module"]):
            yield from _moved(each, said["name"], home, project)


def _moved(wrong: Import, name: str, home: str, project: Project) -> Iterator[Fix]:
    """Take the name from its home: with the whole line where all its names are there, else in a line of its own."""
    node = wrong.node
    if node.lineno != node.end_lineno:
        return
    homes = {project.home_of(alias.name, wrong.path) for alias in node.names}
    dots = "." * node.level
    old = re.compile(rf"from(\s+){re.escape(dots + (node.module or ''))}(\s+)import\b")
    if len(node.names) == 1 or homes == {home}:
        what = f"{', '.join(alias.name for alias in node.names)} from {home}"

        def changed(text: str) -> str:
            lines = text.splitlines(keepends=True)
            row = lines[node.lineno - 1]
            lines[node.lineno - 1] = old.sub(rf"from\g<1>{home}\g<2>import", row, count=1)
            return "".join(lines)

        yield Fix(what, wrong.path, changed)


def _bound(text: str) -> set[str]:
    """Return every name that a file gives to something."""
    tree = ast.parse(text)
    found = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


# -- what mypy proposes --------------------------------------------------------------------------------------
def _spelled(problem: Problem, said: re.Pattern[str], where: str) -> Iterator[Fix]:
    match = said.search(problem.message)
    if match is None or not differs_by_one(match["wrong"], match["right"]):
        return
    wrong = re.compile(where.format(match["wrong"]))
    yield Fix(
        f"{match['wrong']} is {match['right']}",
        problem.path,
        lambda text: _in_line(text, problem.line, wrong, match["right"]),
    )


def _await_outside(problem: Problem, project: Project) -> Iterator[Fix]:
    """Nothing is waited for in a plain function that calls a plain function."""
    tree = ast.parse(project.texts[problem.path])
    awaits = [n for n in ast.walk(tree) if isinstance(n, ast.Await) and n.lineno == problem.line]
    plain = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    if len(awaits) != 1 or not isinstance(call := awaits[0].value, ast.Call):
        return
    if isinstance(call.func, ast.Name) and call.func.id in plain:
        yield Fix(
            f"{call.func.id} is not waited for",
            problem.path,
            lambda text: _in_line(text, problem.line, _AWAIT, ""),
        )


def _in_line(text: str, line: int, old: re.Pattern[str], new: str) -> str:
    lines = text.splitlines(keepends=True)
    lines[line - 1] = old.sub(new, lines[line - 1])
    return "".join(lines)


def missing_packages(project: Project) -> set[str]:
    """Return the modules that are imported and neither the app's own nor there."""
    found = set()
    for text in (text for path, text in project.texts.items() if path.endswith(".py")):
        for node in ast.walk(ast.parse(text)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            found |= {name.split(".")[0] for name in names}
    return {
        name for name in found if not (project.is_own(name) or is_standard(name) or is_there(name))
    }
