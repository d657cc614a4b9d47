"""Keychains as the keyring library lets anyone add one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring import errors
from keyring.backend import KeyringBackend


class MemoryKeychain(KeyringBackend):
    """Keeps secrets as long as the test runs."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise errors.KeyringLocked("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise errors.KeyringLocked("locked")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.locked:
            raise errors.KeyringLocked("locked")
        del self.kept[service, username]


class PlainFileKeychain(MemoryKeychain):
    """Like keyrings.alt's: it would keep secrets in a plain file."""

    priority = 0.5  # type: ignore[assignment]


@contextmanager
def in_use(chain: MemoryKeychain) -> Iterator[MemoryKeychain]:
    """Let `chain` be the system's keychain meanwhile."""
    before = keyring.get_keyring()
    keyring.set_keyring(chain)
    try:
        yield chain
    finally:
        keyring.set_keyring(before)
