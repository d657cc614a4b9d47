"""Text from outside as text that can be stored and shown."""

from __future__ import annotations


def whole_text(text: str) -> str:
    """Return `text` with U+FFFD for what is no character: halves of pairs, and bytes that were no UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def readable_bytes(count: float) -> str:
    """Return an amount as people say it: `512 bytes`, `4.0 KB`, `2 GB` (of 1024 each)."""
    if count < 1024:
        return f"{int(count)} bytes"
    for unit in ("KB", "MB", "GB", "TB"):
        count /= 1024
        if count < 1023.95 or unit == "TB":
            break
    return f"{count:.0f} {unit}" if count >= 10 or count == int(count) else f"{count:.1f} {unit}"
