"""Regular reflection: how often a person means to look back, at a course or at all of them.

One stream for each person, under that person's own key. Reflection is a habit, not a reaction: what
falls due is a reminder and never an alarm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, ClassVar

from services.alerts.core.event import Event
from services.alerts.core.language import _

MOST_WEEKS = 26


class RhythmRefusedError(Exception):
    """The rhythm cannot be set so; the text is for the page."""


@dataclass(frozen=True, kw_only=True)
class RhythmSet(Event):
    """A person means to reflect every so many weeks."""

    TOPIC: ClassVar[str] = "rhythm.set"

    person: str
    episode: str | None
    """None: on any of their courses, or in the journal."""
    weeks: int
    next_on: str


@dataclass(frozen=True, kw_only=True)
class RhythmEnded(Event):
    """No longer."""

    TOPIC: ClassVar[str] = "rhythm.ended"

    person: str
    episode: str | None


@dataclass(frozen=True, kw_only=True)
class RhythmCameDue(Event):
    """The day has come, and nothing was reflected since."""

    TOPIC: ClassVar[str] = "rhythm.came_due"

    person: str
    episode: str | None
    due_on: str


@dataclass(frozen=True, slots=True)
class Rhythm:
    """One that is kept."""

    weeks: int
    told: str | None = None
    """The last day that was told as due."""


@dataclass(frozen=True, slots=True)
class Rhythms:
    """What a person keeps: episode (empty: any) to rhythm."""

    version: int = 0
    kept: Mapping[str, Rhythm] = field(default_factory=dict)


def fold(events: list[Any]) -> Rhythms:
    """The rhythms after the events of their stream."""
    state = Rhythms()
    for event in events:
        state = _evolve(state, event)
    return state


def _evolve(state: Rhythms, event: Any) -> Rhythms:
    kept = dict(state.kept)
    key = getattr(event, "episode", None) or ""
    if isinstance(event, RhythmSet):
        kept[key] = Rhythm(event.weeks)
    elif isinstance(event, RhythmEnded):
        kept.pop(key, None)
    elif isinstance(event, RhythmCameDue) and key in kept:
        kept[key] = replace(kept[key], told=event.due_on)
    return Rhythms(event.originator_version, kept)


def next_on(day: str, weeks: int) -> str:
    """The day on which a rhythm comes round after this one."""
    return (date.fromisoformat(day[:10]) + timedelta(weeks=weeks)).isoformat()


def decide_every(
    state: Rhythms, person: str, episode: str | None, weeks: int, today: str, common: dict[str, Any]
) -> list[Event]:
    """Set a rhythm, or end it with 0 weeks; what is so already changes nothing.

    Raises:
        RhythmRefusedError: the number of weeks is out of range.
    """
    if not 0 <= weeks <= MOST_WEEKS:
        raise RhythmRefusedError(
            _("a rhythm has 1 to {most} weeks, or 0 to end it").format(most=MOST_WEEKS)
        )
    before = state.kept.get(episode or "")
    named: dict[str, Any] = {
        **common, "originator_version": state.version + 1, "person": person, "episode": episode,
    }  # fmt: skip
    if weeks == 0:
        return [RhythmEnded(**named)] if before else []
    if before is not None and before.weeks == weeks:
        return []
    return [RhythmSet(weeks=weeks, next_on=next_on(today, weeks), **named)]


def decide_due(
    state: Rhythms, person: str, episode: str | None, due_on: str, common: dict[str, Any]
) -> list[Event]:
    """Tell once that a day has come."""
    rhythm = state.kept.get(episode or "")
    if rhythm is None or (rhythm.told is not None and rhythm.told >= due_on):
        return []
    return [
        RhythmCameDue(
            originator_version=state.version + 1,
            person=person,
            episode=episode,
            due_on=due_on,
            **common,
        )
    ]
