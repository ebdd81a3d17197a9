"""A fresh store for each test, on SQLite and on a PostgreSQL of our own."""

import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from services.chassis.store import Store
from tests.contract.sample import MASTER_KEY, TOPICS

POSTGRES_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
HINT = (
    "PostgreSQL's half of the contract was NOT tested: {} — install it with "
    "`apt-get install postgresql-15`"
)
_numbers = count(1)


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL server, its files included."""

    location: str
    folder: Path


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _no_server(why: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(HINT.format(why))
    pytest.skip(HINT.format(why))


def _user() -> str | None:
    """Whom the server runs as: it refuses root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        _no_server("there is no user postgres")
        return None


@contextmanager
def _keeper(folder: Path, user: str | None) -> Iterator[None]:
    """Stop the server and remove its files at the end, however this process ends."""
    stop = f"{POSTGRES_PROGRAMS}/pg_ctl -D {folder}/data -m immediate stop"
    keeper = subprocess.Popen(
        ["/bin/sh", "-c", f"read _; {stop}; rm -rf {folder}"],
        stdin=subprocess.PIPE,  # closes with this process, be it killed
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=user,
        cwd="/",
        start_new_session=True,
    )
    try:
        yield
    finally:
        keeper.communicate()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    if not (POSTGRES_PROGRAMS / "initdb").exists():
        _no_server(f"no server programs in {POSTGRES_PROGRAMS}")
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="pivotpoint-pg-"))
    if user:
        shutil.chown(folder, user)
    port = _free_port()
    settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=200"

    def run(program: str, *arguments: str) -> None:
        # The server inherits the output of pg_ctl: a pipe here would never end.
        with (folder / "programs.log").open("ab") as log:
            command = [str(POSTGRES_PROGRAMS / program), "-D", str(folder / "data"), *arguments]
            subprocess.run(command, user=user, check=True, stdout=log, stderr=log, cwd="/")

    with _keeper(folder, user):
        run("initdb", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C")
        run("pg_ctl", "-o", settings, "-l", str(folder / "server.log"), "-w", "start")
        yield Cluster(f"postgresql://postgres@127.0.0.1:{port}/postgres", folder / "data")


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
