"""What a Python server's endpoints take without looking, and whose rows they touch."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator

from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.security.python_code import (
    Function,
    PythonCode,
    annotation_names,
    called,
    endpoint_of,
    literal,
    parameters,
)
from vibedesk.engine.review.security.script_edge import (
    is_open_by_nature,
    missing_owner_message,
    owned_table_of,
    public_write_message,
    unvalidated_message,
)

_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.I)
_ADMIN = re.compile(r"admin|staff|owner|api_?key|service", re.I)
_USER = re.compile(r"(?<!Maybe)(?:User|Member|Account|Person|Admin|Staff|Agent)$|auth", re.I)
_CHECKING = frozenset({"isinstance", "model_validate", "model_validate_json", "validate_python", "validate", "parse_obj"})  # fmt: skip


def python_edge_issues(
    code: PythonCode, owned: Collection[str], *, has_accounts: bool
) -> Iterator[Issue]:
    """Yield what endpoints leave unchecked.

    Args:
        code: The module.
        owned: Tables whose rows belong to a user.
        has_accounts: Whether the app knows signed-in users at all.
    """
    for function in code.functions:
        if endpoint := endpoint_of(function):
            method, path = endpoint
            inside = list(ast.walk(function))
            writes = any(_WRITES.match(literal(node)) for node in inside)
            yield from _unchecked(code, function, inside, f"{method} {path}", writes=writes)
            if has_accounts:
                yield from _accounts(code, function, inside, endpoint, owned, writes=writes)


def _unchecked(
    code: PythonCode, function: Function, inside: list[ast.AST], endpoint: str, *, writes: bool
) -> Iterator[Issue]:
    calls = [node for node in inside if isinstance(node, ast.Call)]
    if any(called(call) in _CHECKING for call in calls):
        return
    loose = [
        argument
        for argument in parameters(function)
        if annotation_names(argument) & {"dict", "Dict", "Any"}
        and not annotation_names(argument) & {"Depends", "Request"}
    ]
    at: ast.expr | None = next(
        (
            call
            for call in calls
            if called(call) == "json"
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id in ("request", "req")
        ),
        None,
    )
    made_model = any(
        isinstance(call.func, ast.Name) and any(k.arg is None for k in call.keywords)
        for call in calls
    )
    if loose or (at is not None and not made_model):
        offset = code.offset(at if at is not None else loose[0])
        yield code.source.issue(
            offset, "unvalidated_body", "blocking" if writes else "warning", unvalidated_message(endpoint)
        )  # fmt: skip


def _accounts(
    code: PythonCode,
    function: Function,
    inside: list[ast.AST],
    endpoint: tuple[str, str],
    owned: Collection[str],
    *,
    writes: bool,
) -> Iterator[Issue]:
    method, path = endpoint
    types = {name for argument in parameters(function) for name in annotation_names(argument)}
    defaults = {
        getattr(node, "id", "") for default in function.args.defaults for node in ast.walk(default)
    }
    decorated = {
        str(getattr(node, "id", getattr(node, "attr", "")))
        for decorator in function.decorator_list
        for node in ast.walk(decorator)
    }
    known = types | defaults | decorated
    user = any(_USER.search(str(name)) for name in known)
    offset = code.offset(function)
    if not user and not any(_ADMIN.search(str(name)) for name in known):
        if writes and method != "GET" and not is_open_by_nature(path):
            yield code.source.issue(
                offset, "public_write", "warning", public_write_message(f"{method} {path}")
            )
        return
    uses_user = any(isinstance(node, ast.Name) and node.id == "user" for node in inside)
    if uses_user or any(_ADMIN.search(str(name)) for name in known):
        return
    for node in inside:
        if found := owned_table_of(literal(node), owned):
            yield code.source.issue(
                offset, "missing_owner", "warning", missing_owner_message(found[1], found[0])
            )
