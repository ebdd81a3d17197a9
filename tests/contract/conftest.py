"""A fresh store for each test, on SQLite and on a PostgreSQL of our own."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from services.chassis.store import Store
from tests.contract.sample import MASTER_KEY, TOPICS
from tests.servers import Cluster

_numbers = count(1)


@dataclass(frozen=True)
class Place:
    """Where a test's store is, and a way past it to the bare rows."""

    location: str
    service: str
    folder: Path

    @property
    def is_sqlite(self) -> bool:
        return self.location.startswith("sqlite")

    def open(self, master_key: bytes = MASTER_KEY) -> Store:
        return Store.open(self.location, self.service, master_key=master_key, topics=TOPICS)

    def tamper(self, change: str, stream: UUID) -> None:
        """Set columns of a stream's rows behind the store's back."""
        if self.is_sqlite:
            connection = sqlite3.connect(self.folder / "log.db")
            connection.execute(
                f"UPDATE stored_events SET {change} WHERE originator_id = ?", [stream.hex]
            )
            connection.commit()
            connection.close()
            return
        with psycopg.connect(self.location) as session:
            session.execute(
                f"UPDATE {self.service}.events SET {change} WHERE originator_id = %s", [stream]
            )

    def bytes_on_disk(self) -> Iterator[bytes]:
        if not self.is_sqlite:
            with psycopg.connect(self.location, autocommit=True) as session:
                session.execute("CHECKPOINT")
        for path in self.folder.rglob("*"):
            if path.is_file():
                yield path.read_bytes()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place; nothing has been migrated."""
    if request.param == "sqlite":
        folder = tmp_path / "store"
        return Place(f"sqlite:///{folder}", "sample", folder)
    cluster: Cluster = request.getfixturevalue("cluster")
    return Place(cluster.location, f"sample{next(_numbers)}", cluster.folder)


@pytest.fixture
def opened(place: Place) -> Iterator[Callable[[], Store]]:
    """Opens the place's store anew, as another process would; closes all at the end."""
    stores: list[Store] = []

    def open_again() -> Store:
        stores.append(place.open())
        return stores[-1]

    yield open_again
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    """A migrated store."""
    fresh = opened()
    fresh.migrate()
    return fresh
