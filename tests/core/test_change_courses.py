"""Small tables of many measures, or of two, judged whole: every figure that is told, by hand."""

import math
from typing import Any

import pytest

from services.outcomes.core.change_methods.verdict import Pair
from services.outcomes.research.classify import Choice, Table
from tests.core.judged import DIRECTIONS, Points, course_row, judged, long, near, weekly

# --- the reliable trend -------------------------------------------------------------------------

COURSES: dict[str, Points] = {
    "falls": weekly(20, 15, 10),
    "falls to the cut-off": weekly(22, 17, 12),
    "falls below it": weekly(11, 8, 5),
    "rises over it": [(0, 9), (10, 8), (60, 25)],
    "rises above it": weekly(13, 14, 20),
    "hardly": weekly(15, 13, 11.1),  # 1.95 errors
    "enough": weekly(15, 13, 11),  # 2
    "came once": weekly(15),
    "came on one day": [(7, 15), (7, 9)],
}


@pytest.mark.parametrize(("higher_is", "sign"), DIRECTIONS)
def test_the_reliable_trend_is_the_slope_over_its_error(higher_is: str, sign: int) -> None:
    # SEM 4 * sqrt(1 / 8) = sqrt(2) and Sxx 98: over two weeks the statistic is half the change.
    told = judged(
        "reliable-trend",
        long(COURSES, sign),
        Choice(higher_is, reliability=0.875, clinical_sd=4.0, cutoff=sign * 12.0),
    )
    # Days -70/3, -40/3 and 110/3 from their mean: Sxx 18600/9, the sum of products 600.
    uneven = 600 / (18600 / 9)
    said = [
        ("falls", "recovered", -5.0, -5 / 7),
        ("falls to the cut-off", "improved", -5.0, -5 / 7),
        ("falls below it", "improved", -3.0, -3 / 7),
        ("rises over it", "harmed", uneven * math.sqrt(18600 / 18), uneven),
        ("rises above it", "deteriorated", 3.5, 0.5),
        ("hardly", "unchanged", -1.95, -1.95 / 7),
        ("enough", "recovered", -2.0, -2 / 7),
    ]
    assert told == near({
        "summary": {
            "recovered": 2, "improved": 2, "unchanged": 1, "deteriorated": 1, "harmed": 1,
            "not_assessable": 2,
        },
        "n": 9,
        "relative": False,
        "cutoff": sign * 12.0,
        "cutoff_kind": "given",
        "s_diff": 2.0,
        "standard_error": None,
        "critical": 1.96,
        "used": {"sem": math.sqrt(2)},
        "note": "",
        "rows": [
            *(
                course_row(name, COURSES[name], sign, word, statistic, slope_per_day=sign * slope)
                for name, word, statistic, slope in said
            ),
            course_row("came once", weekly(15), sign, "not assessable",
                       why="one measure has no slope"),
            course_row("came on one day", COURSES["came on one day"], sign, "not assessable",
                       why="the days do not differ"),
        ],
    })  # fmt: skip


# --- sudden gains and losses ---------------------------------------------------------------------

STEPS: dict[str, Points] = {
    "gain, half of it lost": weekly(32, 31, 33, 5, 6, 7, 19),
    "gain, less than half lost": weekly(32, 31, 33, 5, 6, 7, 18.9),
    "loss, half of it regained": weekly(5, 6, 7, 32, 31, 33, 30, 19.5),
    "loss, less than half regained": weekly(5, 6, 7, 32, 31, 33, 30, 19.6),
    "loss just reliable": weekly(13, 13, 20, 20),
    "gain just a quarter": weekly(28, 28, 21, 21),
    "loss short of a quarter": weekly(30, 30, 37, 37),
    "loss, then gain": weekly(10, 10, 20, 20, 20, 10, 10),
    "two gains": weekly(40, 40, 40, 30, 30, 30, 20, 20, 20),
    "step at the start": weekly(20, 12, 12, 12),
    "step at the end": weekly(20, 20, 20, 12),
    "three measures": weekly(20, 20, 12),
}


def event(
    kind: str, start: int, before: float, after: float, reversed_on: float | None = None
) -> dict[str, Any]:
    return {
        "kind": kind, "from_day": float(start), "to_day": float(start + 7), "before": before,
        "after": after, "reversed": reversed_on is not None, "reversed_on": reversed_on,
    }  # fmt: skip


