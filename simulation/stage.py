"""The stage of the demo: both services running on loopback, their people, and the EHR's token."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Protocol

from services.alerts.core.person import Person
from services.alerts.desk import Desk
from services.alerts.views.inbox import InboxRow
from services.alerts.wiring import Alerts
from services.chassis.clock import SteppedClock
from services.embedded import Embedded
from services.outcomes.wiring import Outcomes
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


class Running(Protocol):
    """Both services, wherever they run, in the time of the play."""

    outcomes: Outcomes
    alerts: Alerts

    @property
    def outcomes_port(self) -> int:
        """Where the EHR sends."""
        ...

    def set(self, moment: datetime) -> None:
        """Let it be that moment for both."""
        ...

    def tick(self) -> None:
        """Let the timers of both services see the clock."""
        ...

    def beat(self) -> None:
        """Let the risk path say now that it is alive."""
        ...

    def behind(self) -> list[str]:
        """Who has not taken all that is there."""
        ...

    def invite(self, name: str) -> str:
        """A link that signs a person in once."""
        ...


class InOneProcess:
    """Both services in this process, over a folder."""

    def __init__(self, both: Embedded, clock: SteppedClock) -> None:
        """Take what runs, and the clock that it goes by."""
        self._both, self._clock = both, clock
        self.outcomes, self.alerts = both.outcomes, both.alerts
        self.outcomes_port = both.outcomes_port
        self.behind, self.invite = both.behind, both.invite
        self.set, self.beat = clock.set, both.outcomes.beat

    @classmethod
    @contextmanager
    def open(cls, data: Path, moment: datetime, port: int) -> Iterator["InOneProcess"]:
        """Run over an empty folder for the length of a block."""
        clock = SteppedClock(moment)
        services = Embedded.open(data, clock, outcomes_port=0, alerts_port=port, **POLICY)
        with services.running() as both:
            yield cls(both, clock)

    def tick(self) -> None:
        """Let the timers of both services see the clock."""
        self.outcomes.timers.turn()
        self.alerts.timers.turn()


class Stage:
    """What the play needs of the running services."""

    def __init__(self, both: Running) -> None:
        """Add the made-up people and the EHR; use `on`."""
        self._both, self._alerts = both, both.alerts
        self.desk: Desk = both.alerts.desk
        self.set, self.tick, self.beat = both.set, both.tick, both.beat
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
    def on(cls, both: Running) -> Iterator["Stage"]:
        """The stage on running services; they stay when it is over."""
        stage = cls(both)
        try:
            yield stage
        finally:
            stage.office.close()

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
        return self._alerts.inbox.rows(self.person(name), self._alerts.clock.now())

    def documents(self) -> dict[str, Document]:
        """The course document of every episode, by the EHR's reference."""
        view = self._alerts.courses.view
        found = self._alerts.store.views.select(view)
        return {document["reference"]: document for document in found}

    def invite(self, name: str) -> str:
        """A link that signs a person in once."""
        return self._both.invite(name)
