"""What a script does with values that it should not: markup, code, commands, paths, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vibedesk.engine.review.issues import Issue, Severity
from vibedesk.engine.review.security.script import Script, Span

_CLEANING = re.compile(r"escap|saniti[sz]|purif|encode|^esc$|^stringify$", re.I)
_NUMERIC = re.compile(
    r"(?:^|_)(?:i|j|n|x|y|id|key)$|(?:index|count|width|height|size|length|total|percent|year|month|day|number|radius)$",
    re.I,
)
_MAKES_MARKUP = re.compile(r"^(?:render|icon|svg|html|template|view|draw|format)", re.I)
_TYPED = frozenset({"value", "search", "hash", "searchParams"})
_LOCAL = re.compile(
    r"^http://(?:localhost|127\.|0\.0\.0\.0|\[::1\]|[\w.-]+\.(?:local|test|internal)\b|\$)"
)
_MARKUP = re.compile(r"<[a-z/!]", re.I)
_MOST_VALUES = 8

XSS_ADVICE = (
    "If that text comes from people, it can run code in every visitor's page. "
    "Set textContent, or escape the values first."
)


def sink_issues(script: Script) -> list[Issue]:
    """Return the dangerous uses of values in a script."""
    found = [
        *_markup(script),
        *_evaluated(script),
        *_commands(script),
        *_paths(script),
        *_redirects(script),
        *_plain_http(script),
    ]
    return list(found)


# -- markup -----------------------------------------------------------------------------------------------------


def _markup(script: Script) -> Iterator[Issue]:
    for name in ("innerHTML", "outerHTML"):
        for i in script.positions(name):
            if script.text(i + 1) in ("=", "+=") and script.text(i - 1) in (".", "?."):
                yield from _markup_issue(script, i, name, script.expression(i + 2))
    for i, inside in script.calls("insertAdjacentHTML"):
        if len(arguments := script.arguments(inside)) > 1:
            yield from _markup_issue(script, i, "insertAdjacentHTML", arguments[1])
    for i, inside in script.calls("write", "writeln"):
        if script.text(i - 2) == "document":
            yield from _markup_issue(script, i, "document.write", inside)
    for i in script.positions("__html"):
        if script.text(i + 1) == ":":
            span = script.expression(i + 2)
            severity = markup_danger(script, span, unknown="blocking")
            if severity:
                yield _markup_found(script, i, "dangerouslySetInnerHTML", span, severity)


def _markup_issue(script: Script, i: int, sink: str, span: Span) -> Iterator[Issue]:
    if severity := markup_danger(script, span, unknown="warning"):
        yield _markup_found(script, i, sink, span, severity)


def _markup_found(script: Script, i: int, sink: str, span: Span, severity: Severity) -> Issue:
    return script.source.issue(
        script.tokens[i].start,
        "html_injection",
        severity,
        f"`{sink}` puts `{script.snippet(span)}` into the page as markup. {XSS_ADVICE}",
    )


def markup_danger(
    script: Script, span: Span, *, unknown: Severity, depth: int = 0
) -> Severity | None:
    """Return how bad it is to use an expression as markup; None where it is safe."""
    names = script.names((span[0], min(span[1], span[0] + 400)))
    if not names or any(_CLEANING.search(name) for name in names):
        return None
    heads = [i for i in range(*span) if i in script.pieces and not _is_html_tag(script, i)]
    if heads:
        return _gravest(_hole_danger(script, hole) for i in heads for _, hole in script.holes(i))
    if any(i in script.pieces for i in range(*span)) or script.is_closed(span):
        return None
    if "+" in [script.text(i) for i in range(*span)] and any(
        _MARKUP.search(t.text) for t in script.tokens[span[0] : span[1]] if t.kind == "string"
    ):
        return _gravest(_hole_danger(script, part) for part in operands(script, span))
    if span[1] - span[0] == 1 and depth < 2 and (values := script.values.get(names[0])):
        return _gravest(
            markup_danger(script, value, unknown=unknown, depth=depth + 1)
            for value in values[:_MOST_VALUES]
        )
    if any(name in _TYPED for name in names) or script.is_from_request(span):
        return "blocking"
    return None if script.escapes_markup else unknown


def _hole_danger(script: Script, span: Span) -> Severity | None:
    names = script.names(span)
    if not names or any(_CLEANING.search(name) for name in names):
        return None
    nested = [i for i in range(*span) if i in script.pieces and not _is_html_tag(script, i)]
    if nested:  # their own holes are looked at on their own
        return None
    if script.is_closed(span) or _NUMERIC.search(names[-1]) or _is_html_tag(script, span[0] + 1):
        return None
    if script.text(span[0] + 1) == "(" or "=>" in [script.text(i) for i in range(*span)]:
        return None if _MAKES_MARKUP.search(names[0]) else "warning"
    if script.escapes_markup:
        return None
    if span[1] - span[0] == 1 and (values := script.values.get(names[0])):
        return _gravest(
            markup_danger(script, value, unknown="blocking", depth=2) for value in values
        )
    return "warning" if script.text(span[1] - 1) == ")" else "blocking"


def _is_html_tag(script: Script, i: int) -> bool:
    return script.is_tagged(i) and script.text(i - 1) in ("html", "svg", "css", "sql")


def operands(script: Script, span: Span) -> list[Span]:
    """Return what `+` joins."""
    found, start, at = [], span[0], span[0]
    while at < span[1]:
        if script.text(at) == "+":
            found.append((start, at))
            start = at + 1
        at = script.closed_by.get(at, at) + 1
    return [part for part in [*found, (start, span[1])] if part[0] < part[1]]


def _gravest(found: Iterator[Severity | None]) -> Severity | None:
    severities = set(found)
    return "blocking" if "blocking" in severities else ("warning" if severities - {None} else None)


# -- code and commands ------------------------------------------------------------------------------------------


def _evaluated(script: Script) -> Iterator[Issue]:
    for i, inside in script.calls("eval", "Function"):
        before = script.text(i - 1)
        if script.text(i) == "Function" and before != "new":
            continue
        if before == "." and script.text(i - 2) not in ("window", "globalThis", "self"):
            continue
        if script.text(script.closed_by[inside[0] - 1] + 1) == "{":
            continue  # a method of that name
        literal = not script.names(inside)
        yield script.source.issue(
            script.tokens[i].start,
            "code_injection",
            "warning" if literal else "blocking",
            f"`{script.text(i)}` runs `{script.snippet(inside)}` as code. Whoever can change that text can do "
            "whatever the app can. Parse it, or look it up among the cases you know.",
        )
    for i, inside in script.calls("setTimeout", "setInterval"):
        arguments = script.arguments(inside)
        first = arguments[0] if arguments else (0, 0)
        if script.kind(first[0]) in ("string", "head") and script.text(i - 1) != ".":
            yield script.source.issue(
                script.tokens[i].start,
                "code_injection",
                "warning" if not script.names(first) else "blocking",
                f"`{script.text(i)}` gets text and runs it as code: `{script.snippet(first)}`. Give it a function.",
            )


def _commands(script: Script) -> Iterator[Issue]:
    if not any(t.kind == "string" and "child_process" in t.text for t in script.tokens):
        return
    for i, inside in script.calls("exec", "execSync", "spawn", "spawnSync"):
        arguments = script.arguments(inside)
        shell = script.text(i).startswith("exec") or any(
            script.text(at) == "shell" and script.text(at + 2) == "true" for at in range(*inside)
        )
        receiver = script.text(i - 2) if script.text(i - 1) == "." else "child_process"
        if not arguments or not shell or receiver in ("db", "re") or script.is_closed(arguments[0]):
            continue
        joined = script.kind(arguments[0][0]) == "head" or len(operands(script, arguments[0])) > 1
        asked = script.is_from_request(arguments[0])
        if not joined and not asked:
            continue
        yield script.source.issue(
            script.tokens[i].start,
            "command_injection",
            "critical" if asked else "blocking",
            f"The shell gets a command with values in it: `{script.snippet(arguments[0])}`. A value with `;` or `$()` "
            "runs other commands. Use execFile with a list of arguments.",
        )


# -- files and addresses ----------------------------------------------------------------------------------------

_READERS = (
    "readFile", "readFileSync", "createReadStream", "writeFile", "writeFileSync", "unlink", "unlinkSync",
    "sendFile", "rm", "rmSync", "download",
)  # fmt: skip
_PATH_CHECKS = ("startsWith", "basename", "relative", "isAbsolute")


def _paths(script: Script) -> Iterator[Issue]:
    if script.source.in_browser or any(script.positions(name) for name in _PATH_CHECKS):
        return
    for i, inside in script.calls("join", "resolve", *_READERS):
        name, before = script.text(i), script.text(i - 1)
        if name in ("join", "resolve") and before == "." and script.text(i - 2) != "path":
            continue
        arguments = script.arguments(inside)
        if name not in ("join", "resolve"):
            arguments = arguments[:1]
            if arguments and "join" in script.names(arguments[0])[:3]:
                continue  # told where the path is made
        elif len(arguments) < 2:
            continue
        if any(script.is_from_request(argument) for argument in arguments):
            yield script.source.issue(
                script.tokens[i].start,
                "path_traversal",
                "blocking",
                f"`{name}` makes a path from what a request says: `{script.snippet(inside)}`. With `../` it reaches "
                "any file of the server. Take basename() of it, or check that the result begins with the folder.",
            )


def _redirects(script: Script) -> Iterator[Issue]:
    if any(script.positions(name) for name in ("startsWith", "origin", "isLocal", "localPath")):
        return
    advice = (
        "Somebody can send people from here to a page that only looks like yours. "
        "Allow only paths that begin with one `/`."
    )
    for i, inside in script.calls("redirect"):
        if script.source.in_browser:
            continue
        for argument in script.arguments(inside):
            if script.is_from_request(argument) and not _begins_with_path(script, argument):
                yield script.source.issue(
                    script.tokens[i].start,
                    "open_redirect",
                    "blocking",
                    f"The redirect goes wherever the request says: `{script.snippet(argument)}`. {advice}",
                )
    for name in ("location", "href"):
        for i in script.positions(name):
            if (
                script.text(i + 1) == "="
                and (name == "location" or script.text(i - 2) == "location")
                and script.text(i - 1) in (".", ";", "{", "}", ")")
            ):
                span = script.expression(i + 2)
                names = script.names(span)
                asked = script.is_from_request(span) or "URLSearchParams" in names
                if asked and not _begins_with_path(script, span):
                    yield script.source.issue(
                        script.tokens[i].start,
                        "open_redirect",
                        "blocking",
                        f"The page goes wherever its address says: `{script.snippet(span)}`. {advice}",
                    )


def _begins_with_path(script: Script, span: Span) -> bool:
    first = script.tokens[span[0]]
    if first.kind not in ("string", "head"):
        return False
    return re.match(r"/[^/\\]|https?://[^/]+/|[#?]|/$", first.text) is not None


def _plain_http(script: Script) -> Iterator[Issue]:
    for i, inside in script.calls(
        "fetch", "WebSocket", "EventSource", "get", "post", "put", "open"
    ):
        client = script.text(i) in ("fetch", "WebSocket", "EventSource") or script.text(i - 2) in (
            "axios", "ky", "http", "xhr", "got",
        )  # fmt: skip
        arguments = script.arguments(inside) if client else []
        for argument in arguments[:2]:
            first = script.tokens[argument[0]] if argument[0] < argument[1] else None
            if first is None or first.kind not in ("string", "head"):
                continue
            if re.match(r"http://[^$]", first.text) and not _LOCAL.match(first.text):
                yield script.source.issue(
                    first.start,
                    "plain_http",
                    "warning",
                    f"`{script.snippet(argument)}` is asked without encryption: anyone on the way can read and change it. "
                    "Use https.",
                )
