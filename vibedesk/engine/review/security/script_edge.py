"""What a server's handlers take from requests without looking, and whose rows they touch."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.security.script import Script, Span

_ENDPOINT = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)")
_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.I)
_CHECKING = re.compile(
    r"schema|valid|parse(?!Int|Float)|^check|assert|zod|^typeof$|^isArray$|^instanceof$|^readBody$",
    re.I,
)
_OPEN_BY_NATURE = re.compile(
    r"sign|log-?in|log-?out|register|auth|session|password|verify|webhook|health|track|subscribe|contact",
    re.I,
)
_OWNED = re.compile(r"\s*(?:SELECT\b.*?\bFROM|DELETE\s+FROM|UPDATE)\s+[\"`\[]?(\w+)", re.I | re.S)
_TABLE = re.compile(
    r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?[\"`\[]?(\w+)[\"`\]]?\s*\(([^;]*)", re.I
)
_ADDED = re.compile(r"ALTER\s+TABLE\s+[\"`\[]?(\w+)[\"`\]]?\s+ADD\s+(?:COLUMN\s+)?user_id\b", re.I)
_NOT_OWNED = frozenset({"sessions", "users", "accounts"})


@dataclass(frozen=True, slots=True)
class _Handler:
    method: str
    path: str
    at: int
    span: Span
    access: str = ""


def owned_tables(texts: Collection[str]) -> set[str]:
    """Return the tables with a column `user_id`, from the statements that make them."""
    found: set[str] = set()
    for text in texts:
        if "user_id" in text:
            found.update(m[1].lower() for m in _TABLE.finditer(text) if "user_id" in m[2])
            found.update(m[1].lower() for m in _ADDED.finditer(text))
    return found - _NOT_OWNED


def missing_owner_message(table: str, verb: str) -> str:
    return (
        f"This {verb} finds rows of {table} without asking whose they are, though the table has user_id: "
        "people may reach each other's data by guessing an id. Add `AND user_id = ?`, or check the owner first."
    )


def public_write_message(endpoint: str) -> str:
    return (
        f"{endpoint} writes to the database for anyone, without an account. "
        "If that is not meant, ask for a signed-in user; if it is, limit how often."
    )


def unvalidated_message(endpoint: str) -> str:
    return (
        f"{endpoint} uses what was sent without checking its form: missing fields, huge texts and wrong types "
        "reach the code behind it. Check it with a schema first."
    )


def owned_table_of(sql: str, owned: Collection[str]) -> tuple[str, str] | None:
    """Return verb and table of a statement on an owned table that does not ask for the owner."""
    found = _OWNED.match(sql)
    if not found or found[1].lower() not in owned or "user_id" in sql:
        return None
    return sql.split(None, 1)[0].upper(), found[1]


def is_open_by_nature(path: str) -> bool:
    """Whether strangers are meant to call it, as for signing in."""
    return _OPEN_BY_NATURE.search(path) is not None


def edge_issues(script: Script, owned: Collection[str]) -> list[Issue]:
    """Return what handlers leave unchecked."""
    if script.source.in_browser:
        return []
    found: list[Issue] = []
    for handler in _handlers(script):
        found.extend(_unchecked(script, handler))
        found.extend(_public_writes(script, handler))
        found.extend(_others_rows(script, handler, owned))
    return found


def _handlers(script: Script) -> Iterator[_Handler]:
    for i, inside in script.calls("route"):
        endpoint = script.tokens[inside[0]]
        if endpoint.kind == "string" and (said := _ENDPOINT.fullmatch(endpoint.text)):
            yield _Handler(said[1], said[2], i, inside, _access(script, inside))
    for i, inside in script.calls("get", "post", "put", "patch", "delete"):
        first = script.tokens[inside[0]] if inside[0] < inside[1] else None
        if first is None or script.text(i - 1) != "." or first.kind != "string":
            continue
        handles = any(script.text(at) in ("=>", "function") for at in range(*inside))
        if first.text.startswith("/") and handles:
            yield _Handler(script.text(i).upper(), first.text, i, inside)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for i in script.positions(method):
            body = script.closed_by.get(i + 1, i) + 1
            if script.text(i - 1) == "function" and (end := _body_end(script, body)):
                yield _Handler(method, f"in {script.source.path}", i, (i + 1, end))


def _body_end(script: Script, at: int) -> int | None:
    for i in range(at, at + 12):
        if script.text(i) == "{":
            return script.closed_by.get(i)
    return None


def _access(script: Script, span: Span) -> str:
    for i in range(*span):
        if script.text(i) == "access" and script.kind(i + 2) == "string":
            return script.tokens[i + 2].text
    return ""


def _unchecked(script: Script, handler: _Handler) -> Iterator[Issue]:
    names = script.names(handler.span)
    if handler.method in ("GET", "DELETE") or any(_CHECKING.search(name) for name in names):
        return
    for i in range(*handler.span):
        sent = script.text(i)
        given = (
            (sent == "json" and script.text(i + 1) == "(" and script.text(i - 2) in ("req", "request"))
            or (sent == "parseBody" and script.text(i - 2) == "req")
            or (sent == "body" and script.text(i - 2) in ("req", "request") and script.text(i - 1) == ".")
        )  # fmt: skip
        bare = (
            sent == "body"
            and handler.access
            and script.text(i - 1) != "."
            and not _is_taken_apart(script, i)
        )
        if given or (bare and not _declares_body(script, handler.span)):
            writes = any(_is_write(script, at) for at in range(*handler.span))
            yield script.source.issue(
                script.tokens[i].start,
                "unvalidated_body",
                "blocking" if writes else "warning",
                unvalidated_message(f"{handler.method} {handler.path}"),
            )
            return


def _declares_body(script: Script, span: Span) -> bool:
    """Whether an endpoint's definition names a schema of its body."""
    arguments = script.arguments(span)
    if len(arguments) < 2 or script.text(arguments[1][0]) != "{":
        return True
    end = script.closed_by.get(arguments[1][0], 0)
    return any(
        script.text(start) == "body" for start, _ in script.arguments((arguments[1][0] + 1, end))
    )


