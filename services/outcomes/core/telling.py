"""What a sender may tell of an episode, and which events it makes: the door's commands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.outcomes.core.approach import Approaches
from services.outcomes.core.episode import (
    PLAN,
    Announced,
    ApproachChosen,
    ClientDoubted,
    ClinicianAssigned,
    EpisodeClosed,
    EpisodeError,
    EpisodeNamed,
    EpisodeOpened,
    EpisodeReopened,
    FactNoted,
    PlanChanged,
    SessionRecorded,
    State,
    UnknownEpisodeError,
    evolve,
    following,
)
from services.outcomes.core.event import Event

CONFIRMS_WITHIN_DAYS = 14
"""How far apart the two reports of one pivot may lie, the clinician's and the EHR's."""


class OtherClientError(EpisodeError):
    """The episode is another client's."""


class ClosedError(EpisodeError):
    """The episode is closed."""


class NotClosedError(EpisodeError):
    """The episode is not closed, so it cannot be opened again."""


class OrderError(EpisodeError):
    """A date lies before one that it must follow; `field` names it."""

    def __init__(self, field: str, text: str) -> None:
        """Say which field, and what it must follow."""
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which episode it is: its id, whose it is, and what its sender calls it."""

    episode: UUID
    owner: UUID
    sender: str
    reference: str
    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What a sender says of an episode by PUT: the plan, whole."""

    client: str
    clinician: str | None
    opened_on: str
    approach: str | None = None
    problem: str | None = None
    planned_sessions: int | None = None
    planned_end: str | None = None
    next_session: str | None = None
    primary_instrument: str | None = None
    client_age: int | None = None
    client_gender: str | None = None
    reopened_on: str | None = None

    def plan(self) -> dict[str, Any]:
        """The fields of `PLAN`."""
        return {name: getattr(self, name) for name in PLAN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A way of working that began, as its sender reports it."""

    approach: str
    since: str
    reason: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session, and what became of it."""

    external_id: str
    on: str
    attendance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something else that happened."""

    external_id: str
    on: str
    kind: str
    label: str
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The ending of a treatment."""

    on: str
    reason: str


Telling = Announcement | Begun | Session | Fact | Closing
"""What a sender may tell of an episode."""


def decide_name(
    state: State | None, place: Place, clinician: str | None, at: datetime
) -> list[Event]:
    """Note whose an unannounced episode is, and whom its measures name as clinician.

    None when that is known; an announcement's clinician wins over a measure's.
    """
    if state is not None:
        if state.announced or clinician in (None, state.clinician):
            return []
        return [ClinicianAssigned(**following(state, at), clinician=clinician)]
    return [
        EpisodeNamed(
            originator_id=place.episode,
            originator_version=1,
            timestamp=at,
            owner=place.owner,
            sender=place.sender,
            reference=place.reference,
            client=place.client,
            clinician=clinician,
        )
    ]


def decide_announce(
    state: State | None,
    place: Place,
    told: Announcement,
    approach_id: UUID,
    *,
    approaches: Approaches,
    today: date,
    at: datetime,
) -> list[Event]:
    """Open an episode, or bring its plan up to date.

    Args:
        state: the episode, None when it is new.
        place: which episode, and the announced client's.
        told: the announcement.
        approach_id: the id of `told.approach` begun on the day that `begins` gives.
        approaches: which names mean the same approach.
        today: the installation's day.
        at: when it is recorded.

    Raises:
        OtherClientError: the episode is another client's.
        ClosedError: it is closed, and no `reopened_on` was said.
        NotClosedError: it is not closed, yet `reopened_on` was said.
        OrderError: it would be opened again before it was closed.
    """
    events: list[Event] = []
    version = state.version if state else 0
    if state is None or not state.announced:
        if told.reopened_on is not None:
            raise NotClosedError("this episode was never closed")
        events.append(_announced(EpisodeOpened, place, told, version + 1, at))
    else:
        if place.owner != state.owner:
            raise OtherClientError("this episode is another client's")
        events += _reopened(state, told, at)
        events += _replanned(state, place, told, version + 1 + len(events), at)
    start = begins(state, told, today, approaches)
    if start is not None:
        begun = _reported(approach_id, told.approach or "", start, None)
        events.append(
            ApproachChosen(
                originator_id=place.episode,
                originator_version=version + 1 + len(events),
                timestamp=at,
                owner=place.owner,
                **begun,
            )
        )
    return events


def begins(
    state: State | None, told: Announcement, today: date, approaches: Approaches
) -> str | None:
    """Since when an announced approach is new, None when there is none or it is known.

    The approach an episode is announced with begins with it. Another one in a later announcement
    carries no date, so it begins on the day on which we hear of it.
    """
    if told.approach is None:
        return None
    if state is None or not state.approaches:
        return told.opened_on
    known = {approaches.key(one["approach"]) for one in state.approaches.values()}
    if approaches.key(told.approach) in known:
        return None
    return max(told.opened_on, today.isoformat())


def decide_approach(
    state: State | None,
    approach_id: UUID,
    approach: str,
    since: str,
    reason: str | None,
    approaches: Approaches,
    at: datetime,
) -> list[Event]:
    """Note the approach that the sender reports.

    The same approach as a reflection's within 14 days confirms that pivot, whatever each calls
    it; the pivot keeps the name that the clinician gave it.

    Raises:
        UnknownEpisodeError: there is no such episode.
    """
    state = _known(state)
    told = _reported(approach_id, approach, since, reason)
    pivot = _pivot(state, approaches, approach, since)
    if pivot is not None and approach_id.hex not in state.approaches:
        told = pivot | {"confirms": True}
    if state.approaches.get(told["approach_id"]) == told:
        return []
    return [ApproachChosen(**following(state, at), **told)]


def decide_session(
    state: State | None, session: str, on: str, attendance: str, at: datetime
) -> list[Event]:
    """Note a session, or what became of it; none when it is known so.

    Raises:
        UnknownEpisodeError: there is no such episode.
    """
    state = _known(state)
    told: dict[str, Any] = {"session": session, "on": on, "attendance": attendance}
    if state.sessions.get(session) == told:
        return []
    return [SessionRecorded(**following(state, at), **told)]


def decide_fact(state: State | None, told: Fact, at: datetime) -> list[Event]:
    """Note something that happened; none when it is known so.

    Raises:
        UnknownEpisodeError: there is no such episode.
    """
    state = _known(state)
    noted: dict[str, Any] = {
        "fact": told.external_id,
        "on": told.on,
        "kind": told.kind,
        "label": told.label,
        "until": told.until,
    }
    if state.facts.get(told.external_id) == noted:
        return []
    return [FactNoted(**following(state, at), **noted)]


def decide_close(state: State | None, on: str, reason: str, at: datetime) -> list[Event]:
    """Close an episode; none when it is closed so.

    Raises:
        UnknownEpisodeError: there is no such episode.
        ClosedError: it is closed already, otherwise.
        OrderError: it would end before it began.
    """
    state = _known(state)
    told: dict[str, Any] = {"on": on, "reason": reason}
    if state.closed == told:
        return []
    if state.closed is not None:
        raise ClosedError("this episode is closed already, on another day or for another reason")
    if on < str((state.plan or {})["opened_on"]):
        raise OrderError("on", "lies before the day on which the episode was opened")
    return [EpisodeClosed(**following(state, at), **told)]


def decide_doubt(state: State | None, measure: UUID, at: datetime) -> list[Event]:
    """Note that a measure named another client than this unannounced episode's."""
    if state is None or state.announced or state.doubted:
        return []
    return [ClientDoubted(**following(state, at), measure=measure.hex)]


def was_told(events: Sequence[Event], decide: Callable[[State | None], list[Event]]) -> bool:
    """Whether `decide` would have changed nothing at some time: it had been told just then."""
    state: State | None = None
    for event in events:
        state = evolve(state, event)
        try:
            if not decide(state):
                return True
        except EpisodeError:
            continue
    return False


def _known(state: State | None) -> State:
    if state is None or not state.announced:
        raise UnknownEpisodeError("no such episode has been announced")
    return state


def _reported(approach_id: UUID, approach: str, since: str, reason: str | None) -> dict[str, Any]:
    """What is told of an approach that comes from the EHR."""
    return {
        "approach_id": approach_id.hex,
        "approach": approach,
        "since": since,
        "origin": "ehr",
        "reason": reason,
        "reflection": None,
        "review_on": None,
        "confirms": False,
    }


def _pivot(
    state: State, approaches: Approaches, approach: str, since: str
) -> dict[str, Any] | None:
    """The reflection's approach that this one confirms, the nearest in time."""
    near = [
        (gap, one)
        for one in state.approaches.values()
        if one["origin"] == "reflection"
        and approaches.key(one["approach"]) == approaches.key(approach)
        and (gap := abs(_days(since, one["since"]))) <= CONFIRMS_WITHIN_DAYS
    ]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def _reopened(state: State, told: Announcement, at: datetime) -> list[Event]:
    if state.closed is None:
        if told.reopened_on not in (None, state.reopened_on):
            raise NotClosedError("this episode is not closed")
        return []
    if told.reopened_on is None:
        raise ClosedError("this episode is closed")
    if told.reopened_on < state.closed["on"]:
        raise OrderError("reopened_on", "lies before the day on which the episode was closed")
    return [EpisodeReopened(**following(state, at), on=told.reopened_on)]


def _replanned(
    state: State, place: Place, told: Announcement, version: int, at: datetime
) -> list[Event]:
    """What the announcement changes, from `version` on: the clinician is an event of its own."""
    before, after = state.plan or {}, told.plan()
    changed = {name for name in PLAN if before.get(name) != after[name]}
    events: list[Event] = []
    if changed - {"clinician"}:
        events.append(_announced(PlanChanged, place, told, version, at))
    if "clinician" in changed:
        assigned = following(state, at) | {"originator_version": version + len(events)}
        events.append(ClinicianAssigned(**assigned, clinician=told.clinician))
    return events


def _announced(
    kind: type[Announced], place: Place, told: Announcement, version: int, at: datetime
) -> Announced:
    return kind(
        originator_id=place.episode,
        originator_version=version,
        timestamp=at,
        owner=place.owner,
        sender=place.sender,
        reference=place.reference,
        approach=told.approach,
        **told.plan(),
    )


def _days(one: str, other: str) -> int:
    return (date.fromisoformat(one) - date.fromisoformat(other)).days
