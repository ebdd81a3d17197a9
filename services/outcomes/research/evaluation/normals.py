"""Normal probabilities of one and two variables over arrays; agrees with `core.normal`."""

import math

import numpy as np

from services.outcomes.research.evaluation.courses import Floats

_TWO_PI = 2.0 * math.pi
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_POINTS = [
    (1.0 + float(node), float(weight)) for node, weight in zip(_NODES, _WEIGHTS, strict=True)
]
_STRONG = 0.925
"""From this correlation on the expansion around perfect correlation is used."""


def below(x: Floats) -> Floats:
    """P(Z < x) for a standard normal Z."""
    scaled = (-x * math.sqrt(0.5)).ravel().tolist()
    told: Floats = 0.5 * np.fromiter(map(math.erfc, scaled), np.float64, len(scaled))
    return told.reshape(x.shape)


def above(mean: Floats, variance: Floats, limit: float) -> Floats:
    """P(X > limit) for normal X; a variance of 0 gives 0, .5 or 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (mean - limit) / np.sqrt(variance)
    return below(np.nan_to_num(z, nan=0.0, posinf=np.inf, neginf=-np.inf))


def both_above(h: Floats, k: Floats, r: Floats) -> Floats:
    """P(X > h, Y > k) for standard normal X and Y of correlation r (Genz 2004)."""
    r = np.clip(r, -1.0, 1.0)
    told = np.empty_like(h)
    strong = np.abs(r) >= _STRONG
    for where, formula in ((~strong, _moderate), (strong, _near_one)):
        if where.any():
            told[where] = formula(h[where], k[where], r[where])
    return np.clip(told, 0.0, 1.0)


def _moderate(h: Floats, k: Floats, r: Floats) -> Floats:
    squares, product, half = (h * h + k * k) / 2.0, h * k, np.arcsin(r) / 2.0
    total = np.zeros_like(h)
    for point, weight in _POINTS:
        sine = np.sin(half * point)
        total += weight * np.exp((sine * product - squares) / (1.0 - sine * sine))
    return total * half / _TWO_PI + below(-h) * below(-k)


def _near_one(h: Floats, k: Floats, r: Floats) -> Floats:
    turned = r < 0.0
    k = np.where(turned, -k, k)
    rest = _short_of_perfect(h, k, 1.0 - r * r) / _TWO_PI
    same = below(-np.maximum(h, k)) - rest
    other = np.maximum(0.0, below(-h) - below(-k)) + rest
    return np.where(turned, other, same)


def _short_of_perfect(h: Floats, k: Floats, spread: Floats) -> Floats:
    """2 pi times what is missing to perfect correlation; `spread` is 1 - r squared."""
    spread = np.maximum(spread, 1e-300)
    product, gap = h * k, (h - k) ** 2
    c, d = (4.0 - product) / 8.0, (12.0 - product) / 16.0
    width, distance = np.sqrt(spread), np.sqrt(gap)
    series = 1.0 - c * (gap - spread) * (1.0 - d * gap / 5.0) / 3.0 + c * d * spread**2 / 5.0
    total = width * _exp(-(gap / spread + product) / 2.0) * series
    tail = math.sqrt(_TWO_PI) * below(-distance / width) * distance
    cut = np.where(product > -100.0, np.exp(-np.maximum(product, -100.0) / 2.0), 0.0)
    total -= cut * tail * (1.0 - c * gap * (1.0 - d * gap / 5.0) / 3.0)
    for point, weight in _POINTS:
        square = np.maximum((width / 2.0 * point) ** 2, 1e-300)
        root = np.sqrt(1.0 - square)
        exponent = -(gap / square + product) / 2.0
        shape = np.exp(np.clip(-product * square / (2.0 * (1.0 + root) ** 2), -700, 700)) / root
        rest = shape - (1.0 + c * square * (1.0 + d * square))
        total += width / 2.0 * weight * _exp(exponent) * rest
    return total


def _exp(exponent: Floats) -> Floats:
    """E to the exponent, 0 where that is beyond what matters."""
    return np.where(exponent > -100.0, np.exp(np.clip(exponent, -100.0, 700.0)), 0.0)
