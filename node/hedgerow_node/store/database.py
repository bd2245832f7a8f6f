"""One SQLite file: one writer thread with group commit, two readers beside it, and sentences when it cannot work.

Writes are callables that get the connection. Those that wait at the same moment share one transaction, so that many
small writes cost one flush of the disk; each runs in a savepoint, so that one that fails undoes only itself. A write
is answered after its transaction is on the disk (``synchronous = FULL``).

Usable from an event loop (``await write(…)``, ``await read(…)``) and without one (``write_now``, ``read_now``).
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from hedgerow_node.store import migrations
from hedgerow_node.store.errors import StoreBusyError, StoreError, StoreTooSlowError, sentence_for

WRITES_WAITING_MAX: Final = 1_000
"""Writes. Beyond them callers are told that the store is busy instead of filling the memory."""

WRITES_TOGETHER_MAX: Final = 64
"""Writes in one transaction; more only add waiting."""

READERS: Final = 2
"""Threads that read: one long read leaves another free."""

READ_STEPS_MAX: Final = 200_000_000
"""Steps of SQLite's machine in one read, roughly ten seconds: a net below everything that is bounded by itself."""

_STEPS_BETWEEN_CHECKS = 100_000

_T = TypeVar("_T")
_Job: TypeAlias = "tuple[Work[Any], Future[Any], Callable[[Any], None] | None]"
Connection: TypeAlias = sqlite3.Connection
Work: TypeAlias = Callable[[Connection], _T]

_PRAGMAS = (
    # Of a new file; an old one keeps its own. Ids are random, so each record touches other pages of every index, and
    # fewer, larger ones cost less than many small ones: a tenth of what a new record costs.
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16000",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA busy_timeout = 2000",
)


