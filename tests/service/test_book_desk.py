"""What people do about alerts, what falls due, and who may see and do which."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from schemas import messages
from services.alerts.core.person import PersonRefusedError
from services.alerts.desk import NotYoursError, ReflectionForm, RefusedError, Unknown
from services.alerts.relay import AnswersRelay
from services.alerts.views.course import EpisodePage
from services.chassis.message import Message
from services.chassis.transport import TransportError
from tests.service.alerts_rig import (
    START,
    Rig,
    assessed,
    cleared,
    episode_changed,
    found,
    id_of,
    staffed,
)

K = id_of("episode", "k")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, BACKUP="bea")
    staffed(made)
    made.tell("episode.changed", episode_changed("k"))
    made.tell("measure.assessed", assessed("k", 1, 15, "2026-03-02", p_fail=0.7))
    yield made
    made.close()


def flagged(rig: Rig, channel: str = "off_track") -> Any:
    rig.tell("finding.opened", found("k", channel))
    rig.show()
    return rig.book.alert_id(K, channel)


def clients(rig: Rig, name: str = "alice") -> list[str]:
    return [row.client for row in rig.page(name).rows]


def page(rig: Rig, name: str = "alice") -> EpisodePage:
    rig.show()
    found_ = rig.courses.page(rig.person(name), K, rig.clock.now(), rig.journals)
    assert found_ is not None
    return found_


def form(**changes: Any) -> ReflectionForm:
    return ReflectionForm(**{"decision": "stay", "reason": "too early", **changes})


# Snooze, dismissal, refractory, cap


def test_snoozed_until_the_next_session_then_back(rig: Rig) -> None:
    rig.tell("episode.changed", episode_changed("k", next_session="2026-03-05"))
    alert = flagged(rig)
    rig.desk.snooze(rig.person("alice"), K, alert, None)
    assert clients(rig) == []
    assert rig.page("alice").snoozed == 1
    rig.later(days=2)
    assert clients(rig) == []
    rig.later(days=1)
    assert clients(rig) == ["k"]
    kinds = [type(one).__name__ for one in rig.log.read(alert)]
    assert kinds == ["AlertRaised", "AlertSnoozed", "AlertWoken"]


def test_a_snooze_ends_even_while_timers_stand_still(rig: Rig) -> None:
    rig.desk.snooze(rig.person("alice"), K, flagged(rig), date(2026, 3, 4))
    rig.clock.set(START + timedelta(days=2))
    assert clients(rig) == ["k"]


def test_dismissed_with_a_reason_it_stays_away_until_it_has_cleared(rig: Rig) -> None:
    alert = flagged(rig)
    alice = rig.person("alice")
    with pytest.raises(RefusedError):
        rig.desk.dismiss(alice, K, alert, "because")
    rig.desk.dismiss(alice, K, alert, "too early to say")
    rig.tell("finding.amended", found("k", revision=2))
    assert clients(rig) == []
    assert page(rig).past[0].state == "dismissed"


def test_a_channel_speaks_again_only_four_weeks_after_it_cleared(rig: Rig) -> None:
    flagged(rig)
    rig.tell("finding.cleared", cleared("k"))
    assert clients(rig) == []
    assert page(rig).past[0].state == "settled"
    rig.later(days=7)
    rig.tell("finding.opened", found("k", ordinal=2))
    assert clients(rig) == []
    assert rig.page("alice").waiting == 1
    assert [one.channel for one in page(rig).held] == ["off_track"]
    rig.later(days=20)
    assert clients(rig) == []
    rig.later(days=1)
    assert clients(rig) == ["k"]


def test_what_clears_while_it_waits_never_speaks(rig: Rig) -> None:
    flagged(rig)
    rig.tell("finding.cleared", cleared("k"))
    rig.tell("finding.opened", found("k", ordinal=2))
    rig.tell("finding.cleared", cleared("k", ordinal=2))
    rig.later(days=40)
    assert clients(rig) == []
    rig.tell("finding.opened", found("k", ordinal=3))
    assert clients(rig) == ["k"]


def test_corrected_away_is_withdrawn_and_stays_visible(rig: Rig) -> None:
    flagged(rig)
    rig.tell("finding.cleared", cleared("k", reason="corrected away"))
    assert clients(rig) == []
    assert (page(rig).past[0].state, page(rig).title) == ("withdrawn", "Nothing flagged")


def test_three_prompts_a_day_the_rest_wait_as_reviews(rig: Rig) -> None:
    names = [f"c{n}" for n in range(5)]
    for name in names:
        rig.tell("episode.changed", episode_changed(name))
        rig.tell("finding.opened", found(name))
    rows = rig.page("alice").rows
    assert [row.main.tier for row in rows] == ["prompt"] * 3 + ["review"] * 2
    assert [row.main.waiting for row in rows] == [False] * 3 + [True] * 2
    alice = rig.person("alice")
    assert rig.inbox.calling(alice, rig.clock.now()) == list(rows)
    first = rows[0].main.alert
    rig.desk.dismiss(alice, UUID(rows[0].episode), UUID(first), "too early to say")
    rig.tell("finding.opened", found("k", "good_news", tier="info"))
    rows = rig.page("alice").rows
    assert [row.main.waiting for row in rows].count(True) == 2, "what was answered counts as well"
    loud = [row for row in rows if row.main.tier != "info"]
    assert rig.inbox.calling(alice, rig.clock.now()) == loud != list(rows)
    late = {row.main.alert for row in rows if row.main.waiting}
    assert rig.inbox.capped(alice, rig.clock.now()) == late
    rig.later(days=1)
    assert [row.main.tier for row in rig.page("alice").rows] == ["prompt"] * 4 + ["info"]


def test_rows_stand_in_the_order_of_benefit(rig: Rig) -> None:
    told = {"a": "off_track", "b": "gain_partly_lost", "c": "disconnection", "d": "off_track"}
    for name, channel in told.items():
        session = "2026-03-03" if name == "d" else "2026-03-20"
        rig.tell("episode.changed", episode_changed(name, next_session=session))
        rig.tell("measure.assessed", assessed(name, 1, 15, "2026-03-02", p_fail=0.6))
        rig.tell("finding.opened", found(name, channel))
    flagged(rig)  # k: P(fail) of .7
    assert clients(rig) == ["b", "k", "d", "a", "c"]


def test_old_news_is_a_mark_on_the_chart(rig: Rig) -> None:
    rig.tell("finding.opened", found("k", old_news=True))
    assert clients(rig) == []
    assert page(rig).alerts[0].tier == "info"


def test_louder_news_comes_back_and_what_was_answered_stays_as_shown(rig: Rig) -> None:
    rig.tell("finding.opened", found("k", old_news=True))
    rig.show()
    alert, alice = rig.book.alert_id(K, "off_track"), rig.person("alice")
    rig.desk.acknowledge(alice, K, alert, "noted")
    rig.tell("finding.amended", found("k", revision=2))
    assert clients(rig) == ["k"]
    rig.desk.acknowledge(alice, K, alert, "noted")
    rig.tell("finding.amended", found("k", revision=3, p_fail=0.14))
    assert clients(rig) == []
    answered_ = page(rig).past[0]
    assert answered_.revision == 3
    assert "70 % likely" in answered_.sentence


# Who sees what


def test_own_colleague_supervisor_stranger_and_nobody(rig: Rig) -> None:
    alert = flagged(rig)
    now = rig.clock.now()
    assert page(rig, "alice").may_write
    assert not page(rig, "sam").may_write
    for name in ("bob", "bea", "olga"):
        assert rig.courses.page(rig.person(name), K, now) is None
        assert clients(rig, name) == []
        with pytest.raises(NotYoursError):
            rig.desk.acknowledge(rig.person(name), K, alert, "noted")
        with pytest.raises(NotYoursError):
            rig.desk.reflect(rig.person(name), K, form())
    with pytest.raises(RefusedError):
        rig.desk.reflect(rig.person("sam"), K, form())
    with pytest.raises(NotYoursError):
        rig.desk.acknowledge(rig.person("alice"), id_of("nowhere"), alert, "noted")


def test_a_supervisor_reads_a_finding_and_leaves_the_answer_to_the_clinician(rig: Rig) -> None:
    alert, sam = flagged(rig), rig.person("sam")
    with pytest.raises(RefusedError, match="who stands in"):
        rig.desk.acknowledge(sam, K, alert, "called")
    with pytest.raises(RefusedError, match="who stands in"):
        rig.desk.snooze(sam, K, alert, None)
    with pytest.raises(RefusedError, match="who stands in"):
        rig.desk.dismiss(sam, K, alert, "already known")
    assert [line.state for line in page(rig).alerts] == ["raised"]


def test_cover_sees_the_caseload_while_it_lasts(rig: Rig) -> None:
    flagged(rig)
    rig.register.cover("alice", "bob")
    assert clients(rig, "bob") == []
    rig.register.away("alice", START, START + timedelta(days=7))
    assert [row.access for row in rig.page("bob").rows] == ["cover"]
    rig.clock.set(START + timedelta(days=8))
    assert clients(rig, "bob") == []
    rig.register.away("alice", START + timedelta(days=8), None)
    assert clients(rig, "bob") == ["k"]
    rig.register.back("alice")
    assert clients(rig, "bob") == []


def test_without_a_clinician_in_reach_it_lies_with_the_backup(rig: Rig) -> None:
    rig.tell("episode.changed", episode_changed("k", clinician="dr-nobody"))
    flagged(rig)
    assert [row.access for row in rig.page("bea").rows] == ["unassigned"]
    assert rig.page("bea").unassigned == 1
    assert rig.inbox.unassigned(rig.clock.now()) == 1
    rig.register.link("alice", "clinic", "dr-nobody")
    assert rig.inbox.unassigned(rig.clock.now()) == 0


def test_a_supervisor_of_the_team_supervises(rig: Rig) -> None:
    rig.register.team("bob", "north")
    rig.register.team("sam", "north")
    rig.tell("episode.changed", episode_changed("k", clinician="dr-b"))
    assert page(rig, "sam").access == "supervise"


# Escalation


def test_unread_deterioration_goes_to_the_supervisor_others_never(rig: Rig) -> None:
    flagged(rig)
    flagged(rig, "reliable_deterioration")
    rig.later(hours=71)
    assert clients(rig, "sam") == []
    rig.later(hours=2)
    (row,) = rig.page("sam").rows
    assert row.main.channel == "reliable_deterioration"
    assert row.main.escalated_at is not None
    assert row.others == ()


def test_what_was_opened_is_not_escalated_and_leave_pauses_the_clock(rig: Rig) -> None:
    flagged(rig, "reliable_deterioration")
    rig.register.away("alice", START + timedelta(hours=24), START + timedelta(hours=72))
    rig.later(hours=100)
    assert clients(rig, "sam") == []
    rig.desk.seen(rig.person("sam"), K)  # a look by the supervisor is not the clinician's
    assert rig.page("alice").rows[0].unread
    rig.desk.seen(rig.person("alice"), K)
    rig.later(hours=48)
    assert clients(rig, "sam") == []
    rig.later(hours=24)  # a week after it was raised it is laid out for the next supervision
    assert rig.page("sam").rows[0].main.escalated_at is None


def test_unread_after_leave_is_escalated_all_the_same(rig: Rig) -> None:
    flagged(rig, "reliable_deterioration")
    rig.register.away("alice", START + timedelta(hours=24), START + timedelta(hours=72))
    rig.later(hours=121)
    assert clients(rig, "sam") == ["k"]


# Reflection


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


# Sign-in and persons


def test_a_link_signs_in_once_and_in_time(rig: Rig) -> None:
    link = rig.signin.invite("alice")
    alice = rig.signin.redeem(link)
    assert alice is not None
    assert alice.name == "alice"
    assert rig.signin.redeem(link) is None
    late = rig.signin.invite(rig.person("alice"))
    rig.clock.set(START + timedelta(hours=24))
    assert rig.signin.redeem(late) is None
    with pytest.raises(PersonRefusedError):
        rig.signin.invite("nobody")


def test_a_session_ends_when_idle_after_twelve_hours_and_by_signing_out(rig: Rig) -> None:
    alice = rig.person("alice")
    token = rig.signin.open_session(alice)
    for minutes in range(0, 12 * 60 + 1, 20):
        rig.clock.set(START + timedelta(minutes=minutes))
        assert rig.signin.session(token) == alice
    rig.clock.set(START + timedelta(hours=12, minutes=1))
    assert rig.signin.session(token) is None
    idle = rig.signin.open_session(alice)
    rig.clock.set(rig.clock.now() + timedelta(minutes=31))
    assert rig.signin.session(idle) is None
    out = rig.signin.open_session(alice)
    rig.signin.close_session(out)
    assert rig.signin.session(out) is None
    assert rig.signin.session("guess") is None


def test_a_disabled_person_is_signed_out_everywhere(rig: Rig) -> None:
    token, link = rig.signin.open_session(rig.person("bob")), rig.signin.invite("bob")
    rig.register.disable("bob")
    assert rig.signin.session(token) is None
    assert rig.signin.redeem(link) is None
    rig.signin.sweep()


@pytest.mark.parametrize(
    "command",
    [
        lambda r: r.add("x", "boss"),
        lambda r: r.add("", "ops"),
        lambda r: r.add("alice", "ops"),
        lambda r: r.link("nobody", "clinic", "dr-a"),
        lambda r: r.supervise("sam", "nobody"),
        lambda r: r.away("alice", START, START),
        lambda r: r.back("nobody"),
    ],
)
def test_commands_about_persons_are_refused_in_words(rig: Rig, command: Any) -> None:
    with pytest.raises(PersonRefusedError):
        command(rig.register)


def test_commands_about_persons_repeated_change_nothing(rig: Rig) -> None:
    head = rig.log.head()
    assert rig.register.add("alice", "clinician") == rig.person("alice").id
    rig.register.link("alice", "clinic", "dr-a")
    assert rig.log.head() == head


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
