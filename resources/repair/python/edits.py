"""Edits of a file's text, and what none of them may do: lose a comment or silence an error."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter

_SILENCERS = re.compile(
    r"\bAny\b|type: ignore|noqa|\bcast\(|NotImplementedError|^\s*(?:pass|\.\.\.)$", re.M
)


def is_allowed(before: str, after: str) -> bool:
    lost = comments(before)
    lost.subtract(comments(after))
    return not any(count > 0 for count in lost.values()) and (
        len(_SILENCERS.findall(after)) <= len(_SILENCERS.findall(before))
    )


def comments(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found[token.string.strip()] += 1
    except (tokenize.TokenError, SyntaxError):
        pass  # as far as it can be read
    return found


def with_import(text: str, line: str) -> str:
    """Put an import into one from the same module, else after the last one of the head of a file."""
    lines = text.splitlines(keepends=True)
    tree = ast.parse(text)
    wanted = ast.parse(line).body[0]
    for node in tree.body:
        if (
            isinstance(node, ast.ImportFrom)
            and isinstance(wanted, ast.ImportFrom)
            and node.module == wanted.module
        ):
            row = lines[node.lineno - 1].encode()
            if node.lineno == node.end_lineno and not node.level and b"(" not in row:
                end = node.end_col_offset or 0
                added = f", {wanted.names[0].name}".encode()
                lines[node.lineno - 1] = (row[:end] + added + row[end:]).decode()
                return "".join(lines)
    at, alone = 0, True
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            at, alone = node.end_lineno or at, False
        elif at == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            at = node.end_lineno or 0
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            break
    end = "\r\n" if "\r\n" in text else "\n"
    lines.insert(at, (end if at and alone else "") + line + end)
    return "".join(lines)


def renamed(text: str, old: str, new: str) -> str:
    """Give a name of a file, which an import brings, another one wherever it stands for it."""
    places = [
        (node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Name) and node.id == old)
        or (isinstance(node, ast.alias) and node.name == old and not node.asname)
    ]
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    for line, column in sorted(places, reverse=True):
        row = lines[line - 1]
        lines[line - 1] = row[:column] + new.encode() + row[column + len(old.encode()) :]
    return b"".join(lines).decode()


def differs_by_one(one: str, other: str) -> bool:
    """Whether two names differ by a letter: another one, one more, or two that changed places."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    short, long = sorted((one, other), key=len)
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped
