"""What a definition says is what is used, all of it; and what it need not say has its default."""

import pytest

from services.outcomes.core.definition import read, read_all
from services.outcomes.core.instrument import (
    Band,
    Conditional,
    Cutoff,
    Instrument,
    Items,
    Missing,
    Norm,
    Published,
    Reliability,
    RiskItem,
    Subscale,
)
from tests.core.definitions import FOR_SOME, FULL, LEAST

REMEMBERED = " (remembered, not checked)"


def test_all_there_is_is_read() -> None:
    assert read("own.toml", FULL) == Instrument(
        id="low-mood",
        version="2",
        title="Low Mood Scale",
        construct="low mood",
        population="adults",
        minimum=0,
        maximum=24,
        step=2,
        higher_is="worse",
        items=Items(
            count=4,
            minimum=0,
            maximum=3,
            reversed=frozenset({2, 4}),
            multiply=2,
            stem="In the last week",
            anchors=("no", "a little", "much", "very much"),
            wording=("first", "second", "third", "fourth"),
        ),
        missing=Missing(most=3, round=True, within_subscales=True),
        subscales={
            "sleep": Subscale(
                title="Sleep",
                items=(1, 3),
                multiply=1.5,
                minimum=0,
                maximum=9,
                bands=(Band("rested", 0, 4.5), Band("tired", 6, 9)),
                cutoff=Cutoff(">=", 6, "manual, page 6"),
                reliability=Reliability(0.7, "alpha", "100 adults", "manual, page 7"),
                norm=Norm(5, 2.5, "200 adults", "manual, page 8" + REMEMBERED),
            ),
            "drive": Subscale("Drive", (2, 4), 1, 0, 6, (), None, None, None),
        },
        bands=(Band("mild", 0, 8), Band("moderate", 10, 16), Band("severe", 18, 24)),
        cutoff=Cutoff(">", 8, "manual, page 11"),
        cutoffs=(),
        needs=(),
        reliability=Reliability(0.9, "test-retest", "300 adults", "manual, page 12"),
        norm=Norm(13.5, 6, "400 adults", "manual, page 13"),
        published=Published(">=", 6, 0.9, "manual, page 14"),
        risk=(
            RiskItem(4, "self", 1, 2, "manual, page 15"),
            RiskItem(3, "others", 3, None, "manual, page 16" + REMEMBERED),
        ),
        loinc={"panel": "44249-1", "total": "44261-6", "risk_item": "44260-8"},
        snomed={"score": "720433000"},
        licence="free",
        item_text=True,
        alarm={0.05: 0.9, 0.1: 0.7, 0.2: 0.7},
        sources={
            "range": "manual, page 1",
            "items": "manual, page 2",
            "missing": "manual, page 3" + REMEMBERED,
            "severity": "manual, page 10",
            "cutoff": "manual, page 11",
            "reliability": "manual, page 12",
            "norm": "manual, page 13",
            "reliable_change": "manual, page 14",
            "loinc": "loinc.org",
            "snomed": "a browser" + REMEMBERED,
            "licence": "its authors",
            "alarm": "simulated",
            "risk item 4": "manual, page 15",
            "risk item 3": "manual, page 16" + REMEMBERED,
            "subscale sleep": "manual, page 4",
            "subscale sleep: severity": "manual, page 5",
            "subscale sleep: cutoff": "manual, page 6",
            "subscale sleep: reliability": "manual, page 7",
            "subscale sleep: norm": "manual, page 8" + REMEMBERED,
            "subscale drive": "manual, page 9",
        },
        also={
            "cutoff": (
                {"operator": ">=", "value": 12.5, "source": "a later study", "remembered": True},
                {"value": 14, "source": "a clinic", "asked_of": "inpatients"},
            ),
            "reliable_change": ({"value": 8, "source": "a later study"},),
        },
        notes=("Made up.", "In use nowhere."),
    )


def test_cut_offs_for_some_stand_in_their_order() -> None:
    girls = Conditional({"age": "11-13", "gender": "female"}, Cutoff("<=", 4.5, "a norm of girls"))
    parents = Conditional(
        {"respondent": "parent"}, Cutoff("<", 6, "a norm of parents" + REMEMBERED)
    )
    assert read("own.toml", FOR_SOME) == Instrument(
        id="thriving",
        version="1",
        title="Thriving",
        construct="wellbeing",
        population="families",
        minimum=2,
        maximum=10,
        step=0.5,
        higher_is="better",
        items=Items(2, 1, 5, frozenset(), 1, "", (), ()),
        missing=Missing(most=1, round=False, within_subscales=False),
        subscales={},
        bands=(),
        cutoff=None,
        cutoffs=(girls, parents),
        needs=("age", "gender", "respondent"),
        reliability=None,
        norm=Norm(None, 1.5, "50 families", "its authors"),
        published=Published(">", 2.25, 0.95, "its authors"),
        risk=(),
        loinc={},
        snomed={},
        licence="ask its authors",
        item_text=False,
        alarm={},
        sources={
            "range": "its authors",
            "items": "its authors",
            "missing": "its authors",
            "norm": "its authors",
            "reliable_change": "its authors",
            "licence": "its authors",
            "cutoff (11-13, female)": "a norm of girls",
            "cutoff (parent)": "a norm of parents" + REMEMBERED,
        },
        also={},
        notes=(),
    )


