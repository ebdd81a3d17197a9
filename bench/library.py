"""The baselines: the same work done through the event-sourcing library as it comes.

One commit for each request, and one commit for each event that a follower has read.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
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


def environment(folder: Path, name: str) -> dict[str, str]:
    """SQLite in a file of its own, opened as the library opens it."""
    return {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(folder / f"{name}.db"),
    }


def intake(folder: Path) -> Intake:
    """An intake through the library."""
    folder.mkdir(parents=True, exist_ok=True)
    return Intake(env=environment(folder, "library-intake"))


def follower_rate(folder: Path, count: int) -> float:
    """Events a second of the library's follower, `count` events behind."""
    leader = intake(folder)
    content = {"instrument": "phq-9", "items": [1, 2, 1, 0, 2, 1, 1, 0, 0], "client": str(uuid4())}
    leader.save(*(Measure(content=content) for _ in range(count)))
    detection = Detection(env=environment(folder, "library-detection"))
    cast(Follower[UUID], detection).follow("Intake", leader.notification_log)
    started = time.monotonic()
    detection.pull_and_process("Intake")
    return count / (time.monotonic() - started)
