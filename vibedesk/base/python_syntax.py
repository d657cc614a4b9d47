"""Reads Python source into a tree."""

from __future__ import annotations

import ast
import threading

_one_at_a_time = threading.Lock()


def parse_python(text: str) -> ast.Module:
    """Return the tree of a module, as `ast.parse`; safe on any thread.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: Python does not understand it.
    """
    # CPython counts the depth for all threads together until 3.11.9 and 3.12.3, and then raises SystemError.
    with _one_at_a_time:
        return ast.parse(text)
