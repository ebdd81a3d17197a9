"""What people do about alerts, what falls due, and who may see and do which."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from services.alerts.desk import NotYoursError, RefusedError
from tests.service.alerts_rig import START, Rig, assessed, cleared, episode_changed, found, id_of
from tests.service.desk_rig import K, clients, clinic, flagged, form, page


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = clinic(tmp_path)
    yield made
    made.close()


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
