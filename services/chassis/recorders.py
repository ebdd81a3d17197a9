"""The rows of the log: the library's process recorders for both databases, with what they lack."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.postgres import PostgresDatastore, PostgresProcessRecorder
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteDatastore,
    SQLiteProcessRecorder,
)
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composed, Identifier

CHUNK = 400
"""Streams in one query."""
BUSY_SECONDS = 10
COUNT_LIMIT = 100_000
"""Where counting what waits stops."""

T = TypeVar("T")


class Recorder(Protocol):
    """What the log asks of a recorder; positions are the library's notification ids."""

    def create_table(self) -> None: ...
    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None: ...
    def select_events(self, originator_id: UUID | str) -> Sequence[StoredEvent]: ...
    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]: ...
    def max_notification_id(self) -> int | None: ...
    def max_tracking_id(self, application_name: str) -> int | None: ...
    def select_streams(self, streams: Collection[UUID]) -> list[StoredEvent]: ...
    def select_versions(self, streams: Collection[UUID]) -> set[tuple[UUID, int]]: ...
    def count_after(self, position: int, topics: Sequence[str]) -> int: ...
    def gaps(self) -> list[tuple[UUID, str]]: ...
    def close(self) -> None: ...


class _DurablePool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        # Not every build of SQLite flushes each commit unless told to.
        connection.cursor().execute("PRAGMA synchronous=FULL")
        return connection


class SQLiteRecorder(SQLiteProcessRecorder):
    """Rows in one file; a position is an explicit id that is never given out twice."""

    def __init__(self, path: str) -> None:
        """Open the file; nothing is created before `create_table`."""
        datastore = SQLiteDatastore(db_name=path)
        datastore.pool = _DurablePool(db_name=path, lock_timeout=BUSY_SECONDS)
        super().__init__(datastore)
        self.insert_events_statement = (
            f"INSERT INTO {self.events_table_name} "
            "(originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        """The library's tables, but with a row id that is never used again (nor by VACUUM)."""
        tracking = super().construct_create_table_statements()[1:]
        return [
            f"CREATE TABLE IF NOT EXISTS {self.events_table_name} ("
            "rowid INTEGER PRIMARY KEY AUTOINCREMENT, "
            "originator_id TEXT NOT NULL, "
            "originator_version INTEGER NOT NULL, "
            "topic TEXT NOT NULL, "
            "state BLOB NOT NULL, "
            "UNIQUE (originator_id, originator_version))",
            *tracking,
        ]

    def select_streams(self, streams: Collection[UUID]) -> list[StoredEvent]:
        """All events of the streams, each stream in order of version."""
        return [
            StoredEvent(UUID(row[0]), row[1], row[2], row[3])
            for some in _chunks(streams)
            for row in self._rows(
                "SELECT originator_id, originator_version, topic, state "
                f"FROM {self.events_table_name} WHERE originator_id IN ({_marks(some)}) "
                "ORDER BY originator_id, originator_version",
                [stream.hex for stream in some],
            )
        ]

    def select_versions(self, streams: Collection[UUID]) -> set[tuple[UUID, int]]:
        """Which versions the streams have."""
        return {
            (UUID(row[0]), row[1])
            for some in _chunks(streams)
            for row in self._rows(
                f"SELECT originator_id, originator_version FROM {self.events_table_name} "
                f"WHERE originator_id IN ({_marks(some)})",
                [stream.hex for stream in some],
            )
        }

    def count_after(self, position: int, topics: Sequence[str]) -> int:
        """How many events of these topics (none: of all) stand after the position."""
        only = f"AND topic IN ({_marks(topics)}) " if topics else ""
        statement = (
            f"SELECT COUNT(*) FROM (SELECT 1 FROM {self.events_table_name} "
            f"WHERE rowid > ? {only}LIMIT {COUNT_LIMIT})"
        )
        return int(self._rows(statement, [position, *topics])[0][0])

    def gaps(self) -> list[tuple[UUID, str]]:
        """Streams whose versions or positions are out of order, and how."""
        return [
            (UUID(row[0]), text)
            for text, statement in _gap_statements(self.events_table_name, "rowid")
            for row in self._rows(statement, [])
        ]

    def close(self) -> None:
        """Close every connection."""
        self.datastore.close()

    def _rows(self, statement: str, params: Sequence[Any]) -> list[Any]:
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(statement, params)
            return list(cursor.fetchall())


class PostgresRecorder(PostgresProcessRecorder):
    """Rows in a schema of PostgreSQL; the library's lock, NOTIFY and tracking, a faster insert."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        """Use a schema of a database; nothing is created before `create_table`."""
        super().__init__(datastore, events_table_name="events", tracking_table_name="tracking")
        # Rows come as four arrays, so neither the composite type nor the functions are wanted.
        self.sql_create_statements = [
            statement
            for statement in self.sql_create_statements
            if "CREATE TYPE" not in statement.as_string()
            and "FUNCTION" not in statement.as_string()
        ]
        self._insert_rows = self._about(
            "INSERT INTO {table} (originator_id, originator_version, topic, state) "
            "SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bytea[]) "
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
        only = "AND topic = ANY(%s) " if topics else ""
        statement = self._about(
            "SELECT COUNT(*) AS waiting FROM (SELECT 1 FROM {table} "
            f"WHERE notification_id > %s {only}LIMIT {COUNT_LIMIT}) AS some"
        )
        params = [position, list(topics)] if topics else [position]
        return int(self._rows(statement, params)[0]["waiting"])

    def gaps(self) -> list[tuple[UUID, str]]:
        """Streams whose versions or positions are out of order, and how."""
        return [
            (row["originator_id"], text)
            for text, statement in _gap_statements("{table}", "notification_id")
            for row in self._rows(self._about(statement), [])
        ]

    def close(self) -> None:
        """Close every connection."""
        self.datastore.close()

    def _about(self, statement: str) -> Composed:
        schema, table = self.datastore.schema, self.events_table_name
        return SQL(statement).format(table=Identifier(schema, table))

    def _rows(self, statement: Composed, params: Sequence[Any]) -> list[DictRow]:
        with self.datastore.get_connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement, params)
            return cursor.fetchall()


def _gap_statements(table: str, position: str) -> list[tuple[str, str]]:
    return [
        (
            "versions have a gap",
            f"SELECT originator_id FROM {table} GROUP BY originator_id "
            "HAVING COUNT(*) <> MAX(originator_version) OR MIN(originator_version) <> 1",
        ),
        (
            "positions do not grow with the versions",
            f"SELECT DISTINCT a.originator_id FROM {table} a JOIN {table} b "
            "ON b.originator_id = a.originator_id "
            "AND b.originator_version = a.originator_version + 1 "
            f"WHERE b.{position} <= a.{position}",
        ),
    ]


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


def _chunks(items: Collection[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, CHUNK)):
        yield some
