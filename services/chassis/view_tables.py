"""The tables behind the views: builds beside each other, sealed rows, and the switch between them.

The live build's table bears the view's name, one that is being filled the name and its number; the
switch renames, so that conditions made for the live table hold before and after it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Delete,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from services.chassis.database import Database
from services.chassis.eventlog import Entry
from services.chassis.faults import ConflictError, ForgedError, ShreddedError
from services.chassis.vault import Vault
from services.chassis.view import Document, View

T = TypeVar("T")

CHUNK = 400
METADATA = MetaData()
BUILDS = Table(
    "view_builds",
    METADATA,
    Column("view", String(60), primary_key=True),
    Column("build", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("live", Boolean, nullable=False),
)
# Statements are made once: composing them anew costs more than SQLite takes to carry them out.
_BUILD = select(BUILDS).where(BUILDS.c.view == bindparam("v"), BUILDS.c.build == bindparam("b"))
_EVERY = select(BUILDS)
_ALL = select(BUILDS).where(BUILDS.c.view == bindparam("v")).order_by(BUILDS.c.build)
_MOVE = (
    update(BUILDS)
    .where(tuple_(BUILDS.c.view, BUILDS.c.build).in_(bindparam("these", expanding=True)))
    .where(BUILDS.c.position == bindparam("at"))
    .values(position=bindparam("to"))
    .returning(*BUILDS.c)
)


@dataclass(frozen=True, slots=True)
class Build:
    """One filling of a view."""

    number: int
    version: int
    position: int
    live: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What one page does to one view: fold `entries` into a build that stands at `at`."""

    view: View
    number: int
    entries: Sequence[Entry]
    at: int


@dataclass(slots=True)
class Stored:
    """A document and the position it has been folded up to (0 and None: there is none)."""

    doc: Document | None
    position: int


