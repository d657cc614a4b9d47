"""Remembers how a person arranged the panels, as shares, for each project and mode, and left the composer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

from vibedesk.ui.shell.arrangement import LayoutMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much of its surroundings a panel takes, from 0 to 1."""

    chat: float
    tree: float
    preview: float
    dock: float


class LayoutStore:
    """Keeps the arrangement in one file. What cannot be read counts as never arranged."""

    def __init__(self, file: Path) -> None:
        self._settings = QSettings(str(file), QSettings.Format.IniFormat)

    def shares(self, project_id: str, mode: LayoutMode) -> Shares | None:
        found: dict[str, float] = {}
        for field in fields(Shares):
            value = self._settings.value(f"{self._group(project_id, mode)}/{field.name}")
            try:
                found[field.name] = float(str(value))
            except ValueError:
                return None
        if not all(0.0 < share < 1.0 for share in found.values()):
            return None
        return Shares(**found)

    def set_shares(self, project_id: str, mode: LayoutMode, shares: Shares) -> None:
        for name, share in asdict(shares).items():
            self._settings.setValue(f"{self._group(project_id, mode)}/{name}", f"{share:.4f}")

    def forget_shares(self, project_id: str, mode: LayoutMode) -> None:
        self._settings.remove(self._group(project_id, mode))

    def mode(self, project_id: str) -> LayoutMode:
        match self._settings.value(f"projects/{project_id}/mode"):
            case "code":
                return "code"
            case "preview":
                return "preview"
            case _:
                return "build"

    def set_mode(self, project_id: str, mode: LayoutMode) -> None:
        self._settings.setValue(f"projects/{project_id}/mode", mode)

    def dock_collapsed(self, project_id: str) -> bool | None:
        """Return whether the person folded the dock; None if they never touched it."""
        match self._settings.value(f"projects/{project_id}/dock"):
            case "folded":
                return True
            case "open":
                return False
            case _:
                return None

    def set_dock_collapsed(self, project_id: str, *, collapsed: bool) -> None:
        self._settings.setValue(f"projects/{project_id}/dock", "folded" if collapsed else "open")

    def draft(self, project_id: str) -> str:
        """Return what was written and not sent."""
        return str(self._settings.value(f"projects/{project_id}/draft") or "")

    def set_draft(self, project_id: str, text: str) -> None:
        if text:
            self._settings.setValue(f"projects/{project_id}/draft", text)
        else:
            self._settings.remove(f"projects/{project_id}/draft")

    def edits(self, project_id: str) -> dict[str, Any]:
        """Return what was changed and not handed over; empty where nothing was."""
        try:
            found = json.loads(str(self._settings.value(f"projects/{project_id}/edits") or "{}"))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def set_edits(self, project_id: str, edits: Mapping[str, Any]) -> None:
        if edits:
            self._settings.setValue(f"projects/{project_id}/edits", json.dumps(edits))
        else:
            self._settings.remove(f"projects/{project_id}/edits")

    def wish(self) -> str:
        """Return what was written on the welcome page and not sent."""
        return str(self._settings.value("window/wish") or "")

    def set_wish(self, text: str) -> None:
        self._settings.setValue("window/wish", text)

    def geometry(self) -> QByteArray:
        """Return the window's stored place and size; empty when there is none."""
        value = self._settings.value("window/geometry")
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_geometry(self, geometry: QByteArray) -> None:
        self._settings.setValue("window/geometry", geometry)

    def page(self) -> str:
        """Return the page that was shown last; empty when none was."""
        return str(self._settings.value("window/page") or "")

    def set_page(self, name: str) -> None:
        self._settings.setValue("window/page", name)

    def scheme(self) -> str:
        """Return the chosen colour scheme; empty when none was chosen."""
        return str(self._settings.value("window/scheme") or "")

    def set_scheme(self, scheme: str) -> None:
        self._settings.setValue("window/scheme", scheme)

    def save(self) -> None:
        """Write now; otherwise Qt does so from time to time."""
        self._settings.sync()

    @staticmethod
    def _group(project_id: str, mode: LayoutMode) -> str:
        return f"projects/{project_id}/{mode}"
