"""Text from outside as text that can be stored and shown."""

from __future__ import annotations


def whole_text(text: str) -> str:
    """Return `text` with U+FFFD for what is no character: halves of pairs, and bytes that were no UTF-8."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
