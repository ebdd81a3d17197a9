"""Items that differ: other answers than the rest, groups of which the highest answer counts."""

from pathlib import Path

import pytest

from services.outcomes.core.definition import read
from services.outcomes.core.instrument import Exceptional, Instrument
from services.outcomes.core.instrument_words import not_assessable, summary
from services.outcomes.core.scoring import ItemRangeError, read_risk, score
from services.outcomes.core.table import InstrumentError
from tests.core.definitions import LEAST

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"
Answers = list[int | None]

# Six items: two take 0, 2 or 4, the others 0 to 3; of two pairs the higher answer counts, so that
# 1 and 2 give up to 3 points, 4 and 6 up to 4, item 3 up to 3, item 5 up to 4.
UNLIKE = """\
id = "unlike"
version = "1"
title = "Unlike Items"
construct = "anything"
population = "anybody"

[range]
minimum = 0
maximum = 14
step = 1
higher_is = "worse"
source = "nobody"

[items]
count = 6
minimum = 0
maximum = 3
reversed = [5]
exceptions = [{ items = [5, 6], answers = [0, 2, 4] }]
highest_of = [[1, 2], [4, 6]]
multiply = 1
source = "nobody"

[missing]
most = 1
source = "nobody"

[[risk]]
item = 6
kind = "self"
endorsed_from = 2
urgent_from = 4
source = "nobody"

[licence]
value = "free"
source = "nobody"
"""


def shipped(name: str) -> Instrument:
    path = FOLDER / f"{name}.toml"
    return read(path.name, path.read_text())


def test_what_is_unlike_is_read() -> None:
    items = read("own.toml", UNLIKE).items
    assert items is not None
    assert items.exceptions == (Exceptional((5, 6), (0, 2, 4)),)
    assert items.highest_of == ((1, 2), (4, 6))
    assert [list(items.answers(item)) for item in (4, 5)] == [[0, 1, 2, 3], [0, 2, 4]]


def test_what_is_unlike_is_told() -> None:
    assert summary(read("own.toml", UNLIKE))[2] == (
        "  scores:         0 to 14 in steps of 1, higher is worse; 6 items from 0 to 3 "
        "(5, 6: 0, 2 or 4) (reversed: 5) (the highest of 1, 2 counts) (the highest of 4, 6 counts)"
        ", 1 may be missing"
    )
    assert (
        "17 items from 0 to 4 (4, 5, 6, 12, 13, 14, 16, 17: a whole number from 0 to 2), 0 may"
        in summary(shipped("hamd-17"))[2]
    )


