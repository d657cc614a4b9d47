"""Provider keys: from the environment or the secret store, and never anywhere else.

Everything that touches the store may block (a keychain asks another process); call it off the loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from vibedesk.base.errors import InvalidInputError
from vibedesk.base.redaction import remember_secret
from vibedesk.base.secret_store import KeychainUnavailableError, SecretStore

KEYCHAIN_SERVICE: Final = "vibedesk"

KeySource = Literal["environment", "keychain", "file"]
KeyKind = Literal["api_key", "auth_token"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVariable:
    """An environment variable that may hold a key, and how the key is sent."""

    name: str
    kind: KeyKind = "api_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key and where it comes from. Its text is in `value` only, in no repr and no log."""

    value: str = field(repr=False)
    source: KeySource
    kind: KeyKind = "api_key"
    variable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatus:
    """What Settings says about a provider's key, without the key.

    `overrides_keychain`: a key was typed in Settings, but the environment `variable` wins.
    """

    source: KeySource | None
    variable: str = ""
    overrides_keychain: bool = False
    problem: str = ""


def find_key(
    provider: str,
    variables: tuple[KeyVariable, ...],
    environ: Mapping[str, str],
    store: SecretStore | None = None,
) -> ApiKey | None:
    """Return the provider's key: the first variable that is set, else the stored one, else None.

    Raises:
        KeychainUnavailableError: What is stored cannot be read (locked, refused).
        InvalidInputError: What is stored cannot be a key.
    """
    for variable in variables:
        if environ.get(variable.name, "").strip():
            value = clean_key(environ[variable.name])
            remember_secret(value)
            return ApiKey(
                value=value, source="environment", kind=variable.kind, variable=variable.name
            )
    kept = store or SecretStore()
    stored = kept.get(KEYCHAIN_SERVICE, provider)
    return None if stored is None else ApiKey(value=clean_key(stored), source=_source(kept))


def key_status(
    provider: str,
    variables: tuple[KeyVariable, ...],
    environ: Mapping[str, str],
    store: SecretStore | None = None,
) -> KeyStatus:
    """Return where the provider's key comes from; a store that fails is told as `problem`."""
    kept = store or SecretStore()
    variable = next((known.name for known in variables if environ.get(known.name, "").strip()), "")
    problem = ""
    stored = False
    try:
        stored = kept.get(KEYCHAIN_SERVICE, provider) is not None
    except KeychainUnavailableError as error:
        problem = str(error)
    if variable:
        return KeyStatus(
            source="environment", variable=variable, overrides_keychain=stored, problem=problem
        )
    return KeyStatus(source=_source(kept) if stored else None, problem=problem)


def store_key(provider: str, key: str, store: SecretStore | None = None) -> None:
    """Keep a key.

    Raises:
        KeychainUnavailableError: It cannot be kept; the key is written nowhere else.
        InvalidInputError: The text cannot be a key.
    """
    (store or SecretStore()).set(KEYCHAIN_SERVICE, provider, clean_key(key))


def _source(store: SecretStore) -> KeySource:
    return "file" if store.state().kind == "file" else "keychain"


def clean_key(text: str) -> str:
    """Return the key without the blanks that copying brings along.

    Raises:
        InvalidInputError: It is empty or holds characters that no key has.
    """
    key = text.strip()
    if not key or not all(33 <= ord(char) <= 126 for char in key):
        raise InvalidInputError(
            "This is not a key: it is empty or holds blanks or unusual characters.",
            remedy="Copy the key again from the provider's page.",
            details={"field": "key"},
        )
    return key
