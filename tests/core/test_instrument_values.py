"""Every number that ships beside cut-offs, and whether somebody has read it at its source."""

from pathlib import Path

import pytest

from services.outcomes.core.definition import read, read_all
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.instrument_words import summary
from services.outcomes.core.table import InstrumentError
from tests.core.definitions import FULL

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"
REMEMBERED = " (remembered, not checked)"


@pytest.fixture(scope="module")
def instruments() -> dict[str, Instrument]:
    return read_all((one.name, one.read_text()) for one in sorted(FOLDER.glob("*.toml")))


# Reliability, clinical mean and SD, published reliable change: "" where none is shipped.
NUMBERS = {
    "audit": ("alpha 0.8", "", ""),
    "bdi-ii": ("alpha 0.92", "", ">=9 at 0.95"),
    "bdi": ("alpha 0.86", "", ">8.46 at 0.95"),
    "core-10": ("alpha 0.9", "19.7/7.7", ">=6 at 0.9"),
    "core-om": ("alpha 0.94", "", ">=5 at 0.95"),
    "epds": ("alpha 0.87", "", ">=4 at 0.95"),
    "gad-7": ("alpha 0.92", "13.3/5.1", ">=4 at 0.95"),
    "hamd-17": ("alpha 0.8", "17.9/7", ""),
    "ies-r": ("alpha 0.96", "", ""),
    "isi": ("alpha 0.9", "", ""),
    "k10": ("alpha 0.93", "", ""),
    "k6": ("alpha 0.89", "", ""),
    "oci-r": ("test-retest 0.82", "", ""),
    "oq-45.2": ("alpha 0.93", "", ">=14 at 0.95"),
    "pcl-5": ("alpha 0.94", "", ">15 at 0.95"),
    "phq-9": ("alpha 0.89", "14.2/6.1", ">=6 at 0.95"),
    "pswq": ("alpha 0.93", "", ">=9 at 0.95"),
    "qids-sr16": ("alpha 0.86", "", ""),
    "sdq": ("alpha 0.82", "", ""),
    "spin": ("test-retest 0.89", "", ">=10 at 0.95"),
    "who-5": ("test-retest 0.81", "", ">=23.6 at 0.95"),
    "whodas-12": ("alpha 0.92", "", ""),
    "wsas": ("alpha 0.9", "19/9.4", ">=8 at 0.95"),
    "yp-core": ("alpha 0.8", "", ""),
}  # fmt: skip


def test_the_shipped_reliabilities_norms_and_reliable_changes_are_these(
    instruments: dict[str, Instrument],
) -> None:
    told = {}
    for name, one in instruments.items():
        reliability, norm, change = one.reliability, one.norm, one.published
        told[name] = (
            f"{reliability.kind} {reliability.value:g}" if reliability else "",
            f"{norm.mean:g}/{norm.sd:g}" if norm else "",
            f"{change.operator}{change.value:g} at {change.confidence:g}" if change else "",
        )
    assert {name: numbers for name, numbers in told.items() if any(numbers)} == NUMBERS


READ, FROM_MEMORY = "read", "remembered"
# Other values in use: instrument, table, value, what kind of value it is, mark.
OTHERS = [
    ("bdi-ii", "reliability", "0.93", "test-retest", FROM_MEMORY),
    ("core-10", "severity",
     "0 below the clinical range, 11 mild, 15 moderate, 20 moderate to severe, 25 severe", "",
     FROM_MEMORY),
    ("core-10", "cutoff", ">=13", "", READ),
    ("core-10", "norm", "4.7", "SD 4.8", READ),
    ("core-om", "reliability", "0.9", "test-retest", FROM_MEMORY),
    ("epds", "cutoff", ">=13", "", READ),
    ("gad-7", "cutoff", ">=8", "", FROM_MEMORY),
    ("gad-7", "reliability", "0.83", "test-retest", FROM_MEMORY),
    ("isi", "cutoff", ">=10", "", FROM_MEMORY),
    ("oci-r", "reliability", "0.81", "alpha", FROM_MEMORY),
    ("oci-r", "reliability", "0.93", "alpha", FROM_MEMORY),
    ("oq-45.2", "cutoff", ">=54.5", "", READ),
    ("oq-45.2", "reliability", "0.84", "test-retest", FROM_MEMORY),
    ("oq-45.2", "reliable_change", ">=17.6", "", READ),
    ("pcl-5", "cutoff", ">=31", "", FROM_MEMORY),
    ("pcl-5", "reliability", "0.79", "test-retest", READ),
    ("pcl-5", "reliability", "0.94", "test-retest", READ),
    ("pcl-5", "reliable_change", ">18", "", READ),
    ("pcl-5", "reliable_change", ">=10", "", FROM_MEMORY),
    ("phq-9", "reliability", "0.84", "test-retest", FROM_MEMORY),
    ("phq-9", "norm", "15.9", "SD 5.5", READ),
    ("pswq", "reliability", "0.92", "test-retest", FROM_MEMORY),
    ("sdq", "reliability", "0.73", "alpha", FROM_MEMORY),
    ("spin", "reliability", "0.87", "alpha", FROM_MEMORY),
    ("spin", "reliability", "0.94", "alpha", FROM_MEMORY),
    ("who-5", "reliability", "0.8", "alpha", FROM_MEMORY),
    ("who-5", "reliability", "0.9", "alpha", FROM_MEMORY),
    ("whodas-12", "reliability", "0.98", "alpha", FROM_MEMORY),
    ("wsas", "cutoff", ">20", "", FROM_MEMORY),
    ("wsas", "reliability", "0.7", "alpha", FROM_MEMORY),
    ("wsas", "reliability", "0.94", "alpha", FROM_MEMORY),
    ("wsas", "reliability", "0.73", "test-retest", FROM_MEMORY),
    ("wsas", "reliable_change", ">=9", "", FROM_MEMORY),
]  # fmt: skip


