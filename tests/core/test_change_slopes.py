"""The mixed model: a small table judged whole, the likelihood written out again, closed forms."""

import math
import random
from dataclasses import replace
from statistics import NormalDist, mean
from typing import Any

import pytest

from services.outcomes.core.change_methods.hierarchical import Fit, fit, hierarchical
from services.outcomes.core.change_methods.series import Series
from services.outcomes.core.change_methods.verdict import Result
from services.outcomes.research.classify import Choice
from tests.core.judged import DIRECTIONS, Points, course_row, judged, long, weekly


def verdicts(result: Result) -> list[str]:
    return [row.verdict for row in result.rows]


GROUP: dict[str, Points] = {
    "A": [(0, 20), (7, 18), (14, 13), (28, 9)],
    "B": [(0, 24), (7, 25), (21, 22), (35, 23)],
    "C": [(0, 15), (10, 14), (14, 11), (28, 10), (42, 5)],
    "D": [(3, 18), (14, 20), (21, 21)],
    "E": [(0, 22), (7, 19), (21, 17), (28, 15)],
    "F": [(7, 16)],
}
DEVIATIONS = {
    "A": (-0.22426900109, 0.047956635624, "above"),
    "B": (0.12103096437, 0.037420429469, "below"),
    "C": (-0.07042197379, 0.030870488880, "above"),
    "D": (0.27659840956, 0.071817988575, "below"),
    "E": (-0.05191874966, 0.044917495891, "within"),
    "F": (-0.05101964939, 0.179191178833, ""),
}
"""Each deviation of the slope a day and the SD that is left of it, by a restricted likelihood that
NumPy maximised to 1e-9; statsmodels 0.15.0 confirms it as far as its own search goes."""


@pytest.mark.parametrize(("higher_is", "sign"), DIRECTIONS)
def test_the_mixed_model_tells_the_groups_line_and_every_clients_slope(
    higher_is: str, sign: int
) -> None:
    told = judged("hierarchical", long(GROUP, sign), Choice(higher_is))

    def close(value: float) -> Any:
        return pytest.approx(value, rel=1e-6)

    slope = -0.16759332
    rows = []
    for name, (deviation, error, word) in DEVIATIONS.items():
        statistic, why = close(sign * deviation / error), None
        said = f"{word} the group's course"
        if name == "F":
            statistic, why, said = None, "one measure has no slope", "not assessable"
        more = {
            "slope_per_day": close(sign * (slope + deviation)),
            "deviation": close(sign * deviation),
        }
        rows.append(
            {**course_row(name, GROUP[name], sign, said, why=why, **more), "statistic": statistic}
        )
    untold = dict.fromkeys(("recovered", "improved", "unchanged", "deteriorated", "harmed"))
    assert told == {
        "summary": {
            **untold, "above_the_groups_course": 2, "within_the_groups_course": 1,
            "below_the_groups_course": 2, "not_assessable": 1,
        },
        "n": 6,
        "relative": True,
        "cutoff": None,
        "cutoff_kind": None,
        "s_diff": None,
        "standard_error": None,
        "critical": 1.96,
        "used": {
            "intercept": close(sign * 19.46339627),
            "slope_per_day": close(sign * slope),
            "sd_intercept": close(3.1450691),
            "sd_slope": close(0.19663215),
            "correlation": close(0.038142851),
            "residual_sd": close(1.0449515047),
            "singular": False,
        },
        "note": "compares each client's slope with the mean slope of the group",
        "rows": rows,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("clients", "reason"),
    [
        (
            {"A": weekly(1, 2, 5, 3, 4)},
            "needs two clients or more and on average more than two measures of each",
        ),
        (
            {"A": weekly(1, 2, 5), "B": weekly(3)},
            "needs two clients or more and on average more than two measures of each",
        ),
        (
            {"A": [(7, 1), (7, 2), (7, 5)], "B": [(7, 3), (7, 4)]},
            "all measures are of the same day",
        ),
        ({"A": weekly(5, 5, 5), "B": weekly(5, 5, 5)}, "the scores do not vary"),
        (
            {"A": weekly(1, 2, 3), "B": weekly(5, 4, 3)},
            "every client's scores lie on a line: no error is left to judge by",
        ),
    ],
)
def test_too_little_for_the_mixed_model_is_refused(clients: dict[str, Points], reason: str) -> None:
    assert judged("hierarchical", long(clients, 1), Choice()) == reason


# --- the likelihood, written out again -----------------------------------------------------------

Matrix = list[list[float]]


