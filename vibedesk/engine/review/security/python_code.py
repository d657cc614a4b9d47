"""A Python module as the rules see it: its tree, what its names stand for, and what comes from a request."""

from __future__ import annotations

import ast
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from vibedesk.base.python_syntax import parse_python
from vibedesk.engine.review.security.source_text import SourceText

_CONSTANT = re.compile(r"_*[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete", "api_route", "route"})
_REQUEST = frozenset({"request"})
_NO_TEXT = frozenset({"int", "float", "bool", "UUID", "date", "datetime", "Literal", "IntEnum"})
_PASSES_ON = frozenset({"str", "unquote", "quote", "list", "dict", "sorted", "Path", "repr"})
_DEEPEST = 6

Function = ast.FunctionDef | ast.AsyncFunctionDef


class PythonCode:
    """One module.

    Args:
        source: The file.
        tree: Its syntax tree.
    """

    def __init__(self, source: SourceText, tree: ast.Module) -> None:
        self.source = source
        self._closed: dict[int, bool] = {}
        self._allowed_names: set[str] | None = None
        self.nodes: list[ast.AST] = list(ast.walk(tree))
        self.calls: list[ast.Call] = [n for n in self.nodes if isinstance(n, ast.Call)]
        self.functions: list[Function] = [
            n for n in self.nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
        ]

    @classmethod
    def parse(cls, source: SourceText) -> PythonCode | None:
        """Return the module, or None where Python does not understand it."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return cls(source, parse_python(source.text))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def offset(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        return self._offset(node.lineno, node.col_offset)

    def _offset(self, line: int, column: int) -> int:
        start = self.source.offset(line, 1)
        # The tree counts UTF-8 bytes.
        before = self.source.text[start : start + column].encode(errors="replace")[:column]
        return start + len(before.decode(errors="ignore"))

    def snippet(self, node: ast.expr | ast.stmt) -> str:
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self.source.snippet(self.offset(node), self._offset(end_line, end_column))

    @cached_property
    def called_names(self) -> frozenset[str]:
        """The last names of all that is called."""
        return frozenset(called(call) for call in self.calls)

    @cached_property
    def values(self) -> dict[str, list[ast.expr]]:
        """What is assigned to each name of the module, wherever; scopes are not told apart."""
        found: defaultdict[str, list[ast.expr]] = defaultdict(list)
        for node in self.nodes:
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        if isinstance(target, ast.Name):
                            found[target.id].append(value)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    found[name].append(value)
                case ast.AugAssign(target=ast.Name(id=name), value=value):
                    found[name].append(value)
                case (
                    ast.For(target=ast.Name(id=name), iter=value)
                    | ast.comprehension(target=ast.Name(id=name), iter=value)
                ):
                    found[name].append(value)
                case ast.NamedExpr(target=ast.Name(id=name), value=value):
                    found[name].append(value)
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend"), args=args
                ):
                    found[name].extend(args)
                case ast.Call(func=ast.Name(id=name)) if name in self._private:
                    for argument, value in _given(self._private[name], node):
                        found[argument].append(value)
                case _:
                    pass
        return dict(found)

    @cached_property
    def _private(self) -> dict[str, Function]:
        """Functions that only this module calls."""
        return {f.name: f for f in self.functions if f.name.startswith("_")}

    @property
    def _allowed(self) -> set[str]:
        """Names that are looked up among known words somewhere, as in `if sort not in COLUMNS`."""
        if self._allowed_names is None:
            self._allowed_names = set()  # asked again while it is found out
            found = {
                node.left.id
                for node in self.nodes
                if isinstance(node, ast.Compare)
                and isinstance(node.left, ast.Name)
                and isinstance(node.ops[0], ast.In | ast.NotIn)
                and self.is_closed(node.comparators[0])
            }
            self._closed.clear()
            self._allowed_names = found
        return self._allowed_names

    @cached_property
    def sent(self) -> set[str]:
        """Names of what a request brings: the text parameters of endpoints, and what is made of them."""
        found = {
            argument.arg
            for function in self.functions
            if endpoint_of(function)
            for argument in parameters(function)
            if _is_text(argument)
        }
        for _ in range(3):
            more = {
                name
                for name, values in self.values.items()
                if any(self._mentions(value, found) for value in values)
            }
            if more <= found:
                break
            found |= more
        return found

    def is_from_request(self, node: ast.expr) -> bool:
        return self._mentions(node, self.sent)

    @staticmethod
    def _mentions(node: ast.expr, known: set[str]) -> bool:
        todo: list[ast.AST] = [node]
        while todo:
            at = todo.pop()
            if isinstance(at, ast.Name) and (at.id in known or at.id in _REQUEST):
                return True
            if isinstance(at, ast.Call) and isinstance(at.func, ast.Name):
                # What a function finds by a value is not that value.
                todo += at.args if at.func.id in _PASSES_ON else []
            elif isinstance(at, ast.IfExp):
                todo += [at.body, at.orelse]
            elif isinstance(at, ast.Compare):
                pass
            elif isinstance(at, ast.Call) and isinstance(at.func, ast.Attribute):
                joins = at.func.attr in ("join", "format", "replace", "joinpath")
                todo += [at.func.value, *(at.args if joins else [])]
            else:
                todo += ast.iter_child_nodes(at)
        return False

    def is_closed(self, node: ast.AST, depth: int = 0) -> bool:
        """Whether an expression can only be a number or what the code itself says."""
        if depth > _DEEPEST:
            return False
        if id(node) not in self._closed:
            self._closed[id(node)] = True  # what refers to itself adds nothing
            self._closed[id(node)] = self._is_closed(node, depth + 1)
        return self._closed[id(node)]

    def _is_closed(self, node: ast.AST, depth: int) -> bool:
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                values = self.values.get(name, [])
                return bool(_CONSTANT.fullmatch(name) or name in self._allowed) or (
                    bool(values) and all(self.is_closed(value, depth) for value in values)
                )
            case ast.Attribute(attr=name):
                return bool(_CONSTANT.fullmatch(name))
            case ast.FormattedValue(value=value, format_spec=spec):
                return _is_numeric_format(spec) or self.is_closed(value, depth)
            case ast.Call():
                return self._call_is_closed(node, depth)
        parts = _parts_of(node)
        return parts is not None and all(self.is_closed(part, depth) for part in parts)

    def _call_is_closed(self, node: ast.Call, depth: int) -> bool:
        if called(node) in ("int", "len", "float", "sum", "max", "min", "round", "bool"):
            return True
        match node.func:
            case ast.Attribute(value=value, attr="join"):
                return all(self.is_closed(argument, depth) for argument in [value, *node.args])
            case ast.Attribute(value=value, attr="get") if isinstance(value, ast.Name | ast.Dict):
                return self.is_closed(value, depth) and all(
                    self.is_closed(argument, depth) for argument in node.args[1:]
                )
            case ast.Attribute(value=value, attr="strip" | "lower" | "upper" | "format"):
                return self.is_closed(value, depth) and all(
                    self.is_closed(argument, depth) for argument in node.args
                )
        return False

    def is_typed_closed(self, node: ast.AST) -> bool:
        """Whether a name is a parameter that holds a number, or one of some words."""
        if not isinstance(node, ast.Name):
            return False
        found = [
            argument
            for function in self.functions
            for argument in parameters(function)
            if argument.arg == node.id
        ]
        return bool(found) and all(a.annotation is not None and not _is_text(a) for a in found)


def _given(function: Function, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Yield which parameter gets what."""
    names = [argument.arg for argument in parameters(function)]
    yield from zip(names, call.args, strict=False)
    for given in call.keywords:
        if given.arg in names:
            yield str(given.arg), given.value


