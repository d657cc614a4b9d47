"""What the window's tests share: no Docker, whatever the machine has, so that none of them makes an image."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from vibedesk.base.garbage import Collector


@pytest.fixture(autouse=True)
def no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-docker.sock")


@pytest.fixture(autouse=True, scope="module")
def collector() -> Iterator[Collector]:
    """As in the window, garbage is collected on Qt's thread only; afterwards none of Qt's is left to other threads."""
    gc.disable()
    yield Collector()
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def collected(collector: Collector) -> Iterator[None]:
    yield
    collector.collect_due()