class Database:
    """An open store. Make one with :meth:`open`, end it with :meth:`close`."""

    def __init__(self, path: Path, writer: Connection) -> None:
        self.path = path
        self.version = 0
        """Grows with every transaction that changed something: what was computed before may be out of date."""
        self.undone: Callable[[], None] = lambda: None
        """Called in the writer thread when a whole transaction came to nothing, though its works had run."""
        self._connection = writer
        self._jobs: queue.Queue[_Job | None] = queue.Queue(WRITES_WAITING_MAX)
        self._closing = False
        self._thread = threading.Thread(target=self._write_forever, name="store-writer", daemon=True)
        self._local = threading.local()
        self._reader_connections: list[Connection] = []
        self._readers = ThreadPoolExecutor(READERS, "store-reader")
        self._thread.start()

    @classmethod
    def open(
        cls,
        path: Path,
        steps: Sequence[migrations.Step] = migrations.STEPS,
        *,
        set_name: str = migrations.SET_NAME,
        pragmas: Sequence[str] = (),
    ) -> "Database":
        """Open or create the store at ``path`` and bring its tables up to date. Raises :class:`StoreError`.

        ``pragmas`` are said to the writer before the file is made.
        """
        try:
            return cls(path, _open_writer(path, steps, set_name, (_PRAGMAS[0], *pragmas, *_PRAGMAS[1:])))
        except (sqlite3.Error, OSError) as error:
            raise StoreError(sentence_for(error, path.name)) from error

    # --- writing

    async def write(self, work: Work[_T], committed: Callable[[_T], None] | None = None) -> _T:
        """Run ``work`` in the writer thread and return what it returns once that is on the disk.

        ``committed`` is told the same in the writer thread, before anybody who waits and in the order of the commits,
        also when the caller no longer waits; it must not raise. Raises what ``work`` raises (its changes are then
        undone), or :class:`StoreError`.
        """
        return await asyncio.wrap_future(self._submit(work, committed))

    def write_now(self, work: Work[_T]) -> _T:
        """The same for callers without an event loop; blocks."""
        return self._submit(work).result()

    def _submit(self, work: Work[_T], committed: Callable[[_T], None] | None = None) -> "Future[_T]":
        if self._closing:
            raise StoreError("The store is closed.")
        future: Future[_T] = Future()
        try:
            self._jobs.put_nowait((work, future, committed))
        except queue.Full:
            raise StoreBusyError("Too much is waiting to be written. Try again in a moment.") from None
        return future

    def _write_forever(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            jobs = [job]
            last = False
            while len(jobs) < WRITES_TOGETHER_MAX and not last:
                try:
                    more = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                else:
                    jobs.append(more)
            self._write_together(jobs)
            if last:
                return

    def _write_together(self, jobs: list[_Job]) -> None:
        # A future that was cancelled while it waited is not begun; one that has begun runs to its end.
        begun = [job for job in jobs if job[1].set_running_or_notify_cancel()]
        results: list[tuple[Any, BaseException | None]] = []
        connection = self._connection
        try:
            before = connection.total_changes
            connection.execute("BEGIN IMMEDIATE")
            for work, _future, _committed in begun:
                results.append(self._write_one(connection, work))
            connection.execute("COMMIT")
            if connection.total_changes != before:
                self.version += 1
        except (sqlite3.Error, StoreError) as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self.undone()
            failure = StoreError(sentence_for(error, self.path.name))
            failure.__cause__ = error
            for _work, future, _committed in begun:
                future.set_exception(failure)
            return
        for (_work, _future, committed), (result, raised) in zip(begun, results, strict=True):
            if raised is None and committed is not None:
                committed(result)
        for (_work, future, _committed), (result, raised) in zip(begun, results, strict=True):
            if raised is None:
                future.set_result(result)
            else:
                future.set_exception(raised)

    def _write_one(self, connection: Connection, work: Work[Any]) -> tuple[Any, BaseException | None]:
        connection.execute("SAVEPOINT one")
        try:
            result = work(connection)
        except Exception as error:
            if not connection.in_transaction:
                raise StoreError(str(error)) from error  # SQLite gave the whole transaction up: the disk is full
            connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
            if isinstance(error, sqlite3.OperationalError):
                told = StoreError(sentence_for(error, self.path.name))
                told.__cause__ = error
                return None, told
            return None, error
        connection.execute("RELEASE one")
        return result, None

    # --- reading

    async def read(self, work: Work[_T]) -> _T:
        """Run ``work`` with a reading connection that sees one moment of the store. Raises :class:`StoreError`."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def read_now(self, work: Work[_T]) -> _T:
        """The same for callers without an event loop; blocks."""
        return self._readers.submit(self._read, work).result()

    def _read(self, work: Work[_T]) -> _T:
        steps = 0

        def check() -> int:
            nonlocal steps
            steps += _STEPS_BETWEEN_CHECKS
            return int(steps > READ_STEPS_MAX)

        try:
            connection = self._reader()
            connection.set_progress_handler(check, _STEPS_BETWEEN_CHECKS)
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if "interrupted" in str(error):
                raise StoreTooSlowError("This question takes too long to answer. Ask for less.") from error
            raise StoreError(sentence_for(error, self.path.name)) from error
        except sqlite3.DatabaseError as error:
            raise StoreError(sentence_for(error, self.path.name)) from error

    def _reader(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = _connect(self.path)
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA cache_size = -8000")
            self._local.connection = connection
            self._reader_connections.append(connection)
        return connection

    # --- the rest

    def damage(self) -> str | None:
        """Look the whole file over (slow). A sentence when it is damaged, else ``None``."""
        try:
            rows = self.read_now(lambda connection: connection.execute("PRAGMA integrity_check(1)").fetchall())
        except StoreTooSlowError:
            return None  # too large to look over whole within the bound
        except StoreError as error:
            return str(error)
        return None if rows == [("ok",)] else sentence_for(sqlite3.DatabaseError("malformed"), self.path.name)

    def close(self) -> None:
        """Finish what waits, then close. Idempotent."""
        if self._closing:
            return
        self._closing = True
        self._jobs.put(None)
        self._thread.join()
        self._readers.shutdown()
        for connection in self._reader_connections:
            connection.close()
        self._connection.close()


def _connect(path: Path) -> Connection:
    # Transactions are begun and ended by hand; connections are used by one thread and closed by another.
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)


def _open_writer(path: Path, steps: Sequence[migrations.Step], set_name: str, pragmas: Sequence[str]) -> Connection:
    existed = path.exists() and path.stat().st_size > 0
    connection = _connect(path)
    try:
        done = migrations.applied(connection, set_name)
        newer = migrations.unknown(done, steps)
        if newer:
            raise StoreError(
                f"{path.name} was written by a newer version of this program (it has had the step {newer[0]}). "
                "Install that version, or restore the backup that was made before."
            )
        for pragma in pragmas:
            connection.execute(pragma)
        due = migrations.pending(done, steps)
        if due:
            if existed:
                _back_up(connection, path.with_name(f"{path.name}.before-{due[0].name}"))
            migrations.apply(connection, steps, set_name)
    except BaseException:
        connection.close()
        raise
    return connection


def _back_up(connection: Connection, path: Path) -> None:
    path.touch(mode=0o600)
    target = sqlite3.connect(path)
    try:
        connection.backup(target)
    finally:
        target.close()
