"""Where VibeDesk writes what it does and what went wrong: one rotated file a home, for this user's eyes only.

Each line is one JSON object: at, level, logger, message, and for exceptions error. Secrets are taken out before anything
is written: those that this process knows, and what looks like one.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Final

from vibedesk.base.clock import iso
from vibedesk.base.errors import InvalidInputError
from vibedesk.base.redaction import known_secrets, redacted

LOG_NAME: Final = "vibedesk.log"
LOG_LEVEL_SETTING: Final = "log.level"
LOG_LEVELS: Final = ("debug", "info", "warning", "error")

_BYTES, _FILES = 5_000_000, 3
_PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _PrivateFileHandler(RotatingFileHandler):
    def _open(self) -> IO[str]:  # type: ignore[override]
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.fdopen(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Stay silent: a full or read-only disk is told to the person by whoever needed it."""


class _JsonLines(logging.Formatter):
    """One JSON object a line, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        secrets = known_secrets()
        line = {
            "at": iso(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage(), secrets),
        }
        if record.exc_info:
            line["error"] = redacted(self.formatException(record.exc_info), secrets)
        return json.dumps(line, ensure_ascii=False)


class _Plain(logging.Formatter):
    """For a terminal, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record), known_secrets())


def start_logging(folder: Path, *, to_stderr: bool = False) -> None:
    """Log our own records from INFO on to `folder`/vibedesk.log, made with the first record.

    Args:
        folder: The home's log folder.
        to_stderr: Log everything to stderr, too.
    """
    ours = logging.getLogger("vibedesk")
    ours.setLevel(logging.DEBUG)
    ours.propagate = False
    for handler in ours.handlers[:]:
        ours.removeHandler(handler)
        handler.close()
    file = _PrivateFileHandler(
        folder / LOG_NAME, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8", delay=True
    )
    file.setLevel(logging.INFO)
    file.setFormatter(_JsonLines())
    ours.addHandler(file)
    if to_stderr:
        terminal = logging.StreamHandler()
        terminal.setLevel(logging.DEBUG)
        terminal.setFormatter(_Plain(_PLAIN))
        ours.addHandler(terminal)
    # Libraries log to nowhere instead of to the person's terminal.
    logging.getLogger().addHandler(logging.NullHandler())


def check_log_level(level: object) -> str:
    """Return `level` as one of `LOG_LEVELS`.

    Raises:
        InvalidInputError: it is none.
    """
    if level in LOG_LEVELS:
        return str(level)
    raise InvalidInputError(
        f"{level!r} is no log level.", remedy=f"There are: {', '.join(LOG_LEVELS)}."
    )


def set_log_level(level: str) -> None:
    """Log to the file from this level on, where this process logs to one."""
    number = getattr(logging, check_log_level(level).upper())
    for handler in logging.getLogger("vibedesk").handlers:
        if isinstance(handler, _PrivateFileHandler):
            handler.setLevel(number)
