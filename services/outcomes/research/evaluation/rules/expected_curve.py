"""Expected recovery curve: how far the latest score lies above what like clients had then."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.outcomes.research.evaluation.courses import Course, Scale

OWN = 1.28
"""Above the upper limit of the central 80 % of like clients."""
BANDS = 5
LEAST = 8
"""Clients of a band at a measure, below which the curve stays where it was last known."""


class Curves(NamedTuple):
    """Upper ends of the bands of first scores, and by band the mean and SD at each measure."""

    ends: Sequence[float]
    curves: Sequence[Sequence[tuple[float, float]]]


def learn(courses: Sequence[Course], scale: Scale) -> Curves:
    """Mean and SD of the scores at each measure, by fifths of the first score."""
    firsts = [course.scores[0] for course in courses]
    ends = statistics.quantiles(firsts, n=BANDS) if len(firsts) > BANDS else []
    found: list[dict[int, list[float]]] = [defaultdict(list) for _ in range(len(ends) + 1)]
    for course in courses:
        band = found[_band(ends, course.scores[0])]
        for number, score in enumerate(course.scores):
            band[number].append(score)
    return Curves(ends, [_curve(band, scale) for band in found])


def risk(
    days: Sequence[float], scores: Sequence[float], scale: Scale, learned: Curves
) -> float | None:
    """SDs above the expected curve of clients who began like this one."""
    curve = learned.curves[_band(learned.ends, scores[0])]
    if not curve:
        return None
    mean, sd = curve[min(len(scores), len(curve)) - 1]
    return (scores[-1] - mean) / sd


def _band(ends: Sequence[float], first: float) -> int:
    return sum(first > end for end in ends)


def _curve(band: Mapping[int, Sequence[float]], scale: Scale) -> list[tuple[float, float]]:
    curve = []
    for number in range(len(band)):
        if len(band[number]) < LEAST:
            break
        spread = max(statistics.stdev(band[number]), scale.sem)
        curve.append((statistics.fmean(band[number]), spread))
    return curve
