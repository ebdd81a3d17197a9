"""The estimate behind a trajectory: a damped local linear trend filter in plain floats.

Scores come in oriented (higher is worse), time in days. The state is the change since the baseline
D, the slope a week S and the baseline level B; the level is L = B + D. Carrying D in place of L
keeps the covariance usable at the start, where L and B are the same.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.outcomes.core.instrument import Instrument
from services.outcomes.core.normal import Z50, Z80, above, both_above

WEEK = 7.0
FAN_WEEKS = (1, 2, 4, 6, 8, 12)


@dataclass(frozen=True, slots=True)
class Defaults:
    """The numbers of the model, in units of the instrument's SD and of weeks.

    Chosen among fifteen settings with three real series in view (clinical evidence brief, 3).
    """

    state_noise: float = 0.03
    """Variance of a day's state, beside measurement error, in SD squared."""
    drift: float = 0.20
    """SD of the random walk of the change, in SD a root week."""
    damping: float = 0.90
    """What is left of the slope a week later."""
    slope_mean: float = -0.25
    """Slope expected at the start, in SD a week: negative is better."""
    slope_sd: float = 0.20
    slope_on_baseline: float = -0.02
    """Points a week by which the expected slope falls for each point of baseline above the mean."""
    slope_drift: float = 2.7e-6
    """Variance that the slope gains a week, in SD squared."""


DEFAULTS = Defaults()


@dataclass(frozen=True, slots=True)
class Model:
    """The filter's numbers for one instrument, oriented and in its own units."""

    mean: float | None
    sd: float
    noise: float
    drift: float
    damping: float
    slope_mean: float
    slope_variance: float
    slope_on_baseline: float
    slope_drift: float
    baseline_variance: float
    reliable_change: float
    cut: float | None
    reaches: Mapping[float, float]
    """How far a slope of 1 carries in the whole weeks that are asked for again and again."""

    @property
    def least_variance(self) -> float:
        """Below this variance of D a probability of change is not assessable."""
        return 1e-9 * self.sd * self.sd


def model(instrument: Instrument, defaults: Defaults = DEFAULTS) -> Model | None:
    """The model of an instrument, None where its SD or its reliability is not known."""
    norm, reliability, change = instrument.norm, instrument.reliability, instrument.jacobson_truax
    if norm is None or reliability is None or change is None:
        return None
    return model_of(
        mean=None if norm.mean is None else instrument.sign * norm.mean,
        sd=norm.sd,
        reliability=reliability.value,
        reliable_change=change,
        cut=instrument.oriented_cut,
        defaults=defaults,
    )


def model_of(
    *,
    mean: float | None,
    sd: float,
    reliability: float,
    reliable_change: float,
    cut: float | None,
    defaults: Defaults = DEFAULTS,
) -> Model:
    """The model of an oriented scale: `mean` and `sd` of a clinical sample at the start."""
    variance = sd**2
    return Model(
        mean=mean,
        sd=sd,
        noise=variance * (1.0 - reliability) + defaults.state_noise * variance,
        drift=defaults.drift**2 * variance,
        damping=defaults.damping,
        slope_mean=defaults.slope_mean * sd,
        slope_variance=defaults.slope_sd**2 * variance,
        slope_on_baseline=defaults.slope_on_baseline,
        slope_drift=defaults.slope_drift * variance,
        baseline_variance=variance * reliability,
        reliable_change=reliable_change,
        cut=cut,
        reaches={
            weeks: (1.0 - defaults.damping**weeks) / (1.0 - defaults.damping) for weeks in FAN_WEEKS
        },
    )


class Estimate(NamedTuple):
    """Means of D, S and B, their covariance, and the day that they stand for."""

    d: float
    s: float
    b: float
    dd: float
    ds: float
    db: float
    ss: float
    sb: float
    bb: float
    day: float

    @property
    def level(self) -> float:
        """The mean of the level L = B + D."""
        return self.b + self.d

    @property
    def level_variance(self) -> float:
        """Its variance."""
        return self.dd + 2.0 * self.db + self.bb


class Outlook(NamedTuple):
    """The joint normal law of the change and the level so many weeks ahead."""

    change: float
    change_variance: float
    level: float
    level_variance: float
    covariance: float


def start(model: Model, day: float, score: float) -> Estimate:
    """The estimate after the first measure.

    The prior is taken before the score is used: D is 0 exactly, B is the clinical mean (the score
    itself where no mean is known), and the slope depends on B.
    """
    mean = score if model.mean is None else model.mean
    variance = model.baseline_variance
    prior = Estimate(
        d=0.0,
        s=model.slope_mean,
        b=mean,
        dd=0.0,
        ds=0.0,
        db=0.0,
        ss=model.slope_variance + model.slope_on_baseline**2 * variance,
        sb=model.slope_on_baseline * variance,
        bb=variance,
        day=day,
    )
    return observe(model, prior, score)


