"""The shipped instruments say what they are said to say."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.outcomes.core.definition import read, read_all
from services.outcomes.core.instrument import Cutoff, Instrument
from tests.core.definitions import FOR_SOME, FULL, LEAST

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"


def documents() -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text()) for path in sorted(FOLDER.glob("*.toml"))}


@pytest.fixture(scope="module")
def instruments() -> dict[str, Instrument]:
    return read_all((one.name, one.read_text()) for one in sorted(FOLDER.glob("*.toml")))


# The mildest case as printed ("" where none holds for everybody) and the range, by instrument.
SHIPPED = {
    "audit": (">=8", 0, 40), "audit-c": ("", 0, 12), "bdi": (">=10", 0, 63),
    "bdi-ii": (">=14", 0, 63), "core-10": (">=11", 0, 40), "core-om": (">=10", 0, 40),
    "dass-21": ("", 0, 126), "epds": (">=10", 0, 30), "gad-2": (">=3", 0, 6),
    "gad-7": (">=10", 0, 21), "hamd-17": (">=8", 0, 52), "ies-r": (">=33", 0, 88),
    "isi": (">=15", 0, 28), "k10": (">=20", 10, 50), "k6": (">=13", 0, 24),
    "mini-spin": (">=6", 0, 12), "oci-r": (">=21", 0, 72), "oq-45.2": (">=64", 0, 180),
    "ors": ("", 0, 40), "pcl-5": (">=33", 0, 80), "phq-2": (">=3", 0, 6), "phq-9": (">=10", 0, 27),
    "pswq": (">=45", 16, 80), "qids-sr16": (">=6", 0, 27), "rcads-47": ("", 0, 141),
    "sdq": ("", 0, 40), "spin": (">=19", 0, 68), "srs": ("", 0, 40), "who-5": ("<=50", 0, 100),
    "whodas-12": (">=10", 0, 48), "wsas": (">=10", 0, 40), "yp-core": ("", 0, 40),
}  # fmt: skip


def test_the_shipped_ranges_and_cut_offs_are_these(instruments: dict[str, Instrument]) -> None:
    told = {}
    for name, one in instruments.items():
        cut = f"{one.cutoff.operator}{one.cutoff.value:g}" if one.cutoff else ""
        told[name] = (cut, one.minimum, one.maximum)
    assert told == SHIPPED


def test_the_items_add_up_to_the_range(instruments: dict[str, Instrument]) -> None:
    for name, one in instruments.items():
        if one.items is None:
            continue
        answers = [[one.items.answers(item) for item in group] for group in one.items.summed]
        lowest = sum(max(each[0] for each in group) for group in answers)
        highest = sum(max(each[-1] for each in group) for group in answers)
        sums = (lowest * one.items.multiply, highest * one.items.multiply)
        assert sums == pytest.approx((one.minimum, one.maximum)), name


def test_subscales_share_no_item(instruments: dict[str, Instrument]) -> None:
    for name, one in instruments.items():
        items = [item for scale in one.subscales.values() for item in scale.items]
        assert len(items) == len(set(items)), name
        if items and one.items:
            assert len(items) == one.items.count, name


RISK = {
    "phq-9": [(9, "self", 1, 2)],
    "core-10": [(6, "self", 1, 1)],
    "core-om": [
        (6, "others", 1, None), (9, "self", 1, None), (16, "self", 1, 1),
        (22, "others", 1, None), (24, "self", 1, None), (34, "self", 1, 1),
    ],
    "oq-45.2": [
        (8, "self", 1, None), (11, "substance", 1, None), (26, "substance", 1, None),
        (32, "substance", 1, None), (44, "others", 1, None),
    ],
    "qids-sr16": [(12, "self", 1, 2)],
    "epds": [(10, "self", 1, 1)],
    "yp-core": [(4, "self", 1, None)],
    "rcads-47": [(37, "self", 2, None)],
    "hamd-17": [(3, "self", 1, 3)],
    "bdi": [(9, "self", 1, 2)],
    "bdi-ii": [(9, "self", 1, 2)],
}  # fmt: skip


def test_the_risk_items_are_these(instruments: dict[str, Instrument]) -> None:
    told = {
        name: [(at.item, at.kind, at.endorsed_from, at.urgent_from) for at in one.risk]
        for name, one in instruments.items()
        if one.risk
    }
    assert told == RISK


def test_what_asks_about_danger_takes_the_answers(instruments: dict[str, Instrument]) -> None:
    asking = {name for name, one in instruments.items() if one.risk and one.items is None}
    assert asking == set()


def test_no_risk_item_is_turned_round(instruments: dict[str, Instrument]) -> None:
    for name, one in instruments.items():
        turned = one.items.reversed if one.items else frozenset()
        assert not turned & {risk.item for risk in one.risk}, name


def test_where_a_threshold_needs_demographics_none_holds_for_everybody(
    instruments: dict[str, Instrument],
) -> None:
    needs = {name: one.needs for name, one in instruments.items() if one.needs}
    assert needs == {
        "audit-c": ("gender",),
        "sdq": ("respondent",),
        "yp-core": ("age", "gender"),
        "rcads-47": ("age", "gender"),
    }
    assert all(instruments[name].cutoff is None for name in needs)
    cuts = {one.when["gender"]: one.cutoff.value for one in instruments["audit-c"].cutoffs}
    assert cuts == {"male": 4, "female": 3}


def test_other_values_in_use_stand_beside_the_one_that_is_used(
    instruments: dict[str, Instrument],
) -> None:
    (other,) = instruments["gad-7"].also["cutoff"]
    assert (other["operator"], other["value"], other["remembered"]) == (">=", 8, True)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("phq-9", 5.6079),
        ("gad-7", 3.9984),
        ("core-10", 6.7493),
        ("pcl-5", 15),
        ("who-5", 23.6),
        ("wsas", 8.2395),
        ("core-om", 5),
    ],
)
def test_the_reliable_change_is_computed_unrounded_else_as_published(
    instruments: dict[str, Instrument], name: str, change: float
) -> None:
    assert instruments[name].reliable_change == pytest.approx(change, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("phq-9", 9.5),
        ("core-10", 10.5),
        ("pcl-5", 32.5),
        ("who-5", -50),
        ("ors", None),
        ("core-om", 9.95),
        ("pswq", 44.5),
    ],
)
def test_the_cut_lies_between_the_mildest_case_and_the_score_beside_it(
    instruments: dict[str, Instrument], name: str, cut: float | None
) -> None:
    assert instruments[name].oriented_cut == pytest.approx(cut)


def test_wording_is_shipped_where_the_licence_allows_and_nowhere_else(
    instruments: dict[str, Instrument],
) -> None:
    worded = {name for name, one in instruments.items() if one.items and one.items.wording}
    assert worded == {"phq-9", "gad-7"}
    gad = instruments["gad-7"].items
    assert gad is not None
    assert gad.anchors[0] == "Not at all"


def test_totals_alone_are_taken_where_no_items_are_defined(
    instruments: dict[str, Instrument],
) -> None:
    totals_only = {name for name, one in instruments.items() if one.items is None}
    assert totals_only == {
        "ors", "srs",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["ors", "srs"])
def test_the_vendors_values_are_not_shipped(instruments: dict[str, Instrument], name: str) -> None:
    one = instruments[name]
    assert (one.cutoff, one.norm, one.reliability, one.published) == (None, None, None, None)


def test_every_value_has_a_source(instruments: dict[str, Instrument]) -> None:
    for name, document in documents().items():
        tables = {key for key, value in document.items() if isinstance(value, dict)}
        assert tables <= set(instruments[name].sources), name
        assert all(instruments[name].sources.values()), name


def test_what_nobody_has_read_at_its_source_says_so(instruments: dict[str, Instrument]) -> None:
    phq = instruments["phq-9"]
    assert phq.reliability is not None
    assert phq.norm is not None
    assert "remembered" in phq.reliability.source
    assert "remembered" not in phq.norm.source


def test_a_subscale_is_an_instrument_by_its_own_values_alone() -> None:
    """What was asked, and how, is that of the whole; every threshold is its own or is none."""
    whole = read("own.toml", FULL.replace("minimum = 0\nmaximum = 3", "minimum = 1\nmaximum = 4")
                 .replace("minimum = 0\nmaximum = 24", "minimum = 8\nmaximum = 32")
                 .replace("low = 0, high = 8", "low = 8, high = 8")
                 .replace("low = 18, high = 24", "low = 18, high = 32")
                 .replace("low = 0, high = 4.5", "low = 3, high = 4.5")
                 .replace("low = 6, high = 9", "low = 6, high = 12")
                 .replace("endorsed_from = 1", "endorsed_from = 2"))  # fmt: skip
    sleep = whole.subscales["sleep"]
    assert whole.scale("sleep") == replace(
        whole,
        title="Low Mood Scale: Sleep",
        minimum=3,
        maximum=12,
        step=1.5,
        subscales={},
        bands=sleep.bands,
        cutoff=sleep.cutoff,
        cutoffs=(),
        needs=(),
        reliability=sleep.reliability,
        norm=sleep.norm,
        published=None,
        risk=(),
        alarm={},
        sources={
            "severity": "manual, page 5",
            "cutoff": "manual, page 6",
            "reliability": "manual, page 7",
            "norm": "manual, page 8 (remembered, not checked)",
        },
        also={},
    )
    assert (whole.scales, whole.subscales["drive"].is_scale) == (("sleep",), False)


@pytest.mark.parametrize("table", ["severity", "cutoff", "reliability", "norm"])
def test_a_subscale_is_a_scale_if_there_is_anything_to_read_it_by(table: str) -> None:
    start = FULL.index(f"[subscales.{table}]")
    only = FULL[start : FULL.index("\n[", start)]
    bare = FULL[: FULL.index("[subscales.severity]")] + FULL[FULL.rindex("[[subscales]]") :]
    assert read("own.toml", bare).scales == ()
    after = 'source = "manual, page 4"\n'
    assert read("own.toml", bare.replace(after, f"{after}{only}\n")).scales == ("sleep",)


def test_a_subscale_without_a_cut_off_of_its_own_needs_what_the_whole_needs() -> None:
    family = read("own.toml", FOR_SOME + """
