"""Provider keys: from the environment or the operating system's keychain, and never anywhere else.

Everything that touches the keychain may block (it asks another process); call it off the loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from vibedesk.base.errors import InvalidInputError, VibeDeskError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

KEYCHAIN_SERVICE: Final = "vibedesk"

KeySource = Literal["environment", "keychain"]
KeyKind = Literal["api_key", "auth_token"]

# Backends below this are no keychains: `fail`, `null`, and those that write plain files.
_LEAST_PRIORITY = 1.0


class KeychainUnavailableError(VibeDeskError):
    """The operating system's keychain cannot be used."""

    code = "keychain_unavailable"
    default_remedy = (
        "Unlock or install the system's keychain (on Linux: GNOME Keyring or KWallet), "
        "or set the key as an environment variable."
    )


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
    provider: str, variables: tuple[KeyVariable, ...], environ: Mapping[str, str]
) -> ApiKey | None:
    """Return the provider's key: the first variable that is set, else the keychain's, else None.

    Raises:
        KeychainUnavailableError: There is a keychain, but it does not answer (locked, refused).
        InvalidInputError: What is stored cannot be a key.
    """
    for variable in variables:
        if environ.get(variable.name, "").strip():
            value = clean_key(environ[variable.name])
            return ApiKey(
                value=value, source="environment", kind=variable.kind, variable=variable.name
            )
    stored = _read_keychain(provider)
    return None if stored is None else ApiKey(value=clean_key(stored), source="keychain")


def key_status(
    provider: str, variables: tuple[KeyVariable, ...], environ: Mapping[str, str]
) -> KeyStatus:
    """Return where the provider's key comes from; a keychain that fails is told as `problem`."""
    variable = next((known.name for known in variables if environ.get(known.name, "").strip()), "")
    problem = ""
    stored = False
    try:
        stored = _read_keychain(provider) is not None
    except KeychainUnavailableError as error:
        problem = str(error)
    if variable:
        return KeyStatus(
            source="environment", variable=variable, overrides_keychain=stored, problem=problem
        )
    return KeyStatus(source="keychain" if stored else None, problem=problem)


def store_key(provider: str, key: str) -> None:
    """Write a key to the keychain.

    Raises:
        KeychainUnavailableError: There is no keychain, or it refuses; the key is written nowhere else.
        InvalidInputError: The text cannot be a key.
    """
    from keyring import errors

    value = clean_key(key)
    if not keychain_available():
        raise KeychainUnavailableError("This system has no keychain to keep the key in.")
    try:
        _keychain().set_password(KEYCHAIN_SERVICE, provider, value)
    except (errors.KeyringError, OSError, RuntimeError) as error:
        raise KeychainUnavailableError("The keychain did not take the key.") from error


def keychain_available() -> bool:
    """Tell whether there is a keychain that keeps secrets properly."""
    return float(_keychain().priority) >= _LEAST_PRIORITY


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


def _keychain() -> KeyringBackend:
    import keyring

    return keyring.get_keyring()


def _read_keychain(provider: str) -> str | None:
    from keyring import errors

    if not keychain_available():
        return None
    try:
        return _keychain().get_password(KEYCHAIN_SERVICE, provider)
    except (errors.KeyringError, OSError, RuntimeError) as error:
        raise KeychainUnavailableError("The keychain did not give out the key.") from error
