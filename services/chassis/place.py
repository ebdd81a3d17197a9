"""Where everything of a service is kept: files in a folder, or a schema of PostgreSQL."""

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from eventsourcing.persistence import OperationalError
from eventsourcing.postgres import PostgresDatastore
from psycopg_pool import PoolTimeout
from sqlalchemy import inspect, text

from services.chassis.database import (
    Database,
    open_archive,
    open_postgres,
    open_sqlite,
    postgres_url,
    session_name,
)
from services.chassis.durable import sync_folder
from services.chassis.eventlog import Wakeup
from services.chassis.faults import InUseError, StoreError
from services.chassis.ids import fresh_id
from services.chassis.lock import AdvisoryLock, FileLock, SingleHolder
from services.chassis.recorders import PostgresRecorder, Recorder, SQLiteRecorder

SQLITE = "sqlite:///"
DATABASES = ("log", "vault", "views", "parking", "volatile")
REFOLDED = ("views",)
"""Those of which a power cut may take the last commits: a view stores how far it has come with what
it made of it, so it takes up again from there."""
UNFINISHED = "restore.unfinished"
"""In a folder while the files of a restore are put in place."""
OPENS_WITHIN_S = 10.0
"""Seconds that opening a log waits for its first connection to PostgreSQL."""


class Place(ABC):
    """Where a service's databases are."""

    name: str
    """The same for all handles on one place."""

    @abstractmethod
    def database(self, name: str) -> Database:
        """The database of this name: log, vault, views, parking or volatile."""

    @abstractmethod
    def recorder(self) -> Recorder:
        """A new recorder of the log."""

    session: Callable[[], psycopg.Connection] | None = None
    """A new connection outside all pools, on which it tells of what others store; None: nowhere."""

    @abstractmethod
    def lock(self, name: str) -> SingleHolder:
        """A lock that one process holds."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether the place was ever made."""

    @abstractmethod
    def has_vault(self) -> bool:
        """Whether a vault was ever made here, whatever became of the rest."""

    @abstractmethod
    def creating(self) -> AbstractContextManager[None]:
        """Make the place; let one process at a time create tables in it."""

    @abstractmethod
    def beside(self, suffix: str) -> "Place":
        """A place next to this one, for what is to take its place or was there before."""

    @abstractmethod
    def give_way(self, coming: Any, aside: Any) -> None:
        """Move what is here to the place `aside`, and what is in the place `coming` to here.

        Raises:
            InUseError: others are connected; nothing was moved.
        """

    @abstractmethod
    def remove(self) -> None:
        """Remove the place with everything in it, if it is there."""

    def close(self) -> None:
        """Close the connections that the place itself has."""
        return

    @abstractmethod
    def users(self) -> int:
        """How many connections others have here, as far as can be told."""


