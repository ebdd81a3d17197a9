"""`pivotpoint run` whose parts fail with texts full of what clients wrote, as careless code would.

Run as `python -m tests.faults.breaker --data DIR`. A measure with `BREAK` in its external id breaks
the door, one with `POISON` breaks detection and the book; the inbox of `UNLUCKY` breaks the pages.
"""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from services.alerts import wiring as alerts_wiring
from services.alerts.book import Book, Incoming, Page
from services.alerts.core.event import Event
from services.alerts.core.person import Person
from services.alerts.views.inbox import Inbox, InboxPage
from services.chassis import logs
from services.chassis.clock import SystemClock
from services.chassis.eventlog import Entry
from services.embedded import Embedded
from services.outcomes import wiring as outcomes_wiring
from services.outcomes.detector import Detector

BREAK, POISON, UNLUCKY = "break", "poison", "carl"


class BreakingDetector(Detector):
    """Tells the whole event in its error."""

    def apply(self, entries: Sequence[Entry], to: int) -> None:
        for entry in entries:
            if POISON in str(getattr(entry.event, "external_id", "")):
                raise ValueError(repr(entry.event))
        super().apply(entries, to)


class BreakingBook(Book):
    """Tells the whole message in its error."""

    def take(self, page: Page, incoming: Incoming) -> list[Event]:
        if POISON in str(incoming.note):
            raise ValueError(str(incoming.note))
        return super().take(page, incoming)


class BreakingInbox(Inbox):
    """Tells whole documents in its error."""

    def page(self, person: Person, now: datetime) -> InboxPage:
        if person.name == UNLUCKY:
            raise RuntimeError(repr(self.store.select(self.view)))
        return super().page(person, now)


def _break_door(both: Embedded) -> None:
    measures: Any = both.outcomes.record.measures
    whole = measures.post_all

    def post_all(sender: str, contents: Sequence[Any]) -> Any:
        if any(BREAK in one.external_id for one in contents):
            raise RuntimeError(repr(contents))
        return whole(sender, contents)

    measures.post_all = post_all


def main(option: str, data: str) -> int:
    logs.setup("pivotpoint")
    for module, name, kind in (
        (outcomes_wiring, "Detector", BreakingDetector),
        (alerts_wiring, "Book", BreakingBook),
        (alerts_wiring, "Inbox", BreakingInbox),
    ):
        setattr(module, name, kind)
    both = Embedded.open(Path(data), SystemClock(), outcomes_port=0, alerts_port=0)
    _break_door(both)
    return both.serve(lambda: None)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
