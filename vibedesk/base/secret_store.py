"""Secrets: in the operating system's keychain, or, where there is none, in a file encrypted with a passphrase.

Everything here may block (the keychain asks another process, a passphrase is stretched on purpose): call it off the
loop. A secret is in no repr, no log and no error.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from vibedesk.base.errors import InvalidInputError, StorageError, VibeDeskError
from vibedesk.base.redaction import remember_secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

PASSPHRASE_VARIABLE: Final = "VIBEDESK_PASSPHRASE"

SecretsKind = Literal["keychain", "file", "none"]

# Backends below this are no keychains: `fail`, `null`, and those that write plain files.
_LEAST_PRIORITY = 1.0
_VERSION = 1
_LEAST_PASSPHRASE = 8
# About a quarter of a second and 32 MiB a guess.
_SCRYPT = {"n": 2**15, "r": 8, "p": 3}
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32


class KeychainUnavailableError(VibeDeskError):
    """The operating system's keychain cannot be used."""

    code = "keychain_unavailable"
    default_remedy = (
        "Unlock or install the system's keychain (on Linux: GNOME Keyring or KWallet), "
        "or set the key as an environment variable."
    )


class SecretsLockedError(KeychainUnavailableError):
    """There is no keychain, and the passphrase of the secrets file was not given yet."""

    code = "secrets_locked"
    default_remedy = (
        f"Enter a passphrase in Settings, or set {PASSPHRASE_VARIABLE}: the secrets are kept in a file encrypted "
        "with it."
    )


class WrongPassphraseError(KeychainUnavailableError):
    """The passphrase does not open the secrets file."""

    code = "wrong_passphrase"
    default_remedy = (
        "Try again. Without the passphrase nobody can read the file; if it is lost, delete the file and enter the "
        "secrets anew."
    )


@dataclass(frozen=True, slots=True)
class SecretsState:
    """Where secrets are kept. `locked`: nothing can be read or kept before a passphrase is given."""

    kind: SecretsKind
    locked: bool
    message: str


@dataclass(slots=True)
class _Opened:
    """What a passphrase opened: its stretched form, good for files with this salt."""

    salt: bytes
    key: bytes = field(repr=False)


