"""The stage of the demo: both services running on loopback, their people, and the EHR's token."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from services.alerts.core.person import Person
from services.alerts.desk import Desk
from services.alerts.views.inbox import InboxRow
from services.chassis.clock import Clock
from services.embedded import Embedded
from simulation.clinic import CLINICIANS, OPS, SENDER, SUPERVISOR
from simulation.door import Office
from simulation.story import Document

POLICY = {
    "BACKUP": SUPERVISOR,
    "CONTACT": f"{OPS} (made up), extension 12",
    "RISK_POLICY": "the made-up clinic's handbook, page 3",
}
"""Whom to tell and what to follow when a risk item is endorsed: an installation must say."""
LOOK = 0.04
SETTLED_WITHIN = 60.0
"""Seconds after which services that have not caught up with a day's calls are stuck."""


class StuckError(Exception):
    """A follower did not catch up; the text names it."""


class Stage:
    """What the play needs of the running services."""

    def __init__(self, both: Embedded, clock: Clock) -> None:
        """Add the made-up people and the EHR; use `open`."""
        self._both, self._clock = both, clock
        self._alerts = both.alerts
        self.desk: Desk = both.alerts.desk
        token = both.outcomes.senders.add(SENDER)
        self.office = Office(both.outcomes_port, token)
        register = both.alerts.register
        register.add(SUPERVISOR, "supervisor")
        register.add(OPS, "ops")
        for reference, name in CLINICIANS.items():
            register.add(name, "clinician")
            register.link(name, SENDER, reference)
            register.supervise(SUPERVISOR, name)

    @classmethod
    @contextmanager
    def open(cls, data: Path, clock: Clock, port: int) -> Iterator["Stage"]:
        """Both services over an empty folder, stopped at the end of the block."""
        services = Embedded.open(data, clock, outcomes_port=0, alerts_port=port, **POLICY)
        with services.running() as both:
            stage = cls(both, clock)
            try:
                yield stage
            finally:
                stage.office.close()

    def tick(self) -> None:
        """Let the timers of both services see the clock."""
        self._both.outcomes.timers.turn()
        self._both.alerts.timers.turn()

    def beat(self) -> None:
        """Say now that the risk path is alive: a clock that jumped makes the last word look old."""
        self._both.outcomes.beat()

    def settle(self) -> None:
        """Wait until everything posted and answered has reached every follower.

        Raises:
            StuckError: that did not happen in time.
        """
        deadline = monotonic() + SETTLED_WITHIN
        while behind := self._both.behind():
            if monotonic() > deadline:
                raise StuckError(f"{', '.join(behind)} did not catch up")
            sleep(LOOK)

    def person(self, name: str) -> Person:
        """The person of a name."""
        found = self._alerts.directory.people().named(name)
        if found is None:
            raise LookupError(f"{name} was not added")
        return found

    def inbox(self, name: str) -> list[InboxRow]:
        """The rows of a person's inbox now."""
        return self._alerts.inbox.rows(self.person(name), self._clock.now())

    def documents(self) -> dict[str, Document]:
        """The course document of every episode, by the EHR's reference."""
        view = self._alerts.courses.view
        found = self._alerts.store.views.select(view)
        return {document["reference"]: document for document in found}

    def invite(self, name: str) -> str:
        """A link that signs a person in once."""
        return self._both.invite(name)
