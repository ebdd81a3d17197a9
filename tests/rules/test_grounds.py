"""The grounds of each finding, number by number, on courses short enough to check by hand."""

from typing import Any

import pytest

from services.outcomes.core.found import told
from services.outcomes.core.timeline import iso
from tests.rules.courses import START, Play, Row
from tests.rules.page import instruments

KNOWN = instruments()
CHANGE = 5.6079  # 1.96 * sqrt(2) * 6.1 * sqrt(1 - .89)


def weekly(*scores: int) -> list[tuple[int, str]]:
    return [(7 * number, str(score)) for number, score in enumerate(scores)]


def play(rows: list[tuple[int, str]]) -> Play:
    playing = Play(KNOWN, {"opened": "0"})
    for number, (day, words) in enumerate(rows):
        playing.happen(Row(number, day, words.split(), ""))
    return playing


SESSIONS = ("attended", "missed", "attended", "missed", "attended", "missed")
COURSES: dict[str, tuple[list[tuple[int, str]], dict[str, Any], list[int], list[str]]] = {
    # The last eight weeks begin at week 1: 20 and eight times 17, on average 17 1/3.
    "stalled": (
        weekly(25, 20, *[17] * 8),
        {"gain": 7.6667, "by_week": 2.0, "since_week": 1.0, "level": 17.3333},
        [7 * week for week in range(1, 10)],
        ["reliable change", "cut-off"],
    ),
    "plateau": (
        weekly(16, 17, 16, 15, 16, 16, 16),
        {"slope": -0.0714, "window_weeks": 6.0, "n": 7, "level": 16.0},
        [7 * week for week in range(7)],
        ["reliable change", "cut-off"],
    ),
    "gain_partly_lost": (
        weekly(20, 8, 9, 15, 16),
        {
            "best": 8.5, "best_on": "2024-01-15", "gain": 11.5, "loss": 7.5, "score": 16.0,
            "relapse": True,
        },
        [0, 21, 28],
        ["reliable change", "cut-off"],
    ),
    "good_news": (
        weekly(20, 20, 20, 14, 16),
        {"kind": "sudden_gain", "gain": 6.0, "score": 16.0, "by": "2024-01-22"},
        [14, 21],
        ["reliable change", "cut-off"],
    ),
    "reliable_deterioration": (
        weekly(14, 20, 21),
        {
            "baseline": 14.0, "baseline_on": "2024-01-01", "baseline_label": "baseline",
            "score": 21.0, "change": 7.0, "reliable_change": CHANGE, "measures": 2,
        },
        [0, 7, 14],
        ["reliable change"],
    ),
    "possibly_worse": (
        weekly(14, 14, 20),
        {
            "baseline": 14.0, "baseline_on": "2024-01-01", "baseline_label": "baseline",
            "score": 20.0, "change": 6.0, "reliable_change": CHANGE, "measures": 1,
        },
        [0, 14],
        ["reliable change"],
    ),
    "off_track": (
        weekly(14, 21, 22),
        {
            "horizon_weeks": 6, "measure_number": 3, "weeks": 2.0, "cutoff": 10.0,
            "reliable_change": CHANGE, "threshold": KNOWN["phq-9"].alarm_threshold(0.10),
        },
        [0, 7, 14],
        ["alarm threshold", "reliable change", "cut-off"],
    ),
    "disconnection": (
        [(0, "14"), *((1 + 7 * n, f"session {one}") for n, one in enumerate(SESSIONS)), (30, "14")],
        {"kind": "sessions", "missed": 3, "of": 6, "days": 28, "since": "2024-01-09"},
        [],
        [],
    ),
    "not_assessable": (
        weekly(14, 14),
        {"instrument": "phq-9", "measures": 2, "last_on": "2024-01-08", "days": 0},
        [],
        [],
    ),
    "validity": (weekly(14, 27), {"kind": "ceiling"}, [7], ["reliable change"]),
}  # fmt: skip
CHANCES = {
    "p_fail": "p_fail",
    "p_truly_worse": "p_worse",
    "p_case": "p_case",
    "p_better": "p_better",
}


@pytest.mark.parametrize("channel", COURSES)
def test_a_finding_tells_its_numbers_points_and_limits(channel: str) -> None:
    rows, numbers, days, limits = COURSES[channel]
    playing = play(rows)
    found = playing.found()[channel]
    told_of = found.evidence()
    assert told_of["numbers"] == {**told_of["numbers"], **numbers}
    assert [point["on"] for point in told_of["points"]] == [iso(START + day) for day in days]
    assert all(point["score"] is not None for point in told_of["points"])
    assert [one["name"] for one in told_of["thresholds"]] == limits
    assert all(one["source"] for one in told_of["thresholds"])
    assert (told_of["rule"], told_of["missing"]) == (channel, [])
    of_course = channel != "disconnection"
    assert told_of["trajectories"] == (["phq-9|total|client"] if of_course else [])
    assert told_of["instrument"] == ("phq-9" if of_course else None)
    last = max(day for day, words in rows if not of_course or not words.startswith("session"))
    assert found.on == found.received_on == iso(START + last)


@pytest.mark.parametrize("channel", ["off_track", "stalled", "plateau", "reliable_deterioration"])
def test_a_finding_tells_the_probabilities_of_its_last_measure(channel: str) -> None:
    playing = play(COURSES[channel][0])
    numbers = playing.found()[channel].numbers
    step = playing.last()
    shared = [name for name in CHANCES if name in numbers]
    assert shared
    for name in shared:
        assert numbers[name] == told(getattr(step, CHANCES[name])) is not None
