"""The family of change methods: worked examples, formulas written a second time, and properties."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import correlation, mean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.outcomes.core.change_methods import prepost
from services.outcomes.core.change_methods.prepost import FORMULAS, Sample
from services.outcomes.core.change_methods.series import Series, sudden_gains, trend
from services.outcomes.core.change_methods.talking import Measure, talking_therapies
from services.outcomes.core.change_methods.verdict import (
    CLASSES,
    Cut,
    NotAssessableError,
    Pair,
    Result,
)

COUPLES = Sample(mean=40, sd=7.5, r=0.80)
"""The example of Jacobson and Truax (1991): higher is better, the well are at 60 with SD 7.5."""


def pairs(*scores: tuple[float | None, float | None]) -> list[Pair]:
    return [Pair(str(place), pre, post) for place, (pre, post) in enumerate(scores)]


def verdicts(result: Result) -> list[str]:
    return [row.verdict for row in result.rows]


def table(seed: int, n: int = 60) -> list[Pair]:
    draw = random.Random(seed)
    before = [draw.gauss(15, 5) for _ in range(n)]
    return pairs(*((round(x), round(x - draw.gauss(4, 6))) for x in before))


def test_the_couples_of_1991() -> None:
    assert pytest.approx(3.354, abs=5e-4) == COUPLES.sem
    assert COUPLES.s_diff == pytest.approx(4.743, abs=5e-4)
    for kind, value in (("a", 55), ("b", 45), ("c", 50)):
        assert prepost.cut_off(kind, COUPLES, (60, 7.5), "better").value == pytest.approx(value)
    cut = prepost.cut_off("b", COUPLES, (60, 7.5), "better")
    result = prepost.judge("jacobson-truax", pairs((32.5, 47.5)), COUPLES, cut, "better")
    assert result.rows[0].statistic == pytest.approx(3.162, abs=5e-4)
    assert verdicts(result) == ["recovered"]
    wide = replace(cut, value=55.0)
    result = prepost.judge("jacobson-truax", pairs((32.5, 47.5)), COUPLES, wide, "better")
    assert verdicts(result) == ["improved"]


def test_cut_off_b_uses_the_spread_of_the_well() -> None:
    assert prepost.cut_off("b", COUPLES, (60, 3), "better").value == 54
    assert prepost.cut_off("b", COUPLES, (20, 3), "worse").value == 26
    assert prepost.cut_off("a", COUPLES, None, "worse").value == 25
    with pytest.raises(NotAssessableError, match="--functional-mean"):
        prepost.cut_off("c", COUPLES, None, "worse")


Statistic = Callable[[float, float], float]


def again(scores: Sequence[Pair], r: float, r_post: float | None) -> dict[str, Statistic]:
    """The statistics written out a second time, from the table's own numbers."""
    x = [one.pre for one in scores if one.pre is not None]
    y = [one.post for one in scores if one.post is not None]
    m, s, n, t = mean(x), stdev(x), mean(y), stdev(y)
    after = r if r_post is None else r_post
    steady = (t * t - s * s * (1 - r)) / (t * t) if r_post is None else r_post
    cov = 2 * s * t * correlation(x, y)
    rdd = (s * s * r + t * t * steady - cov) / (s * s + t * t - cov)
    return {
        "jacobson-truax": lambda a, b: (b - a) / (s * (2 - 2 * r) ** 0.5),
        "gulliksen-lord-novick": lambda a, b: ((b - m) - r * (a - m)) / (s * (1 - r * r) ** 0.5),
        "hsu-lin-lord": lambda a, b: ((b - n) - r * (a - m)) / (s * (1 - r * r) ** 0.5),
        "edwards-nunnally": lambda a, b: (b - r * a - m + r * m) / (s * (1 - r) ** 0.5),
        "nunnally-kotsch": lambda a, b: (
            (b - r * a - m + r * m) / (r * r * s * s * (1 - r) + s * s * (1 - after)) ** 0.5
        ),
        "hageman-arrindell": lambda a, b: (
            ((b - a) * rdd + (n - m) * (1 - rdd)) / (rdd**0.5 * s * (2 - 2 * r) ** 0.5)
        ),
    }


@pytest.mark.parametrize("method", FORMULAS)
@pytest.mark.parametrize("r_post", [None, 0.7])
def test_each_statistic_is_its_published_formula(method: str, r_post: float | None) -> None:
    scores = table(1)
    group = prepost.sample(scores, reliability=0.85, reliability_post=r_post)
    result = prepost.judge(method, scores, group, None, "worse")
    expected = again(scores, 0.85, r_post)[method]
    for row in result.rows:
        assert row.pre is not None
        assert row.post is not None
        assert row.statistic == pytest.approx(expected(row.pre, row.post), rel=1e-9)
    assert result.critical == (1.645 if method == "hageman-arrindell" else 1.96)
    assert result.s_diff == pytest.approx(group.s_diff)


