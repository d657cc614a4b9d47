"""Python source is read on several threads at once: reviews run beside each other."""

from __future__ import annotations

import ast
import gc
import inspect
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from vibedesk.base.python_syntax import parse_python


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns as often as can be, also in the middle of a tree."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(10)
    gc.callbacks.append(_take_turns)
    yield
    gc.callbacks.remove(_take_turns)
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


def _take_turns(_phase: str, _facts: object) -> None:
    for _ in range(50):
        pass


@pytest.mark.usefixtures("hasty_threads")
def test_parses_on_several_threads_do_not_mix() -> None:
    text = inspect.getsource(ast)
    expected = ast.dump(ast.parse(text))
    with ThreadPoolExecutor(4) as threads:
        trees = list(threads.map(lambda _: parse_python(text), range(12)))
    assert all(ast.dump(tree) == expected for tree in trees)


def test_what_is_no_python_is_refused() -> None:
    with pytest.raises(SyntaxError):
        parse_python("def (")
