"""Keys and passwords that stand in the project's texts. What is found is never told, but for its first characters."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from vibedesk.engine.review.issues import Issue
from vibedesk.engine.review.security.source_text import SourceText

_SHOWN = 4
_SHAPES: Final = (
    ("AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("Google API key", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("Google client secret", re.compile(r"\bGOCSPX-[0-9A-Za-z_-]{28}\b")),
    ("GitHub token", re.compile(r"\bgh[pousr]_[0-9A-Za-z]{36,255}\b|\bgithub_pat_[0-9A-Za-z_]{50,255}\b")),
    ("Stripe key", re.compile(r"\b(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,255}\b|\bwhsec_[0-9A-Za-z]{24,}\b")),
    ("Slack token", re.compile(r"\bxox[abeoprs]-[0-9A-Za-z-]{20,255}")),
    ("Slack webhook", re.compile(r"\bhooks\.slack\.com/services/T\w{6,14}/B\w{6,14}/\w{16,32}")),
    ("Anthropic key", re.compile(r"\bsk-ant-[0-9A-Za-z_-]{24,255}")),
    ("OpenAI key", re.compile(r"\bsk-(?!ant-)(?:proj-|svcacct-|admin-)?[0-9A-Za-z_-]{32,255}")),
    ("SendGrid key", re.compile(r"\bSG\.[\w-]{22}\.[\w-]{43}\b")),
    ("npm token", re.compile(r"\bnpm_[0-9A-Za-z]{36}\b")),
    ("signed token (JWT)", re.compile(r"\beyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{20,2000}")),
    ("private key", re.compile(
        r"-----BEGIN (?:[A-Z]{2,9} )?PRIVATE KEY-----(?:\s|\\n|['\"+]){0,12}[0-9A-Za-z+/=]{40}")),
    ("password in an address", re.compile(
        r"\b(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqps?)://[^\s:/@'\"`]{1,80}:[^\s/@'\"`$<{]{4,80}@(?!localhost|127\.)[\w.-]{1,99}")),
)  # fmt: skip
_HINTS: Final = (
    "AKIA", "ASIA", "AIza", "GOCSPX", "gh", "sk_", "rk_", "whsec_", "xox", "hooks.slack", "sk-", "SG.", "npm_",
    "eyJ", "PRIVATE KEY", "://",
)  # fmt: skip
_ASSIGNED = re.compile(
    r"(?<![\w$.-])['\"]?([A-Za-z_$][\w$-]{2,60})['\"]?(?:\s{0,3}:\s{0,3}[A-Za-z]{3,10})?\s{0,3}(?:=(?!=)|:|\?\?=?|\|\|=?)\s{0,8}"
    r"(['\"`])([^'\"`\n\\\s$<>{}()]{8,200})\2"
)
_FALLBACK = re.compile(
    r"(?:process\.env|Bun\.env|Deno\.env)(?:\.|\[['\"])(\w{0,60}(?:SECRET|PASSWORD|PRIVATE_KEY|TOKEN|API_KEY)\w{0,20})(?:['\"]\])?"
    r"\s{0,8}(?:\?\?|\|\|)\s{0,8}(['\"`])([^'\"`\n]{3,200})\2"
    r"|os\.(?:environ\.get|getenv)\(\s{0,4}['\"](\w{0,60}(?:SECRET|PASSWORD|PRIVATE_KEY|TOKEN|API_KEY)\w{0,20})['\"],\s{0,4}"
    r"(['\"])([^'\"\n]{3,200})\5"
)
_SECRET_WORDS = re.compile(
    r"secret|passw|passwd|(?:^|_)pwd|token|api_?key|access_?key|private_?key|auth_?key|encryption_?key|signing_?key"
    r"|credential|(?:^|_)key$|[a-z]Key$",
    re.I,
)
_PASSWORD_WORDS = re.compile(r"passw|passwd|(?:^|_)pwd", re.I)
_HARMLESS_NAME = re.compile(
    r"public|publishable|anon|placeholder|label|hint|title|message|text|error|hash|storage|cache|query_?key"
    r"|color|colour|design|token_?(?:type|name|url|path|kind|header|cookie)|name$|header$|cookie$|url$|path$|field$"
    r"|sort|locale|i18n|integrity|shasum|checksum|test|example|dummy|alphabet|charset",
    re.I,
)
_PLACEHOLDER = re.compile(
    r"example|placeholder|your|change[-_]?me|replace|dummy|fake|sample|xxx|\*\*\*|\.\.\.|todo|insert|here|redacted"
    r"|abc123|12345678|abcdef|lorem|secret[-_]?key|my[-_]?secret|test|demo|password|passwort",
    re.I,
)
_VITE_NAME = re.compile(r"\b((?:VITE|NEXT_PUBLIC|REACT_APP|PUBLIC)_[A-Z0-9_]{2,80})\b")
_BROWSER_SECRET = re.compile(
    r"SECRET|PRIVATE|PASSW|SERVICE_ROLE|ACCESS_TOKEN|AUTH_TOKEN|CREDENTIAL"
    r"|(?:OPENAI|ANTHROPIC|CLAUDE|GEMINI|MISTRAL|GROQ|OPENROUTER|DEEPSEEK|RESEND|SENDGRID|TWILIO|GITHUB|AWS)\w*(?:KEY|TOKEN)"
)
_BROWSER_UNSURE = re.compile(r"(?:^|_)(?:API_KEY|TOKEN)$")
_PUBLIC_BY_DESIGN = re.compile(r"MAPS?|MAPBOX|FIREBASE|SUPABASE|ANON|PUBLISHABLE|POSTHOG|SENTRY|RECAPTCHA|SITE_KEY|ALGOLIA|CLERK")  # fmt: skip
_ENV_FILE = re.compile(r"(?:^|/)\.env(?:\.(?!example|sample|template|dist)[\w.]+)?$")
_ENV_LINE = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*(['\"]?)([^\n'\"#]*)\2", re.M)
_LONGEST_LINE = 2000


def secret_issues(source: SourceText, *, committed: bool) -> list[Issue]:
    """Return the secrets in a file.

    Args:
        source: The file.
        committed: Whether version control would take it.
    """
    if source.is_test:
        return []
    if _ENV_FILE.search(source.path):
        return list(_env_file(source, committed=committed))
    shapes = list(_shapes(source))
    taken = [(start, end) for start, end, _ in shapes]
    return [
        *(issue for _, _, issue in shapes),
        *_assigned(source, taken),
        *_fallbacks(source),
        *_browser_variables(source),
    ]


def entropy(text: str) -> float:
    """Return the bits of information a character, by how often each occurs."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def _told(source: SourceText, what: str) -> str:
    if source.in_browser:
        return (
            f"{what} stands in code that goes to the browser: everyone who opens the app can read and use it. "
            "Move the call that needs it to the server, read it from a variable there, and replace the key."
        )
    return (
        f"{what} stands in the code: everyone who gets the code or its history can use it. "
        "Put it into a variable of the app, read it from the environment, and replace the key."
    )


