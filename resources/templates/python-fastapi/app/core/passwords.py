"""Passwords are kept as salted scrypt hashes."""

import hashlib
import hmac
import secrets

_COST, _BLOCK, _PARALLEL, _BYTES = 2**14, 8, 5, 32
_MEMORY = 64 * 1024 * 1024


def hash_password(password: str) -> str:
    """Return what to store for a password."""
    salt = secrets.token_bytes(16)
    return f"scrypt${_COST}${_BLOCK}${_PARALLEL}${salt.hex()}${_derived(password, salt).hex()}"


def verify_password(password: str, stored: str) -> bool:
    """Whether `stored` was made of this password."""
    try:
        _, cost, block, parallel, salt, wanted = stored.split("$")
        found = _derived(password, bytes.fromhex(salt), int(cost), int(block), int(parallel))
        return hmac.compare_digest(found, bytes.fromhex(wanted))
    except ValueError:
        return False


def waste_time(password: str) -> None:
    """Take as long as a check does, so that nobody learns which e-mail addresses have an account."""
    _derived(password, b"no such account.")


def _derived(
    password: str, salt: bytes, cost: int = _COST, block: int = _BLOCK, parallel: int = _PARALLEL
) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=_MEMORY, dklen=_BYTES
    )
