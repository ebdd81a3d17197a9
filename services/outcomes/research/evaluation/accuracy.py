"""How well a rule finds failures: false alarms, sensitivity, lead, AUC, Brier, for any weights.

A bootstrap draw is a weight for each client (how often it was drawn), so that all is sorted once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.outcomes.research.evaluation.courses import Courses, Flags, Floats, Integers

LAST_LEFT_OUT = 2
"""An alarm at the last two measures of a course comes too late to count."""
EARLIEST_DAY = 14
"""Days since the first measure before which no alarm counts, the first measure alone apart."""
BINS = 10


@dataclass(frozen=True, slots=True)
class Alarms:
    """What a threshold does: shares of clients, leads averaged over all failures, missed ones 0."""

    false_alarms: float
    sensitivity: float
    lead_sessions: float
    lead_days: float
    threshold: float

    def towards(self, other: "Alarms", share: float) -> "Alarms":
        """What comes of alarming by `other` in a share of clients, by this in the rest."""

        def mixed(one: float, two: float) -> float:
            return one + share * (two - one)

        return Alarms(
            mixed(self.false_alarms, other.false_alarms),
            mixed(self.sensitivity, other.sensitivity),
            mixed(self.lead_sessions, other.lead_sessions),
            mixed(self.lead_days, other.lead_days),
            self.threshold,
        )


@dataclass(frozen=True, slots=True)
class _Steps:
    """A share of clients above any threshold, as a sum of sizes over sorted values."""

    values: Floats
    clients: Integers
    sizes: Floats

    @classmethod
    def of(cls, values: Floats, clients: Integers, sizes: Floats) -> "_Steps":
        order = np.argsort(values, kind="stable")
        return cls(values[order], clients[order], sizes[order])

    def sums(self, weights: Floats) -> Floats:
        """Sum of weighted sizes from each place to the end, 0 after it."""
        return np.append(np.cumsum((weights[self.clients] * self.sizes)[::-1])[::-1], 0.0)


class Judged:
    """A rule's numbers for all measures, sorted so that thresholds and weights cost little."""

    def __init__(self, courses: Courses, risks: Floats, first: int) -> None:
        """Judge `risks`, one for every measure; `first` is the first that may alarm."""
        self.courses, self.risks = courses, risks
        client, failed = courses.client, courses.failed
        self.counts: Flags = counts(courses, first) & ~np.isnan(risks)
        running = _running(courses, np.where(self.counts, risks, -np.inf))
        late = courses.number > courses.lengths[client] - LAST_LEFT_OUT
        last = courses.number == courses.lengths[client] - LAST_LEFT_OUT
        top = np.full(len(courses), -np.inf)
        top[client[last]] = running[last]
        self.highest = top
        ones = np.ones(len(courses))
        places = np.arange(len(courses))
        self._good = _Steps.of(top[~failed], places[~failed], ones[~failed])
        self._bad = _Steps.of(top[failed], places[failed], ones[failed])
        reach = failed[client] & ~late & (running > -np.inf)
        of = client[reach]
        sessions = np.where(last, float(LAST_LEFT_OUT), 1.0)[reach]
        self._sessions = _Steps.of(running[reach], of, sessions)
        self._days = _Steps.of(running[reach], of, _days_to_next(courses)[reach])

    def at_threshold(self, weights: Floats, threshold: float) -> Alarms:
        """What an alarm above a threshold does."""
        good, bad = self._totals(weights)
        sums = [one.sums(weights) for one in self._parts]
        return self._alarms(sums, good, bad, threshold, "right")

    def at_rates(self, weights: Floats, rates: Sequence[float]) -> list[Alarms]:
        """What the rule does at given shares of false alarms.

        Between two thresholds that straddle a rate (scores are whole numbers) the figures are those
        of tossing a coin between both, so that rules are compared at rates that are truly equal.
        """
        good, bad = self._totals(weights)
        sums = [one.sums(weights) for one in self._parts]
        shares = sums[0] / good
        return [self._at_rate(sums, shares, good, bad, rate) for rate in rates]

    @property
    def _parts(self) -> tuple[_Steps, ...]:
        return self._good, self._bad, self._sessions, self._days

    def _totals(self, weights: Floats) -> tuple[float, float]:
        good = float(weights[self._good.clients].sum())
        bad = float(weights[self._bad.clients].sum())
        return max(good, 1e-300), max(bad, 1e-300)

    def _at_rate(
        self, sums: Sequence[Floats], shares: Floats, good: float, bad: float, rate: float
    ) -> Alarms:
        # The first place, from below, from which on at most so many are alarmed.
        place = int(np.argmax(shares <= rate + 1e-12))
        values = self._good.values
        threshold = float(values[place - 1]) if place else -np.inf
        strict = self._alarms(sums, good, bad, threshold, "right")
        if threshold == -np.inf or strict.false_alarms >= rate - 1e-12:
            return strict
        loose = self._alarms(sums, good, bad, threshold, "left")
        gap = loose.false_alarms - strict.false_alarms
        share = min(1.0, (rate - strict.false_alarms) / gap) if gap > 0 else 0.0
        return strict.towards(loose, share)

    def _alarms(
        self,
        sums: Sequence[Floats],
        good: float,
        bad: float,
        threshold: float,
        side: Literal["left", "right"],
    ) -> Alarms:
        at = [
            float(total[np.searchsorted(part.values, threshold, side=side)])
            for part, total in zip(self._parts, sums, strict=True)
        ]
        return Alarms(at[0] / good, at[1] / bad, at[2] / bad, at[3] / bad, threshold)


