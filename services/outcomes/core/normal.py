"""Normal probabilities, one and two variables, and what follows from them: the maths of core."""

import math
from functools import lru_cache
from statistics import NormalDist

_ROOT_HALF = math.sqrt(0.5)
_TWO_PI = 2.0 * math.pi

_NODES_6 = (
    (0.2386191860831969, 0.46791393457269104),
    (0.6612093864662645, 0.3607615730481387),
    (0.9324695142031519, 0.17132449237917027),
)
_NODES_12 = (
    (0.1252334085114689, 0.2491470458134027),
    (0.3678314989981802, 0.2334925365383546),
    (0.5873179542866175, 0.20316742672306573),
    (0.7699026741943047, 0.16007832854334642),
    (0.9041172563704748, 0.10693932599531907),
    (0.9815606342467192, 0.04717533638651141),
)
_NODES_20 = (
    (0.07652652113349734, 0.15275338713072628),
    (0.22778585114164507, 0.14917298647260424),
    (0.37370608871541955, 0.1420961093183824),
    (0.5108670019508271, 0.1316886384491769),
    (0.636053680726515, 0.1181945319615186),
    (0.7463319064601508, 0.1019301198172407),
    (0.8391169718222188, 0.08327674157670471),
    (0.912234428251326, 0.06267204833410879),
    (0.9639719272779138, 0.040601429800386446),
    (0.993128599185095, 0.017614007139150893),
)
"""Positive nodes and weights of Gauss-Legendre quadrature on -1 to 1."""

_POINTS_6, _POINTS_12, _POINTS_20 = (
    tuple((1.0 + side * node, weight) for node, weight in nodes for side in (-1.0, 1.0))
    for nodes in (_NODES_6, _NODES_12, _NODES_20)
)
"""The same with the negative nodes, each shifted by 1."""

Z50 = 0.6744897501960817
"""Half width of the central 50 % of a standard normal variable."""
Z80 = 1.2815515655446004
"""Half width of its central 80 %."""


def below(x: float) -> float:
    """P(Z < x) for a standard normal Z."""
    return 0.5 * math.erfc(-x * _ROOT_HALF)


def above(mean: float, variance: float, limit: float) -> float:
    """P(X > limit) for a normal X; a variance of 0 gives 0, .5 or 1."""
    if variance <= 0.0:
        return 0.5 * (1.0 + (mean > limit) - (mean < limit))
    return 0.5 * math.erfc((limit - mean) / math.sqrt(variance) * _ROOT_HALF)


@lru_cache
def squares_exceeded(chance: float, freedom: int) -> float:
    """What the sum of so many squared standard normal variables exceeds by this chance.

    The quantile of chi-square, after Wilson and Hilferty (1931): from 3 degrees of freedom on
    within 2 % for a `chance` of .001 to .5.
    """
    part = 2.0 / (9.0 * freedom)
    return freedom * (1.0 - part + NormalDist().inv_cdf(1.0 - chance) * math.sqrt(part)) ** 3


def both_above(h: float, k: float, r: float) -> float:
    """P(X > h, Y > k) for standard normal X and Y of correlation r, to about 1e-15.

    The integral over the correlation of Drezner and Wesolowsky (1990), with the expansion of Genz
    (2004, Statistics and Computing 14:251-260) where |r| is near 1.
    """
    r = min(1.0, max(-1.0, r))
    if abs(r) < 0.925:
        return max(0.0, _moderate(h, k, r) + below(-h) * below(-k))
    return max(0.0, _strong(h, k, r))


def _moderate(h: float, k: float, r: float) -> float:
    """What a correlation that is not strong adds to the product of the two probabilities."""
    if r == 0.0:
        return 0.0
    points = _POINTS_6 if abs(r) < 0.3 else _POINTS_12 if abs(r) < 0.75 else _POINTS_20
    squares, product, half = (h * h + k * k) / 2.0, h * k, math.asin(r) / 2.0
    total = 0.0
    for point, weight in points:
        sine = math.sin(half * point)
        total += weight * math.exp((sine * product - squares) / (1.0 - sine * sine))
    return total * half / _TWO_PI


def _strong(h: float, k: float, r: float) -> float:
    """The whole probability where |r| >= .925, from the limit of perfect correlation."""
    turned = r < 0.0
    if turned:
        k = -k
    rest = 0.0 if abs(r) >= 1.0 else _short_of_perfect(h, k, 1.0 - r * r) / _TWO_PI
    if not turned:
        return below(-max(h, k)) - rest
    return max(0.0, below(-h) - below(-k)) + rest


def _short_of_perfect(h: float, k: float, spread: float) -> float:
    """2 pi times what is missing to perfect correlation; `spread` is 1 - r squared."""
    product, gap = h * k, (h - k) ** 2
    c, d = (4.0 - product) / 8.0, (12.0 - product) / 16.0
    width, distance = math.sqrt(spread), math.sqrt(gap)
    total = 0.0
    exponent = -(gap / spread + product) / 2.0
    if exponent > -100.0:
        series = 1.0 - c * (gap - spread) * (1.0 - d * gap / 5.0) / 3.0 + c * d * spread**2 / 5.0
        total = width * math.exp(exponent) * series
    if product > -100.0:
        tail = math.sqrt(_TWO_PI) * below(-distance / width) * distance
        total -= math.exp(-product / 2.0) * tail * (1.0 - c * gap * (1.0 - d * gap / 5.0) / 3.0)
    half = width / 2.0
    for point, weight in _POINTS_20:
        square = (half * point) * (half * point)
        exponent = -(gap / square + product) / 2.0
        if exponent > -100.0:
            root = math.sqrt(1.0 - square)
            full = math.exp(-product * square / (2.0 * (1.0 + root) ** 2)) / root
            # Less the part that the series has covered.
            rest = full - (1.0 + c * square * (1.0 + d * square))
            total += half * weight * (math.exp(exponent) * rest)
    return total
