"""Patterns and pivots as each person may read them, over the real store and pages."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.alerts.core import pivot
from services.alerts.desk import ReflectionForm
from tests.service.alerts_rig import Rig, cleared, episode_changed, id_of
from tests.service.lessons_rig import ASSUMED, approach, clinic, course, fails, follows, reflects
from tests.service.pages_rig import Browser, app_of

CBT = "Cognitive behavioural therapy"
"""What `approaches.toml` calls it; the courses were told with its alias."""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("lessons"), BACKUP="bea")
    clinic(made)
    yield made
    made.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, BACKUP="bea")
    yield made
    made.close()


def text(rig: Rig, name: str, address: str) -> str:
    answer = Browser(app_of(rig)).sign_in(rig, name).get(address)
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_a_clinician_sees_patterns_of_their_own_courses_alone(rig: Rig) -> None:
    page = text(rig, "alice", "/patterns")
    assert "found in 4 of 8 courses" in page
    said = f"{ASSUMED} Expected: Below 10 by week 8 (2 times) 2 courses"
    assert said in page, "shared or not, one's own; told once, with how often"
    assert "much the same was assumed in 2 courses" in page
    for client in ("a1", "a5"):
        assert f"{client} , 2 March; found by then: off track" in page
    assert "Nights were calm" in page
    assert " b5" not in page


def test_a_supervisor_reads_shared_assumptions_alone(rig: Rig) -> None:
    page = text(rig, "sam", "/patterns")
    assert "found in 8 of 16 courses" in page
    assert page.count(ASSUMED) == 1
    assert f"{ASSUMED} a1 , 2 March" in page, "and a5's, which was not shared, is not counted"
    assert "Nights were calm" not in page
    assert "Below 10 by week 8" not in page  # the expectation was shared by nobody
    assert "7 courses with a finding, and no expectation on record that you may read" in page


def test_rates_are_drawn_in_have_intervals_and_lead_to_the_episodes(rig: Rig) -> None:
    found = rig.lessons.patterns(rig.person("sam"), "team", rig.clock.now())
    by_approach = next(one for one in found.dimensions if one.name == "approach")
    emdr, cbt = by_approach.cells
    assert (emdr.name, emdr.events, emdr.courses) == ("EMDR", 6, 8)
    assert (cbt.name, cbt.events, cbt.courses) == (CBT, 2, 16)
    assert by_approach.common == pytest.approx(8 / 24)
    assert 8 / 24 < emdr.rate.low80 < emdr.rate.mean < 6 / 8
    assert emdr.stands_out
    assert not cbt.stands_out
    page = text(rig, "sam", "/patterns")
    assert "Worth examining: approach, EMDR. Something was found in 6 of 8 courses" in page
    sam = Browser(app_of(rig)).sign_in(rig, "sam")
    for episode, _ in emdr.episodes:
        assert sam.get(f"/episodes/{episode}").status_code == 200


def test_small_groups_are_counted_and_not_shown(rig: Rig) -> None:
    found = rig.lessons.patterns(rig.person("alice"), "own", rig.clock.now())
    by_approach = next(one for one in found.dimensions if one.name == "approach")
    assert [one.name for one in by_approach.cells] == [CBT]  # four courses in EMDR
    assert by_approach.hidden == 1
    assert "1 group not shown: fewer than 5 courses" in text(rig, "alice", "/patterns")


def test_kinds_of_finding_are_counted_and_none_stands_out(rig: Rig) -> None:
    page = text(rig, "alice", "/patterns")
    assert "Off track 4 of 8" in page
    assert "Plateau 0 of 8" in page
    assert "Off track 4 of 8 50 %" in page, "drawn towards no other kind"
    found = rig.lessons.patterns(rig.person("alice"), "own", rig.clock.now())
    (kinds,) = (one for one in found.dimensions if one.name == "channel")
    assert not any(cell.stands_out for cell in kinds.cells)


def test_marks_of_a_rupture_are_counted_where_they_may_be_read(fresh: Rig) -> None:
    clinic(fresh)
    fails(fresh, "a0")
    marks = {"alliance": ("withdrawal", "goal")}
    withdrawal = "Withdrawal: moving away"
    for name in ("a0", "a7"):
        reflects(fresh, name, choices=marks, shared=("lenses",))
    page = text(fresh, "alice", "/patterns")
    assert "Marks of a rupture that were noted" in page
    assert re.search(rf"{withdrawal}[^%]* 2 of 5", page)
    assert "we may not want the same thing" not in page, "a goal that differs is no such mark"
    assert withdrawal not in text(fresh, "sam", "/patterns"), "two courses, of one clinician"
    id_ = reflects(fresh, "a6", choices=marks)
    assert re.search(rf"{withdrawal}[^%]* 3 of 5", text(fresh, "alice", "/patterns"))
    form = ReflectionForm(decision="stay", reason="two good weeks", lenses=("alliance",))
    fresh.desk.revise(fresh.person("alice"), id_of("episode", "a6"), id_, form)
    fresh.show()
    assert re.search(rf"{withdrawal}[^%]* 2 of 5", text(fresh, "alice", "/patterns"))


@pytest.mark.parametrize("address", ["/patterns", "/pivots"])
def test_no_person_is_named_compared_or_counted(rig: Rig, address: str) -> None:
    page = text(rig, "sam", address)
    for told in ("alice", "bob", "dr-a", "dr-b"):
        assert told not in page.lower()


def test_a_teams_rates_begin_with_two_clinicians(fresh: Rig) -> None:
    clinic(fresh)
    for number in range(8):  # all that were Bob's are Alice's now
        fresh.tell("episode.changed", episode_changed(f"b{number}", clinician="dr-a"))
    fresh.show()
    page = text(fresh, "sam", "/patterns")
    assert "Rates of a team begin with two clinicians" in page
    assert "80 % interval" not in page
    assert ASSUMED in page


def test_a_failure_that_was_corrected_away_teaches_nothing(fresh: Rig) -> None:
    clinic(fresh)
    before = fresh.lessons.patterns(fresh.person("alice"), "own", fresh.clock.now())
    fresh.tell("finding.cleared", cleared("a1", reason="corrected away"))
    fresh.show()
    after = fresh.lessons.patterns(fresh.person("alice"), "own", fresh.clock.now())
    assert (before.failed, after.failed) == (4, 3)


def test_the_approach_at_the_time_is_that_of_the_clinical_dates(fresh: Rig) -> None:
    clinic(fresh)
    # An approach that arrives late and began before the finding is where the failure falls.
    for whose in "ab":
        approach(fresh, f"{whose}1", "EMDR", "2026-02-20")
    fresh.show()
    found = fresh.lessons.patterns(fresh.person("sam"), "team", fresh.clock.now())
    cells = next(one for one in found.dimensions if one.name == "approach").cells
    assert {one.name: one.events for one in cells} == {"EMDR": 8, CBT: 0}


def test_pivots_stand_against_the_forecast_made_at_them(rig: Rig) -> None:
    page = text(rig, "alice", "/pivots")
    assert (
        "7 after 6 weeks; forecast for then: 14 (80 %: 9 to 19). Better than was forecast" in page
    )
    assert (
        "13 after 6 weeks; forecast for then: 14 (80 %: 9 to 19). Within what was forecast" in page
    )
    assert "regression to the mean" in page
    assert "medication: dose raised" in page
    assert "That it will have worked by 20 April: 31 %" in page
    assert "Not yet known: 0 courses ended here, 100 needed" in page


def test_similar_pivots_are_counted_once_enough_courses_have_ended(
    fresh: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pivot, "ENDINGS", 6)
    clinic(fresh)
    for number, verdict in enumerate(("better", "within", "within", "worse", "within")):
        name = f"c{number}"
        course(fresh, name, "elsewhere", closed_on="2026-04-20")
        called = "Eye movement desensitisation and reprocessing" if number == 2 else "EMDR"
        pivoted = approach(fresh, name, called, "2026-02-20")
        full = f"{verdict} than forecast" if verdict != "within" else "within forecast"
        follows(fresh, name, pivoted, full, 13.0)
    course(fresh, "early", "elsewhere", closed_on="2026-04-20")
    pivoted = approach(fresh, "early", "ACT", "2026-02-20")
    follows(fresh, "early", pivoted, "better than forecast", 2.0, weeks=2)
    fresh.show()
    page = text(fresh, "alice", "/pivots")
    assert "EMDR 3 5 1" in page, "whatever it is called"
    assert "Acceptance" not in page  # two weeks on, nothing can be told yet
    assert "not a recommendation" in page
    for name in ("c0", "c1", "early", "b6"):
        assert name not in page  # counts of others, never their clients


def test_effects_are_told_in_points_once_the_service_knows_them(fresh: Rig) -> None:
    clinic(fresh)
    cell = {"channel": "off_track", "n": 24, "mean": -3.25, "shrunk": -2.5, "low80": -4.0,
            "high80": -1.0}  # fmt: skip
    told = {"instrument": "phq-9", "on": "2026-04-20", "endings": 140, "left_out": 3, "least": 100}
    fresh.tell("statistics.published", told)
    fresh.show()
    assert "points from the forecast" not in text(fresh, "alice", "/pivots")
    other = cell | {"approach": "CBT", "channel": None, "n": 7, "mean": 0.5}
    fresh.tell("statistics.published", told | {"effects": [cell | {"approach": "EMDR"}, other]})
    fresh.show()
    page = text(fresh, "alice", "/pivots")
    assert "PHQ-9: points from the forecast, about six weeks on" in page
    assert "From 140 courses that have ended." in page
    assert "EMDR Off track 24 −3.2 −2.5 −4 to −1" in page
    assert "CBT nothing found 7 0.5 −2.5 −4 to −1" in page
    assert "A hypothesis, not a recommendation." in page


def test_nobody_sees_a_scope_that_is_not_theirs(rig: Rig) -> None:
    alice = Browser(app_of(rig)).sign_in(rig, "alice")
    assert alice.get("/patterns?of=team").status_code == 404
    assert alice.get("/pivots?of=team").status_code == 404
    assert "nothing to look across yet" in text(rig, "bea", "/patterns")


def test_the_view_is_the_same_after_a_rebuild(fresh: Rig) -> None:
    clinic(fresh)
    fails(fresh, "a0")
    fresh.show()
    before = fresh.store.views.get(fresh.lessons.view, id_of("episode", "a0"))
    assert fresh.store.views.verify(fresh.lessons.view, fresh.log) == []
    fresh.store.views.rebuild(fresh.lessons.view, fresh.log)
    assert fresh.store.views.get(fresh.lessons.view, id_of("episode", "a0")) == before
