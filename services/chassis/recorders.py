"""The rows of the log: the library's process recorders for both databases, with what they lack."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar
from uuid import UUID

import orjson
from eventsourcing.persistence import (
    IntegrityError,
    InterfaceError,
    Notification,
    OperationalError,
    StoredEvent,
    Tracking,
)
from eventsourcing.postgres import PostgresDatastore, PostgresProcessRecorder
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteProcessRecorder,
)
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composed, Identifier

CHUNK = 400
"""Streams in one query."""
BUSY_SECONDS = 10
STATEMENTS = 64
"""Compiled statements that a connection to SQLite keeps."""
COUNT_LIMIT = 100_000
"""Where counting what waits stops."""
EVENTS = "events"
"""The table of events on PostgreSQL, and the channel on which each insert is told of."""
GAP = "versions have a gap"
DISORDER = "positions do not grow with the versions"

T = TypeVar("T")


@dataclass(frozen=True)
class Move(Tracking):
    """A reader's step from exactly `after`: of two that read the same page, one is refused."""

    after: int


class Recorder(Protocol):
    """What the log asks of a recorder; positions are the library's notification ids."""

    def create_table(self) -> None:
        """Create the tables where they are missing."""
        ...

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Insert rows and, as `tracking`, a reader's position in one transaction."""
        ...

    def select_events(self, originator_id: UUID | str) -> Sequence[StoredEvent]:
        """The rows of a stream in order of version."""
        ...

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Rows in order of position."""
        ...

    def max_notification_id(self) -> int | None:
        """The highest position."""
        ...

    def max_tracking_id(self, application_name: str) -> int | None:
        """The position of a reader."""
        ...

    def select_streams(self, streams: Collection[UUID]) -> list[StoredEvent]:
        """The rows of many streams, each stream in order of version."""
        ...

    def select_versions(self, streams: Collection[UUID]) -> set[tuple[UUID, int]]:
        """Which versions the streams have."""
        ...

    def count_after(self, position: int, topics: Sequence[str]) -> int:
        """How many rows of these topics (none: of all) stand after a position."""
        ...

    def gaps(self) -> list[tuple[UUID, str]]:
        """Streams whose versions or positions are out of order, and how."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        try:
            connection = sqlite3.connect(
                self.db_name,
                uri=True,
                check_same_thread=False,
                isolation_level=None,
                timeout=BUSY_SECONDS,
                # The library keeps one statement, so that nearly each would be compiled anew.
                cached_statements=STATEMENTS,
            )
            connection.execute("PRAGMA journal_mode=WAL")
            # Not every build of SQLite flushes each commit unless told to.
            connection.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error as error:
            raise InterfaceError(type(error).__name__) from None
        connection.row_factory = sqlite3.Row
        return SQLiteConnection(connection, self.max_age)


class _Datastore(SQLiteDatastore):
    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.pool = _Pool(db_name=path)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        """A transaction to write in; whoever reads asks one statement, which sees one moment."""
        if commit:
            with super().transaction(commit=True) as writing:
                yield writing
            return
        with self.get_connection(commit=False) as connection:
            cursor: SQLiteCursor = connection.cursor()
            with cursor:
                try:
                    yield cursor
                except sqlite3.OperationalError as error:
                    raise OperationalError(error) from error


