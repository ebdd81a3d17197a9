"""The chart says everything, on one axis, without a word covering a word or a measure."""

from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.pages.chart import NARROW, WIDE, Drawing, Size, describe, draw
from services.alerts.pages.labels import Spot, text_box
from services.alerts.pages.marks import Dot, Line, Path, Text
from tests.journey import pages_courses as courses

KEY = "one|total|client"
NAMES = ("CBT", "EMDR", "Acceptance and commitment therapy for chronic pain", "Talk")


def texts(drawing: Drawing) -> list[str]:
    return [mark.text for mark in drawing.marks if isinstance(mark, Text)]


def looks(drawing: Drawing, look: str) -> list[Any]:
    return [mark for mark in drawing.marks if mark.look == look]


def drawn(doc: dict[str, Any], size: Size = WIDE, week: float = 14) -> Drawing:
    key = next(iter(doc["trajectories"]))
    return draw(doc, key, date.fromisoformat(courses.on(week)), size)


def of_scores(scale: dict[str, Any], scores: list[float], **parts: Any) -> dict[str, Any]:
    weeks = [float(week) for week in range(len(scores))]
    return courses.course(trajectories={KEY: courses.trajectory(scale, scores, weeks)}, **parts)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"maximum": 27.0, "cutoff": 10.0}, "0 5 10 15 20 25 27"),
        ({"maximum": 40.0, "cutoff": 25.0}, "0 10 20 25 30 40"),
        ({"maximum": 4.0}, "0 1 2 3 4"),
        ({"minimum": 1.0, "maximum": 5.0}, "1 2 3 4 5"),
        ({"maximum": 100.0}, "0 20 40 60 80 100"),
    ],
)
def test_scores_at_the_side_are_ends_cutoff_and_round_ones(
    changes: dict[str, float], named: str
) -> None:
    scale = {**courses.BARE, **changes}
    drawing = drawn(of_scores(scale, [2.0, 3.0]))
    at_the_side = [
        mark.text
        for mark in drawing.marks
        if isinstance(mark, Text)
        and (mark.look, mark.anchor) == ("soft", "end")
        and mark.text.isdigit()
    ]
    assert " ".join(sorted(at_the_side, key=float)) == named


@st.composite
def documents(draw_: st.DrawFn) -> dict[str, Any]:
    scale = draw_(st.sampled_from([courses.PHQ9, courses.ORS, courses.BARE]))
    count = draw_(st.integers(1, 40))
    numbers = st.integers(int(scale["minimum"]), int(scale["maximum"]))
    scores = draw_(st.lists(numbers, min_size=count, max_size=count))
    gaps = draw_(st.lists(st.integers(0, 21), min_size=count, max_size=count))
    weeks = [sum(gaps[: place + 1]) / 7 for place in range(count)]
    unused = draw_(st.lists(st.integers(0, count - 1), max_size=2, unique=True))
    begun = sorted(draw_(st.lists(st.integers(0, 40), max_size=4, unique=True)))
    made = (
        {
            "on": courses.on(begun[-1]),
            "trajectory": None,
            "fan": courses.fan(float(scores[-1]), 0.2, scale["maximum"]),
        }
        if begun
        else None
    )
    approaches = [
        courses.approach(NAMES[place], week, forecast=made if place == len(begun) - 1 else None)
        for place, week in enumerate(begun)
    ]
    days = draw_(st.lists(st.integers(0, 40), max_size=12, unique=True))
    kinds = st.sampled_from(["attended", "missed", "cancelled"])
    track = courses.trajectory(
        scale, [float(score) for score in scores], weeks, unused=unused,
        norms=scale is not courses.BARE,
    )  # fmt: skip
    return courses.course(
        trajectories={KEY: track},
        approaches=approaches,
        sessions=[
            {"session": str(day), "on": courses.on(day), "attendance": draw_(kinds)} for day in days
        ],
        facts=[
            {
                "fact": str(day),
                "on": courses.on(day),
                "kind": "life event",
                "label": "moved house again and again, and once more",
            }
            for day in days[:6]
        ],
    )


@settings(max_examples=80, deadline=None)
@given(documents(), st.sampled_from([WIDE, NARROW]))
def test_no_words_cover_words_or_measures_or_leave_the_picture(
    doc: dict[str, Any], size: Size
) -> None:
    drawing = drawn(doc, size, week=42)
    words = [mark for mark in drawing.marks if isinstance(mark, Text)]
    boxes = [(m.text, text_box(m.text, Spot(m.x, m.y, m.anchor), size.font)) for m in words]
    for text, box in boxes:
        assert box.left >= -1, text
        assert box.right <= drawing.width + 1, text
        assert box.bottom <= drawing.height + 1, text
    for (one, first), (other, second) in combinations(boxes, 2):
        assert not first.meets(second), f"{one!r} covers {other!r}"
    placed = {"soft", "ink", "score-words", "usual-words", "pivot-words", "score-value"}
    for mark in words:
        if mark.look in placed and mark.text.startswith(("forecast", "usual", "reliably")):
            box = text_box(mark.text, Spot(mark.x, mark.y, mark.anchor), size.font)
            for dot in looks(drawing, "score"):
                inside = box.left < dot.x < box.right and box.top < dot.y < box.bottom
                assert not inside, f"{mark.text!r} hides a measure"


