"""Pivots: the forecast at a change of approach, and what the scores did against it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from services.outcomes.core import estimate as filter_
from services.outcomes.core.assess import fan, shown
from services.outcomes.core.channels.not_assessable import TOO_FEW, TOO_OLD, of_instrument
from services.outcomes.core.estimate import Estimate, Model
from services.outcomes.core.found import raw, told
from services.outcomes.core.timeline import Approach, Fact, Reflection, ordinal
from services.outcomes.core.trajectory import Step, Trajectory

NAMED = ("medication", "life event", "setting", "other")
"""Kinds of facts that may have changed a course beside the pivot."""


class Pivot(NamedTuple):
    """A changed approach, and the day of the next one, None for the latest."""

    approach: Approach
    until: int | None


def pivots(approaches: Iterable[Approach]) -> list[Pivot]:
    """The changes of approach: all but the first, unless a reflection made that one too."""
    ordered = sorted(approaches, key=lambda one: (one.since, one.approach_id))
    found = []
    for place, approach in enumerate(ordered):
        if place == 0 and approach.origin != "reflection":
            continue
        following = ordered[place + 1].since if place + 1 < len(ordered) else None
        found.append(Pivot(approach, None if following is None else ordinal(following)))
    return found


def forecast_at_pivot(trajectory: Trajectory | None, approach: Approach) -> dict[str, Any]:
    """The fields of `schemas.messages.ForecastMade` at a change of approach.

    Measures of its own day count as before it: they are what the decision rested on.
    """
    told_of = _forecast(trajectory, approach.since, approach.review_on)
    return {"approach_id": approach.approach_id, "reflection": approach.reflection, **told_of}


def forecast_at_reflection(trajectory: Trajectory | None, reflection: Reflection) -> dict[str, Any]:
    """The same for a reflection, whatever was decided."""
    told_of = _forecast(trajectory, reflection.on, reflection.review_on)
    return {"approach_id": None, "reflection": reflection.reflection, **told_of}


def _forecast(trajectory: Trajectory | None, on: str, review_on: str | None) -> dict[str, Any]:
    standing, reasons = standing_on(trajectory, on)
    made: dict[str, Any] = {
        "trajectory": trajectory.key if trajectory else None,
        "on": on,
        "review_on": review_on,
        "p_worked": None,
        "fan": [],
        "not_assessable": reasons,
    }
    if trajectory is None or standing is None:
        return made
    made["fan"] = fan(trajectory.spec, standing.estimate, (ordinal(on) - standing.day) / 7)
    if review_on is not None:
        ahead = max(0.0, (ordinal(review_on) - standing.day) / 7)
        start = trajectory.steps[0].score
        chance = filter_.p_worked(standing.model, standing.estimate, ahead, start)
        made["p_worked"] = told(chance)
    return made


class Standing(NamedTuple):
    """What a forecast starts from: the estimate on or before its date, its day number, P(fail)."""

    model: Model
    estimate: Estimate
    day: int
    p_fail: float | None


def standing_on(trajectory: Trajectory | None, on: str) -> tuple[Standing | None, list[str]]:
    """What is known on a date, or why nothing can be forecast then."""
    if trajectory is None:
        return None, [TOO_FEW]
    spec = trajectory.spec
    known = [step for step in trajectory.steps if step.day.on <= on]
    if not known:
        return None, [*of_instrument(spec), TOO_FEW]
    last = known[-1]
    if spec.model is None or last.estimate is None:
        return None, of_instrument(spec)
    if ordinal(on) - last.day.ordinal > spec.rules.old_days:
        return None, [TOO_OLD]
    return Standing(spec.model, last.estimate, last.day.ordinal, last.p_fail), []


def effects(
    trajectory: Trajectory | None, pivot: Pivot, facts: Sequence[Fact]
) -> list[dict[str, Any]]:
    """The fields of `schemas.messages.EffectMeasured` for every measure after a pivot.

    A measure of the day of the next pivot still belongs to this one.
    """
    standing, _ = standing_on(trajectory, pivot.approach.since)
    if trajectory is None or standing is None:
        return []
    since = ordinal(pivot.approach.since)
    return [
        _effect(trajectory, pivot.approach, standing, later, facts)
        for later in trajectory.steps
        if since < later.day.ordinal and (pivot.until is None or later.day.ordinal <= pivot.until)
    ]


def _effect(
    trajectory: Trajectory,
    approach: Approach,
    standing: Standing,
    later: Step,
    facts: Sequence[Fact],
) -> dict[str, Any]:
    spec, entry = trajectory.spec, later.day.counted[-1]
    ahead = (later.day.ordinal - standing.day) / 7
    law = filter_.predict(standing.model, standing.estimate, ahead)
    limits = sorted((shown(spec.instrument, law.low80), shown(spec.instrument, law.high80)))
    return {
        "approach_id": approach.approach_id,
        "approach": approach.approach,
        "trajectory": trajectory.key,
        "measure": entry.measure,
        "version": entry.version,
        "on": later.day.on,
        "weeks": told((later.day.ordinal - ordinal(approach.since)) / 7),
        "observed": raw(spec, later.score),
        "mean": shown(spec.instrument, law.mean),
        "low80": limits[0],
        "high80": limits[1],
        "verdict": verdict(later.score, law),
        "also_changed": _also_changed(approach, later, facts, spec.rules.fact_days),
        "withdrawn": False,
    }


def verdict(score: float, law: filter_.Interval) -> str:
    """Better or worse than forecast only outside the 80 % predictive interval."""
    if score < law.low80:
        return "better than forecast"
    return "worse than forecast" if score > law.high80 else "within forecast"


def _also_changed(approach: Approach, later: Step, facts: Sequence[Fact], days: int) -> list[str]:
    since = ordinal(approach.since) - days
    return [
        f"{fact.kind}: {fact.label}"
        for fact in sorted(facts, key=lambda one: (one.on, one.fact))
        if fact.kind in NAMED and since <= ordinal(fact.on) <= later.day.ordinal
    ]


def withdrawn(told_of: Mapping[str, Any]) -> dict[str, Any]:
    """An effect that no longer stands: its measure is gone, or another measure took its place."""
    return {**told_of, "withdrawn": True}