@pytest.mark.parametrize(
    ("pre", "post", "verdict"),
    [
        (20, 9, "recovered"),
        (20, 10, "improved"),  # at the cut-off somebody is a case
        (10, 4, "recovered"),
        (9, 3, "improved"),
        (12, 9, "unchanged"),
        (12, 18, "deteriorated"),
        (4, 9.5, "deteriorated"),
        (4, 10, "harmed"),
        (9, 20, "harmed"),
        (10, 20, "deteriorated"),
    ],
)
def test_the_classes_follow_from_change_and_cut_off(pre: float, post: float, verdict: str) -> None:
    group, cut = Sample(mean=14, sd=5, r=0.875), Cut("given", 10)  # reliable from 4.9 points
    assert group.s_diff * 1.96 == pytest.approx(4.9)
    result = prepost.judge("jacobson-truax", pairs((pre, post)), group, cut, "worse")
    assert verdicts(result) == [verdict]
    turned = prepost.judge(
        "jacobson-truax", pairs((-pre, -post)), group, Cut("given", -10), "better"
    )
    assert verdicts(turned) == [verdict]


def test_just_the_limit_counts_for_an_anchor_and_not_for_an_index() -> None:
    scores = pairs((20.1, 15.1), (15.1, 20.1), (20.0, 15.1))
    assert verdicts(prepost.anchor(scores, 5, None, "worse")) == [
        "improved", "deteriorated", "unchanged",
    ]  # fmt: skip
    exact = Sample(mean=0, sd=math.sqrt(0.5) / 1.96, r=1e-12)
    assert exact.s_diff * 1.96 == pytest.approx(1)
    moved = prepost.judge("jacobson-truax", pairs((5, 4 + 1e-9)), exact, None, "worse")
    assert verdicts(moved) == ["unchanged"]


def test_percentage_is_of_the_score_before() -> None:
    result = prepost.percentage(
        pairs((20, 10), (20, 11), (20, 30), (0, 5), (None, 5), (5, None), (None, None)),
        50,
        None,
        "worse",
    )
    assert verdicts(result) == ["improved", "unchanged", "deteriorated", *["not assessable"] * 4]
    assert [row.why for row in result.rows[3:]] == [
        "the score before is 0", "no score before", "no score after", "no scores",
    ]  # fmt: skip
    assert result.summary()["not_assessable"] == 4


def everything(scores: Sequence[Pair], higher_is: str, cut: float) -> dict[str, list[str]]:
    group = prepost.sample(scores, reliability=0.8)
    at = Cut("given", cut)
    found = {"percentage": verdicts(prepost.percentage(scores, 30, at, higher_is))}
    for name in FORMULAS:
        try:
            found[name] = verdicts(prepost.judge(name, scores, group, at, higher_is))
        except NotAssessableError as error:  # differences without any reliability, in a few tables
            found[name] = [str(error)]
    return found


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.sampled_from([-1.0, 2.0, 0.25, -8.0]))
def test_neither_turning_nor_stretching_a_scale_changes_a_class(seed: int, factor: float) -> None:
    scores = table(seed, 12)
    moved = [Pair(one.client, factor * (one.pre or 0), factor * (one.post or 0)) for one in scores]
    turned = "worse" if factor > 0 else "better"
    assert everything(scores, "worse", 10) == everything(moved, turned, factor * 10)


def test_every_client_is_counted_once() -> None:
    scores = [*table(3), *pairs((None, 3))]
    group = prepost.sample(scores, reliability=0.8)
    for method in FORMULAS:
        summary = prepost.judge(method, scores, group, Cut("given", 10), "worse").summary()
        assert sum(count or 0 for count in summary.values()) == 61
        relative = method == "hsu-lin-lord"
        assert all((summary[name] is None) == relative for name in CLASSES)


def test_without_a_cut_off_nobody_is_said_to_have_recovered() -> None:
    scores = table(4)
    group = prepost.sample(scores, reliability=0.8)
    summary = prepost.judge("jacobson-truax", scores, group, None, "worse").summary()
    assert (summary["recovered"], summary["harmed"]) == (None, None)


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ([(5, 3)], "the SD before"),
        ([], "the SD before"),
        ([(5, 3), (5, 2), (5, 9)], "the scores before do not vary"),
    ],
)
def test_what_cannot_be_judged_is_refused(scores: list[tuple[float, float]], reason: str) -> None:
    group = prepost.sample(pairs(*scores), reliability=0.8)
    for method in FORMULAS:
        with pytest.raises(NotAssessableError, match=reason):
            prepost.judge(method, pairs(*scores), group, None, "worse")


