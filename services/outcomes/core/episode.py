"""One course of treatment as its sender tells it: plan, sessions, approaches, facts, ending."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from services.outcomes.core.event import Event

PLAN = (
    "client",
    "clinician",
    "opened_on",
    "problem",
    "planned_sessions",
    "planned_end",
    "next_session",
    "primary_instrument",
    "client_age",
    "client_gender",
)
"""The fields of an announcement that make the plan; the approach has a history of its own."""


class EpisodeError(Exception):
    """A command that this episode does not allow; the texts hold nothing of the client."""


class UnknownEpisodeError(EpisodeError):
    """There is no such episode, or it was not announced yet."""


@dataclass(frozen=True, kw_only=True)
class EpisodeNamed(Event):
    """Something of an episode came in that nobody has announced: whose it is."""

    TOPIC: ClassVar[str] = "episode.named"

    sender: str
    reference: str
    client: str
    clinician: str | None


@dataclass(frozen=True, kw_only=True)
class ClientDoubted(Event):
    """A measure named another client than the unannounced episode's; both are held."""

    TOPIC: ClassVar[str] = "episode.client_doubted"

    measure: str


@dataclass(frozen=True, kw_only=True)
class Announced(Event):
    """What an announcement says, whole; `approach` is the one it named, if any.

    Age (whole years at the opening) and gender are there for thresholds that need them.
    """

    sender: str
    reference: str
    client: str
    clinician: str | None
    opened_on: str
    approach: str | None
    problem: str | None
    planned_sessions: int | None
    planned_end: str | None
    next_session: str | None
    primary_instrument: str | None
    client_age: int | None = None
    client_gender: str | None = None


@dataclass(frozen=True, kw_only=True)
class EpisodeOpened(Announced):
    """The sender announced the episode."""

    TOPIC: ClassVar[str] = "episode.opened"


@dataclass(frozen=True, kw_only=True)
class PlanChanged(Announced):
    """The sender announced the episode again with another plan."""

    TOPIC: ClassVar[str] = "episode.plan_changed"


@dataclass(frozen=True, kw_only=True)
class ClinicianAssigned(Event):
    """Another clinician is responsible from now on."""

    TOPIC: ClassVar[str] = "episode.clinician_assigned"

    clinician: str | None


@dataclass(frozen=True, kw_only=True)
class SessionRecorded(Event):
    """A session was kept, cancelled or missed; the same `session` again replaces it."""

    TOPIC: ClassVar[str] = "episode.session_recorded"

    session: str
    on: str
    attendance: str


@dataclass(frozen=True, kw_only=True)
class ApproachChosen(Event):
    """A way of working began; the same `approach_id` again replaces it.

    `confirms`: the sender reported the pivot that a reflection had told of.
    """

    TOPIC: ClassVar[str] = "episode.approach_chosen"

    approach_id: str
    approach: str
    since: str
    origin: str
    reason: str | None
    reflection: str | None
    review_on: str | None
    confirms: bool


@dataclass(frozen=True, kw_only=True)
class FactNoted(Event):
    """Something else happened; the same `fact` again replaces it."""

    TOPIC: ClassVar[str] = "episode.fact_noted"

    fact: str
    on: str
    kind: str
    label: str
    until: str | None = None
    """The last day of a break, where it was told."""


@dataclass(frozen=True, kw_only=True)
class ReflectionNoted(Event):
    """A clinician reflected and decided; what was written stays in the other service."""

    TOPIC: ClassVar[str] = "episode.reflection_noted"

    reflection: str
    decision: str
    on: str
    review_on: str | None


@dataclass(frozen=True, kw_only=True)
class EpisodeClosed(Event):
    """The treatment ended."""

    TOPIC: ClassVar[str] = "episode.closed"

    on: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class EpisodeReopened(Event):
    """The treatment went on after all."""

    TOPIC: ClassVar[str] = "episode.reopened"

    on: str


@dataclass(frozen=True, slots=True)
class State:
    """An episode as it stands. `plan` is None while nobody has announced it."""

    episode: UUID
    owner: UUID
    version: int
    sender: str
    reference: str
    client: str
    clinician: str | None = None
    """As its measures name the clinician, while nobody has announced the episode."""
    doubted: bool = False
    plan: dict[str, Any] | None = None
    closed: dict[str, str] | None = None
    reopened_on: str | None = None
    approaches: dict[str, dict[str, Any]] = field(default_factory=dict)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    reflections: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def announced(self) -> bool:
        """Whether the sender has told of it by itself."""
        return self.plan is not None

    @property
    def approach(self) -> str | None:
        """The approach in force: the one begun last."""
        begun = sorted(self.approaches.values(), key=lambda one: str(one["since"]))
        return str(begun[-1]["approach"]) if begun else None


def evolve(state: State | None, event: Event) -> State | None:
    """The episode after `event`; what is not of an episode changes nothing."""
    if isinstance(event, (EpisodeNamed, Announced)):
        state = _named(state, event)
    if state is None:
        return None
    state = replace(state, version=event.originator_version)
    step = _STEPS.get(type(event))
    return step(state, event) if step else state


