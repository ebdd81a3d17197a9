"""The machine's clock jumps a decade, either way: timers stand still until somebody accepts it."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.chassis.clock import SystemClock
from tests.faults import courses
from tests.faults.auditor import events, opened
from tests.faults.browser import Browser
from tests.faults.ehr import Ehr
from tests.faults.house import House, prepared
from tests.faults.process import ROOT, Process
from tests.journey.real_parts import until
from tests.servers.faketime import FakeTime
from tests.servers.fixtures import required

CLOCK = SystemClock()
TODAY = CLOCK.now().date()
DECADE = timedelta(days=3652)
STILL = "Timers stand still"
COURSES = ("E-1", "E-2", "E-3")
BY_TIME = ("alert.escalated", "alert.woken", "reflection.review_due", "reflection.resolved")
"""What timers store; what messages bring goes on whatever the clock says."""


class Rig:
    """The product under a clock of its own, seen by its operator and in its log."""

    def __init__(self, folder: Path) -> None:
        self.time = required(lambda: FakeTime(folder / "offset"))
        self._environment = os.environ | self.time.environment
        self.house: House = prepared(folder / "data", CLOCK)
        self.process = Process(self.house.data, folder / "errors", environment=self._environment)
        self.process.start()
        self.ehr = Ehr(lambda: self.process.url("outcomes"), self.house.token)
        self.jump(timedelta())

    def command(self, *arguments: str) -> str:
        """What `pivotpoint` says, under the same clock."""
        command = [sys.executable, "-m", "services", *arguments, "--data", str(self.house.data)]
        told = subprocess.run(
            command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=True
        )
        return told.stdout.strip()

    def jump(self, off: timedelta) -> None:
        """Let the clock be off by so much; the operator has to sign in again then."""
        self.time.jump(off)
        self.browser = Browser(lambda: self.process.url("alerts"))
        self.browser.sign_in(self.command("alerts", "invite", "olga"))

    def status(self) -> str:
        """The operator's page."""
        page = self.browser.get("/status")
        assert page.status == 200
        return page.text

    def told(self) -> Counter[str]:
        """How many events of each kind the alerts log holds."""
        with opened(self.house.data, CLOCK) as (_, alerts):
            return Counter(event.TOPIC for event in events(alerts.log))

    def by_time(self) -> list[int]:
        """How often timers have told of what had come."""
        told = self.told()
        return [told[kind] for kind in BY_TIME]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    one = Rig(tmp_path)
    yield one
    one.ehr.close()
    one.process.kill()


def becomes(true: Callable[[], bool], what: str) -> None:
    until(true, what, 60, 0.5)


def test_timers_stand_still_until_the_clock_is_accepted(rig: Rig) -> None:
    for name in COURSES:
        courses.worsening(rig.ehr, name, TODAY)
    becomes(lambda: rig.told()["alert.raised"] >= len(COURSES), "all are told of")
    assert STILL not in rig.status()
    before = rig.by_time()

    rig.jump(-DECADE)
    becomes(lambda: f"{STILL}: backwards" in rig.status(), "timers stand still")
    assert rig.by_time() == before
    rig.jump(DECADE)
    becomes(lambda: f"{STILL}: forwards" in rig.status(), "timers stand still")
    risk = courses.measure("E-1", 99, TODAY.isoformat(), 22, risk=2)
    assert rig.ehr.send("POST", "/v1/measures", risk).status == 201
    becomes(lambda: rig.told()["alert.risk_noted"] > 0, "a risk answer is told all the same")
    assert f"{STILL}: forwards" in rig.status(), "what such a clock stored proves nothing"
    assert rig.told()["alert.escalated"] == 0, "nobody is told of what time has not brought"

    assert "trusted as of" in rig.command("clock", "accept")
    becomes(lambda: rig.told()["alert.escalated"] >= len(COURSES), "what is due now is told")

    rig.jump(timedelta())
    becomes(lambda: f"{STILL}: backwards" in rig.status(), "timers stand still")
    rig.command("clock", "accept")
    becomes(lambda: STILL not in rig.status(), "timers run")
    assert rig.process.stop() == 0
