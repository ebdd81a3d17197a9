"""Answers left out: made up for scale by scale, not made up for, or of items that did not apply."""

from pathlib import Path

import pytest

from services.outcomes.core.definition import read
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.instrument_words import summary
from services.outcomes.core.scoring import Scored, score
from services.outcomes.core.table import InstrumentError

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"
Changed = dict[int, int | None]

# Six items: 5 and 6 are a scale that the total leaves out, 2 need not apply.
APART = """\
id = "apart"
version = "1"
title = "Items Apart"
construct = "anything"
population = "anybody"

[range]
minimum = 4
maximum = 12
step = 1
higher_is = "worse"
source = "nobody"

[items]
count = 6
minimum = 1
maximum = 3
reversed = [6]
outside_total = [5, 6]
may_not_apply = [2]
multiply = 1
source = "nobody"

[missing]
most = 2
round = true
within_subscales = true
source = "nobody"

[[subscales]]
id = "a"
title = "A"
items = [1, 2, 3]
missing = 1
source = "nobody"

[[subscales]]
id = "b"
title = "B"
items = [4]
source = "nobody"

[[subscales]]
id = "c"
title = "C"
items = [5, 6]
source = "nobody"

[licence]
value = "free"
source = "nobody"
"""


def shipped(name: str) -> Instrument:
    path = FOLDER / f"{name}.toml"
    return read(path.name, path.read_text())


def ones(name: str, changed: Changed, total: float | None = None) -> Scored:
    """A form on which every answer counts one point but those that are named, as they are given."""
    one = shipped(name)
    assert one.items is not None
    turned = one.items.minimum + one.items.maximum - 1
    items: list[int | None] = [
        changed.get(item, turned if item in one.items.reversed else 1)
        for item in range(1, one.items.count + 1)
    ]
    return score(one, items, total)


@pytest.mark.parametrize(
    ("changed", "expected", "subscales"),
    [
        ({}, 42, {"depression": 14, "anxiety": 14, "stress": 14}),
        # 8 points on six of seven items: 9.33, 9, twice 18; 7 points on six: 8.17, 8, twice 16.
        ({3: None, 5: 3, 2: None, 4: 2}, 48, {"depression": 18, "anxiety": 16, "stress": 14}),
        ({3: None, 2: None, 1: None}, 42, {"depression": 14, "anxiety": 14, "stress": 14}),
        ({3: None, 5: None, 2: None, 4: 2}, None, {"anxiety": 16, "stress": 14}),
    ],
)
def test_dass_makes_up_for_one_answer_in_each_scale(
    changed: Changed, expected: float | None, subscales: dict[str, float]
) -> None:
    scored = ones("dass-21", changed)
    assert (scored.score, scored.subscales) == (expected, subscales)
    assert scored.flags == (["incomplete"] if expected is None else ["prorated"] if changed else [])


def test_rcads_makes_up_for_two_answers_in_each_scale() -> None:
    two_of_each: Changed = dict.fromkeys([5, 9, 1, 13, 3, 14, 4, 7, 10, 16, 2, 6])
    # 10 points on eight of ten items of depression: 12.5, which counts as 13.
    scored = ones("rcads-47", {**two_of_each, 11: 3})
    assert scored.subscales == {"sad": 7, "gad": 6, "pd": 9, "sp": 9, "ocd": 6, "mdd": 13}
    assert (scored.score, scored.flags) == (50, ["prorated"])
    one_more = ones("rcads-47", {**two_of_each, 11: None})
    assert one_more.subscales == {"sad": 7, "gad": 6, "pd": 9, "sp": 9, "ocd": 6}
    assert (one_more.score, one_more.flags) == (None, ["incomplete"])


@pytest.mark.parametrize(
    ("changed", "expected", "subscales"),
    [
        # 27 points on 24 of 25 items: 28.125; 13 on ten of eleven: 14.3.
        ({2: None, 3: 4, 7: None, 16: 4}, 51, {"sd": 28, "ir": 14, "sr": 9}),
        ({2: None, 3: None, 7: None, 16: None}, 45, {"sd": 25, "ir": 11, "sr": 9}),
        ({2: None, 3: None, 5: None, 7: None, 16: None}, None, {"sr": 9}),
    ],
)
def test_the_scales_of_oq_are_made_up_for_as_long_as_the_form_is(
    changed: Changed, expected: float | None, subscales: dict[str, float]
) -> None:
    scored = ones("oq-45.2", changed)
    assert (scored.score, scored.subscales) == (expected, subscales)


