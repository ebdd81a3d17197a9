"""A small table judged by each method of before and after: every figure that is told, by hand.

Before, the mean is 14 and the SD 4; with a reliability of 7/8 the SEM is the root of 2 and S_diff
is 2. After, the mean is 10 and the SD 5; the correlation is -.6.
"""

import math
from typing import Any

import pytest

from services.outcomes.core.change_methods.prepost import Sample, judge
from services.outcomes.core.change_methods.verdict import NotAssessableError, Pair
from services.outcomes.research.classify import Choice, Table
from tests.core.judged import DIRECTIONS, judged, near

SCORES = ((10, 9), (10, 17), (14, 10), (18, 3), (18, 11), (None, 5), (12, None), (None, None))
WHY = ("no score before", "no score after", "no scores")
CUT = 11.0
GROUP = {"mean": 14.0, "sd": 4.0, "reliability": 0.875, "sem": math.sqrt(2)}
"""What every method of this table tells that it used; the mean is turned with the scale."""

CLASSES = ["unchanged", "harmed", "recovered", "recovered", "improved"]
COURSES = [
    "within the group's course", "below the group's course", "within the group's course",
    "above the group's course", "within the group's course",
]  # fmt: skip
TOWARDS_THE_MEAN = (-1.5, 6.5, -4, -14.5, -6.5)
"""(y - 14) - 7/8 (x - 14), the numerator that three methods share."""
PREDICTED = math.sqrt(15) / 2
"""4 times the root of 1 - (7/8)^2: the error of a score foretold from the one before."""


def table(scores: tuple[tuple[float | None, float | None], ...], sign: int = 1) -> list[Pair]:
    return [
        Pair("ABCDEFGHIJKL"[at], *(None if x is None else float(sign * x) for x in both))
        for at, both in enumerate(scores)
    ]


def row(pair: Pair, statistic: float | None, said: str, why: str | None = None) -> dict[str, Any]:
    change = None if pair.pre is None or pair.post is None else pair.post - pair.pre
    return {
        "client": pair.client, "pre": pair.pre, "post": pair.post, "change": change,
        "statistic": statistic, "class": said, "why": why,
    }  # fmt: skip


def rows(sign: int, statistics: list[float], said: list[str]) -> list[dict[str, Any]]:
    scores = table(SCORES, sign)
    told = [(sign * value, word, None) for value, word in zip(statistics, said, strict=True)]
    lacking = [(None, "not assessable", why) for why in WHY]
    return [row(pair, *one) for pair, one in zip(scores, [*told, *lacking], strict=True)]


def summary(**counts: int | None) -> dict[str, int | None]:
    """How many fall into each class; None where the method cannot tell the class."""
    none = dict.fromkeys(("recovered", "improved", "unchanged", "deteriorated", "harmed"), 0)
    return {**none, "not_assessable": 3, **counts}


def choice(higher_is: str, sign: int, **more: Any) -> Choice:
    return Choice(higher_is, reliability=0.875, cutoff=sign * CUT, **more)


@pytest.mark.parametrize(("higher_is", "sign"), DIRECTIONS)
def test_jacobson_and_truax(higher_is: str, sign: int) -> None:
    told = judged("jacobson-truax", Table(table(SCORES, sign)), choice(higher_is, sign))
    assert told == near({
        "summary": summary(recovered=2, improved=1, unchanged=1, harmed=1),
        "n": 8,
        "relative": False,
        "cutoff": sign * CUT,
        "cutoff_kind": "given",
        "s_diff": 2.0,
        "standard_error": 2.0,
        "critical": 1.96,
        "used": {**GROUP, "mean": sign * 14.0},
        "note": "",
        "rows": rows(sign, [-0.5, 3.5, -2.0, -7.5, -3.5], CLASSES),
    })  # fmt: skip


