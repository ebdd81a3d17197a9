"""Clients' slopes beside the group's: a random intercept and slope for each, estimated by REML."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.outcomes.core.change_methods.series import Series, row_of
from services.outcomes.core.change_methods.verdict import (
    CRITICAL,
    NotAssessableError,
    Result,
    Row,
    beyond,
    mean,
    relative,
    sd,
    sign_of,
)

NEGLIGIBLE = 1e-3
"""A spread so small beside the error around the lines counts as none."""
SLOPES_DIFFER = 5.14
"""The .05 limit of the deviance that slopes of their own take away (1 and 2 degrees mixed)."""
Theta = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Sums:
    """What the model needs of one client: count and sums of time, time squared, score and so on."""

    n: int
    t: float
    tt: float
    y: float
    ty: float
    yy: float


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model, in the units of days and scores.

    Attributes:
        intercept, slope: the group's, at day 0 and for each day.
        sd_intercept, sd_slope, correlation: of the clients' deviations from them, at day 0.
        residual: SD of the scores around each client's own line.
        deviations: each client's slope minus the group's, drawn towards it (empirical Bayes).
        errors: the SD that is left of each deviation, once the scores are known.
        singular: whether clients' slopes could not be told apart from their levels.
    """

    intercept: float
    slope: float
    sd_intercept: float
    sd_slope: float
    correlation: float | None
    residual: float
    deviations: tuple[float, ...]
    errors: tuple[float, ...]
    singular: bool


def hierarchical(series: Sequence[Series], higher_is: str) -> Result:
    """Judge each client's slope against the mean slope of the group.

    Raises:
        NotAssessableError: too few measures for such a model, or nothing varies.
    """
    fitted = fit([one.points for one in series])
    rows = [
        _row(one, deviation, error, fitted, sign_of(higher_is))
        for one, deviation, error in zip(series, fitted.deviations, fitted.errors, strict=True)
    ]
    return Result(
        method="hierarchical",
        rows=rows,
        relative=True,
        critical=CRITICAL,
        used={
            "intercept": fitted.intercept,
            "slope_per_day": fitted.slope,
            "sd_intercept": fitted.sd_intercept,
            "sd_slope": fitted.sd_slope,
            "correlation": fitted.correlation,
            "residual_sd": fitted.residual,
            "singular": fitted.singular,
        },
        note="compares each client's slope with the mean slope of the group",
    )


def _row(one: Series, deviation: float, error: float, fitted: Fit, sign: float) -> Row:
    more = {"slope_per_day": fitted.slope + deviation, "deviation": deviation}
    if len({day for day, _ in one.points}) < 2:
        return row_of(one, None, None, "one measure has no slope", more)
    statistic = deviation / error if error > 0 else 0.0
    return row_of(one, statistic, relative(beyond(sign * statistic, CRITICAL)), None, more)


def fit(clients: Sequence[Sequence[tuple[float, float]]]) -> Fit:
    """Fit by restricted maximum likelihood; points are (day, score).

    Time and scores are brought to mean 0 and SD 1 first, so that units do not matter.

    Raises:
        NotAssessableError: too few measures, or nothing varies.
    """
    days = [day for points in clients for day, _ in points]
    scores = [score for points in clients for _, score in points]
    _refuse(clients, days, scores)
    at, width, level, spread = mean(days), sd(days), mean(scores), sd(scores)
    sums = [_sums(points, at, width, level, spread) for points in clients]
    theta, singular = _estimated(sums)
    beta, variance = _fixed(sums, theta)
    told = [_random(one, theta, beta, variance) for one in sums]
    unit = spread / width
    slope = beta[1] * unit
    between = _at_day_zero(theta, math.sqrt(variance) * spread, at, width)
    return Fit(
        intercept=level + beta[0] * spread - slope * at,
        slope=slope,
        sd_intercept=between[0],
        sd_slope=between[1],
        correlation=between[2],
        residual=math.sqrt(variance) * spread,
        deviations=tuple(deviation * unit for deviation, _ in told),
        errors=tuple(error * unit for _, error in told),
        singular=singular,
    )


