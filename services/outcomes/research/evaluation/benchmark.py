"""Judges rules side by side on the same courses, with intervals from resampling clients."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.outcomes.core.estimate import DEFAULTS
from services.outcomes.research.evaluation import folding
from services.outcomes.research.evaluation.accuracy import (
    Alarms,
    Bin,
    Chances,
    Judged,
    Ranking,
)
from services.outcomes.research.evaluation.courses import Courses, Floats
from services.outcomes.research.evaluation.coverage import WEEKS, Coverage
from services.outcomes.research.evaluation.entered import (
    Rule,
    RuleError,
    Split,
    crossed,
    learn_by_fold,
)
from services.outcomes.research.evaluation.ours import Forecast, model_for

RATES = (0.05, 0.10, 0.20)
NUMBERS = (3, 4, 5, 6, 8, 10, 12)
"""Numbers of measures at which the AUC is told."""
OWN = "own"
LEVEL = 0.95
Moved = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""
Figures = Mapping[str, float | None]
Key = tuple[str, str]
"""A figure and what it is told for: a rate, a rule whose own rate it is, a number of measures."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is told of one rule.

    Attributes:
        rule: the rule.
        figures: by figure, then by rate ("0.10", "own", or the name of a rule: at its own rate).
        intervals: the same keys, each with low and high; only figures that have one.
        bins: the reliability curve, empty where the rule gives no probabilities.
        judged: its numbers, for pictures.
    """

    rule: Rule
    figures: Mapping[str, Figures]
    intervals: Mapping[str, Mapping[str, tuple[float, float]]]
    bins: Sequence[Bin]
    judged: Judged


@dataclass(frozen=True, slots=True)
class Outcome:
    """The benchmark's result."""

    courses: Courses
    verdicts: Sequence[Verdict]
    resampled: int
    base_brier: float | None
    reference: str
    """The rule that the others are compared with."""


@dataclass(slots=True)
class _Entry:
    """A rule with its numbers, sorted once."""

    rule: Rule
    judged: Judged
    rankings: Mapping[str, Ranking]
    chances: Chances | None
    coverages: Sequence[Coverage]
    drawn: dict[Key, list[float]] = field(default_factory=dict)


def run(
    split: Split,
    rules: Sequence[Rule],
    *,
    resampled: int,
    moved: Moved,
    rates: Sequence[float] = RATES,
) -> Outcome:
    """Judge `rules` on courses; the first of them is the one that others are compared with.

    Raises:
        RuleError: a rule failed, or two have one name.
    """
    names = [rule.name for rule in rules]
    if len(set(names)) < len(names):
        raise RuleError("two rules have the same name")
    entries, courses = [], split.judged
    for place, rule in enumerate(rules):
        moved(f"rule {rule.name}", place, len(rules))
        entries.append(_entry(rule, split))
    point = _all(entries, np.ones(len(courses)), rates)
    for number in range(resampled):
        moved("intervals", number, resampled)
        for entry, figures in zip(
            entries, _all(entries, _draw(courses, number), rates), strict=True
        ):
            for key, value in figures.items():
                if value is not None:
                    entry.drawn.setdefault(key, []).append(value)
    moved("intervals", resampled, resampled)
    verdicts = [_verdict(entry, told) for entry, told in zip(entries, point, strict=True)]
    base = next((one.chances.base_brier() for one in entries if one.chances), None)
    return Outcome(courses, verdicts, resampled, base, names[0])


def rate_key(rate: float) -> str:
    """A rate as it stands in results: two decimals."""
    return f"{rate:.2f}"


def _entry(rule: Rule, split: Split) -> _Entry:
    courses, learned = split.judged, learn_by_fold(rule, split)
    risks = crossed(rule, split, learned)
    if rule.probability and np.any((risks < 0) | (risks > 1)):
        raise RuleError(f"{rule.name} says PROBABILITY, yet a number is not from 0 to 1")
    judged = Judged(courses, risks, rule.first)
    rankings = {str(number): Ranking(courses, risks, number) for number in NUMBERS}
    chances = Chances(judged) if rule.probability else None
    coverages = _coverages(split, learned) if isinstance(rule, Forecast) else []
    return _Entry(rule, judged, rankings, chances, coverages)


