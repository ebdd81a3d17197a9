"""The turns of a course, counted measure by measure: what tells a sawtooth."""

from typing import NamedTuple


class Swings(NamedTuple):
    """How often a course has turned round up to a measure.

    Attributes:
        turns: turns so far.
        direction: 1 while it goes up, -1 while it goes down, 0 before the first move.
        low: the lowest score since the last turn; `high` the highest.
    """

    turns: int
    direction: int
    low: float
    high: float


def started(score: float) -> Swings:
    """After the first measure."""
    return Swings(0, 0, score, score)


def swung(before: Swings, score: float, least: float) -> Swings:
    """After one more; each move between two turns is at least `least`."""
    turns, direction, low, high = before
    low, high = min(low, score), max(high, score)
    if direction <= 0 and score - low >= least:
        return Swings(turns + (direction != 0), 1, low, score)
    if direction >= 0 and high - score >= least:
        return Swings(turns + (direction != 0), -1, score, high)
    return Swings(turns, direction, low, high)
