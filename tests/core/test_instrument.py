"""The shipped instruments say what they are said to say, and a faulty definition is refused."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from services.outcomes.core.definition import parse, parse_all
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.table import InstrumentError

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"


def documents() -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text()) for path in sorted(FOLDER.glob("*.toml"))}


@pytest.fixture(scope="module")
def instruments() -> dict[str, Instrument]:
    return parse_all(documents().items())


def test_nine_are_shipped(instruments: dict[str, Instrument]) -> None:
    assert set(instruments) == {
        "phq-9", "gad-7", "core-10", "pcl-5", "who-5", "ors", "hamd-17", "bdi", "bdi-ii",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change"),
    [("phq-9", 5.6079), ("gad-7", 3.9984), ("core-10", 6.7493), ("pcl-5", 15), ("who-5", 23.6)],
)
def test_the_reliable_change_is_computed_unrounded_else_as_published(
    instruments: dict[str, Instrument], name: str, change: float
) -> None:
    assert instruments[name].reliable_change == pytest.approx(change, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "cut"),
    [("phq-9", 9.5), ("core-10", 10.5), ("pcl-5", 32.5), ("who-5", -50), ("ors", None)],
)
def test_the_cut_lies_between_the_mildest_case_and_the_score_beside_it(
    instruments: dict[str, Instrument], name: str, cut: float | None
) -> None:
    assert instruments[name].oriented_cut == cut


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
    assert totals_only == {"ors", "hamd-17", "bdi", "bdi-ii"}


def test_the_vendors_values_of_the_ors_are_not_shipped(instruments: dict[str, Instrument]) -> None:
    ors = instruments["ors"]
    assert (ors.cutoff, ors.norm, ors.reliability, ors.published) == (None, None, None, None)


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


def changed(value: object, *path: str) -> dict[str, Any]:
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
        (changed(1.0, "alarm", "threshold"), "alarm.threshold"),
        (changed(False, "licence", "item_text"), "licence.item_text"),
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
