"""What rules are judged on: courses of scores, each with what became of it, and their scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scale:
    """What a rule may know of a scale, oriented: higher is worse, signs turned where need be.

    Attributes:
        mean: of a clinical sample at the start; None where the first score stands for it.
        cut: half a step below the mildest case.
        reliable_change: the change beyond measurement error that failure is defined by.
    """

    mean: float | None
    sd: float
    reliability: float
    reliable_change: float
    cut: float

    @property
    def sem(self) -> float:
        """The standard error of measurement, SD √(1 − r)."""
        return self.sd * math.sqrt(1 - self.reliability)


@dataclass(frozen=True, slots=True)
class Course:
    """One client: days since the first measure, oriented scores, and what became of it.

    Attributes:
        kind: class of true course; empty where nobody knows it.
        began: the day of the first measure, where days have a calendar; else all are alike.
    """

    client: str
    days: tuple[float, ...]
    scores: tuple[float, ...]
    failed: bool
    kind: str = ""
    began: float = 0.0


class Courses:
    """Courses as arrays, longest course first, all first measures before all second ones.

    A step (the measures of one number) is a slice, whose clients are the first so many: folding a
    thousand courses costs as many array operations as the longest has measures.
    """

    def __init__(self, courses: Sequence[Course], scale: Scale) -> None:
        """Lay out `courses`; none may be empty."""
        self.scale = scale
        placed = sorted(enumerate(courses), key=lambda pair: -len(pair[1].days))
        self.all = [course for _, course in placed]
        self.places = [(course.began, place) for place, course in placed]
        """When each began: its first day, and its place in the table."""
        self.lengths: Integers = np.array([len(one.days) for one in self.all], dtype=np.int64)
        self.failed: Flags = np.array([one.failed for one in self.all], dtype=np.bool_)
        longest = int(self.lengths[0]) if self.all else 0
        ending = np.searchsorted(-self.lengths, -np.arange(longest), side="left")
        self.widths: Integers = ending.astype(np.int64)
        self.starts: Integers = np.concatenate([[0], np.cumsum(self.widths)]).astype(np.int64)

    def __len__(self) -> int:
        return len(self.all)

    @property
    def measures(self) -> int:
        """How many measures there are in all."""
        return int(self.starts[-1])

    def step(self, number: int) -> slice:
        """Where the measures of a number (from 0) stand in a flat array."""
        return slice(int(self.starts[number]), int(self.starts[number + 1]))

    @property
    def steps(self) -> int:
        """Measures of the longest course."""
        return len(self.widths)

    @cached_property
    def client(self) -> Integers:
        """Of every measure, the place of its client."""
        if not self.steps:
            return np.zeros(0, dtype=np.int64)
        return np.concatenate([np.arange(width) for width in self.widths]).astype(np.int64)

    @cached_property
    def number(self) -> Integers:
        """Of every measure, its number from 1."""
        return np.repeat(np.arange(1, self.steps + 1), self.widths).astype(np.int64)

    @cached_property
    def day(self) -> Floats:
        """Of every measure, days since the client's first."""
        return self.flat([one.days for one in self.all])

    @cached_property
    def score(self) -> Floats:
        """Of every measure, the oriented score."""
        return self.flat([one.scores for one in self.all])

    @cached_property
    def last_day(self) -> Floats:
        """Of every client, the day of the last measure."""
        return np.array([one.days[-1] for one in self.all], dtype=np.float64)

    def flat(self, by_client: Sequence[Sequence[float]]) -> Floats:
        """Values by client, as a flat array in this order."""
        joined = np.fromiter(
            (value for values in by_client for value in values), np.float64, self.measures
        )
        begins = np.concatenate([[0], np.cumsum(self.lengths)[:-1]]).astype(np.int64)
        places: Integers = begins[self.client] + self.number - 1
        return joined[places]

    def some(self, chosen: Flags) -> "Courses":
        """Those that are flagged."""
        return Courses(
            [one for one, wanted in zip(self.all, chosen, strict=True) if wanted], self.scale
        )
