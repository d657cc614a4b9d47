"""Where a project's preview keeps cookies and local storage, and how that begins anew."""

from __future__ import annotations

import shutil
from pathlib import Path


class ProfileFolder:
    """Numbered folders below one: the highest is in use.

    Chromium still writes for a while after its profile is let go, so a reset takes a new folder and leaves
    the old one to be deleted when the project is opened next.
    """

    def __init__(self, base: Path) -> None:
        self._base = base

    def open(self) -> Path:
        """Return the folder in use and delete older ones."""
        numbers = self._numbers()
        current = numbers[-1] if numbers else 1
        for number in numbers[:-1]:
            shutil.rmtree(self._base / str(number), ignore_errors=True)
        return self._made(current)

    def renew(self) -> Path:
        """Return a fresh, empty folder; all data kept so far is out of use."""
        numbers = self._numbers()
        return self._made(numbers[-1] + 1 if numbers else 1)

    def _made(self, number: int) -> Path:
        folder = self._base / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _numbers(self) -> list[int]:
        if not self._base.is_dir():
            return []
        return sorted(int(child.name) for child in self._base.iterdir() if child.name.isdecimal())