@pytest.mark.parametrize(("higher_is", "sign"), DIRECTIONS)
def test_sudden_gains_and_losses_are_told_with_their_days_and_reversals(
    higher_is: str, sign: int
) -> None:
    told = judged("sudden-gains", long(STEPS, sign), Choice(higher_is, anchor=7.0))

    def gain(*step: float) -> dict[str, Any]:
        start, before, after, *back = step
        return event("sudden gain", int(start), sign * before, sign * after, *back)

    def loss(*step: float) -> dict[str, Any]:
        return {**gain(*step), "kind": "sudden loss"}

    said = {
        "gain, half of it lost": ("sudden gain", [gain(14, 33, 5, 42)]),
        "gain, less than half lost": ("sudden gain", [gain(14, 33, 5)]),
        "loss, half of it regained": ("sudden loss", [loss(14, 7, 32, 49)]),
        "loss, less than half regained": ("sudden loss", [loss(14, 7, 32)]),
        "loss just reliable": ("sudden loss", [loss(7, 13, 20)]),
        "gain just a quarter": ("sudden gain", [gain(7, 28, 21)]),
        "loss short of a quarter": ("neither", []),
        "loss, then gain": ("sudden gain and loss", [loss(7, 10, 20, 35), gain(28, 20, 10)]),
        "two gains": ("sudden gain", [gain(14, 40, 30), gain(35, 30, 20)]),
        "step at the start": ("neither", []),
        "step at the end": ("neither", []),
    }
    untold = dict.fromkeys(("recovered", "improved", "unchanged", "deteriorated", "harmed"))
    assert told == near({
        "summary": {
            **untold, "clients_with_gain": 5, "clients_with_loss": 4, "gains": 6, "losses": 4,
            "gains_reversed": 1, "losses_reversed": 2, "neither": 3, "not_assessable": 1,
        },
        "n": 12,
        "relative": False,
        "cutoff": None,
        "cutoff_kind": None,
        "s_diff": None,
        "standard_error": None,
        "critical": 7.0,
        "used": {"least_change": 7.0, "least_share": 0.25},
        "note": "needs two measures before and two after a step; a reversal gives half of it back",
        "rows": [
            *(course_row(name, STEPS[name], sign, *word[:1], events=word[1])
              for name, word in said.items()),
            course_row("three measures", STEPS["three measures"], sign, "not assessable",
                why="fewer than four measures", events=[]),
        ],
    })  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "widest"),
    [
        # Pairs of 20 -+ s and 12 -+ s: the pooled SD is sqrt(2) s; t(.05, 2) is 4.303.
        ((-1, 1), (-1, 1), 8 / (4.303 * math.sqrt(2))),
        # Three measures of one side, 4 s^2 of 3 degrees of freedom; t(.05, 3) is 3.182.
        ((-1, 1), (0, -1, 1), 8 / (3.182 * math.sqrt(4 / 3))),
        ((0, -1, 1), (-1, 1), 8 / (3.182 * math.sqrt(4 / 3))),
        # Three of both sides, the pooled SD is s; t(.05, 4) is 2.776.
        ((0, -1, 1), (0, -1, 1), 8 / 2.776),
    ],
)
def test_a_step_stands_out_of_the_spread_around_it_by_students_t(
    before: tuple[int, ...], after: tuple[int, ...], widest: float
) -> None:
    for spread, said in ((0.999 * widest, "sudden gain"), (1.001 * widest, "neither")):
        scores = [20 + spread * at for at in before] + [12 + spread * at for at in after]
        table = long({"A": weekly(*scores)}, 1)
        assert judged("sudden-gains", table, Choice(anchor=7.9))["rows"][0]["class"] == said


def test_the_least_change_is_the_reliable_one_where_a_reliability_is_stated() -> None:
    # A scale of fractions: S_diff is sqrt(2) * 0.2 * sqrt(1 / 8) = 0.1, reliable from .196.
    table = long({"A": weekly(0.4, 0.4, 0.6, 0.6), "B": weekly(0.4, 0.4, 0.59, 0.59)}, 1)
    told = judged("sudden-gains", table, Choice(reliability=0.875, clinical_sd=0.2, anchor=9.0))
    assert told["critical"] == told["used"]["least_change"] == near(0.196)
    assert [one["class"] for one in told["rows"]] == ["sudden loss", "neither"]
    assert judged("sudden-gains", table, Choice(anchor=0.0)) == "needs a least change above 0"


