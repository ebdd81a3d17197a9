"""A risk answer is never dropped, held, hidden or closed but by a person who says what was done."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.alerts.core.alert import AlertEscalated, AlertEvent
from services.alerts.desk import NotYoursError, ReflectionForm, RefusedError
from services.alerts.metrics import OVERDUE, RISK_OPEN
from services.alerts.views.inbox_rows import InboxRow
from tests.service.alerts_rig import (
    START,
    Rig,
    answered,
    cleared,
    episode_changed,
    found,
    id_of,
    staffed,
)

K = id_of("episode", "k")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, BACKUP="bea", RISK_POLICY="binder 4")
    staffed(made)
    made.tell("episode.changed", episode_changed("k"))
    yield made
    made.close()


def risk_row(rig: Rig, name: str = "alice") -> InboxRow | None:
    rows = [one for one in rig.page(name).rows if one.main.channel == "risk_answer"]
    return rows[0] if rows else None


def the_row(rig: Rig, name: str = "alice") -> InboxRow:
    row = risk_row(rig, name)
    assert row is not None
    return row


def acknowledge(rig: Rig, name: str = "alice", **changes: Any) -> None:
    alert = rig.book.risk_id(K, "phq-9", 9)
    done = {"done": "reviewed with client", **changes}
    rig.show()
    rig.desk.acknowledge(rig.person(name), K, alert, **done)


def escalations(rig: Rig) -> list[str]:
    entries = rig.log.page(0, 5000).entries
    return [one.event.why for one in entries if isinstance(one.event, AlertEscalated)]


def test_endorsed_stands_first_with_the_answer_as_given(rig: Rig) -> None:
    rig.tell("finding.opened", found("k", "reliable_deterioration"))
    for n, answer in enumerate((0, 0, 1)):
        on = START + timedelta(days=n - 5)
        data = answered("k", answer, measure=str(n), on=on.date().isoformat(), received_at=on)
        rig.tell("risk.answered", data)
    row = the_row(rig)
    assert row.main.label == "Item 9: several days"
    assert "better off dead" in row.main.sentence
    assert "Before: 0, 0." in row.main.sentence
    assert [one.channel for one in row.others] == ["reliable_deterioration"]
    assert not row.main.can_snooze
    assert not row.main.can_dismiss


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (2, "endorsed", "more than half the days"),
        (0, "not endorsed", "A 0 is not reassurance."),
        (None, "unanswered", "left unanswered"),
        (None, "not received", "not received"),
    ],
)
def test_one_of_four_states_stands_on_row_and_page(
    rig: Rig, answer: int | None, state: str, words: str
) -> None:
    rig.tell("finding.opened", found("k"))
    rig.tell("risk.answered", answered("k", answer, state=state))
    row = rig.page("alice").rows[0]
    assert [one.state for one in row.risk] == [state]
    assert words in row.risk[0].words
    page = rig.courses.page(rig.person("alice"), K, rig.clock.now())
    assert page is not None
    assert page.risk == row.risk


@pytest.mark.parametrize("command", ["snooze", "dismiss", "reflect"])
def test_it_can_not_be_laid_aside(rig: Rig, command: str) -> None:
    rig.tell("risk.answered", answered("k", 1))
    rig.show()
    alice, alert = rig.person("alice"), rig.book.risk_id(K, "phq-9", 9)
    form = ReflectionForm(decision="stay", answers=(alert.hex,))
    commands: dict[str, Callable[[], object]] = {
        "snooze": lambda: rig.desk.snooze(alice, K, alert, None),
        "dismiss": lambda: rig.desk.dismiss(alice, K, alert, "too early to say"),
        "reflect": lambda: rig.desk.reflect(alice, K, form),
    }
    with pytest.raises(RefusedError):
        commands[command]()
    assert risk_row(rig) is not None


@pytest.mark.parametrize("done", ["", "noted", "passed to"])
def test_acknowledgement_says_what_was_done(rig: Rig, done: str) -> None:
    rig.tell("risk.answered", answered("k", 1))
    with pytest.raises(RefusedError):
        acknowledge(rig, done=done)
    acknowledge(rig, done="passed to", to="the crisis team")
    assert risk_row(rig) is None
    page = rig.courses.page(rig.person("alice"), K, rig.clock.now())
    assert page is not None
    told = next(iter(page.document["alerts"].values()))["acknowledged"]
    assert (told["name"], told["done"], told["to"]) == ("alice", "passed to", "the crisis team")


def test_neither_colleague_nor_stranger_acknowledges(rig: Rig) -> None:
    rig.tell("risk.answered", answered("k", 1))
    for name in ("bob", "olga"):
        with pytest.raises(NotYoursError):
            acknowledge(rig, name)
    assert risk_row(rig) is not None


def test_a_correction_changes_the_words_not_that_it_waits(rig: Rig) -> None:
    rig.tell("risk.answered", answered("k", 2))
    rig.tell("risk.answered", answered("k", 0, version=2, change="corrected"))
    assert "Changed by the EHR from 2 to 0." in the_row(rig).main.sentence
    rig.tell("risk.answered", answered("k", 0, version=3, change="withdrawn"))
    assert "withdrawn" in the_row(rig).main.sentence


def test_a_late_correction_to_an_endorsement_notifies(rig: Rig) -> None:
    rig.tell("risk.answered", answered("k", 0, on="2026-01-05"))
    assert risk_row(rig) is None
    rig.tell("risk.answered", answered("k", 2, version=2, on="2026-01-05", change="corrected"))
    assert "Changed by the EHR from 0 to 2." in the_row(rig).main.sentence


def test_rise_and_new_endorsement_notify_again_and_the_same_does_not(rig: Rig) -> None:
    def told(answer: int, n: int) -> None:
        at = START + timedelta(days=n)
        data = answered("k", answer, measure=str(n), on=at.date().isoformat(), received_at=at)
        rig.clock.set(at)
        rig.tell("risk.answered", data)

    told(1, 0)
    acknowledge(rig)
    told(1, 1)
    assert risk_row(rig) is None
    page = rig.courses.page(rig.person("alice"), K, rig.clock.now())
    assert page is not None
    assert page.past[0].unchanged_since is not None
    told(2, 2)  # a rise
    assert the_row(rig).unread
    acknowledge(rig)
    told(1, 3)  # lower
    assert risk_row(rig) is None
    told(0, 4)
    told(1, 5)  # endorsed anew
    assert risk_row(rig) is not None


def test_a_rise_while_it_is_open_is_unread_again(rig: Rig) -> None:
    rig.tell("risk.answered", answered("k", 1))
    rig.show()
    rig.desk.seen(rig.person("alice"), K)
    assert not the_row(rig).unread
    rig.tell("risk.answered", answered("k", 1, measure="2"))
    assert not the_row(rig).unread
    rig.tell("risk.answered", answered("k", 3, measure="3"))
    assert the_row(rig).unread
    assert the_row(rig).main.due_at == (START + timedelta(hours=1)).isoformat()


def test_the_same_version_again_changes_nothing(rig: Rig) -> None:
    rig.tell("risk.answered", answered("k", 1))
    acknowledge(rig)
    before = rig.log.read(rig.book.risk_id(K, "phq-9", 9))
    rig.tell("risk.answered", {**answered("k", 1), "note_of_another_release": 1})
    assert rig.log.read(rig.book.risk_id(K, "phq-9", 9)) == before


def test_urgent_is_due_in_an_hour_other_by_the_end_of_the_working_day(rig: Rig) -> None:
    rig.tell("risk.answered", answered("k", 2))
    rig.tell("risk.answered", answered("k", 1, item=2))
    due = {one.label: one.due_at for one in (the_row(rig).main, *the_row(rig).others)}
    assert due["Item 9: more than half the days"] == "2026-03-02T10:00:00+00:00"
    assert due["Item 2: answered 1"] == "2026-03-02T17:00:00+00:00"


def test_unacknowledged_in_time_it_is_told_to_the_backup_once(rig: Rig) -> None:
    rig.tell("risk.answered", answered("k", 2))
    rig.clock.set(START + timedelta(minutes=59))
    rig.tick()
    assert risk_row(rig, "bea") is None
    rig.clock.set(START + timedelta(minutes=60))
    rig.tick()
    rig.tick()
    assert escalations(rig) == ["not acknowledged in time"]
    assert rig.catalogue.value(RISK_OPEN) == 1
    assert rig.catalogue.value(OVERDUE, channel="risk_answer") == 1
    row = the_row(rig, "bea")
    assert row.access == "backup"
    assert risk_row(rig) is not None
    acknowledge(rig, "bea")
    assert risk_row(rig) is None
    rig.tick()
    assert rig.catalogue.value(RISK_OPEN) == 0


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("nobody", "no clinician is named"),
        ("stranger", "the clinician is not linked to anybody here"),
        ("closed", "the course is closed"),
        ("away", "the clinician is away"),
        ("gone", "the clinician does not work here any more"),
    ],
)
def test_with_nobody_in_reach_the_backup_is_told_at_once(rig: Rig, case: str, why: str) -> None:
    header: dict[str, dict[str, str | None]] = {
        "nobody": {"clinician": None},
        "stranger": {"clinician": "dr-x"},
        "closed": {"closed_on": "2026-03-01"},
    }
    if case == "away":
        rig.register.away("alice", START - timedelta(days=1), None)
    if case == "gone":
        rig.register.disable("alice")
    rig.tell("episode.changed", episode_changed("k", **header.get(case, {})))
    clinician = header.get(case, {}).get("clinician", "dr-a")
    rig.tell("risk.answered", answered("k", 1, clinician=clinician))
    assert escalations(rig) == [why]
    assert risk_row(rig, "bea") is not None


def test_leave_that_begins_later_tells_the_backup(rig: Rig) -> None:
    rig.tell("risk.answered", answered("k", 1))
    rig.tick()
    assert escalations(rig) == []
    rig.register.away("alice", START, None)
    rig.tick()
    assert escalations(rig) == ["the clinician is away"]


def test_history_is_a_mark_and_one_summary(rig: Rig) -> None:
    for n, day in enumerate(("2025-11-03", "2025-12-01", "2026-01-05")):
        rig.tell("risk.answered", answered("k", 2, measure=str(n), on=day))
    page = rig.page("alice")
    assert page.rows == ()
    assert page.history == 1
    mine = rig.courses.page(rig.person("alice"), K, rig.clock.now())
    assert mine is not None
    assert len(mine.document["risk"]["phq-9|9"]["answers"]) == 3
    rig.tell("risk.answered", answered("k", 2, measure="9"))  # as before, yet nobody has seen it
    assert risk_row(rig) is not None


def test_late_shows_its_age(rig: Rig) -> None:
    rig.tell("risk.answered", answered("k", 1, on="2026-02-24"))
    assert "Answered 6 days before it arrived." in the_row(rig).main.sentence


def test_parking_cap_refractory_and_an_unknown_episode_hold_nothing_back(rig: Rig) -> None:
    rig.tell("finding.opened", found("k"), raw=b"poison")
    rig.tell("risk.answered", answered("k", 2))
    assert risk_row(rig) is not None
    for n in range(5):
        rig.tell("episode.changed", episode_changed(f"c{n}"))
        rig.tell("finding.opened", found(f"c{n}"))
        rig.tell("risk.answered", answered(f"c{n}", 1))
    rows = rig.page("alice").rows
    assert [one.main.tier for one in rows] == ["risk"] * 6
    rig.tell("risk.answered", answered("unheard", 2, clinician=None))
    assert any(one.main.tier == "risk" for one in rig.page("bea").rows)


@pytest.mark.parametrize("case", ["bytes", "version", "data", "key"])
def test_what_cannot_be_read_is_told_to_the_backup_and_blocks_nothing(rig: Rig, case: str) -> None:
    data = answered("k", 2)
    if case == "bytes":
        rig.tell("risk.answered", data, raw=b"\x00\x01")
    elif case == "version":
        rig.tell("risk.answered", data, version=9)
    elif case == "data":
        rig.tell("risk.answered", {**data, "items": "two"})
    else:
        one = rig.delivery("risk.answered", data)
        rig.hand([type(one)(one.topic, 0, one.offset, "no uuid", b"??", one.log_id)])
    row = the_row(rig, "bea")
    assert row.main.title == "A risk answer arrived that could not be read"
    rig.tell("risk.answered", answered("k", 3, measure="2"))
    assert risk_row(rig) is not None
    assert rig.store.parking.count() == 0


def test_an_erased_client_does_not_stop_the_line(rig: Rig) -> None:
    rig.tell("episode.changed", episode_changed("other"))
    rig.store.vault.shred(id_of("subject", "k"))
    rig.tell("risk.answered", answered("k", 2))
    rig.tell("risk.answered", answered("other", 2))
    assert [one.client for one in rig.page("alice").rows] == ["other"]


def test_silence_and_a_queue_are_a_banner(rig: Rig) -> None:
    def beat(unsent: int, oldest: float) -> None:
        now = rig.clock.now().isoformat()
        rig.tell("heartbeat", {"sent_at": now, "unsent": unsent, "oldest_s": oldest})

    assert rig.watch.path().banner is None
    rig.clock.set(START + timedelta(seconds=301))
    assert rig.watch.path().banner is not None
    beat(0, 0)
    assert rig.watch.path().alive
    beat(2, 299)
    assert rig.watch.path().alive
    beat(2, 301)
    assert not rig.watch.path().alive
    beat(0, 0)
    old = (START - timedelta(hours=1)).isoformat()
    rig.tell("heartbeat", {"sent_at": old, "unsent": 9, "oldest_s": 9000})
    assert rig.watch.path().alive


def test_it_is_never_withdrawn_nor_settled(rig: Rig) -> None:
    rig.tell("risk.answered", answered("k", 2))
    for reason in ("recovered", "corrected away", "closed"):
        rig.tell("finding.cleared", cleared("k", "risk_answer", reason=reason))
    assert risk_row(rig) is not None
    kinds = {type(one).__name__ for one in rig.log.read(rig.book.risk_id(K, "phq-9", 9))}
    assert kinds == {"AlertRaised"}
    assert issubclass(AlertEscalated, AlertEvent)
