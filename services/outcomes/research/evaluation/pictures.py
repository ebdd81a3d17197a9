"""Places of lines, bars and marks in the report's pictures; what they look like is its template."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.outcomes.research.evaluation.accuracy import Judged
from services.outcomes.research.evaluation.benchmark import OWN, Outcome, Verdict
from services.outcomes.research.evaluation.courses import Courses, Flags

WIDTH, HEIGHT = 520.0, 320.0
LEFT, TOP, RIGHT, BOTTOM = 52.0, 14.0, 150.0, 44.0
FURTHEST = 0.5
"""False alarms beyond this rate are not drawn: nobody would use such a rule."""
RATE = 0.10
SHOWN = ("p-fail", "logistic", "expected-curve", "reliable-trend", "raw-change")
"""Rules whose curves are drawn; of all others the table tells."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, and what stands there."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Frame:
    """From values to places within one picture."""

    low_x: float
    high_x: float
    low_y: float
    high_y: float

    def x(self, value: float) -> float:
        """The place across."""
        share = (value - self.low_x) / (self.high_x - self.low_x)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        """The place down."""
        share = (value - self.low_y) / (self.high_y - self.low_y)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    def across(self, values: Sequence[float], digits: int = 1) -> list[Tick]:
        """Marks of the axis below."""
        return [Tick(self.x(value), _label(value, digits)) for value in values]

    def down(self, values: Sequence[float], digits: int = 1) -> list[Tick]:
        """Marks of the axis at the left."""
        return [Tick(self.y(value), _label(value, digits)) for value in values]

    def line(self, points: Sequence[tuple[float, float]]) -> str:
        """Points of a line, as SVG writes them."""
        return " ".join(f"{self.x(x)},{self.y(y)}" for x, y in points)