def counts(courses: Courses, first: int) -> Flags:
    """Which measures an alarm may begin at: not too early, and not at the last two."""
    early = (courses.number < first) | (courses.day < EARLIEST_DAY)
    if first < 3:  # a rule that compares two scores may speak at once
        early = courses.number < first
    return ~early & (courses.number <= courses.lengths[courses.client] - LAST_LEFT_OUT)


def _running(courses: Courses, values: Floats) -> Floats:
    """The highest value of each client so far."""
    highest = values.copy()
    for number in range(1, courses.steps):
        at = courses.step(number)
        begin = int(courses.starts[number - 1])
        before = highest[begin : begin + int(courses.widths[number])]
        np.maximum(highest[at], before, out=highest[at])
    return highest


def _days_to_next(courses: Courses) -> Floats:
    """Days that an alarm at a measure comes before one at the next measure that counts."""
    gaps = np.zeros(courses.measures)
    for number in range(courses.steps - 1):
        width = int(courses.widths[number + 1])
        begin = int(courses.starts[number])
        gaps[begin : begin + width] = (
            courses.day[courses.step(number + 1)] - courses.day[begin : begin + width]
        )
    last = courses.number == courses.lengths[courses.client] - LAST_LEFT_OUT
    return np.where(last, courses.last_day[courses.client] - courses.day, gaps)


class Ranking:
    """The AUC of a rule's numbers at one number of measures."""

    def __init__(self, courses: Courses, risks: Floats, number: int) -> None:
        """Rank the clients who have this measure and two more."""
        at = courses.step(number - 1) if number <= courses.steps else slice(0, 0)
        clients = courses.client[at]
        told = ~np.isnan(risks[at]) & (courses.lengths[clients] >= number + LAST_LEFT_OUT)
        self.clients = clients[told]
        self._failed = courses.failed[self.clients]
        _, self._place = np.unique(risks[at][told], return_inverse=True)

    def auc(self, weights: Floats) -> float | None:
        """P(a failure has the higher number than a success), ties half; None without both."""
        w = weights[self.clients]
        bad = np.bincount(self._place, w * self._failed)
        good = np.bincount(self._place, w * ~self._failed)
        pairs = bad.sum() * good.sum()
        if pairs <= 0:
            return None
        lower = np.cumsum(good) - good
        return float((bad * (lower + 0.5 * good)).sum() / pairs)


@dataclass(frozen=True, slots=True)
class Bin:
    """Probabilities between two limits: how many, what they said, what came."""

    low: float
    high: float
    n: int
    predicted: float
    observed: float


class Chances:
    """How true a rule's probabilities are, over all measures at which an alarm could begin."""

    def __init__(self, judged: Judged) -> None:
        """Take the probabilities that count."""
        courses, told = judged.courses, judged.counts
        self._client = courses.client[told]
        self._p = judged.risks[told]
        self._failed = courses.failed[self._client].astype(np.float64)
        clients = len(courses)
        self._squares = np.bincount(self._client, (self._p - self._failed) ** 2, clients)
        self._number = np.bincount(self._client, minlength=clients).astype(np.float64)

    def brier(self, weights: Floats) -> float | None:
        """Mean squared difference of probability and outcome; None without any."""
        total = float((weights * self._number).sum())
        return None if total <= 0 else float((weights * self._squares).sum()) / total

    def base_brier(self) -> float | None:
        """The same for one who always says the share of failures."""
        if not len(self._failed):
            return None
        share = float(self._failed.mean())
        return share * (1 - share)

    def bins(self) -> list[Bin]:
        """The reliability curve: ten bins of probability, empty ones left out."""
        place = np.minimum((self._p * BINS).astype(np.int64), BINS - 1)
        found = []
        for number in range(BINS):
            inside = place == number
            if inside.any():
                predicted, observed = self._p[inside].mean(), self._failed[inside].mean()
                low, high = number / BINS, (number + 1) / BINS
                found.append(Bin(low, high, int(inside.sum()), float(predicted), float(observed)))
        return found
