"""The volatile tables of sign-in: single-use links and web sessions, as keyed hashes alone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    MetaData,
    String,
    Table,
    Uuid,
    delete,
    insert,
    or_,
    select,
    update,
)

from services.chassis.database import Database

METADATA = MetaData()
LINKS = Table(
    "signin_links",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("expires", DateTime(timezone=True), nullable=False),
    Column("used", Boolean, nullable=False),
)
SESSIONS = Table(
    "web_sessions",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("opened", DateTime(timezone=True), nullable=False),
    Column("used", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Session:
    """A web session as it is stored."""

    person: UUID
    opened: datetime
    used: datetime


class SignInTables:
    """Reads and writes both tables; losing them signs everybody out and harms nothing else."""

    def __init__(self, database: Database) -> None:
        """Keep the tables in `database`, the volatile one of the store."""
        self._database = database

    def migrate(self) -> None:
        """Create the tables where they are missing."""
        with self._database.writing() as connection:
            METADATA.create_all(connection)

    def add_link(self, hashed: str, person: UUID, expires: datetime) -> None:
        """Keep a link that is good until `expires`."""
        row = {"hash": hashed, "person": person, "expires": expires, "used": False}
        with self._database.writing() as connection:
            connection.execute(insert(LINKS).values(**row))

    def use_link(self, hashed: str, now: datetime) -> UUID | None:
        """Use a link up; whose it is, or None when it is unknown, used or too old."""
        this = (LINKS.c.hash == hashed, LINKS.c.used.is_(False), LINKS.c.expires > now)
        with self._database.writing() as connection:
            # One statement decides: of two who follow the same link at once one gets nothing.
            used = update(LINKS).where(*this).values(used=True).returning(LINKS.c.person)
            person: UUID | None = connection.scalar(used)
        return person

    def add_session(self, hashed: str, person: UUID, now: datetime) -> None:
        """Keep a session opened now."""
        row = {"hash": hashed, "person": person, "opened": now, "used": now}
        with self._database.writing() as connection:
            connection.execute(insert(SESSIONS).values(**row))

    def session(self, hashed: str) -> Session | None:
        """A session, whether or not it is still good."""
        query = select(SESSIONS).where(SESSIONS.c.hash == hashed)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return Session(row.person, _aware(row.opened), _aware(row.used)) if row else None

    def touch(self, hashed: str, now: datetime) -> None:
        """Note that a session was used."""
        change = update(SESSIONS).where(SESSIONS.c.hash == hashed).values(used=now)
        with self._database.writing() as connection:
            connection.execute(change)

    def end(self, hashed: str) -> None:
        """Forget a session."""
        with self._database.writing() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.hash == hashed))

    def sweep(self, links_before: datetime, opened_before: datetime, idle_since: datetime) -> None:
        """Forget what is too old to be good."""
        stale = or_(SESSIONS.c.opened < opened_before, SESSIONS.c.used < idle_since)
        with self._database.writing() as connection:
            connection.execute(delete(LINKS).where(LINKS.c.expires < links_before))
            connection.execute(delete(SESSIONS).where(stale))


def _aware(moment: datetime) -> datetime:
    """SQLite keeps no zone; what it gives was stored in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
