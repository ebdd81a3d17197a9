"""One opener for everything a service keeps, on SQLite files or in a PostgreSQL schema."""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.persistence import PersistenceError
from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, insert, select, text
from sqlalchemy.exc import DBAPIError

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.eventlog import EventLog
from services.chassis.faults import NotMigratedError, StoreError
from services.chassis.ids import Ids, fresh_id
from services.chassis.listening import Listener
from services.chassis.lock import SingleHolder
from services.chassis.parking import Parking
from services.chassis.place import SQLITE, Archive, Place, place_of
from services.chassis.settings import environment
from services.chassis.timers import ClockGuard, GuardMemory
from services.chassis.vault import Vault
from services.chassis.views import ViewStore

__all__ = ["NotMigratedError", "Store", "StoreError"]

SCHEMA_VERSION = "1"
FORBIDDEN_SETTING = "POSTGRES_ENABLE_DB_FUNCTIONS"

METADATA = MetaData()
FACTS = Table(
    "facts",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)
"""About the log itself: its id and the version of all tables."""
FORMER = "former log"
"""The fact that says which log a restore has gone back to, and its last position."""


class Store:
    """Everything a service keeps: log, vault, views, parking, and the volatile rest."""

    def __init__(self, place: Place, *, master_key: bytes, topics: Mapping[str, type[Any]]) -> None:
        """Use `open` instead."""
        self._place = place
        self._topics = topics
        self._at: Callable[[Place], Store] = partial(Store, master_key=master_key, topics=topics)
        self._databases: dict[str, Database] = {}
        self._logs: list[EventLog] = []
        self._checked = False
        self._vault = Vault(self.database("vault"), master_key)
        self._parking = Parking(self.database("parking"))
        self._memory = GuardMemory(self.database("parking"))
        self._views = ViewStore(
            self.database("views"),
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
        return cls(place_of(location, service), master_key=master_key, topics=topics)

    def migrate(self) -> None:
        """Create what is missing: tables, log id, installation secret, service owner.

        Safe to repeat. Workers never create: they refuse a store that was not migrated.
        """
        with self._place.creating():
            self._create_tables()
            self._vault.add_secrets()
            self._views.migrate()
            with self.database("log").writing() as connection:
                _add_fact(connection, "log id", fresh_id().hex)
                _add_fact(connection, "schema", SCHEMA_VERSION)
        self.__dict__.pop("_facts", None)

    def create_tables(self) -> None:
        """Create the tables of what is durable, with nothing in them; for copies."""
        with self._place.creating():
            self._create_tables()

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
    def former(self) -> tuple[str, int]:
        """The id of the log that was restored and its last position; ("", 0) when none was."""
        log_id, _, position = self._facts.get(FORMER, " 0").partition(" ")
        return log_id, int(position)

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
        return self.database("volatile")

    def listener(self, log: EventLog) -> Listener | None:
        """What wakes the readers of `log` when another process has stored; None: not needed."""
        session = self._place.session
        return Listener(session, log) if session else None

    def lock(self, name: str) -> SingleHolder:
        """A lock that one process holds: "detector", "timers"."""
        _ = self._facts
        return self.place_lock(name)

    def place_lock(self, name: str) -> SingleHolder:
        """The same where nothing has been migrated yet; on files, the folder has to be there."""
        return self._place.lock(name)

    def clock_guard(self, clock: Clock) -> ClockGuard:
        """The guard of the timers; `accept` works from any process."""
        _ = self._facts
        return ClockGuard(self._own_log, clock, self._memory)

    def database(self, name: str) -> Database:
        """The database of one kind of state: log, vault, views, parking or volatile."""
        if name not in self._databases:
            self._databases[name] = self._place.database(name)
        return self._databases[name]

    def exists(self) -> bool:
        """Whether tables were ever made here."""
        return self._place.exists()

    def users(self) -> int:
        """How many connections others have to it, as far as can be told."""
        return self._place.users()

    def erased(self) -> set[UUID]:
        """The owners whose keys were erased here, though nothing else of it can be used any more.

        Raises:
            StoreError: it cannot be told.
        """
        return self._vault.erased() if self._place.has_vault() else set()

    def elsewhere(self, folder: Path) -> "Store":
        """A store of the same service and key in a folder."""
        return self._at(place_of(f"{SQLITE}{folder.absolute()}", ""))

    def archived(self, folder: Path) -> "Store":
        """A store of the same service and key in the folder of a backup, only to be read."""
        return self._at(Archive(folder))

    def beside(self, suffix: str) -> "Store":
        """A store of the same service and key next to this one."""
        return self._at(self._place.beside(suffix))

    def remove(self) -> None:
        """Remove everything of it, for what is only half made."""
        self.close()
        self._place.remove()
        self._place.close()

    def give_way(self, coming: "Store", aside: str) -> None:
        """Let `coming`, from `beside`, take this place; what was here goes to `beside(aside)`.

        Raises:
            InUseError: others are connected; nothing was moved.
        """
        for store in (self, coming):
            store.close()
        self._place.give_way(coming._place, self._place.beside(aside))
        self.__dict__.pop("_facts", None)

    def close(self) -> None:
        """Close every handle and connection; stop followers and commits before."""
        for log in self._logs:
            log.close()
        self._logs.clear()
        for database in self._databases.values():
            database.close()
        self._place.close()
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
            with self.database("log").reading() as connection:
                return {row.name: row.value for row in connection.execute(select(FACTS))}
        except (StoreError, DBAPIError):
            # No such table yet, or the database is away: the second tells itself in the next try.
            with self.database("log").reading() as connection:
                connection.execute(text("SELECT 1"))
            return {}

    def _create_tables(self) -> None:
        log = self._new_log("")
        try:
            log.create_tables()
        finally:
            log.close()
        with self.database("log").writing() as connection:
            METADATA.create_all(connection)
        self._vault.migrate()
        self._parking.migrate()
        self._memory.migrate()

    def _new_log(self, log_id: str) -> EventLog:
        try:
            recorder = self._place.recorder()
        except PersistenceError as error:
            raise StoreError(f"the log cannot be opened: {type(error).__name__}") from None
        return EventLog(recorder, self._vault, self._topics, place=self._place.name, log_id=log_id)


def _add_fact(connection: Connection, name: str, value: str) -> None:
    if connection.scalar(select(FACTS.c.value).where(FACTS.c.name == name)) is None:
        connection.execute(insert(FACTS).values(name=name, value=value))