class ViewTables:
    """Reads and writes builds within transactions that the caller opens on `database`."""

    def __init__(self, database: Database, vault: Vault) -> None:
        """Keep the builds in `database`, sealed with `vault`."""
        self.database = database
        self._vault = vault
        self._tables: dict[tuple[type[View], str], Table] = {}
        self._loads: dict[Table, Select[Any]] = {}
        self._upserts: dict[Table, sqlite.Insert | postgresql.Insert] = {}
        self._deletes: dict[Table, Delete] = {}

    def migrate(self) -> None:
        """Create the list of builds where it is missing."""
        with self.database.writing() as connection:
            METADATA.create_all(connection)

    # Builds

    def current(self, connection: Connection, view: View) -> Build | None:
        """The live build of this version, else the first that is being filled."""
        mine = [one for one in self._builds(connection, view) if one.version == view.version]
        return min(mine, key=lambda one: (not one.live, one.number), default=None)

    def build(self, connection: Connection, view: View, number: int) -> Build | None:
        """A build by its number; None when it is no more."""
        row = connection.execute(_BUILD, {"v": view.name, "b": number}).one_or_none()
        return None if row is None else _build(row)

    def start(self, connection: Connection, view: View) -> int:
        """A new, empty build, not live; its number."""
        last = select(func.max(BUILDS.c.build)).where(BUILDS.c.view == view.name)
        number = int(connection.scalar(last) or 0) + 1
        self.table(view, _filling(view, number)).create(connection)
        row = {"view": view.name, "build": number, "version": view.version}
        connection.execute(insert(BUILDS).values(**row, position=0, live=False))
        return number

    def alone(self, connection: Connection) -> None:
        """Keep all others from the list of builds until the transaction ends.

        Whoever has looked at the list before, in the same transaction, may meet another who did
        too, and both would wait for ever.
        """
        if not self.database.is_sqlite:
            connection.execute(text("LOCK TABLE view_builds IN ACCESS EXCLUSIVE MODE"))

    def switch(self, connection: Connection, view: View, number: int) -> bool:
        """Make a build the live one and drop all others; False while it is behind the live one."""
        # Readers hold the list's rows by name only: keep them out while tables change names. Who
        # has a table open for long, as a dump has, is not waited for: it is tried again.
        if not self.database.is_sqlite:
            connection.execute(text("SET LOCAL lock_timeout = '2s'"))
        self.alone(connection)
        builds = {one.number: one for one in self._builds(connection, view)}
        mine = builds.pop(number, None)
        if mine is None:
            return False
        if any(one.live and one.position > mine.position for one in builds.values()):
            return False
        for one in builds.values():
            name = view.name if one.live else _filling(view, one.number)
            connection.execute(text(f'DROP TABLE IF EXISTS "{name}"'))
        connection.execute(
            delete(BUILDS).where(BUILDS.c.view == view.name, BUILDS.c.build != number)
        )
        rename = f'ALTER TABLE "{_filling(view, number)}" RENAME TO "{view.name}"'
        connection.execute(text(rename))
        connection.execute(update(BUILDS).where(BUILDS.c.view == view.name).values(live=True))
        return True

    def move(self, connection: Connection, steps: Sequence[Step], to: int) -> list[Build]:
        """Move each step's build from where it starts to `to`.

        Raises:
            ConflictError: one is not there, or is no more.
        """
        found: dict[tuple[str, int], Build] = {}
        for at in {step.at for step in steps}:
            these = [(one.view.name, one.number) for one in steps if one.at == at]
            rows = connection.execute(_MOVE, {"these": these, "at": at, "to": to})
            found |= {(row.view, row.build): _build(row) for row in rows}
        if len(found) < len(steps):
            raise ConflictError("a view has been moved by another")
        return [found[step.view.name, step.number] for step in steps]

    def all(self, connection: Connection) -> dict[tuple[str, int], Build]:
        """Every build of every view, by name and number."""
        return {(row.view, row.build): _build(row) for row in connection.execute(_EVERY)}

    def _builds(self, connection: Connection, view: View) -> list[Build]:
        return [_build(row) for row in connection.execute(_ALL, {"v": view.name})]

    # Documents

    def table(self, view: View, name: str) -> Table:
        """The table of this name with the columns of this view."""
        found = self._tables.get((type(view), name))
        if found is None:
            found = self._tables[type(view), name] = Table(
                name,
                MetaData(),
                Column("key", Uuid, primary_key=True),
                Column("position", BigInteger, nullable=False),
                Column("doc", LargeBinary, nullable=False),
                *view.columns(),
            )
        return found

    def table_of(self, view: View, build: Build) -> Table:
        """The table of a build."""
        return self.table(view, view.name if build.live else _filling(view, build.number))

    def load(
        self, connection: Connection, view: View, table: Table, keys: Collection[UUID]
    ) -> dict[UUID, Stored]:
        """The documents under these keys, those of erased owners as none."""
        rows: list[Any] = []
        query = self._loads.get(table)
        if query is None:
            wanted = table.c.key.in_(bindparam("wanted", expanding=True))
            columns = (table.c.key, table.c.position, table.c.doc)
            query = self._loads[table] = select(*columns).where(wanted)
        for some in _chunks(keys):
            rows += connection.execute(query, {"wanted": some}).all()
        documents = self.opened(view, {row.key: row.doc for row in rows})
        return {row.key: Stored(documents[row.key], row.position) for row in rows}

    def opened(self, view: View, sealed: Mapping[UUID, bytes]) -> dict[UUID, Document | None]:
        """Unseal documents; None for those of erased owners.

        Raises:
            ForgedError: one does not authenticate: rebuild the view.
        """
        self._vault.prefetch(sealed.values())
        return {key: self._opened(view, key, doc) for key, doc in sealed.items()}

    def sealed(self, view: View, documents: Mapping[UUID, Stored]) -> list[dict[str, Any]]:
        """The rows of documents; those of erased owners and those that are none have no row."""
        there = [
            (key, one.position, one.doc, view.owner(one.doc))
            for key, one in documents.items()
            if one.doc is not None
        ]
        living = self._vault.living(owner for *_, owner in there)
        return [
            self._row(view, key, position, doc, owner)
            for key, position, doc, owner in there
            if owner in living
        ]

    def store(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Insert rows, over those that are there."""
        if rows:
            statement = self._upserts.get(table)
            if statement is None:
                statement = self._upserts[table] = self._upsert(table)
            connection.execute(statement, rows)

    def remove(self, connection: Connection, table: Table, keys: Iterable[UUID]) -> None:
        """Delete rows."""
        gone = [{"gone": key} for key in keys]
        if not gone:
            return
        statement = self._deletes.get(table)
        if statement is None:
            this = table.c.key == bindparam("gone", type_=Uuid)
            statement = self._deletes[table] = delete(table).where(this)
        connection.execute(statement, gone)

    def _opened(self, view: View, key: UUID, sealed: bytes) -> Document | None:
        try:
            plain = self._vault.unseal(sealed, _context(view, key))
        except ShreddedError:
            return None
        except ForgedError:
            raise ForgedError(f"a document of the view {view.name} is damaged") from None
        document: Document = orjson.loads(plain)
        return document

    def _row(
        self, view: View, key: UUID, position: int, doc: Document, owner: UUID
    ) -> dict[str, Any]:
        sealed = self._vault.seal(owner, orjson.dumps(doc), _context(view, key))
        return {"key": key, "position": position, "doc": sealed, **view.clear(doc)}

    def _upsert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        if self.database.is_sqlite:
            lite = sqlite.insert(table)
            return lite.on_conflict_do_update(index_elements=["key"], set_=_others(lite.excluded))
        post = postgresql.insert(table)
        return post.on_conflict_do_update(index_elements=["key"], set_=_others(post.excluded))


def _others(excluded: Any) -> dict[str, Any]:
    return {column.name: column for column in excluded if column.name != "key"}


def _build(row: Row[Any]) -> Build:
    return Build(number=row.build, version=row.version, position=row.position, live=row.live)


def _filling(view: View, number: int) -> str:
    return f"{view.name}__b{number}"


def _context(view: View, key: UUID) -> bytes:
    return f"view {view.name}".encode() + key.bytes


def _chunks(items: Collection[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, CHUNK)):
        yield some
