"""Once a test has used Qt, garbage is collected between tests, on the main thread, until the process ends.

As in the window: what is left of Qt's in reference cycles must go on Qt's thread. pytest holds a test's fixtures, and
the frames of one that failed, into the tests that follow it, and those have threads of their own that allocate.
"""

from __future__ import annotations

import gc

import pytest

from vibedesk.base.garbage import Collector


class GarbageOnMainThread:
    """The pytest plug-in."""

    def __init__(self) -> None:
        self._collector = Collector()

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> None:
        if fixturedef.argname == "qapp":
            gc.disable()

    def pytest_runtest_logfinish(self) -> None:
        if not gc.isenabled():
            self._collector.collect_due()
