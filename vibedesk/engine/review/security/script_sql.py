"""SQL that a script puts together from values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from vibedesk.engine.review.issues import Issue, Severity
from vibedesk.engine.review.security.script import Script, Span
from vibedesk.engine.review.security.script_sinks import operands

_VERB = (
    r"(?:SELECT\b(?=[\s\S]*\bFROM\b|\s*$|[^a-z]*$)|INSERT\s+(?:OR\s+\w+\s+)?INTO\b|REPLACE\s+INTO\b|"
    r"UPDATE\s+(?:\S+\s+SET\b|$)|DELETE\s+FROM\b|WITH\s+(?:RECURSIVE\s+)?\w+\s+AS\b)"
)
_SQL = re.compile(r"\s*" + _VERB)
_SQL_IN_CALL = re.compile(r"\s*" + _VERB, re.I)
_MORE_SQL = re.compile(r"\s+(?:WHERE|AND|OR|ORDER BY|LIMIT|SET|HAVING)\s")
_RUNS = frozenset(
    {"prepare", "exec", "all", "get", "run", "query", "execute", "each", "raw", "iterate", "unsafe"}
    | {"$queryRawUnsafe", "$executeRawUnsafe", "executemany"}
)
_VALUE_BEFORE = re.compile(
    r"(?:=|<|>|\bLIKE|\bGLOB|\bIN\s*\(|\bLIMIT|\bOFFSET|\bBETWEEN)\s*$", re.I
)
_VALUES = re.compile(r"\bVALUES\s*\(", re.I)

ADVICE = "Write `?` in the SQL and give the value as an argument."


def is_value_place(before: str) -> bool:
    """Whether a value stands behind this beginning of a statement, rather than a name or a part of SQL."""
    quoted = before.count("'") % 2 == 1
    return quoted or bool(_VALUE_BEFORE.search(before) or _VALUES.search(before))


def looks_like_sql(text: str, *, in_call: bool = False) -> bool:
    """Whether a literal begins a statement; `in_call` where a database is given it."""
    return bool((_SQL_IN_CALL if in_call else _SQL).match(text))


def sql_issues(script: Script, closed_fields: Collection[str]) -> Iterator[Issue]:
    """Yield the statements that values are written into.

    Args:
        script: The script.
        closed_fields: Names of fields that a schema lets have only known values.
    """
    asks = any(token.kind == "name" and token.text in _RUNS for token in script.tokens)
    for i, token in enumerate(script.tokens):
        if script.text(i - 1) == "+" and script.kind(i - 2) in ("string", "tail"):
            continue  # a part of the statement before it
        if token.kind == "head" and not script.is_tagged(i):
            whole = " ".join(script.tokens[at].text for at in script.pieces[i])
        elif token.kind == "string" and script.text(i + 1) == "+":
            whole = token.text
        else:
            continue
        in_call = script.text(i - 1) == "(" and script.text(i - 2) in _RUNS
        more = asks and script.text(i - 1) == "+=" and _MORE_SQL.match(whole)
        if not more and not looks_like_sql(whole, in_call=in_call):
            continue
        worst: tuple[Severity, Span] | None = None
        for before, span in _parts(script, i):
            severity = _danger(script, before, span, closed_fields)
            if severity and (worst is None or severity == "critical"):
                worst = (severity, span)
        if worst:
            yield _issue(script, i, *worst)


def _issue(script: Script, i: int, severity: Severity, span: Span) -> Issue:
    said = script.snippet(span)
    if severity == "critical":
        message = f"`{said}` is written into the SQL text. Whoever chooses it can read or delete every row. {ADVICE}"
    else:
        message = (
            f"`{said}` is written into the SQL text. If it ever comes from a request, every row is open. "
            "Choose it from a fixed list in the code."
        )
    return script.source.issue(script.tokens[i].start, "sql_injection", severity, message)


def _parts(script: Script, i: int) -> Iterator[tuple[str, Span]]:
    """Yield each value in a statement with the text before it."""
    before = ""
    start = i
    for part in operands(script, script.expression(start)):
        first = script.tokens[part[0]]
        if first.kind == "string" and part[1] - part[0] == 1:
            before += first.text
        elif first.kind == "head":
            for piece, hole in script.holes(part[0]):
                before += piece
                yield before, hole
                before += "?"
            before += script.tokens[script.pieces[part[0]][-1]].text
        else:
            yield before, part
            before += "?"


def _danger(
    script: Script, before: str, span: Span, closed_fields: Collection[str]
) -> Severity | None:
    names = script.names(span)
    if not names or script.is_closed(span) or names[-1] in closed_fields:
        return None
    if script.is_from_request(span):
        return "critical"
    call = script.text(span[1] - 1) == ")"
    return "critical" if is_value_place(before) and not call else "warning"