@pytest.mark.parametrize(("higher_is", "sign"), DIRECTIONS)
@pytest.mark.parametrize(
    ("method", "error", "used"),
    [
        ("gulliksen-lord-novick", PREDICTED, {}),
        ("edwards-nunnally", math.sqrt(2), {}),
        ("nunnally-kotsch", math.sqrt(2 * 49 / 64 + 2), {"reliability_post": 0.875}),
    ],
)
def test_methods_that_expect_a_return_to_the_mean(
    method: str, error: float, used: dict[str, float], higher_is: str, sign: int
) -> None:
    told = judged(method, Table(table(SCORES, sign)), choice(higher_is, sign))
    assert told == near({
        "summary": summary(recovered=2, improved=1, unchanged=1, harmed=1),
        "n": 8,
        "relative": False,
        "cutoff": sign * CUT,
        "cutoff_kind": "given",
        "s_diff": 2.0,
        "standard_error": error,
        "critical": 1.96,
        "used": {**GROUP, "mean": sign * 14.0, **used},
        "note": "expects each client to move towards the group's mean by itself: "
        "who improves by less than that may count as deteriorated",
        "rows": rows(sign, [value / error for value in TOWARDS_THE_MEAN], CLASSES),
    })  # fmt: skip


def test_nunnally_and_kotsch_take_the_reliability_after_where_it_is_stated() -> None:
    told = judged(
        "nunnally-kotsch", Table(table(SCORES)), choice("worse", 1, reliability_post=0.75)
    )
    error = math.sqrt(2 * 49 / 64 + 4)
    assert told["used"] == near({**GROUP, "reliability_post": 0.75})
    assert told["standard_error"] == near(error)
    # 4 points better than foretold were reliable above; now they lie within the error.
    said = ["unchanged", "harmed", "unchanged", "recovered", "improved"]
    assert told["rows"] == near(rows(1, [value / error for value in TOWARDS_THE_MEAN], said))


@pytest.mark.parametrize(("higher_is", "sign"), DIRECTIONS)
def test_hsu_lin_and_lord_say_where_a_client_stands_beside_the_group(
    higher_is: str, sign: int
) -> None:
    told = judged("hsu-lin-lord", Table(table(SCORES, sign)), choice(higher_is, sign))
    counted = {
        "above_the_groups_course": 1, "within_the_groups_course": 3, "below_the_groups_course": 1,
    }  # fmt: skip
    untold = dict.fromkeys(("recovered", "improved", "unchanged", "deteriorated", "harmed"))
    # The mean after in place of the mean before: 4 points less is expected of everybody.
    statistics = [value / PREDICTED for value in (2.5, 10.5, 0.0, -10.5, -2.5)]
    assert told == near({
        "summary": summary(**untold, **counted),
        "n": 8,
        "relative": True,
        "cutoff": None,
        "cutoff_kind": None,
        "s_diff": 2.0,
        "standard_error": PREDICTED,
        "critical": 1.96,
        "used": {**GROUP, "mean": sign * 14.0, "mean_post": sign * 10.0},
        "note": "compares each client with the group's own change",
        "rows": rows(sign, statistics, COURSES),
    })  # fmt: skip


@pytest.mark.parametrize(("higher_is", "sign"), DIRECTIONS)
@pytest.mark.parametrize(
    ("reliability_post", "true"),
    [
        (None, 61 / 65),  # SEM stays: 14 before, 23 after, covariance -24; all of 65
        (0.52, 51 / 65),  # 14 before, 13 after
    ],
)
def test_hageman_and_arrindell(
    reliability_post: float | None, true: float, higher_is: str, sign: int
) -> None:
    told = judged(
        "hageman-arrindell",
        Table(table(SCORES, sign)),
        choice(higher_is, sign, reliability_post=reliability_post),
    )
    error = 2 * math.sqrt(true)
    moved = [(change * true - 4 * (1 - true)) / error for change in (-1, 7, -4, -15, -7)]
    assert told == near({
        "summary": summary(recovered=2, improved=1, unchanged=1, harmed=1),
        "n": 8,
        "relative": False,
        "cutoff": sign * CUT,
        "cutoff_kind": "given",
        "s_diff": 2.0,
        "standard_error": error,
        "critical": 1.645,
        "used": {
            **GROUP, "mean": sign * 14.0, "mean_post": sign * 10.0, "sd_post": 5.0,
            "correlation": -0.6, "reliability_of_difference": true,
        },
        "note": "draws each client's change towards the group's; "
        "it may differ from the client's own",
        "rows": rows(sign, moved, CLASSES),
    })  # fmt: skip