def _label(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("0.", ".", 1) if value < 1 and digits else f"{value:g}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its name at its end; `kind` is what it looks like."""

    kind: int
    name: str
    points: str
    dots: Sequence[tuple[float, float]]
    label_y: float


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: axes, lines, bars, and the table that says the same in words."""

    title: str
    x_title: str
    y_title: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    lines: Sequence[Line]
    bars: Sequence[tuple[float, float, float, float]]
    note: str
    diagonal: str = ""


def reliability(verdict: Verdict) -> Picture:
    """What came, against what was said."""
    frame = Frame(0, 1, 0, 1)
    points = [(one.predicted, one.observed) for one in verdict.bins]
    ticks = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    dots = [(frame.x(x), frame.y(y)) for x, y in points]
    line = Line(0, verdict.rule.name, frame.line(points), dots, dots[-1][1] if dots else 0.0)
    return Picture(
        "Reliability curve",
        "predicted chance of failure",
        "share that failed",
        frame.across(ticks),
        frame.down(ticks),
        [line],
        [],
        "On the dashed line what is said is what comes.",
        frame.line([(0, 0), (1, 1)]),
    )


def tradeoff(outcome: Outcome) -> Picture:
    """Sensitivity against false alarms."""
    frame = Frame(0, FURTHEST, 0, 1)
    rates = [number / 100 for number in range(int(FURTHEST * 100) + 1)]
    ones = np.ones(len(outcome.courses))
    known = {one.rule.name: one for one in outcome.verdicts}
    lines = []
    for kind, name in enumerate(name for name in SHOWN if name in known):
        told = known[name].judged.at_rates(ones, rates)
        points = [(one.false_alarms, one.sensitivity) for one in told]
        own = known[name].figures
        dots = []
        if own["false_alarms"].get(OWN) is not None:
            x, y = own["false_alarms"][OWN] or 0.0, own["sensitivity"][OWN] or 0.0
            dots = [(frame.x(x), frame.y(y))] if x <= FURTHEST else []
        lines.append(Line(kind, name, frame.line(points), dots, frame.y(points[-1][1])))
    return Picture(
        "Sensitivity against false alarms",
        "share of good courses ever alarmed",
        "share of failures found",
        frame.across((0.0, 0.1, 0.2, 0.3, 0.4, 0.5)),
        frame.down((0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        _apart(lines),
        [],
        "A dot marks the threshold that a rule comes with.",
    )


def _apart(lines: Sequence[Line]) -> list[Line]:
    """The same lines with labels that do not lie on each other."""
    placed: list[Line] = []
    lowest = -np.inf
    for line in sorted(lines, key=lambda one: one.label_y):
        at = max(line.label_y, lowest + 15)
        lowest = at
        placed.append(Line(line.kind, line.name, line.points, line.dots, round(float(at), 1)))
    return placed


def lead_counts(verdict: Verdict) -> list[tuple[str, int]]:
    """Failures by sessions from the alarm to the end, at a false alarm rate of .10."""
    judged = verdict.judged
    threshold = verdict.figures["threshold"][f"{RATE:.2f}"]
    leads = _leads(judged, -np.inf if threshold is None else threshold)
    counted = [("none", int((leads == 0).sum()))]
    for low in range(2, 18, 3):
        inside = (leads >= low) & (leads < low + 3)
        counted.append((f"{low}–{low + 2}", int(inside.sum())))
    return [*counted, ("20+", int((leads >= 20).sum()))]


def _leads(judged: Judged, threshold: float) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    courses = judged.courses
    alarms = judged.counts & (np.nan_to_num(judged.risks, nan=-np.inf) > threshold)
    first = np.full(len(courses), np.inf)
    np.minimum.at(first, courses.client[alarms], courses.number[alarms])
    leads = np.where(np.isfinite(first), courses.lengths - first, 0.0)
    return leads[courses.failed]


def leads(verdict: Verdict) -> Picture:
    """How long before the end failures are found."""
    counted = lead_counts(verdict)
    most = max(max(count for _, count in counted), 1)
    frame = Frame(0, len(counted), 0, most)
    wide = frame.x(1) - frame.x(0)
    bars = [
        (frame.x(place) + 3, frame.y(count), wide - 6, frame.y(0) - frame.y(count))
        for place, (_, count) in enumerate(counted)
    ]
    labels = [Tick(frame.x(place + 0.5), name) for place, (name, _) in enumerate(counted)]
    return Picture(
        "Sessions from the alarm to the end",
        "sessions before the end; none: missed",
        "failures",
        labels,
        frame.down(sorted({0, most // 2, most}), 0),
        [],
        bars,
        f"{verdict.rule.name} at a false alarm rate of .10; missed failures at the left.",
    )


@dataclass(frozen=True, slots=True)
class Example:
    """One course with its alarm, and why it is shown."""

    why: str
    points: str
    dots: Sequence[tuple[float, float]]
    cut: float
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    alarm: tuple[float, float] | None
    words: str


def examples(verdict: Verdict) -> Iterator[Example]:
    """A failure found early, one found late, one missed and a false alarm, where there are such."""
    judged = verdict.judged
    courses = judged.courses
    threshold = verdict.figures["threshold"][f"{RATE:.2f}"]
    if threshold is None:
        return
    alarms = judged.counts & (np.nan_to_num(judged.risks, nan=-np.inf) > threshold)
    first = np.full(len(courses), np.inf)
    np.minimum.at(first, courses.client[alarms], courses.number[alarms])
    lead = np.where(np.isfinite(first), courses.lengths - first, 0.0)
    wanted: Sequence[tuple[str, Flags]] = (
        ("A failure found early", courses.failed & (lead >= 8)),
        ("A failure found late", courses.failed & (lead > 0) & (lead <= 3)),
        ("A failure missed", courses.failed & (lead == 0)),
        ("A false alarm", ~courses.failed & (lead > 0)),
    )
    for why, flags in wanted:
        found = np.flatnonzero(flags & (courses.lengths <= 30))
        if len(found):
            place = int(found[len(found) // 2])
            number = int(first[place]) if np.isfinite(first[place]) else None
            yield _example(why, courses, place, number)


def _example(why: str, courses: Courses, place: int, alarm: int | None) -> Example:
    course = courses.all[place]
    weeks = [day / 7 for day in course.days]
    low, high = min(*course.scores, courses.scale.cut) - 1, max(course.scores) + 1
    frame = Frame(0, max(weeks[-1], 1), low, high)
    points = list(zip(weeks, course.scores, strict=True))
    dots = [(frame.x(x), frame.y(y)) for x, y in points]
    end = "failed" if course.failed else "went well"
    when = f"; alarm at measure {alarm} of {len(points)}" if alarm else "; no alarm"
    middle = round((low + high) / 2)
    return Example(
        why,
        frame.line(points),
        dots,
        frame.y(courses.scale.cut),
        frame.across(sorted({0, round(weeks[-1] / 2), round(weeks[-1])}), 0),
        frame.down(sorted({round(low + 1), middle, round(high - 1)}), 0),
        dots[alarm - 1] if alarm else None,
        f"{len(points)} measures from {course.scores[0]:g} to {course.scores[-1]:g}, {end}{when}.",
    )
