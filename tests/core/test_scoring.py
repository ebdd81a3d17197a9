"""Scores, bands, prorating and conflicts; and risk answers that know nothing of any of it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.core.definition import read, read_all
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.scoring import (
    ItemCountError,
    ItemRangeError,
    ItemsNotTakenError,
    NothingToScoreError,
    ScoringError,
    TotalFractionError,
    TotalRangeError,
    read_risk,
    score,
)
from tests.core.definitions import FOR_SOME, FULL

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"
ALL = read_all((one.name, one.read_text()) for one in sorted(FOLDER.glob("*.toml")))
PHQ, GAD, CORE, PCL, WHO = (ALL[name] for name in ("phq-9", "gad-7", "core-10", "pcl-5", "who-5"))
MOOD, THRIVING = (read("made-up.toml", one) for one in (FULL, FOR_SOME))
HEAVY = read(
    "made-up.toml",
    FOR_SOME.replace("minimum = 2\nmaximum = 10", "minimum = 3\nmaximum = 15")
    .replace("mean_times = 2", "multiply = 1.5")
    .replace("most = 1", "most = 0"),
)
"""Two items from 1 to 5, each counting one and a half times; neither may be missing."""


@pytest.mark.parametrize(
    ("instrument", "items", "expected", "band"),
    [
        (PHQ, [2, 2, 2, 2, 2, 2, 2, 1, 0], 15, "moderately severe"),
        (GAD, [3, 3, 3, 3, 3, 3, 3], 21, "severe"),
        (CORE, [0, 4, 4, 0, 0, 0, 0, 0, 0, 0], 0, "below the clinical range"),
        (CORE, [4, 0, 0, 4, 4, 4, 4, 4, 4, 4], 40, "severe"),
        (PCL, [2] * 20, 40, None),
        (WHO, [2, 2, 2, 2, 4], 48, None),
        (ALL["bdi"], [3] * 10 + [0] * 11, 30, "severe"),
        (ALL["bdi"], [1] * 10 + [0] * 10 + [3], 13, "mild"),
        (ALL["bdi-ii"], [1] * 10 + [0] * 10 + [3], 13, "minimal"),
        (ALL["bdi-ii"], [3] * 21, 63, "severe"),
    ],
)
def test_items_are_summed_reversed_ones_turned_round(
    instrument: Instrument, items: list[int | None], expected: float, band: str | None
) -> None:
    scored = score(instrument, items, None)
    assert (scored.score, scored.band, scored.flags) == (expected, band, [])


@pytest.mark.parametrize(
    ("instrument", "items", "expected", "flags"),
    [
        (PHQ, [1, 1, 1, 1, 1, 1, 1, None, 0], 8, ["prorated"]),  # 7 / 8 * 9 = 7.875
        (PHQ, [1, 1, 1, 1, 0, 0, 0, None, 0], 5, ["prorated"]),  # 4.5, rounded up
        (PHQ, [1, 1, 1, 1, 1, 1, 1, None, None], 9, ["prorated", "risk item unanswered"]),
        (PHQ, [1, 1, 1, 1, 1, None, None, None, 0], None, ["incomplete"]),
        (GAD, [2, 2, 2, 2, 2, 2, None], 14, ["prorated"]),
        (GAD, [2, 2, 2, 2, 2, None, None], None, ["incomplete"]),
        (CORE, [1, 3, 3, 1, 1, 1, 1, 1, 1, None], 10, ["prorated"]),
        (WHO, [2, 2, 2, 2, None], None, ["incomplete"]),
        (PCL, [4] * 5 + [0, None] + [0] * 13, 20, ["prorated"]),  # within its cluster: 0
        (PCL, [4] * 5 + [None, None] + [0] * 13, None, ["incomplete"]),
        (MOOD, [3, 3, None, 0], 18, ["prorated", "risk item unanswered"]),  # (6 + 3) * 2
        (THRIVING, [4, None], 8, ["prorated"]),
        (HEAVY, [4, 3], 10.5, []),
        (HEAVY, [4, None], None, ["incomplete"]),
    ],
)
def test_missing_items_are_made_up_for_as_far_as_the_rule_goes(
    instrument: Instrument, items: list[int | None], expected: float | None, flags: list[str]
) -> None:
    scored = score(instrument, items, None)
    assert (scored.score, scored.flags) == (expected, flags)


def test_subscales_are_summed_on_their_own() -> None:
    scored = score(PCL, [1] * 5 + [2] * 2 + [3] * 7 + [4] * 6, None)
    assert scored.subscales == {"B": 5, "C": 4, "D": 21, "E": 24}


def test_subscales_are_multiplied_each_by_its_own() -> None:
    dass = score(ALL["dass-21"], [1] * 21, None)
    assert (dass.score, dass.subscales) == (42, {"depression": 14, "anxiety": 14, "stress": 14})
    om = score(ALL["core-om"], [0, 0, 4, 4, 0, 0, 4] + [0] * 4 + [4] + [0] * 6 + [4, 0, 4]
               + [0] * 9 + [4, 4, 0, 0], None)  # fmt: skip
    assert (om.score, om.subscales["wellbeing"]) == (0, 0)
    worst = score(ALL["core-om"], [4, 4, 0, 0, 4, 4, 0] + [4] * 4 + [0] + [4] * 6 + [0, 4, 0]
                  + [4] * 9 + [0, 0, 4, 4], None)  # fmt: skip
    assert worst.score == pytest.approx(40)
    assert worst.subscales == pytest.approx(
        {"wellbeing": 40, "problems": 40, "functioning": 40, "risk": 40}
    )


@pytest.mark.parametrize(
    ("total", "conflict"), [(10, False), (9.7, True), (9.97, False), (10.05, False), (10.1, True)]
)
def test_a_score_that_has_to_be_rounded_may_differ_by_half_a_step(
    total: float, conflict: bool
) -> None:
    items: list[int | None] = [0] * 34
    for item in ALL["core-om"].items.reversed if ALL["core-om"].items else ():
        items[item - 1] = 4
    items[:2], items[4:6] = [4, 4], [4, 4]
    items[7:11], items[12] = [4, 4, 4, 4], 2  # 34 points of 136
    scored = score(ALL["core-om"], items, total)
    assert scored.score == pytest.approx(10)
    assert ("conflict" in scored.flags) is conflict


def test_a_risk_answer_that_is_never_urgent_is_still_endorsed() -> None:
    items: list[int | None] = [None] * 10
    items[3] = 4
    (answer,) = read_risk(ALL["yp-core"], items)
    assert (answer["state"], answer["urgent"]) == ("endorsed", False)


def test_the_worst_answer_to_the_epds_is_urgent_and_counts_most() -> None:
    scored = score(ALL["epds"], [0] * 9 + [3], None)
    assert (scored.score, scored.risk[0]["urgent"]) == (3, True)
    assert not score(ALL["epds"], [0] * 10, None).risk[0]["urgent"]


def test_a_total_alone_is_taken_as_it_is() -> None:
    scored = score(ALL["bdi-ii"], None, 20)
    assert (scored.score, scored.band) == (20, "moderate")
    assert [answer["state"] for answer in scored.risk] == ["not received"]


@pytest.mark.parametrize(
    ("name", "total"), [("phq-9", 12.5), ("k10", 10.001), ("who-5", 50.5), ("bdi-ii", 0.1)]
)
def test_a_fraction_of_a_whole_score_is_refused(name: str, total: float) -> None:
    with pytest.raises(TotalFractionError, match="the total must be a whole number"):
        score(ALL[name], None, total)


@pytest.mark.parametrize(
    ("name", "total"),
    [("ors", 25.3), ("core-om", 14.70588), ("core-10", 11.1), ("k10", 11.0)],
)
def test_a_fraction_that_answers_may_come_to_is_taken(name: str, total: float) -> None:
    assert score(ALL[name], None, total).score == total


@pytest.mark.parametrize(
    ("total", "flags"),
    [(15, []), (14, ["conflict"]), (16, ["conflict"]), (14.6, ["conflict"]), (15.4, ["conflict"])],
)
def test_a_total_that_disagrees_with_its_items_is_a_conflict(
    total: float, flags: list[str]
) -> None:
    scored = score(PHQ, [2, 2, 2, 2, 2, 2, 2, 1, 0], total)
    assert (scored.score, scored.flags) == (15, flags)


@pytest.mark.parametrize(
    ("total", "conflict"), [(7, True), (7.9, False), (8, False), (9, True), (10, True)]
)
def test_beside_a_prorated_score_only_a_whole_step_is_a_conflict(
    total: float, conflict: bool
) -> None:
    scored = score(PHQ, [1, 1, 1, 1, 1, 1, 1, None, 0], total)
    assert ("conflict" in scored.flags) is conflict


@pytest.mark.parametrize(("total", "conflict"), [(4, True), (5, False), (14, False), (15, True)])
def test_beside_an_incomplete_form_only_an_impossible_total_is_a_conflict(
    total: float, conflict: bool
) -> None:
    scored = score(PHQ, [1, 1, 1, 1, 1, None, None, None, 0], total)
    assert scored.score is None
    assert ("conflict" in scored.flags) is conflict


@pytest.mark.parametrize(
    ("total", "conflict"), [(7.4, True), (7.5, False), (13.5, False), (13.6, True)]
)
def test_what_is_possible_is_told_in_scores_and_not_in_answers(
    total: float, conflict: bool
) -> None:
    assert ("conflict" in score(HEAVY, [4, None], total).flags) is conflict


@pytest.mark.parametrize(("total", "conflict"), [(6, False), (6.2, True), (5.8, True)])
def test_where_scores_need_no_rounding_half_a_step_is_a_conflict(
    total: float, conflict: bool
) -> None:
    """Steps of one half, and items that count whole: a score is never rounded."""
    assert ("conflict" in score(THRIVING, [2, 4], total).flags) is conflict


NONE = [0] * 9


@pytest.mark.parametrize(
    ("instrument", "items", "total", "kind", "told"),
    [
        (PHQ, [0, 0, 4, 0, 0, 0, 0, 0, 0], None, ItemRangeError,
         "item 3 must be a whole number from 0 to 3"),
        (PHQ, [-1, *NONE[1:]], None, ItemRangeError, "item 1 must be a whole number from 0 to 3"),
        (PHQ, [*NONE[1:], 9], None, ItemRangeError, "item 9 must be a whole number from 0 to 3"),
        (PHQ, [True, *NONE[1:]], None, ItemRangeError,
         "item 1 must be a whole number from 0 to 3"),
        (PHQ, [0, 1.0, *NONE[2:]], None, ItemRangeError,
         "item 2 must be a whole number from 0 to 3"),
        (THRIVING, [2, 0], None, ItemRangeError, "item 2 must be a whole number from 1 to 5"),
        (PHQ, NONE[1:], None, ItemCountError, "needs 9 items"),
        (PHQ, [*NONE, 0], None, ItemCountError, "needs 9 items"),
        (PHQ, None, 27.5, TotalRangeError, "the total must lie from 0 to 27"),
        (PHQ, None, -0.5, TotalRangeError, "the total must lie from 0 to 27"),
        (PHQ, NONE, 28, TotalRangeError, "the total must lie from 0 to 27"),
        (HEAVY, None, 2.9, TotalRangeError, "the total must lie from 3 to 15"),
        (PHQ, None, 7.5, TotalFractionError, "the total must be a whole number"),
        (replace(PHQ, minimum=1), None, 7.5, TotalFractionError,
         "the total must be a whole number"),
        (PHQ, None, None, NothingToScoreError, "needs items or a total"),
        (ALL["ors"], [0] * 4, None, ItemsNotTakenError, "takes totals alone"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place_and_never_with_the_answer(
    instrument: Instrument,
    items: list[int | None] | None,
    total: float | None,
    kind: type[ScoringError],
    told: str,
) -> None:
    with pytest.raises(ScoringError) as refusal:
        score(instrument, items, total)
    assert (type(refusal.value), str(refusal.value)) == (kind, told)


def test_a_refusal_holds_what_would_have_been_possible() -> None:
    """What the door makes its own words from."""
    with pytest.raises(ItemRangeError) as answer:
        score(THRIVING, [2, 6], None)
    assert answer.value.faults == ((1, "must be a whole number from 1 to 5"),)
    with pytest.raises(TotalRangeError) as total:
        score(HEAVY, None, 16)
    assert (total.value.minimum, total.value.maximum) == (3, 15)
    with pytest.raises(ItemCountError) as count:
        score(THRIVING, [2], None)
    assert count.value.expected == 2


@pytest.mark.parametrize(
    ("total", "band"),
    [(0, "mild"), (8, "mild"), (9, "mild"), (10, "moderate"), (16, "moderate"), (18, "severe"),
     (24, "severe")],
)  # fmt: skip
def test_the_lowest_and_the_highest_total_are_taken_each_in_its_band(
    total: float, band: str
) -> None:
    scored = score(MOOD, None, total)
    assert (scored.score, scored.band, scored.flags, scored.subscales) == (total, band, [], {})


def test_what_is_not_scored_has_no_band_and_whole_subscales_still_count() -> None:
    incomplete = score(MOOD, [None] * 4, None)
    assert (incomplete.score, incomplete.band, incomplete.subscales) == (None, None, {})
    assert score(MOOD, [None, 3, None, None], None).subscales == {}
    assert score(PCL, [1] * 5 + [None] * 3 + [1] * 12, None).subscales == {"B": 5, "E": 6}


def test_a_subscale_is_made_up_for_within_itself_where_the_form_is_scored() -> None:
    """Items 1 and 3 are sleep, times 1.5; of drive, 2 is turned round and 4 is left out."""
    assert score(MOOD, [1, 3, 2, None], None).subscales == {"sleep": 4.5, "drive": 0}
    assert score(MOOD, [None, 2, 2, 1], None).subscales == {"sleep": 6, "drive": 3}


@pytest.mark.parametrize(
    ("answer", "state", "urgent"),
    [(0, "not endorsed", False), (1, "endorsed", False), (2, "endorsed", True),
     (3, "endorsed", True), (None, "unanswered", False)],
)  # fmt: skip
def test_the_risk_answer_is_shown_as_answered(answer: int | None, state: str, urgent: bool) -> None:
    expected = {"item": 9, "kind": "self", "answer": answer, "state": state, "urgent": urgent}
    assert read_risk(PHQ, [0, 0, 0, 0, 0, 0, 0, 0, answer]) == [expected]


def test_an_unanswered_risk_item_is_never_prorated_away_in_silence() -> None:
    scored = score(PHQ, [1, 1, 1, 1, 1, 1, 1, 1, None], None)
    assert scored.score == 9
    assert scored.flags == ["prorated", "risk item unanswered"]


@given(st.lists(st.one_of(st.none(), st.integers(-9, 99)), max_size=12))
def test_risk_is_read_whatever_else_is_wrong(items: list[int | None]) -> None:
    (answer,) = read_risk(PHQ, items)
    given_answer = items[8] if len(items) > 8 else None
    assert answer["answer"] == given_answer
    assert (answer["state"] == "endorsed") is (given_answer is not None and given_answer >= 1)


def test_plans_are_urgent_from_the_first_answer() -> None:
    (answer,) = read_risk(CORE, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    assert answer["urgent"]