@pytest.mark.parametrize(("higher_is", "sign"), DIRECTIONS)
def test_an_anchor_is_met_by_just_as_many_points(higher_is: str, sign: int) -> None:
    told = judged("anchor", Table(table(SCORES, sign)), choice(higher_is, sign, anchor=7))
    said = ["unchanged", "harmed", "unchanged", "recovered", "improved"]
    assert told == near({
        "summary": summary(recovered=1, improved=1, unchanged=2, harmed=1),
        "n": 8,
        "relative": False,
        "cutoff": sign * CUT,
        "cutoff_kind": "given",
        "s_diff": None,
        "standard_error": None,
        "critical": 7,
        "used": {},
        "note": "",
        "rows": rows(sign, [-1.0, 7.0, -4.0, -15.0, -7.0], said),
    })  # fmt: skip


@pytest.mark.parametrize(("higher_is", "sign"), DIRECTIONS)
def test_a_percentage_is_of_the_score_before(higher_is: str, sign: int) -> None:
    scores = ((20, 10), (20, 10.1), (8, 12), (8, 11.9), (-20, -30), (0, 5), (None, 5))
    pairs = table(scores, sign)
    told = judged("percentage", Table(pairs), Choice(higher_is, cutoff=sign * 10, percent=50))
    said = [
        (-50.0, "improved", None),  # from a case to the cut-off itself
        (-49.5, "unchanged", None),
        (50.0, "harmed", None),
        (48.75, "unchanged", None),
        (-50.0, "improved", None),
        (None, "not assessable", "the score before is 0"),
        (None, "not assessable", "no score before"),
    ]
    assert told == near({
        "summary": summary(improved=2, unchanged=2, harmed=1, not_assessable=2),
        "n": 7,
        "relative": False,
        "cutoff": sign * 10,
        "cutoff_kind": "given",
        "s_diff": None,
        "standard_error": None,
        "critical": 50,
        "used": {},
        "note": "",
        "rows": [
            row(pair, None if value is None else sign * value, word, why)
            for pair, (value, word, why) in zip(pairs, said, strict=True)
        ],
    })  # fmt: skip


@pytest.mark.parametrize(("higher_is", "sign"), DIRECTIONS)
@pytest.mark.parametrize(
    ("more", "kind", "cut"),
    [
        ({}, "c", 8.0),  # (4 * 5 + 2 * 14) / 6
        ({"cutoff_kind": "a"}, "a", 6.0),  # 14 - 2 * 4
        ({"cutoff_kind": "b"}, "b", 9.0),  # 5 + 2 * 2
        ({"clinical_mean": 16.0, "clinical_sd": 6.0}, "c", 7.75),  # (6 * 5 + 2 * 16) / 8
        ({"clinical_mean": 16.0, "clinical_sd": 6.0, "cutoff_kind": "a"}, "a", 4.0),
    ],
)
def test_the_cut_off_lies_between_the_ill_and_the_well(
    more: dict[str, Any], kind: str, cut: float, higher_is: str, sign: int
) -> None:
    given = {key: value if key != "clinical_mean" else sign * value for key, value in more.items()}
    told = judged(
        "anchor",
        Table(table(SCORES, sign)),
        Choice(higher_is, anchor=4, functional_mean=sign * 5.0, functional_sd=2.0, **given),
    )
    assert (told["cutoff_kind"], told["cutoff"]) == (kind, near(sign * cut))