def test_what_is_not_written_is_not_known() -> None:
    assert read("own.toml", LEAST) == Instrument(
        id="bare",
        version="0",
        title="Bare",
        construct="anything",
        population="anybody",
        minimum=-5,
        maximum=5,
        step=0.1,
        higher_is="better",
        items=None,
        missing=Missing(most=0, round=False, within_subscales=False),
        subscales={},
        bands=(),
        cutoff=None,
        cutoffs=(),
        needs=(),
        reliability=None,
        norm=None,
        published=None,
        risk=(),
        loinc={},
        snomed={},
        licence="free",
        item_text=False,
        alarm={},
        sources={"range": "nobody", "licence": "nobody"},
        also={},
        notes=(),
    )


def test_without_a_rule_for_missing_items_none_may_be_missing() -> None:
    rule = '[missing]\nmost = 1\nsource = "its authors"\n'
    assert rule in FOR_SOME
    assert read("own.toml", FOR_SOME.replace(rule, "")).missing == Missing(0, False, False)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (FULL, "maximum = 24", "maximum = 24.0"),
        (FULL, "reversed = [4, 2]", "reversed = [1, 2, 3, 4]"),
        (FULL, "most = 3", "most = 0"),
        (FULL, "value = 0.7", "value = 0.01"),
        (FULL, "value = 0.9", "value = 0.99"),
        (FULL, '"test-retest"', '"omega"'),
        (FULL, '"test-retest"', '"inter-rater"'),
        (FULL, "sd = 6", "sd = 0.5"),
        (FULL, "confidence = 0.9", "confidence = 0.51"),
        (FULL, "confidence = 0.9", "confidence = 0.999"),
        (FULL, "endorsed_from = 1\nurgent_from = 2", "endorsed_from = 3\nurgent_from = 3"),
        (FULL, "item = 4", "item = 1"),
        (FULL, '"others"', '"substance"'),
        (FULL, 'panel = "44249-1"\n', ""),
        (FULL, 'total = "44261-6"\n', ""),
        (FULL, 'stem = "In the last week"\n', ""),
        (FULL, "item_text = true", "item_text = true\nremarks = 1\nalso = []"),
        (FULL, 'sample = "200 adults"', 'sample = "200 adults"\nremarks = ["of two towns"]'),
        (FOR_SOME, "value = 6\n", "value = 6\nalso = [{ value = 7 }]\n"),
        (FOR_SOME, "most = 1", "most = 0"),
        (FOR_SOME, '"11-13"', '"0-100"'),
        (FOR_SOME, '"11-13"', '"12-12"'),
        (FOR_SOME, '"female"', '"other"'),
        (FOR_SOME, 'age = "11-13", ', ""),
        (LEAST, "step = 0.1", "step = 0.01"),
        (LEAST, "maximum = 5", "maximum = -4.9"),
        (LEAST, "[licence]", "[items]\ncount = 1\nminimum = -50\nmaximum = 50\nmultiply = 0.1\n"
                             'source = "nobody"\n\n[licence]'),
        (LEAST, "[licence]", "[items]\ncount = 2\nminimum = -10\nmaximum = 10\nmean_times = 0.5\n"
                             'source = "nobody"\n\n[licence]'),
        (LEAST, "[licence]", "[items]\ncount = 200\nminimum = -1\nmaximum = 1\nmean_times = 5\n"
                             'source = "nobody"\n\n[licence]'),
        (LEAST, '[range]\nminimum = -5\nmaximum = 5\n',
                '[items]\ncount = 1\nminimum = 0\nmaximum = 1\nmultiply = 1\nsource = "nobody"\n\n'
                '[range]\nminimum = 0\nmaximum = 1\n'),
        (LEAST, 'id = "bare"', f'id = "{"x" * 64}"'),
        (LEAST, 'id = "bare"', 'id = "bare 1.0_ä-b"'),
        (FULL, "value = 8\nsource = \"manual", "value = 0\nsource = \"manual"),
        (FULL, 'operator = ">"\nvalue = 8', 'operator = ">="\nvalue = 24'),
        (FOR_SOME, 'operator = "<"\nvalue = 6', 'operator = "<"\nvalue = 10'),
        (FOR_SOME, "value = 4.5", "value = 2"),
        (FULL, "mean = 13.5", "mean = 0"),
        (FULL, "mean = 13.5", "mean = 24"),
        (FULL, "sd = 6", "sd = 24"),
        (FULL, "value = 6\nconfidence", "value = 24\nconfidence"),
        (FULL, "urgent_from = 2", "urgent_from = 3"),
        (FULL, "low = 10, high = 16",
               'low = 10, high = 10 },\n{ label = "x", low = 12, high = 16'),
        (LEAST, "[licence]", '[[risk]]\nitem = 99\nkind = "self"\nendorsed_from = 0\n'
                             'source = "nobody"\n\n[licence]'),
    ],
)  # fmt: skip
def test_what_lies_just_within_the_limits_is_taken(text: str, old: str, new: str) -> None:
    assert text.count(old) >= 1
    read("own.toml", text.replace(old, new, 1))


def test_a_later_definition_of_the_same_id_replaces_an_earlier() -> None:
    own = FULL.replace("Low Mood Scale", "Ours")
    found = read_all([("full.toml", FULL), ("bare.toml", LEAST), ("own.toml", own)])
    assert {name: one.title for name, one in found.items()} == {"low-mood": "Ours", "bare": "Bare"}