class SQLiteRecorder(SQLiteProcessRecorder):
    """Rows in one file; a position is an explicit id that is never given out twice."""

    def __init__(self, path: str) -> None:
        """Open the file; nothing is created before `create_table`."""
        super().__init__(_Datastore(path))
        self.insert_events_statement = (
            "INSERT INTO stored_events "
            "(originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        """The library's tables, but with a row id that is never used again (nor by VACUUM)."""
        tracking = super().construct_create_table_statements()[1:]
        return [
            "CREATE TABLE IF NOT EXISTS stored_events ("
            "rowid INTEGER PRIMARY KEY AUTOINCREMENT, "
            "originator_id TEXT NOT NULL, "
            "originator_version INTEGER NOT NULL, "
            "topic TEXT NOT NULL, "
            "state BLOB NOT NULL, "
            "UNIQUE (originator_id, originator_version))",
            *tracking,
        ]

    def _insert_tracking(self, c: SQLiteCursor, tracking: Tracking) -> None:
        if not isinstance(tracking, Move):
            super()._insert_tracking(c, tracking)
            return
        c.execute(
            "INSERT INTO tracking VALUES (:name, :to) ON CONFLICT (application_name) "
            "DO UPDATE SET notification_id = :to WHERE tracking.notification_id = :after "
            "RETURNING notification_id",
            _step(tracking),
        )
        if c.fetchone() is None:
            raise IntegrityError("the position is not where the reader left it")

    def select_streams(self, streams: Collection[UUID]) -> list[StoredEvent]:
        """All events of the streams, each stream in order of version."""
        statement = (
            "SELECT originator_id, originator_version, topic, state FROM stored_events "
            "WHERE originator_id IN (SELECT value FROM json_each(?)) "
            "ORDER BY originator_id, originator_version"
        )
        return [
            StoredEvent(UUID(row[0]), row[1], row[2], row[3])
            for some in _chunks(streams)
            for row in self._rows(statement, [_listed(some)])
        ]

    def select_versions(self, streams: Collection[UUID]) -> set[tuple[UUID, int]]:
        """Which versions the streams have."""
        statement = (
            "SELECT originator_id, originator_version FROM stored_events "
            "WHERE originator_id IN (SELECT value FROM json_each(?))"
        )
        return {
            (UUID(row[0]), row[1])
            for some in _chunks(streams)
            for row in self._rows(statement, [_listed(some)])
        }

    def count_after(self, position: int, topics: Sequence[str]) -> int:
        """How many events of these topics (none: of all) stand after the position."""
        statement = (
            "SELECT COUNT(*) FROM (SELECT 1 FROM stored_events WHERE rowid > ? "
            "AND (?2 = '[]' OR topic IN (SELECT value FROM json_each(?2))) LIMIT ?3)"
        )
        wanted = orjson.dumps(list(topics)).decode()
        return int(self._rows(statement, [position, wanted, COUNT_LIMIT])[0][0])

    def gaps(self) -> list[tuple[UUID, str]]:
        """Streams whose versions or positions are out of order, and how."""
        statements = [
            (
                GAP,
                "SELECT originator_id FROM stored_events GROUP BY originator_id "
                "HAVING COUNT(*) <> MAX(originator_version) OR MIN(originator_version) <> 1",
            ),
            (
                DISORDER,
                "SELECT DISTINCT a.originator_id FROM stored_events a JOIN stored_events b "
                "ON b.originator_id = a.originator_id "
                "AND b.originator_version = a.originator_version + 1 WHERE b.rowid <= a.rowid",
            ),
        ]
        return [
            (UUID(row[0]), text) for text, statement in statements for row in self._rows(statement)
        ]

    def close(self) -> None:
        """Close every connection."""
        self.datastore.close()

    def _rows(self, statement: str, params: Sequence[Any] = ()) -> list[Any]:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(statement, params)
            return list(cursor.fetchall())


class PostgresRecorder(PostgresProcessRecorder):
    """Rows in a schema of PostgreSQL; the library's lock, NOTIFY and tracking, a faster insert."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        """Use a schema of a database; nothing is created before `create_table`."""
        super().__init__(datastore, events_table_name=EVENTS, tracking_table_name="tracking")
        # Rows come as four arrays, so neither the composite type nor the functions are wanted.
        self.sql_create_statements = [
            statement
            for statement in self.sql_create_statements
            if "CREATE TYPE" not in statement.as_string()
            and "FUNCTION" not in statement.as_string()
        ]
        self._insert_rows = self._about(
            "INSERT INTO {table} (originator_id, originator_version, topic, state) "
            "SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[]) "
            "RETURNING notification_id"
        )

    def _insert_stored_events(
        self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **_: Any
    ) -> None:
        self._lock_table(curs)
        self._notify_channel(curs)
        curs.execute(
            self._insert_rows,
            (
                [event.originator_id for event in stored_events],
                [event.originator_version for event in stored_events],
                [event.topic for event in stored_events],
                [event.state for event in stored_events],
            ),
            binary=True,
        )

    def _insert_tracking(self, curs: Cursor[DictRow], tracking: Tracking) -> None:
        if not isinstance(tracking, Move):
            super()._insert_tracking(curs, tracking)
            return
        table = Identifier(self.datastore.schema, self.tracking_table_name)
        statement = SQL(
            "INSERT INTO {table} AS t VALUES (%(name)s, %(to)s) ON CONFLICT (application_name) "
            "DO UPDATE SET notification_id = %(to)s WHERE t.notification_id = %(after)s "
            "RETURNING notification_id"
        ).format(table=table)
        curs.execute(statement, _step(tracking), prepare=True)
        if curs.fetchone() is None:
            raise IntegrityError("the position is not where the reader left it")

    def select_streams(self, streams: Collection[UUID]) -> list[StoredEvent]:
        """All events of the streams, each stream in order of version."""
        statement = self._about(
            "SELECT originator_id, originator_version, topic, state FROM {table} "
            "WHERE originator_id = ANY(%s) ORDER BY originator_id, originator_version"
        )
        return [
            StoredEvent(
                row["originator_id"], row["originator_version"], row["topic"], bytes(row["state"])
            )
            for some in _chunks(streams)
            for row in self._rows(statement, [some])
        ]

    def select_versions(self, streams: Collection[UUID]) -> set[tuple[UUID, int]]:
        """Which versions the streams have."""
        statement = self._about(
            "SELECT originator_id, originator_version FROM {table} WHERE originator_id = ANY(%s)"
        )
        return {
            (row["originator_id"], row["originator_version"])
            for some in _chunks(streams)
            for row in self._rows(statement, [some])
        }

    def count_after(self, position: int, topics: Sequence[str]) -> int:
        """How many events of these topics (none: of all) stand after the position."""
        statement = self._about(
            "SELECT COUNT(*) AS waiting FROM (SELECT 1 FROM {table} WHERE notification_id > %s "
            "AND (%s OR topic = ANY(%s)) LIMIT %s) AS seen"
        )
        params = [position, not topics, list(topics), COUNT_LIMIT]
        return int(self._rows(statement, params)[0]["waiting"])

    def gaps(self) -> list[tuple[UUID, str]]:
        """Streams whose versions or positions are out of order, and how."""
        statements = [
            (
                GAP,
                "SELECT originator_id FROM {table} GROUP BY originator_id "
                "HAVING COUNT(*) <> MAX(originator_version) OR MIN(originator_version) <> 1",
            ),
            (
                DISORDER,
                "SELECT DISTINCT a.originator_id FROM {table} a JOIN {table} b "
                "ON b.originator_id = a.originator_id "
                "AND b.originator_version = a.originator_version + 1 "
                "WHERE b.notification_id <= a.notification_id",
            ),
        ]
        return [
            (row["originator_id"], text)
            for text, statement in statements
            for row in self._rows(self._about(statement))
        ]

    def close(self) -> None:
        """Close every connection."""
        self.datastore.close()

    def _about(self, statement: str) -> Composed:
        schema, table = self.datastore.schema, self.events_table_name
        return SQL(statement).format(table=Identifier(schema, table))

    def _rows(self, statement: Composed, params: Sequence[Any] = ()) -> list[DictRow]:
        with self.datastore.get_connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement, params)
            return cursor.fetchall()


def _step(move: Move) -> dict[str, Any]:
    return {"name": move.application_name, "to": move.notification_id, "after": move.after}


def _listed(streams: Sequence[UUID]) -> str:
    return orjson.dumps([stream.hex for stream in streams]).decode()


def _chunks(items: Collection[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, CHUNK)):
        yield some