def test_a_stated_norm_takes_the_place_of_the_tables_own_figures() -> None:
    told = judged(
        "jacobson-truax",
        Table(table(SCORES)),
        choice("worse", 1, clinical_mean=20.0, clinical_sd=8.0),
    )
    assert told["used"] == near({
        "mean": 20.0, "sd": 8.0, "reliability": 0.875, "sem": 2 * math.sqrt(2),
    })  # fmt: skip
    assert told["s_diff"] == near(4.0)
    said = ["unchanged", "unchanged", "unchanged", "recovered", "unchanged"]
    assert told["rows"] == near(rows(1, [-0.25, 1.75, -1.0, -3.75, -1.75], said))


def test_a_change_of_just_the_limit_is_not_reliable() -> None:
    group = Sample(mean=0.0, sd=0.5, r=0.5)
    limit = 1.96 * group.s_diff
    told = judge("jacobson-truax", table(((0, limit), (limit, 0))), group, None, "worse")
    assert [abs(one.statistic or 0) for one in told.rows] == [1.96, 1.96]
    assert [one.verdict for one in told.rows] == ["unchanged", "unchanged"]


LOOSE: dict[str, Any] = {"reliability": 0.8, "clinical_sd": 4.0}
STEADY: dict[str, Any] = {"reliability": 0.5, "reliability_post": 0.5}


@pytest.mark.parametrize(
    ("method", "scores", "more", "reason"),
    [
        (
            "jacobson-truax", ((5, 3), (None, 4)), {"reliability": 0.8},
            "needs the SD before: at least two clients with both scores, or --clinical-sd",
        ),
        *(
            (method, ((5, 3), (6, 3)), {}, "needs the reliability of the scale: --reliability")
            for method in ("jacobson-truax", "gulliksen-lord-novick", "nunnally-kotsch")
        ),
        *(
            (method, ((5, 3), (5, 2)), {"reliability": 0.8}, "the scores before do not vary")
            for method in ("jacobson-truax", "hsu-lin-lord", "hageman-arrindell")
        ),
        (
            "hageman-arrindell", ((5, 3),), LOOSE,
            "needs the SD after: at least two clients with both scores",
        ),
        ("hageman-arrindell", ((5, 3), (6, 3)), LOOSE, "the scores after do not vary"),
        (
            "hageman-arrindell", ((5, 3), (5, 2)), LOOSE,
            "needs scores before and after that vary",
        ),
        (
            "hageman-arrindell", ((5, 3), (7, 5), (9, 7)), {"reliability": 0.8},
            "all clients change by the same amount",
        ),
        # Both variances are 1 and the covariance .5: of half true variance nothing is left.
        (
            "hageman-arrindell", ((1, 1), (2, 3), (3, 2)), STEADY,
            "the differences have no reliability in this group",
        ),
        (
            "reliable-trend", ((5, 3), (6, 3)), {"reliability": 0.8},
            "needs a table with one row per measure: --day and --score",
        ),
    ],
)  # fmt: skip
def test_what_a_method_lacks_is_said(
    method: str,
    scores: tuple[tuple[float | None, float | None], ...],
    more: dict[str, Any],
    reason: str,
) -> None:
    assert judged(method, Table(table(scores)), Choice(**more)) == reason


def test_what_a_cut_off_lacks_is_said() -> None:
    empty = Table(table(((None, 5),)))
    well = {"functional_mean": 5.0, "functional_sd": 2.0}
    for more, reason in (
        ({"cutoff_kind": "a"}, "the mean before: at least one client with both scores, or --clini"),
        ({"cutoff_kind": "c", **well}, "the mean before"),
        ({"cutoff_kind": "a", "clinical_mean": 9.0}, "the SD before: at least two clients with bo"),
        ({"cutoff_kind": "c"}, "cut-off c needs --functional-mean and --functional-sd"),
    ):
        with pytest.raises(NotAssessableError, match=reason):
            judged("anchor", empty, Choice(anchor=5, **more))
    group = Sample(mean=14.0, sd=4.0, r=0.875)
    with pytest.raises(NotAssessableError, match="needs the mean after: at least one client with"):
        judge("hsu-lin-lord", table(((10, 9),)), group, None, "worse")
