"""What carries files into a sandbox, without one."""

from __future__ import annotations

import os
from pathlib import Path

from vibedesk.engine.sandboxes.inside.files import remove_folder

_DEEP = 1200
"""Deeper than Python's recursion, or the open descriptors of a process, can go."""


def test_a_folder_is_removed_however_deep_it_is_and_nothing_behind_a_link(tmp_path: Path) -> None:
    """Otherwise the program inside would end, and the sandbox's session with it."""
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    folder = tmp_path / "folder"
    (folder / "beside" / "deep").mkdir(parents=True)
    (folder / "beside" / "deep" / "a.txt").write_text("a")
    (folder / "link").symlink_to(tmp_path)
    here = os.open(folder, os.O_RDONLY)
    for _ in range(_DEEP):
        os.mkdir("in", dir_fd=here)
        inner = os.open("in", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    remove_folder(str(folder))
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    assert kept.read_text() == "kept"
