"""The newest heartbeat of the risk path, kept by who hears it for the pages of other processes."""

from datetime import datetime

from sqlalchemy import Column, Float, Integer, MetaData, String, Table, delete, insert, select

from services.chassis.database import Database

METADATA = MetaData()
HEARD = Table(
    "risk_path",
    METADATA,
    Column("sent_at", String(40), nullable=False),
    Column("unsent", Integer, nullable=False),
    Column("oldest_s", Float, nullable=False),
)


class RiskPathTable:
    """One row; losing it shows as silence, which the next heartbeat ends."""

    def __init__(self, database: Database) -> None:
        """Keep it in `database`, the volatile one of the store."""
        self._database = database

    def migrate(self) -> None:
        """Create the table where it is missing."""
        with self._database.writing() as connection:
            METADATA.create_all(connection)

    def save(self, sent_at: datetime, unsent: int, oldest_s: float) -> None:
        """Remember a heartbeat in place of the one before."""
        row = {"sent_at": sent_at.isoformat(), "unsent": unsent, "oldest_s": oldest_s}
        with self._database.writing() as connection:
            connection.execute(delete(HEARD))
            connection.execute(insert(HEARD).values(**row))

    def load(self) -> tuple[datetime, int, float] | None:
        """The heartbeat remembered last: when it was sent, what was unsent, and how old that is."""
        with self._database.reading() as connection:
            rows = connection.execute(select(HEARD)).all()
        newest = max(rows, key=lambda row: str(row.sent_at), default=None)
        if newest is None:
            return None
        return datetime.fromisoformat(newest.sent_at), newest.unsent, newest.oldest_s