class _Folder(Place):
    """Files in a folder: one for each kind of state, so that none waits for another's writer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self.name = f"{SQLITE}{os.path.realpath(folder)}"

    def database(self, name: str) -> Database:
        return open_sqlite(self._folder / f"{name}.db", flushed=name not in REFOLDED)

    def recorder(self) -> Recorder:
        return SQLiteRecorder(str(self._folder / "log.db"))

    def lock(self, name: str) -> SingleHolder:
        return FileLock(self._folder / f"{name}.lock")

    def exists(self) -> bool:
        return (self._folder / "log.db").exists()

    def has_vault(self) -> bool:
        return (self._folder / "vault.db").exists()

    @contextmanager
    def creating(self) -> Iterator[None]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"the folder cannot be made: {type(error).__name__}") from None
        if (self._folder / UNFINISHED).exists():
            raise StoreError("a restore was interrupted here: run it again, with --replace")
        lock = FileLock(self._folder / "migrate.lock")
        lock.wait()
        try:
            yield
        finally:
            lock.release()

    def beside(self, suffix: str) -> "_Folder":
        return _Folder(self._folder / suffix)

    def give_way(self, coming: "_Folder", aside: "_Folder") -> None:
        """File by file; a note says so until all have moved, for no empty log must be begun."""
        note = self._folder / UNFINISHED
        note.touch()
        sync_folder(self._folder)
        for old in self._databases():
            aside._folder.mkdir(mode=0o700, exist_ok=True)
            old.rename(aside._folder / old.name)
            sync_folder(aside._folder)
        for new in coming._databases():
            new.rename(self._folder / new.name)
        sync_folder(self._folder)  # before the note goes: a power cut must not undo a rename alone
        note.unlink()
        sync_folder(self._folder)
        shutil.rmtree(coming._folder)
        Wakeup.forget(self.name)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def users(self) -> int:
        return 0  # files tell nothing: the lock of the data folder does

    def _databases(self) -> list[Path]:
        return [one for name in DATABASES for one in sorted(self._folder.glob(f"{name}.db*"))]


class Archive(_Folder):
    """The files of a backup, which are only read."""

    def database(self, name: str) -> Database:
        """The database of this name, as it was written."""
        return open_archive(self._folder / f"{name}.db")


class _Schema(Place):
    """A schema of a PostgreSQL database, all tables in it."""

    def __init__(self, location: str, schema: str) -> None:
        self._url = postgres_url(location)
        self._location = location
        self._schema = schema
        self._session = session_name(schema, fresh_id().hex[:8])
        self.name = f"{self._url.host}:{self._url.port}/{self._url.database}/{schema}"
        self._shared: Database | None = None
        self.session = self._connected

    def database(self, name: str) -> Database:
        if self._shared is None:
            self._shared = open_postgres(self._location, self._schema, self._session)
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
        named = {"application_name": self._session}
        datastore.pool.kwargs |= {**named, **url.query}  # type: ignore[operator]
        # It looks its types up at once, and tries that only once.
        try:
            datastore.pool.open(wait=True, timeout=OPENS_WITHIN_S)
        except PoolTimeout as error:
            datastore.close()
            raise OperationalError(type(error).__name__) from None
        return PostgresRecorder(datastore)

    def _connected(self) -> psycopg.Connection:
        url = self._url.set(drivername="postgresql")
        return psycopg.connect(
            url.render_as_string(hide_password=False),
            autocommit=True,
            application_name=self._session,
            connect_timeout=round(OPENS_WITHIN_S),
        )

    def lock(self, name: str) -> SingleHolder:
        return AdvisoryLock(self.database("parking").engine, f"{self._schema}/{name}")

    def exists(self) -> bool:
        query = text("SELECT 1 FROM information_schema.schemata WHERE schema_name = :name")
        with self.database("log").reading() as connection:
            return connection.scalar(query, {"name": self._schema}) is not None

    def has_vault(self) -> bool:
        return self._has("keys")

    @contextmanager
    def creating(self) -> Iterator[None]:
        with self.database("log").reading() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('pivotpoint migrate'))"))
            with self.database("log").writing() as another:
                another.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{self._schema}"'))
            yield

    def beside(self, suffix: str) -> "_Schema":
        return _Schema(self._location, f"{self._schema}_{suffix}")

    def give_way(self, coming: "_Schema", aside: "_Schema") -> None:
        """Both at once, while nobody can learn the id of the log."""
        self._refuse_others()
        with self.database("log").writing() as connection:
            if self._has("facts"):
                # Who opens the store from here on waits, and then reads of the new log.
                connection.execute(text(f'LOCK TABLE "{self._schema}".facts'))
                self._refuse_others()
            if self.exists():
                connection.execute(
                    text(f'ALTER SCHEMA "{self._schema}" RENAME TO "{aside._schema}"')
                )
            connection.execute(text(f'ALTER SCHEMA "{coming._schema}" RENAME TO "{self._schema}"'))
        Wakeup.forget(self.name)

    def close(self) -> None:
        if self._shared is not None:
            self._shared.close()

    def remove(self) -> None:
        with self.database("log").writing() as connection:
            connection.execute(text(f'DROP SCHEMA IF EXISTS "{self._schema}" CASCADE'))

    def users(self) -> int:
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND starts_with(application_name, :name) AND application_name <> :own"
        )
        named = {"name": session_name(self._schema), "own": self._session}
        with self.database("log").reading() as connection:
            return int(connection.scalar(query, named) or 0)

    def _has(self, table: str) -> bool:
        with self.database("log").reading() as connection:
            return inspect(connection).has_table(table, self._schema)

    def _refuse_others(self) -> None:
        if self.users():
            raise InUseError("others are connected to this store")


def place_of(location: str, service: str) -> Place:
    """The place that a location names.

    Raises:
        ValueError: it names none.
    """
    if location.startswith(SQLITE):
        return _Folder(Path(location.removeprefix(SQLITE)))
    if location.startswith(("postgresql://", "postgres://")):
        return _Schema(location.replace("postgres://", "postgresql://", 1), service)
    raise ValueError("a store is at sqlite:///FOLDER or postgresql://…")
