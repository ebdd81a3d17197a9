"""What an event of the log does to an episode as detection sees it, and how that is called."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from services.outcomes.core.case import Case, Yardsticks
from services.outcomes.core.channels.not_assessable import UNKNOWN_INSTRUMENT
from services.outcomes.core.client import Client
from services.outcomes.core.episode import (
    Announced,
    ApproachChosen,
    EpisodeClosed,
    EpisodeReopened,
    FactNoted,
    ReflectionNoted,
    SessionRecorded,
)
from services.outcomes.core.event import Event
from services.outcomes.core.measure import (
    UNKNOWN_INSTRUMENT as HELD_AS_UNKNOWN,
)
from services.outcomes.core.measure import (
    MeasureCorrected,
    MeasureHeld,
    MeasureRecorded,
    MeasureReinstated,
    MeasureVersion,
    MeasureWithdrawn,
)
from services.outcomes.core.scoring import CONFLICT, PRORATED, band
from services.outcomes.core.timeline import Approach, Fact, Measure, Reflection, Session

TOPICS = frozenset(
    {
        "measure.recorded",
        "measure.held",
        "measure.corrected",
        "measure.reinstated",
        "measure.withdrawn",
        "episode.opened",
        "episode.plan_changed",
        "episode.session_recorded",
        "episode.approach_chosen",
        "episode.fact_noted",
        "episode.reflection_noted",
        "episode.closed",
        "episode.reopened",
    }
)
"""The events that detection looks at."""

DayOf = Callable[[datetime], str]
"""The installation's calendar day of a moment, as an ISO 8601 date."""


class Cause(NamedTuple):
    """Why an episode is looked at again.

    `fresh`: something that was not known of before; its date is `on`, None where it has none.
    `new` is the measure, where one came that was not known of before and nothing else happened.
    """

    why: str
    on: str | None = None
    fresh: bool = False
    new: Measure | None = None


def take(case: Case, event: Event, yardsticks: Yardsticks, day_of: DayOf) -> Cause | None:
    """Enter an event in the case; None when it changes nothing that detection looks at."""
    if isinstance(event, MeasureVersion):
        return _measure(case, event, yardsticks, day_of(event.timestamp))
    if isinstance(event, MeasureWithdrawn):
        return _withdrawn(case, event)
    if isinstance(event, Announced):
        return _plan(case, event)
    step = _STEPS.get(type(event))
    return step(case, event, day_of(event.timestamp)) if step else None


_WHY: dict[type[Event], str] = {
    MeasureRecorded: "measure recorded",
    MeasureCorrected: "measure corrected",
    MeasureReinstated: "measure given again",
}


def _measure(
    case: Case, event: MeasureVersion, yardsticks: Yardsticks, received_on: str
) -> Cause | None:
    name = event.originator_id.hex
    known = case.measures.get(name)
    if known is not None and known.version >= event.originator_version:
        return None
    _take_out(case, name)
    reason = _unusable(event, yardsticks)
    if reason is not None:
        case.aside[name] = reason
        return Cause("measure held", event.on)
    case.aside.pop(name, None)
    case.measures[name] = entry = _entry(event, received_on)
    parts = _parts(event, entry, yardsticks)
    case.measures.update({part.key: part for part in parts})
    fresh = known is None
    alone = fresh and not parts
    return Cause(_WHY[type(event)], event.on, fresh=fresh, new=entry if alone else None)


def _entry(event: MeasureVersion, received_on: str) -> Measure:
    return Measure(
        measure=event.originator_id.hex,
        version=event.originator_version,
        external_id=event.external_id,
        instrument=event.instrument,
        respondent=event.respondent,
        on=event.on,
        at=event.at,
        score=event.score,
        band=event.band,
        flags=tuple(event.flags),
        session_number=event.session_number,
        received_on=received_on,
    )


