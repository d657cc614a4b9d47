from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from vibedesk.ui.shell.layout_store import LayoutStore, Shares

_SHARES = Shares(chat=0.25, tree=0.3, preview=0.4, dock=0.2)


def test_what_was_arranged_is_there_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "window.ini"
    store = LayoutStore(file)
    store.set_shares("one", "build", _SHARES)
    store.set_mode("one", "preview")
    store.set_geometry(QByteArray(b"place"))
    store.set_scheme("light")
    store.save()
    again = LayoutStore(file)
    assert again.shares("one", "build") == _SHARES
    assert again.mode("one") == "preview"
    assert again.geometry() == QByteArray(b"place")
    assert again.scheme() == "light"


def test_projects_and_modes_are_kept_apart(tmp_path: Path) -> None:
    store = LayoutStore(tmp_path / "window.ini")
    store.set_shares("one", "build", _SHARES)
    assert store.shares("one", "code") is None
    assert store.shares("two", "build") is None
    assert store.mode("two") == "build"


def test_a_reset_forgets(tmp_path: Path) -> None:
    store = LayoutStore(tmp_path / "window.ini")
    store.set_shares("one", "build", _SHARES)
    store.forget_shares("one", "build")
    assert store.shares("one", "build") is None


@pytest.mark.parametrize("value", ["nonsense", "-1", "0", "nan", "12"])
def test_what_makes_no_sense_counts_as_never_arranged(tmp_path: Path, value: str) -> None:
    file = tmp_path / "window.ini"
    store = LayoutStore(file)
    store.set_shares("one", "build", _SHARES)
    store.save()
    file.write_text(file.read_text().replace("0.2500", value))
    assert LayoutStore(file).shares("one", "build") is None
