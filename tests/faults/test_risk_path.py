"""An answer to a risk item stands in the right inbox within a second, whatever else fails."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from schemas import topics
from services.chassis.clock import SteppedClock, SystemClock
from services.chassis.eventlog import Entry, StoreError
from services.chassis.transport import Delivery
from services.chassis.transport.embedded import EmbeddedTransport
from services.embedded import Embedded
from services.outcomes.relay import Heartbeat, RiskRelay
from tests.faults import courses
from tests.faults.auditor import opened
from tests.faults.browser import Browser, Seen
from tests.faults.ehr import Ehr
from tests.faults.house import LIND, House, prepared, running, settle, until
from tests.faults.sick import SICK, SickAlerts, SickOutcomes

WITHIN = 1.0
"""Seconds from the door's answer to the inbox."""
RISK = "risk_answer"
CLOCK = SystemClock()
TODAY = CLOCK.now().date()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return prepared(tmp_path_factory.mktemp("risk") / "data", CLOCK)


@pytest.fixture(scope="module")
def rig(house: House) -> Iterator[tuple[Embedded, Ehr]]:
    with running(house, CLOCK, SickOutcomes, SickAlerts) as both:
        yield both


@pytest.fixture(autouse=True)
def _healthy() -> Iterator[None]:
    yield
    SICK.heal()


def send(ehr: Ehr, name: str, number: int = 99, **changes: object) -> int:
    body = courses.measure(name, number, TODAY.isoformat(), 12, risk=2) | changes
    return ehr.send("POST", "/v1/measures", body).status


def arrives(both: Embedded, name: str, person: str = LIND) -> None:
    """The answer stands in the person's inbox, with the client that it is about."""
    started = monotonic()
    until(lambda: RISK in courses.channels(courses.row(both, CLOCK, person, name)), 20)
    took = monotonic() - started
    row = courses.row(both, CLOCK, person, name)
    assert row is not None
    assert row.main.channel == RISK
    assert row.client == f"client of {name}"
    assert [(one.item, one.answer, one.state) for one in row.risk] == [(9, 2, "endorsed")]
    assert took < WITHIN


def test_with_a_total_that_disagrees(rig: tuple[Embedded, Ehr]) -> None:
    both, ehr = rig
    courses.announce(ehr, "E-total", TODAY.isoformat())
    assert send(ehr, "E-total", total=3) == 201
    arrives(both, "E-total")


def test_of_an_episode_that_nobody_announced(rig: tuple[Embedded, Ehr]) -> None:
    both, ehr = rig
    assert send(ehr, "E-unknown") == 201
    arrives(both, "E-unknown")


def test_of_an_episode_and_a_clinician_that_nobody_knows(rig: tuple[Embedded, Ehr]) -> None:
    both, ehr = rig
    assert send(ehr, "E-nobody", clinician=None) == 201
    arrives(both, "E-nobody", "bea")
    assert courses.row(both, CLOCK, LIND, "E-nobody") is None


def test_with_two_clients_named(rig: tuple[Embedded, Ehr]) -> None:
    both, ehr = rig
    first = courses.measure("E-two", 1, TODAY.isoformat(), 4)
    assert ehr.send("POST", "/v1/measures", first).status == 201
    assert send(ehr, "E-two", client="somebody else") == 202
    until(lambda: RISK in courses.channels(courses.row(both, CLOCK, LIND, "E-two")), WITHIN)


def test_of_an_episode_that_the_detector_has_parked(rig: tuple[Embedded, Ehr]) -> None:
    both, ehr = rig
    SICK.detector.add(courses.episode_id(both, "E-parked").hex)
    courses.announce(ehr, "E-parked", TODAY.isoformat())
    until(lambda: both.outcomes.store.parking.count("detector") == 1)
    assert send(ehr, "E-parked") == 201
    arrives(both, "E-parked")


def test_of_an_episode_whose_messages_are_parked(rig: tuple[Embedded, Ehr]) -> None:
    both, ehr = rig
    SICK.book.add(courses.episode_id(both, "E-book").hex)
    courses.worsening(ehr, "E-book", TODAY - timedelta(days=1))
    until(lambda: both.alerts.store.parking.count() == 1)
    assert send(ehr, "E-book") == 201
    arrives(both, "E-book")


