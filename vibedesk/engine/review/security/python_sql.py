"""SQL that Python puts together from values."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from vibedesk.engine.review.issues import Issue, Severity
from vibedesk.engine.review.security.python_code import PythonCode, called, literal
from vibedesk.engine.review.security.script_sql import ADVICE, is_value_place, looks_like_sql

_RUNS_SQL = frozenset({"execute", "executemany", "executescript", "text", "fetch_all", "fetch_one"})


def python_sql_issues(code: PythonCode) -> Iterator[Issue]:
    """Yield the statements that values are written into."""
    in_calls = {id(call.args[0]) for call in code.calls if called(call) in _RUNS_SQL and call.args}
    inner: set[int] = set()
    for node in code.nodes:
        if id(node) in inner or not isinstance(node, ast.JoinedStr | ast.BinOp | ast.Call):
            continue
        parts = list(_parts(node))
        if isinstance(node, ast.BinOp):
            inner.update(id(n) for n in _chain(node))
        text = "".join(part if isinstance(part, str) else "?" for part in parts)
        if not any(not isinstance(part, str) for part in parts):
            continue
        if looks_like_sql(text, in_call=id(node) in in_calls):
            yield from _statement(code, node, parts)


def _statement(code: PythonCode, node: ast.expr, parts: list[str | ast.expr]) -> Iterator[Issue]:
    before = ""
    worst: tuple[Severity, ast.expr] | None = None
    for part in parts:
        if isinstance(part, str):
            before = (before + part)[-4000:]
            continue
        severity = _danger(code, before, part)
        if severity and (worst is None or severity == "critical"):
            worst = severity, part
        before += "?"
    if worst is None:
        return
    severity, part = worst
    said = code.snippet(part)
    if severity == "critical":
        message = f"`{said}` is written into the SQL text. Whoever chooses it can read or delete every row. {ADVICE}"
    else:
        message = (
            f"`{said}` is written into the SQL text. If it ever comes from a request, every row is open. "
            "Choose it from a fixed list in the code."
        )
    yield code.source.issue(code.offset(node), "sql_injection", severity, message)


def _danger(code: PythonCode, before: str, part: ast.expr) -> Severity | None:
    if code.is_closed(part) or code.is_typed_closed(part):
        return None
    if code.is_from_request(part):
        return "critical"
    return "critical" if is_value_place(before) and not isinstance(part, ast.Call) else "warning"


def _chain(node: ast.BinOp) -> Iterator[ast.BinOp]:
    """Yield the sums that one long sum is made of, the outermost first."""
    at: ast.expr = node
    while isinstance(at, ast.BinOp):
        yield at
        at = at.left


def _parts(node: ast.expr) -> Iterator[str | ast.expr]:
    match node:
        case ast.JoinedStr(values=values):
            for value in values:
                if isinstance(value, ast.FormattedValue):
                    yield value.value
                else:
                    yield literal(value)
        case ast.BinOp(op=ast.Add()):
            pieces: list[ast.expr] = []
            at: ast.expr = node
            while isinstance(at, ast.BinOp) and isinstance(at.op, ast.Add):
                pieces.append(at.right)
                at = at.left
            for piece in [at, *reversed(pieces)]:
                if isinstance(piece, ast.JoinedStr):
                    yield from _parts(piece)
                else:
                    yield literal(piece) or piece
        case ast.BinOp(left=ast.Constant(value=str() as said), op=ast.Mod(), right=right):
            values = right.elts if isinstance(right, ast.Tuple) else [right]
            yield from _filled(re.split(r"%[sdr]", said), values)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as said), attr="format")):
            values = [*node.args, *(k.value for k in node.keywords)]
            yield from _filled(re.split(r"\{[^}]{0,60}\}", said), values)
        case _:
            pass


def _filled(pieces: list[str], values: list[ast.expr]) -> Iterator[str | ast.expr]:
    for i, piece in enumerate(pieces):
        yield piece
        if i < len(pieces) - 1 and values:
            yield values[min(i, len(values) - 1)]
