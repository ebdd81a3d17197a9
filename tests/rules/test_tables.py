"""Every clause of every channel as tables of sessions and findings, in both directions."""

from pathlib import Path

import pytest

from schemas.parts import CHANNELS
from services.alerts.core import labels
from services.outcomes.core import channels
from services.outcomes.core.definition import read as read_instrument
from services.outcomes.core.instrument import Instrument
from tests.rules.courses import TABLES, Course, FlippedPlay, Play, read, told
from tests.rules.page import PAGE, page
from tests.rules.page import instruments as shipped

COURSES = [course for path in sorted(TABLES.glob("*.txt")) for course in read(path)]
OWN = Path(__file__).parent / "clinic-10.toml"
"""A clinic's own instrument, made up: subscales of every kind."""
ENDS_SWAP = {
    "at_top_of_scale": "at_bottom_of_scale",
    "at_bottom_of_scale": "at_top_of_scale",
    "floor": "ceiling",
    "ceiling": "floor",
}
"""What is called by the end of the scale is called by the other one on a scale turned round."""


@pytest.fixture(scope="module")
def instruments() -> dict[str, Instrument]:
    return shipped() | {OWN.stem: read_instrument(OWN.name, OWN.read_text("utf-8"))}


@pytest.mark.parametrize("play", [Play, FlippedPlay], ids=["as printed", "turned round"])
@pytest.mark.parametrize("course", COURSES, ids=lambda course: f"{course.table}: {course.title}")
def test_the_tables_hold(
    course: Course, play: type[Play], instruments: dict[str, Instrument]
) -> None:
    playing = play(instruments, course.setting)
    for row in course.rows:
        playing.happen(row)
        found = playing.found()
        words = [told(found[name], row.expected) for name in course.channels if name in found]
        expected = row.expected if play is Play else _turned(row.expected)
        assert (" ".join(words) or "-") == expected, f"{course.table}.txt:{row.number}"


def _turned(expected: str) -> str:
    """The expectation on scales turned round: the ends of the scale change names."""
    if "_of_scale" not in expected and not expected.endswith(("floor", "ceiling")):
        return expected
    head, _, tail = expected.rpartition("=")
    return f"{head}={'+'.join(ENDS_SWAP.get(one, one) for one in tail.split('+'))}"


def test_every_channel_has_a_table() -> None:
    covered = {channel for course in COURSES for channel in course.channels}
    expected = {row.expected for course in COURSES for row in course.rows}
    seen = {word.split(":")[0] for one in expected for word in one.split()}
    assert covered <= seen
    assert {
        "possibly_worse",
        "reliable_deterioration",
        "off_track",
        "plateau",
        "stalled",
        "gain_partly_lost",
        "disconnection",
        "validity",
        "good_news",
        "not_assessable",
    } <= covered


def test_the_page_of_rules_says_what_the_rules_and_tables_say() -> None:
    assert PAGE.read_text("utf-8") == page(shipped()), "write it anew: make rules"


def test_every_channel_is_explained() -> None:
    explained = [one.channel for one in channels.RULEBOOK]
    ranked = [name for name in CHANNELS if name != "risk_answer"]
    assert explained == ranked
    assert set(explained) >= channels.WORSE
    assert set(explained) <= set(labels.LABELS)