def test_with_the_detector_stopped(rig: tuple[Embedded, Ehr]) -> None:
    both, ehr = rig
    SICK.stopped.add("detector")
    courses.announce(ehr, "E-stopped", TODAY.isoformat())
    assert send(ehr, "E-stopped") == 201
    arrives(both, "E-stopped")


def test_with_no_other_message_getting_through(rig: tuple[Embedded, Ehr]) -> None:
    both, ehr = rig
    SICK.stopped.add("episodes")
    courses.announce(ehr, "E-alone", TODAY.isoformat())
    assert send(ehr, "E-alone") == 201
    arrives(both, "E-alone")


def test_after_a_correction_it_still_waits(rig: tuple[Embedded, Ehr]) -> None:
    both, ehr = rig
    courses.announce(ehr, "E-corrected", TODAY.isoformat())
    assert send(ehr, "E-corrected") == 201
    arrives(both, "E-corrected")
    name = "E-corrected-99"
    body = courses.measure("E-corrected", 99, TODAY.isoformat(), 3)
    assert ehr.send("PUT", f"/v1/measures/{name}", body).status == 200
    settle(both)
    row = courses.row(both, CLOCK, LIND, "E-corrected")
    assert row is not None
    assert row.main.channel == RISK
    assert "changed by the EHR from 2 to 0" in row.risk[0].words
    ehr.send("DELETE", f"/v1/measures/{name}?reason=entered-in-error")
    settle(both)
    row = courses.row(both, CLOCK, LIND, "E-corrected")
    assert row is not None
    assert row.main.channel == RISK


# Silence of the path


def pages(both: Embedded, person: str, name: str) -> list[Seen]:
    """Every kind of page that a person may open."""
    browser = Browser(lambda: both.alerts_url)
    browser.sign_in(f"/signin/{both.alerts.signin.invite(person)}")
    episode = f"/episodes/{courses.episode_id(both, name).hex}"
    paths = {
        LIND: ("/", episode, f"{episode}/reflect", "/about"),
        "sam": ("/", episode, "/about"),
        "olga": ("/status", "/about"),
    }
    seen = [browser.get(path) for path in paths[person]]
    assert [page.status for page in seen] == [200] * len(seen)
    strange = browser.get(f"/episodes/{'0' * 32}")
    assert strange.status == 404
    return [*seen, strange]


def warned(seen: list[Seen]) -> set[bool]:
    return {"Risk answers may not be arriving" in page.text for page in seen}


def test_when_the_path_falls_silent_every_page_says_so(tmp_path: Path) -> None:
    clock = SteppedClock(CLOCK.now())
    house = prepared(tmp_path / "data", clock)
    with running(house, clock) as (both, ehr):
        courses.worsening(ehr, "E-1", clock.now().date())
        settle(both)
        both.outcomes.beat()
        people = (LIND, "sam", "olga")
        assert warned([page for who in people for page in pages(both, who, "E-1")]) == {False}
        clock.set(clock.now() + timedelta(minutes=6))
        assert warned([page for who in people for page in pages(both, who, "E-1")]) == {True}
        both.outcomes.beat()
        assert warned(pages(both, LIND, "E-1")) == {False}


def test_it_goes_on_beating_after_its_store_was_away(tmp_path: Path) -> None:
    """A heartbeat that cannot be made is missed; the next one comes all the same."""

    class Away(RiskRelay):
        asked = 0

        def unsent(self) -> list[Entry]:
            Away.asked += 1
            if Away.asked == 1:
                raise StoreError("the store is away")
            return super().unsent()

    class Heard:
        beats = 0

        def receive(self, deliveries: Sequence[Delivery]) -> None:
            Heard.beats += len(deliveries)

    house = prepared(tmp_path / "data", CLOCK)
    transport = EmbeddedTransport()
    transport.subscribe(topics.RISK, Heard())
    with opened(house.data, CLOCK) as (outcomes, _):
        relay = Away(outcomes.store.log(), transport)
        heartbeat = Heartbeat(relay, transport, outcomes.store.log_id, CLOCK, every=0.05)
        heartbeat.start()
        until(lambda: Heard.beats > 1, 10)
        heartbeat.stop()