[[subscales]]
id = "a"
title = "A"
items = [1]
source = "its authors"
[[subscales]]
id = "b"
title = "B"
items = [2]
source = "its authors"
[subscales.cutoff]
operator = "<"
value = 3
source = "its authors"
""")  # fmt: skip
    assert (family.scale("a").needs, family.scale("a").cutoffs) == (family.needs, ())
    assert (family.scale("b").needs, family.scale("b").cutoffs) == ((), ())


@pytest.mark.parametrize(
    ("budget", "threshold"),
    [(0.01, 0.9), (0.05, 0.9), (0.075, 0.8), (0.1, 0.7), (0.12, 0.66), (0.2, 0.5), (0.3, 0.5)],
)
def test_the_alarm_threshold_lies_on_the_line_between_budgets_and_never_beyond(
    budget: float, threshold: float
) -> None:
    mood = read("own.toml", FULL.replace("[0.9, 0.7, 0.7]", "[0.9, 0.7, 0.5]"))
    assert mood.alarm_threshold(budget) == pytest.approx(threshold)
    assert replace(mood, alarm={0.1: 0.7}).alarm_threshold(budget) == 0.7
    assert read("own.toml", LEAST).alarm_threshold(budget) is None


@pytest.mark.parametrize(
    ("text", "operator", "value", "cut"),
    [
        (FULL, ">=", 8, 7), (FULL, ">", 8, 9), (FULL, ">=", 9, 9), (FULL, ">", 9, 9),
        (LEAST, "<=", 1, -1.05), (LEAST, "<", 1, -0.95), (LEAST, "<=", 1.05, -1.05),
        (LEAST, "<=", 0.3, -0.35), (LEAST, "<", 0.3, -0.25),
    ],
)  # fmt: skip
def test_the_cut_lies_between_scores_whatever_is_printed(
    text: str, operator: str, value: float, cut: float
) -> None:
    """Scores of the one are even numbers, of the other tenths, of which fewer is worse."""
    one = replace(read("own.toml", text), cutoff=Cutoff(operator, value, "x"))
    assert one.oriented_cut == pytest.approx(cut)