def _is_write(script: Script, i: int) -> bool:
    return script.kind(i) in ("string", "head") and bool(_WRITES.match(script.tokens[i].text))


def _public_writes(script: Script, handler: _Handler) -> Iterator[Issue]:
    if handler.access != "public" or handler.method == "GET" or is_open_by_nature(handler.path):
        return
    if any(_is_write(script, i) for i in range(*handler.span)):
        yield script.source.issue(
            script.tokens[handler.at].start,
            "public_write",
            "warning",
            public_write_message(f"{handler.method} {handler.path}"),
        )


def _others_rows(script: Script, handler: _Handler, owned: Collection[str]) -> Iterator[Issue]:
    if handler.access != "user":
        return
    uses_user = any(
        script.text(i) == "user" and not _is_taken_apart(script, i) for i in range(*handler.span)
    )
    if uses_user:
        return
    for i in range(*handler.span):
        if script.kind(i) not in ("string", "head"):
            continue
        sql = " ".join(script.tokens[at].text for at in script.pieces.get(i, [i]))
        if found := owned_table_of(sql, owned):
            yield script.source.issue(
                script.tokens[i].start,
                "missing_owner",
                "warning",
                missing_owner_message(found[1], found[0]),
            )


def _is_taken_apart(script: Script, i: int) -> bool:
    """Whether the name only stands in `({ db, user }) =>`."""
    return script.text(i - 1) in ("{", ",") and script.text(i + 1) in ("}", ",") and any(
        script.text(at) == "}" and script.text(at + 1) == ")" for at in range(i, i + 16)
    )  # fmt: skip
