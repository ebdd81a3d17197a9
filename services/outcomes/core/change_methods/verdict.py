"""What a method says of a client: the words, the cut-off, and how both make a class."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RECOVERED = "recovered"
IMPROVED = "improved"
UNCHANGED = "unchanged"
DETERIORATED = "deteriorated"
HARMED = "harmed"
NOT_ASSESSABLE = "not assessable"
CLASSES = (RECOVERED, IMPROVED, UNCHANGED, DETERIORATED, HARMED)
"""Each client falls into one: recovered did improve too, harmed did deteriorate too."""

ABOVE = "above the group's course"
WITHIN = "within the group's course"
BELOW = "below the group's course"
COURSES = (ABOVE, WITHIN, BELOW)
"""What a method says that compares with the group: nothing of whether somebody got worse."""

CRITICAL = 1.96
"""Two-sided .05 limit of a standard normal statistic."""


class NotAssessableError(Exception):
    """A method cannot be used on these data; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The cut-off between the clinical and the functional range, and where it comes from."""

    kind: str
    value: float

    def is_case(self, score: float, sign: float) -> bool:
        """Whether a score stands at the cut-off or on its clinical side."""
        return sign * score >= sign * self.value


@dataclass(frozen=True, slots=True)
class Row:
    """What a method says of one client; `statistic` is None where it has none."""

    client: str
    pre: float | None
    post: float | None
    statistic: float | None
    verdict: str
    why: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def change(self) -> float | None:
        """The score after minus the score before, in the scale's own direction."""
        return None if self.pre is None or self.post is None else self.post - self.pre


@dataclass(frozen=True, slots=True)
class Result:
    """What a method says of everybody, with the numbers it used.

    Attributes:
        s_diff: standard error of a difference, sqrt(2) * SEM; None where no reliability is used.
        standard_error: what the numerator was divided by, where that is the same for everybody.
        critical: the limit of the statistic.
        used: further numbers, by name.
    """

    method: str
    rows: Sequence[Row]
    relative: bool = False
    cut: Cut | None = None
    s_diff: float | None = None
    standard_error: float | None = None
    critical: float | None = None
    used: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    note: str = ""

    def summary(self) -> dict[str, int | None]:
        """How many fall into each class; None for a class that the method cannot tell."""
        told: dict[str, int | None] = dict.fromkeys(CLASSES)
        if not self.relative and not self.counts:
            told |= {name: self._count(name) for name in CLASSES}
            if self.cut is None:
                told |= {RECOVERED: None, HARMED: None}
        if self.relative:
            told |= {_key(name): self._count(name) for name in COURSES}
        return {**told, **self.counts, _key(NOT_ASSESSABLE): self._count(NOT_ASSESSABLE)}

    def _count(self, verdict: str) -> int:
        return sum(row.verdict == verdict for row in self.rows)


def _key(words: str) -> str:
    return words.replace("'", "").replace(" ", "_")


def sign_of(higher_is: str) -> float:
    """What a score is multiplied with so that higher is worse."""
    return 1.0 if higher_is == "worse" else -1.0


def absolute(moved: float, pre: float, post: float, cut: Cut | None, sign: float) -> str:
    """The class of a client who moved: 1 reliably worse, -1 reliably better, 0 neither."""
    if moved == 0:
        return UNCHANGED
    before = cut is not None and cut.is_case(pre, sign)
    after = cut is not None and cut.is_case(post, sign)
    if moved < 0:
        return RECOVERED if before and not after else IMPROVED
    return HARMED if after and not before else DETERIORATED


def relative(moved: float) -> str:
    """Where a client stands beside the group: 1 worse than its course, -1 better, 0 neither."""
    return BELOW if moved > 0 else ABOVE if moved < 0 else WITHIN


def beyond(oriented: float, critical: float) -> int:
    """1 where an oriented statistic is beyond its limit, -1 where it is beyond the other."""
    return (oriented > critical) - (oriented < -critical)


def at_least(oriented: float, limit: float) -> int:
    """As `beyond`, but a change of just the limit counts; rounding of decimals does not matter."""
    slack = 1e-9 * abs(limit)
    return (oriented >= limit - slack) - (oriented <= slack - limit)


def mean(values: Sequence[float]) -> float:
    """The mean of at least one value."""
    return math.fsum(values) / len(values)


def sd(values: Sequence[float]) -> float:
    """The standard deviation of a sample of at least two values, n - 1 in the denominator.

    Equal values have none: the rounding of their mean would else pass for a spread.
    """
    if min(values) == max(values):
        return 0.0
    middle = mean(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1))


def correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Pearson's correlation of two lists that both vary."""
    at, other = mean(first), mean(second)
    both = math.fsum((x - at) * (y - other) for x, y in zip(first, second, strict=True))
    return both / ((len(first) - 1) * sd(first) * sd(second))


def unassessed(client: str, pre: float | None, post: float | None, why: str | None) -> Row:
    """The row of a client of whom nothing can be said."""
    return Row(client, pre, post, None, NOT_ASSESSABLE, why)


def complete(pairs: Iterable["Pair"]) -> list[tuple[float, float]]:
    """The scores of those who have both."""
    return [(at.pre, at.post) for at in pairs if at.pre is not None and at.post is not None]


@dataclass(frozen=True, slots=True)
class Pair:
    """A client's score before and after; None where none was given."""

    client: str
    pre: float | None
    post: float | None

    @property
    def lacks(self) -> str | None:
        """Which score is missing, None when both are there."""
        if self.pre is None:
            return "no score before" if self.post is not None else "no scores"
        return "no score after" if self.post is None else None
