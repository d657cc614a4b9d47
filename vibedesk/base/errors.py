"""The one family of errors that people see.

Every error says what happened (`message`), what to do next (`remedy`), and carries a stable `code`
for programs. Anything that is not a `VibeDeskError` is a bug of ours; `as_vibedesk_error` turns it into
one that refers to the log.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Mapping
from typing import ClassVar

_log = logging.getLogger(__name__)


class VibeDeskError(Exception):
    """Something went wrong that a person can be told about.

    Args:
        message: What happened, in the person's words, one sentence.
        remedy: What to do next; empty only where nothing can be done.
        details: Field and reason, or other facts that help (never secrets).
        code: Overrides the class's stable code.
        retryable: Overrides whether doing the same again may help.
    """

    code: str = "internal"
    retryable: bool = False
    default_remedy: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        details: Mapping[str, str] | None = None,
        code: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = self.default_remedy if remedy is None else remedy
        self.details = dict(details or {})
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable

    def to_dict(self) -> dict[str, object]:
        return {
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "details": self.details,
            "retryable": self.retryable,
        }

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InvalidInputError(VibeDeskError):
    """What the person gave cannot be used as it is."""

    code = "invalid_input"


class NotFoundError(VibeDeskError):
    """No such project, file, version or sample."""

    code = "not_found"


class NotAllowedNowError(VibeDeskError):
    """The request is fine but not in the present state."""

    code = "not_allowed_now"


class ConsentRequiredError(VibeDeskError):
    """The person has to agree first (code that would run with their own rights)."""

    code = "consent_required"


class StorageError(VibeDeskError):
    """The home could not be read or written."""

    code = "storage"


class DiskFullError(StorageError):
    """No space left where the data lives."""

    code = "disk_full"
    default_remedy = "Free some space and try again; everything saved so far is kept."


class ReadOnlyHomeError(StorageError):
    """The home cannot be written."""

    code = "read_only_home"


class HomeLockedError(StorageError):
    """Another process writes to this home."""

    code = "home_locked"


class SchemaTooNewError(StorageError):
    """The data was written by a newer VibeDesk; it is left untouched."""

    code = "schema_too_new"


def as_vibedesk_error(error: BaseException) -> VibeDeskError:
    """Return `error` itself if a person can be told about it, else a report that names the log entry."""
    if isinstance(error, VibeDeskError):
        return error
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFullError("The disk is full.", details={"path": str(error.filename or "")})
        if error.errno == errno.EROFS:
            return ReadOnlyHomeError(
                "The data folder is read-only.",
                remedy="Make it writable or choose another with --home.",
                details={"path": str(error.filename or "")},
            )
    reference = os.urandom(4).hex()
    _log.error("unexpected error, reference %s", reference, exc_info=error)
    return VibeDeskError(
        f"Something unexpected happened in VibeDesk ({type(error).__name__}).",
        remedy=f"Nothing saved is lost. The log has the details under reference {reference}.",
        details={"reference": reference, "type": type(error).__name__},
    )