def _estimated(sums: Sequence[Sums]) -> tuple[Theta, bool]:
    """The estimate, and whether slopes follow from levels in it (a singular fit).

    A singular fit leaves slopes an error far smaller than they have, so it is kept only where the
    scores show that slopes differ at all; else nobody's does.
    """

    def whole(theta: Theta) -> float:
        return _deviance(sums, theta)

    def level(theta: Theta) -> float:
        return _deviance(sums, (theta[0], 0.0, 0.0))

    theta = _best(whole, (1.0, 0.0, 0.5))
    p, q, r = theta
    slope = math.hypot(q, r)
    if slope < NEGLIGIBLE:
        return (p, 0.0, 0.0), True
    if abs(p) <= NEGLIGIBLE or abs(r) >= NEGLIGIBLE * slope:
        return theta, False
    plain = _best(level, (p, 0.0, 0.0))
    if level(plain) - whole(theta) < SLOPES_DIFFER:
        return (plain[0], 0.0, 0.0), True
    return theta, True


def _refuse(
    clients: Sequence[Sequence[tuple[float, float]]],
    days: Sequence[float],
    scores: Sequence[float],
) -> None:
    if len(clients) < 2 or len(scores) <= 2 * len(clients):
        raise NotAssessableError(
            "needs two clients or more and on average more than two measures of each"
        )
    if sd(days) == 0:
        raise NotAssessableError("all measures are of the same day")
    if sd(scores) == 0:
        raise NotAssessableError("the scores do not vary")


def _sums(
    points: Sequence[tuple[float, float]], at: float, width: float, level: float, spread: float
) -> Sums:
    both = [((day - at) / width, (score - level) / spread) for day, score in points]
    return Sums(
        len(both),
        math.fsum(t for t, _ in both),
        math.fsum(t * t for t, _ in both),
        math.fsum(y for _, y in both),
        math.fsum(t * y for t, y in both),
        math.fsum(y * y for _, y in both),
    )


def _inner(one: Sums, theta: Theta) -> tuple[float, float, float, float]:
    """I + L'Z'ZL as (11, 12, 22) and its determinant; L is the lower triangle `theta`."""
    p, q, r = theta
    m11 = 1 + p * p * one.n + 2 * p * q * one.t + q * q * one.tt
    m12 = r * (p * one.t + q * one.tt)
    m22 = 1 + r * r * one.tt
    return m11, m12, m22, m11 * m22 - m12 * m12


def _pieces(sums: Sequence[Sums], theta: Theta) -> tuple[float, ...]:
    """Sums over clients: log determinant, X'V^-1X (11, 12, 22), X'V^-1y (1, 2), y'V^-1y."""
    p, q, r = theta
    logs = x11 = x12 = x22 = y1 = y2 = yy = 0.0
    for one in sums:
        m11, m12, m22, det = _inner(one, theta)
        logs += math.log(det)
        g11, g21 = one.n * p + one.t * q, one.t * p + one.tt * q
        g12, g22 = one.t * r, one.tt * r
        c1, c2 = p * one.y + q * one.ty, r * one.ty
        s1, s2 = (m22 * c1 - m12 * c2) / det, (m11 * c2 - m12 * c1) / det
        h11, h12 = (m22 * g11 - m12 * g12) / det, (m11 * g12 - m12 * g11) / det
        h21, h22 = (m22 * g21 - m12 * g22) / det, (m11 * g22 - m12 * g21) / det
        x11 += one.n - g11 * h11 - g12 * h12
        x12 += one.t - g11 * h21 - g12 * h22
        x22 += one.tt - g21 * h21 - g22 * h22
        y1 += one.y - g11 * s1 - g12 * s2
        y2 += one.ty - g21 * s1 - g22 * s2
        yy += one.yy - c1 * s1 - c2 * s2
    return logs, x11, x12, x22, y1, y2, yy


def _solved(pieces: tuple[float, ...]) -> tuple[tuple[float, float], float, float]:
    """The group's line, the residual sum of squares and the determinant of X'V^-1X."""
    _, x11, x12, x22, y1, y2, yy = pieces
    det = x11 * x22 - x12 * x12
    if det <= 0:
        raise NotAssessableError("the days do not tell a slope")
    beta = ((x22 * y1 - x12 * y2) / det, (x11 * y2 - x12 * y1) / det)
    return beta, yy - beta[0] * y1 - beta[1] * y2, det