def _shapes(source: SourceText) -> Iterator[tuple[int, int, Issue]]:
    text = source.text
    if not any(hint in text for hint in _HINTS):
        return
    seen: list[tuple[int, int]] = []
    for what, pattern in _SHAPES:
        for found in pattern.finditer(text):
            start, end = found.span()
            value = found.group()
            if _is_placeholder_key(what, value) or any(
                a < end and start < b for a, b in seen[-50:]
            ):
                continue
            seen.append((start, end))
            public = what == "Google API key" and re.search(
                r"firebase|authDomain|maps", text[max(0, start - 400) : end + 400], re.I
            )
            shown = "" if what.startswith(("private", "password")) else f" ({value[:_SHOWN]}…)"
            if public:
                severity, message = "warning", (
                    f"A {what}{shown} stands in the code. For maps and Firebase it is meant to be seen; "
                    "limit it to your own addresses at the provider."
                )  # fmt: skip
            else:
                severity = "critical" if source.in_browser else "blocking"
                message = _told(source, f"{_a(what)}{shown}")
            yield (
                start,
                end,
                source.issue(
                    start,
                    "secret_in_browser" if source.in_browser else "secret_in_code",
                    severity,  # type: ignore[arg-type]  # one of the three, by the lines above
                    message,
                ),
            )


def _a(what: str) -> str:
    return f"{'An' if what[0] in 'AO' else 'A'} {what}"


