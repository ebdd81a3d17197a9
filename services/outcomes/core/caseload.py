"""What a caseload's own endings say of the rules: base rate, PPV, effects, each with its number."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from services.outcomes.core.approach import Approaches
from services.outcomes.core.channels import RULEBOOK, WORSE
from services.outcomes.core.ending import FAILURE, SUCCESS
from services.outcomes.core.event import Event
from services.outcomes.core.found import told
from services.outcomes.core.normal import Z80


@dataclass(frozen=True, kw_only=True)
class StatisticsPublished(Event):
    """What the endings of one instrument say now; see `schemas.messages.StatisticsPublished`."""

    TOPIC: ClassVar[str] = "caseload.statistics_published"

    instrument: str
    on: str
    statistics: dict[str, Any]


LEAST = 100
"""Endings below which nothing but their number is told."""
SMALL = 5
"""A cell of fewer is not told: it would speak of persons."""
STRATA = (0.5, 0.7, 0.85)
"""Bounds of P(fail) between which two forecasts are alike."""
Z95 = 1.959964


class Share(NamedTuple):
    """A share with its 95 % interval (Wilson 1927)."""

    n: int
    of: int
    share: float
    low: float
    high: float

    @classmethod
    def of_counts(cls, n: int, of: int) -> "Share":
        """So many of so many; `of` is at least 1."""
        share, square = n / of, Z95 * Z95
        whole = 1 + square / of
        middle = (share + square / (2 * of)) / whole
        half = Z95 * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / whole
        return cls(n, of, share, max(0.0, middle - half), min(1.0, middle + half))

    def as_dict(self) -> dict[str, Any]:
        """As JSON values, rounded."""
        return {
            "n": self.n,
            "of": self.of,
            "share": told(self.share),
            "low": told(self.low),
            "high": told(self.high),
        }


def statistics(endings: Iterable[Mapping[str, Any]], approaches: Approaches) -> dict[str, Any]:
    """The statistics of one instrument's endings: fields of `schemas.messages.StatisticsPublished`.

    Endings that are neither success nor failure are counted and left out. Below `LEAST` endings
    only the numbers are told. An approach of several names is one, told by its one name.
    """
    every = list(endings)
    judged = [one for one in every if one["result"] in (SUCCESS, FAILURE)]
    failed = sum(one["result"] == FAILURE for one in judged)
    known = len(judged) >= LEAST
    pivoted, unpivoted = _differences(judged)
    return {
        "endings": len(judged),
        "left_out": len(every) - len(judged),
        "least": LEAST,
        "base_rate": Share.of_counts(failed, len(judged)).as_dict() if known else None,
        "channels": _channels(judged) if known else [],
        "effects": _effects(pivoted, approaches) if known else [],
        "like_forecast": _like_forecast(pivoted, unpivoted) if known else None,
    }


def _channels(judged: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """How often a course in which a channel spoke was a failure."""
    told_of = []
    for channel in (one.channel for one in RULEBOOK if one.channel in WORSE):
        found = [one for one in judged if channel in one["channels"]]
        if len(found) >= SMALL:
            failed = sum(one["result"] == FAILURE for one in found)
            told_of.append(
                {"channel": channel, "ppv": Share.of_counts(failed, len(found)).as_dict()}
            )
    return told_of


Differences = Sequence[Mapping[str, Any]]


def _differences(judged: Iterable[Mapping[str, Any]]) -> tuple[Differences, Differences]:
    """Those after a pivot, and those where nothing was changed."""
    every = [one for ending in judged for one in ending["differences"]]
    return (
        [one for one in every if one["approach"] is not None],
        [one for one in every if one["approach"] is None],
    )


class Cell(NamedTuple):
    """The differences of one approach after findings of one channel."""

    approach: str
    channel: str | None
    values: Sequence[float]

    @property
    def mean(self) -> float:
        """Of the differences."""
        return sum(self.values) / len(self.values)


def _effects(pivoted: Differences, approaches: Approaches) -> list[dict[str, Any]]:
    """Mean difference against the forecast by approach and channel, shrunk towards all of them.

    A cell's mean is drawn to the mean of all pivots by the share of its variance that chance
    explains (random effects, DerSimonian and Laird 1986): a small cell says little of its own.
    """
    grouped: dict[tuple[str, str | None], list[float]] = defaultdict(list)
    called: dict[str, str] = {}
    for one in pivoted:
        name = approaches.name(one["approach"])
        key = approaches.key(name)
        called[key] = min(name, called.get(key, name))  # in whatever order the endings come
        grouped[key, one["channel"]].append(one["difference"])
    cells = [Cell(called[key], channel, values) for (key, channel), values in grouped.items()]
    if len(pivoted) < SMALL:
        return []
    within = _within(cells, pivoted)
    middle, between = _random_effects(cells, within)
    found = []
    for cell in sorted(cells, key=lambda one: (one.approach, one.channel or "")):
        if len(cell.values) >= SMALL:
            error = within / len(cell.values)
            keep = between / (between + error)
            mean = keep * cell.mean + (1 - keep) * middle
            half = Z80 * math.sqrt(keep * error + (1 - keep) ** 2 * within / len(pivoted))
            found.append(
                {
                    "approach": cell.approach,
                    "channel": cell.channel,
                    "n": len(cell.values),
                    "mean": told(cell.mean),
                    "shrunk": told(mean),
                    "low80": told(mean - half),
                    "high80": told(mean + half),
                }
            )
    return found


def _within(cells: Sequence[Cell], pivoted: Differences) -> float:
    """The variance of one difference: pooled over the cells, else as the forecasts expect it."""
    squares = sum((value - cell.mean) ** 2 for cell in cells for value in cell.values)
    freedom = len(pivoted) - len(cells)
    expected = sum(one["variance"] for one in pivoted) / len(pivoted)
    return squares / freedom if freedom > 0 and squares > 0 else expected


def _random_effects(cells: Sequence[Cell], within: float) -> tuple[float, float]:
    """The mean of all pivots, and the variance between cells beyond chance."""
    weights = [len(cell.values) / within for cell in cells]
    whole = sum(weights)
    fixed = sum(w * cell.mean for w, cell in zip(weights, cells, strict=True)) / whole
    q = sum(w * (cell.mean - fixed) ** 2 for w, cell in zip(weights, cells, strict=True))
    spread = whole - sum(w * w for w in weights) / whole
    between = max(0.0, (q - (len(cells) - 1)) / spread) if spread > 0 else 0.0
    return fixed, between


def _like_forecast(pivoted: Differences, unpivoted: Differences) -> dict[str, Any] | None:
    """Courses with a pivot beside courses without one at a like forecast.

    Both regress to the mean after a bad run, so the difference between them says more than either
    alone. Within strata of P(fail), weighted by the pivots; its error holds that of both.
    """
    pairs = [
        (ours, theirs)
        for ours, theirs in zip(_strata(pivoted), _strata(unpivoted), strict=True)
        if min(len(ours), len(theirs)) >= SMALL
    ]
    n = sum(len(ours) for ours, _ in pairs)
    if not n:
        return None
    with_pivot = sum(sum(ours) for ours, _ in pairs) / n
    without = sum(len(ours) * _mean(theirs) for ours, theirs in pairs) / n
    error = sum(
        (len(ours) / n) ** 2 * (_variance(ours) / len(ours) + _variance(theirs) / len(theirs))
        for ours, theirs in pairs
    )
    half = Z95 * math.sqrt(error)
    difference = with_pivot - without
    return {
        "n": n,
        "n_without": sum(len(theirs) for _, theirs in pairs),
        "with_pivot": told(with_pivot),
        "without": told(without),
        "difference": told(difference),
        "low": told(difference - half),
        "high": told(difference + half),
    }


def _strata(differences: Differences) -> list[list[float]]:
    found: list[list[float]] = [[] for _ in range(len(STRATA) + 1)]
    for one in differences:
        found[sum(one["p_fail"] >= bound for bound in STRATA)].append(one["difference"])
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    middle = _mean(values)
    return sum((value - middle) ** 2 for value in values) / (len(values) - 1)
