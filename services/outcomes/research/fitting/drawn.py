"""Intervals from clients drawn with replacement: a client's measures are never torn apart."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from services.outcomes.research.evaluation.courses import Floats

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Ranged:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def ratio(totals: Floats, counts: Floats, draws: int) -> Ranged:
    """The sum of `totals` over that of `counts`, one of each for every client.

    Args:
        totals: what is averaged, summed over a client's measures.
        counts: how many measures that were.
        draws: how often clients are drawn; the seed of each is its number.
    """
    clients = len(totals)
    found = [_share(totals, counts, one) for one in _weights(clients, draws)]
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Ranged(_share(totals, counts, np.ones(clients)), float(low), float(high))


def _weights(clients: int, draws: int) -> Iterator[Floats]:
    def draw(number: int) -> Floats:
        drawn = np.random.default_rng(number).integers(0, clients, clients)
        return np.bincount(drawn, minlength=clients).astype(np.float64)

    return map(draw, range(draws))


def _share(totals: Floats, counts: Floats, weights: Floats) -> float:
    return float((weights * totals).sum()) / max(float((weights * counts).sum()), 1e-300)


Draws = Callable[[Floats, Floats], Ranged]
"""`ratio` with the number of draws already said."""
