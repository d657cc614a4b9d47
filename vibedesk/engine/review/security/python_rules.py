"""Dangerous calls in Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from vibedesk.engine.review.issues import Issue, Severity
from vibedesk.engine.review.security.python_code import (
    PythonCode,
    called,
    is_false,
    is_true,
    keyword,
    literal,
    receiver,
)
from vibedesk.engine.review.security.script_web import cookie_message, cors_message

_PASSWORD = re.compile(r"passw|passcode|^pw$|^pwd$", re.I)
_TOKEN = re.compile(r"token|secret|passw|otp|csrf|nonce|session|api_?key|salt|reset_?code", re.I)
_UNPICKLERS = frozenset({"pickle", "cPickle", "dill", "marshal", "cloudpickle", "joblib"})
_SHELLS = frozenset({"run", "Popen", "call", "check_call", "check_output", "getoutput"})
_LOCAL = re.compile(r"http://(?:localhost|127\.|0\.0\.0\.0|testserver|\[::1\])")
_LOOKS_AT_PATH = frozenset({"startswith", "urlsplit", "urlparse", "url_for"})
_PATHS = frozenset({"open", "FileResponse", "Path", "joinpath", "send_file"})


def python_issues(code: PythonCode) -> list[Issue]:
    """Return the dangerous calls in a module."""
    return [issue for call in code.calls for issue in _call_issues(code, call)]


def _call_issues(code: PythonCode, call: ast.Call) -> Iterator[Issue]:
    for rule in (_evaluated, _unpickled, _shell, _templates, _web, _hashes, _addresses, _paths):
        yield from rule(code, call)


def _issue(code: PythonCode, node: ast.expr, kind: str, severity: Severity, message: str) -> Issue:
    return code.source.issue(code.offset(node), kind, severity, message)


def _evaluated(code: PythonCode, call: ast.Call) -> Iterator[Issue]:
    if isinstance(call.func, ast.Name) and call.func.id in ("eval", "exec") and call.args:
        constant = isinstance(call.args[0], ast.Constant)
        asked = code.is_from_request(call.args[0])
        yield _issue(
            code,
            call,
            "code_injection",
            "warning" if constant else "critical" if asked else "blocking",
            f"`{call.func.id}` runs `{code.snippet(call.args[0])}` as code. Whoever can change that text can do "
            "whatever the server can. Parse it: ast.literal_eval for literals, a small parser for formulas.",
        )


def _unpickled(code: PythonCode, call: ast.Call) -> Iterator[Issue]:
    name, owner = called(call), receiver(call)
    if owner in _UNPICKLERS and name in ("load", "loads"):
        yield _issue(
            code,
            call,
            "unsafe_deserialization",
            "blocking",
            f"`{owner}.{name}` runs code that stands in the data: a file somebody made can take over the server. "
            "Keep the data as JSON.",
        )
    if owner == "yaml" and name in ("load", "load_all"):
        loader = keyword(call, "Loader") or (call.args[1] if len(call.args) > 1 else None)
        said = getattr(loader, "attr", getattr(loader, "id", ""))
        if "Safe" not in str(said):
            yield _issue(
                code,
                call,
                "unsafe_deserialization",
                "blocking",
                "`yaml.load` can make any Python object from the text, and so run code. Use yaml.safe_load.",
            )


def _shell(code: PythonCode, call: ast.Call) -> Iterator[Issue]:
    name, owner = called(call), receiver(call)
    shell = (
        name in _SHELLS and (is_true(keyword(call, "shell")) or name == "getoutput")
        and owner in ("subprocess", "")
    ) or (owner == "os" and name in ("system", "popen"))  # fmt: skip
    if not shell or not call.args:
        return
    command = call.args[0]
    if isinstance(command, ast.Constant):
        return
    severity: Severity = (
        "critical"
        if code.is_from_request(command)
        else "warning"
        if code.is_closed(command)
        else "blocking"
    )
    yield _issue(
        code,
        call,
        "command_injection",
        severity,
        f"The shell gets `{code.snippet(command)}`. A value with `;` or `$()` runs other commands. "
        "Give subprocess.run a list of arguments, without shell=True.",
    )


def _templates(code: PythonCode, call: ast.Call) -> Iterator[Issue]:
    name = called(call)
    if name == "Environment" and receiver(call) in ("", "jinja2"):
        escaping = keyword(call, "autoescape")
        if is_false(escaping) or (escaping is None and keyword(call, "loader") is not None):
            yield _issue(
                code,
                call,
                "unescaped_template",
                "blocking" if escaping is not None else "warning",
                "These templates do not escape what they show: text that people typed can run code in every visitor's "
                "page. Give Environment autoescape=True.",
            )
    if name in ("Markup", "HTMLResponse") and call.args:
        value = call.args[0]
        joined = isinstance(value, ast.JoinedStr | ast.BinOp)
        escaped = any(
            isinstance(inner, ast.Call)
            and called(inner) in ("escape", "quote", "dumps", "isoformat")
            for inner in ast.walk(value)
        )
        if joined and not escaped and not code.is_closed(value):
            yield _issue(
                code,
                call,
                "html_injection",
                "blocking" if code.is_from_request(value) else "warning",
                f"`{code.snippet(value)}` becomes part of a page as markup. If people typed it, it can run code in every "
                "visitor's page. Use a template, or html.escape.",
            )
    if name in ("from_string", "render_template_string", "Template") and call.args:
        value = call.args[0]
        if code.is_from_request(value) and not isinstance(value, ast.Name):
            yield _issue(
                code,
                call,
                "code_injection",
                "critical",
                f"A template is made of what a request says: `{code.snippet(value)}`. Templates can run code. "
                "Give the value to a fixed template.",
            )


def _web(code: PythonCode, call: ast.Call) -> Iterator[Issue]:
    name = called(call)
    if name == "set_cookie" and not any(k.arg is None for k in call.keywords):
        missing = []
        if not is_true(keyword(call, "httponly")) and not _unknown(keyword(call, "httponly")):
            missing.append("HttpOnly")
        same_site = keyword(call, "samesite")
        if isinstance(same_site, ast.Constant) and same_site.value in (None, "none", "None"):
            missing.append("SameSite")
        if missing:
            first = keyword(call, "key") or (call.args[0] if call.args else None)
            cookie = literal(first) or "here"
            session = re.search(r"session|token|auth|sid|jwt|user", cookie, re.I)
            yield _issue(
                code,
                call,
                "cookie_flags",
                "blocking" if session and "HttpOnly" in missing else "warning",
                cookie_message(f"`{cookie}`", " and ".join(missing)),
            )
    if name in ("add_middleware", "CORSMiddleware", "CORS"):
        origins = keyword(call, "allow_origins") or keyword(call, "origins")
        star = origins is not None and any(literal(n) == "*" for n in ast.walk(origins))
        pattern = literal(keyword(call, "allow_origin_regex")) in (".*", "https?://.*")
        sends = is_true(keyword(call, "allow_credentials")) or is_true(
            keyword(call, "supports_credentials")
        )
        if (star or pattern) and sends:
            yield _issue(code, call, "cors_credentials", "blocking", cors_message("Every origin"))
    if name in ("RedirectResponse", "redirect") and call.args:
        value = call.args[0]
        if isinstance(value, ast.Name | ast.Subscript | ast.Attribute) or (
            isinstance(value, ast.Call) and called(value) == "get"
        ):
            asked = code.is_from_request(value) and not code.called_names & _LOOKS_AT_PATH
            if asked and not (isinstance(value, ast.Attribute) and value.attr != "url"):
                yield _issue(
                    code,
                    call,
                    "open_redirect",
                    "blocking",
                    f"The redirect goes wherever the request says: `{code.snippet(value)}`. Somebody can send people "
                    "from here to a page that only looks like yours. Allow only paths that begin with one `/`.",
                )
    if name == "decode" and receiver(call) == "jwt":
        options = keyword(call, "options")
        unsigned = is_false(keyword(call, "verify")) or (
            isinstance(options, ast.Dict)
            and any(
                literal(k) == "verify_signature" and is_false(v)
                for k, v in zip(options.keys, options.values, strict=True)
            )
        )
        algorithms = keyword(call, "algorithms")
        none = algorithms is not None and any(
            literal(n).lower() == "none" for n in ast.walk(algorithms)
        )
        if unsigned or none:
            yield _issue(
                code,
                call,
                "jwt_none",
                "blocking",
                "Tokens without a checked signature are taken: anyone can write one and be whoever they like. "
                'Check the signature, with algorithms=["HS256"] or the one you sign with.',
            )


def _unknown(node: ast.expr | None) -> bool:
    return node is not None and not isinstance(node, ast.Constant)


def _hashes(code: PythonCode, call: ast.Call) -> Iterator[Issue]:
    name, owner = called(call), receiver(call)
    if owner == "hashlib" and name in ("md5", "sha1", "sha256", "sha512") and call.args:
        about = [getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(call.args[0])]
        if any(_PASSWORD.search(str(word)) for word in about):
            yield _issue(
                code,
                call,
                "weak_password_hash",
                "blocking" if name in ("md5", "sha1") else "warning",
                f"A password is kept as {name}: whoever gets the database tries billions of passwords a second. "
                "Use hashlib.scrypt with a salt of its own for each password.",
            )
    if owner == "random" and name in (
        "choice",
        "choices",
        "randint",
        "random",
        "randrange",
        "getrandbits",
        "sample",
    ):
        secret = _goes_to_secret(code, call)
        if secret:
            yield _issue(
                code,
                call,
                "weak_random",
                "blocking",
                f"`{secret}` is made with the module random, which can be predicted from earlier values. Use secrets.",
            )  # fmt: skip


def _goes_to_secret(code: PythonCode, call: ast.Call) -> str:
    for name, values in code.values.items():
        if _TOKEN.search(name) and any(
            value.lineno <= call.lineno <= (value.end_lineno or value.lineno) for value in values
        ):
            return name
    for function in code.functions:
        inside = function.lineno <= call.lineno <= (function.end_lineno or function.lineno)
        if inside and _TOKEN.search(function.name):
            return function.name
    return ""


def _addresses(code: PythonCode, call: ast.Call) -> Iterator[Issue]:
    client = receiver(call) in (
        "requests",
        "httpx",
        "httpx2",
        "client",
        "session",
        "request",
        "urllib",
    )
    if not (client or called(call) == "urlopen") or not call.args:
        return
    first = call.args[0]
    if isinstance(first, ast.JoinedStr) and first.values:
        first = first.values[0]
    said = literal(first)
    if said.startswith("http://") and len(said) > 7 and not _LOCAL.match(said):
        yield _issue(
            code,
            call,
            "plain_http",
            "warning",
            f"{said[:60]} is asked without encryption: anyone on the way can read and change it. Use https.",
        )
    if is_false(keyword(call, "verify")):
        yield _issue(
            code,
            call,
            "plain_http",
            "warning",
            "The server's certificate is not checked: anyone on the way can answer in its place. Leave verify=False out.",
        )


_PATH_CHECKS = frozenset({"is_relative_to", "relative_to", "basename", "secure_filename", "startswith", "commonpath"})  # fmt: skip


def _paths(code: PythonCode, call: ast.Call) -> Iterator[Issue]:
    if called(call) not in _PATHS or not call.args:
        return
    if code.called_names & _PATH_CHECKS:
        return
    value = call.args[0]
    names = isinstance(value, ast.Attribute) and value.attr == "name"
    if code.is_from_request(value) and not names:
        yield _issue(
            code,
            call,
            "path_traversal",
            "blocking",
            f"A path is made from what a request says: `{code.snippet(value)}`. With `../` it reaches any file of the "
            "server. Take Path(name).name, or check is_relative_to the folder.",
        )
