"""What a channel says of a trajectory or an episode now: the grounds in the form of a message."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from services.outcomes.core.rules import VERSION
from services.outcomes.core.spec import Spec
from services.outcomes.core.timeline import Day, ordinal
from services.outcomes.core.trajectory import Step

DIGITS = 4
"""Decimals kept of numbers that are told."""


def told(value: float | None) -> float | None:
    """A number as it is told: rounded, so that it stays short and reads the same everywhere."""
    return None if value is None else round(value, DIGITS)


class Found(NamedTuple):
    """A finding that is true now.

    Attributes:
        on: clinical date of the newest entry behind it.
        received_on: the day on which that entry arrived.
        numbers: what the channel documents; positive changes are worse.
    """

    channel: str
    tier: str
    on: str
    received_on: str
    instrument: str | None
    numbers: Mapping[str, Any]
    trajectories: tuple[str, ...] = ()
    points: Sequence[Mapping[str, Any]] = ()
    thresholds: Sequence[Mapping[str, Any]] = ()
    reasons: Sequence[str] = ()
    missing: Sequence[str] = ()
    disagrees: Sequence[str] = ()
    old_news: bool = False

    @property
    def age_on_arrival(self) -> int:
        """Days from the date of the newest entry to its arrival."""
        return ordinal(self.received_on) - ordinal(self.on)

    def evidence(self) -> dict[str, Any]:
        """The grounds, as `schemas.parts.Evidence` has them; points and limits are shared."""
        return {
            "rule": self.channel,
            "rule_version": VERSION,
            "instrument": self.instrument,
            "trajectories": list(self.trajectories),
            "points": list(self.points),
            "thresholds": list(self.thresholds),
            "numbers": dict(self.numbers),
            "reasons": list(self.reasons),
            "missing": list(self.missing),
            "disagrees": list(self.disagrees),
        }


def points(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """The measures behind some steps, in the instrument's own direction."""
    return [
        {"measure": entry.measure, "on": entry.on, "score": entry.score}
        for step in steps
        for entry in step.day.counted
    ]


def raw(spec: Spec, oriented: float) -> float:
    """An oriented score or level in the instrument's own direction, as it is told."""
    return round(spec.sign * oriented, DIGITS) + 0.0


def arrival(day: Day) -> str:
    """When the last of a day's counted measures arrived."""
    return max(entry.received_on for entry in day.counted or day.entries)
