"""What is dated in an episode, in clinical order: the input of detection, free of arrival order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from services.outcomes.core.scoring import CONFLICT

KINDS = ("plan", "approach", "session", "fact", "measure", "silence")
"""The order of the entries of one day."""

ATTENDED = ("attended", "late")
"""A client who came late was there."""
MISSED = ("missed", "cancelled")


def ordinal(on: str) -> int:
    """The day number of an ISO 8601 date."""
    return date.fromisoformat(on).toordinal()


def iso(day: int) -> str:
    """The ISO 8601 date of a day number."""
    return date.fromordinal(day).isoformat()


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure as it stands: its latest version. `received_on` is the day of its arrival."""

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

    @property
    def trajectory(self) -> str:
        """The trajectory that it belongs to: instrument, scale, respondent."""
        return f"{self.instrument}|total|{self.respondent}"

    @property
    def sound(self) -> bool:
        """Whether detection may use it: it has a score, and nothing contradicts it."""
        return self.score is not None and CONFLICT not in self.flags

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON values."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return told | {"kind": "measure", "flags": list(self.flags)}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Measure":
        """The entry that `as_dict` told of."""
        values = {name: told[name] for name in cls.__slots__}
        return cls(**(values | {"flags": tuple(told["flags"])}))


class Session(NamedTuple):
    """A session kept or not."""

    session: str
    on: str
    attendance: str
    received_on: str


class Fact(NamedTuple):
    """Something else that happened."""

    fact: str
    on: str
    kind: str
    label: str


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


def place(on: str, kind: str, at: str | None, name: str) -> tuple[int, int, float, str]:
    """The sort key of an entry: date as sent, kind, time where it has one, id.

    Kind goes before time: "time where both have one" alone is no order once some entries of a day
    have a time and some have none, and nothing depends on it across kinds.
    """
    instant = datetime.fromisoformat(at).timestamp() if at else float("-inf")
    return ordinal(on), KINDS.index(kind), instant, name


def in_order(measures: Iterable[Measure]) -> list[Measure]:
    """Measures in clinical order."""
    return sorted(measures, key=lambda entry: place(entry.on, "measure", entry.at, entry.measure))


class Day(NamedTuple):
    """All measures of one trajectory on one day, and what they come to.

    `score` is None where no measure is sound or two disagree; `counted` are those behind it.
    """

    ordinal: int
    on: str
    score: float | None
    counted: tuple[Measure, ...]
    entries: tuple[Measure, ...]
    disagree: bool


def days(entries: Iterable[Measure], change: float | None) -> list[Day]:
    """The days of a trajectory whose measures come in clinical order.

    Args:
        entries: the measures, sorted.
        change: the reliable change, beyond which two measures of a day contradict each other.
    """
    grouped: dict[str, list[Measure]] = {}
    for entry in entries:
        grouped.setdefault(entry.on, []).append(entry)
    return [_day(on, tuple(found), change) for on, found in grouped.items()]


def _day(on: str, entries: tuple[Measure, ...], change: float | None) -> Day:
    sound = tuple(entry for entry in entries if entry.sound)
    scores = [entry.score for entry in sound if entry.score is not None]
    if not scores:
        return Day(ordinal(on), on, None, (), entries, disagree=False)
    if len(scores) > 1 and change is not None and max(scores) - min(scores) > change:
        return Day(ordinal(on), on, None, (), entries, disagree=True)
    if all(entry.at for entry in sound):
        return Day(ordinal(on), on, scores[-1], sound[-1:], entries, disagree=False)
    mean = sum(scores) / len(scores)
    return Day(ordinal(on), on, mean, sound, entries, disagree=False)
