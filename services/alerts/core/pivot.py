"""Pivots and what followed them, each held against the forecast that was made at it.

After a bad run scores come back by themselves (regression to the mean), so any pivot looks good
against the score on its day. The forecast made then has that in it; only what lies outside its
80 % predictive interval is called better or worse than forecast.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.alerts.core.approach import Approaches
from services.alerts.core.lesson import Course, pivots
from services.alerts.core.pattern import SMALLEST
from services.alerts.core.shrinkage import Rate, alone

ENDINGS = 100
"""Courses that must have ended here before one pivot is set beside others."""
TOLD_AFTER_WEEKS = 4.0
"""From when an effect is counted with others: earlier ones say mostly how wide a forecast is."""
VERDICTS = ("better than forecast", "within forecast", "worse than forecast")


@dataclass(frozen=True, slots=True)
class Pivot:
    """One change of approach and what followed."""

    episode: str
    client: str
    approach: str
    before: str | None
    since: str
    chosen: str
    """`reflection` or `ehr`: where it was told."""
    forecast: Mapping[str, Any] | None
    """Data of *forecast made* at the pivot; None while it has not come."""
    effect: Mapping[str, Any] | None
    """The newest effect measured; None while none has been."""
    worked: bool | None
    """At the review date, where one was named and it could be told."""
    resolved: bool


@dataclass(frozen=True, slots=True)
class Similar:
    """What happened after pivots to one approach here."""

    approach: str
    counts: tuple[int, int, int]
    """Better than forecast, within it, worse."""
    better: Rate
    """The share that was better than forecast."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What pivots here came to, once there is enough to say it."""

    endings: int
    similar: tuple[Similar, ...] = ()
    hidden: int = 0
    """Approaches to which too few pivots were made to say anything."""

    @property
    def known(self) -> bool:
        """Whether enough courses have ended here."""
        return self.endings >= ENDINGS


def followed(course: Course) -> list[Pivot]:
    """The pivots of a course, newest first."""
    resolved = {one["reflection"]: one["resolved"] for one in course["reflections"]}
    found = []
    for new, old in reversed(pivots(course)):
        told = resolved.get(new["reflection"]) or resolved.get(new["approach_id"])
        found.append(
            Pivot(
                episode=str(course["episode"]),
                client=str(course["client"] or ""),
                approach=str(new["approach"]),
                before=str(old["approach"]) if old else None,
                since=str(new["since"]),
                chosen=str(new["origin"]),
                forecast=new["forecast"],
                effect=latest(new["effects"]),
                worked=told["worked"] if told else None,
                resolved=told is not None,
            )
        )
    return found


def latest(effects: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The newest effect that still holds."""
    live = [one for one in effects if not one.get("withdrawn")]
    return max(live, key=lambda one: str(one["on"]), default=None)


def elsewhere(courses: Iterable[Course], endings: int, approaches: Approaches) -> Elsewhere:
    """Counts of what followed pivots in these courses, by approach pivoted to."""
    if endings < ENDINGS:
        return Elsewhere(endings)
    told: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for pivot in (one for course in courses for one in followed(course)):
        effect = pivot.effect
        if effect is not None and effect["weeks"] >= TOLD_AFTER_WEEKS:
            name = approaches.name(pivot.approach)
            key = approaches.key(name)
            names.setdefault(key, name)
            told.setdefault(key, []).append(str(effect["verdict"]))
    shown = {key: verdicts for key, verdicts in told.items() if len(verdicts) >= SMALLEST}
    similar = [_similar(names[key], verdicts) for key, verdicts in shown.items()]
    similar.sort(key=lambda one: one.approach.casefold())  # by name: nothing is ranked
    return Elsewhere(endings, tuple(similar), len(told) - len(shown))


def _similar(approach: str, verdicts: Sequence[str]) -> Similar:
    better, within, worse = (verdicts.count(name) for name in VERDICTS)
    return Similar(approach, (better, within, worse), alone(better, len(verdicts)))