def _is_placeholder_key(what: str, value: str) -> bool:
    if what == "signed token (JWT)":
        return _is_public_jwt(value)
    if what == "private key":
        return False
    if what == "password in an address":
        password = value.partition("://")[2].partition("@")[0].partition(":")[2]
        return bool(_PLACEHOLDER.search(password)) or password.lower() in ("pass", "user", "secret")
    body = re.sub(r"^(?:sk|rk)_(?:live|test)_", "", value)
    return bool(
        re.search(r"example|your|placeholder|dummy|fake|sample|xxxx|\.\.\.|0123456789|1234567890", body, re.I)
    ) or entropy(body) < 2.8  # fmt: skip


def _is_public_jwt(value: str) -> bool:
    """Whether a token says of itself that it is for everyone."""
    part = value.split(".")[1]
    try:
        payload = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return False
    return isinstance(payload, dict) and payload.get("role") == "anon"


def _assigned(source: SourceText, taken: list[tuple[int, int]]) -> Iterator[Issue]:
    if source.path.endswith((".md", ".css", ".svg", ".html", ".sql", ".lock")):
        return
    for found in _ASSIGNED.finditer(source.text):
        name, value = found[1], found[3]
        start = found.start(3)
        if any(a <= start < b for a, b in taken) or not looks_secret(name, value):
            continue
        line = source.text.rfind("\n", 0, start) + 1
        if start - line > _LONGEST_LINE:
            continue
        yield source.issue(
            start,
            "secret_in_browser" if source.in_browser else "secret_in_code",
            "critical" if source.in_browser else "blocking",
            _told(source, f"A value that looks secret (`{name}`)"),
        )


def looks_secret(name: str, value: str) -> bool:
    """Whether a literal is the secret that its name promises, and no label, path, placeholder or word."""
    if not _SECRET_WORDS.search(name) or _HARMLESS_NAME.search(name) or _PLACEHOLDER.search(value):
        return False
    if re.match(r"(?:https?:|/|\.|#|@|data:|[\w-]+/[\w-]+$)", value):
        return False
    digits = any(c.isdigit() for c in value)
    letters = any(c.isalpha() for c in value)
    if _PASSWORD_WORDS.search(name):
        return digits and letters and entropy(value) >= 2.7
    words = re.split(r"[-_.: /]", value)
    readable = len(words) > 1 and all(
        re.fullmatch(r"[a-z]+|[A-Z]+|[A-Z]?[a-z]+|v?\d{1,4}", w) for w in words
    )
    if readable or not letters or re.fullmatch(r"[a-zA-Z]+", value):
        return False
    return digits and len(value) >= 16 and entropy(value) >= 3.3


def _fallbacks(source: SourceText) -> Iterator[Issue]:
    for found in _FALLBACK.finditer(source.text):
        name = found[1] or found[4]
        yield source.issue(
            found.start(),
            "secret_fallback",
            "blocking",
            f"Where {name} is not set, the app uses a value that stands in the code, so anyone can forge what it "
            "protects. Refuse to start without it.",
        )


def _browser_variables(source: SourceText) -> Iterator[Issue]:
    if source.path.endswith((".md", ".lock")):
        return
    told: set[str] = set()
    for found in _VITE_NAME.finditer(source.text):
        name = found[1]
        if name in told or _PUBLIC_BY_DESIGN.search(name):
            continue
        sure = _BROWSER_SECRET.search(name)
        if sure or _BROWSER_UNSURE.search(name):
            told.add(name)
            yield source.issue(
                found.start(),
                "secret_in_browser",
                "critical" if sure else "warning",
                f"{name} is built into the page: everyone who opens the app can read it. "
                "If it is secret, make the call on the server and name the variable without that prefix.",
            )


def _env_file(source: SourceText, *, committed: bool) -> Iterator[Issue]:
    yield from _browser_variables(source)
    if not committed:
        return
    for found in _ENV_LINE.finditer(source.text):
        name, value = found[1], found[3].strip()
        known = any(pattern.search(value) for _, pattern in _SHAPES)
        named = _SECRET_WORDS.search(name) and not _PLACEHOLDER.search(value)
        if len(value) >= 6 and (known or named) and not _VITE_NAME.match(name):
            yield source.issue(
                found.start(),
                "env_file_in_project",
                "blocking",
                f"{source.path} with {name} is part of the project: it goes wherever the code goes. "
                f"Add {source.path.rpartition('/')[2]} to .gitignore, set the variable in the app's settings, and replace the key.",
            )
            return
