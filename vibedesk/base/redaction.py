"""Takes secrets out of texts that are kept or shown: those that are known, and what looks like a key."""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "•••"
_LEAST_CHARS = 6
"""Shorter secrets are left: taking out every `dev` or `1234` would hide what a log is read for."""

_KEY_SHAPED = re.compile(
    r"""
    \b(?:sk|pk|rk)[-_](?:[A-Za-z0-9]+[-_])*[A-Za-z0-9_-]{12,}     # OpenAI, Anthropic, Stripe
    | \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_[A-Za-z0-9_]{20,}
    | \bglpat-[A-Za-z0-9_-]{16,}
    | \bAIza[A-Za-z0-9_-]{30,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
    | \bxox[abeprs]-[A-Za-z0-9-]{10,}
    | \b(?:gsk|xai|csk|hf|npm|dop_v1|r8)[-_][A-Za-z0-9]{16,}
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*   # a JSON Web Token
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_NAMED = re.compile(
    r"""(?P<head>
        \b(?:authorization|x-api-key|api[-_]?key|auth[-_]?token|access[-_]?token|password|passwd|passphrase|secret)
        ["']?\s*[:=]\s*["']?(?:bearer\s+|basic\s+)?
        | \bbearer\s+
        | ://[^\s:/@]*:(?=[^\s/@]+@)
    )(?P<value>[^\s"',;@]{6,})""",
    re.IGNORECASE | re.VERBOSE,
)


def without_known(text: str, secrets: Iterable[str]) -> str:
    """Return the text without these secrets, the longest first; each line of one counts as one."""
    parts = {part.strip() for secret in secrets for part in (secret, *secret.splitlines())}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _LEAST_CHARS:
            text = text.replace(part, HIDDEN)
    return text


def without_keys(text: str) -> str:
    """Return the text without what looks like a key, a password or a token."""
    return _NAMED.sub(rf"\g<head>{HIDDEN}", _KEY_SHAPED.sub(HIDDEN, text))


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without known secrets and without what looks like one."""
    return without_keys(without_known(text, secrets))


_known: set[str] = set()


def remember_secret(secret: str) -> None:
    """Take this secret out of everything that this process logs from now on."""
    _known.add(secret)


def known_secrets() -> frozenset[str]:
    return frozenset(_known)