def _parts(event: MeasureVersion, whole: Measure, yardsticks: Yardsticks) -> list[Measure]:
    """The entries of the subscales that are scales of their own and could be scored."""
    found = []
    subscales = yardsticks.specs[event.instrument].instrument.subscales
    for scale in yardsticks.scales[event.instrument]:
        value = event.subscales.get(scale)
        if value is not None:
            flags = _shared(whole.flags) + _filled(event.items, subscales[scale].items)
            part = replace(whole, scale=scale, score=value, flags=flags)
            label = band(yardsticks.spec(part).instrument, value)
            found.append(replace(part, band=label))
    return found


def _shared(flags: tuple[str, ...]) -> tuple[str, ...]:
    """What is said of the whole and holds for its parts: a total may contradict their items."""
    return tuple(flag for flag in flags if flag == CONFLICT)


def _filled(answers: Sequence[int | None] | None, items: Sequence[int]) -> tuple[str, ...]:
    """What is said of a scale that was scored although some of its items were not answered."""
    given = {} if answers is None else dict(enumerate(answers, start=1))
    return (PRORATED,) if any(given.get(item, 0) is None for item in items) else ()


def _take_out(case: Case, name: str) -> Measure | None:
    """Remove every entry of a measure; the one of its total, None where it was not there."""
    gone = case.measures.pop(name, None)
    if gone is not None:
        for key in [key for key in case.measures if key.startswith(f"{name}/")]:
            del case.measures[key]
    return gone


def _unusable(event: MeasureVersion, yardsticks: Yardsticks) -> str | None:
    if isinstance(event, MeasureHeld):
        return UNKNOWN_INSTRUMENT if event.why == HELD_AS_UNKNOWN else "held"
    return None if event.instrument in yardsticks.specs else UNKNOWN_INSTRUMENT


def _withdrawn(case: Case, event: MeasureWithdrawn) -> Cause | None:
    name = event.originator_id.hex
    gone = _take_out(case, name)
    aside = case.aside.pop(name, None)
    if gone is None and aside is None:
        return None
    return Cause("measure withdrawn", gone.on if gone else None)


def _plan(case: Case, event: Announced) -> Cause | None:
    before = (case.opened_on, case.primary_instrument, case.client)
    case.opened_on, case.primary_instrument = event.opened_on, event.primary_instrument
    case.client = Client(event.client_age, event.client_gender)
    if before == (case.opened_on, case.primary_instrument, case.client):
        return None
    return Cause("plan changed")


def _session(case: Case, event: Any, received_on: str) -> Cause:
    known = event.session in case.sessions
    case.sessions[event.session] = Session(event.session, event.on, event.attendance, received_on)
    return Cause("session recorded", event.on, fresh=not known)


def _approach(case: Case, event: Any, received_on: str) -> Cause:
    case.approaches[event.approach_id] = Approach(
        approach_id=event.approach_id,
        approach=event.approach,
        since=event.since,
        origin=event.origin,
        reflection=event.reflection,
        review_on=event.review_on,
    )
    return Cause("approach chosen", event.since)


def _fact(case: Case, event: Any, received_on: str) -> Cause:
    case.facts[event.fact] = Fact(event.fact, event.on, event.kind, event.label, event.until)
    return Cause("fact noted", event.on, fresh=True)


def _reflection(case: Case, event: Any, received_on: str) -> Cause:
    case.reflections[event.reflection] = Reflection(event.reflection, event.on, event.review_on)
    return Cause("reflection noted", event.on)


def _closed(case: Case, event: Any, received_on: str) -> Cause:
    case.closed_on = event.on
    return Cause("episode closed", event.on)


def _reopened(case: Case, event: Any, received_on: str) -> Cause:
    case.closed_on = None
    return Cause("episode reopened", event.on)


_STEPS: dict[type[Event], Callable[[Case, Any, str], Cause]] = {
    SessionRecorded: _session,
    ApproachChosen: _approach,
    FactNoted: _fact,
    ReflectionNoted: _reflection,
    EpisodeClosed: _closed,
    EpisodeReopened: _reopened,
}
