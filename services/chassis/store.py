"""One opener for everything a service keeps, on SQLite files or in a PostgreSQL schema."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.persistence import PersistenceError
from eventsourcing.postgres import PostgresDatastore
from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, insert, select, text
from sqlalchemy.exc import DBAPIError

from services.chassis.clock import Clock
from services.chassis.database import Database, open_postgres, open_sqlite, postgres_url
from services.chassis.eventlog import EventLog
from services.chassis.faults import NotMigratedError, StoreError
from services.chassis.ids import Ids, fresh_id
from services.chassis.lock import AdvisoryLock, FileLock, SingleHolder
from services.chassis.parking import Parking
from services.chassis.recorders import PostgresRecorder, Recorder, SQLiteRecorder
from services.chassis.settings import environment
from services.chassis.timers import ClockGuard, GuardMemory
from services.chassis.vault import Vault
from services.chassis.views import ViewStore

__all__ = ["NotMigratedError", "Store", "StoreError"]

SCHEMA_VERSION = "1"
SQLITE = "sqlite:///"
FORBIDDEN_SETTING = "POSTGRES_ENABLE_DB_FUNCTIONS"

METADATA = MetaData()
FACTS = Table(
    "facts",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)
"""About the log itself: its id and the version of all tables."""


class _Place(ABC):
    """Where a service's databases are."""

    name: str
    """The same for all handles on one place."""

    @abstractmethod
    def database(self, name: str) -> Database:
        """The database of this name: log, vault, views, parking or volatile."""

    @abstractmethod
    def recorder(self) -> Recorder:
        """A new recorder of the log."""

    @abstractmethod
    def lock(self, name: str) -> SingleHolder:
        """A lock that one process holds."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether the place was ever made."""

    @abstractmethod
    def creating(self) -> AbstractContextManager[None]:
        """Make the place; let one process at a time create tables in it."""