def test_a_risk_item_whose_answer_cannot_come_is_told() -> None:
    risk = '\n[[risk]]\nitem = 1\nkind = "self"\nendorsed_from = 1\nsource = "nobody"\n'
    told = not_assessable(read("own.toml", LEAST + risk))
    assert told[0] == "risk answers: totals alone are taken"
    assert not_assessable(read("own.toml", UNLIKE))[0] != told[0]


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("items = [5, 6]", "items = [5, 7]",
         "line 19: items.exceptions[0].items names an item outside 1 to 6"),
        ("items = [5, 6]", "items = []",
         "line 19: items.exceptions[0].items must name items that no exception has named"),
        ("items = [5, 6]", "items = [5, 5]",
         "line 19: items.exceptions[0].items must name items that no exception has named"),
        ("[0, 2, 4] }", "[0, 2, 4] }, { items = [6], answers = [0, 1] }",
         "line 19: items.exceptions[1].items must name items that no exception has named"),
        ("answers = [0, 2, 4]", "answers = [0]",
         "line 19: items.exceptions[0].answers must be at least two that rise"),
        ("answers = [0, 2, 4]", "answers = [0, 4, 2]",
         "line 19: items.exceptions[0].answers must be at least two that rise"),
        ("answers = [0, 2, 4]", "answers = [0, 2, 2]",
         "line 19: items.exceptions[0].answers must be at least two that rise"),
        ("answers = [0, 2, 4]", "answer = [0, 2, 4]",
         "line 19: items.exceptions[0].answers must be at least two that rise"),
        ("answers = [0, 2, 4] }", "answers = [0, 2, 4], why = 1 }",
         "line 19: items.exceptions[0].why is not a known key"),
        ("[[1, 2], [4, 6]]", "[[1, 2], [4, 7]]",
         "line 20: items.highest_of names an item outside 1 to 6"),
        ("[[1, 2], [4, 6]]", "[[1, 2], [4]]",
         "line 20: items.highest_of needs groups of at least two items, each named once"),
        ("[[1, 2], [4, 6]]", "[[1, 2], [2, 6]]",
         "line 20: items.highest_of needs groups of at least two items, each named once"),
        ("[[1, 2], [4, 6]]", "[[1, 2], 4]",
         "line 20: items.highest_of must be a list of lists of whole numbers"),
        ("[[1, 2], [4, 6]]", "[[1, 2], [4, true]]",
         "line 20: items.highest_of must be a list of lists of whole numbers"),
        ("[[1, 2], [4, 6]]", "[[1, 2], [4, 6.0]]",
         "line 20: items.highest_of must be a list of lists of whole numbers"),
        ("[[1, 2], [4, 6]]", '"1-2"', "line 20: items.highest_of must be a list"),
        ("maximum = 14", "maximum = 13",
         "line 15: items.count gives scores from 0 to 14, where the range is 0 to 13"),
        ("most = 1", "most = 4", "line 25: missing.most must leave at least one item answered"),
        ("urgent_from = 4", "urgent_from = 5",
         "line 32: risk[0].urgent_from must be 4 at most: the highest answer"),
        ("endorsed_from = 2\nurgent_from = 4\n", "endorsed_from = 5\n",
         "line 31: risk[0].endorsed_from must be an answer above the lowest"),
        ("[licence]", '[[subscales]]\nid = "a"\ntitle = "A"\nitems = [3]\n\n[licence]',
         "line 35: subscales stand beside highest_of: items of a scale are summed"),
    ],
)  # fmt: skip
def test_every_fault_is_told_with_its_line(written: str, instead: str, told: str) -> None:
    assert UNLIKE.count(written) == 1
    with pytest.raises(InstrumentError) as refusal:
        read("own.toml", UNLIKE.replace(written, instead))
    assert str(refusal.value) == f"own.toml, {told}"


@pytest.mark.parametrize(
    ("answers", "expected", "flags"),
    [
        ([1, 3, 2, 0, 0, 2], 11, []),  # 3 + 2 + 2, and item 5 turned round: 4
        ([3, 1, 2, 3, 4, 2], 8, []),  # 3 + 3 + 2 + 0
        ([None, 3, 2, 0, 4, 2], 7, []),  # the pair counts by what was answered
        ([None, None, 2, 3, 4, 2], pytest.approx(5 * 4 / 3), ["prorated"]),  # one of four left out
        ([None, None, None, 3, 4, 2], None, ["incomplete"]),
    ],
)
def test_of_a_group_the_highest_answer_counts(
    answers: Answers, expected: float | None, flags: list[str]
) -> None:
    scored = score(read("own.toml", UNLIKE), answers, None)
    assert (scored.score, scored.flags) == (expected, flags)


@pytest.mark.parametrize(
    ("answers", "total", "conflict"),
    [
        ([1, 3, 2, 0, 4, 2], 7, False),
        ([1, 3, 2, 0, 4, 2], 8, True),
        ([None, 3, 2, 0, 4, 2], 7.5, True),  # nothing was made up for: the total must be the score
        ([None, None, 2, 3, 4, 2], 7.6, False),
        ([None, None, 2, 3, 4, 2], 7.7, True),
        # 3 points are there. Items 1 to 3 and 6 are left out: up to 3, 3 and 4 instead of the 3.
        ([None, None, None, 3, 4, None], 2.9, True),
        ([None, None, None, 3, 4, None], 3, False),
        ([None, None, None, 3, 4, None], 10, False),
        ([None, None, None, 3, 4, None], 10.1, True),
    ],
)
def test_a_total_is_held_against_what_is_summed(
    answers: Answers, total: float, conflict: bool
) -> None:
    scored = score(read("own.toml", UNLIKE), answers, total)
    assert ("conflict" in scored.flags) is conflict