def solve(matrix: Matrix, right: Matrix) -> tuple[Matrix, float]:
    """Gauss's elimination; the solution and the log determinant of a positive definite matrix."""
    rows = [[*row, *beside] for row, beside in zip(matrix, right, strict=True)]
    size, log = len(rows), 0.0
    for at in range(size):
        log += math.log(rows[at][at])
        rows[at] = [value / rows[at][at] for value in rows[at]]
        for other in range(size):
            if other != at:
                factor = rows[other][at]
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[at], strict=True)]
    return [row[size:] for row in rows], log


def times(left: Matrix, right: Matrix) -> Matrix:
    across = list(zip(*right, strict=True))
    return [[sum(a * b for a, b in zip(row, col, strict=True)) for col in across] for row in left]


def turned(matrix: Matrix) -> Matrix:
    return [list(row) for row in zip(*matrix, strict=True)]


Measures = list[tuple[float, float]]


def dense(clients: list[Measures], fitted: Fit) -> tuple[float, list[tuple[float, float]], Matrix]:
    """-2 REML log likelihood, slope deviations with their SDs, and the line, by whole matrices."""
    a, b, rho = fitted.sd_intercept, fitted.sd_slope, fitted.correlation or 0.0
    between = [[a * a, rho * a * b], [rho * a * b, b * b]]
    logs, xx, xy, kept = 0.0, [[0.0, 0.0], [0.0, 0.0]], [[0.0], [0.0]], []
    for points in clients:
        z = [[1.0, day] for day, _ in points]
        y = [[score] for _, score in points]
        v = times(times(z, between), turned(z))
        v = [[value + (fitted.residual**2 if i == j else 0) for j, value in enumerate(row)]
             for i, row in enumerate(v)]  # fmt: skip
        inverse, log = solve(v, [[float(i == j) for j in range(len(v))] for i in range(len(v))])
        logs += log
        weighed = times(turned(z), inverse)
        xx = [[p + q for p, q in zip(*r, strict=True)]
              for r in zip(xx, times(weighed, z), strict=True)]  # fmt: skip
        xy = [[p[0] + q[0]] for p, q in zip(xy, times(weighed, y), strict=True)]
        kept.append((z, y, inverse, weighed))
    beta, log_x = solve(xx, xy)
    told, rest = [], 0.0
    for z, y, inverse, weighed in kept:
        left = [[p[0] - q[0]] for p, q in zip(y, times(z, beta), strict=True)]
        rest += times(times(turned(left), inverse), left)[0][0]
        deviation = times(between, times(weighed, left))[1][0]
        spared = between[1][1] - times(times(between, times(weighed, z)), between)[1][1]
        told.append((deviation, math.sqrt(spared)))
    return logs + log_x + rest, told, beta


def courses(seed: int, n: int = 12) -> list[Measures]:
    draw = random.Random(seed)
    made = []
    for _ in range(n):
        start, slope = draw.gauss(18, 4), draw.gauss(-0.15, 0.12)
        days = sorted(draw.sample(range(100), draw.randint(3, 8)))
        made.append([(float(day), start + slope * day + draw.gauss(0, 1.5)) for day in days])
    return [*made, [(10.0, 14.0)]]


def test_the_hierarchical_fit_is_the_maximum_of_the_restricted_likelihood() -> None:
    clients = courses(7)
    fitted = fit(clients)
    lowest, told, beta = dense(clients, fitted)
    assert [fitted.intercept, fitted.slope] == pytest.approx([beta[0][0], beta[1][0]], rel=1e-8)
    for (deviation, error), own, left in zip(told, fitted.deviations, fitted.errors, strict=True):
        assert (own, left) == pytest.approx((deviation, error), rel=1e-6)
    for name in ("sd_intercept", "sd_slope", "residual", "correlation"):
        for factor in (0.98, 1.02):
            other = replace(fitted, **{name: getattr(fitted, name) * factor})
            assert dense(clients, other)[0] > lowest


def test_a_slope_is_judged_beside_the_groups() -> None:
    # Everybody improves; who improves least is below the group's course, and not worse.
    draw = random.Random(5)
    slopes = [-0.28] * 12 + [-0.02, -0.54]
    series = [
        Series(str(at), tuple((7.0 * k, 25 + 7 * k * slope + draw.gauss(0, 1.5)) for k in range(9)))
        for at, slope in enumerate(slopes)
    ]
    result = hierarchical(series, "worse")
    assert verdicts(result)[-2:] == ["below the group's course", "above the group's course"]
    assert verdicts(result)[0] == "within the group's course"
    flipped = [
        Series(each.client, tuple((day, -3 * score) for day, score in each.points))
        for each in series
    ]
    assert verdicts(hierarchical(flipped, "better")) == verdicts(result)
    summary = result.summary()
    below = verdicts(result).count("below the group's course")
    assert (summary["deteriorated"], summary["below_the_groups_course"]) == (None, below)


