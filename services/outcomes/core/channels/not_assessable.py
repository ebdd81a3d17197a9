"""Not assessable, and why: too little is known to say that a course goes well or badly."""

from collections.abc import Mapping
from typing import NamedTuple

from services.outcomes.core.channels.meaning import EPISODE, Meaning
from services.outcomes.core.client import NOT_GIVEN
from services.outcomes.core.found import Found
from services.outcomes.core.rules import Rules
from services.outcomes.core.spec import Spec
from services.outcomes.core.timeline import iso, ordinal
from services.outcomes.core.trajectory import Step, Trajectory

TOO_FEW = "too_few"
TOO_OLD = "too_old"
USUAL_RANGE = "started_in_usual_range"
AT_TOP = "at_top_of_scale"
AT_BOTTOM = "at_bottom_of_scale"
NO_NORM = "no_norm"
NO_RELIABILITY = "no_reliability"
CONTRADICTION = "conflict"
UNKNOWN_INSTRUMENT = "unknown_instrument"
DAMAGED = "record_damaged"
MISSING = {
    NOT_GIVEN["age"]: "the client's age, on which the cut-off depends",
    NOT_GIVEN["gender"]: "the client's gender, on which the cut-off depends",
}
"""What somebody could find out, by the reason that names it."""

MEANING = Meaning(
    "not_assessable",
    "review",
    "Too little is known to say how the course goes, and why: fewer than {rules.alarm_measures} "
    "measures, or fewer than {rules.segment_measures} since a gap of more than {rules.gap_days} "
    "days; the last measure over {rules.old_days} days old; a start in the usual range, or so "
    "near an end of the scale that a change of c cannot show; no norm or no reliability; age or "
    "gender not given where the cut-off depends on it; measures that contradict each other; an "
    "instrument that is not known; a record that cannot be read. Info at once, review after "
    "{rules.unassessable_days} days.",
    "Jacobson and Truax 1991 for what c needs; the rest is practice",
    ("gap_days", "segment_measures", "old_days", "unassessable_days"),
    asked_of=EPISODE,
)


class Ignorance(NamedTuple):
    """What of an episode says how much is known; days are numbers, `today` the latest known."""

    primary: Trajectory | None
    instrument: str | None
    opened: int | None
    first: int | None
    today: int
    unknown_instruments: bool
    damaged: bool
    received_on: str


def of_step(spec: Spec, step: Step, first: Step) -> list[str]:
    """Why a measure tells less than it might, as known on its own day."""
    reasons = of_instrument(spec)
    few = step.number < spec.rules.alarm_measures
    if few or step.in_segment < spec.rules.segment_measures:
        reasons.append(TOO_FEW)
    return reasons + of_baseline(spec, first)


def of_instrument(spec: Spec) -> list[str]:
    """What is not known of the instrument itself."""
    reasons = []
    if spec.instrument.norm is None:
        reasons.append(NO_NORM)
    if spec.change is None and spec.instrument.reliability is None:
        reasons.append(NO_RELIABILITY)
    return [*reasons, *spec.unknown]


def of_baseline(spec: Spec, first: Step) -> list[str]:
    """What cannot show from where the course started."""
    instrument, reasons = spec.instrument, []
    cut = spec.cut
    if cut is not None and first.score < cut:
        reasons.append(USUAL_RANGE)
    if spec.change is None:
        return reasons
    start = spec.sign * first.score
    if not spec.beyond(instrument.maximum - start):
        reasons.append(AT_TOP)
    if not spec.beyond(start - instrument.minimum):
        reasons.append(AT_BOTTOM)
    return reasons


def not_assessable(known: Ignorance, held: Mapping[str, int], rules: Rules) -> Found | None:
    """Every reason that holds now; for review once it has held for 28 days, before that info."""
    if not held:
        return None
    trajectory = known.primary
    last = trajectory.last if trajectory else None
    newest = trajectory.days[-1].on if trajectory and trajectory.days else None
    longest = known.today - min(held.values())
    urgent = longest >= rules.unassessable_days or DAMAGED in held
    return Found(
        channel="not_assessable",
        tier="review" if urgent else "info",
        on=newest or iso(known.today),
        received_on=known.received_on,
        instrument=known.instrument,
        trajectories=(trajectory.key,) if trajectory else (),
        numbers={
            "instrument": known.instrument,
            "measures": last.number if last else 0,
            "last_on": newest,
            "days": None if newest is None else known.today - ordinal(newest),
        },
        reasons=list(held),
        missing=[MISSING[reason] for reason in held if reason in MISSING],
    )


def becomes_due(known: Ignorance, held: Mapping[str, int], rules: Rules) -> list[int]:
    """Day numbers at which time alone changes what is said here."""
    days = [since + rules.unassessable_days for since in held.values()]
    last = known.primary.last if known.primary else None
    if last is not None:
        days.append(last.day.ordinal + rules.old_days + 1)
    return days


def reasons(known: Ignorance, rules: Rules) -> dict[str, int]:
    """Each reason with the day number since which it holds."""
    begun = [day for day in (known.opened, known.first) if day is not None]
    start = min(begun, default=known.today)
    if known.damaged:
        return {DAMAGED: start}
    held: dict[str, int] = {}
    if known.unknown_instruments:
        held[UNKNOWN_INSTRUMENT] = start
    trajectory = known.primary
    last = trajectory.last if trajectory else None
    if trajectory is None or last is None:
        held[TOO_FEW] = start
    else:
        held |= _of_course(trajectory, last, known.today, rules, start)
    if trajectory is not None and _contradicted(trajectory):
        held[CONTRADICTION] = last.day.ordinal if last else start
    return held


def _of_course(
    trajectory: Trajectory, last: Step, today: int, rules: Rules, start: int
) -> dict[str, int]:
    spec, first = trajectory.spec, trajectory.steps[0]
    held = dict.fromkeys(of_instrument(spec), start)
    if last.number < rules.alarm_measures:
        held[TOO_FEW] = start
    elif last.in_segment < rules.segment_measures:
        held[TOO_FEW] = last.segment
    if today - last.day.ordinal > rules.old_days:
        held[TOO_OLD] = last.day.ordinal
    return held | dict.fromkeys(of_baseline(spec, first), first.day.ordinal)


def _contradicted(trajectory: Trajectory) -> bool:
    latest = trajectory.telling
    return latest is not None and latest.contradicts