def test_the_total_of_pcl_is_the_sum_of_its_clusters_as_they_are_told() -> None:
    """7 points on four of five items are 8.75, 9 on six of seven 10.5: 9 and 11, not 19.25."""
    scored = ones("pcl-5", {1: None, 2: 4, 8: None, 9: 4})
    assert scored.subscales == {"B": 9, "C": 2, "D": 11, "E": 6}
    assert (scored.score, scored.flags) == (28, ["prorated"])


@pytest.mark.parametrize(
    ("changed", "expected", "problems", "functioning", "left_out"),
    [
        # 14 points on eleven answers are 12.7, 36 on 33 in all 10.9.
        ({2: None, 5: 4}, 360 / 33, 140 / 11, 10, set()),
        ({2: None, 1: None, 33: 3}, 340 / 32, 10, 130 / 11, set()),
        ({14: None}, 10, 10, 10, {"wellbeing"}),
        ({6: None}, 10, 10, 10, {"risk"}),
        ({2: None, 5: None}, 10, None, 10, {"problems"}),
        ({2: None, 5: None, 8: None, 11: None}, None, None, 10, {"problems"}),
        ({2: None, 1: None, 14: None, 6: None}, None, 10, 10, {"wellbeing", "risk"}),
    ],
)
def test_core_om_makes_up_for_one_answer_on_problems_and_functioning(
    changed: Changed,
    expected: float | None,
    problems: float | None,
    functioning: float,
    left_out: set[str],
) -> None:
    scored = ones("core-om", changed)
    assert scored.score == (None if expected is None else pytest.approx(expected))
    told = {"wellbeing": 10, "problems": problems, "functioning": functioning, "risk": 10}
    kept = {name: value for name, value in told.items() if name not in left_out}
    assert scored.subscales == pytest.approx(kept)


FIVES = {"emotional": 5, "conduct": 5, "hyperactivity": 5, "peer": 5, "prosocial": 5}


@pytest.mark.parametrize(
    ("changed", "expected", "flags", "subscales"),
    [
        ({}, 20, [], FIVES),
        # As the authors put it: 4 points on three of five items are 6.67, which count as 7.
        ({3: None, 8: None, 13: 2}, 22, ["prorated"], FIVES | {"emotional": 7}),
        ({3: None, 8: None, 5: None, 7: None, 2: None, 10: None, 6: None, 11: None}, 20,
         ["prorated"], FIVES),
        ({1: 2, 4: 2, 9: 2, 17: 2, 20: 2}, 20, [], FIVES | {"prosocial": 10}),
        ({1: None, 4: None, 9: 2}, 20, [], FIVES | {"prosocial": 7}),
        ({25: 0, 7: 2}, 20, [], FIVES | {"conduct": 4, "hyperactivity": 6}),
    ],
)  # fmt: skip
def test_sdq_is_the_sum_of_four_of_its_five_scales(
    changed: Changed, expected: float, flags: list[str], subscales: dict[str, float]
) -> None:
    scored = ones("sdq", changed)
    assert (scored.score, scored.flags, scored.subscales) == (expected, flags, subscales)


def test_sdq_has_no_total_where_one_of_the_four_is_not_answered() -> None:
    without = ones("sdq", {3: None, 8: None, 13: None})
    assert (without.score, without.flags) == (None, ["incomplete"])
    assert without.subscales == {key: 5 for key in FIVES if key != "emotional"}
    alone = ones("sdq", {1: None, 4: None, 9: None})
    assert (alone.score, alone.flags) == (20, [])
    assert alone.subscales == {key: 5 for key in FIVES if key != "prosocial"}


def test_the_worst_that_sdq_can_say() -> None:
    worst: list[int | None] = [0 if at in (7, 11, 14, 21, 25) else 2 for at in range(1, 26)]
    assert score(shipped("sdq"), worst, None).score == 40
    best: list[int | None] = [2 if at in (7, 11, 14, 21, 25) else 0 for at in range(1, 26)]
    assert score(shipped("sdq"), best, None).score == 0


