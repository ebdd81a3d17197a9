"""What cannot be digested stops its own episode; the others, and risk answers, go on."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

from schemas import messages, topics
from services.__main__ import main
from services.alerts.consumer import EPISODES_READER
from services.chassis.clock import SystemClock
from services.chassis.message import Message, encode, message_id
from services.chassis.transport import Delivery
from services.embedded import Embedded
from services.outcomes.consumer import READER as ANSWERS_READER
from tests.faults import courses
from tests.faults.auditor import audit
from tests.faults.ehr import Ehr
from tests.faults.house import LIND, House, prepared, running, settle, until
from tests.faults.sick import SICK, SickAlerts, SickOutcomes

CLOCK = SystemClock()
TODAY = CLOCK.now().date()
RISK = "risk_answer"
WORSE = "reliable_deterioration"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return prepared(tmp_path / "data", CLOCK)


@pytest.fixture(autouse=True)
def _healthy() -> Iterator[None]:
    yield
    SICK.heal()


def command(house: House, *arguments: str) -> str:
    """What `pivotpoint` says, beside the running services."""
    told = CliRunner().invoke(main, [*arguments, "--data", str(house.data)])
    assert told.exit_code == 0, told.output
    return told.output


def send_risk(ehr: Ehr, name: str) -> None:
    body = courses.measure(name, 99, TODAY.isoformat(), 22, risk=2)
    assert ehr.send("POST", "/v1/measures", body).status == 201


def shown(both: Embedded, name: str) -> set[str]:
    return courses.channels(courses.row(both, CLOCK, LIND, name))


def test_an_entry_on_which_detection_fails(house: House) -> None:
    with running(house, CLOCK, SickOutcomes, SickAlerts) as (both, ehr):
        bad, parking = courses.episode_id(both, "E-bad"), both.outcomes.store.parking
        SICK.detector.add(bad.hex)
        courses.worsening(ehr, "E-bad", TODAY)
        courses.worsening(ehr, "E-good", TODAY)
        send_risk(ehr, "E-bad")
        until(lambda: shown(both, "E-good") >= {WORSE} and RISK in shown(both, "E-bad"))
        assert [(one.reader, one.key) for one in parking.list()] == [("detector", bad)]
        assert shown(both, "E-bad") == {RISK}
        assert ehr.get("/v1/episodes/E-bad/trajectories")["trajectories"] == []
        assert len(ehr.get("/v1/episodes/E-bad")["measures"]) == len(courses.WORSE) + 1

        listed = command(house, "outcomes", "parked", "list")
        assert "detector" in listed
        assert bad.hex in listed
        assert "PoisonError" in listed
        command(house, "outcomes", "parked", "replay")
        until(lambda: not parking.requested("detector"))
        assert parking.count() == 1, "what still fails stays parked"

        SICK.heal()
        command(house, "outcomes", "parked", "replay", "detector", bad.hex)
        until(lambda: parking.count() == 0)
        until(lambda: shown(both, "E-bad") >= {RISK, WORSE})
        settle(both)
    assert audit(house.data, ehr.record.all(), clinician=LIND) == []


def test_a_message_on_which_the_book_fails(house: House) -> None:
    with running(house, CLOCK, SickOutcomes, SickAlerts) as (both, ehr):
        bad, parking = courses.episode_id(both, "E-bad"), both.alerts.store.parking
        SICK.book.add(bad.hex)
        courses.worsening(ehr, "E-bad", TODAY)
        courses.worsening(ehr, "E-good", TODAY)
        send_risk(ehr, "E-bad")
        until(lambda: shown(both, "E-good") >= {WORSE} and RISK in shown(both, "E-bad"))
        settle(both)
        assert [(one.reader, one.key) for one in parking.list()] == [(EPISODES_READER, bad)]
        assert shown(both, "E-bad") == {RISK}
        assert bad.hex in command(house, "alerts", "parked", "list")

        SICK.heal()
        command(house, "alerts", "parked", "replay")
        until(lambda: parking.count() == 0)
        until(lambda: shown(both, "E-bad") >= {RISK, WORSE})
        settle(both)
    assert audit_after_waiting(house, ehr) == []


def audit_after_waiting(house: House, ehr: Ehr) -> list[str]:
    """The audit, less that messages were noted before they took effect."""
    faults = audit(house.data, ehr.record.all(), clinician=LIND)
    return [one for one in faults if not one.startswith("a message of ")]


def future(both: Embedded, name: str, type_: str, data: dict[str, Any], offset: int) -> Delivery:
    """A message of a version that this release does not know, from a log of its own."""
    episode = courses.episode_id(both, name)
    data = {"episode": episode.hex, **data}
    id_ = message_id(UUID(int=offset), offset, data)
    message = Message(type_, 2, id_, episode, CLOCK.now(), "later-release", offset, data)
    topic = topics.ANSWERS if type_ == "reflection.recorded" else topics.EPISODES
    return Delivery(topic, 0, offset, episode.hex, encode(message), "later-release")


def test_a_message_of_a_later_release(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(house, CLOCK) as (both, ehr):
        courses.worsening(ehr, "E-bad", TODAY - timedelta(weeks=4), courses.WORSE[:2])
        settle(both)
        parking = both.alerts.store.parking
        data = {"session": "s-2", "on": TODAY.isoformat(), "attendance": "attended"}
        poison = future(both, "E-bad", "session.recorded", data, 1)
        both.alerts.episodes.receive([poison, replace(poison, offset=2)])
        assert [one.error for one in parking.list()] == ["UnknownMessageError"]

        for number, total in enumerate(courses.WORSE[2:], 2):
            on = (TODAY - timedelta(weeks=5 - number)).isoformat()
            body = courses.measure("E-bad", number, on, total)
            ehr.send("POST", "/v1/measures", body)
        courses.worsening(ehr, "E-good", TODAY)
        send_risk(ehr, "E-bad")
        until(lambda: WORSE in shown(both, "E-good") and RISK in shown(both, "E-bad"))
        settle(both)
        assert WORSE not in shown(both, "E-bad")

        command(house, "alerts", "parked", "replay")
        until(lambda: not parking.requested(EPISODES_READER))
        assert parking.count() == 1, "this release still cannot read it"
        monkeypatch.setattr(messages.SessionRecorded, "VERSION", 2)
        command(house, "alerts", "parked", "replay")
        until(lambda: parking.count() == 0)
        settle(both)
        view = both.alerts.courses.view
        document = both.alerts.store.views.get(view, courses.episode_id(both, "E-bad"))
        assert document is not None
        assert [one["session"] for one in document["sessions"]] == ["s-2"]
        (trajectory,) = document["trajectories"].values()
        assert len(trajectory["points"]) == len(courses.WORSE) + 1
        assert WORSE in shown(both, "E-bad")


def test_an_answer_of_a_later_release(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(house, CLOCK) as (both, ehr):
        for name in ("E-bad", "E-good"):
            courses.announce(ehr, name, TODAY.isoformat())
        parking = both.outcomes.store.parking
        answers = [
            future(both, name, "reflection.recorded", reflected(number), number)
            for number, name in enumerate(("E-bad", "E-good", "E-bad"), 1)
        ]
        known = replace(answers[1], raw=answers[1].raw.replace(b'version":2', b'version":1'))
        both.outcomes.consumer.receive([answers[0], known, answers[2]])
        assert [one.reader for one in parking.list()] == [ANSWERS_READER]
        until(lambda: len(ehr.get("/v1/episodes/E-good")["reflections"]) == 1)
        assert ehr.get("/v1/episodes/E-bad")["reflections"] == []

        monkeypatch.setattr(messages.ReflectionRecorded, "VERSION", 2)
        command(house, "outcomes", "parked", "replay")
        until(lambda: parking.count() == 0)
        settle(both)
        assert len(ehr.get("/v1/episodes/E-bad")["reflections"]) == 2


def reflected(number: int) -> dict[str, Any]:
    told = {"decision": "stay", "on": TODAY.isoformat(), "review_on": None}
    return {"reflection": UUID(int=number).hex, **told}
