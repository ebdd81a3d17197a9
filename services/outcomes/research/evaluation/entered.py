"""A rule as it enters the benchmark: what is asked of it, and what it answers for every measure."""

import importlib
import importlib.util
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from services.outcomes.research.evaluation.courses import Courses, Flags, Floats, Integers

IN_USE = {
    "raw-change": "raw_change",
    "rci-deterioration": "rci_deterioration",
    "no-change-at-4": "no_change_at_4",
    "no-change-at-6": "no_change_at_6",
    "no-change-at-8": "no_change_at_8",
    "expected-curve": "expected_curve",
    "reliable-trend": "reliable_trend",
    "logistic": "logistic",
}
"""Name of a rule to its file in `rules/`."""
FIRST = 3
"""The first measure that may alarm, where a rule says nothing."""


class RuleError(Exception):
    """A rule cannot be used; the text says which and why."""


class Rule(Protocol):
    """What the benchmark asks of a rule."""

    @property
    def name(self) -> str:
        """What it is called in results."""

    @property
    def own(self) -> float | None:
        """The number above which its users see an alarm; None where it has none."""

    @property
    def first(self) -> int:
        """The first measure that may alarm."""

    @property
    def probability(self) -> bool:
        """Whether its numbers are probabilities of failure."""

    @property
    def learns(self) -> bool:
        """Whether it needs courses whose outcome is known."""

    def learn(self, courses: Courses) -> Any:
        """What is learned from courses whose outcome is known."""

    def risks(self, courses: Courses, learned: Any) -> Floats:
        """A number after every measure, the higher the worse; not a number where it has none."""


@dataclass(frozen=True, slots=True)
class FileRule:
    """A rule that is a file: `risk(days, scores, scale)`, and `learn` where it learns."""

    name: str
    risk: Callable[..., float | None]
    learner: Callable[..., Any] | None
    own: float | None
    first: int
    probability: bool

    @property
    def learns(self) -> bool:
        """Whether the file has a function `learn`."""
        return self.learner is not None

    def learn(self, courses: Courses) -> Any:
        """What the file's `learn` makes of the courses.

        Raises:
            RuleError: it failed.
        """
        if self.learner is None:
            return None
        try:
            return self.learner(courses.all, courses.scale)
        except (Exception, SystemExit) as error:
            raise RuleError(_failed(self.name, "learn", error)) from error

    def risks(self, courses: Courses, learned: Any) -> Floats:
        """Ask the file after each measure; it is given those so far and no later ones.

        Raises:
            RuleError: it failed, or answered with what is no number.
        """
        scale, risk = courses.scale, self.risk
        more = () if self.learner is None else (learned,)
        found: list[list[float]] = []
        for course in courses.all:
            days, scores, told = course.days, course.scores, []
            try:
                for seen in range(1, len(days) + 1):
                    answer = risk(days[:seen], scores[:seen], scale, *more)
                    told.append(math.nan if answer is None else float(answer))
            except (Exception, SystemExit) as error:
                raise RuleError(_failed(self.name, "risk", error)) from error
            found.append(told)
        return courses.flat(found)


def in_use(name: str) -> FileRule:
    """One of the rules in use."""
    folder = f"{__package__}.rules"
    return _of_module(name, importlib.import_module(f"{folder}.{IN_USE[name]}"))


def from_file(path: Path) -> FileRule:
    """The rule of a file of somebody's own; its name is the file's.

    Raises:
        RuleError: the file cannot be run, or is no rule.
    """
    spec = importlib.util.spec_from_file_location(f"rule_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RuleError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise RuleError(f"{path.name} cannot be run: {_told(error)}") from error
    return _of_module(path.stem.replace("_", "-"), module)


def _of_module(name: str, module: ModuleType) -> FileRule:
    risk, learn = getattr(module, "risk", None), getattr(module, "learn", None)
    if not callable(risk):
        raise RuleError(f"{name} has no function risk(days, scores, scale)")
    wanted = 3 if learn is None else 4
    if not _takes(risk, wanted):
        more = ", learned" if learn else ""
        raise RuleError(f"{name}: risk must take (days, scores, scale{more})")
    if learn is not None and not _takes(learn, 2):
        raise RuleError(f"{name}: learn must take (courses, scale)")
    return FileRule(
        name=name,
        risk=risk,
        learner=learn,
        own=_number(name, module, "OWN", None),
        first=int(_number(name, module, "FIRST", FIRST) or FIRST),
        probability=bool(getattr(module, "PROBABILITY", False)),
    )


def _takes(function: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    return True


def _number(name: str, module: ModuleType, constant: str, default: float | None) -> float | None:
    value = getattr(module, constant, default)
    if value is None or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    raise RuleError(f"{name}: {constant} is no number")


def _failed(name: str, function: str, error: BaseException) -> str:
    return f"{name}: {function} failed with {_told(error)}"


def _told(error: BaseException) -> str:
    """The error in one line; what somebody's own file says may be of any length."""
    return shorten(f"{type(error).__name__}: {error}", 200)


@dataclass(frozen=True, slots=True)
class Split:
    """Who is judged, and from whom a rule that learns has learned by then.

    Attributes:
        judged: the courses.
        folds: the fold of each of them.
        sources: what is learned from, by fold.
    """

    judged: Courses
    folds: Integers
    sources: Sequence[Courses]


def dealt(courses: Courses, folds: int) -> Split:
    """Everybody is judged, by what was learned from the clients of all other folds."""
    fold = fold_of(courses, folds)
    count = int(fold.max()) + 1 if len(fold) else 0
    return Split(courses, fold, [courses.some(fold != number) for number in range(count)])


def in_time(courses: Courses, folds: int) -> Split:
    """Later courses are judged, by what was learned from all that began in an earlier block.

    Courses go by their first day, then as the table has them; the first block is learned from
    alone.
    """
    order = sorted(range(len(courses)), key=lambda one: courses.places[one])
    block = np.empty(len(order), dtype=np.int64)
    block[order] = np.arange(len(order)) * folds // max(1, len(order))
    later: Flags = block > 0
    sources = [courses.some(block < number) for number in range(1, int(block.max(initial=0)) + 1)]
    return Split(courses.some(later), block[later] - 1, sources)


def learn_by_fold(rule: Rule, split: Split) -> list[Any]:
    """What the rule learns for the clients of each fold, never from themselves."""
    return [rule.learn(source) if rule.learns else None for source in split.sources]


def crossed(rule: Rule, split: Split, learned: Sequence[Any]) -> Floats:
    """The rule's numbers, with what was learned for each fold."""
    courses = split.judged
    if not rule.learns:
        return rule.risks(courses, None)
    told = np.full(courses.measures, math.nan)
    for number, known in enumerate(learned):
        held = split.folds == number
        told[held[courses.client]] = rule.risks(courses.some(held), known)
    return told


def fold_of(courses: Courses, folds: int) -> Integers:
    """The fold of each client, dealt after a shuffle of their references; alike in size."""
    names: Sequence[str] = [one.client for one in courses.all]
    order = np.argsort(np.array(names))
    shuffled = np.random.default_rng(1).permutation(len(names))
    found = np.empty(len(names), dtype=np.int64)
    found[order[shuffled]] = np.arange(len(names)) % folds
    return found
