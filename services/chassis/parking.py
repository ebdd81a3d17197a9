"""What a reader could not digest waits here, as pointers, so that one episode stops, not all."""

import builtins
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    MetaData,
    Select,
    String,
    Table,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from services.chassis.database import Database

METADATA = MetaData()
PARKED = Table(
    "parked",
    METADATA,
    Column("reader", String(200), primary_key=True),
    Column("key", Uuid, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("error", String(200), nullable=False),
    Column("replay", Boolean, nullable=False),
)
# Statements are made once: the lists are asked with every page of messages.
_ALL = select(PARKED).order_by(PARKED.c.reader, PARKED.c.position)
_OF_READER = _ALL.where(PARKED.c.reader == bindparam("of"))
_REQUESTED = _OF_READER.where(PARKED.c.replay)


@dataclass(frozen=True, slots=True)
class Parked:
    """From `position` on, `reader` passes over the events of `key`; `error` is a class name."""

    reader: str
    key: UUID
    position: int
    error: str
    replay: bool
    """Whether its replay was asked for."""


class Parking:
    """The durable list of what each reader has parked."""

    def __init__(self, database: Database) -> None:
        """Keep the list in `database`, made by `migrate`."""
        self._database = database

    def migrate(self) -> None:
        """Create the table where it is missing."""
        with self._database.writing() as connection:
            METADATA.create_all(connection)

    def park(self, reader: str, key: UUID, position: int, error: str) -> None:
        """Park a key from `position` on; an earlier position that is there already stays."""
        this = _is(reader, key)
        with self._database.writing() as connection:
            known = connection.scalar(select(PARKED.c.position).where(*this))
            if known is None:
                row = {"reader": reader, "key": key, "position": position}
                connection.execute(insert(PARKED).values(**row, error=error, replay=False))
            else:
                first = min(known, position)
                change = update(PARKED).where(*this)
                connection.execute(change.values(position=first, error=error, replay=False))

    def parked(self, reader: str) -> dict[UUID, int]:
        """The keys a reader has parked, each with the first position that waits."""
        return {one.key: one.position for one in self._select(_OF_READER, reader)}

    def list(self) -> builtins.list[Parked]:
        """Everything that is parked, by reader and position."""
        return self._select(_ALL)

    def requested(self, reader: str) -> dict[UUID, int]:
        """Those keys of a reader whose replay was asked for, with their first positions."""
        return {one.key: one.position for one in self._select(_REQUESTED, reader)}

    def request_replay(self, reader: str, key: UUID) -> bool:
        """Ask the reader's follower to try again; whether that key is parked at all."""
        with self._database.writing() as connection:
            this = _is(reader, key)
            found = _exists(connection, this)
            connection.execute(update(PARKED).where(*this).values(replay=True))
        return found

    def advance(self, reader: str, key: UUID, position: int) -> None:
        """Everything of the key before `position` has been digested."""
        with self._database.writing() as connection:
            connection.execute(update(PARKED).where(*_is(reader, key)).values(position=position))

    def refuse(self, reader: str, key: UUID, error: str) -> None:
        """The replay that was asked for failed with an error of this class."""
        with self._database.writing() as connection:
            change = update(PARKED).where(*_is(reader, key))
            connection.execute(change.values(error=error, replay=False))

    def unpark(self, reader: str, key: UUID) -> None:
        """The key's events have been digested."""
        with self._database.writing() as connection:
            connection.execute(delete(PARKED).where(*_is(reader, key)))

    def count(self, reader: str | None = None) -> int:
        """How many keys are parked, by one reader or by all."""
        query = select(func.count()).select_from(PARKED)
        if reader is not None:
            query = query.where(PARKED.c.reader == reader)
        with self._database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def _select(self, query: Select[Any], reader: str = "") -> builtins.list[Parked]:
        with self._database.reading() as connection:
            return [Parked(**row._mapping) for row in connection.execute(query, {"of": reader})]


def _is(reader: str, key: UUID) -> tuple[Any, Any]:
    return PARKED.c.reader == reader, PARKED.c.key == key


def _exists(connection: Connection, this: tuple[Any, Any]) -> bool:
    return connection.scalar(select(PARKED.c.position).where(*this)) is not None