def test_slopes_of_their_own_that_the_scores_do_not_show_are_not_believed() -> None:
    # Drawn so that the fit is singular: the level alone would tell a client's slope, falsely.
    draw = random.Random(3)
    clients = []
    for _ in range(40):
        level = draw.gauss(15, 5)
        clients.append([(7.0 * k, level - 0.7 * k + draw.gauss(0, 2)) for k in range(6)])
    fitted = fit(clients)
    assert fitted.singular
    assert set(fitted.deviations) == {0.0}
    lowest, _, beta = dense(clients, fitted)
    assert (fitted.intercept, fitted.slope) == pytest.approx((beta[0][0], beta[1][0]))
    for name in ("sd_intercept", "residual"):
        for factor in (0.98, 1.02):
            other = replace(fitted, **{name: getattr(fitted, name) * factor})
            assert dense(clients, other)[0] > lowest


def test_slopes_that_do_not_differ_leave_everybody_within_the_course() -> None:
    draw = random.Random(11)
    noise = [[draw.gauss(0, 1) for _ in range(6)] for _ in range(8)]
    even = [[value - mean(row) for value in row] for row in noise]
    clients = [[(float(k), 10 - k + row[k] - slope_of(row) * (k - 2.5)) for k in range(6)]
               for row in even]  # fmt: skip
    result = hierarchical([Series(str(i), tuple(p)) for i, p in enumerate(clients)], "worse")
    assert set(verdicts(result)) == {"within the group's course"}
    assert {row.statistic for row in result.rows} == {0.0}


def slope_of(row: list[float]) -> float:
    return sum((k - 2.5) * value for k, value in enumerate(row)) / 17.5


# --- where all have the same days the estimates follow from an analysis of variance --------------

WEEKS = 7
DAYS = [7.0 * week for week in range(WEEKS)]
MIDDLE, SXX = 21.0, 49.0 * 28
"""The mean of these days, and their sum of squares around it."""


def even(seed: int, n: int, level: float, slope: float, noise: float) -> list[list[float]]:
    draw = random.Random(seed)
    made = []
    for _ in range(n):
        at, a_day = draw.gauss(15, level), draw.gauss(-0.1, slope)
        made.append([at + a_day * (day - MIDDLE) + draw.gauss(0, noise) for day in DAYS])
    return made


def fitted(clients: list[list[float]]) -> Fit:
    return fit([list(zip(DAYS, scores, strict=True)) for scores in clients])


def lines(clients: list[list[float]]) -> tuple[list[float], list[float], float]:
    """Everybody's level at the middle, own slope, and the squares around these lines together."""
    levels = [mean(scores) for scores in clients]
    slopes = [
        sum((day - MIDDLE) * score for day, score in zip(DAYS, scores, strict=True)) / SXX
        for scores in clients
    ]
    rest = sum(
        (score - level - slope * (day - MIDDLE)) ** 2
        for scores, level, slope in zip(clients, levels, slopes, strict=True)
        for day, score in zip(DAYS, scores, strict=True)
    )
    return levels, slopes, rest


def shared(one: list[float], other: list[float]) -> float:
    at, beside = mean(one), mean(other)
    both = sum((x - at) * (y - beside) for x, y in zip(one, other, strict=True))
    return both / (len(one) - 1)


def crossed() -> list[list[float]]:
    """High and low, falling and rising, three of each pair: no slope goes with a level."""
    draw = random.Random(4)
    shapes = []
    for _ in range(3):
        noise = [draw.gauss(0, 1.5) for _ in DAYS]
        ((level,), (slope,), _) = lines([noise])
        shapes.append(
            [x - level - slope * (day - MIDDLE) for x, day in zip(noise, DAYS, strict=True)]
        )
    return [
        [15 + at + a_day * (day - MIDDLE) + x for x, day in zip(shape, DAYS, strict=True)]
        for shape in shapes
        for at in (-4, 4)
        for a_day in (-0.3, 0.1)
    ]


