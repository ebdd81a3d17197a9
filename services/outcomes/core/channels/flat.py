"""No movement to speak of over weeks: a plateau, or a stall after a gain."""

import math
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from services.outcomes.core.channels.meaning import SIMULATED, Meaning
from services.outcomes.core.found import Found, arrival, points, raw, told
from services.outcomes.core.normal import below, squares_exceeded
from services.outcomes.core.trajectory import Step, Trajectory

MOVEMENT_WEEKS = 4.0
AS_LIKELY_AS_NOT = 0.5

STALLED = Meaning(
    "stalled",
    "review",
    "Reliably better, then flat by the same window as a plateau, P(still at or above the "
    "cut-off) above {rules.still_case:g}, and at least {rules.stalled_days} days since the "
    "baseline.",
    "own rule; there is no agreed definition of a stall",
    ("still_case", "stalled_days"),
)

PLATEAU = Meaning(
    "plateau",
    "review",
    "The least-squares slope over the last {rules.window_days} days (at least "
    "{rules.window_measures} measures that span {rules.window_span} days): "
    f"P({MOVEMENT_WEEKS:g} weeks' movement smaller than c/2) above {{rules.flat:g}}, "
    f"P(still a case) at least {AS_LIKELY_AS_NOT:g}, P(reliably better) below {{rules.better:g}}. "
    "With fewer measures nothing is called flat, nor where error would put the scores so far from "
    "that line less often than {rules.misfit:g} (chi-square of what the line leaves): a rise and "
    "a fall have no slope either.",
    "own rule, an equivalence test: 91 % of flat clients found and 20 % of eventual successes "
    f"flagged at measure 7 ({SIMULATED}). There is no agreed definition of a plateau",
    ("window_days", "window_measures", "window_span", "flat", "misfit", "better"),
)


class Window(NamedTuple):
    """The latest weeks of a trajectory and the least-squares line through them.

    `left` is what the line leaves of the scores: squared distances, in variances of a measure.
    `is_flat`: four weeks' movement is probably small, and the scores lie about the line as error
    would have them.
    """

    steps: Sequence[Step]
    slope: float
    p_flat: float
    left: float
    is_flat: bool

    @property
    def weeks(self) -> float:
        """From the first measure of the window to the last."""
        return (self.steps[-1].day.ordinal - self.steps[0].day.ordinal) / 7

    @property
    def level(self) -> float:
        """The mean of its scores, oriented."""
        return sum(step.score for step in self.steps) / len(self.steps)


def flat(trajectory: Trajectory) -> Found | None:
    """A plateau or a stall: flat over the window, and which of the two the gain decides."""
    last, rules = trajectory.last, trajectory.spec.rules
    if last is None or last.p_better is None:
        return None
    if not _plausible(trajectory, last):
        return None
    window = window_of(trajectory)
    if window is None or not window.is_flat:
        return None
    describe = _plateau if last.p_better < rules.better else _stalled
    return describe(trajectory, window, last)


def _plausible(trajectory: Trajectory, last: Step) -> bool:
    """What both ask for beside the flat window, which costs more to look at.

    A plateau: still at or above the cut-off, and P(reliably better) < .5. Without a cut-off the
    condition is left out, and the finding says so.
    A stall: reliably better, P(still a case) > .8, for at least six weeks since the baseline.
    """
    rules = trajectory.spec.rules
    if last.p_better is None or last.p_better < rules.better:
        return last.p_case is None or last.p_case >= AS_LIKELY_AS_NOT
    since = last.day.ordinal - trajectory.steps[0].day.ordinal
    return since >= rules.stalled_days and (last.p_case or 0.0) > rules.still_case


def _plateau(trajectory: Trajectory, window: Window, last: Step) -> Found:
    numbers = {
        "slope": raw(trajectory.spec, window.slope),
        "window_weeks": told(window.weeks),
        "n": len(window.steps),
        "p_flat": told(window.p_flat),
        "p_case": told(last.p_case),
        "p_better": told(last.p_better),
        "level": raw(trajectory.spec, window.level),
    }
    return _found(trajectory, "plateau", window, last, numbers)


def _stalled(trajectory: Trajectory, window: Window, last: Step) -> Found:
    first = trajectory.steps[0]
    reached = next((step for step in trajectory.steps if step.better), window.steps[0])
    numbers = {
        "gain": told(first.score - window.level),
        "by_week": told((reached.day.ordinal - first.day.ordinal) / 7),
        "since_week": told((window.steps[0].day.ordinal - first.day.ordinal) / 7),
        "level": raw(trajectory.spec, window.level),
        "p_case": told(last.p_case),
        "p_flat": told(window.p_flat),
        "p_better": told(last.p_better),
    }
    return _found(trajectory, "stalled", window, last, numbers)


def window_of(trajectory: Trajectory) -> Window | None:
    """The last eight weeks, where they hold enough measures over long enough."""
    model, rules, known = trajectory.spec.model, trajectory.spec.rules, trajectory.steps
    last = trajectory.last
    if model is None or last is None or len(known) < rules.window_measures:
        return None
    since = max(last.day.ordinal - rules.window_days, last.segment)
    if known[-rules.window_measures].day.ordinal < since:
        return None
    inside = takewhile(lambda step: step.day.ordinal >= since, reversed(known))
    steps = list(inside)[::-1]
    if last.day.ordinal - steps[0].day.ordinal < rules.window_span:
        return None
    slope, squares, left = _line(steps)
    sd = math.sqrt(model.noise / squares)
    limit = model.reliable_change / 2 / MOVEMENT_WEEKS
    p_flat = below((limit - slope) / sd) - below((-limit - slope) / sd)
    left /= model.noise
    fits = left <= squares_exceeded(rules.misfit, len(steps) - 2)
    return Window(steps, slope, p_flat, left, is_flat=fits and p_flat > rules.flat)


def _line(steps: Sequence[Step]) -> tuple[float, float, float]:
    """The least-squares slope a week; squares of the weeks about their mean, and what it leaves."""
    weeks = [step.day.ordinal / 7 for step in steps]
    middle, level = sum(weeks) / len(weeks), sum([step.score for step in steps]) / len(steps)
    pairs = [(week - middle, step.score - level) for week, step in zip(weeks, steps, strict=True)]
    squares = sum([week * week for week, _ in pairs])
    slope = sum([week * score for week, score in pairs]) / squares
    return slope, squares, sum([(score - slope * week) ** 2 for week, score in pairs])


def _found(
    trajectory: Trajectory,
    channel: str,
    window: Window,
    last: Step,
    numbers: dict[str, float | None],
) -> Found:
    instrument = trajectory.spec.instrument
    return Found(
        channel=channel,
        tier="review",
        on=last.day.on,
        received_on=arrival(last.day),
        instrument=instrument.id,
        trajectories=(trajectory.key,),
        numbers=numbers,
        points=points(window.steps),
        thresholds=trajectory.spec.limits_of_course,
        missing=[] if instrument.cutoff else ["cut-off: not asked whether still a case"],
    )
