"""Questionnaires as data: what the door scores a measure with and the detector judges it by."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

HALF_WIDTH = 1.96
"""Standard normal quantile of the two-sided 95 % limits of Jacobson and Truax (1991)."""


@dataclass(frozen=True, slots=True)
class Band:
    """A severity band, both ends included, in the instrument's own direction."""

    label: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The cut-off as printed: a score that stands in `operator` to `value` is a case."""

    operator: str
    value: float
    source: str


@dataclass(frozen=True, slots=True)
class Reliability:
    """A reliability coefficient; thresholds of different kinds are not comparable."""

    value: float
    kind: str
    sample: str
    source: str


@dataclass(frozen=True, slots=True)
class Norm:
    """Mean and standard deviation of a clinical sample at the start of treatment."""

    mean: float | None
    sd: float
    sample: str
    source: str


@dataclass(frozen=True, slots=True)
class Published:
    """A threshold of reliable change as somebody published it, with its confidence level."""

    operator: str
    value: float
    confidence: float
    source: str


@dataclass(frozen=True, slots=True)
class Conditional:
    """A cut-off that holds for some clients or respondents alone; `when` says for which."""

    when: Mapping[str, str]
    cutoff: Cutoff


@dataclass(frozen=True, slots=True)
class Subscale:
    """Some of the items, numbered from 1, summed on their own and multiplied.

    `missing` of them are made up for by the mean of its others; None: as the whole form allows.
    """

    title: str
    items: tuple[int, ...]
    multiply: float
    minimum: float
    maximum: float
    bands: tuple[Band, ...]
    cutoff: Cutoff | None
    reliability: Reliability | None
    norm: Norm | None
    missing: int | None = None

    @property
    def is_scale(self) -> bool:
        """Whether it is a scale of its own: it has something to be read by."""
        return bool(self.bands or self.cutoff or self.reliability or self.norm)


@dataclass(frozen=True, slots=True)
class Exceptional:
    """Items, numbered from 1, that take other answers than the rest, rising."""

    items: tuple[int, ...]
    answers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """What the single answers may be; wording only where the licence lets it be shipped.

    Of each group in `highest_of` the highest answer alone is summed, of `outside_total` none. An
    unanswered item of `may_not_apply` did not apply: nothing is missing.
    """

    count: int
    minimum: int
    maximum: int
    reversed: frozenset[int]
    multiply: float
    stem: str
    anchors: tuple[str, ...]
    wording: tuple[str, ...]
    exceptions: tuple[Exceptional, ...] = ()
    highest_of: tuple[tuple[int, ...], ...] = ()
    outside_total: frozenset[int] = frozenset()
    may_not_apply: frozenset[int] = frozenset()

    def answers(self, item: int) -> Sequence[int]:
        """What an item, counted from 1, may be answered with, rising."""
        for one in self.exceptions:
            if item in one.items:
                return one.answers
        return range(self.minimum, self.maximum + 1)

    @property
    def summed(self) -> tuple[tuple[int, ...], ...]:
        """What is summed, in groups of which the highest answer counts; most are single items."""
        elsewhere = self.outside_total.union(*self.highest_of)
        alone = ((item,) for item in range(1, self.count + 1) if item not in elsewhere)
        return (*self.highest_of, *alone)


@dataclass(frozen=True, slots=True)
class Missing:
    """How many unanswered items are made up for by the mean of the others, and how."""

    most: int
    round: bool
    within_subscales: bool


@dataclass(frozen=True, slots=True)
class RiskItem:
    """An item that asks about danger: endorsed from one answer on, urgent from another or never."""

    item: int
    kind: str
    endorsed_from: int
    urgent_from: int | None
    source: str


@dataclass(frozen=True, slots=True)
class Instrument:
    """One questionnaire. `items` is None where totals alone are taken.

    `oriented` values are turned so that higher is worse, which is what every rule is written in.
    `needs` names what a threshold depends on and a measure does not tell; `cutoffs` are those that
    hold for some alone; `also` holds, by table, the other values that are in use. `alarm` holds
    thresholds of P(fail) by the share of false alarms that they keep to.
    """

    id: str
    version: str
    title: str
    construct: str
    population: str
    minimum: float
    maximum: float
    step: float
    higher_is: str
    items: Items | None
    missing: Missing
    subscales: Mapping[str, Subscale]
    bands: tuple[Band, ...]
    cutoff: Cutoff | None
    cutoffs: tuple[Conditional, ...]
    needs: tuple[str, ...]
    reliability: Reliability | None
    norm: Norm | None
    published: Published | None
    risk: tuple[RiskItem, ...]
    loinc: Mapping[str, str]
    snomed: Mapping[str, str]
    licence: str
    item_text: bool
    alarm: Mapping[float, float]
    sources: dict[str, str]
    also: Mapping[str, tuple[Mapping[str, Any], ...]]
    notes: tuple[str, ...]

    @property
    def scales(self) -> tuple[str, ...]:
        """The subscales that are scales of their own."""
        return tuple(name for name, one in self.subscales.items() if one.is_scale)

    def scale(self, name: str) -> "Instrument":
        """A subscale as an instrument of its own: what a trajectory of it is judged by."""
        one = self.subscales[name]
        own = f"subscale {name}: "
        return replace(
            self,
            title=f"{self.title}: {one.title}",
            minimum=one.minimum,
            maximum=one.maximum,
            step=one.multiply,
            subscales={},
            bands=one.bands,
            cutoff=one.cutoff,
            cutoffs=(),
            needs=() if one.cutoff else self.needs,
            reliability=one.reliability,
            norm=one.norm,
            published=None,
            risk=(),
            alarm={},
            sources={
                key.removeprefix(own): source
                for key, source in self.sources.items()
                if key.startswith(own)
            },
            also={},
        )

    @property
    def sign(self) -> float:
        """What a score is multiplied with to become oriented."""
        return 1.0 if self.higher_is == "worse" else -1.0

    def alarm_threshold(self, budget: float) -> float | None:
        """P(fail) above which this share of successes is alarmed at most; None if not calibrated.

        Between two calibrated budgets on the straight line; beyond them that of the nearest.
        """
        known = sorted(self.alarm.items())
        for (low, high_limit), (high, low_limit) in pairwise(known):
            if low <= budget <= high:
                share = (budget - low) / (high - low)
                return high_limit + share * (low_limit - high_limit)
        if not known:
            return None
        return known[0][1] if budget < known[0][0] else known[-1][1]

    @property
    def oriented_cut(self) -> float | None:
        """The oriented cut: halfway between the mildest case and the score beside it.

        Half a score step below the printed value where that value can be scored
        (>= 10 becomes 9.5; WHO-5 <= 50 in steps of 4 becomes 50, between 48 and 52).
        """
        if self.cutoff is None:
            return None
        base = self.sign * (self.minimum if self.sign > 0 else self.maximum)
        steps = (self.sign * self.cutoff.value - base) / self.step
        strict = self.cutoff.operator in (">", "<")
        mildest = math.floor(steps + 1e-9) + 1 if strict else math.ceil(steps - 1e-9)
        return base + (mildest - 0.5) * self.step

    @property
    def jacobson_truax(self) -> float | None:
        """1.96 * sqrt(2) * SD * sqrt(1 - r), unrounded (Jacobson and Truax 1991)."""
        if self.norm is None or self.reliability is None:
            return None
        return HALF_WIDTH * math.sqrt(2 * (1 - self.reliability.value)) * self.norm.sd

    @property
    def reliable_change(self) -> float | None:
        """The change beyond measurement error: computed, else as published, else None."""
        computed = self.jacobson_truax
        if computed is not None:
            return computed
        return None if self.published is None else self.published.value
