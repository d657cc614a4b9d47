"""One window a home: a second start raises the first."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_PATIENCE_MS = 500


def raise_running_window(root: Path) -> bool:
    """Ask the window that runs on this home to come to the front; return whether there is one."""
    socket = QLocalSocket()
    socket.connectToServer(_name(root))
    if not socket.waitForConnected(_PATIENCE_MS):
        return False
    socket.disconnectFromServer()
    return True


class WindowDoor(QObject):
    """Where later starts on the same home knock."""

    knocked = Signal()

    def __init__(self, root: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        # What a killed window left is in the way; the home's lock says that no other window is alive.
        QLocalServer.removeServer(_name(root))
        self._server.listen(_name(root))

    def _on_connection(self) -> None:
        connection = self._server.nextPendingConnection()
        connection.disconnected.connect(connection.deleteLater)
        self.knocked.emit()


def _name(root: Path) -> str:
    return f"vibedesk-{sha256(str(root).encode()).hexdigest()[:16]}"
