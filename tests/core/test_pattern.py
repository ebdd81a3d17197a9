"""What one course teaches, and what many together do: groups, words, and what stays out."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from schemas.approaches import Approaches
from services.alerts.core import lens
from services.alerts.core.lesson import ALLIANCE, RUPTURES, learn, phase
from services.alerts.core.pattern import Dimension, Patterns, patterns

TODAY = date(2026, 7, 1)
APPROACHES = Approaches.of(
    [{"title": "Cognitive behavioural therapy", "aliases": ["CBT"]}, {"title": "EMDR"}]
)


def course(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "episode": f"e{number}",
        "client": f"client {number}",
        "opened_on": "2026-01-05",
        "closed_on": None,
        "problem": "Low mood",
        "primary_instrument": "phq-9",
        "approaches": [{"approach": "CBT", "since": "2026-01-05", "origin": "ehr"}],
        "sessions": [],
        "findings": [finding()],
        "reflections": [],
        **changes,
    }


def finding(channel: str = "off_track", on: str = "2026-03-02", **changes: Any) -> dict[str, Any]:
    return {"channel": channel, "on": on, "first_on": on, "cleared_reason": None, **changes}


def reflection(**changes: Any) -> dict[str, Any]:
    return {
        "author": "anna",
        "on": "2026-03-03",
        "expectation": "",
        "assumption": "",
        "whys": ["not asked"],
        "lenses": ["alliance", "own part"],
        "ruptures": ["withdrawal"],
        "shared": [],
        **changes,
    }


def found(courses: list[dict[str, Any]], viewer: str = "anna", team: bool = False) -> Patterns:
    lessons = [
        learn(one, TODAY, f"person {place % 3}", APPROACHES) for place, one in enumerate(courses)
    ]
    return patterns(lessons, viewer, team=team)


def by(result: Patterns, name: str) -> Dimension:
    return next(one for one in result.dimensions if one.name == name)


def test_the_own_part_is_in_no_pattern_and_other_lenses_are() -> None:
    courses = [course(n, reflections=[reflection(shared=["lenses"])]) for n in range(6)]
    for viewer, team in (("anna", False), ("sam", True)):
        result = found(courses, viewer, team=team)
        assert [one.name for one in by(result, "lens").cells] == ["alliance"]


@pytest.mark.parametrize(
    ("dimension", "part", "name"),
    [
        ("reason", "unknowns", "not asked"),
        ("lens", "lenses", "alliance"),
        ("rupture", "lenses", "withdrawal"),
    ],
)
def test_what_others_noted_counts_where_it_was_shared(dimension: str, part: str, name: str) -> None:
    """A group tells the episodes behind it, and with them whose they are."""
    courses = [course(n, reflections=[reflection()]) for n in range(6)]
    assert [one.name for one in by(found(courses), dimension).cells] == [name]
    assert by(found(courses, viewer="sam", team=True), dimension).cells == ()
    opened = [course(n, reflections=[reflection(shared=[part])]) for n in range(6)]
    (cell,) = by(found(opened, viewer="sam", team=True), dimension).cells
    assert (cell.name, cell.events, cell.courses) == (name, 6, 6)


def test_nothing_that_is_shown_says_whose_a_course_is() -> None:
    shared = reflection(assumption="We agreed", shared=["assumption", "unknowns"])
    result = found([course(n, reflections=[shared]) for n in range(9)], viewer="sam", team=True)
    assert result.clinicians == 3
    assert by(result, "approach").cells
    shown = repr(asdict(result))
    assert "person" not in shown
    assert "anna" not in shown


@pytest.mark.parametrize(
    ("courses", "people", "shown"), [(4, 3, False), (5, 3, True), (5, 1, False), (9, 2, True)]
)
def test_a_teams_group_is_of_five_courses_and_two_clinicians(
    courses: int, people: int, shown: bool
) -> None:
    lessons = [learn(course(n), TODAY, f"person {n % people}", APPROACHES) for n in range(courses)]
    assert bool(by(patterns(lessons, "sam", team=True), "problem").cells) is shown
    assert bool(by(patterns(lessons, "anna", team=False), "problem").cells) is (courses >= 5)


def test_expectations_are_those_of_courses_that_had_failed_by_then() -> None:
    early = reflection(assumption="We agreed on a plan", on="2026-02-01")
    late = reflection(assumption="We had agreed on the plan", on="2026-03-09")
    result = found(
        [
            course(1, reflections=[early]),  # before anything was found
            course(2, reflections=[late]),
            course(3, findings=[], reflections=[late]),
            course(4, reflections=[reflection(assumption="Sleep mends by itself")]),
            course(5, reflections=[reflection(assumption="That we agreed: on the plan!")]),
        ]
    )
    assert [one.courses for one in result.expectations] == [2, 1]
    assert [text["episode"] for text in result.expectations[0].texts] == ["e2", "e5"]
    assert result.unspoken == 1


def test_what_was_assumed_in_the_same_words_is_told_once_with_its_counts() -> None:
    said = (
        ("we  agreed on the plan", "half by may"),
        ("We agreed on the plan", "Half by May"),
        ("We agreed on the plan", "All of it"),
        ("We had agreed on the plan", ""),
        ("", "Sleep first"),
    )
    result = found(
        [
            course(n, reflections=[reflection(assumption=assumed, expectation=expected)])
            for n, (assumed, expected) in enumerate(said)
        ]
    )
    alike, alone = result.expectations
    assert [(one.assumption, one.courses) for one in alike.wordings] == [
        ("We agreed on the plan", 3),
        ("We had agreed on the plan", 1),
    ]
    # Told as it was written last.
    assert alike.wordings[0].expected == {"Half by May": 2, "All of it": 1}
    assert list(alike.wordings[0].expected) == ["Half by May", "All of it"]
    (wording,) = alone.wordings
    assert (wording.assumption, wording.expected, wording.courses) == ("", {"Sleep first": 1}, 1)


def test_the_marks_of_a_rupture_are_those_of_the_lens() -> None:
    lenses = {one.name: one for one in lens.load(Path(lens.__file__).parents[1] / "lenses")}
    group = lenses[ALLIANCE].groups()["Marks of a rupture"]
    assert tuple(one.id for one in group) == RUPTURES


def test_one_name_written_in_two_ways_is_one_group() -> None:
    courses = [course(n, problem="Low  mood" if n % 2 else "low Mood") for n in range(6)]
    (cell,) = by(found(courses), "problem").cells
    assert (cell.name, cell.courses) == ("low Mood", 6)


@pytest.mark.parametrize(
    ("day", "attended", "expected"),
    [
        ("2026-01-19", 2, "early"),
        ("2026-02-16", 6, "early"),
        ("2026-02-24", 3, "middle"),
        ("2026-01-19", 7, "middle"),
        ("2026-05-05", 4, "late"),
        ("2026-02-01", 17, "late"),
    ],
)
def test_phases_are_by_weeks_and_sessions(day: str, attended: int, expected: str) -> None:
    sessions = [{"on": "2026-01-06", "attendance": "attended"} for _ in range(attended)]
    sessions += [{"on": "2026-01-06", "attendance": "missed"} for _ in range(9)]
    assert phase(course(1, sessions=sessions), day) == expected


def test_missed_sessions_and_silence_are_marks_of_disconnection() -> None:
    missed = [{"on": "2026-02-01", "attendance": "missed"}] * 2
    silent = [finding(), finding("disconnection")]
    mended = [finding(), finding("disconnection", cleared_reason="corrected away")]
    assert learn(course(1, sessions=missed), TODAY, "", APPROACHES).disconnected
    assert learn(course(1, findings=silent), TODAY, "", APPROACHES).disconnected
    assert not learn(
        course(1, findings=mended, sessions=missed[:1]), TODAY, "", APPROACHES
    ).disconnected


def test_a_later_phase_does_not_stand_out_for_being_later() -> None:
    """Nothing is found before there are measures enough: by construction, not by what is done."""
    late = finding(on="2026-03-02")
    courses = [course(n, findings=[late] if n % 2 else []) for n in range(40)]
    phases = by(found(courses), "phase")
    assert max(one.rate.low80 for one in phases.cells) > (phases.common or 1.0)
    assert not any(one.stands_out for one in phases.cells)


def test_an_approach_by_several_names_is_one_group_under_its_title() -> None:
    names = ("CBT", "cbt ", "Cognitive  behavioural therapy", "CBT", "Own way", "EMDR")
    courses = [
        course(n, approaches=[{"approach": name, "since": "2026-01-05", "origin": "ehr"}])
        for n, name in enumerate((*names, "CBT"))
    ]
    (cell,) = by(found(courses), "approach").cells
    assert (cell.name, cell.courses, cell.events) == ("Cognitive behavioural therapy", 5, 5)
    assert by(found(courses), "approach").hidden == 2


def test_one_name_stands_for_one_approach() -> None:
    with pytest.raises(ValueError, match="called cbt"):
        Approaches.of([{"title": "CBT"}, {"title": "Another", "aliases": ["cbt"]}])
