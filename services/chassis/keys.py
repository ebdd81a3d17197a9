"""The ring of keys: one for each owner, wrapped by the master key, erased with its owner."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import islice
from time import monotonic
from typing import NamedTuple, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from services.chassis.database import Database
from services.chassis.faults import NotMigratedError, WrongMasterKeyError
from services.chassis.ids import random_bytes

NONCE = 12
CACHED = 16_384
"""Keys remembered; about 2.5 kB each, as OpenSSL keeps a cipher."""
STALE_AFTER = 1.0
"""Seconds after which another process's erasure must be noticed."""
CHUNK = 400
"""Values in one query."""

T = TypeVar("T")

METADATA = MetaData()
KEYS = Table(
    "keys",
    METADATA,
    Column("owner", LargeBinary(16), primary_key=True),
    Column("key_id", BigInteger, nullable=False, unique=True),
    Column("wrapped", LargeBinary),  # null: erased
)
COUNTERS = Table(
    "counters",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
# Statements are made once: composing them anew costs more than the database takes to answer.
_OF_OWNERS = select(KEYS).where(KEYS.c.owner.in_(bindparam("owners", expanding=True)))
_ERASED = select(COUNTERS.c.value).where(COUNTERS.c.name == "erased")


class Key(NamedTuple):
    """An owner's key; its id is random and never used again, so that a restore repeats none."""

    key_id: int
    cipher: AESGCM | None
    """None: erased."""


class KeyRing:
    """Makes, remembers and erases keys; owners are 16 bytes here."""

    def __init__(self, database: Database, master_key: bytes) -> None:
        """Keep the keys in `database`, wrapped by a master key of 32 bytes.

        Raises:
            ValueError: the master key has another length.
        """
        if len(master_key) != 32:
            raise ValueError("the master key must be exactly 32 bytes long")
        self._database = database
        self._master = AESGCM(master_key)
        self._keys: OrderedDict[bytes, Key] = OrderedDict()
        self._lock = threading.Lock()
        self._checked = 0.0
        self._generation = -1
        self._insert = insert_new(database, KEYS)

    def migrate(self, connection: Connection) -> None:
        """Create the tables where they are missing."""
        METADATA.create_all(connection)
        if connection.scalar(_ERASED) is None:
            row = {"name": "erased", "value": 1}
            connection.execute(insert_new(self._database, COUNTERS), row)

    def get(self, owner: bytes) -> Key | None:
        """An owner's key; None when there never was one."""
        self._refresh()
        with self._lock:
            key = self._keys.get(owner)
            if key is not None:
                self._keys.move_to_end(owner)
                return key
        return self._load([owner]).get(owner)

    def known(self, owners: Set[bytes]) -> dict[bytes, Key | None]:
        """The keys of many owners, by one query for those that are not remembered."""
        self._refresh()
        with self._lock:
            known: dict[bytes, Key | None] = {owner: self._keys.get(owner) for owner in owners}
        missing = [owner for owner, key in known.items() if key is None]
        if missing:
            known |= self._load(missing)
        return known

    def make(self, owners: Sequence[bytes]) -> dict[bytes, Key]:
        """Durable keys for owners that have none; those of whoever was quicker otherwise."""
        with self._database.writing() as connection:
            self.add(connection, owners)
        return self._load(owners)

    def add(self, connection: Connection, owners: Iterable[bytes]) -> dict[bytes, Key]:
        """Insert new keys in a transaction of the caller; the keys as made, perhaps too late."""
        made: dict[bytes, Key] = {}
        rows = []
        for owner in sorted(owners):  # one order everywhere: two batches cannot wait for each other
            raw = random_bytes(32)
            key_id = int.from_bytes(random_bytes(8), "big") >> 1
            made[owner] = Key(key_id, AESGCM(raw))
            wrapped = self.wrap(raw, _context(owner, key_id))
            rows.append({"owner": owner, "key_id": key_id, "wrapped": wrapped})
        if rows:
            connection.execute(self._insert, rows)
        return made

    def erase(self, owner: bytes) -> None:
        """Erase an owner's key for good; other processes notice within a second or so."""
        this = KEYS.c.owner == owner
        with self._database.writing() as connection:
            if connection.scalar(select(KEYS.c.key_id).where(this)) is None:
                self.add(connection, [owner])
            connection.execute(update(KEYS).where(this).values(wrapped=None))
            erased = COUNTERS.c.name == "erased"
            connection.execute(update(COUNTERS).where(erased).values(value=COUNTERS.c.value + 1))
        self._forget()
        self._database.scrub()

    def erased(self) -> list[bytes]:
        """The owners whose keys were erased."""
        with self._database.reading() as connection:
            return list(connection.scalars(select(KEYS.c.owner).where(KEYS.c.wrapped.is_(None))))

    def broken(self) -> list[bytes]:
        """The owners whose keys the master key does not open."""
        with self._database.reading() as connection:
            rows = connection.execute(select(KEYS)).all()
        return [row.owner for row in rows if not self._opens(row.owner, row.key_id, row.wrapped)]

    def wrap(self, raw: bytes, context: bytes) -> bytes:
        """Encrypt under the master key."""
        nonce = random_bytes(NONCE)
        return nonce + self._master.encrypt(nonce, raw, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """What `wrap` was given.

        Raises:
            WrongMasterKeyError: the master key does not open it.
        """
        try:
            return self._master.decrypt(wrapped[:NONCE], wrapped[NONCE:], context)
        except InvalidTag:
            raise WrongMasterKeyError("the master key does not open this vault") from None

    def _load(self, owners: Sequence[bytes]) -> dict[bytes, Key]:
        found: dict[bytes, Key] = {}
        with self._database.reading() as connection:
            for some in chunks(owners):
                for row in connection.execute(_OF_OWNERS, {"owners": some}):
                    found[row.owner] = self._opened(row.owner, row.key_id, row.wrapped)
        with self._lock:
            self._keys.update(found)
            while len(self._keys) > CACHED:
                self._keys.popitem(last=False)
        return found

    def _opened(self, owner: bytes, key_id: int, wrapped: bytes | None) -> Key:
        if wrapped is None:
            return Key(key_id, None)
        return Key(key_id, AESGCM(self.unwrap(wrapped, _context(owner, key_id))))

    def _opens(self, owner: bytes, key_id: int, wrapped: bytes | None) -> bool:
        try:
            self._opened(owner, key_id, wrapped)
        except WrongMasterKeyError:
            return False
        return True

    def _refresh(self) -> None:
        if monotonic() - self._checked < STALE_AFTER:
            return
        with self._database.reading() as connection:
            generation = connection.scalar(_ERASED)
        if generation is None:
            raise NotMigratedError("the vault has no tables yet: run migrate")
        if generation != self._generation:
            self._forget()
            self._generation = generation
        self._checked = monotonic()

    def _forget(self) -> None:
        with self._lock:
            self._keys.clear()


def _context(owner: bytes, key_id: int) -> bytes:
    return owner + key_id.to_bytes(8, "big")


def insert_new(database: Database, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Insert rows, leaving those that are there."""
    if database.is_sqlite:
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def chunks(items: Sequence[T]) -> Iterator[list[T]]:
    """The items in lists short enough for one query."""
    rest = iter(items)
    while some := list(islice(rest, CHUNK)):
        yield some
