"""One window a home: a second start raises the first."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_PATIENCE_MS = 500


class SingleInstance(QObject):
    """Listens for later starts on the same home.

    Args:
        name: Names the home.
    """

    raised = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = f"vibedesk-{name}"
        self._server: QLocalServer | None = None

    def raise_running(self) -> bool:
        """Ask the window that runs already to come to the front; return whether there is one."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(_PATIENCE_MS):
            return False
        socket.write(b"raise\n")
        socket.waitForBytesWritten(_PATIENCE_MS)
        socket.disconnectFromServer()
        return True

    def listen(self) -> None:
        """Answer later starts; what a killed window left is replaced."""
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(self._name)
        server.newConnection.connect(self._on_connection)
        server.listen(self._name)
        self._server = server

    def _on_connection(self) -> None:
        if self._server is None:
            return
        connection = self._server.nextPendingConnection()
        connection.disconnected.connect(connection.deleteLater)
        self.raised.emit()