@pytest.mark.parametrize("clients", [even(1, 12, level=4.0, slope=0.2, noise=1.5), crossed()])
def test_levels_and_slopes_vary_by_what_error_does_not_explain(
    clients: list[list[float]],
) -> None:
    levels, slopes, rest = lines(clients)
    error = rest / (12 * (WEEKS - 2))
    a, b = shared(levels, levels) - error / WEEKS, shared(slopes, slopes) - error / SXX
    both = shared(levels, slopes)
    told = fitted(clients)
    assert told.residual == pytest.approx(math.sqrt(error), rel=1e-6)
    assert told.slope == pytest.approx(mean(slopes))
    assert told.intercept == pytest.approx(mean(levels) - MIDDLE * mean(slopes))
    at_first = a - 2 * MIDDLE * both + MIDDLE**2 * b
    assert (told.sd_intercept, told.sd_slope, told.correlation) == pytest.approx(
        (math.sqrt(at_first), math.sqrt(b), (both - MIDDLE * b) / math.sqrt(at_first * b)),
        rel=1e-5,
    )
    assert not told.singular


def test_who_cross_on_one_day_differ_in_slope_alone() -> None:
    clients = [
        [score - mean(scores) + 15 for score in scores]
        for scores in even(2, 10, level=0.0, slope=0.2, noise=1.0)
    ]
    _, slopes, rest = lines(clients)
    # Levels do not vary at all: their nine degrees of freedom speak of the error, and find none.
    error = rest / (10 * (WEEKS - 2) + 9)
    kept = shared(slopes, slopes) - error / SXX
    told = fitted(clients)
    assert told.residual == pytest.approx(math.sqrt(error), rel=1e-6)
    assert told.sd_slope == pytest.approx(math.sqrt(kept), rel=1e-5)
    assert told.sd_intercept == pytest.approx(MIDDLE * told.sd_slope, rel=1e-5)
    assert told.correlation == pytest.approx(-1)
    assert told.deviations == pytest.approx(
        [(slope - mean(slopes)) * kept / (kept + error / SXX) for slope in slopes], rel=1e-5
    )
    assert told.errors == pytest.approx([math.sqrt(kept * error / (kept * SXX + error))] * 10)


def test_who_differ_in_level_alone_have_the_groups_slope() -> None:
    draw = random.Random(3)
    clients = []
    for _ in range(10):
        noise = [draw.gauss(0, 1.2) for _ in DAYS]
        ((level,), (slope,), _) = lines([noise])
        steady = [x - slope * (day - MIDDLE) for x, day in zip(noise, DAYS, strict=True)]
        at = draw.gauss(15, 4)
        clients.append(
            [at + x - level - 0.1 * (day - MIDDLE) for x, day in zip(steady, DAYS, strict=True)]
        )
    levels, _, rest = lines(clients)
    error = rest / (10 * (WEEKS - 2) + 9)
    told = fitted(clients)
    assert told.residual == pytest.approx(math.sqrt(error), rel=1e-6)
    assert told.sd_intercept == pytest.approx(
        math.sqrt(shared(levels, levels) - error / WEEKS), rel=1e-5
    )
    assert (told.sd_slope, told.correlation, told.singular) == (0.0, None, True)
    assert (set(told.deviations), set(told.errors)) == ({0.0}, {0.0})
    assert told.slope == pytest.approx(-0.1)


def fan(by: float) -> list[Measures]:
    """Who starts higher falls faster, by so much a day for each step of the level."""
    draw = random.Random(0)
    clients = []
    for _ in range(12):
        z = draw.gauss(0, 1)
        clients.append(
            [(day, 20 + 6 * z - (0.1 + by * z) * day + draw.gauss(0, 0.6)) for day in DAYS]
        )
    return clients


def test_slopes_that_follow_from_levels_are_kept_where_the_scores_show_them() -> None:
    clients = fan(0.05)
    told = fit(clients)
    assert told.singular
    assert told.correlation == pytest.approx(-1)
    lowest, expected, _ = dense(clients, told)
    assert list(zip(told.deviations, told.errors, strict=True)) == [
        pytest.approx(one, rel=1e-5) for one in expected
    ]
    for name, factor in (("sd_intercept", 1.02), ("sd_slope", 0.98), ("correlation", 0.98)):
        other = replace(told, **{name: getattr(told, name) * factor})
        assert dense(clients, other)[0] > lowest


def test_they_are_kept_from_where_the_deviance_shows_them_at_the_limit() -> None:
    weak, strong = 0.0, 0.05
    while strong - weak > 1e-6:
        middle = (weak + strong) / 2
        kept = any(fit(fan(middle)).deviations)
        weak, strong = (weak, middle) if kept else (middle, strong)
    without, beside = fit(fan(weak)), fit(fan(strong))
    assert without.singular
    assert beside.singular
    gained = dense(fan(weak), without)[0] - dense(fan(strong), beside)[0]
    # One degree of freedom or two, alike likely (Self and Liang 1987).
    one, two = 2 * NormalDist().cdf(-math.sqrt(gained)), math.exp(-gained / 2)
    assert (one + two) / 2 == pytest.approx(0.05, abs=2e-4)
