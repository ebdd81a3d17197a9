"""What is a person's own, from the pages to the log: unknowns by reason, journal, calibration."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.alerts.desk import ReflectionForm, Unknown
from services.alerts.views.calibration import Calibration, calibration
from services.alerts.views.ledger import ledger
from tests.service.alerts_rig import Rig, assessed, episode_changed, id_of, staffed
from tests.service.pages_rig import Browser, app_of

K = id_of("episode", "k")
J = id_of("episode", "j")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    staffed(made)
    for name in ("k", "j"):
        made.tell("episode.changed", episode_changed(name))
        made.tell("measure.assessed", assessed(name, 1, 15, "2026-03-02", p_fail=0.7))
    made.show()
    yield made
    made.close()


def form(*unknowns: Unknown, **changes: Any) -> ReflectionForm:
    return ReflectionForm(decision="stay", reason="because", unknowns=unknowns, **changes)


def reflect(rig: Rig, name: str, episode: Any, told: ReflectionForm) -> str:
    id_, _ = rig.desk.reflect(rig.person(name), episode, told)
    rig.show()
    return id_.hex


# Unknowns


def test_unknowns_of_all_courses_are_grouped_by_reason_commonest_first(rig: Rig) -> None:
    goal = Unknown("the goal", "each assumed the other knew", "both", find="ask")
    first = reflect(rig, "alice", K, form(goal, Unknown("sleep", "not asked")))
    reflect(rig, "alice", J, form(Unknown("work", "not asked")))
    now = rig.clock.now()
    found = ledger(rig.reflections, rig.inbox, rig.person("alice"), now)
    assert [(one.why, len(one.open)) for one in found.reasons] == [
        ("not asked", 2),
        ("each assumed the other knew", 1),
    ]
    line = found.reasons[1].open[0]
    assert (line.client, line.what, line.who, line.find) == ("k", "the goal", "both", "ask")
    text = Browser(app_of(rig)).sign_in(rig, "alice").get("/unknowns").text
    assert "3 open unknowns" in text
    assert text.index("the goal") > text.index("sleep")
    at = Browser(app_of(rig)).sign_in(rig, "alice")
    answer = at.post(f"/episodes/{K.hex}/reflections/{first}/unknowns/1", how="we asked")
    assert answer.status_code == 303
    rig.show()
    found = ledger(rig.reflections, rig.inbox, rig.person("alice"), now)
    assert (found.open, found.found) == (2, 1)
    page = at.get(f"/episodes/{K.hex}").text
    assert "Found out since" in page
    assert "we asked" in page


def test_they_are_nobody_elses_and_those_of_a_course_that_left_are_only_counted(rig: Rig) -> None:
    reflect(rig, "alice", K, form(Unknown("sleep at night", "not asked")))
    for name in ("bob", "sam"):
        assert "sleep at night" not in Browser(app_of(rig)).sign_in(rig, name).get("/unknowns").text
    rig.tell("episode.changed", episode_changed("k", clinician="dr-b"))
    rig.show()
    text = Browser(app_of(rig)).sign_in(rig, "alice").get("/unknowns").text
    assert "sleep at night" not in text
    assert "no longer yours: 1" in text


# Calibration


def calibrated(rig: Rig, name: str = "alice") -> Calibration:
    rig.show()
    return calibration(rig.reflections, rig.journals, rig.person(name))


def stated(rig: Rig, episode: Any, confidence: int, engine: float | None) -> str:
    soon = rig.clock.now().date() + timedelta(days=28)
    id_ = reflect(rig, "alice", episode, form(confidence=confidence, review_on=soon))
    rig.tell(
        "forecast.made",
        {
            "episode": episode.hex,
            "reflection": id_,
            "on": rig.clock.now().date().isoformat(),
            "review_on": soon.isoformat(),
            "p_worked": engine,
            "trajectory": "phq-9|total|client",
        },
    )
    return id_


def test_confidence_is_resolved_by_what_came_and_compared_with_the_engine(rig: Rig) -> None:
    stated(rig, K, 80, 0.3)
    stated(rig, J, 60, 0.4)
    assert (calibrated(rig).waiting, calibrated(rig).own) == (2, None)
    rig.tell("measure.assessed", assessed("k", 2, 7, "2026-03-30", change=-8))
    rig.tell("measure.assessed", assessed("j", 2, 15, "2026-03-30", change=0))
    rig.later(days=45)
    found = calibrated(rig)
    assert found.waiting == found.unresolved == 0
    assert found.own is not None
    assert found.pair is not None
    assert found.own.brier == pytest.approx((0.2**2 + 0.6**2) / 2)
    assert found.pair[1].brier == pytest.approx((0.7**2 + 0.4**2) / 2)
    assert found.difference is None
    assert [(one.low, one.worked, one.count) for one in found.bins] == [(0.6, 0, 1), (0.8, 1, 1)]
    text = Browser(app_of(rig)).sign_in(rig, "alice").get("/journal/calibration").text
    assert "0.20" in text
    assert "too few to tell a difference from chance" in text
    assert "80 to 100 % sure: 1 of 1 worked." in text


def test_what_cannot_be_told_is_counted_apart(rig: Rig) -> None:
    stated(rig, K, 80, None)
    rig.later(days=60)
    found = calibrated(rig)
    assert (found.unresolved, found.waiting, found.own) == (1, 0, None)
    text = Browser(app_of(rig)).sign_in(rig, "alice").get("/journal/calibration").text
    assert "not to be told" in text


def test_a_reflection_without_confidence_is_not_in_it_and_nobody_else_has_it(rig: Rig) -> None:
    reflect(rig, "alice", K, form(own_part="I was sure"))
    assert calibrated(rig).statements == ()
    stated(rig, J, 73, 0.5)
    assert len(calibrated(rig).statements) == 1
    for name in ("bob", "sam"):
        assert calibrated(rig, name).statements == ()
        text = Browser(app_of(rig)).sign_in(rig, name).get("/journal/calibration").text
        assert "73 %" not in text


# Journal


def test_an_entry_is_written_read_by_its_author_and_by_nobody_else(rig: Rig) -> None:
    alice = Browser(app_of(rig)).sign_in(rig, "alice")
    assert alice.post("/journal", text="  ").status_code == 422
    long = alice.post("/journal", text="x" * 4001)
    assert long.status_code == 422
    assert "x" * 4001 in long.text, "what was typed is still here"
    assert alice.post("/journal", text="I hurry when they are late").status_code == 303
    reflect(rig, "alice", K, form(own_part="I was sure", own_choices={"own part": ("avoiding",)}))
    text = alice.get("/journal").text
    for told in ("I hurry when they are late", "I was sure", "something I steer round"):
        assert told in text
    for name in ("bob", "sam"):
        other = Browser(app_of(rig)).sign_in(rig, name).get("/journal").text
        assert "I hurry" not in other
        assert "I was sure" not in other


def test_the_reflections_view_is_the_same_when_it_is_built_anew(rig: Rig) -> None:
    id_ = reflect(
        rig, "alice", K, form(Unknown("sleep", "not asked"), Unknown("goal", "not asked"))
    )
    rig.desk.find_out(rig.person("alice"), K, UUID(id_), "1", "asked")
    rig.desk.revise(rig.person("alice"), K, UUID(id_), form(Unknown("sleep", "not asked", "", "1")))
    stated(rig, J, 60, 0.4)
    rig.show()
    before = rig.reflections.of(rig.person("alice"))
    rig.store.views.rebuild(rig.reflections.view, rig.log)
    assert rig.reflections.of(rig.person("alice")) == before
    assert sorted(len(doc["unknowns"]) for doc in before) == [0, 1]
    assert len(rig.reflections.recent(rig.person("alice"), "2026-01-01")) == 2
    assert rig.reflections.recent(rig.person("alice"), "2027-01-01") == []