def fold(events: Sequence[Event]) -> State | None:
    """The episode after all `events` of its stream, None when there are none."""
    return onward(None, events)


def onward(state: State | None, events: Sequence[Event]) -> State | None:
    """The episode after further events of its stream."""
    for event in events:
        state = evolve(state, event)
    return state


def header(state: State) -> dict[str, Any]:
    """What is told of an episode as a whole: the plan, and whether it is closed."""
    unannounced = {"client": state.client, "clinician": state.clinician}
    plan = state.plan or dict.fromkeys(PLAN) | unannounced
    closed = state.closed or {}
    return {
        "sender": state.sender,
        "reference": state.reference,
        **plan,
        "closed_on": closed.get("on"),
        "close_reason": closed.get("reason"),
    }


def decide_approach_chosen(state: State | None, data: dict[str, Any], at: datetime) -> list[Event]:
    """Note a pivot from a reflection: `data` as of the message `approach.chosen`.

    Raises:
        UnknownEpisodeError: there is no such episode.
    """
    if state is None:
        raise UnknownEpisodeError("there is no such episode")
    approach_id = UUID(str(data["approach_id"])).hex
    if approach_id in state.approaches:
        return []
    return [
        ApproachChosen(
            **following(state, at),
            approach_id=approach_id,
            approach=data["approach"],
            since=data["since"],
            origin=data.get("origin") or "reflection",
            reason=data.get("reason"),
            reflection=_hex(data.get("reflection")),
            review_on=data.get("review_on"),
            confirms=False,
        )
    ]


def decide_reflection_noted(state: State | None, data: dict[str, Any], at: datetime) -> list[Event]:
    """Note a clinician's decision: `data` as of the message `reflection.recorded`.

    Raises:
        UnknownEpisodeError: there is no such episode.
    """
    if state is None:
        raise UnknownEpisodeError("there is no such episode")
    reflection = UUID(str(data["reflection"])).hex
    told = {
        "reflection": reflection,
        "decision": data["decision"],
        "on": data["on"],
        "review_on": data.get("review_on"),
    }
    if state.reflections.get(reflection) == told:
        return []
    return [ReflectionNoted(**following(state, at), **told)]


def following(state: State, at: datetime) -> dict[str, Any]:
    """The four fields that every event has, for the one after `state`."""
    return {
        "originator_id": state.episode,
        "originator_version": state.version + 1,
        "timestamp": at,
        "owner": state.owner,
    }


def _hex(value: Any) -> str | None:
    return None if value is None else UUID(str(value)).hex


def _named(state: State | None, event: EpisodeNamed | Announced) -> State:
    """An announcement also settles whose an episode is that was known from its measures alone."""
    if state is None:
        return State(
            episode=event.originator_id,
            owner=event.owner,
            version=event.originator_version,
            sender=event.sender,
            reference=event.reference,
            client=event.client,
            clinician=event.clinician,
        )
    return replace(state, owner=event.owner, client=event.client)


def _opened(state: State, event: Any) -> State:
    return replace(state, plan={name: getattr(event, name) for name in PLAN}, doubted=False)


def _assigned(state: State, event: Any) -> State:
    if state.plan is None:
        return replace(state, clinician=event.clinician)
    return replace(state, plan={**state.plan, "clinician": event.clinician})


def _closed(state: State, event: Any) -> State:
    return replace(state, closed={"on": event.on, "reason": event.reason}, reopened_on=None)


def _opened_again(state: State, event: Any) -> State:
    return replace(state, closed=None, reopened_on=event.on)


def _doubted(state: State, event: Any) -> State:
    return replace(state, doubted=True)


def _with_approach(state: State, event: Any) -> State:
    told = {name: getattr(event, name) for name in _APPROACH}
    return replace(state, approaches={**state.approaches, event.approach_id: told})


def _with_session(state: State, event: Any) -> State:
    told = {"session": event.session, "on": event.on, "attendance": event.attendance}
    return replace(state, sessions={**state.sessions, event.session: told})


def _with_fact(state: State, event: Any) -> State:
    told = {name: getattr(event, name) for name in ("fact", "on", "kind", "label", "until")}
    return replace(state, facts={**state.facts, event.fact: told})


def _with_reflection(state: State, event: Any) -> State:
    told = {name: getattr(event, name) for name in ("reflection", "decision", "on", "review_on")}
    return replace(state, reflections={**state.reflections, event.reflection: told})


_APPROACH = (
    "approach_id",
    "approach",
    "since",
    "origin",
    "reason",
    "reflection",
    "review_on",
    "confirms",
)
_STEPS = {
    EpisodeOpened: _opened,
    PlanChanged: _opened,
    ClinicianAssigned: _assigned,
    SessionRecorded: _with_session,
    ApproachChosen: _with_approach,
    FactNoted: _with_fact,
    ReflectionNoted: _with_reflection,
    EpisodeClosed: _closed,
    EpisodeReopened: _opened_again,
    ClientDoubted: _doubted,
}
