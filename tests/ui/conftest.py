"""What the window's tests share: no Docker, whatever the machine has, so that none of them makes an image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale

from tests.support.wrappers import untold_wrappers


@pytest.fixture(autouse=True)
def no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-docker.sock")


@pytest.fixture(autouse=True)
def no_untold_wrappers() -> Iterator[None]:
    """Whatever a test does, nothing may be left that makes PySide crash later."""
    yield
    assert untold_wrappers() == []


@pytest.fixture
def default_locale() -> Iterator[Callable[[str], None]]:
    """Sets where the person lives, for widgets that are made after that."""
    before = QLocale()
    yield lambda name: QLocale.setDefault(QLocale(name))
    QLocale.setDefault(before)