def test_the_other_values_in_use_are_these(instruments: dict[str, Instrument]) -> None:
    told = []
    for name, one in instruments.items():
        for table, values in one.also.items():
            for other in values:
                value = ", ".join(f"{at['low']:g} {at['label']}" for at in other.get("bands", ()))
                value = value or f"{other.get('operator', '')}{other['value']:g}"
                kind = other.get("kind") or (f"SD {other['sd']:g}" if "sd" in other else "")
                mark = FROM_MEMORY if other.get("remembered") else READ
                told.append((name, table, value, kind, mark))
                assert other["source"], name
    assert told == OTHERS


OTHER_BANDS = """
[[severity.also]]
source = "elsewhere"
remembered = true
bands = [
    { label = "low", low = 0, high = 8 },
    { label = "high", low = 10, high = 24 },
]
"""
OTHER_NORM = """
[[norm.also]]
value = 9.5
sd = 4
kind = "median"
sample = "outpatients"
source = "elsewhere"
"""


def test_other_bands_and_norms_are_told_as_what_they_are() -> None:
    bands = FULL.replace("[cutoff]\n", f"{OTHER_BANDS}\n[cutoff]\n")
    text = bands.replace("[reliable_change]\n", f"{OTHER_NORM}\n[reliable_change]\n")
    told = [line for line in summary(read("own.toml", text)) if line.startswith("  also in use:")]
    assert (
        told[0] == "  also in use:    severity 0 low, 10 high: elsewhere (remembered, not checked)"
    )
    assert told[-2] == "  also in use:    norm 9.5: elsewhere; SD 4, median, outpatients"


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("low = 10, high = 24", "low = 10, high = 22",
         "line 80: severity.also[0].bands must run from the lowest score to the highest"),
        ("low = 10, high = 24", "low = 12, high = 24",
         "line 80: severity.also[0].bands leave a score between them out"),
        ('remembered = true\nbands', 'remembered = "yes"\nbands',
         "line 79: severity.also[0].remembered must be true or false"),
        ("value = 9.5", 'value = "9.5"', "line 113: norm.also[0].value must be a number"),
        ("value = 9.5\n", "", "line 112: norm.also[0].value is missing"),
        ("sd = 4", "sd = true", "line 114: norm.also[0].sd must be a number"),
        ('kind = "median"', "kind = 1", "line 115: norm.also[0].kind must be a text"),
        ('"outpatients"', "[]", "line 116: norm.also[0].sample must be a text"),
        ('kind = "median"', 'operator = ""', "line 115: norm.also[0].operator must be a text"),
    ],
)  # fmt: skip
def test_a_fault_in_another_value_is_told_with_its_line(
    written: str, instead: str, told: str
) -> None:
    bands = FULL.replace("[cutoff]\n", f"{OTHER_BANDS}\n[cutoff]\n")
    text = bands.replace("[reliable_change]\n", f"{OTHER_NORM}\n[reliable_change]\n")
    assert text.count(written) == 1
    with pytest.raises(InstrumentError) as refusal:
        read("own.toml", text.replace(written, instead))
    assert str(refusal.value) == f"own.toml, {told}"


