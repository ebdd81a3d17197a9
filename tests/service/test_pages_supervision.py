"""What is laid out for supervision: told to the clinician first, then to who supervises."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.service.alerts_rig import Rig, answered, assessed, episode_changed, found, id_of, staffed
from tests.service.lessons_rig import reflects
from tests.service.pages_rig import Browser, app_of


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, BACKUP="bea")
    staffed(made)
    for name in ("k", "m"):
        made.tell("episode.changed", episode_changed(name))
        made.tell("measure.assessed", assessed(name, 1, 15, "2026-03-02", p_fail=0.7))
    made.tell("episode.changed", episode_changed("z", clinician="dr-b"))
    yield made
    made.close()


def text(rig: Rig, name: str, address: str = "/supervision") -> str:
    rig.show()
    answer = Browser(app_of(rig)).sign_in(rig, name).get(address)
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_the_clinician_is_told_before_the_supervisor_sees_it(rig: Rig) -> None:
    rig.tell("finding.opened", found("k"))
    own = text(rig, "alice")
    assert "sam sees what has had no answer for 7 days; you see it here first" in own
    assert "Will be laid out on 9 March if it has no answer by then" in own
    assert "Off track" not in text(rig, "sam")
    rig.later(days=7)
    assert "Laid out since 9 March; the clinician’s own page says so" in text(rig, "sam")
    assert "Laid out since 9 March" in text(rig, "alice")
    assert "(alice)" in text(rig, "sam")
    assert "Off track" not in text(rig, "bob")


def test_the_inbox_counts_what_the_page_shows(rig: Rig) -> None:
    """A risk answer that somebody else was told of is laid out from then on, not from day 7."""
    rig.tell("finding.opened", found("k"))
    rig.tell("finding.opened", found("k", "reliable_deterioration"))
    rig.tell("risk.answered", answered("m", 2))
    for days in (0, 1, 8):
        rig.later(days=days)
        for name in ("alice", "sam"):
            laid = text(rig, name).count("Laid out since")
            assert f"Laid out for supervision: {laid}" in text(rig, name, "/")
    assert laid == 3


def test_an_answer_takes_it_off_both_pages(rig: Rig) -> None:
    rig.tell("finding.opened", found("k"))
    rig.later(days=8)
    alert = rig.book.alert_id(id_of("episode", "k"), "off_track")
    rig.desk.dismiss(rig.person("alice"), id_of("episode", "k"), alert, "too early to say")
    for name in ("alice", "sam"):
        assert "Off track" not in text(rig, name)


def test_a_late_answer_to_a_risk_item_says_since_when_it_was_due(rig: Rig) -> None:
    rig.tell("risk.answered", answered("k", 2))
    rig.later(hours=13)
    page = text(rig, "sam")
    assert "An answer was due today 10:00" in page
    assert "Somebody else was told" in page


def test_leave_says_who_stands_in_or_that_nobody_does(rig: Rig) -> None:
    now = rig.clock.now()
    rig.register.away("alice", now, now + timedelta(days=5))
    assert "Nobody in reach stands in; the backup does" in text(rig, "sam")
    rig.register.cover("alice", "bob")
    page = text(rig, "sam")
    assert "away since today 09:00 until 7 March 09:00" in page
    assert "bob stands in" in page
    assert "bob stands in" in text(rig, "alice")
    assert "alice" not in text(rig, "bob")  # another's leave is not a colleague's affair


def test_only_shared_reflections_are_listed_and_only_what_was_shared(rig: Rig) -> None:
    rig.tell("finding.opened", found("k"))
    rig.show()
    reflects(rig, "k", shared=("assumption",))
    reflects(rig, "m")
    page = text(rig, "sam")
    assert "k , stay the course (assumption)" in page
    assert "m , stay" not in page
    assert "Below 10 by week 8" not in page


def test_a_retired_rule_lays_nothing_out(rig: Rig) -> None:
    rig.tell("finding.opened", found("k"))
    rig.later(days=8)
    rig.rules.retire(rig.person("sam"), "off_track", "mostly dismissed")
    assert "Off track" not in text(rig, "sam")


def test_the_inbox_counts_what_a_retired_rule_found(rig: Rig) -> None:
    rig.tell("finding.opened", found("k"))
    rig.rules.retire(rig.person("sam"), "off_track", "mostly dismissed")
    page = rig.page("alice")
    assert (page.caseload, len(page.rows), page.silenced) == (2, 0, 1)
    assert page.nothing_flagged + page.unknown == 1
    assert "1 of a retired rule alone" in page.summary
    assert "Found by a retired rule alone, and not told: 1" in text(rig, "alice", "/")


def test_rows_are_chosen_by_finding_and_day_and_risk_stays(rig: Rig) -> None:
    rig.tell("finding.opened", found("k"))
    rig.tell("finding.opened", found("m", "disconnection"))
    rig.tell("episode.changed", episode_changed("m", next_session="2026-03-02T15:00"))
    rig.show()

    def clients(address: str) -> list[str]:
        answer = Browser(app_of(rig)).sign_in(rig, "alice").get(address)
        return re.findall(r"Look<span class=\"unseen\"> at (\w)</span>", answer.text)

    assert clients("/") == ["k", "m"]
    assert clients("/?channel=disconnection") == ["m"]
    assert clients("/?tier=prompt") == ["k"]
    assert clients("/?seeing=today") == ["m"]
    rig.tell("risk.answered", answered("k", 1))
    rig.show()
    assert clients("/?channel=disconnection&seeing=today") == ["k", "m"]
    assert "0 rows left out" in text(rig, "alice", "/?seeing=today")


def test_words_of_a_client_come_by_post_and_stand_in_no_address(rig: Rig) -> None:
    for name in ("k", "m"):
        rig.tell("finding.opened", found(name))
    rig.show()
    alice = Browser(app_of(rig)).sign_in(rig, "alice")
    answer = alice.post("/", words="M")
    assert answer.status_code == 200
    assert re.findall(r"> at (\w)</span>", answer.text) == ["m"]
    assert not re.search(r"(href|action)=\"[^\"]*words", answer.text)
    assert alice.client.get("/?words=m", headers={"Accept": "text/html"}).text.count("> at ") == 2
