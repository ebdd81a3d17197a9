"""Events and a view that belong to no clinic, to hold the log and its readers to their contract."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import Column, Integer

from services.chassis.eventlog import Entry
from services.chassis.views import Document, View

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MASTER_KEY = bytes(range(32))
OWNER = UUID("11111111-1111-4111-8111-111111111111")


@dataclass(frozen=True, kw_only=True)
class SampleEvent:
    """Of the shape that both services' events have."""

    TOPIC: ClassVar[str] = ""

    originator_id: UUID
    originator_version: int
    timestamp: datetime
    owner: UUID


@dataclass(frozen=True, kw_only=True)
class Noted(SampleEvent):
    TOPIC: ClassVar[str] = "sample.noted"

    text: str
    episode: str = ""
    numbers: list[float | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Ticked(SampleEvent):
    TOPIC: ClassVar[str] = "sample.ticked"


TOPICS: dict[str, type[SampleEvent]] = {Noted.TOPIC: Noted, Ticked.TOPIC: Ticked}


def noted(text: str = "", **changes: Any) -> Noted:
    """An event of a stream of its own."""
    fields: dict[str, Any] = {
        "originator_id": uuid4(),
        "originator_version": 1,
        "timestamp": NOON,
        "owner": OWNER,
        "text": text,
    }
    return Noted(**fields | changes)


def ticked() -> Ticked:
    """An event nobody asks for."""
    return Ticked(originator_id=uuid4(), originator_version=1, timestamp=NOON, owner=OWNER)


class Lines(View):
    """The texts of each episode, in order."""

    name = "lines"
    version = 1
    topics = frozenset({Noted.TOPIC})

    def columns(self) -> tuple[Column[Any], ...]:
        return (Column("count", Integer, index=True),)

    def key(self, event: Noted) -> UUID | None:
        return UUID(event.episode) if event.episode else None

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        event: Noted = entry.event
        if event.text == "poison":
            raise ZeroDivisionError
        if event.text == "gone":
            return None
        lines = doc["lines"] if doc else []
        return {"owner": event.owner.hex, "lines": [*lines, event.text]}

    def owner(self, doc: Document) -> UUID:
        return UUID(doc["owner"])

    def clear(self, doc: Document) -> dict[str, Any]:
        return {"count": len(doc["lines"])}
