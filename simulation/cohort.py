"""A cohort of made-up courses of treatment with a known truth: before the EHR's first call.

The courses do not come from the detector's own model, so that a rule tried on them is not tried on
itself. Classes, shares and noise: the brief on the evidence, "a cohort to test on".
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

SHARES: dict[str, float] = {
    "recovery": 0.44,
    "linear": 0.12,
    "flat": 0.22,
    "early gain": 0.08,
    "worsening": 0.07,
    "relapse": 0.07,
}
"""Class of true course to its share of the cohort."""

WEEK = 7
Path = Callable[[float], float]
"""Weeks since the start to the true level, before drift."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What the cohort needs to know of an instrument on which higher is worse."""

    minimum: float
    maximum: float
    mean: float
    sd: float
    reliability: float
    cutoff: float

    @property
    def reliable_change(self) -> float:
        """The unrounded Jacobson-Truax change: 1.96 √2 SD √(1 − r)."""
        return 1.96 * math.sqrt(2) * self.error_sd

    @property
    def error_sd(self) -> float:
        """The standard error of measurement: SD √(1 − r)."""
        return self.sd * math.sqrt(1 - self.reliability)

    @property
    def case(self) -> float:
        """The level from which someone is a case: half a step below the printed cut-off."""
        return self.cutoff - 0.5

    def clip(self, level: float) -> float:
        """The level within the range of the scale."""
        return min(self.maximum, max(self.minimum, level))


PHQ9_LIKE = Scale(minimum=0, maximum=27, mean=14.2, sd=6.1, reliability=0.87, cutoff=10)
"""Mean and SD: NHS Talking Therapies England 2024-25; the reliability is the brief's."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a clinic meets and measures its clients; times in weeks, noise in points."""

    sessions: tuple[int, int] = (8, 20)
    gaps: tuple[tuple[int, float], ...] = ((1, 0.5), (2, 0.35), (3, 0.15))
    longest: float | None = None
    """No session later than so many weeks after the first."""
    missing: float = 0.06
    """The share of measures that are not taken."""
    start_range: tuple[float, float] = (4, 26)
    drift: float = 0.5
    """SD of the slow random walk of the true level, a √week."""
    state_sd: float = 1.3
    """SD of the fluctuation of state from session to session, an AR(1) process."""
    state_memory: float = 0.5


@dataclass(frozen=True, slots=True)
class Visit:
    """One session: the day since the start, and the error its measure would carry in points."""

    day: int
    error: float
    measured: bool


@dataclass(frozen=True, slots=True)
class Course:
    """One made-up client: the true level on every day, and the visits at which it is sampled."""

    number: int
    kind: str
    scale: Scale
    levels: tuple[float, ...]
    visits: tuple[Visit, ...]

    def score(self, visit: Visit) -> int:
        """What the questionnaire reads at this visit: rounded, within the range."""
        return round(self.scale.clip(self.levels[visit.day] + visit.error))

    @property
    def scores(self) -> list[tuple[int, int]]:
        """(day, score) of every measure taken, in order."""
        return [(visit.day, self.score(visit)) for visit in self.visits if visit.measured]

    @property
    def case(self) -> bool:
        """Whether the true level was at or above the cut-off at the start."""
        return self.levels[0] >= self.scale.case

    @property
    def failed(self) -> bool:
        """Failure on the true course: at the end not reliably better and still a case."""
        gain = self.levels[0] - self.levels[-1]
        return gain < self.scale.reliable_change and self.levels[-1] >= self.scale.case

    def turned(self, day: int, gain: float, weeks: float) -> "Course":
        """The same course if something helps from `day` on: so many points, time constant weeks."""
        levels = list(self.levels)
        for later in range(day, len(levels)):
            eased = gain * (1 - math.exp(-(later - day) / WEEK / weeks))
            levels[later] = self.scale.clip(self.levels[later] - eased)
        return replace(self, levels=tuple(levels))


def cohort(
    count: int, seed: int, scale: Scale = PHQ9_LIKE, habits: Habits | None = None
) -> list[Course]:
    """`count` courses in the shares of `SHARES`; the same arguments give the same courses."""
    kinds = deal(count, Random(f"{seed}/kinds"))
    return [
        course(number, kind, seed, scale, habits or Habits()) for number, kind in enumerate(kinds)
    ]


