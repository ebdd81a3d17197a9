"""From endings in the log to the words on a card: published, sent, noted and shown with their n."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from schemas import approaches, topics
from schemas.messages import check
from services.alerts.core.alert import AlertRaised
from services.alerts.core.caseload import LIKE_COURSES, UNTESTED, StatisticsNoted, beside
from services.chassis.clock import SteppedClock
from services.chassis.message import Message
from services.chassis.store import Store
from services.chassis.transport.embedded import EmbeddedTransport
from services.outcomes import settings
from services.outcomes.caseload import Statistician
from services.outcomes.core.caseload import LEAST, StatisticsPublished
from services.outcomes.core.event import TOPICS
from services.outcomes.core.findings import CourseEnded
from services.outcomes.relay import StatisticsRelay
from services.outcomes.views.endings import Endings
from services.outcomes.wiring import Outcomes
from tests.core.logbook import START
from tests.service.alerts_rig import Rig, episode_changed, found, staffed


class Sent:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, topic: str, messages: Sequence[Message]) -> None:
        assert topic == "pivotpoint.statistics"
        self.messages += messages


class Clinic:
    """An outcomes store whose courses end."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(
            f"sqlite:///{folder}", "outcomes", master_key=b"k" * 32, topics=TOPICS
        )
        self.store.migrate()
        self.view, self.log, self.sent = Endings(), self.store.log(), Sent()
        self.store.views.register(self.view)
        self.episodes = 0

    def end(self, times: int, result: str, *channels: str) -> None:
        self.log.append([self._ended(result, channels) for _ in range(times)])

    def _ended(self, result: str, channels: Sequence[str]) -> CourseEnded:
        self.episodes += 1
        return CourseEnded(
            originator_id=UUID(int=self.episodes),
            originator_version=1,
            timestamp=START,
            owner=UUID(int=10_000 + self.episodes),
            episode=UUID(int=self.episodes).hex,
            on="2024-03-01",
            instrument="phq-9",
            result=result,
            measures=8,
            channels=list(channels),
            differences=[],
            withdrawn=False,
        )

    def day(self, number: int, *, anew: bool = True) -> list[Message]:
        """What is sent on this day; `anew`: by a process that has not looked today."""
        reader = self.store.views.reader(self.view)
        page = self.log.page(reader.position(), 5000, self.view.topics)
        if page.scanned_to > reader.position():
            reader.apply(page.entries, page.scanned_to)
        if anew:
            self.job = Statistician(
                self.log,
                self.store.ids,
                self.store.service_owner,
                self.store.views,
                self.view,
                ("phq-9", "gad-7"),
                approaches.shipped(),
                ZoneInfo("UTC"),
            )
        self.job.publish(START + timedelta(days=number))
        relay = StatisticsRelay(self.log, self.sent)
        page = self.log.page(relay.position(), 5000, relay.topics)
        if page.scanned_to > relay.position():
            relay.apply(page.entries, page.scanned_to)
        sent, self.sent.messages = self.sent.messages, []
        return sent


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path / "outcomes")
    yield made
    made.store.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "alerts")
    staffed(made)
    yield made
    made.store.close()


def test_endings_that_are_taken_back_leave_nothing_told(clinic: Clinic) -> None:
    """A course that was opened again has no ending, be it the only one."""
    clinic.end(1, "failure")
    (first,) = clinic.day(0)
    (ended,) = clinic.log.read(UUID(int=1))
    clinic.log.append([replace(ended, originator_version=2, withdrawn=True)])
    (second,) = clinic.day(1)
    check(second.type, second.version, second.data)
    assert (first.data["endings"], second.data["endings"]) == (1, 0)
    assert clinic.day(2) == []


def test_only_what_has_changed_is_published_and_once_a_day(clinic: Clinic) -> None:
    clinic.end(LEAST - 1, "success")
    (first,) = clinic.day(0)
    check(first.type, first.version, first.data)
    assert (first.data["endings"], first.data["base_rate"]) == (LEAST - 1, None)
    assert clinic.day(1) == []
    clinic.end(1, "failure")
    (second,) = clinic.day(2)
    assert second.data["base_rate"]["n"] == 1
    assert second.key == first.key
    clinic.end(1, "failure")
    assert clinic.day(2, anew=False) == []
    assert len(clinic.day(3, anew=False)) == 1
    versions = [one.originator_version for one in clinic.log.read(_stream(clinic))]
    assert versions == [1, 2, 3]