def test_hageman_and_arrindell_need_differences_that_vary() -> None:
    for scores, reason in (
        ([(5, 3), (7, 5), (9, 7)], "same amount"),
        ([(5, 3), (7, 3), (9, 3)], "after do not vary"),
    ):
        group = prepost.sample(pairs(*scores), reliability=0.8)
        with pytest.raises(NotAssessableError, match=reason):
            prepost.judge("hageman-arrindell", pairs(*scores), group, None, "worse")


# --- every measure -----------------------------------------------------------------------------


def one(*scores: float, step: float = 7) -> Series:
    return Series("A", tuple((step * place, score) for place, score in enumerate(scores)))


def test_with_two_measures_the_trend_is_jacobson_and_truax() -> None:
    result = trend([one(32.5, 47.5)], COUPLES.sem, None, "better")
    assert result.rows[0].statistic == pytest.approx(3.162, abs=5e-4)
    assert verdicts(result) == ["improved"]


def test_equal_spacing_makes_the_trend_n_cubed() -> None:
    result = trend([one(20, 18, 17, 13, 12, step=1)], 2.0, Cut("given", 15), "worse")
    assert result.rows[0].statistic == pytest.approx(-2.1 / (2 / math.sqrt(5 * 24 / 12)))
    assert verdicts(result) == ["recovered"]
    assert verdicts(trend([one(20)], 2.0, None, "worse")) == ["not assessable"]


@pytest.mark.parametrize(
    ("scores", "verdict", "steps"),
    [
        ((32, 31, 33, 5, 6, 7), "sudden gain", [(14, 21, False)]),
        ((5, 6, 7, 32, 31, 33), "sudden loss", [(14, 21, False)]),
        ((32, 31, 33, 5, 6, 7, 20), "sudden gain", [(14, 21, True)]),
        ((32, 33, 26, 25, 26), "neither", []),  # less than a quarter
        ((30, 10, 29, 12, 30, 11), "neither", []),  # up and down throughout
        ((20, 20, 12, 12), "sudden gain", [(7, 14, False)]),
        ((20, 12, 12, 12), "neither", []),  # one measure before tells no spread
        ((20, 20, 12), "not assessable", []),
    ],
)
def test_sudden_gains_and_losses(
    scores: tuple[float, ...], verdict: str, steps: list[tuple[int, int, bool]]
) -> None:
    (row,) = sudden_gains([one(*scores)], 7, "worse").rows
    assert row.verdict == verdict
    events = [(at["from_day"], at["to_day"], at["reversed"]) for at in row.more["events"]]
    assert events == steps


def test_sudden_gains_go_up_where_higher_is_better() -> None:
    result = sudden_gains([one(20, 20, 30, 30)], 7, "better")
    assert verdicts(result) == ["sudden gain"]
    assert result.summary()["gains"] == 1


def test_the_spread_around_a_step_is_held_against_t() -> None:
    # Means 20 and 12; pooled SD s. With four free the limit is 2.776 s: 2.88 is just too much.
    for spread, expected in ((2.87, "sudden gain"), (2.89, "neither")):
        scores = (20 - spread, 20 + spread, 20, 12, 12 - spread, 12 + spread)
        (row,) = sudden_gains([one(*scores)], 7, "worse").rows
        assert row.verdict == expected


# --- two measures ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phq", "gad", "verdict"),
    [
        ((15, 8), (12, 7), "recovered"),
        ((15, 8), (12, 8), "improved"),  # still a case on anxiety
        ((15, 8), (12, 16), "unchanged"),  # one better, one worse
        ((15, 14), (12, 11), "unchanged"),
        ((15, 14), (7, 11), "deteriorated"),
        ((9, 15), (7, 7), "harmed"),
        ((9, 2), (7, 7), "improved"),  # never a case
        ((10, 9), (7, 7), "unchanged"),  # recovery, but not reliable
        ((15, None), (12, 7), "not assessable"),
    ],
)
def test_talking_therapies_judges_both_measures(
    phq: tuple[float, float | None], gad: tuple[float, float | None], verdict: str
) -> None:
    result = talking_therapies(
        Measure(pairs(phq), Cut("given", 10), 6), Measure(pairs(gad), Cut("given", 8), 4), "worse"
    )
    assert verdicts(result) == [verdict]


def test_recovery_is_counted_among_the_cases() -> None:
    result = talking_therapies(
        Measure(pairs((15, 8), (9, 8), (10, 9)), Cut("given", 10), 6),
        Measure(pairs((7, 7), (7, 7), (7, 7)), Cut("given", 8), 4),
        "worse",
    )
    assert (result.used["cases_before"], result.used["recovery_rate"]) == (2, 1.0)
