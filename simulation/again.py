"""How often an alarm that has cleared speaks again: what hysteresis and silent weeks save."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.outcomes.core.spec import Spec
from services.outcomes.core.timeline import Measure, iso
from services.outcomes.core.trajectory import Context, Step, Trajectory, build
from simulation.cohort import cohort

START = 738_886  # 2024-01-01
REFRACTORY_DAYS = 28
"""As the alert policy has it."""


@dataclass(frozen=True, slots=True)
class Again:
    """Of the alarmed courses of a cohort, how many alarm more than once, by rule."""

    courses: int
    threshold_alone: tuple[int, int]
    """(alarmed, alarmed again): above the threshold is off track, at or below it is not."""
    hysteresis: tuple[int, int]
    """With the end at two consecutive measures well below the threshold, as shipped."""
    refractory: tuple[int, int]
    """The same, and silent for four weeks after an end."""


def again(spec: Spec, count: int, seed: int) -> Again:
    """Play a cohort to the filter and count; the same arguments give the same numbers."""
    tracks = [folded(spec, course.scores) for course in cohort(count, seed) if course.case]
    kept = [spells_of(one.alarm for one in track.steps) for track in tracks]
    return Again(
        courses=len(tracks),
        threshold_alone=_counted(len(spells_of(_above(track))) for track in tracks),
        hysteresis=_counted(map(len, kept)),
        refractory=_counted(
            spoken_of(track.steps, spells) for track, spells in zip(tracks, kept, strict=True)
        ),
    )


def folded(spec: Spec, scores: Sequence[tuple[int, int]]) -> Trajectory:
    """The trajectory of (day, score) pairs."""
    entries = [
        Measure(
            measure=f"{number:032x}",
            version=1,
            external_id="",
            instrument=spec.instrument.id,
            respondent="client",
            on=iso(START + day),
            at=None,
            score=float(score),
            band=None,
            flags=(),
            session_number=None,
            received_on=iso(START + day),
        )
        for number, (day, score) in enumerate(scores)
    ]
    return build("cohort", spec, entries, Context())


def _above(trajectory: Trajectory) -> Iterable[bool]:
    """Off track without hysteresis: P(fail) above the threshold, where an alarm may begin."""
    rules, steps = trajectory.spec.rules, trajectory.steps
    start = steps[0].day.ordinal if steps else 0
    for step in steps:
        early = step.number < rules.alarm_measures or step.day.ordinal - start < rules.alarm_days
        yield not early and (step.p_fail or 0.0) > trajectory.spec.threshold


def spells_of(states: Iterable[bool]) -> list[tuple[int, int]]:
    """(first, after the last) place of every stretch in which it is on."""
    found: list[tuple[int, int]] = []
    on = False
    for place, now in enumerate(states):
        if now and not on:
            found.append((place, place + 1))
        elif now:
            found[-1] = found[-1][0], place + 1
        on = now
    return found


def spoken_of(steps: Sequence[Step], spells: Sequence[tuple[int, int]]) -> int:
    """How many of the spells speak: a later one not within the refractory weeks of an end."""
    spoken, silent_until = 0, 0
    for _, after in spells:
        # What is still on when the silence ends speaks then.
        last = steps[after - 1].day.ordinal
        if last >= silent_until:
            spoken += 1
        if after < len(steps):
            silent_until = steps[after].day.ordinal + REFRACTORY_DAYS
    return spoken


def _counted(spells: Iterable[int]) -> tuple[int, int]:
    counts = [number for number in spells if number]
    return len(counts), sum(number > 1 for number in counts)
