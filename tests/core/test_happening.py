"""Each event that detection looks at: how it is called, and what it leaves in the case."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.outcomes.core.case import Case
from services.outcomes.core.client import Client
from services.outcomes.core.happening import Cause, take
from services.outcomes.core.timeline import Approach, Fact, Reflection, Session
from tests.core.logbook import IDS, START, YARDSTICKS, MemoryLog, Sender

ON = "2024-01-08"
"""The eighth day, on which everything here happens."""


def day_of(moment: datetime) -> str:
    return moment.date().isoformat()


class Told:
    """A sender whose every event is taken into a case."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.sender = Sender(self.log)
        self.case = Case()

    def take(self, tell: Callable[[Sender], None]) -> Cause | None:
        """What the last event that `tell` makes does."""
        tell(self.sender)
        return take(self.case, self.log.entries[-1].event, YARDSTICKS, day_of)


@pytest.fixture
def told() -> Told:
    return Told()


KINDS: list[tuple[Callable[[Sender], None], str, str | None, bool]] = [
    (lambda sender: sender.open(7), "plan changed", None, False),
    (lambda sender: sender.session("s", 7), "session recorded", ON, True),
    (lambda sender: sender.approach("CBT", 7), "approach chosen", ON, False),
    (lambda sender: sender.fact("f", 7, "break", "away"), "fact noted", ON, True),
    (lambda sender: sender.reflect("r", 7, 30), "reflection noted", ON, False),
    (lambda sender: sender.close(7), "episode closed", ON, False),
    (lambda sender: sender.reopen(7), "episode reopened", ON, False),
    (lambda sender: sender.measure("m", 7, 14, kind="held"), "measure held", ON, False),
    (lambda sender: sender.measure("m", 7, 14, instrument="mystery"), "measure held", ON, False),
]


@pytest.mark.parametrize(("tell", "why", "on", "fresh"), KINDS)
def test_every_kind_has_its_name_and_its_date(
    told: Told, tell: Callable[[Sender], None], why: str, on: str | None, fresh: bool
) -> None:
    assert told.take(tell) == Cause(why, on, fresh=fresh)


def test_a_measure_has_a_name_for_every_version(told: Told) -> None:
    first = told.take(lambda sender: sender.measure("m", 7, 14))
    name = IDS.derive("measure", "clinic", "m").hex
    assert first == Cause("measure recorded", ON, fresh=True, new=told.case.measures[name])
    stale = told.log.entries[-1].event
    assert told.take(lambda sender: sender.measure("m", 7, 13, kind="corrected")) == Cause(
        "measure corrected", ON
    )
    assert told.case.measures[name].score == 13
    assert take(told.case, told.log.entries[-1].event, YARDSTICKS, day_of) is None, "known"
    assert take(told.case, stale, YARDSTICKS, day_of) is None, "an older version"
    assert told.case.measures[name].score == 13
    assert told.take(lambda sender: sender.withdraw("m")) == Cause("measure withdrawn", ON)
    assert told.case.measures == {}
    assert take(told.case, told.log.entries[-1].event, YARDSTICKS, day_of) is None, "gone"
    again = told.take(lambda sender: sender.measure("m", 7, 12, kind="reinstated"))
    assert again is not None
    assert (again.why, again.on, again.fresh) == ("measure given again", ON, True)
    assert again.new == told.case.measures[name]


def test_what_is_aside_is_withdrawn_without_a_date_and_may_come_back(told: Told) -> None:
    name = IDS.derive("measure", "clinic", "m").hex
    told.take(lambda sender: sender.measure("m", 7, 14, kind="held", why="client mismatch"))
    assert told.case.aside == {name: "held"}
    told.take(lambda sender: sender.measure("m", 7, 14, instrument="mystery"))
    assert told.case.aside == {name: "unknown_instrument"}
    assert told.take(lambda sender: sender.withdraw("m")) == Cause("measure withdrawn")
    assert told.case.aside == {}
    told.take(lambda sender: sender.measure("m", 7, 14, kind="held"))
    assert told.case.aside == {name: "unknown_instrument"}
    told.take(lambda sender: sender.measure("m", 7, 14))
    assert (told.case.aside, list(told.case.measures)) == ({}, [name])
    told.take(lambda sender: sender.measure("m", 7, 14, kind="held"))
    assert told.case.measures == {}


def test_a_measure_with_subscales_of_their_own_is_not_alone(told: Told) -> None:
    parts = {"depression": 10.0, "anxiety": 8.0}
    flags = ["prorated", "conflict"]
    cause = told.take(
        lambda sender: sender.measure(
            "m", 7, 30, instrument="dass-21", subscales=parts, flags=flags, band="high"
        )
    )
    assert cause == Cause("measure recorded", ON, fresh=True)
    entries = {
        one.trajectory: (one.score, one.flags, one.band) for one in told.case.measures.values()
    }
    assert entries == {
        "dass-21|total|client": (30, ("prorated", "conflict"), "high"),
        "dass-21|depression|client": (10.0, ("conflict",), "mild"),
        "dass-21|anxiety|client": (8.0, ("conflict",), "mild"),
    }
    told.take(lambda sender: sender.withdraw("m"))
    assert told.case.measures == {}


def test_everything_told_of_an_episode_stands_in_the_case(told: Told) -> None:
    told.sender.arrived = START + timedelta(days=9)
    told.take(lambda sender: sender.open(7, "gad-7", client_age=15, client_gender="female"))
    told.take(lambda sender: sender.session("s", 7, "late"))
    told.take(lambda sender: sender.fact("f", 7, "break", "away", until="2024-02-20"))
    told.take(lambda sender: sender.reflect("r", 7, 30))
    pivot: dict[str, Any] = {"origin": "reflection", "reflection": "r", "review_on": "2024-02-01"}
    told.take(lambda sender: sender.approach("EMDR", 7, **pivot))
    told.take(lambda sender: sender.close(7))
    case, name = told.case, IDS.derive("approach", "e", "EMDR", "7").hex
    assert (case.opened_on, case.primary_instrument) == (ON, "gad-7")
    assert case.client == Client(15, "female")
    assert case.sessions == {"s": Session("s", ON, "late", "2024-01-10")}
    assert case.facts == {"f": Fact("f", ON, "break", "away", "2024-02-20")}
    assert case.reflections == {"r": Reflection("r", ON, "2024-01-31")}
    assert case.approaches == {name: Approach(name, "EMDR", ON, "reflection", "r", "2024-02-01")}
    assert case.closed_on == ON
    again = told.take(lambda sender: sender.session("s", 7, "missed"))
    assert again == Cause("session recorded", ON), "known, so not fresh"
    told.take(lambda sender: sender.reopen(7))
    assert told.case.closed_on is None


def test_a_plan_that_changes_nothing_for_detection_is_no_happening(told: Told) -> None:
    told.take(lambda sender: sender.open(7, "gad-7"))
    assert told.take(lambda sender: sender.open(7, "gad-7")) is None
    assert told.take(lambda sender: sender.open(8, "gad-7")) == Cause("plan changed")
    assert told.take(lambda sender: sender.open(8)) == Cause("plan changed")
    assert told.take(lambda sender: sender.open(8, client_age=15)) == Cause("plan changed")
