"""What the running app says and wants, its page and its code: into the logs, and to the person where they can grant it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QObject, Signal

from vibedesk.ui.preview.network_rules import grantable_host
from vibedesk.ui.project_panels import ProjectPanels

_MOST_HOSTS = 20


class PreviewWatch(QObject):
    """Listens to one project's preview.

    Args:
        panels: Where it is told.
        own_origin: Where the app runs.
        parent: Ends it.
    """

    host_wanted = Signal(str)
    """The app was kept from a host on the internet that the person may grant; told once a host."""

    def __init__(
        self, panels: ProjectPanels, own_origin: Callable[[], str], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._panels = panels
        self._own_origin = own_origin
        self.told: set[str] = set()
        """Hosts that were asked for."""
        self.refused: frozenset[str] = frozenset()
        """Hosts that the person refused earlier."""

    def on_console(self, level: str, message: str, source: str, line: int) -> None:
        """Log the page's warnings and errors."""
        if level != "info":
            place = f" ({source}:{line})" if source else ""
            self._log(f"{message}{place}")

    def on_blocked(self, address: str, reason: str) -> None:
        """Log what the page may not reach, and ask where it could be granted."""
        self._log(self.tr("Blocked {0}: {1}").format(address, reason))
        host = grantable_host(address, self._own_origin())
        if host is not None:
            self._ask_for(host)

    def on_refused(self, host: str) -> None:
        """Log what the app's code in the sandbox may not reach, and ask for it unless its page did."""
        self._log(self.tr("Kept the app from {0}").format(host))
        self._ask_for(host)

    def _ask_for(self, host: str) -> None:
        if host not in self.told | self.refused and len(self.told) < _MOST_HOSTS:
            self.told.add(host)
            self.host_wanted.emit(host)

    def _log(self, text: str) -> None:
        self._panels.log(datetime.now().astimezone(), "browser", text)
