"""What `pivotpoint change` tells of a table by one method, whole, as its JSON holds it."""

from typing import Any

import pytest

from services.outcomes.core.change_methods.series import Series
from services.outcomes.research.classify import Choice, Table, classify
from services.outcomes.research.told import as_json

DIRECTIONS = (("worse", 1), ("better", -1))
"""Where higher is better the same scores are told below zero."""
Points = list[tuple[int, float]]


def judged(method: str, table: Table, choice: Choice) -> Any:
    """Everything that is told of the method; the reason, where it was left out."""
    told = as_json(classify(table, choice, [method]), choice.higher_is)
    return told["methods"].get(method) or told["not_assessable"][method]


def near(told: Any) -> Any:
    """The same, where a number may differ by what floats cannot hold."""
    if isinstance(told, dict):
        return {key: near(value) for key, value in told.items()}
    if isinstance(told, list):
        return [near(value) for value in told]
    return pytest.approx(told, rel=1e-12, abs=1e-12) if isinstance(told, float) else told


def long(clients: dict[str, Points], sign: int) -> Table:
    """A table with one row per measure; `sign` -1 turns the scale."""
    series = [
        Series(name, tuple((float(day), float(sign * score)) for day, score in points))
        for name, points in clients.items()
    ]
    return Table([one.pair for one in series], series)


def weekly(*scores: float) -> Points:
    """One score a week from day 0."""
    return [(7 * week, score) for week, score in enumerate(scores)]


def course_row(
    name: str, points: Points, sign: int, said: str, statistic: float | None = None,
    why: str | None = None, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """What is told of a client with several measures; `points` as where higher is worse."""
    first, last = points[0][1], points[-1][1] if len(points) > 1 else None
    return {
        "client": name, "pre": sign * first, "post": None if last is None else sign * last,
        "change": None if last is None else sign * (last - first),
        "statistic": None if statistic is None else sign * statistic,
        "class": said, "why": why, "measures": len(points), **more,
    }  # fmt: skip