def _coverages(split: Split, learned: Sequence[Any]) -> list[Coverage]:
    """The intervals of the filter, each client's from what was learned without that client."""
    courses = split.judged
    found = [Coverage(courses, weeks) for weeks in WEEKS]
    for number, known in enumerate(learned):
        held = split.folds == number
        part = courses.some(held)
        model = model_for(courses.scale, known or DEFAULTS)
        states = folding.fold(model, part)
        for one in found:
            one.add(np.flatnonzero(held), part, model, states)
    return found


def _draw(courses: Courses, number: int) -> Floats:
    """How often each client was drawn: clients with replacement, the seed is the draw's number."""
    clients = len(courses)
    drawn = np.random.default_rng(number).integers(0, clients, clients)
    return np.bincount(drawn, minlength=clients).astype(np.float64)


def _all(
    entries: Sequence[_Entry], weights: Floats, rates: Sequence[float]
) -> list[dict[Key, float | None]]:
    """Every figure of every rule under these weights, differences from the first rule too."""
    own = {
        entry.rule.name: entry.judged.at_threshold(weights, entry.rule.own)
        for entry in entries
        if entry.rule.own is not None
    }
    asked = {rate_key(rate): rate for rate in rates}
    asked |= {name: alarms.false_alarms for name, alarms in own.items()}
    share = _share_failed(entries[0], weights)
    found = [_of_one(entry, weights, asked, own.get(entry.rule.name), share) for entry in entries]
    for figures in found:
        for name in asked:
            one, first = figures["sensitivity", name], found[0]["sensitivity", name]
            if one is not None and first is not None:
                figures["sensitivity_below_first", name] = first - one
    return found


def _share_failed(entry: _Entry, weights: Floats) -> float:
    failed = entry.judged.courses.failed
    return float(weights[failed].sum() / weights.sum())


def _of_one(
    entry: _Entry,
    weights: Floats,
    asked: Mapping[str, float],
    own: Alarms | None,
    share: float,
) -> dict[Key, float | None]:
    at = dict(zip(asked, entry.judged.at_rates(weights, list(asked.values())), strict=True))
    if own is not None:
        at |= {OWN: own, entry.rule.name: own}
    told: dict[Key, float | None] = {}
    for name, alarms in at.items():
        told |= {(figure, name): value for figure, value in _figures(alarms, share)}
    told |= {("auc", name): one.auc(weights) for name, one in entry.rankings.items()}
    for one in entry.coverages:
        name = str(one.weeks)
        told["coverage", name] = one.share(weights)
        told["forecast_error", name] = one.error(weights)
        told["interval_width", name] = one.width(weights)
    told["brier", ""] = entry.chances.brier(weights) if entry.chances else None
    return told


def _figures(alarms: Alarms, share: float) -> Iterator[tuple[str, float | None]]:
    true, false = share * alarms.sensitivity, (1 - share) * alarms.false_alarms
    yield "sensitivity", alarms.sensitivity
    yield "lead_sessions", alarms.lead_sessions
    yield "lead_days", alarms.lead_days
    yield "ppv", true / (true + false) if true + false > 0 else None
    yield "false_alarms", alarms.false_alarms
    yield "threshold", alarms.threshold if np.isfinite(alarms.threshold) else None


def _verdict(entry: _Entry, point: Mapping[Key, float | None]) -> Verdict:
    figures: dict[str, dict[str, float | None]] = {}
    intervals: dict[str, dict[str, tuple[float, float]]] = {}
    for (figure, name), value in point.items():
        figures.setdefault(figure, {})[name] = value
        drawn = entry.drawn.get((figure, name))
        if drawn and value is not None:
            ends = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            intervals.setdefault(figure, {})[name] = (float(ends[0]), float(ends[1]))
    bins = entry.chances.bins() if entry.chances else []
    return Verdict(entry.rule, figures, intervals, bins, entry.judged)