def _deviance(sums: Sequence[Sums], theta: Theta) -> float:
    pieces = _pieces(sums, theta)
    _, rest, det = _solved(pieces)
    free = sum(one.n for one in sums) - 2
    if rest <= 1e-12 * free:
        raise NotAssessableError(
            "every client's scores lie on a line: no error is left to judge by"
        )
    return pieces[0] + math.log(det) + free * math.log(rest)


def _fixed(sums: Sequence[Sums], theta: Theta) -> tuple[tuple[float, float], float]:
    beta, rest, _ = _solved(_pieces(sums, theta))
    return beta, rest / (sum(one.n for one in sums) - 2)


def _random(
    one: Sums, theta: Theta, beta: tuple[float, float], variance: float
) -> tuple[float, float]:
    """A client's deviation of the slope, and the SD that is left of it."""
    p, q, r = theta
    m11, m12, m22, det = _inner(one, theta)
    left = one.y - one.n * beta[0] - one.t * beta[1]
    right = one.ty - one.t * beta[0] - one.tt * beta[1]
    c1, c2 = p * left + q * right, r * right
    s1, s2 = (m22 * c1 - m12 * c2) / det, (m11 * c2 - m12 * c1) / det
    spared = (q * q * m22 - 2 * q * r * m12 + r * r * m11) / det
    return q * s1 + r * s2, math.sqrt(max(variance * spared, 0.0))


def _at_day_zero(
    theta: Theta, residual: float, at: float, width: float
) -> tuple[float, float, float | None]:
    """SDs of intercept (at day 0) and slope and their correlation, in the table's units."""
    p, q, r = (residual * part for part in theta)
    slope = math.hypot(q, r) / width
    v11, v12, v22 = p * p, p * q / width, slope**2
    intercept = v11 - 2 * at * v12 + at * at * v22
    shared = v12 - at * v22
    spread = math.sqrt(max(intercept, 0.0))
    together = shared / (spread * slope) if spread * slope > 0 else None
    return spread, slope, together


def _best(loss: Callable[[Theta], float], start: Theta) -> Theta:
    """The minimum by the simplex of Nelder and Mead, begun again smaller from where it ended."""
    return _simplex(loss, _simplex(loss, start, 0.5), 0.1)


def _simplex(loss: Callable[[Theta], float], start: Theta, size: float) -> Theta:
    p, q, r = start
    corners: list[Theta] = [start, (p + size, q, r), (p, q + size, r), (p, q, r + size)]
    points = sorted((loss(one), one) for one in corners)
    for _ in range(600):
        if _settled(points):
            break
        points = sorted(_step(loss, points))
    return points[0][1]


def _settled(points: Sequence[tuple[float, Theta]]) -> bool:
    parts = zip(*(one for _, one in points), strict=True)
    return all(max(part) - min(part) < 1e-7 for part in parts)


def _step(
    loss: Callable[[Theta], float], points: list[tuple[float, Theta]]
) -> list[tuple[float, Theta]]:
    kept, (worst_value, worst) = points[:-1], points[-1]
    middle = _middle([one for _, one in kept])

    def tried(factor: float) -> tuple[float, Theta]:
        one = _towards(middle, worst, factor)
        return loss(one), one

    turned = tried(-1.0)
    if turned[0] < kept[0][0]:
        return [*kept, min(turned, tried(-2.0))]
    if turned[0] < kept[-1][0]:
        return [*kept, turned]
    drawn = tried(-0.5) if turned[0] < worst_value else tried(0.5)
    if drawn[0] < min(turned[0], worst_value):
        return [*kept, drawn]
    best = points[0][1]
    shrunk = [_towards(best, one, 0.5) for _, one in points[1:]]
    return [points[0], *((loss(one), one) for one in shrunk)]


def _middle(ones: Sequence[Theta]) -> Theta:
    p, q, r = (math.fsum(parts) / len(ones) for parts in zip(*ones, strict=True))
    return p, q, r


def _towards(start: Theta, end: Theta, factor: float) -> Theta:
    p, q, r = (a + factor * (b - a) for a, b in zip(start, end, strict=True))
    return p, q, r
