"""The names that a module has, as far as its text tells."""

from __future__ import annotations

import ast
from typing import NamedTuple

_AT_RUN_TIME = frozenset({"exec", "globals", "vars"})
_OF_EVERY_MODULE = frozenset(
    {"__doc__", "__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__"}
)


class Bindings(NamedTuple):
    """`defined` are functions, classes and values of its own, `bound` all that can be taken from it.

    `stars` are imports of everything; where `is_open`, it has names besides that its text does not tell.
    """

    defined: set[str]
    bound: set[str]
    stars: list[ast.ImportFrom]
    is_open: bool


def bindings(tree: ast.Module) -> Bindings:
    collector = _Collector()
    collector.visit(tree)
    everywhere = list(ast.walk(tree))
    for node in everywhere:
        if isinstance(node, ast.Global):
            collector.bound.update(node.names)
    bound = collector.bound | collector.defined
    is_open = "__getattr__" in bound or any(map(_makes_names, everywhere))
    return Bindings(collector.defined, bound | _OF_EVERY_MODULE, collector.stars, is_open)


def stored(node: ast.AST) -> set[str]:
    """Return the names that an assignment to this gives a value."""
    return {
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }


def _makes_names(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in _AT_RUN_TIME
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.modules"


class _Collector(ast.NodeVisitor):
    """Goes through a module's statements at every depth, but into no other scope than its own."""

    def __init__(self) -> None:
        self.defined: set[str] = set()
        self.bound: set[str] = set()
        self.stars: list[ast.ImportFrom] = []

    def _named(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.defined.add(node.name)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _named  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.defined |= stored(target)
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.defined |= stored(node.target)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        self.bound |= stored(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.bound |= {(each.asname or each.name).split(".")[0] for each in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        names = {each.asname or each.name for each in node.names}
        if "*" in names:
            self.stars.append(node)
        self.bound |= names - {"*"}

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.bound |= {node.name} if node.name else set()
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs  # noqa: N815

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.bound |= {node.rest} if node.rest else set()
        self.generic_visit(node)
