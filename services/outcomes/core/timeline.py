"""What is dated in an episode, in clinical order: the input of detection, free of arrival order."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from services.outcomes.core.scoring import CONFLICT

KINDS = ("plan", "approach", "session", "fact", "measure", "silence")
"""The order of the entries of one day."""

ATTENDED = ("attended", "late")
"""A client who came late was there."""
MISSED = ("missed", "cancelled")
TOTAL = "total"
"""The scale that all items of an instrument make up; the others are its subscales."""
UNTIMED = float("-inf")
"""What has no time goes before what has one."""


REMEMBERED = 20_000
"""Dates that are not read anew: those of half a century."""


@lru_cache(REMEMBERED)
def ordinal(on: str) -> int:
    """The day number of an ISO 8601 date."""
    return date.fromisoformat(on).toordinal()


@lru_cache(REMEMBERED)
def iso(day: int) -> str:
    """The ISO 8601 date of a day number."""
    return date.fromordinal(day).isoformat()


Place = tuple[int, int, float, str]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure as it stands: its latest version. `received_on` is the day of its arrival.

    One completed questionnaire is one entry for its total and one for each subscale that is a
    scale of its own; all have the same `measure`. `day` (its day number), `place` (its place in
    clinical order) and `key` (what tells it from every other entry) follow from the rest.
    """

    measure: str
    version: int
    external_id: str
    instrument: str
    respondent: str
    on: str
    at: str | None
    score: float | None
    band: str | None
    flags: tuple[str, ...]
    session_number: int | None
    received_on: str
    scale: str = TOTAL
    key: str = field(init=False, compare=False)
    trajectory: str = field(init=False, compare=False)
    """The trajectory that it belongs to: instrument, scale, respondent."""
    day: int = field(init=False, compare=False)
    place: Place = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Work out what is asked for again and again."""
        order = place(self.on, "measure", self.at, self.measure)
        object.__setattr__(self, "key", key_of(self.measure, self.scale))
        object.__setattr__(self, "trajectory", f"{self.instrument}|{self.scale}|{self.respondent}")
        object.__setattr__(self, "day", order[0])
        object.__setattr__(self, "place", order)

    @property
    def sound(self) -> bool:
        """Whether detection may use it: it has a score, and nothing contradicts it."""
        return self.score is not None and CONFLICT not in self.flags

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON values."""
        told = dict(zip(_TOLD, _told(self), strict=True))
        told["kind"], told["flags"] = "measure", list(self.flags)
        if self.scale == TOTAL:
            del told["scale"]
        return told

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Measure":
        """The entry that `as_dict` told of."""
        values = {name: told[name] for name in _TOLD if name in told}
        return cls(**(values | {"flags": tuple(told["flags"])}))


def key_of(measure: str, scale: str) -> str:
    """The key of a measure's entry for one scale."""
    return measure if scale == TOTAL else f"{measure}/{scale}"


def scale_of(trajectory: str) -> str:
    """The scale that a trajectory is about."""
    return trajectory.split("|")[1]


_TOLD = tuple(name for name, one in Measure.__dataclass_fields__.items() if one.init)
_told = attrgetter(*_TOLD)


class Session(NamedTuple):
    """A session kept or not."""

    session: str
    on: str
    attendance: str
    received_on: str


class Fact(NamedTuple):
    """Something else that happened; of a break `until` is its last day, where it was told."""

    fact: str
    on: str
    kind: str
    label: str
    until: str | None = None


class Approach(NamedTuple):
    """A way of working, and since when."""

    approach_id: str
    approach: str
    since: str
    origin: str
    reflection: str | None
    review_on: str | None


class Reflection(NamedTuple):
    """A clinician's decision."""

    reflection: str
    on: str
    review_on: str | None


def place(on: str, kind: str, at: str | None, name: str) -> Place:
    """The sort key of an entry: date as sent, kind, time where it has one, id.

    Kind goes before time: "time where both have one" alone is no order once some entries of a day
    have a time and some have none, and nothing depends on it across kinds.
    """
    instant = datetime.fromisoformat(at).timestamp() if at else UNTIMED
    return ordinal(on), KINDS.index(kind), instant, name


def in_order(measures: Iterable[Measure]) -> list[Measure]:
    """Measures in clinical order."""
    return sorted(measures, key=attrgetter("place"))


class Day(NamedTuple):
    """All measures of one trajectory on one day, and what they come to.

    `score` is None where no measure is sound or two disagree; `counted` are those behind it.
    `conflict`: the items and the total of one of them disagree.
    """

    ordinal: int
    on: str
    score: float | None
    counted: tuple[Measure, ...]
    entries: tuple[Measure, ...]
    disagree: bool
    conflict: bool

    @property
    def contradicts(self) -> bool:
        """Whether its measures contradict each other, or one of them itself."""
        return self.disagree or self.conflict


def day_of(entry: Measure) -> Day:
    """The day of a measure that is alone on it."""
    return _day_of_one(entry.day, (entry,), entry)


def days(entries: Iterable[Measure], change: float | None) -> list[Day]:
    """The days of a trajectory whose measures come in clinical order.

    Args:
        entries: the measures, sorted.
        change: the reliable change, beyond which two measures of a day contradict each other.
    """
    grouped: dict[int, list[Measure]] = defaultdict(list)
    for entry in entries:
        grouped[entry.day].append(entry)
    return [_day(number, tuple(found), change) for number, found in grouped.items()]


def _day(number: int, entries: tuple[Measure, ...], change: float | None) -> Day:
    if len(entries) == 1:
        return _day_of_one(number, entries, entries[0])
    on, conflict = entries[0].on, any(CONFLICT in entry.flags for entry in entries)
    sound = tuple(entry for entry in entries if entry.sound)
    scores = [entry.score for entry in sound if entry.score is not None]
    if not scores:
        return Day(number, on, None, (), entries, disagree=False, conflict=conflict)
    if len(scores) > 1 and change is not None and max(scores) - min(scores) > change:
        return Day(number, on, None, (), entries, disagree=True, conflict=conflict)
    if all(entry.at for entry in sound):
        return Day(number, on, scores[-1], sound[-1:], entries, disagree=False, conflict=conflict)
    mean = sum(scores) / len(scores)
    return Day(number, on, mean, sound, entries, disagree=False, conflict=conflict)


def _day_of_one(number: int, entries: tuple[Measure, ...], only: Measure) -> Day:
    conflict = CONFLICT in only.flags
    if only.score is None or conflict:
        return Day(number, only.on, None, (), entries, disagree=False, conflict=conflict)
    score = float(only.score)
    return Day(number, only.on, score, entries, entries, disagree=False, conflict=False)
