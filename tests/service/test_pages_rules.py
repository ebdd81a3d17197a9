"""How rules fare, and the switch that retires one: what it silences, what it never does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.alerts.writing import RefusedError
from tests.service.alerts_rig import Rig, assessed, cleared, episode_changed, found, id_of, staffed
from tests.service.pages_rig import Browser, app_of

WHY = "nine of ten are dismissed"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, BACKUP="bea")
    staffed(made)
    for name in ("k", "m"):
        made.tell("episode.changed", episode_changed(name))
        made.tell("measure.assessed", assessed(name, 1, 15, "2026-03-02", p_fail=0.7))
    yield made
    made.close()


def text(rig: Rig, name: str, address: str) -> str:
    rig.show()
    answer = Browser(app_of(rig)).sign_in(rig, name).get(address)
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def rows(rig: Rig, name: str = "alice") -> list[tuple[str, str]]:
    return [(row.client, row.main.channel) for row in rig.page(name).rows]


def test_a_retired_rule_raises_nothing_and_stays_on_the_chart(rig: Rig) -> None:
    rig.rules.retire(rig.person("sam"), "plateau", WHY)
    rig.tell("finding.opened", found("k", "plateau"))
    rig.tell("finding.opened", found("m", "off_track"))
    assert rows(rig) == [("m", "off_track")]
    page = text(rig, "alice", f"/episodes/{id_of('episode', 'k').hex}")
    assert "This rule is retired by sam since 2 March" in page
    assert f"sam had retired this rule on 2 March 2026 ({WHY})" in page
    course = rig.store.views.get(rig.courses.view, id_of("episode", "k"))
    assert course is not None
    assert [one["tier"] for one in course["alerts"].values()] == ["info"]
    assert [one["channel"] for one in course["findings"]] == ["plateau"]


def test_what_was_open_leaves_the_inbox_and_comes_back_with_the_rule(rig: Rig) -> None:
    rig.tell("finding.opened", found("k", "off_track"))
    assert rows(rig) == [("k", "off_track")]
    rig.rules.retire(rig.person("sam"), "off_track", WHY)
    assert rows(rig) == []
    rig.rules.reinstate(rig.person("sam"), "off_track", "missed")
    assert rows(rig) == [("k", "off_track")]


def test_after_reinstating_new_evidence_speaks_again(rig: Rig) -> None:
    rig.rules.retire(rig.person("sam"), "plateau", WHY)
    rig.tell("finding.opened", found("k", "plateau"))
    rig.rules.reinstate(rig.person("sam"), "plateau", "missed")
    assert rows(rig) == []  # what was found meanwhile is no news
    rig.tell("finding.amended", found("k", "plateau", revision=2))
    assert rows(rig) == [("k", "plateau")]


@pytest.mark.parametrize("channel", ["risk_answer", "reliable_deterioration"])
def test_what_is_told_to_others_cannot_be_retired(rig: Rig, channel: str) -> None:
    with pytest.raises(RefusedError, match="cannot be retired"):
        rig.rules.retire(rig.person("sam"), channel, WHY)
    sam = Browser(app_of(rig)).sign_in(rig, "sam")
    assert sam.post(f"/rules/{channel}/retire", why=WHY).status_code == 409
    assert rig.rules.retired() == frozenset()


def test_a_reason_is_asked_for_and_stands_on_the_page_with_a_name(rig: Rig) -> None:
    sam = Browser(app_of(rig)).sign_in(rig, "sam")
    assert sam.post("/rules/plateau/retire", why=" ").status_code == 409
    assert sam.post("/rules/plateau/retire", why=WHY).status_code == 303
    assert sam.post("/rules/plateau/retire", why="again").status_code == 303  # changes nothing
    for name in ("sam", "olga"):
        assert f"Retired by sam since 2 March: {WHY}" in text(rig, name, "/rules")
    assert sam.post("/rules/no_such/retire", why=WHY).status_code == 404
    sam.post("/rules/plateau/reinstate", why="it was missed")
    page = text(rig, "sam", "/rules")
    assert "Retired by" not in page
    assert f"reinstated on 2 March by sam. {WHY} / it was missed" in page


def test_figures_are_by_rule_with_reasons_repeats_and_time_to_an_answer(rig: Rig) -> None:
    k, m = (rig.book.alert_id(id_of("episode", name), "off_track") for name in ("k", "m"))
    alice = rig.person("alice")
    for name in ("k", "m"):
        rig.tell("finding.opened", found(name))
    rig.show()
    rig.later(hours=4)
    rig.desk.dismiss(alice, id_of("episode", "k"), k, "too early to say")
    rig.later(hours=4)
    rig.desk.acknowledge(alice, id_of("episode", "m"), m, "read")
    rig.show()
    rig.tell("finding.cleared", cleared("k"))
    rig.later(days=40)
    rig.tell("finding.opened", found("k", ordinal=2))
    rig.tell("finding.opened", found("m", "good_news"))
    rig.show()
    figures = {one.channel: one for one in rig.quality.figures(rig.clock.now())}
    one = figures["off_track"]
    assert (one.raised, one.acted, one.dismissed, one.unanswered) == (3, 1, 1, 0)
    assert (one.waiting, one.repeats) == (1, 1)
    assert one.reasons == (("too early to say", 1),)
    assert one.median_hours == 6.0
    assert (figures["good_news"].raised, figures["good_news"].marks) == (0, 1)
    page = text(rig, "olga", "/rules")
    assert "Acted on 1 of 3" in page
    assert "Median time to an answer 6 hours" in page


def test_the_page_of_rules_knows_no_client_and_no_clinician(rig: Rig) -> None:
    rig.tell("finding.opened", found("k"))
    page = text(rig, "olga", "/rules")
    for told in ("ref-k", "dr-a", "alice", id_of("episode", "k").hex):
        assert told not in page


def test_the_views_are_the_same_after_a_rebuild(rig: Rig) -> None:
    rig.tell("finding.opened", found("k"))
    rig.show()
    assert rig.store.views.verify(rig.quality.view, rig.log) == []
