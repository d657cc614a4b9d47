"""The face of the security review: the project's texts, and its packages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pathspec import GitIgnoreSpec

from vibedesk.engine.builder.templates import Template
from vibedesk.engine.review.checkers import Run
from vibedesk.engine.review.issues import Issue, deduplicated
from vibedesk.engine.review.security.markup_rules import markup_issues, scripts_of, tag_issues
from vibedesk.engine.review.security.packages import audit_packages
from vibedesk.engine.review.security.python_code import PythonCode
from vibedesk.engine.review.security.python_edge import python_edge_issues
from vibedesk.engine.review.security.python_rules import python_issues
from vibedesk.engine.review.security.python_sql import python_sql_issues
from vibedesk.engine.review.security.script import Script
from vibedesk.engine.review.security.script_edge import edge_issues, owned_tables
from vibedesk.engine.review.security.script_sinks import sink_issues
from vibedesk.engine.review.security.script_sql import sql_issues
from vibedesk.engine.review.security.script_web import web_issues
from vibedesk.engine.review.security.secret_rules import secret_issues
from vibedesk.engine.review.security.source_text import SourceText

_LARGEST = 200_000
"""Characters of a file whose code is looked at; larger ones are made by machines."""
_NOT_LOOKED_AT = re.compile(
    r"(?:^|/)(?:node_modules|\.venv|dist|build|\.git|vendor)/|\.min\.\w+$|\.lock$"
    r"|(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|bun\.lockb?|go\.sum)$|\.map$"
)
_SCRIPTS = (".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs")
_COMPONENTS = (".vue", ".svelte")
_PAGES = (".html", ".htm", ".jinja", ".j2")
_SERVER = re.compile(r"(?:^|/)(?:server|api|backend|scripts|functions|workers?)/|\.server\.\w+$")
_CLIENT = re.compile(r"(?:^|/)(?:public|static|client|frontend|page|browser|assets)/")
_CONFIG = re.compile(r"(?:^|/)[\w.-]+\.config\.\w+$|^[\w.-]+\.json$|(?:^|/)\.env")
_CLOSED_FIELD = re.compile(
    r"\b(\w+)\s*:\s*z\s*\.\s*(?:enum|nativeEnum|literal|union\(\s*\[\s*z\.literal)\b"
)
_ACCOUNTS = re.compile(r"\b(?:CurrentUser|current_user|get_current_user|login_required)\b")


def security_issues(texts: Mapping[str, str], template: Template) -> list[Issue]:
    """Return what the project's texts give away or leave open, the gravest first.

    Args:
        texts: What files hold, by project path.
        template: The starter, which says what runs in the browser.
    """
    ignored = _ignored(texts)
    owned = owned_tables(texts.values())
    closed_fields = {m[1] for text in texts.values() for m in _CLOSED_FIELD.finditer(text)}
    has_accounts = any(
        _ACCOUNTS.search(text) for path, text in texts.items() if path.endswith(".py")
    )
    found: list[Issue] = []
    for path, text in texts.items():
        if _NOT_LOOKED_AT.search(path):
            continue
        source = SourceText(path, text, in_browser=runs_in_browser(path, texts, template))
        found += secret_issues(source, committed=not ignored.match_file(path))
        if len(text) > _LARGEST or source.is_test:
            continue
        if path.endswith(_SCRIPTS):
            script = Script(source)
            found += _script_issues(script, owned, closed_fields)
            if path.endswith(("x", ".js")):
                found += tag_issues(source, script.without_comments())
        elif path.endswith(_COMPONENTS + _PAGES):
            script = Script(source, scripts_of(text))
            found += _script_issues(script, owned, closed_fields)
            found += markup_issues(source, script)
        elif path.endswith(".py") and (code := PythonCode.parse(source)):
            found += [*python_issues(code), *python_sql_issues(code)]
            found += python_edge_issues(code, owned, has_accounts=has_accounts)
    return deduplicated(found)


async def audit(run: Run, template: Template, texts: Mapping[str, str]) -> list[Issue]:
    """Return the app's packages with known holes; a warning where the list cannot be reached."""
    return await audit_packages(run, template, texts)


def runs_in_browser(path: str, texts: Iterable[str], template: Template) -> bool:
    """Whether people who open the app get this file, or what is built of it.

    Args:
        path: The file's project path.
        texts: The project's paths.
        template: The starter.
    """
    if _SERVER.search(path) or _CONFIG.search(path) or path.endswith((".py", ".md", ".sql")):
        return False
    if _CLIENT.search(path) or path.endswith(_COMPONENTS + _PAGES + (".tsx", ".jsx")):
        return True
    bundled = any(name.startswith("vite") for name in template.frameworks) or any(
        other.startswith("vite.config.") for other in texts
    )
    return path.startswith(("src/", "shared/")) if bundled else path.startswith("shared/")


def _script_issues(script: Script, owned: set[str], closed_fields: set[str]) -> list[Issue]:
    return [
        *sink_issues(script),
        *sql_issues(script, closed_fields),
        *web_issues(script),
        *edge_issues(script, owned),
    ]


def _ignored(texts: Mapping[str, str]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(texts.get(".gitignore", "").splitlines())
    except ValueError:
        return GitIgnoreSpec.from_lines([])