class _Folder(_Place):
    """Files in a folder: one for each kind of state, so that none waits for another's writer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self.name = f"{SQLITE}{os.path.realpath(folder)}"

    def database(self, name: str) -> Database:
        return open_sqlite(self._folder / f"{name}.db")

    def recorder(self) -> Recorder:
        return SQLiteRecorder(str(self._folder / "log.db"))

    def lock(self, name: str) -> SingleHolder:
        return FileLock(self._folder / f"{name}.lock")

    def exists(self) -> bool:
        return (self._folder / "log.db").exists()

    @contextmanager
    def creating(self) -> Iterator[None]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the folder cannot be made: {type(error).__name__}") from None
        lock = FileLock(self._folder / "migrate.lock")
        lock.wait()
        try:
            yield
        finally:
            lock.release()


class _Schema(_Place):
    """A schema of a PostgreSQL database, all tables in it."""

    def __init__(self, location: str, schema: str) -> None:
        self._url = postgres_url(location)
        self._location = location
        self._schema = schema
        self.name = f"{self._url.host}:{self._url.port}/{self._url.database}/{schema}"
        self._shared: Database | None = None

    def database(self, name: str) -> Database:
        if self._shared is None:
            self._shared = open_postgres(self._location, self._schema)
        return self._shared

    def recorder(self) -> Recorder:
        url = self._url
        datastore = PostgresDatastore(
            dbname=url.database or "postgres",
            host=url.host or "",
            port=url.port or 5432,
            user=url.username or "",
            password=url.password or "",
            # The library tries ten times, so this is a tenth of the longest wait.
            connect_timeout=1.0,
            pool_size=1,
            max_overflow=9,
            schema=self._schema,
        )
        # Such as sslmode: the library knows of no such options, its connections do.
        datastore.pool.kwargs |= url.query  # type: ignore[operator]
        return PostgresRecorder(datastore)

    def lock(self, name: str) -> SingleHolder:
        return AdvisoryLock(self.database("parking").engine, f"{self._schema}/{name}")

    def exists(self) -> bool:
        query = text("SELECT 1 FROM information_schema.schemata WHERE schema_name = :name")
        with self.database("log").reading() as connection:
            return connection.scalar(query, {"name": self._schema}) is not None

    @contextmanager
    def creating(self) -> Iterator[None]:
        with self.database("log").reading() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('pivotpoint migrate'))"))
            with self.database("log").writing() as another:
                another.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{self._schema}"'))
            yield


class Store:
    """Everything a service keeps: log, vault, views, parking, and the volatile rest."""

    def __init__(
        self, place: _Place, *, master_key: bytes, topics: Mapping[str, type[Any]]
    ) -> None:
        """Use `open` instead."""
        self._place = place
        self._topics = topics
        self._databases: dict[str, Database] = {}
        self._logs: list[EventLog] = []
        self._checked = False
        self._vault = Vault(self._database("vault"), master_key)
        self._parking = Parking(self._database("parking"))
        self._memory = GuardMemory(self._database("parking"))
        self._views = ViewStore(
            self._database("views"),
            self._vault,
            self._parking,
            place=place.name,
            head=lambda: self._own_log.head(),
        )

    @classmethod
    def open(
        cls,
        location: str,
        service: str,
        *,
        master_key: bytes,
        topics: Mapping[str, type[Any]],
    ) -> "Store":
        """Open a service's store; nothing is created, and nothing read before it is asked for.

        Args:
            location: "sqlite:///FOLDER" (relative; four slashes: absolute) with one file per kind
                of state, or "postgresql://user:password@host:port/database".
            service: the name of the service, on PostgreSQL its schema.
            master_key: 32 bytes; wraps all keys.
            topics: the event classes by topic.

        Raises:
            ValueError: the location, service name or key is not one.
            RuntimeError: a setting that loses events is on.
        """
        if environment().get(FORBIDDEN_SETTING):
            raise RuntimeError(
                f"unset {FORBIDDEN_SETTING}: with it, readers of the log miss events"
            )
        if not service.isidentifier():
            raise ValueError(f"{service!r} is no name for a service")
        return cls(_place(location, service), master_key=master_key, topics=topics)

    def migrate(self) -> None:
        """Create what is missing: tables, log id, installation secret, service owner.

        Safe to repeat. Workers never create: they refuse a store that was not migrated.
        """
        with self._place.creating():
            self._create_log_tables()
            self._vault.migrate()
            self._parking.migrate()
            self._memory.migrate()
            self._views.migrate()
            with self._database("log").writing() as connection:
                _add_fact(connection, "log id", fresh_id().hex)
                _add_fact(connection, "schema", SCHEMA_VERSION)
        self.__dict__.pop("_facts", None)

    def log(self) -> EventLog:
        """A new handle on the log; each follower takes its own. `close` closes them all.

        Raises:
            NotMigratedError: `migrate` has not been run.
        """
        log = self._new_log(self.log_id)
        self._logs.append(log)
        return log

    @property
    def log_id(self) -> str:
        """The log's random id."""
        return self._facts["log id"]

    @property
    def vault(self) -> Vault:
        """The keys and the client map."""
        _ = self._facts
        return self._vault

    @property
    def parking(self) -> Parking:
        """What readers could not digest."""
        _ = self._facts
        return self._parking

    @property
    def views(self) -> ViewStore:
        """The read models."""
        _ = self._facts
        return self._views

    @property
    def ids(self) -> Ids:
        """Ids derived under the installation's secret."""
        return self.vault.ids

    @cached_property
    def service_owner(self) -> UUID:
        """The owner of what belongs to no person."""
        return UUID(bytes=self.vault.secret("service owner"))

    @property
    def volatile_engine(self) -> Engine:
        """Where sign-in links and sessions are, which may be lost; users make the tables."""
        return self.volatile.engine

    @property
    def volatile(self) -> Database:
        """The same, with `reading` and `writing`, which translate errors."""
        _ = self._facts
        return self._database("volatile")

    def lock(self, name: str) -> SingleHolder:
        """A lock that one process holds: "detector", "timers"."""
        _ = self._facts
        return self._place.lock(name)

    def clock_guard(self, clock: Clock) -> ClockGuard:
        """The guard of the timers; `accept` works from any process."""
        _ = self._facts
        return ClockGuard(self._own_log, clock, self._memory)

    def close(self) -> None:
        """Close every handle and connection; stop followers and commits before."""
        for log in self._logs:
            log.close()
        self._logs.clear()
        for database in self._databases.values():
            database.close()
        self.__dict__.pop("_own_log", None)

    @cached_property
    def _own_log(self) -> EventLog:
        return self.log()

    @cached_property
    def _facts(self) -> dict[str, str]:
        facts: dict[str, str] = {}
        if self._place.exists():
            facts = self._read_facts()
        if not facts:
            raise NotMigratedError("this store has no tables yet: run migrate")
        if facts.get("schema") != SCHEMA_VERSION:
            raise NotMigratedError("the tables are of another version: run migrate")
        return facts

    def _read_facts(self) -> dict[str, str]:
        try:
            with self._database("log").reading() as connection:
                return {row.name: row.value for row in connection.execute(select(FACTS))}
        except (StoreError, DBAPIError):
            # No such table yet, or the database is away: the second tells itself in the next try.
            with self._database("log").reading() as connection:
                connection.execute(text("SELECT 1"))
            return {}

    def _create_log_tables(self) -> None:
        log = self._new_log("")
        try:
            log.create_tables()
        finally:
            log.close()
        with self._database("log").writing() as connection:
            METADATA.create_all(connection)

    def _new_log(self, log_id: str) -> EventLog:
        try:
            recorder = self._place.recorder()
        except PersistenceError as error:
            raise StoreError(f"the log cannot be opened: {type(error).__name__}") from None
        return EventLog(recorder, self._vault, self._topics, place=self._place.name, log_id=log_id)

    def _database(self, name: str) -> Database:
        if name not in self._databases:
            self._databases[name] = self._place.database(name)
        return self._databases[name]


def _place(location: str, service: str) -> _Place:
    if location.startswith(SQLITE):
        return _Folder(Path(location.removeprefix(SQLITE)))
    if location.startswith(("postgresql://", "postgres://")):
        return _Schema(location.replace("postgres://", "postgresql://", 1), service)
    raise ValueError("a store is at sqlite:///FOLDER or postgresql://…")


def _add_fact(connection: Connection, name: str, value: str) -> None:
    if connection.scalar(select(FACTS.c.value).where(FACTS.c.name == name)) is None:
        connection.execute(insert(FACTS).values(name=name, value=value))
