"""What the keeper tells of the folders that it keeps, while they come and go."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from vibedesk.engine.sandboxes.inside import keeping


def test_what_is_kept_is_told_while_layers_come_and_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_STORE", str(tmp_path))
    (tmp_path / "layers" / "stays").mkdir(parents=True)
    passing, over = tmp_path / "layers" / "passing", threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            passing.mkdir()
            passing.rmdir()

    comes_and_goes = threading.Thread(target=come_and_go)
    comes_and_goes.start()
    try:
        told = [keeping._sizes({})["layers"] for _ in range(60)]
    finally:
        over.set()
        comes_and_goes.join()
    assert all("stays" in layers for layers in told)
    assert {name for layers in told for name in layers} <= {"stays", "passing"}
