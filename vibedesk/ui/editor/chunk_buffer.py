"""Collects streamed text from any thread and hands it over once per frame on the window's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from PySide6.QtCore import QObject, Qt, QTimer, Signal

_FRAME_SECONDS = 0.033


class ChunkBuffer(QObject):
    """Keeps the chunks of each file in order; `deliver` gets them joined, at most once a frame."""

    _filled = Signal()

    def __init__(self, deliver: Callable[[str, str], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._deliver = deliver
        self._lock = threading.Lock()
        self._chunks: dict[str, list[str]] = {}
        self._announced = False
        self._last = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.flush)
        self._filled.connect(self._on_filled, Qt.ConnectionType.QueuedConnection)

    def add(self, path: str, text: str) -> None:
        """Take in a chunk; callable on any thread."""
        with self._lock:
            self._chunks.setdefault(path, []).append(text)
            announce, self._announced = not self._announced, True
        if announce:
            self._filled.emit()

    def flush(self) -> None:
        """Hand over now what has come so far."""
        with self._lock:
            chunks, self._chunks = self._chunks, {}
            self._announced = False
        self._timer.stop()
        self._last = monotonic()
        for path, texts in chunks.items():
            self._deliver(path, "".join(texts))

    def _on_filled(self) -> None:
        wait = self._last + _FRAME_SECONDS - monotonic()
        self._timer.start(max(0, round(wait * 1000)))