def test_higher_scores_lie_higher_whichever_way_is_better() -> None:
    for scale, words in ((courses.PHQ9, "lower is better"), (courses.ORS, "higher is better")):
        drawing = drawn(of_scores(scale, [10.0, 20.0]))
        low, high = looks(drawing, "score")
        assert high.y < low.y
        assert any(words in text for text in texts(drawing))


def test_everything_of_a_pivoted_course_is_there_by_name() -> None:
    said = texts(drawn(courses.pivoted()))
    for words in (
        "cut-off 10", "reliably better below 12.4", "reliably worse above 23.6", "missed",
        "cancelled", "usual course from 18", "forecast at the pivot", "estimate", "CBT",
        "pivot: CBT to Behavioural activation, week 8", "medication: sertraline 50 mg begun",
        "18", "10", "moderately severe",
    ):  # fmt: skip
        assert words in said, words


def test_a_single_measure_is_drawn_without_a_line() -> None:
    drawing = drawn(of_scores(courses.PHQ9, [24.0]))
    assert len(looks(drawing, "score")) == 1
    assert not looks(drawing, "estimate")


def test_without_norms_there_is_no_limit_and_no_forecast() -> None:
    doc = courses.course(
        trajectories={KEY: courses.trajectory(courses.BARE, [60, 55], [0, 2], norms=False)}
    )
    drawing = drawn(doc)
    for look in ("cutoff", "reliable", "usual", "fan80", "estimate"):
        assert not looks(drawing, look), look
    assert looks(drawing, "joined")


def test_a_measure_that_is_not_used_has_another_shape() -> None:
    doc = courses.course(
        trajectories={KEY: courses.trajectory(courses.PHQ9, [18, 9, 17], [0, 1, 2], unused=[1])}
    )
    drawing = drawn(doc)
    assert len(looks(drawing, "score")) == 2
    (diamond,) = looks(drawing, "unused")
    assert isinstance(diamond, Path)
    assert "not used" in diamond.says


def test_nothing_is_drawn_across_a_gap_of_more_than_sixty_days() -> None:
    track = courses.trajectory(courses.PHQ9, [18, 17, 12, 11], [0, 1, 11, 12])
    drawing = drawn(courses.course(trajectories={KEY: track}))
    assert len(looks(drawing, "estimate")) == 2


def test_a_closed_episode_has_no_forecast_for_today() -> None:
    doc = of_scores(courses.PHQ9, [18.0, 12.0], status="closed", closed_on=courses.on(2))
    assert not looks(drawn(doc), "fan80")
    assert not looks(drawn(doc), "today")


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_limits_outside_the_scale_are_not_drawn(size: Size) -> None:
    drawing = drawn(of_scores(courses.PHQ9, [25.0, 24.0]), size)
    (below,) = looks(drawing, "reliable")
    assert isinstance(below, Line)
    assert "reliably better below 19.4" in (*texts(drawing), *drawing.notes)


def test_a_finding_rings_the_measure_it_rests_on() -> None:
    finding = {
        "spell": "s", "channel": "off_track", "ordinal": 1, "revision": 1, "tier": "prompt",
        "on": courses.on(2), "old_news": False, "evidence": {"trajectories": [KEY]},
        "status": "open", "cleared_reason": None, "cleared_on": None,
    }  # fmt: skip
    doc = of_scores(courses.PHQ9, [18.0, 17.0, 18.0], findings=[finding])
    (ring,) = looks(drawn(doc), "found worse")
    last = looks(drawn(doc), "score")[-1]
    assert isinstance(ring, Dot)
    assert (ring.x, ring.y) == (last.x, last.y)
    assert "off track" in texts(drawn(doc))
    gone = {**finding, "status": "cleared", "cleared_reason": "corrected away"}
    assert not looks(drawn({**doc, "findings": [gone]}), "found worse")


def test_the_description_says_scores_pivot_and_effect_in_words() -> None:
    said = describe(courses.pivoted(), "phq-9|total|client")
    for words in ("13 scores", "lower is better", "Pivot from CBT", "within what was forecast"):
        assert words in said


def test_the_words_of_an_effect_follow_its_verdict_alone() -> None:
    doc = courses.pivoted()
    effect = doc["approaches"][1]["effects"][0]
    effect["verdict"] = "better than forecast"
    assert "better than was forecast" in describe(doc, "phq-9|total|client")
    effect["withdrawn"] = True
    assert "forecast (" not in describe(doc, "phq-9|total|client")


def test_dates_before_the_opening_widen_the_axis() -> None:
    doc = of_scores(courses.PHQ9, [18.0, 17.0])
    early = (courses.OPENED - timedelta(days=14)).isoformat()
    doc["trajectories"][KEY]["points"][0]["on"] = early
    drawing = drawn(doc)
    assert all(dot.x >= WIDE.left for dot in looks(drawing, "score"))
    assert "−2" in texts(drawing)
