"""Secrets are taken out of texts, also of those that nobody foresaw, and nothing else is."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.base.redaction import HIDDEN, redacted, without_keys, without_known

KEYS = [
    "sk-ant-api03-AbCdEfGhIjKlMnOpQrSt",
    "sk-proj-AbCdEfGhIjKlMnOpQrSt",
    "sk_live_AbCdEfGhIjKlMnOpQrSt",
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a1B2" * 9,
    "AIza" + "a1B2" * 9,
    "AKIAIOSFODNN7EXAMPLE",
    "xoxb-123456789012-abcdef",
    "gsk_" + "a1B2" * 8,
    "xai-" + "a1B2" * 8,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
]

words = st.text(string.ascii_letters + string.digits + " .,:/=-\n", max_size=60)
secrets = st.text(string.ascii_letters + string.digits + "!#$%&*+-_./", min_size=6, max_size=40)


@given(before=words, secret=secrets, after=words)
def test_a_known_secret_never_stays(before: str, secret: str, after: str) -> None:
    text = f"{before}{secret}{after}{secret}"
    assert secret not in redacted(text, [secret])


@given(text=words, known=st.lists(secrets, max_size=4))
def test_a_text_without_secrets_stays_as_it_is(text: str, known: list[str]) -> None:
    if not any(secret in text for secret in known):
        assert without_known(text, known) == text


@pytest.mark.parametrize("key", KEYS)
@given(before=words, after=words)
def test_what_looks_like_a_key_never_stays(key: str, before: str, after: str) -> None:
    shown = without_keys(f"{before} {key} {after}")
    assert key not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdef123456", f"Authorization: Bearer {HIDDEN}"),
        ('{"api_key": "abcdef123456"}', '{"api_key": "' + HIDDEN + '"}'),
        ("password=hunter2hunter2", f"password={HIDDEN}"),
        ("https://me:hunter2x@host/x", f"https://me:{HIDDEN}@host/x"),
        ("the task is to skip tokens", "the task is to skip tokens"),
        ("sk-short", "sk-short"),
        ("input_tokens: 123456789", "input_tokens: 123456789"),
        (
            "commit 0123456789abcdef0123456789abcdef01234567",
            "commit 0123456789abcdef0123456789abcdef01234567",
        ),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert without_keys(text) == shown


def test_the_lines_of_a_long_secret_are_secret_too() -> None:
    assert without_known("a line-one-x b", ["line-one-x\nline-two-x"]) == f"a {HIDDEN} b"