# What was read at its source, and what is remembered, by instrument.
MARKS = {
    "audit-c": (
        "items; licence; loinc; range",
        "cutoff (female); cutoff (male)",
    ),
    "audit": (
        "cutoff; items; licence; range",
        "loinc; reliability; severity",
    ),
    "bdi-ii": (
        "",
        "cutoff; items; licence; range; reliability; reliable_change; risk item 9; severity",
    ),
    "bdi": (
        "",
        "cutoff; items; licence; range; reliability; reliable_change; risk item 9; severity",
    ),
    "core-10": (
        "alarm; cutoff; items; licence; missing; norm; range; reliability; reliable_change; "
        "severity; snomed",
        "risk item 6",
    ),
    "core-om": (
        "licence; missing",
        "cutoff; items; range; reliability; reliable_change; risk item 16; risk item 22; risk "
        "item 24; risk item 34; risk item 6; risk item 9; subscale functioning; subscale "
        "problems; subscale risk; subscale wellbeing",
    ),
    "dass-21": (
        "",
        "items; licence; missing; range; subscale anxiety; subscale anxiety: cutoff; subscale "
        "anxiety: reliability; subscale anxiety: severity; subscale depression; subscale "
        "depression: cutoff; subscale depression: reliability; subscale depression: severity; "
        "subscale stress; subscale stress: cutoff; subscale stress: reliability; subscale "
        "stress: severity",
    ),
    "epds": (
        "cutoff; items; licence; loinc; range",
        "reliability; reliable_change; risk item 10",
    ),
    "gad-2": (
        "licence",
        "cutoff; items; missing; range",
    ),
    "gad-7": (
        "alarm; cutoff; items; licence; loinc; norm; range; severity",
        "missing; reliability; reliable_change",
    ),
    "hamd-17": (
        "alarm; items; norm; range",
        "cutoff; licence; reliability; risk item 3; severity",
    ),
    "ies-r": (
        "items; licence; range; subscale avoidance; subscale hyperarousal; subscale intrusion",
        "cutoff; reliability",
    ),
    "isi": (
        "items; range; severity",
        "cutoff; licence; reliability",
    ),
    "k10": (
        "licence; range; severity; snomed",
        "cutoff; items; missing; reliability",
    ),
    "k6": (
        "",
        "cutoff; items; licence; range; reliability",
    ),
    "mini-spin": (
        "",
        "cutoff; items; licence; range",
    ),
    "oci-r": (
        "",
        "cutoff; items; licence; range; reliability; subscale checking; subscale hoarding; "
        "subscale neutralising; subscale obsessing; subscale ordering; subscale washing",
    ),
    "oq-45.2": (
        "licence",
        "cutoff; items; missing; range; reliability; reliable_change; risk item 11; risk item "
        "26; risk item 32; risk item 44; risk item 8; subscale ir; subscale sd; subscale sr",
    ),
    "ors": (
        "licence; range; snomed",
        "",
    ),
    "pcl-5": (
        "cutoff; items; licence; loinc; missing; range; reliable_change; subscale B; subscale C; "
        "subscale D; subscale E",
        "reliability",
    ),
    "phq-2": (
        "licence",
        "cutoff; items; loinc; missing; range",
    ),
    "phq-9": (
        "alarm; items; licence; loinc; norm; range; risk item 9; severity; snomed",
        "cutoff; missing; reliability; reliable_change",
    ),
    "pswq": (
        "items; licence; range",
        "cutoff; reliability; reliable_change",
    ),
    "qids-sr16": (
        "",
        "cutoff; items; licence; missing; range; reliability; risk item 12; severity",
    ),
    "rcads-47": (
        "",
        "items; licence; missing; range; risk item 37; subscale gad; subscale mdd; subscale ocd; "
        "subscale pd; subscale sad; subscale sp",
    ),
    "sdq": (
        "items; licence; missing; subscale conduct; subscale emotional; subscale hyperactivity; "
        "subscale peer; subscale prosocial",
        "cutoff (client); cutoff (parent); range; reliability",
    ),
    "spin": (
        "",
        "cutoff; items; licence; range; reliability; reliable_change",
    ),
    "srs": (
        "licence; range",
        "",
    ),
    "who-5": (
        "items; range",
        "cutoff; licence; missing; reliability; reliable_change",
    ),
    "whodas-12": (
        "",
        "cutoff; items; licence; missing; range; reliability",
    ),
    "wsas": (
        "alarm; items; licence; missing; norm; range",
        "cutoff; reliability; reliable_change",
    ),
    "yp-core": (
        "cutoff (11-13, female); cutoff (11-13, male); cutoff (14-16, female); cutoff (14-16, "
        "male); licence; missing; reliability",
        "items; range; risk item 4",
    ),
}  # fmt: skip


def test_what_was_read_and_what_is_remembered_is_marked(instruments: dict[str, Instrument]) -> None:
    told = {}
    for name, one in instruments.items():
        marked = {key for key, source in one.sources.items() if source.endswith(REMEMBERED)}
        told[name] = tuple("; ".join(sorted(keys)) for keys in ({*one.sources} - marked, marked))
    assert told == MARKS
