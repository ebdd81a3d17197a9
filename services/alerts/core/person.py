"""The aggregate of a person who signs in: role, whose courses are theirs, who stands in."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from services.alerts.core.event import Event

ROLES = ("clinician", "supervisor", "ops")


class PersonRefusedError(Exception):
    """The command about a person cannot be done; the text is for the command line."""


@dataclass(frozen=True, kw_only=True)
class PersonAdded(Event):
    """Somebody may now sign in."""

    TOPIC: ClassVar[str] = "person.added"

    name: str
    role: str


@dataclass(frozen=True, kw_only=True)
class PersonLinked(Event):
    """A clinician's reference in a sender's system is this person."""

    TOPIC: ClassVar[str] = "person.linked"

    sender: str
    clinician: str


@dataclass(frozen=True, kw_only=True)
class SupervisionGiven(Event):
    """This person supervises another."""

    TOPIC: ClassVar[str] = "person.supervises"

    clinician: str
    """The other's person id."""


@dataclass(frozen=True, kw_only=True)
class TeamJoined(Event):
    """This person belongs to a team; a supervisor of the team supervises its clinicians."""

    TOPIC: ClassVar[str] = "person.team_joined"

    team: str


@dataclass(frozen=True, kw_only=True)
class CoverArranged(Event):
    """Who stands in while this person is away."""

    TOPIC: ClassVar[str] = "person.cover_arranged"

    by: str
    """The other's person id; empty: nobody."""


@dataclass(frozen=True, kw_only=True)
class WentAway(Event):
    """Away from a moment, until another when that is known."""

    TOPIC: ClassVar[str] = "person.went_away"

    since: str
    until: str | None


@dataclass(frozen=True, kw_only=True)
class CameBack(Event):
    """Back, from this moment on."""

    TOPIC: ClassVar[str] = "person.came_back"

    on: str


@dataclass(frozen=True, kw_only=True)
class ToolkitStated(Event):
    """The approaches this person is trained in, whole."""

    TOPIC: ClassVar[str] = "person.toolkit_stated"

    approaches: list[str]


@dataclass(frozen=True, kw_only=True)
class MailStated(Event):
    """Where this person's mail goes."""

    TOPIC: ClassVar[str] = "person.mail_stated"

    address: str
    """Empty: none is sent."""


@dataclass(frozen=True, kw_only=True)
class WishesStated(Event):
    """The approaches this person would like to learn, whole, and which wishes are shared."""

    TOPIC: ClassVar[str] = "person.wishes_stated"

    approaches: list[str]
    shared: list[str]
    """Those of them of which the supervisor may know whose they are."""


@dataclass(frozen=True, kw_only=True)
class PersonDisabled(Event):
    """May not sign in any more; their courses are without a clinician."""

    TOPIC: ClassVar[str] = "person.disabled"

    reason: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person as they stand."""

    id: UUID
    version: int
    name: str
    role: str
    links: frozenset[tuple[str, str]] = frozenset()
    """(sender, the clinician's reference there)."""
    supervises: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    covered_by: str | None = None
    """Person id, hexadecimal."""
    away: tuple[tuple[datetime, datetime | None], ...] = ()
    toolkit: frozenset[str] = frozenset()
    mail: str = ""
    """Address for notices; empty: none are mailed."""
    wishes: frozenset[str] = frozenset()
    shared_wishes: frozenset[str] = frozenset()
    disabled: bool = False

    def is_away(self, now: datetime) -> bool:
        """Whether they are away at this moment."""
        return any(since <= now and (until is None or now < until) for since, until in self.away)

    def is_present(self, now: datetime) -> bool:
        """Whether a finding addressed to them would be read."""
        return not self.disabled and not self.is_away(now)


def fold(state: Person | None, events: list[Any]) -> Person | None:
    """The person after these events of their stream."""
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: Person | None, event: Any) -> Person | None:
    """The person after one event; never refuses."""
    if isinstance(event, PersonAdded):
        return Person(event.originator_id, event.originator_version, event.name, event.role)
    if state is None:
        return None
    step = _STEPS.get(type(event))
    state = replace(state, version=event.originator_version)
    return step(state, event) if step else state


def _went_away(state: Person, event: WentAway) -> Person:
    until = datetime.fromisoformat(event.until) if event.until else None
    return replace(state, away=(*state.away, (datetime.fromisoformat(event.since), until)))


def _came_back(state: Person, event: CameBack) -> Person:
    back = datetime.fromisoformat(event.on)
    away = tuple(
        (since, back if until is None or until > back else until)
        for since, until in state.away
        if since < back
    )
    return replace(state, away=away)


_STEPS: dict[type, Any] = {
    PersonLinked: lambda state, event: replace(
        state, links=state.links | {(event.sender, event.clinician)}
    ),
    SupervisionGiven: lambda state, event: replace(
        state, supervises=state.supervises | {event.clinician}
    ),
    TeamJoined: lambda state, event: replace(state, teams=state.teams | {event.team}),
    CoverArranged: lambda state, event: replace(state, covered_by=event.by or None),
    WentAway: _went_away,
    CameBack: _came_back,
    ToolkitStated: lambda state, event: replace(state, toolkit=frozenset(event.approaches)),
    MailStated: lambda state, event: replace(state, mail=event.address),
    WishesStated: lambda state, event: replace(
        state, wishes=frozenset(event.approaches), shared_wishes=frozenset(event.shared)
    ),
    PersonDisabled: lambda state, event: replace(state, disabled=True),
}


def must_be_active(state: Person | None) -> Person:
    """The person, when there is one who was not disabled.

    Raises:
        PersonRefusedError: there is none of that name, or they are disabled.
    """
    if state is None:
        raise PersonRefusedError("there is no person of that name")
    if state.disabled:
        raise PersonRefusedError("that person is disabled")
    return state