@pytest.mark.parametrize(
    ("items", "total", "expected", "flags"),
    [
        ([8, 8, 8, 8, 8], None, 40, []),
        ([4, 1, 2, 3, 4], None, 14, []),
        ([None, 8, 8, 8, 8], None, 32, ["item not applicable"]),
        ([None, 1, 2, 3, 4], 10, 10, ["item not applicable"]),
        ([None, 1, 2, 3, 4], 12.5, 10, ["item not applicable", "conflict"]),  # made up for
        ([4, None, 2, 3, 4], None, None, ["incomplete"]),
        ([None, None, 2, 3, 4], None, None, ["item not applicable", "incomplete"]),
        # 9 points are there, and one answer of up to 8 is left out; work did not apply.
        ([None, None, 2, 3, 4], 17, None, ["item not applicable", "incomplete"]),
        ([None, None, 2, 3, 4], 18, None, ["item not applicable", "incomplete", "conflict"]),
        ([4, None, 2, 3, 4], 12.9, None, ["incomplete", "conflict"]),
    ],
)
def test_where_work_does_not_apply_wsas_is_the_sum_of_the_others(
    items: list[int | None], total: float | None, expected: float | None, flags: list[str]
) -> None:
    scored = score(shipped("wsas"), items, total)
    assert (scored.score, scored.flags) == (expected, flags)


@pytest.mark.parametrize(
    ("items", "expected", "flags", "subscales"),
    [
        ([1, 2, 3, 3, 1, 1], 9, [], {"a": 6, "b": 3, "c": 4}),
        ([1, None, 3, 3, 1, 1], 7, ["item not applicable"], {"a": 4, "b": 3, "c": 4}),
        # Of the items that apply, 3 is left out: twice 1.
        ([1, None, None, 3, 1, 1], 5, ["item not applicable", "prorated"],
         {"a": 2, "b": 3, "c": 4}),
        ([1, 3, None, 3, None, 1], 9, ["prorated"], {"a": 6, "b": 3}),
        ([1, 2, 3, None, 1, 1], None, ["incomplete"], {"a": 6, "c": 4}),
        ([None, None, None, 3, 1, 1], None, ["item not applicable", "incomplete"],
         {"b": 3, "c": 4}),
    ],
)  # fmt: skip
def test_what_does_not_apply_is_not_missing_and_a_scale_outside_the_total_stands_alone(
    items: list[int | None], expected: float | None, flags: list[str], subscales: dict[str, float]
) -> None:
    scored = score(read("own.toml", APART), items, None)
    assert (scored.score, scored.flags, scored.subscales) == (expected, flags, subscales)


def test_items_apart_are_told() -> None:
    assert summary(read("own.toml", APART))[2:4] == [
        "  scores:         4 to 12 in steps of 1, higher is worse; 6 items from 1 to 3 "
        "(reversed: 6) (outside the total: 5, 6) (2 may not apply), 2 may be missing",
        "  subscale:       a, A: items 1, 2, 3, 1 may be missing",
    ]


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("outside_total = [5, 6]", "outside_total = [5, 7]",
         "line 19: items.outside_total names an item outside 1 to 6"),
        ("outside_total = [5, 6]", "outside_total = [1, 2, 3, 4, 5, 6]",
         "line 19: items.outside_total must leave an item out"),
        ("outside_total = [5, 6]", "outside_total = [5, 6]\nhighest_of = [[1, 2], [4, 5]]",
         "line 19: items.outside_total names an item of highest_of"),
        ("outside_total = [5, 6]", "outside_total = 5",
         "line 19: items.outside_total must be a list"),
        ("outside_total = [5, 6]\n", "",
         "line 15: items.count gives scores from 6 to 18, where the range is 4 to 12"),
        ("outside_total = [5, 6]", "outside_total = [4, 5]",
         "line 27: missing.within_subscales needs subscales that hold each item once"),
        ("may_not_apply = [2]", "may_not_apply = [0]",
         "line 20: items.may_not_apply names an item outside 1 to 6"),
        ("may_not_apply = [2]", "may_not_apply = [1, 2, 3, 4, 5, 6]",
         "line 20: items.may_not_apply must leave an item out"),
        ("may_not_apply = [2]", "may_not_apply = [2]\nhighest_of = [[1, 2]]",
         "line 20: items.may_not_apply names an item of highest_of"),
        ("most = 2", "most = 4", "line 25: missing.most must leave at least one item answered"),
        ("missing = 1", "missing = 3",
         "line 34: subscales[0].missing must leave at least one item answered"),
        ("missing = 1", "missing = -1",
         "line 34: subscales[0].missing must leave at least one item answered"),
        ("missing = 1", "missing = true",
         "line 34: subscales[0].missing must be a whole number"),
    ],
)  # fmt: skip
def test_every_fault_of_items_apart_is_told_with_its_line(
    written: str, instead: str, told: str
) -> None:
    assert APART.count(written) == 1
    with pytest.raises(InstrumentError) as refusal:
        read("own.toml", APART.replace(written, instead))
    assert str(refusal.value) == f"own.toml, {told}"
