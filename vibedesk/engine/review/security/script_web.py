"""What a script tells browsers, and how it makes tokens and keeps passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.security.script import Script, Span

_SECRET_NAME = re.compile(
    r"(?:token|secret|password|passwd|passcode|otp|api_?key|csrf|nonce|session_?id|salt|(?:reset|invite)_?code)s?$",
    re.I,
)
_NO_SECRET = re.compile(r"design_?token|color|colour|css", re.I)
_SESSION = re.compile(r"session|token|auth|sid|jwt|user", re.I)
_PASSWORD = re.compile(r"passw|passcode|^pw$|^pwd$", re.I)
_LOOK_BACK = 60


def web_issues(script: Script) -> list[Issue]:
    """Return what is wrong with cookies, other origins, random values, hashes and signed tokens."""
    return [
        *_cors(script),
        *_cookies(script),
        *_randomness(script),
        *_hashes(script),
        *_signatures(script),
    ]


def cors_message(allowed: str) -> str:
    return (
        f"{allowed} may read this API with a visitor's cookies: any page they open can act in their name. "
        "Name the origins that may, or leave credentials out."
    )


def cookie_message(name: str, missing: str) -> str:
    why = {
        "HttpOnly": "a script that gets into the page can read it",
        "SameSite": "other sites' forms are sent with it",
    }
    told = "; ".join(f"without {flag} {why[flag]}" for flag in missing.split(" and "))
    return f"The cookie {name} lacks {missing}: {told}. Set it."


def _option(script: Script, span: Span, name: str) -> Span | None:
    for i in range(*span):
        if script.text(i) == name and script.text(i + 1) == ":":
            return script.expression(i + 2)
    return None


def _cors(script: Script) -> Iterator[Issue]:
    for i, inside in script.calls("cors"):
        origin = _option(script, inside, "origin")
        credentials = _option(script, inside, "credentials")
        if credentials is None or script.text(credentials[0]) != "true":
            continue
        star = origin is None or (
            script.kind(origin[0]) == "string" and script.tokens[origin[0]].text == "*"
        )
        if star or (origin and script.text(origin[0]) == "true"):
            yield script.source.issue(
                script.tokens[i].start, "cors_credentials", "blocking", cors_message("Every origin")
            )
    headers = [
        (i, token.text.lower())
        for i, token in enumerate(script.tokens)
        if token.kind == "string" and token.text.lower().startswith("access-control-allow-")
    ]
    if not any(name == "access-control-allow-credentials" for _, name in headers):
        return
    for i, name in headers:
        value = script.tokens[i + 2] if i + 2 < len(script.tokens) else None
        if name != "access-control-allow-origin" or value is None:
            continue
        star = value.kind == "string" and value.text == "*"
        echoed = "origin" in [n.lower() for n in script.names(script.expression(i + 2))]
        checked = any(script.positions(name) for name in ("includes", "has"))
        if star or (echoed and not checked):
            yield script.source.issue(
                script.tokens[i].start, "cors_credentials", "blocking", cors_message("Every origin")
            )


def _cookies(script: Script) -> Iterator[Issue]:
    from_hono = any(t.kind == "string" and t.text == "hono/cookie" for t in script.tokens)
    for i, inside in script.calls("cookie", "setCookie"):
        arguments = script.arguments(inside)
        if script.text(i) == "setCookie":
            if not from_hono:
                continue
            arguments = arguments[1:]
        elif script.text(i - 1) != "." or script.text(i - 2) not in ("res", "response", "reply"):
            continue
        if len(arguments) < 2 or script.kind(arguments[0][0]) != "string":
            continue
        options = arguments[2] if len(arguments) > 2 else None
        if options and (script.text(options[0]) != "{" or "..." in _marks(script, options)):
            continue
        flags = {n.lower() for n in script.names(options)} if options else set()
        yield from _cookie_issue(script, i, script.tokens[arguments[0][0]].text, flags)
    for i, token in enumerate(script.tokens):
        if token.kind != "string" or token.text.lower() != "set-cookie":
            continue
        at = i + 2
        if script.kind(at) in ("string", "head"):
            whole = "".join(script.tokens[p].text for p in script.pieces.get(at, [at])).lower()
            flags = {flag for flag in ("httponly", "samesite") if flag in whole}
            yield from _cookie_issue(script, i, script.tokens[at].text.partition("=")[0], flags)
    for i in script.positions("cookie"):
        if script.text(i - 2) == "document" and script.text(i + 1) == "=":
            names = [*script.names(script.expression(i + 2))]
            first = script.tokens[i + 2].text if i + 2 < len(script.tokens) else ""
            if any(_SECRET_NAME.search(n) for n in [*names, first.partition("=")[0]]):
                yield from _cookie_issue(
                    script, i, first.partition("=")[0][:30] or "here", {"samesite"}
                )


def _marks(script: Script, span: Span) -> list[str]:
    return [script.text(i) for i in range(*span)]


def _cookie_issue(script: Script, i: int, name: str, flags: set[str]) -> Iterator[Issue]:
    missing = [
        said
        for flag, said in (("httponly", "HttpOnly"), ("samesite", "SameSite"))
        if flag not in flags
    ]
    if missing:
        grave = "HttpOnly" in missing and _SESSION.search(name) and not script.source.in_browser
        yield script.source.issue(
            script.tokens[i].start,
            "cookie_flags",
            "blocking" if grave else "warning",
            cookie_message(f"`{name[:30]}`", " and ".join(missing)),
        )


def _made_name(script: Script, i: int) -> str:
    """Return the name that a value at `i` goes to, or that of the function it is in."""
    for at in range(i - 1, max(i - _LOOK_BACK, -1), -1):
        word = script.text(at)
        if word in ("const", "let", "var", "function"):
            return script.text(at + 1)
        if word == "=" and script.kind(at - 1) == "name":
            return script.text(at - 1)
        if word == ":" and script.kind(at - 1) == "name" and script.text(at - 2) in ("{", ","):
            return script.text(at - 1)
    return ""


def _randomness(script: Script) -> Iterator[Issue]:
    for i, _ in script.calls("random"):
        if script.text(i - 2) != "Math":
            continue
        name = _made_name(script, i)
        owner = _enclosing_function(script, i)
        secret = next(
            (n for n in (name, owner) if _SECRET_NAME.search(n) and not _NO_SECRET.search(n)), ""
        )
        if secret:
            yield script.source.issue(
                script.tokens[i].start,
                "weak_random",
                "blocking",
                f"`{secret}` is made with Math.random, which can be predicted from earlier values. "
                "Use crypto.randomUUID() or crypto.getRandomValues().",
            )


def _enclosing_function(script: Script, i: int) -> str:
    for at in range(i - 1, max(i - 2 * _LOOK_BACK, -1), -1):
        if script.text(at) == "function":
            return script.text(at + 1)
        if script.text(at) == "=>":
            for back in range(at - 1, max(at - _LOOK_BACK, -1), -1):
                if script.text(back) in ("const", "let"):
                    return script.text(back + 1)
                if script.text(back) in (";", "}", "=>"):
                    break
    return ""


def _hashes(script: Script) -> Iterator[Issue]:
    for i, inside in script.calls("createHash"):
        kind = script.tokens[inside[0]].text.lower()
        chain = script.expression(i)
        if kind not in ("md5", "sha1", "sha-1", "sha256", "sha512"):
            continue
        about = [*script.names(chain), _made_name(script, i), _enclosing_function(script, i)]
        if any(_PASSWORD.search(name) for name in about):
            yield script.source.issue(
                script.tokens[i].start,
                "weak_password_hash",
                "blocking" if kind in ("md5", "sha1", "sha-1") else "warning",
                f"A password is kept as {kind}: whoever gets the database tries billions of passwords a second. "
                "Use scrypt with a salt of its own for each password.",
            )


def _signatures(script: Script) -> Iterator[Issue]:
    for name in ("algorithms", "algorithm", "alg"):
        for i in script.positions(name):
            span = script.expression(i + 2)
            said = [t.text.lower() for t in script.tokens[slice(*span)] if t.kind == "string"]
            if script.text(i + 1) == ":" and "none" in said:
                yield script.source.issue(
                    script.tokens[i].start,
                    "jwt_none",
                    "blocking",
                    "Tokens without a signature are taken: anyone can write one and be whoever they like. "
                    "Name the one algorithm you sign with, like HS256.",
                )
    if any(t.kind == "string" and t.text == "jsonwebtoken" for t in script.tokens):
        verifies = any(True for _ in script.calls("verify"))
        for i, _ in script.calls("decode"):
            if script.text(i - 2) == "jwt" and not verifies and not script.source.in_browser:
                yield script.source.issue(
                    script.tokens[i].start,
                    "jwt_none",
                    "blocking",
                    "`jwt.decode` does not check who signed the token: anyone can write one. Use jwt.verify.",
                )