def test_each_item_is_refused_by_what_it_takes_itself() -> None:
    with pytest.raises(ItemRangeError) as refusal:
        score(read("own.toml", UNLIKE), [4, 3, -1, None, 1, 3], None)
    assert refusal.value.faults == (
        (0, "must be a whole number from 0 to 3"),
        (2, "must be a whole number from 0 to 3"),
        (4, "must be 0, 2 or 4"),
        (5, "must be 0, 2 or 4"),
    )
    assert str(refusal.value).endswith("; item 6 must be 0, 2 or 4")


HAMD: Answers = [4, 3, 3, 2, 2, 2, 4, 1, 0, 3, 2, 2, 1, 0, 1, 2, 0]
QIDS: Answers = [1, 3, 0, 2, 2, 0, 1, 0, 3, 2, 0, 2, 0, 1, 2, 3]
AUDIT: Answers = [4, 2, 3, 1, 0, 0, 1, 0, 2, 4]


@pytest.mark.parametrize(
    ("name", "answers", "expected", "band"),
    [
        ("hamd-17", HAMD, 32, "severe"),
        ("hamd-17", [4] * 3 + [2] * 3 + [4] * 5 + [2] * 3 + [4, 2, 2], 52, "severe"),
        ("hamd-17", [0] * 17, 0, "none"),
        # sleep 3, sadness 2, appetite and weight 3, then 2, 0, 2, 0, 1, movement 3
        ("qids-sr16", QIDS, 16, "severe"),
        ("qids-sr16", [3] * 16, 27, "very severe"),
        ("qids-sr16", [1, *[None] * 3, 1, None, 2, None, None, 1, 1, 0, 0, 0, None, 0], 6, "mild"),
        ("qids-sr16", [0] * 14 + [None, None], None, None),  # nothing is known of movement
        ("qids-sr16", [0] * 4 + [None] + [0] * 11, None, None),
        ("audit", AUDIT, 17, "harmful"),
        ("audit", [4] * 10, 40, "possible dependence"),
    ],
)
def test_shipped_scales_of_unlike_items_are_scored(
    name: str, answers: Answers, expected: float | None, band: str | None
) -> None:
    scored = score(shipped(name), answers, None)
    assert (scored.score, scored.band) == (expected, band)
    assert ("incomplete" in scored.flags) is (expected is None)


@pytest.mark.parametrize(
    ("name", "answers", "item", "told"),
    [
        ("hamd-17", HAMD, 4, "must be a whole number from 0 to 2"),
        ("hamd-17", HAMD, 17, "must be a whole number from 0 to 2"),
        ("audit", AUDIT, 9, "must be 0, 2 or 4"),
        ("audit", AUDIT, 10, "must be 0, 2 or 4"),
    ],
)
def test_shipped_items_take_what_they_are_printed_with(
    name: str, answers: Answers, item: int, told: str
) -> None:
    wrong = [*answers[: item - 1], 3, *answers[item:]]
    with pytest.raises(ItemRangeError) as refusal:
        score(shipped(name), wrong, None)
    assert refusal.value.faults == ((item - 1, told),)


@pytest.mark.parametrize(
    ("name", "answers", "item", "urgent"),
    [("hamd-17", HAMD, 3, True), ("qids-sr16", QIDS, 12, True)],
)
def test_the_risk_answer_of_a_scale_of_unlike_items_is_read(
    name: str, answers: Answers, item: int, urgent: bool
) -> None:
    (told,) = read_risk(shipped(name), answers)
    assert told == {
        "item": item, "kind": "self", "answer": answers[item - 1], "state": "endorsed",
        "urgent": urgent,
    }  # fmt: skip