class SecretStore:
    """Secrets by service and account.

    Args:
        file: Where they are kept where there is no keychain; None: nowhere then.
        environ: May hold the passphrase.
    """

    def __init__(self, file: Path | None = None, environ: Mapping[str, str] | None = None) -> None:
        self._file = file
        self._environ = os.environ if environ is None else environ
        self._opened: _Opened | None = None
        self._lock = threading.Lock()

    def state(self) -> SecretsState:
        """Return where secrets are kept now."""
        if keychain_available():
            return SecretsState("keychain", False, "Secrets are kept in this system's keychain.")
        if self._file is None:
            return SecretsState("none", True, "This system has no keychain to keep secrets in.")
        if not self._file.exists() and not self._has_passphrase():
            return SecretsState(
                "none",
                True,
                "This system has no keychain. Choose a passphrase: secrets are then kept in a file encrypted with it.",
            )
        if not self._has_passphrase():
            return SecretsState("file", True, "The secrets file is locked: enter its passphrase.")
        return SecretsState(
            "file",
            False,
            f"This system has no keychain: secrets are kept in {self._file}, encrypted with your passphrase.",
        )

    def get(self, service: str, account: str) -> str | None:
        """Return a secret; None where there is none.

        Raises:
            KeychainUnavailableError: it cannot be read now.
            WrongPassphraseError: the environment's passphrase does not open the file.
        """
        if keychain_available():
            value = _from_keychain(service, account)
        elif self._file is None or not self._file.exists():
            value = None
        else:
            with self._lock:
                value = self._read().get(_name(service, account))
        if value is not None:
            remember_secret(value)
        return value

    def set(self, service: str, account: str, value: str) -> None:
        """Keep a secret.

        Raises:
            KeychainUnavailableError: it cannot be kept; it is written nowhere else.
            WrongPassphraseError: the environment's passphrase does not open the file.
            StorageError: the file cannot be written.
        """
        remember_secret(value)
        if keychain_available():
            _to_keychain(service, account, value)
            return
        with self._lock:
            self._write({**self._read(), _name(service, account): value})

    def delete(self, service: str, account: str) -> None:
        """Forget a secret; nothing to do where there is none.

        Raises:
            KeychainUnavailableError: it cannot be forgotten now.
        """
        if keychain_available():
            _out_of_keychain(service, account)
            return
        if self._file is None or not self._file.exists():
            return
        with self._lock:
            kept = self._read()
            if kept.pop(_name(service, account), None) is not None:
                self._write(kept)

    def unlock(self, passphrase: str) -> None:
        """Take the passphrase of the secrets file; where there is none yet, make one with it.

        Raises:
            WrongPassphraseError: it does not open the file.
            InvalidInputError: it is too short for a new file.
            KeychainUnavailableError: there is no place for a file.
        """
        if self._file is None:
            raise KeychainUnavailableError("This system has no keychain to keep secrets in.")
        with self._lock:
            if self._file.exists():
                self._opened = None
                self._decrypt(passphrase)
                return
            if len(passphrase) < _LEAST_PASSPHRASE:
                raise InvalidInputError(
                    f"The passphrase is too short: it needs {_LEAST_PASSPHRASE} characters.",
                    remedy="Use a few words that you remember.",
                )
            self._open(passphrase, secrets.token_bytes(_SALT_BYTES))
            self._write({})

    # -- the file -----------------------------------------------------------------------------------
    def _has_passphrase(self) -> bool:
        return self._opened is not None or bool(self._environ.get(PASSPHRASE_VARIABLE))

    def _read(self) -> dict[str, str]:
        if self._file is None:
            raise KeychainUnavailableError("This system has no keychain to keep secrets in.")
        if not self._has_passphrase():
            raise SecretsLockedError("This system has no keychain, and the secrets file is locked.")
        return self._decrypt() if self._file.exists() else {}

    def _decrypt(self, passphrase: str = "") -> dict[str, str]:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        assert self._file is not None
        try:
            stored = json.loads(self._file.read_bytes())
            version = stored["version"]
            salt, nonce, data = (base64.b64decode(stored[k]) for k in ("salt", "nonce", "data"))
        except OSError as error:
            raise KeychainUnavailableError(
                f"{self._file} cannot be read: {error.strerror}.",
                remedy="Look at the file's permissions.",
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise KeychainUnavailableError(
                f"{self._file} is no secrets file.",
                remedy="Restore it from a backup, or delete it and enter the secrets anew.",
            ) from error
        if version != _VERSION:
            raise KeychainUnavailableError(
                f"{self._file} was written by a newer VibeDesk.", remedy="Use that version."
            )
        opened = self._open(passphrase, salt)
        try:
            plain = AESGCM(opened.key).decrypt(nonce, data, _header(salt))
        except (InvalidTag, ValueError) as error:
            self._opened = None
            raise WrongPassphraseError("The passphrase does not open the secrets file.") from error
        found: dict[str, str] = json.loads(plain)
        return found

    def _open(self, passphrase: str, salt: bytes) -> _Opened:
        """Return the key for files with this salt; a passphrase is stretched only once."""
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        opened = self._opened
        if opened is None or opened.salt != salt:
            words = passphrase or self._environ.get(PASSPHRASE_VARIABLE, "")
            if not words:
                raise SecretsLockedError("The secrets file was changed and is locked again.")
            remember_secret(words)
            key = Scrypt(salt=salt, length=_KEY_BYTES, **_SCRYPT).derive(words.encode())
            opened = self._opened = _Opened(salt, key)
        return opened

    def _write(self, kept: dict[str, str]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        assert self._file is not None
        opened = self._opened or self._open("", secrets.token_bytes(_SALT_BYTES))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = json.dumps(kept, ensure_ascii=False).encode()
        data = AESGCM(opened.key).encrypt(nonce, plain, _header(opened.salt))
        stored: dict[str, Any] = {"version": _VERSION}
        for name, value in (("salt", opened.salt), ("nonce", nonce), ("data", data)):
            stored[name] = base64.b64encode(value).decode()
        try:
            _replace(self._file, json.dumps(stored).encode())
        except OSError as error:
            raise StorageError(f"{self._file} cannot be written: {error.strerror}.") from error


def keychain_available() -> bool:
    """Tell whether there is a keychain that keeps secrets properly."""
    return float(_keychain().priority) >= _LEAST_PRIORITY


def _keychain() -> KeyringBackend:
    import keyring

    return keyring.get_keyring()


def _from_keychain(service: str, account: str) -> str | None:
    from keyring import errors

    try:
        return _keychain().get_password(service, account)
    except (errors.KeyringError, OSError, RuntimeError) as error:
        raise KeychainUnavailableError("The keychain did not give out the key.") from error


def _to_keychain(service: str, account: str, value: str) -> None:
    from keyring import errors

    try:
        _keychain().set_password(service, account, value)
    except (errors.KeyringError, OSError, RuntimeError) as error:
        raise KeychainUnavailableError("The keychain did not take the key.") from error


def _out_of_keychain(service: str, account: str) -> None:
    from keyring import errors

    if _from_keychain(service, account) is None:
        return
    try:
        _keychain().delete_password(service, account)
    except (errors.KeyringError, OSError, RuntimeError) as error:
        raise KeychainUnavailableError("The keychain did not forget the key.") from error


def _name(service: str, account: str) -> str:
    return f"{service}/{account}"


def _header(salt: bytes) -> bytes:
    """Return what is not secret but must not be exchanged."""
    return b"vibedesk-secrets:%d:" % _VERSION + salt


def _replace(path: Path, data: bytes) -> None:
    """Write a file for this user's eyes only, wholly or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
