"""How long operations take: written where they run, also when they fail or are cut off."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from vibedesk.base.errors import StorageError
from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.store.database import Database
from vibedesk.engine.store.usage import add_timing

_log = logging.getLogger(__name__)


def timed(
    access: ProjectAccess, operation: str, phase: int = 0
) -> contextlib.AbstractContextManager[None]:
    """As `timed_in`, of the project of `access`."""
    return timed_in(access.database, access.project_id, operation, phase)


@contextmanager
def timed_in(database: Database, project_id: str, operation: str, phase: int = 0) -> Iterator[None]:
    """Measure the body; that it could not be noted (the home is being closed) is nobody's failure."""
    began = time.monotonic()
    outcome = "failed"
    try:
        yield
        outcome = "done"
    except asyncio.CancelledError:
        outcome = "cancelled"
        raise
    finally:
        seconds = time.monotonic() - began
        _log.info("%s of %s: %s after %.3f s", operation, project_id, outcome, seconds)
        with contextlib.suppress(StorageError):
            database.submit(
                add_timing,
                project_id,
                operation,
                phase=phase,
                seconds=seconds,
                outcome=outcome,
                durable=False,
            )
