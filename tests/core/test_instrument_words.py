"""What a person reads of a definition before it is in force: every line, and the row of a list."""

import pytest

from services.outcomes.core.definition import read
from services.outcomes.core.instrument_words import not_assessable, row, summary
from tests.core.definitions import FOR_SOME, FULL, LEAST

NORMED = """
[norm]
sd = 2
sample = "50 people"
source = "nobody"
"""
RELIABLE = """
[reliability]
value = 0.8
kind = "alpha"
sample = "50 people"
source = "nobody"
"""
CASE = "whether a score is a case: no cut-off"
CHANGE = "reliable change: no norm and reliability, and none published"


def test_all_that_will_be_used_is_told() -> None:
    assert summary(read("own.toml", FULL)) == [
        "low-mood: Low Mood Scale, version 2",
        "  measures:       low mood; adults",
        "  scores:         0 to 24 in steps of 2, higher is worse; "
        "4 items from 0 to 3 (reversed: 2, 4), 3 may be missing",
        "  subscale:       sleep, Sleep: items 1, 3 times 1.5, case >= 6",
        "  subscale:       drive, Drive: items 2, 4",
        "  cut-off:        a case > 8",
        "  bands:          0 mild, 10 moderate, 18 severe",
        "  change:         > 5.26, computed at 95% from SD 6, test-retest 0.9; "
        "published >= 6 at 90%",
        "  risk:           item 4 (self): review from 1, urgent from 2",
        "  risk:           item 3 (others): review from 3, never urgent",
        "  code:           LOINC 44249-1 (panel)",
        "  code:           LOINC 44261-6 (total)",
        "  code:           LOINC 44260-8 (risk item)",
        "  code:           SNOMED CT 720433000 (score)",
        "  licence:        free",
        "  also in use:    cutoff >= 12.5: a later study (remembered, not checked)",
        "  also in use:    cutoff 14: a clinic",
        "  also in use:    reliable change 8: a later study",
        "  note:           Made up.",
        "  note:           In use nowhere.",
        "  sources:        20 stated, 4 of them remembered and not checked",
    ]


def test_a_cut_off_for_some_is_told_with_for_whom_and_what_it_needs() -> None:
    assert summary(read("own.toml", FOR_SOME)) == [
        "thriving: Thriving, version 1",
        "  measures:       wellbeing; families",
        "  scores:         2 to 10 in steps of 0.5, higher is better; "
        "2 items from 1 to 5, 1 may be missing",
        "  cut-off:        <= 4.5 (11-13, female); < 6 (parent)",
        "  bands:          none",
        "  change:         published > 2.25 at 95%",
        "  licence:        ask its authors",
        "  not assessable: whether a score is a case: needs age and gender and respondent",
        "  not assessable: forecast and P(fail): no reliability",
        "  sources:        8 stated, 1 of them remembered and not checked",
    ]


def test_where_nothing_is_known_that_is_told() -> None:
    assert summary(read("own.toml", LEAST)) == [
        "bare: Bare, version 0",
        "  measures:       anything; anybody",
        "  scores:         -5 to 5 in steps of 0.1, higher is better; totals alone",
        "  cut-off:        none",
        "  bands:          none",
        "  change:         none",
        "  licence:        free",
        "  not assessable: whether a score is a case: no cut-off",
        "  not assessable: reliable change: no norm and reliability, and none published",
        "  not assessable: forecast and P(fail): no norm",
        "  sources:        2 stated, 0 of them remembered and not checked",
    ]


@pytest.mark.parametrize(
    ("added", "left_open"),
    [
        ("", [CASE, CHANGE, "forecast and P(fail): no norm"]),
        (NORMED, [CASE, CHANGE, "forecast and P(fail): no reliability"]),
        (RELIABLE, [CASE, CHANGE, "forecast and P(fail): no norm"]),
        (NORMED + RELIABLE, [CASE]),
    ],
    ids=["neither", "norm", "reliability", "both"],
)
def test_a_forecast_needs_norm_and_reliability(added: str, left_open: list[str]) -> None:
    assert not_assessable(read("own.toml", LEAST + added)) == left_open


def test_a_computed_change_stands_alone_where_none_is_published() -> None:
    (told,) = (one for one in summary(read("own.toml", LEAST + NORMED + RELIABLE)) if "SD" in one)
    assert told == "  change:         > 2.48, computed at 95% from SD 2, alpha 0.8"


def test_the_row_of_a_list_is_short() -> None:
    assert [row(read("own.toml", one)) for one in (FULL, FOR_SOME, LEAST)] == [
        ("low-mood", "0-24", "lower", "> 8", "5.259", "-"),
        ("thriving", "2-10", "higher", "<= 4.5 (11-13, female); < 6 (parent)", "2.25",
         "whether a score is a case, forecast and P(fail)"),
        ("bare", "-5-5", "higher", "none", "none",
         "whether a score is a case, reliable change, forecast and P(fail)"),
    ]  # fmt: skip