def course(number: int, kind: str, seed: int, scale: Scale, habits: Habits) -> Course:
    """One course of a class; it depends on nothing but these arguments."""
    random = Random(f"{seed}/{number}/{kind}")
    days = _days(random, habits)
    start = _start(random, scale, habits)
    path = PATHS[kind](random, start, days[-1] / WEEK)
    return Course(
        number=number,
        kind=kind,
        scale=scale,
        levels=_levels(random, path, days[-1], scale, habits),
        visits=_visits(random, days, scale, habits),
    )


def deal(count: int, random: Random) -> list[str]:
    """Kinds by largest remainder, so that a small clinic has its relapses too, then shuffled."""
    exact = {kind: share * count for kind, share in SHARES.items()}
    dealt = {kind: math.floor(number) for kind, number in exact.items()}
    by_remainder = sorted(SHARES, key=lambda kind: dealt[kind] - exact[kind])
    for kind in by_remainder[: count - sum(dealt.values())]:
        dealt[kind] += 1
    kinds = [kind for kind, number in dealt.items() for _ in range(number)]
    random.shuffle(kinds)
    return kinds


def _days(random: Random, habits: Habits) -> list[int]:
    weeks, weights = zip(*habits.gaps, strict=True)
    days = [0]
    for gap in random.choices(weeks, weights, k=random.randint(*habits.sessions) - 1):
        day = days[-1] + gap * WEEK
        if habits.longest is not None and day > habits.longest * WEEK:
            break
        days.append(day)
    return days


def _start(random: Random, scale: Scale, habits: Habits) -> float:
    low, high = habits.start_range
    true_sd = scale.sd * math.sqrt(scale.reliability)
    while True:
        level = random.gauss(scale.mean, true_sd)
        if low <= level <= high:
            return level


def _levels(
    random: Random, path: Path, last: int, scale: Scale, habits: Habits
) -> tuple[float, ...]:
    drift, levels, gauss = 0.0, [], random.gauss
    daily, low, high = habits.drift / math.sqrt(WEEK), scale.minimum, scale.maximum
    for day in range(last + 1):
        levels.append(min(high, max(low, path(day / WEEK) + drift)))
        drift += gauss(0, daily)
    return tuple(levels)


def _visits(random: Random, days: Sequence[int], scale: Scale, habits: Habits) -> tuple[Visit, ...]:
    memory = habits.state_memory
    state, visits = random.gauss(0, habits.state_sd), []
    for number, day in enumerate(days):
        error = state + random.gauss(0, scale.error_sd)
        measured = number == 0 or random.random() >= habits.missing
        visits.append(Visit(day=day, error=error, measured=measured))
        fresh = habits.state_sd * math.sqrt(1 - memory**2)
        state = memory * state + random.gauss(0, fresh)
    return tuple(visits)


def _recovery(random: Random, start: float, weeks: float) -> Path:
    gain, tau = start * random.uniform(0.45, 0.90), random.uniform(2, 7)
    return lambda week: start - gain * (1 - math.exp(-week / tau))


def _linear(random: Random, start: float, weeks: float) -> Path:
    gain = start * random.uniform(0.45, 0.90)
    return lambda week: start - gain * week / max(weeks, 1)


def _flat(random: Random, start: float, weeks: float) -> Path:
    return lambda week: start


def _early_gain(random: Random, start: float, weeks: float) -> Path:
    gain = random.uniform(1.5, 4)
    return lambda week: start - gain * (1 - math.exp(-week / 1.5))


def _worsening(random: Random, start: float, weeks: float) -> Path:
    loss = random.uniform(4, 9)
    return lambda week: start + loss * week / max(weeks, 1)


def _relapse(random: Random, start: float, weeks: float) -> Path:
    gain, back = start * random.uniform(0.45, 0.80), random.uniform(0.8, 1.05)
    turn = weeks * random.uniform(0.35, 0.55)
    gained = gain * (1 - math.exp(-turn / 2))

    def level(week: float) -> float:
        if week <= turn:
            return start - gain * (1 - math.exp(-week / 2))
        return start - gained * (1 - back * (1 - math.exp(-(week - turn) / 2)))

    return level


PATHS: dict[str, Callable[[Random, float, float], Path]] = {
    "recovery": _recovery,
    "linear": _linear,
    "flat": _flat,
    "early gain": _early_gain,
    "worsening": _worsening,
    "relapse": _relapse,
}