def advance(model: Model, estimate: Estimate, day: float) -> Estimate:
    """The estimate carried to a later day; the same day changes nothing."""
    weeks = (day - estimate.day) / WEEK
    if weeks <= 0.0:
        return estimate
    d, s, b, dd, ds, db, ss, sb, bb, _ = estimate
    rest = model.damping**weeks
    reach = (1.0 - rest) / (1.0 - model.damping)
    return Estimate(
        d + reach * s,
        rest * s,
        b,
        dd + 2.0 * reach * ds + reach * reach * ss + model.drift * weeks,
        rest * (ds + reach * ss),
        db + reach * sb,
        rest * rest * ss + model.slope_drift * weeks,
        rest * sb,
        bb,
        day,
    )


def observe(model: Model, estimate: Estimate, score: float) -> Estimate:
    """The estimate after a score of the same day: the scalar update of y = B + D + e."""
    d, s, b, dd, ds, db, ss, sb, bb, day = estimate
    to_d, to_s, to_b = dd + db, ds + sb, db + bb
    total = to_d + to_b + model.noise
    surprise = (score - b - d) / total
    kd, ks = to_d / total, to_s / total
    return Estimate(
        d + to_d * surprise,
        s + to_s * surprise,
        b + to_b * surprise,
        dd - kd * to_d,
        ds - kd * to_s,
        db - kd * to_b,
        ss - ks * to_s,
        sb - ks * to_b,
        bb - to_b * to_b / total,
        day,
    )


def outlook(model: Model, estimate: Estimate, weeks: float) -> Outlook:
    """What is expected `weeks` (0 or more) after the estimate's day."""
    reach = model.reaches.get(weeks)
    if reach is None:
        reach = _reach(model, weeks)
    change = estimate.d + reach * estimate.s
    variance = (
        estimate.dd + 2.0 * reach * estimate.ds + reach * reach * estimate.ss + model.drift * weeks
    )
    with_baseline = estimate.db + reach * estimate.sb
    return Outlook(
        change=change,
        change_variance=variance,
        level=estimate.b + change,
        level_variance=variance + 2.0 * with_baseline + estimate.bb,
        covariance=variance + with_baseline,
    )


def p_fail(model: Model, estimate: Estimate, weeks: float) -> float:
    """P(in so many weeks: not reliably better, and still a case): the joint probability.

    Without a cut-off it is the first condition alone.
    """
    ahead = outlook(model, estimate, weeks)
    limit = -model.reliable_change
    if model.cut is None or ahead.change_variance <= model.least_variance:
        return above(ahead.change, ahead.change_variance, limit)
    change_sd, level_sd = math.sqrt(ahead.change_variance), math.sqrt(ahead.level_variance)
    return both_above(
        (limit - ahead.change) / change_sd,
        (model.cut - ahead.level) / level_sd,
        ahead.covariance / (change_sd * level_sd),
    )


def p_worse(model: Model, estimate: Estimate) -> float | None:
    """P(truly worse than at the baseline); None while no change can be told."""
    if estimate.dd <= model.least_variance:
        return None
    return above(estimate.d, estimate.dd, 0.0)


def p_better(model: Model, estimate: Estimate) -> float | None:
    """P(truly better by more than the reliable change); None while no change can be told."""
    if estimate.dd <= model.least_variance:
        return None
    return above(-estimate.d, estimate.dd, model.reliable_change)


def p_case(model: Model, estimate: Estimate) -> float | None:
    """P(the level is at or above the cut-off now); None without a cut-off."""
    if model.cut is None:
        return None
    return above(estimate.level, estimate.level_variance, model.cut)


def p_worked(model: Model, estimate: Estimate, weeks: float, baseline: float) -> float:
    """P(a score so many weeks ahead is reliably better than `baseline`, or below the cut-off)."""
    ahead = outlook(model, estimate, weeks)
    limit = baseline - model.reliable_change
    if model.cut is not None:
        limit = max(limit, model.cut)
    return 1.0 - above(ahead.level, ahead.level_variance + model.noise, limit)


class Interval(NamedTuple):
    """The predictive law of an oriented score: mean and limits, measurement error included."""

    mean: float
    low50: float
    high50: float
    low80: float
    high80: float


def predict(model: Model, estimate: Estimate, weeks: float) -> Interval:
    """What a score so many weeks ahead is expected to be."""
    ((mean, sd),) = forecasts(model, estimate, (weeks,))
    return Interval(mean, mean - Z50 * sd, mean + Z50 * sd, mean - Z80 * sd, mean + Z80 * sd)


def forecasts(
    model: Model, estimate: Estimate, weeks: Iterable[float]
) -> list[tuple[float, float]]:
    """Mean and SD of a score each so many weeks ahead: `outlook` with the measurement error."""
    d, s, b, dd, ds, db, ss, sb, bb, _ = estimate
    known, noise, drift, told = model.reaches, model.noise, model.drift, []
    for ahead in weeks:
        reach = known.get(ahead)
        if reach is None:
            reach = _reach(model, ahead)
        change_variance = dd + 2.0 * reach * ds + reach * reach * ss + drift * ahead
        variance = change_variance + 2.0 * (db + reach * sb) + bb
        told.append((b + (d + reach * s), math.sqrt(variance + noise)))
    return told


def _reach(model: Model, weeks: float) -> float:
    """How far a slope of 1 carries in so many weeks."""
    rest: float = model.damping**weeks
    return (1.0 - rest) / (1.0 - model.damping)
