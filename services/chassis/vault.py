"""The vault: seals every event and view under its owner's key, and knows the clients' random ids.

Each owner (a client, a person, the service) has one key for ever; erasing it makes everything it
sealed unreadable. Sealed bytes are laid out as: format 1 byte, owner 16, key id 8, nonce 12,
AES-256-GCM ciphertext with its tag; everything before the nonce and the context of use is
authenticated (NIST SP 800-38D).
"""

import struct
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
)

from services.chassis.database import Database
from services.chassis.faults import (
    ForgedError,
    NotMigratedError,
    ShreddedError,
    WrongMasterKeyError,
)
from services.chassis.ids import Ids, fresh_id, random_bytes
from services.chassis.keys import NONCE, Key, KeyRing, chunks, insert_new

FORMAT = 1
HEADER = struct.Struct(">B16sQ")
"""Format, owner, key id: in clear before every sealed state."""
OWNER = slice(1, 17)
CACHED = 16_384
"""Clients remembered."""

METADATA = MetaData()
CLIENTS = Table(
    "clients",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("subject", LargeBinary(16), nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
)
SECRETS = Table(
    "secrets",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
_OF_HASHES = select(CLIENTS.c.hash, CLIENTS.c.subject).where(
    CLIENTS.c.hash.in_(bindparam("hashes", expanding=True))
)


def owner_of(sealed: bytes) -> UUID:
    """The owner named in clear at the front of sealed bytes.

    Raises:
        ForgedError: the bytes are too short or of no known format.
    """
    return _named(_header(sealed)[0])


@lru_cache(CACHED)
def _named(owner: bytes) -> UUID:
    return UUID(bytes=owner)


class Vault:
    """Seals and unseals under owners' keys; safe to use from many threads and processes."""

    def __init__(self, database: Database, master_key: bytes) -> None:
        """Open the vault of a service with its master key of 32 bytes.

        Raises:
            ValueError: the master key has another length.
        """
        self._database = database
        self._ring = KeyRing(database, master_key)
        self._clients: OrderedDict[tuple[str, str], UUID] = OrderedDict()
        self._lock = threading.Lock()
        self._ids: Ids | None = None
        self._insert = insert_new(database, CLIENTS)

    # Installation secrets

    def migrate(self) -> None:
        """Create the tables where they are missing."""
        with self._database.writing() as connection:
            METADATA.create_all(connection)
            self._ring.migrate(connection)

    def add_secrets(self) -> None:
        """Make the installation's secrets where they are missing."""
        with self._database.writing() as connection:
            names = set(connection.scalars(select(SECRETS.c.name)))
            fresh = {"installation": random_bytes(32), "service owner": fresh_id().bytes}
            rows = [
                {"name": name, "wrapped": self._ring.wrap(value, name.encode())}
                for name, value in fresh.items()
                if name not in names
            ]
            if rows:
                connection.execute(insert(SECRETS), rows)

    def secret(self, name: str) -> bytes:
        """An installation secret made by `migrate`: "installation" or "service owner".

        Raises:
            NotMigratedError: it was never made.
            WrongMasterKeyError: the master key does not open it.
        """
        with self._database.reading() as connection:
            wrapped = connection.scalar(select(SECRETS.c.wrapped).where(SECRETS.c.name == name))
        if wrapped is None:
            raise NotMigratedError("the vault holds no secrets yet: run migrate")
        return self._ring.unwrap(wrapped, name.encode())

    @property
    def ids(self) -> Ids:
        """Ids derived under the installation's secret."""
        if self._ids is None:
            self._ids = Ids(self.secret("installation"))
        return self._ids

    # Keys

    def ensure(self, owners: Iterable[UUID]) -> None:
        """Make durable keys for those owners that have none.

        Raises:
            ShreddedError: one of them was erased.
        """
        wanted = set(owners)
        if self.living(wanted) != wanted:
            raise ShreddedError("the key of an owner was erased")

    def living(self, owners: Iterable[UUID]) -> set[UUID]:
        """Those owners whose key was not erased, with durable keys made for the new ones."""
        wanted = {owner.bytes: owner for owner in owners}
        known = self._ring.known(wanted.keys())
        missing = [owner for owner, key in known.items() if key is None]
        if missing:
            known |= self._ring.make(missing)
        return {wanted[owner] for owner, key in known.items() if key is not None and key.cipher}

    def prefetch(self, sealed: Iterable[bytes]) -> None:
        """Bring the keys that sealed these bytes into the cache by one query."""
        self._ring.known({one[OWNER] for one in sealed})

    def shred(self, owner: UUID) -> None:
        """Erase the owner's key; the id is never given a new one.

        Copies of the key in backups and in a database server's own journals live as long as those.
        """
        self._ring.erase(owner.bytes)

    def is_shredded(self, owner: UUID) -> bool:
        """Whether the owner's key was erased."""
        key = self._ring.get(owner.bytes)
        return key is not None and key.cipher is None

    def erased(self) -> set[UUID]:
        """The owners whose keys were erased."""
        return {UUID(bytes=owner) for owner in self._ring.erased()}

    # Sealing

    def seal(self, owner: UUID, plain: bytes, context: bytes) -> bytes:
        """Encrypt under the owner's key, bound to `context`; the key is durable before the return.

        Raises:
            ShreddedError: the owner's key was erased.
        """
        key = self._ring.get(owner.bytes)
        if key is None:
            self.ensure([owner])
            key = self._ring.get(owner.bytes)
        if key is None:
            raise ForgedError("the vault lost a key that it has just made")
        return _sealed_with(key, owner, plain, context)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """What `seal` was given.

        Raises:
            ShreddedError: the owner's key was erased.
            ForgedError: the bytes were changed, or belong to another context.
        """
        owner, key_id = _header(sealed)
        key = self._ring.get(owner)
        if key is None or key.key_id != key_id:
            raise ForgedError("sealed under a key that is not in this vault")
        if key.cipher is None:
            raise ShreddedError("the owner's key was erased")
        nonce = sealed[HEADER.size : HEADER.size + NONCE]
        try:
            return key.cipher.decrypt(
                nonce, sealed[HEADER.size + NONCE :], sealed[: HEADER.size] + context
            )
        except (InvalidTag, ValueError):
            raise ForgedError("sealed bytes do not authenticate") from None

    # Clients

    def subject(self, sender: str, client: str) -> UUID:
        """The random id of a sender's client, the same for ever; durable at return."""
        return self.subjects([(sender, client)])[sender, client]

    def subjects(self, clients: Iterable[tuple[str, str]]) -> dict[tuple[str, str], UUID]:
        """The ids of many (sender, client) at once; new ones are made in one transaction."""
        wanted = set(clients)
        with self._lock:
            found = {pair: self._clients[pair] for pair in wanted if pair in self._clients}
        hashes = {self.ids.digest("client", *pair): pair for pair in wanted - found.keys()}
        if hashes:
            with self._database.reading() as connection:
                stored = _subjects(connection, list(hashes))
            if len(stored) < len(hashes):
                with self._database.writing() as connection:
                    stored = self._add_clients(connection, hashes)
            found |= {hashes[digest]: subject for digest, subject in stored.items()}
            with self._lock:
                self._clients.update(found)
                while len(self._clients) > CACHED:
                    self._clients.popitem(last=False)
        return found

    def find(self, sender: str, client: str) -> UUID | None:
        """The id of a sender's client; None when there never was one."""
        digest = self.ids.digest("client", sender, client)
        with self._database.reading() as connection:
            return _subjects(connection, [digest]).get(digest)

    def reference(self, subject: UUID) -> tuple[str, str]:
        """The (sender, client reference) behind a subject id.

        Raises:
            KeyError: there is no such subject.
            ShreddedError: the client was erased.
        """
        with self._database.reading() as connection:
            sealed = connection.scalar(
                select(CLIENTS.c.sealed).where(CLIENTS.c.subject == subject.bytes)
            )
        if sealed is None:
            raise KeyError(subject)
        sender, client = orjson.loads(self.unseal(sealed, b"client" + subject.bytes))
        return sender, client

    def verify(self) -> list[str]:
        """Open every key and every client's reference; what is wrong, by ids alone."""
        with self._database.reading() as connection:
            clients = connection.execute(select(CLIENTS)).all()
        problems = [
            f"vault, key of {owner.hex()}: the master key does not open it"
            for owner in self._ring.broken()
        ]
        return problems + [
            f"vault, client {row.subject.hex()}: does not authenticate"
            for row in clients
            if not self._names(row.hash, row.subject, row.sealed)
        ]

    def _names(self, digest: str, subject: bytes, sealed: bytes) -> bool:
        """Whether a row of the client map is whole; an erased client's cannot be told."""
        try:
            sender, client = orjson.loads(self.unseal(sealed, b"client" + subject))
        except ShreddedError:
            return True
        except (ForgedError, WrongMasterKeyError):
            return False
        return self.ids.digest("client", sender, client) == digest

    def _add_clients(
        self, connection: Connection, hashes: dict[str, tuple[str, str]]
    ) -> dict[str, UUID]:
        stored = _subjects(connection, list(hashes))
        fresh = {digest: fresh_id() for digest in sorted(hashes.keys() - stored.keys())}
        keys = self._ring.add(connection, [subject.bytes for subject in fresh.values()])
        rows = [
            {
                "hash": digest,
                "subject": subject.bytes,
                "sealed": _sealed_with(
                    keys[subject.bytes],
                    subject,
                    orjson.dumps(hashes[digest]),
                    b"client" + subject.bytes,
                ),
            }
            for digest, subject in fresh.items()
        ]
        if rows:
            connection.execute(self._insert, rows)
            stored = _subjects(connection, list(hashes))
            # Another process was quicker with some: the keys made for them here stay unused.
        return stored


def _header(sealed: bytes) -> tuple[bytes, int]:
    try:
        layout, owner, key_id = HEADER.unpack_from(sealed)
    except struct.error:
        raise ForgedError("sealed bytes are too short") from None
    if layout != FORMAT:
        raise ForgedError("sealed bytes are of no known format")
    return owner, key_id


def _sealed_with(key: Key, owner: UUID, plain: bytes, context: bytes) -> bytes:
    if key.cipher is None:
        raise ShreddedError("the owner's key was erased")
    header = HEADER.pack(FORMAT, owner.bytes, key.key_id)
    nonce = random_bytes(NONCE)
    return header + nonce + key.cipher.encrypt(nonce, plain, header + context)


def _subjects(connection: Connection, hashes: Sequence[str]) -> dict[str, UUID]:
    found: dict[str, UUID] = {}
    for some in chunks(hashes):
        rows = connection.execute(_OF_HASHES, {"hashes": some})
        found |= {row.hash: UUID(bytes=row.subject) for row in rows}
    return found