def _parts_of(node: ast.AST) -> list[ast.expr] | None:
    """Return what an expression's text is made of; None where that is not known."""
    match node:
        case ast.IfExp(body=left, orelse=right) | ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.JoinedStr(values=parts) | ast.Dict(values=parts):
            return parts
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return parts
        case ast.Subscript(value=part) | ast.GeneratorExp(elt=part) | ast.ListComp(elt=part):
            return [part]
    return None


def _is_numeric_format(spec: ast.expr | None) -> bool:
    return spec is not None and any(
        isinstance(part, ast.Constant) and re.search(r"[dfn]$", str(part.value))
        for part in ast.walk(spec)
    )


def parameters(function: Function) -> Iterator[ast.arg]:
    """Yield a function's named parameters."""
    yield from (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)


def called(node: ast.Call) -> str:
    """Return the last name of what is called: `loads` of `pickle.loads(…)`."""
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def receiver(node: ast.Call) -> str:
    """Return the name before the dot: `pickle` of `pickle.loads(…)`."""
    match node.func:
        case ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name
    return ""


def keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in node.keywords if k.arg == name), None)


def is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def literal(node: ast.AST | None) -> str:
    """Return a literal text; empty for all else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def endpoint_of(function: Function) -> tuple[str, str] | None:
    """Return method and path of the endpoint that a function is, by its decorator."""
    for decorator in function.decorator_list:
        if (
            isinstance(decorator, ast.Call)
            and called(decorator) in _METHODS
            and receiver(decorator)
        ):
            path = literal(decorator.args[0]) if decorator.args else ""
            return called(decorator).upper(), path or "/"
    return None


def annotation_names(argument: ast.arg) -> set[str]:
    """Return the names in a parameter's type."""
    if argument.annotation is None:
        return set()
    return {
        inner.id if isinstance(inner, ast.Name) else str(getattr(inner, "attr", ""))
        for inner in ast.walk(argument.annotation)
        if isinstance(inner, ast.Name | ast.Attribute)
    }


def _is_text(argument: ast.arg) -> bool:
    """Whether a parameter may hold any text."""
    names = annotation_names(argument)
    return not names or ("str" in names and not names & _NO_TEXT)