def _stream(clinic: Clinic) -> UUID:
    entries = clinic.log.page(0, 5000, {StatisticsPublished.TOPIC}).entries
    stream: UUID = entries[0].event.originator_id
    return stream


def caution_of(rig: Rig, name: str) -> str:
    """What the card of a finding that opens now says of how often it comes true."""
    rig.tell("episode.changed", episode_changed(name))
    rig.tell("finding.opened", found(name))
    return _cautions(rig)[-1]


def _cautions(rig: Rig) -> list[str]:
    raised = rig.log.page(0, 500, {AlertRaised.TOPIC}).entries
    return [entry.event.card["caution"] for entry in raised]


def test_a_card_says_how_often_it_comes_true_once_that_is_known(clinic: Clinic, rig: Rig) -> None:
    assert caution_of(rig, "before") == UNTESTED
    clinic.end(30, "failure", "off_track")
    clinic.end(10, "success", "off_track")
    clinic.end(LEAST - 41, "success")
    few = clinic.day(0)[0].data
    rig.tell("statistics.published", few)
    rig.show()
    assert caution_of(rig, "few") == f"{UNTESTED} It takes 100 endings; there are 99."
    clinic.end(1, "success")
    rig.tell("statistics.published", clinic.day(1)[0].data)
    rig.show()
    assert caution_of(rig, "known") == (
        "Of 40 courses here in which this was found and that have ended, 30 ended neither reliably "
        "better nor below the cut-off: 75 %, 95 % interval 60 % to 86 %. Of all 100 courses that "
        "have ended, 30 did (30 %)."
    )


def test_what_a_card_said_stays_said(clinic: Clinic, rig: Rig) -> None:
    caution_of(rig, "k")
    clinic.end(LEAST, "failure", "off_track")
    rig.tell("statistics.published", clinic.day(0)[0].data)
    rig.show()
    assert _cautions(rig) == [UNTESTED]


def test_statistics_that_come_twice_or_cannot_be_read_stop_nothing(
    clinic: Clinic, rig: Rig
) -> None:
    clinic.end(LEAST, "failure", "off_track")
    data = clinic.day(0)[0].data
    one = rig.tell("statistics.published", data)
    rig.hand([one])
    rig.tell("statistics.published", data, raw=b"no message")
    rig.tell("statistics.published", {"instrument": "phq-9"})
    rig.tell("statistics.published", {**data, "endings": 777})
    noted = [entry.event for entry in rig.log.page(0, 500, {StatisticsNoted.TOPIC}).entries]
    assert [one.message["data"]["endings"] for one in noted] == [LEAST, 777]
    rig.hand([replace(one, offset=one.offset + 100)])  # sent again, from before the latest
    assert len(rig.log.page(0, 500, {StatisticsNoted.TOPIC}).entries) == len(noted)


LIKE = {
    "n": 22, "n_without": 31, "with_pivot": -1.5, "without": -0.9, "difference": -0.6,
    "low": -3.2, "high": 2.0,
}  # fmt: skip
KNOWN = {"endings": 132, "least": 100, "base_rate": {"n": 41, "of": 132, "share": 0.31}}


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (None, LIKE_COURSES),
        ({**KNOWN, "endings": 41, "base_rate": None}, "It takes 100 endings; there are 41."),
        ({**KNOWN, "like_forecast": None}, "there are too few such courses."),
        (
            {**KNOWN, "like_forecast": LIKE},
            "About six weeks after 22 pivots here scores lay 1.5 points on the better side of the "
            "forecast, in 31 courses without a pivot at a like forecast 0.9 points on the better "
            "side of it: a difference of -0.6 points (95 % interval -3.2 to +2.0; below 0 is "
            "better with a pivot).",
        ),
    ],
)
def test_beside_an_effect_stand_courses_without_a_pivot_and_the_way_back_to_the_mean(
    known: dict[str, Any] | None, said: str
) -> None:
    text = beside(known)
    assert said in text
    assert "regression to the mean" in text


def test_every_topic_is_taken_or_can_be_sent_again(tmp_path: Path) -> None:
    """After a restore of the other side and on `resend`, what `relays` names goes back."""
    service = Outcomes.open(settings.of_folder(tmp_path), SteppedClock(START))
    sent = {one.topic for one in service.relays(EmbeddedTransport())}
    taken = set(service.receivers())
    service.stop()
    assert sent.isdisjoint(taken)
    assert sent | taken == set(topics.ALL)
