"""The cohort: known shares, known truth, and the same courses for the same seed."""

import statistics
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from simulation.cohort import PHQ9_LIKE, SHARES, Course, Habits, cohort, course, deal
from simulation.items import ITEM_MAXIMUM, answers, phq9_answers, slip


@pytest.fixture(scope="module")
def courses() -> list[Course]:
    return cohort(2_000, seed=7)


def test_classes_have_their_known_shares(courses: list[Course]) -> None:
    counted = Counter(made.kind for made in courses)
    assert counted == {kind: round(share * 2_000) for kind, share in SHARES.items()}


def test_nearly_half_of_the_cases_fail_and_hardly_any_of_those_who_recover(
    courses: list[Course],
) -> None:
    cases = [made for made in courses if made.case]
    assert 0.38 < statistics.mean(made.failed for made in cases) < 0.50
    by_kind = {
        kind: statistics.mean(made.failed for made in cases if made.kind == kind) for kind in SHARES
    }
    assert by_kind["recovery"] < 0.1
    assert by_kind["linear"] < 0.1
    assert by_kind["flat"] > 0.85
    assert by_kind["worsening"] > 0.95
    assert by_kind["relapse"] > 0.75


def test_failure_is_defined_on_the_true_course_not_on_what_was_measured(
    courses: list[Course],
) -> None:
    failed = next(made for made in courses if made.failed)
    unlucky = tuple(replace(visit, error=-20.0) for visit in failed.visits)
    assert replace(failed, visits=unlucky).failed


def test_scores_stay_within_the_range_and_days_within_the_course(courses: list[Course]) -> None:
    for made in courses:
        assert 8 <= len(made.visits) <= 20
        assert all(0 <= score <= 27 for _, score in made.scores)
        assert made.visits[-1].day == len(made.levels) - 1
        gaps = [b.day - a.day for a, b in zip(made.visits, made.visits[1:], strict=False)]
        assert set(gaps) <= {7, 14, 21}


def test_about_six_in_a_hundred_measures_are_missing(courses: list[Course]) -> None:
    taken = [visit.measured for made in courses for visit in made.visits[1:]]
    assert 0.05 < 1 - statistics.mean(taken) < 0.07


def test_the_same_seed_gives_the_same_courses_and_another_seed_others() -> None:
    assert cohort(30, seed=1) == cohort(30, seed=1)
    assert cohort(30, seed=1) != cohort(30, seed=2)


def test_a_known_course_never_changes_between_releases() -> None:
    scores = course(3, "flat", 11, PHQ9_LIKE, Habits(sessions=(8, 8))).scores
    assert scores == KNOWN


def test_a_course_does_not_depend_on_how_many_are_made() -> None:
    alone = course(5, "relapse", 9, PHQ9_LIKE, Habits())
    among = [course(n, "relapse", 9, PHQ9_LIKE, Habits()) for n in range(8)]
    assert among[5] == alone


def test_a_small_clinic_gets_every_class_by_largest_remainder() -> None:
    dealt = Counter(deal(60, Random(1)))
    assert dealt == {
        "recovery": 27,
        "linear": 7,
        "flat": 13,
        "early gain": 5,
        "worsening": 4,
        "relapse": 4,
    }


def test_a_course_that_turns_is_the_same_until_then_and_better_after() -> None:
    flat = course(3, "flat", 11, PHQ9_LIKE, Habits())
    turned = flat.turned(28, gain=8, weeks=2)
    assert turned.levels[:29] == flat.levels[:29]
    assert turned.levels[-1] < flat.levels[-1] - 3


def test_the_scale_knows_its_reliable_change() -> None:
    assert PHQ9_LIKE.reliable_change == pytest.approx(6.096, abs=0.001)
    assert PHQ9_LIKE.case == 9.5


@pytest.mark.parametrize("score", range(28))
@pytest.mark.parametrize("item_9", range(4))
def test_answers_add_up_to_the_score(score: int, item_9: int) -> None:
    given = phq9_answers(Random(score), score, item_9)
    assert sum(given) == score
    assert len(given) == 9
    assert all(0 <= answer <= ITEM_MAXIMUM for answer in given)
    if item_9 <= score <= 24 + item_9:
        assert given[-1] == item_9


def test_answers_refuse_a_score_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="cannot add up"):
        answers(Random(1), 22, 7)


def test_a_slip_changes_one_answer_by_one_step() -> None:
    assert slip([3, 1]) == [2, 1]
    assert slip([0, 1]) == [1, 1]


KNOWN = [(0, 26), (7, 21), (14, 21), (21, 26), (28, 23), (49, 25), (56, 21), (63, 23)]
