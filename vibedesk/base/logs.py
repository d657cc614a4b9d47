"""Where VibeDesk writes what went wrong: one rotated file a home, for this user's eyes only."""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

_BYTES, _FILES = 5_000_000, 3
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _PrivateFileHandler(RotatingFileHandler):
    def _open(self) -> IO[str]:  # type: ignore[override]
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.fdopen(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Stay silent: a full or read-only disk is told to the person by whoever needed it."""


def start_logging(folder: Path, *, to_stderr: bool = False) -> None:
    """Log our own records from INFO on to `folder`/vibedesk.log, made with the first record.

    Args:
        folder: The home's log folder.
        to_stderr: Log everything to stderr, too.
    """
    ours = logging.getLogger("vibedesk")
    ours.setLevel(logging.DEBUG if to_stderr else logging.INFO)
    ours.propagate = False
    for handler in ours.handlers[:]:
        ours.removeHandler(handler)
        handler.close()
    file = _PrivateFileHandler(
        folder / "vibedesk.log", maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8", delay=True
    )
    file.setLevel(logging.INFO)
    handlers: list[logging.Handler] = [file]
    if to_stderr:
        handlers.append(logging.StreamHandler())
    for handler in handlers:
        handler.setFormatter(logging.Formatter(_FORMAT))
        ours.addHandler(handler)
    # Libraries log to nowhere instead of to the person's terminal.
    logging.getLogger().addHandler(logging.NullHandler())
