"""The shipped instruments say what they are said to say, and a faulty definition is refused."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from services.outcomes.core.codes import loinc_checks, snomed_checks
from services.outcomes.core.definition import parse, parse_all, read
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.table import InstrumentError

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"


def documents() -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text()) for path in sorted(FOLDER.glob("*.toml"))}


@pytest.fixture(scope="module")
def instruments() -> dict[str, Instrument]:
    return parse_all(documents().items())


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
        ends = (one.items.minimum, one.items.maximum)
        sums = tuple(one.items.count * end * one.items.multiply for end in ends)
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
        "ors", "srs", "hamd-17", "bdi", "bdi-ii", "qids-sr16", "audit", "sdq",
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


def without(*path: str) -> dict[str, Any]:
    """PHQ-9 with a key taken out."""
    document = copy.deepcopy(documents()["phq-9"])
    table: Any = document
    for key in path[:-1]:
        table = table[key]
    del table[path[-1]]
    return document


def changed(value: object, *path: str | int) -> dict[str, Any]:
    """PHQ-9 with another value."""
    document = copy.deepcopy(documents()["phq-9"])
    table: Any = document
    for key in path[:-1]:
        table = table[key]
    table[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("document", "key"),
    [
        (without("id"), "id"),
        (without("norm", "source"), "norm.source"),
        (without("reliability", "kind"), "reliability.kind"),
        (changed("up", "range", "higher_is"), "range.higher_is"),
        (changed(-1, "range", "maximum"), "range.maximum"),
        (changed(True, "cutoff", "value"), "cutoff.value"),
        (changed("<=", "cutoff", "operator"), "cutoff.operator"),
        (changed(1.2, "reliability", "value"), "reliability.value"),
        (changed("44261-8", "loinc", "total"), "loinc.total"),
        (changed([10], "items", "reversed"), "items.reversed"),
        (changed(["one"], "items", "wording"), "items.wording"),
        (changed(9, "missing", "most"), "missing.most"),
        (changed(1, "norm", "mena"), "norm.mena"),
        (changed(1, "nrom"), "nrom"),
        (changed(0, "norm", "sd"), "norm.sd"),
        (changed([1.0] * 6, "alarm", "thresholds"), "alarm.thresholds"),
        (changed([0.5], "alarm", "thresholds"), "alarm.thresholds"),
        (changed([0.9, 0.8, 0.7, 0.6, 0.5, 0.55], "alarm", "thresholds"), "alarm.thresholds"),
        (changed([0.02, 0.1, 0.05, 0.15, 0.2, 0.3], "alarm", "budgets"), "alarm.budgets"),
        (changed("many", "alarm", "budgets"), "alarm.budgets"),
        (changed([0.02, True, 0.05, 0.15, 0.2, 0.3], "alarm", "budgets"), "alarm.budgets"),
        (changed([0.02, float("nan"), 0.1, 0.15, 0.2, 0.3], "alarm", "budgets"), "alarm.budgets"),
        (changed(False, "licence", "item_text"), "licence.item_text"),
        (changed(float("nan"), "norm", "sd"), "norm.sd"),
        (changed(float("inf"), "range", "maximum"), "range.maximum"),
        (changed(9, "items", "mean_times"), "items.mean_times"),
        (changed(0, "items", "multiply"), "items.multiply"),
        (changed(1, "snomed", "scroe"), "snomed.scroe"),
        (changed("720433001", "snomed", "score"), "snomed.score"),
        (changed(["shoe size"], "needs"), "needs"),
        (
            changed(
                [{"when": {"gender": "female"}, "operator": ">=", "value": 3, "source": "x"}],
                "cutoffs",
            ),
            "cutoffs",
        ),
        (changed([{"value": 12}], "cutoff", "also"), "cutoff.also[0].source"),
        (changed([{"value": "x", "source": "x"}], "cutoff", "also"), "cutoff.also[0].value"),
        (changed(0, "risk", 0, "endorsed_from"), "risk[0].endorsed_from"),
        (changed(0, "risk", 0, "urgent_from"), "risk[0].urgent_from"),
        (
            changed([{"id": "a", "title": "A", "items": [1, 1], "source": "x"}], "subscales"),
            "subscales[0].items",
        ),
    ],
)
def test_a_faulty_definition_is_refused_by_its_key(document: dict[str, Any], key: str) -> None:
    with pytest.raises(InstrumentError) as refusal:
        parse("own.toml", document)
    assert (refusal.value.name, refusal.value.key) == ("own.toml", key)
    assert refusal.value.reason in str(refusal.value)


def test_bands_run_from_end_to_end_without_overlap() -> None:
    bands = [{"label": "low", "low": 0, "high": 10}, {"label": "high", "low": 10, "high": 27}]
    with pytest.raises(InstrumentError, match="overlap"):
        parse("own.toml", changed(bands, "severity", "bands"))


def test_a_clinics_own_definition_replaces_the_shipped_one() -> None:
    own = changed(16.0, "norm", "mean")
    read = parse_all([("phq-9.toml", documents()["phq-9"]), ("own.toml", own)])
    assert read["phq-9"].norm is not None
    assert read["phq-9"].norm.mean == 16.0


def test_a_cut_off_for_some_must_name_what_it_depends_on() -> None:
    document = without("cutoff")
    document["cutoffs"] = [
        {"when": {"gender": "female"}, "operator": ">=", "value": 3, "source": "x"}
    ]
    with pytest.raises(InstrumentError, match="needs must name what the cut-offs depend on"):
        parse("own.toml", document)
    document["needs"] = ["gender"]
    assert parse("own.toml", document).cutoffs[0].when == {"gender": "female"}
    document["cutoffs"][0]["when"] = {"height": "tall"}
    with pytest.raises(InstrumentError, match="when must name one of age, gender, respondent"):
        parse("own.toml", document)


PHQ_TEXT = (FOLDER / "phq-9.toml").read_text()


def line(start: str) -> int:
    return next(
        number for number, text in enumerate(PHQ_TEXT.splitlines(), 1) if text.startswith(start)
    )


@pytest.mark.parametrize(
    ("old", "new", "place", "key"),
    [
        ("sd = 6.1", "sd = -1", "sd = ", "norm.sd"),
        ("sd = 6.1\n", "", "[norm]", "norm.sd"),
        ("endorsed_from = 1", "endorsed_from = 9", "endorsed_from", "risk[0].endorsed_from"),
        ("low = 15,", 'low = "x",', "bands = ", "severity.bands[3].low"),
        ('higher_is = "worse"', 'higher_is = "up"', "higher_is", "range.higher_is"),
    ],
)
def test_an_error_names_the_line(old: str, new: str, place: str, key: str) -> None:
    assert old in PHQ_TEXT
    with pytest.raises(InstrumentError) as refusal:
        read("own.toml", PHQ_TEXT.replace(old, new))
    assert (refusal.value.key, refusal.value.line) == (key, line(place))
    assert str(refusal.value).startswith(f"own.toml, line {line(place)}: {key} ")


def test_what_is_no_toml_is_told_with_its_line() -> None:
    with pytest.raises(InstrumentError, match=r"is no TOML: .*line 1"):
        read("own.toml", "id = phq-9")


@pytest.mark.parametrize("code", ["44261-6", "70274-6", "101698-9", "75624-7"])
def test_loinc_check_digits(code: str) -> None:
    assert loinc_checks(code)
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    assert not loinc_checks(wrong)


@pytest.mark.parametrize("code", ["718583008", "716613004", "720433000", "720211004", "73211009"])
def test_snomed_check_digits(code: str) -> None:
    assert snomed_checks(code)
    for place in range(1, len(code)):
        if code[place - 1] != code[place]:
            swapped = code[: place - 1] + code[place] + code[place - 1] + code[place + 1 :]
            assert not snomed_checks(swapped)


@pytest.mark.parametrize("code", ["", "x", "44261", "44261-", "-6", "44261-66", "٤٤٢٦١-6"])
def test_what_is_no_code_is_none(code: str) -> None:
    assert not loinc_checks(code)
    assert not snomed_checks(code)
