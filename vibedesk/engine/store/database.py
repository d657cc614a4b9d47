"""All SQLite of one home, on one thread.

Every piece of work is a function that runs on the owner thread inside one transaction; rows never leave it. The
thread is plain (no event loop), so work may come from any loop or thread and is done in the order it was handed in.

A commit is either durable (`synchronous=FULL`: it survives a power cut) or not (`NORMAL`: it survives a killed
process). One connection serves both: changing the pragma between transactions costs 1.5 µs, a second connection
would cost its own page cache and could not see an open transaction. What NORMAL left in the system's cache is
flushed within a second.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import peewee

from vibedesk.base.errors import StorageError
from vibedesk.base.paths import Home
from vibedesk.engine.store.connection import connect_for_reading, connect_for_writing
from vibedesk.engine.store.failures import home_failure, translated_failures
from vibedesk.engine.store.lock import HomeLock
from vibedesk.engine.store.tables import database_proxy

_log = logging.getLogger(__name__)

T = TypeVar("T")

_FLUSH_SECONDS = 0.8
_FULL, _NORMAL = "FULL", "NORMAL"


@dataclass(slots=True)
class _Work:
    function: Callable[[], Any]
    durable: bool
    future: Future[Any]


@dataclass(slots=True)
class _Transaction:
    """What is to happen when the running transaction ends, one way or the other."""

    after_commit: list[Callable[[], None]] = field(default_factory=list)
    after_rollback: list[Callable[[], None]] = field(default_factory=list)


@dataclass(slots=True)
class StatementCount:
    """How many SQL statements ran while `Database.counting` was open, BEGIN and COMMIT included."""

    statements: int = 0


class _OwnedConnection(peewee.SqliteDatabase):
    """peewee on a connection that was opened (and checked) by `vibedesk.engine.store.connection`."""

    def __init__(self, path: Path, opener: Callable[[Path], sqlite3.Connection]) -> None:
        super().__init__(str(path), thread_safe=False, autoconnect=False)
        self._path = path
        self._opener = opener

    def _connect(self) -> sqlite3.Connection:
        return self._opener(self._path)

    def rollback(self) -> None:
        # SQLite undoes the transaction itself when the disk is full.
        if self.connection().in_transaction:
            super().rollback()


class Database:
    """The one way to the SQLite file of a home.

    Args:
        path: The file; made if it does not exist, unless `read_only`.
        read_only: Never write to it; a file that does not exist reads as an empty database.
        lock: Released when the database is closed.
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, lock: HomeLock | None = None
    ) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = lock
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._transaction: _Transaction | None = None
        self._synchronous = _FULL
        self._unflushed_since: float | None = None
        self._closed = False
        self._submitting = threading.Lock()
        opener = connect_for_reading if read_only else connect_for_writing
        self._connection = _OwnedConnection(path, opener)
        opened: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._own, args=(opened,), name=f"database {path.name}", daemon=True
        )
        self._thread.start()
        opened.result()

    @classmethod
    def open(cls, home: Home, *, write: bool) -> Database:
        """Open a home's database.

        Args:
            home: Where it lies; made when `write` and missing.
            write: Take the home for this process. Without it nothing is written and no lock is needed.

        Raises:
            HomeLockedError: another process writes to this home.
            SchemaTooNewError: a newer VibeDesk wrote it; nothing was changed.
            ReadOnlyHomeError, DiskFullError, StorageError: it cannot be opened.
        """
        if not write:
            return cls(home.database, read_only=True)
        with home_failure(home.root):
            home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = HomeLock.acquire(home.lock)
        try:
            return cls(home.database, lock=lock)
        except BaseException:
            lock.release()
            raise

    async def run(
        self, function: Callable[..., T], *args: Any, durable: bool = True, **keywords: Any
    ) -> T:
        """Run `function` in one transaction on the owner thread and return what it returns.

        A task that is cancelled while it waits leaves the work either undone or done wholly.

        Raises:
            DiskFullError, ReadOnlyHomeError, StorageError: SQLite refused; nothing of it was kept.
        """
        return await asyncio.wrap_future(self.submit(function, *args, durable=durable, **keywords))

    def call(
        self, function: Callable[..., T], *args: Any, durable: bool = True, **keywords: Any
    ) -> T:
        """As `run`, blocking; on the owner thread the work joins the running transaction."""
        if self.on_owner_thread:
            return function(*args, **keywords)
        return self.submit(function, *args, durable=durable, **keywords).result()

    def submit(
        self, function: Callable[..., T], *args: Any, durable: bool = True, **keywords: Any
    ) -> Future[T]:
        """Hand work in without waiting; it is done in order, after what was handed in before."""
        future: Future[T] = Future()
        with self._submitting:
            if self._closed:
                raise StorageError("The database is closed.", remedy="Start VibeDesk again.")
            self._queue.put(_Work(lambda: function(*args, **keywords), durable, future))
        return future

    @property
    def on_owner_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Have `callback` called on the owner thread once the running transaction is stored.

        It must be quick and may hand in further work with `submit`; what it raises is only logged.
        """
        self._running_transaction().after_commit.append(callback)

    def after_rollback(self, callback: Callable[[], None]) -> None:
        """Have `callback` called on the owner thread if the running transaction comes to nothing."""
        self._running_transaction().after_rollback.append(callback)

    @contextmanager
    def counting(self) -> Iterator[StatementCount]:
        """Count the SQL statements that run meanwhile."""
        count = StatementCount()

        def add(_statement: str) -> None:
            count.statements += 1

        def trace(callback: Callable[[str], None] | None) -> None:
            self._connection.connection().set_trace_callback(callback)

        self.call(trace, add)
        try:
            yield count
        finally:
            self.call(trace, None)

    def close(self) -> None:
        """Finish what was handed in, close the file, release the lock. Closing twice is harmless."""
        with self._submitting:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        if not self.on_owner_thread:
            self._thread.join()

    # ---- the owner thread ---------------------------------------------------------------

    def _own(self, opened: Future[None]) -> None:
        try:
            with translated_failures(self.path):
                self._connection.connect()
        except BaseException as error:  # noqa: BLE001 - handed to whoever opens
            self._closed = True
            opened.set_exception(error)
            return
        database_proxy.obj = self._connection
        opened.set_result(None)
        try:
            while (work := self._next()) is not None:
                self._do(work)
        finally:
            self._shut()

    def _next(self) -> _Work | None:
        while True:
            if self._unflushed_since is None:
                return self._queue.get()
            patience = self._unflushed_since + _FLUSH_SECONDS - time.monotonic()
            if patience > 0:
                try:
                    return self._queue.get(timeout=patience)
                except queue.Empty:
                    pass
            self._flush()

    def _do(self, work: _Work) -> None:
        if not work.future.set_running_or_notify_cancel():
            return
        try:
            with translated_failures(self.path):
                result = self._in_transaction(work)
        except BaseException as error:  # noqa: BLE001 - handed to the caller; pycrdt's panic is no Exception
            work.future.set_exception(error)
        else:
            work.future.set_result(result)

    def _in_transaction(self, work: _Work) -> Any:
        transaction = self._transaction = _Transaction()
        try:
            self._set_synchronous(_FULL if work.durable else _NORMAL)
            with self._connection.atomic():
                result = work.function()
        except BaseException:
            self._transaction = None
            self._call_all(transaction.after_rollback)
            raise
        self._transaction = None
        if work.durable:
            self._unflushed_since = None
        elif self._unflushed_since is None:
            self._unflushed_since = time.monotonic()
        self._call_all(transaction.after_commit)
        return result

    def _set_synchronous(self, level: str) -> None:
        # It cannot change inside a transaction.
        if level != self._synchronous and not self.read_only:
            self._connection.execute_sql(f"PRAGMA synchronous = {level}")
            self._synchronous = level

    def _flush(self) -> None:
        self._unflushed_since = None
        try:
            descriptor = os.open(self.path.with_name(self.path.name + "-wal"), os.O_RDWR)
        except FileNotFoundError:
            return
        try:
            os.fsync(descriptor)
        except OSError:
            _log.exception("could not flush the write-ahead log of %s", self.path)
        finally:
            os.close(descriptor)

    def _shut(self) -> None:
        try:
            with translated_failures(self.path):
                self._connection.close()
        except StorageError:
            _log.exception("could not close %s", self.path)
        finally:
            database_proxy.obj = None
            if self._lock is not None:
                self._lock.release()

    def _running_transaction(self) -> _Transaction:
        if not self.on_owner_thread or self._transaction is None:
            raise RuntimeError("only inside a transaction on the database's owner thread")
        return self._transaction

    def _call_all(self, callbacks: list[Callable[[], None]]) -> None:
        for callback in callbacks:
            try:
                callback()
            except Exception:  # noqa: BLE001 - what is stored is stored
                _log.exception("a callback at the end of a transaction failed")