# --- two measures, as NHS Talking Therapies counts ----------------------------------------------

BOTH: dict[str, tuple[tuple[float | None, float | None], ...]] = {
    "A": ((15, 8), (12, 7)),
    "B": ((15, 9), (12, 8)),  # by just 6 and 4; still a case by the second
    "C": ((15, 8), (12, 16)),  # one better, one worse by just 4
    "D": ((10, 9), (7, 7)),  # a recovery, but not reliable
    "E": ((9, 15), (7, 7)),
    "F": ((4, 4.5), (3, 7)),  # worse, and still no case
    "G": ((9, 3), (7, 7)),  # better, and never a case
    "H": ((9, 9), (8, 4)),  # a case by the second alone
    "I": ((None, 8), (12, 7)),
    "J": ((15, 8), (12, None)),
    "K": ((15, None), (None, 7)),
    "L": ((15, 8), (None, None)),
}


@pytest.mark.parametrize(("higher_is", "sign"), DIRECTIONS)
def test_talking_therapies(higher_is: str, sign: int) -> None:
    def pairs(place: int) -> list[Pair]:
        return [
            Pair(name, *(None if x is None else float(sign * x) for x in scores[place]))
            for name, scores in BOTH.items()
        ]

    told = judged(
        "nhs-talking-therapies",
        Table(pairs(0), second=pairs(1)),
        Choice(
            higher_is, cutoff=sign * 10.0, anchor=6.0, second_cutoff=sign * 8.0, second_anchor=4.0
        ),
    )
    said: dict[str, str | tuple[str, bool, bool]] = {
        "A": ("recovered", True, False),
        "B": ("improved", True, True),
        "C": ("unchanged", True, True),
        "D": ("unchanged", True, False),
        "E": ("harmed", False, True),
        "F": ("deteriorated", False, False),
        "G": ("improved", False, False),
        "H": ("recovered", True, False),
        "I": "no score before",
        "J": "no score after",
        "K": "no score after",
        "L": "no scores",
    }
    assert told == near({
        "summary": {
            "recovered": 2, "improved": 2, "unchanged": 2, "deteriorated": 1, "harmed": 1,
            "not_assessable": 4,
        },
        "n": 12,
        "relative": False,
        "cutoff": sign * 10.0,
        "cutoff_kind": "given",
        "s_diff": None,
        "standard_error": None,
        "critical": None,
        "used": {
            "reliable_change": 6.0, "second_cutoff": sign * 8.0, "second_reliable_change": 4.0,
            "cases_before": 5, "recovery": 3, "recovery_rate": 0.6,
        },
        "note": "recovery is counted among those who were a case before, whether or not reliably",
        "rows": [
            two(first, second, said[first.client])
            for first, second in zip(pairs(0), pairs(1), strict=True)
        ],
    })  # fmt: skip


def two(first: Pair, second: Pair, said: str | tuple[str, bool, bool]) -> dict[str, Any]:
    lacking = first.pre is None or first.post is None
    told = {
        "client": first.client, "pre": first.pre, "post": first.post, "statistic": None,
        "change": None if lacking else (first.post or 0) - (first.pre or 0),
    }  # fmt: skip
    if isinstance(said, str):
        return {**told, "class": "not assessable", "why": said}
    word, before, after = said
    beside = {"second_pre": second.pre, "second_post": second.post}
    return {
        **told, **beside, "class": word, "why": None, "case_before": before, "case_after": after,
    }  # fmt: skip


def test_where_nobody_was_a_case_there_is_no_rate_of_recovery() -> None:
    told = judged(
        "nhs-talking-therapies",
        Table([Pair("A", 9, 3)], second=[Pair("A", 7, 7)]),
        Choice(cutoff=10.0, anchor=6.0, second_cutoff=8.0, second_anchor=4.0),
    )
    used = [told["used"][name] for name in ("cases_before", "recovery", "recovery_rate")]
    assert used == [0, 0, None]
