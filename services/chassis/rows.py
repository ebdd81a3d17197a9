"""Copies the rows of what is durable from one store to another, sealed as they are.

Either store may be files or a schema of PostgreSQL, so a backup is itself a small store. The order
matters: the log first and the vault last, so that the key of every event is there. What is parked
is taken before and after the log, since a reader that went on in between may have freed an entry
whose effects the copied log lacks; tried once more, it changes nothing.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    Uuid,
    delete,
    func,
    insert,
    select,
    text,
)

from services.chassis import parking, timers, vault
from services.chassis.database import Database
from services.chassis.eventlog import Progress
from services.chassis.keys import KEYS
from services.chassis.store import FACTS, Store

PAGE = 2_000


def copy_store(source: Store, target: Store, progress: Progress) -> None:
    """Fill `target`, whose tables are there and empty, with what is durable in `source`."""
    parked = _parked(source)
    _copy_log(source.database("log"), target.database("log"), progress)
    for place, row in _parked(source).items():
        known = parked.get(place)
        if known is None or row["position"] < known["position"]:
            parked[place] = row
    into = target.database("parking")
    _insert(into, parking.PARKED, [row | {"replay": False} for row in parked.values()])
    _copy(source.database("parking"), into, timers.GUARD)
    for table in (vault.SECRETS, vault.CLIENTS, KEYS):
        _copy(source.database("vault"), target.database("vault"), table)


def _parked(store: Store) -> dict[tuple[str, UUID], dict[str, Any]]:
    with store.database("parking").reading() as connection:
        found = _all(connection, parking.PARKED)
    return {(row["reader"], row["key"]): row for row in found}


def _copy_log(source: Database, target: Database, progress: Progress) -> None:
    """Events with their positions, readers' positions and facts, all as of one moment."""
    old, new = _events(source), _events(target)
    with source.snapshot() as reading, target.writing() as writing:
        total = int(reading.scalar(select(func.count()).select_from(old)) or 0)
        done = 0
        query = _all_of(old).order_by(old.c.position).execution_options(yield_per=PAGE)
        for page in _pages(reading.execute(query)):
            _write(target, writing, new, page)
            done += len(page)
            progress(done, total)
        writing.execute(delete(TRACKING))  # a fresh table holds a mark of the library's own
        for table in (TRACKING, FACTS):
            _write(target, writing, table, _all(reading, table))
        if not target.is_sqlite:
            # Positions are never given out twice, and a fresh table has no statistics.
            writing.execute(text(NEXT_POSITION))
            writing.execute(text("ANALYZE events"))


def _copy(source: Database, target: Database, table: Table) -> None:
    with source.snapshot() as reading, target.writing() as writing:
        query = _all_of(table).execution_options(yield_per=PAGE)
        for page in _pages(reading.execute(query)):
            _write(target, writing, table, page)


def _insert(target: Database, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    with target.writing() as writing:
        _write(target, writing, table, rows)


def _all_of(table: Table) -> Select[Any]:
    """The rows of a table under the keys that `insert` takes them by."""
    return select(*(column.label(column.key) for column in table.columns))


def _all(connection: Connection, table: Table) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(_all_of(table))]


def _pages(rows: Any) -> Iterator[list[dict[str, Any]]]:
    found = iter(rows)
    while some := list(islice(found, PAGE)):
        yield [dict(row._mapping) for row in some]


def _write(
    target: Database, connection: Connection, table: Table, rows: Sequence[dict[str, Any]]
) -> None:
    """Insert rows, on PostgreSQL by COPY, which takes a million events in seconds."""
    if not rows:
        return
    if target.is_sqlite:
        connection.execute(insert(table), rows)
        return
    names = [column.key for column in table.columns]
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])


NEXT_POSITION = (
    "SELECT setval(pg_get_serial_sequence('events', 'notification_id'), "
    "(SELECT COALESCE(MAX(notification_id), 1) FROM events), "
    "EXISTS (SELECT 1 FROM events))"
)
TRACKING = Table(
    "tracking",
    MetaData(),
    Column("application_name", String, primary_key=True),
    Column("notification_id", BigInteger, nullable=False),
)


def _events(database: Database) -> Table:
    """The library's table of events, whose names differ."""
    name, position = (
        ("stored_events", "rowid") if database.is_sqlite else ("events", "notification_id")
    )
    return Table(
        name,
        MetaData(),
        Column(position, BigInteger, key="position"),
        Column("originator_id", Uuid, primary_key=True),
        Column("originator_version", BigInteger, primary_key=True),
        Column("topic", String),
        Column("state", LargeBinary),
    )
