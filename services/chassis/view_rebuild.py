"""Filling views anew: the log is read once, for all of them, beside the tables that are live."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from services.chassis.eventlog import Damaged, Entry, EventLog, Progress, Redacted
from services.chassis.faults import ConflictError, StoreError
from services.chassis.parking import Parking
from services.chassis.view import View
from services.chassis.view_tables import Step

PAGE = 2_000


class Builds(Protocol):
    """What filling asks of the store of the views."""

    parking: Parking

    def write_page(self, steps: Sequence[Step], to: int) -> list[int]:
        """Fold entries into builds and move them, in one commit."""
        ...

    def switch(self, view: View, number: int) -> bool:
        """Make a build live; False when it may not be yet."""
        ...


@dataclass(slots=True)
class Filling:
    """One build that is being filled, and what of its view could not be folded."""

    view: View
    number: int
    held: dict[UUID, Entry] = field(default_factory=dict)

    def step(self, entries: Sequence[Entry], at: int) -> Step:
        """What a page does to it, past what is held."""
        ready = [entry for entry in entries if entry.event.TOPIC in self.view.topics]
        if self.held:
            ready = [entry for entry in ready if document_key(self.view, entry) not in self.held]
        return Step(self.view, self.number, ready, at)


def fill(
    builds: Builds, building: Sequence[Filling], log: EventLog, progress: Progress | None = None
) -> None:
    """Fill builds from the beginning of the log until each has caught up and is live.

    Raises:
        ConflictError: another moved one of them.
    """
    topics = {topic for one in building for topic in one.view.topics}
    position, left = 0, list(building)
    while left:
        page = log.page(position, PAGE, topics)
        _take(builds, left, page.entries, position, page.scanned_to)
        position, head = page.scanned_to, log.head()
        if progress:
            progress(position, head)
        # Under intake the log may never stand still: a page that is not full was the last one, and
        # `switch` refuses what the live build is ahead of.
        if len(page.entries) < PAGE:
            left = [one for one in left if not builds.switch(one.view, one.number)]
    if progress:
        progress(position, position)


def _take(
    builds: Builds, building: Sequence[Filling], entries: Sequence[Entry], at: int, to: int
) -> None:
    """Write a page to all in one commit; where one has trouble, to each in its own."""
    try:
        builds.write_page([one.step(entries, at) for one in building], to)
    except (ConflictError, StoreError):
        raise
    except Exception:
        for one in building:
            _narrow(builds, one, one.step(entries, at), to)


def _narrow(builds: Builds, one: Filling, step: Step, to: int) -> None:
    """Write what a page does to one build, parking the keys of what cannot be folded."""
    entries, at = step.entries, step.at
    try:
        builds.write_page([step], to)
    except (ConflictError, StoreError):
        raise
    except Exception as error:
        if len(entries) > 1:
            half = len(entries) // 2
            middle = entries[half - 1].position
            _narrow(builds, one, one.step(entries[:half], at), middle)
            _narrow(builds, one, one.step(entries[half:], middle), to)
            return
        key = document_key(one.view, entries[0]) if entries else None
        if key is None:
            raise
        one.held[key] = entries[0]
        name = reader_name(one.view)
        builds.parking.park(name, key, entries[0].position, type(error).__name__)
        _narrow(builds, one, one.step([], at), to)


def reader_name(view: View) -> str:
    """Under which parking and metrics know a view's reader."""
    return f"view {view.name}"


def document_key(view: View, entry: Entry) -> UUID | None:
    """The document an entry belongs to; none when it cannot be read."""
    if isinstance(entry.event, (Redacted, Damaged)):
        return None
    return view.key(entry.event)
