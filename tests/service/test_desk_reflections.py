"""What becomes of a reflection: kept apart, sent once, reviewed, told to the other service."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas import messages
from services.alerts.desk import NotYoursError, RefusedError, Unknown
from services.alerts.relay import AnswersRelay
from services.chassis.message import Message
from services.chassis.transport import TransportError
from tests.service.alerts_rig import START, Rig, assessed
from tests.service.desk_rig import K, clients, clinic, flagged, form, page


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = clinic(tmp_path)
    yield made
    made.close()


# What it holds


def test_a_reflection_answers_its_alert_and_keeps_apart_what_is_the_authors(rig: Rig) -> None:
    alert = flagged(rig)
    alice = rig.person("alice")
    id_, position = rig.desk.reflect(
        alice,
        K,
        form(
            decision="pivot",
            approach="behavioural activation",
            review_on=date(2026, 4, 13),
            expectation="below 10 by now",
            pattern="good weeks follow a plan",
            unknowns=(Unknown("whether sleep changed", "not asked", "client"),),
            confidence=60,
            own_part="I was sure without asking",
            shared=("pattern",),
            answers=(alert.hex,),
        ),
    )
    assert position == rig.log.head()
    assert clients(rig) == []
    mine = page(rig)
    assert mine.private[id_.hex]["confidence"] == 60
    assert mine.document["reflections"][0]["expectation"] == "below 10 by now"
    assert [one["what"] for one in mine.unknowns] == ["whether sleep changed"]
    theirs = page(rig, "sam")
    assert theirs.private == {}
    reflected = theirs.document["reflections"][0]
    assert (reflected["expectation"], reflected["unknowns"]) == ("", [])
    assert reflected["pattern"] == "good weeks follow a plan"
    assert reflected["decision"] == "pivot"
    assert "sure without asking" not in str(theirs.document)


def test_an_unknown_is_open_until_it_is_found_out(rig: Rig) -> None:
    alice = rig.person("alice")
    rig.show()
    id_, _ = rig.desk.reflect(alice, K, form(unknowns=(Unknown("sleep", "not asked"),)))
    assert rig.page("alice").unknowns_open == 1
    with pytest.raises(NotYoursError):
        rig.desk.find_out(alice, K, id_, "7", "asked")
    assert rig.desk.find_out(alice, K, id_, "1", "asked: it has") > 0
    assert rig.desk.find_out(alice, K, id_, "1", "again") == 0
    assert rig.page("alice").unknowns_open == 0
    assert page(rig).document["reflections"][0]["unknowns"][0]["how"] == "asked: it has"


def test_a_revision_keeps_decision_and_what_was_found_out(rig: Rig) -> None:
    alice = rig.person("alice")
    rig.show()
    told = form(unknowns=(Unknown("sleep", "not asked"),), own_part="one")
    id_, _ = rig.desk.reflect(alice, K, told)
    rig.desk.find_out(alice, K, id_, "1", "it has")
    kept = Unknown("sleep", "not asked", "", "1")
    changed = form(unknowns=(kept, Unknown("goal", "not asked")), own_part="two", pattern="new")
    rig.desk.revise(alice, K, id_, changed)
    mine = page(rig)
    assert [one["what"] for one in mine.unknowns] == ["goal"]
    assert mine.document["reflections"][0]["pattern"] == "new"
    assert mine.document["reflections"][0]["decision"] == "stay"
    assert mine.private[id_.hex]["own_part"] == "two"


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": "hope"},
        {"decision": "pivot"},
        {"confidence": 101},
        {"unknowns": (Unknown("sleep", "lazy"),)},
        {"review_on": date(2026, 3, 2)},
        {"decision": "pivot", "approach": "EMDR"},  # not in the toolkit, nothing goes with it
    ],
)
def test_what_cannot_be_recorded_is_refused_in_words(rig: Rig, changes: dict[str, Any]) -> None:
    rig.register.toolkit("alice", ["CBT"])
    rig.show()
    head = rig.log.head()
    with pytest.raises(RefusedError):
        rig.desk.reflect(rig.person("alice"), K, form(**changes))
    assert rig.log.head() == head


@pytest.mark.parametrize(
    ("score", "change", "day", "worked"),
    [
        (9.0, -5.0, "2026-03-30", True),  # below the cut-off
        (10.0, -5.7, "2026-03-30", True),  # reliably better
        (10.0, -5.6, "2026-03-30", False),
        (9.0, -6.0, "2026-03-16", True),  # 14 days away
        (9.0, -6.0, "2026-03-15", None),  # 15 days away: unresolved
    ],
)
def test_reviewed_by_the_nearest_measure(
    rig: Rig, score: float, change: float, day: str, worked: bool | None
) -> None:
    rig.show()
    rig.desk.reflect(rig.person("alice"), K, form(review_on=date(2026, 3, 30)))
    rig.tell("measure.assessed", assessed("k", 2, score, day, change=change))
    rig.clock.set(START + timedelta(days=27))
    rig.tick()
    assert page(rig).document["reflections"][0]["review_due"] is False
    rig.later(days=18)
    assert rig.page("alice").reviews_due == 0
    resolved = page(rig).document["reflections"][0]["resolved"]
    assert resolved["worked"] is worked


def test_a_nearer_measure_is_waited_for(rig: Rig) -> None:
    rig.show()
    rig.desk.reflect(rig.person("alice"), K, form(review_on=date(2026, 3, 30)))
    rig.tell("measure.assessed", assessed("k", 2, 15, "2026-03-20", change=0))
    rig.later(days=29)
    assert page(rig).document["reflections"][0]["resolved"] is None
    assert rig.page("alice").reviews_due == 1
    rig.tell("measure.assessed", assessed("k", 3, 8, "2026-04-01", change=-7))
    rig.later(days=3)
    assert page(rig).document["reflections"][0]["resolved"]["worked"] is True


def test_the_journal_is_its_authors(rig: Rig) -> None:
    rig.desk.journal(rig.person("alice"), "a slow week")
    rig.show()
    assert [one["text"] for one in rig.journals.entries(rig.person("alice"))] == ["a slow week"]
    assert rig.journals.entries(rig.person("sam")) == []


# The same form again


def test_the_same_form_sent_again_is_one_reflection(rig: Rig) -> None:
    """As when the answer to the first sending was lost; the alert it answered is gone by then."""
    alert = flagged(rig)
    alice = rig.person("alice")
    filled = form(key="a" * 32, expectation="below 10 by now", answers=(alert.hex,))
    first, _ = rig.desk.reflect(alice, K, filled)
    head = rig.log.head()
    again, _ = rig.desk.reflect(alice, K, replace(filled, answers=()))
    assert (again, rig.log.head()) == (first, head)
    assert len(page(rig).document["reflections"]) == 1


def test_the_same_form_sent_many_times_at_once_is_one_reflection(rig: Rig) -> None:
    flagged(rig)
    alice, filled = rig.person("alice"), form(key="b" * 32)
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda _: rig.desk.reflect(alice, K, filled)[0], range(16)))
    assert len(set(sent)) == 1
    assert len(page(rig).document["reflections"]) == 1


def test_other_words_in_the_same_form_are_another_reflection(rig: Rig) -> None:
    """What was written after going back a page is not dropped."""
    flagged(rig)
    alice, filled = rig.person("alice"), form(key="c" * 32)
    rig.desk.reflect(alice, K, filled)
    rig.desk.reflect(alice, K, replace(filled, pattern="good weeks follow a plan"))
    rig.desk.reflect(alice, K, replace(filled, key="d" * 32))
    assert len(page(rig).document["reflections"]) == 3


# The relay


class Sent:
    """A transport that keeps what it was handed."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.away = False

    def send(self, topic: str, messages_: Sequence[Message]) -> None:
        if self.away:
            raise TransportError("nobody is there")
        assert topic == "pivotpoint.answers"
        self.messages += messages_


def test_decisions_leave_once_and_nothing_that_is_the_authors(rig: Rig) -> None:
    rig.show()
    told = form(decision="pivot", approach="EMDR", own_part="secret", pattern="secret", reason="s")
    id_, _ = rig.desk.reflect(rig.person("alice"), K, told)
    sent = Sent()
    relay = AnswersRelay(rig.log, sent)
    entries = rig.log.page(relay.position(), 500, relay.topics)
    sent.away = True
    with pytest.raises(TransportError):
        relay.apply(entries.entries, entries.scanned_to)
    assert relay.position() == 0
    sent.away = False
    relay.apply(entries.entries, entries.scanned_to)
    assert relay.position() == entries.scanned_to
    assert [one.type for one in sent.messages] == ["reflection.recorded", "approach.chosen"]
    for one in sent.messages:
        messages.check(one.type, one.version, one.data)
        assert "secret" not in str(one.data)
    assert sent.messages[1].data["approach_id"] == id_.hex
    assert len({one.position for one in sent.messages}) == 2
