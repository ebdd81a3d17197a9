"""The baselines: the same work done through the event-sourcing library as it comes.

One commit for each request, and one commit for each event that a follower has read.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from eventsourcing.application import ProcessingEvent
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, DomainEventProtocol
from eventsourcing.system import Follower, Leader, ProcessApplication


class Measure(Aggregate):
    """A measure as an aggregate of the library."""

    class Recorded(Aggregate.Created):
        """The measure came in."""

        content: dict[str, Any]

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content


class Assessment(Aggregate):
    """What a follower writes for each measure."""

    class Assessed(Aggregate.Created):
        """The measure was assessed."""

        measure: UUID

    def __init__(self, measure: UUID) -> None:
        self.measure = measure


class Intake(Leader[UUID]):
    """Takes measures, one commit each."""

    def take(self, content: Mapping[str, Any]) -> UUID:
        """Store one measure durably."""
        measure = Measure(content=dict(content))
        self.save(measure)
        return measure.id


class Detection(ProcessApplication[UUID]):
    """Follows `Intake` and writes one event for each of its own, as the library's runner does."""

    @singledispatchmethod
    def policy(
        self, domain_event: DomainEventProtocol[UUID], processing_event: ProcessingEvent[UUID]
    ) -> None:
        """Assess a measure."""
        assessed = Assessment(measure=domain_event.originator_id)
        processing_event.collect_events(assessed)


def environment(folder: Path, name: str, store: str = "") -> dict[str, str]:
    """The database at `store`, or SQLite in a file of its own, opened as the library opens it."""
    if not store:
        return {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(folder / f"{name}.db"),
        }
    place = urlsplit(store)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": place.path.lstrip("/"),
        "POSTGRES_HOST": place.hostname or "",
        "POSTGRES_PORT": str(place.port or ""),
        "POSTGRES_USER": place.username or "",
        "POSTGRES_PASSWORD": place.password or "",
    }


def intake(folder: Path, store: str = "") -> Intake:
    """An intake through the library."""
    folder.mkdir(parents=True, exist_ok=True)
    return Intake(env=environment(folder, "library-intake", store))


def follower_rate(folder: Path, count: int, store: str = "") -> float:
    """Events a second of the library's follower, `count` events behind."""
    leader = intake(folder, store)
    content = {"instrument": "phq-9", "items": [1, 2, 1, 0, 2, 1, 1, 0, 0], "client": str(uuid4())}
    leader.save(*(Measure(content=content) for _ in range(count)))
    detection = Detection(env=environment(folder, "library-detection", store))
    cast(Follower[UUID], detection).follow("Intake", leader.notification_log)
    started = time.monotonic()
    detection.pull_and_process("Intake")
    seconds = time.monotonic() - started
    detection.close()
    leader.close()
    return count / seconds
