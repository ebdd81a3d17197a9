"""The SQL databases beside the log (vault, views, parking, volatile): how they open and write."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url

from services.chassis.durable import sync_file
from services.chassis.faults import StoreError

BUSY_SECONDS = 10
"""How long a writer waits for another process's writer on SQLite."""


class Database:
    """An engine, and the two ways to use it: `reading` and `writing`, each one transaction."""

    def __init__(self, engine: Engine) -> None:
        """Take an engine from `open_sqlite` or `open_postgres`."""
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._writer = engine.execution_options(immediate=True)
        # SQLite's busy handler sleeps in growing steps; writers of one process queue here instead.
        self._turn = threading.RLock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot; nothing is stored.

        Raises:
            StoreError: the database could not be reached.
        """
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """As `reading`, but every statement of the block sees the same moment.

        Raises:
            StoreError: the database could not be reached.
        """
        engine = self.engine
        if not self.is_sqlite:  # SQLite's readers see one moment anyway
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with _translated(), engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block, undone when the block raises.

        Raises:
            StoreError: the database could not be reached or written.
        """
        if not self.is_sqlite:
            with _translated(), self._writer.begin() as connection:
                yield connection
            return
        with self._turn, _translated(), self._writer.begin() as connection:
            yield connection

    def flush(self) -> None:
        """Let everything committed on SQLite be on the disk, also where commits are not flushed.

        Raises:
            StoreError: it cannot be flushed.
        """
        if not self.is_sqlite:
            return
        try:
            sync_file(Path(f"{self.engine.url.database}-wal"))
        except OSError as error:
            raise StoreError(f"the database was not flushed: {type(error).__name__}") from None

    def scrub(self) -> None:
        """Let nothing that was overwritten stay in the files of SQLite, as far as readers allow."""
        if not self.is_sqlite:
            return
        raw = self.engine.raw_connection()
        try:
            with suppress(sqlite3.Error):  # the next checkpoint does it
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            raw.close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
        # The driver's text may quote parameters, so only its class is told.
        raise StoreError(f"the database failed: {type(error).__name__}") from None
    except exc.DBAPIError as error:
        if error.connection_invalidated:
            raise StoreError("the connection to the database broke") from None
        if type(error) is exc.DatabaseError:  # of SQLite: no kind of its own
            raise StoreError("the file of the database is damaged") from None
        raise


def open_sqlite(path: Path, *, flushed: bool = True) -> Database:
    """A SQLite file in write-ahead mode.

    Each commit is flushed to the disk. Without `flushed` the last may be lost when the power goes,
    all before them and the file itself are not.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _configure_flushed if flushed else _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine)


def settle(path: Path) -> None:
    """Bring a SQLite file that nobody has open to where it can be read and copied alone.

    Raises:
        StoreError: somebody has it open, or it cannot be written.
    """
    try:
        connection = sqlite3.connect(path)
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"the copy could not be finished: {type(error).__name__}") from None


def open_archive(path: Path) -> Database:
    """A SQLite file that nobody writes any more; it stays as it is to the last byte."""
    address = f"file:{path.absolute().as_uri().removeprefix('file://')}"
    url = URL.create("sqlite", database=address, query={"immutable": "1", "uri": "true"})
    engine = create_engine(url, hide_parameters=True)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "connect", _leave_transactions)
    return Database(engine)


def open_postgres(location: str, schema: str, session: str, pool_size: int = 5) -> Database:
    """A schema of a PostgreSQL database; its server lists the sessions under the name `session`."""
    engine = create_engine(
        postgres_url(location),
        connect_args={
            "options": f"-csearch_path={schema}",
            "connect_timeout": 5,
            "application_name": session,
        },
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=15,
        pool_timeout=5,
    )
    return Database(engine)


def session_name(schema: str, opener: str = "") -> str:
    """Under which name PostgreSQL lists the sessions of a service: all, or one opener's."""
    return f"pivotpoint {schema} {opener}"


def postgres_url(location: str) -> URL:
    """The location with the driver that is used."""
    return make_url(location).set(drivername="postgresql+psycopg")


def _leave_transactions(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver


def _configure_sqlite(connection: Any, record: Any) -> None:
    _leave_transactions(connection, record)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA secure_delete=ON")  # an erased key must not stay in a free page


def _configure_flushed(connection: Any, record: Any) -> None:
    _configure_sqlite(connection, record)
    connection.execute("PRAGMA synchronous=FULL")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that starts as a reader could not wait its turn: SQLite refuses the upgrade at once.
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
