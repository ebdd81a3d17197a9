"""A clinic of one course whose time a test sets: what the whole loop is walked through in."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.chassis.clock import SteppedClock
from services.embedded import Embedded
from tests.faults import courses
from tests.faults.browser import Browser, Seen
from tests.faults.ehr import Ehr
from tests.faults.house import settle

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
WORSENING = (13, 14, 20, 21)
EPISODE = "E-loop"
CLIENT = f"client of {EPISODE}"


@dataclass
class Clinic:
    """Both services, the sender, and time."""

    both: Embedded
    ehr: Ehr
    clock: SteppedClock
    number: int = 0

    @property
    def today(self) -> str:
        return self.clock.now().date().isoformat()

    @property
    def address(self) -> str:
        """The path of the episode's page."""
        return f"/episodes/{courses.episode_id(self.both, EPISODE).hex}"

    def measure(self, total: int) -> None:
        """One measure of the present day, taken in by everybody."""
        body = courses.measure(EPISODE, self.number, self.today, total, risk=max(0, total - 24))
        assert self.ehr.send("POST", "/v1/measures", body).status == 201
        self.number += 1
        settle(self.both)

    def days(self, count: int) -> None:
        """Let time pass day by day, the timers of both services running."""
        for _ in range(count):
            self.clock.set(self.clock.now() + timedelta(days=1))
            self.both.outcomes.timers.turn()
            self.both.alerts.timers.turn()
        self.both.outcomes.beat()

    def person(self, name: str) -> Browser:
        """Somebody who has just signed in."""
        browser = Browser(lambda: self.both.alerts_url)
        landed = browser.sign_in(f"/signin/{self.both.alerts.signin.invite(name)}")
        assert landed.status == 200
        assert landed.path in ("/", "/status")
        return browser

    def page(self, name: str) -> Seen:
        """The episode's page as somebody sees it now."""
        return self.person(name).get(self.address)


def worsened(clinic: Clinic) -> None:
    """An announced course that is reliably worse in its fourth week."""
    courses.announce(clinic.ehr, EPISODE, clinic.today)
    for week, total in enumerate(WORSENING):
        if week:
            clinic.days(7)
        clinic.measure(total)
