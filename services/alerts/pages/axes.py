"""The frame of a chart: weeks and scores to places in the view box, and where its ticks stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, floor, log10
from typing import Any

_STEPS = (1, 2, 4, 8, 13, 26, 52, 104)


@dataclass(frozen=True, slots=True)
class Frame:
    """The plot's rectangle and the ranges of time (weeks since `zero`) and score it spans."""

    zero: date
    left: float
    right: float
    top: float
    bottom: float
    first: float
    last: float
    low: float
    high: float

    def x(self, weeks: float) -> float:
        """Where a week lies."""
        share = (weeks - self.first) / (self.last - self.first)
        return self.left + share * (self.right - self.left)

    def y(self, score: float) -> float:
        """Where a score lies; what is beyond the scale is drawn at its end."""
        share = (min(max(score, self.low), self.high) - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - self.top)

    def weeks(self, day: str) -> float:
        """Weeks from `zero` to an ISO date (or time, of which the date counts)."""
        return (day_of(day) - self.zero).days / 7

    def x_on(self, day: str) -> float:
        """Where an ISO date lies."""
        return self.x(self.weeks(day))

    def date_of(self, weeks: float) -> date:
        """The date of a week."""
        return self.zero + timedelta(days=round(weeks * 7))


def day_of(text: str) -> date:
    """The calendar date of an ISO date or time as sent."""
    return date.fromisoformat(text[:10])


def week_ticks(first: float, last: float, most: int) -> list[int]:
    """Round weeks between first and last, at most `most` of them."""
    for step in _STEPS:
        ticks = [n * step for n in range(int(first // step), int(last // step) + 1)]
        ticks = [week for week in ticks if first <= week <= last]
        if len(ticks) <= most:
            return ticks
    return [0]


def score_ticks(scale: Mapping[str, Any], room: float) -> list[float]:
    """Scores to name at the side: the ends, cut-off and bands, else round ones; none too close."""
    low, high = float(scale["minimum"]), float(scale["maximum"])
    wished = [low, high]
    if scale.get("cutoff") is not None:
        wished.append(float(scale["cutoff"]))
    wished += [float(band["low"]) for band in scale.get("bands", [])]
    if len(wished) <= 3:
        wished += _round_scores(low, high)
    return sorted(_apart(wished, low, high, (high - low) * 15 / max(room, 1)))


def _round_scores(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, so far apart that four or more fit."""
    quarter = (high - low) / 4
    power = 10.0 ** floor(log10(quarter))
    step = max(times * power for times in (1, 2, 5) if times * power <= quarter)
    return [n * step for n in range(ceil(low / step), floor(high / step) + 1)]


def _apart(wished: Sequence[float], low: float, high: float, gap: float) -> list[float]:
    kept: list[float] = []
    for value in wished:
        if low <= value <= high and all(abs(value - other) >= gap for other in kept):
            kept.append(value)
    return kept
