"""The aggregate of what one channel says of one episode: raised, amended, answered, settled.

One stream for each episode and channel, with numbered spells. The business identity of what
arrives is (spell, revision): the same or an older one changes nothing.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from services.alerts.core.event import Event


@dataclass(frozen=True, kw_only=True)
class AlertEvent(Event):
    """Something that happened to one alert."""

    episode: str
    channel: str


@dataclass(frozen=True, kw_only=True)
class AlertRaised(AlertEvent):
    """A channel speaks: a new spell, or one that had to wait."""

    TOPIC: ClassVar[str] = "alert.raised"

    spell: str
    ordinal: int
    revision: int
    tier: str
    on: str
    old_news: bool
    card: dict[str, Any]
    due_at: str | None
    answer: dict[str, Any] | None = None
    """Risk alone: the answer as `core.risk` keeps it."""


@dataclass(frozen=True, kw_only=True)
class AlertHeld(AlertEvent):
    """A finding that waits, because its channel spoke and cleared a short while ago."""

    TOPIC: ClassVar[str] = "alert.held"

    spell: str
    ordinal: int
    revision: int
    tier: str
    on: str
    old_news: bool
    card: dict[str, Any]
    until: str


@dataclass(frozen=True, kw_only=True)
class AlertAmended(AlertEvent):
    """New evidence for the spell that is under way; `again`: it is to be read again."""

    TOPIC: ClassVar[str] = "alert.amended"

    spell: str
    ordinal: int
    revision: int
    tier: str
    on: str
    old_news: bool
    card: dict[str, Any]
    again: bool
    due_at: str | None
    answer: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class AlertSeen(AlertEvent):
    """Somebody whose caseload it is opened the page on which it stands."""

    TOPIC: ClassVar[str] = "alert.seen"

    by: str


@dataclass(frozen=True, kw_only=True)
class AlertSnoozed(AlertEvent):
    """Laid aside until a day."""

    TOPIC: ClassVar[str] = "alert.snoozed"

    by: str
    until: str


@dataclass(frozen=True, kw_only=True)
class AlertWoken(AlertEvent):
    """The day has come until which it was laid aside."""

    TOPIC: ClassVar[str] = "alert.woken"

    until: str


@dataclass(frozen=True, kw_only=True)
class AlertAcknowledged(AlertEvent):
    """Taken up, by whom and what was done."""

    TOPIC: ClassVar[str] = "alert.acknowledged"

    by: str
    name: str
    done: str
    note: str
    to: str


@dataclass(frozen=True, kw_only=True)
class AlertDismissed(AlertEvent):
    """Put away with a reason, which is counted for its rule."""

    TOPIC: ClassVar[str] = "alert.dismissed"

    by: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AlertEscalated(AlertEvent):
    """Told to somebody else: the supervisor or the backup."""

    TOPIC: ClassVar[str] = "alert.escalated"

    to: str
    why: str


@dataclass(frozen=True, kw_only=True)
class AlertWithdrawn(AlertEvent):
    """A correction took its grounds away; it stays visible as withdrawn."""

    TOPIC: ClassVar[str] = "alert.withdrawn"

    spell: str
    revision: int
    on: str


@dataclass(frozen=True, kw_only=True)
class AlertSettled(AlertEvent):
    """What it said is over: recovered, or the course was closed."""

    TOPIC: ClassVar[str] = "alert.settled"

    spell: str
    revision: int
    reason: str
    on: str


@dataclass(frozen=True, kw_only=True)
class AlertUnconfirmed(AlertEvent):
    """The source was restored from a backup, and does not hold the spell as it stands here."""

    TOPIC: ClassVar[str] = "alert.unconfirmed"

    log: str
    """The new id of the source's log."""
    made_at: str
    """The moment to which it was restored."""
    revisions: dict[str, int]
    """Spell to the revision that the source knows; whatever is later is news again."""
    stated: bool
    """Whether the source has said what it holds, or only that it was restored."""


@dataclass(frozen=True, kw_only=True)
class AlertConfirmed(AlertEvent):
    """The restored source holds the spell as it stands here."""

    TOPIC: ClassVar[str] = "alert.confirmed"

    log: str | None
    """Its log, where it has stated what it holds; None where it said the same once more."""
    spell: str
    revision: int


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it stands."""

    id: UUID
    version: int
    episode: str
    channel: str
    owner: UUID
    phase: str = "none"
    """none, held, open, acknowledged, dismissed, withdrawn, settled."""
    spell: str = ""
    ordinal: int = 0
    revision: int = 0
    tier: str = ""
    spoke: bool = False
    """Whether this spell was raised, or only held."""
    card: dict[str, Any] = field(default_factory=dict)
    on: str = ""
    old_news: bool = False
    seen: bool = False
    snoozed_until: str | None = None
    due_at: str | None = None
    escalated_to: str | None = None
    held_until: str | None = None
    cleared_at: datetime | None = None
    """When a spell that had spoken last cleared."""
    revisions: dict[str, int] = field(default_factory=dict)
    """Spell to the newest revision that was taken in."""
    unconfirmed: str | None = None
    """The moment to which the source was restored, which does not hold this (yet)."""
    source: str = ""
    """The log that last stated, after a restore, what it holds."""


def fold(state: Alert | None, events: list[Any]) -> Alert | None:
    """The alert after these events of its stream."""
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: Alert | None, event: Any) -> Alert:
    """The alert after one event; never refuses."""
    if state is None:
        state = Alert(event.originator_id, 0, event.episode, event.channel, event.owner)
    step = _STEPS.get(type(event))
    changes = step(state, event) if step else {}
    return replace(state, version=event.originator_version, **changes)


Changes = dict[str, Any]


def _raised(state: Alert, event: AlertRaised) -> Changes:
    return _taken(state, event) | {
        "phase": "open",
        "spoke": True,
        "seen": False,
        "snoozed_until": None,
        "escalated_to": None,
        "due_at": event.due_at,
        "held_until": None,
    }


def _held(state: Alert, event: AlertHeld) -> Changes:
    held = {"phase": "held", "spoke": False, "held_until": event.until, "due_at": None}
    return _taken(state, event) | held


def _amended(state: Alert, event: AlertAmended) -> Changes:
    taken = _taken(state, event) | {"due_at": event.due_at}
    if event.again:
        taken |= {"phase": "open", "seen": False, "snoozed_until": None, "escalated_to": None}
    return taken


def _taken(state: Alert, event: AlertRaised | AlertHeld | AlertAmended) -> Changes:
    return {
        "spell": event.spell,
        "ordinal": event.ordinal,
        "revision": event.revision,
        "tier": event.tier,
        "card": event.card,
        "on": event.on,
        "old_news": event.old_news,
        "unconfirmed": None,
        "revisions": state.revisions | {event.spell: event.revision},
    }


def _ended(state: Alert, event: AlertSettled | AlertWithdrawn) -> Changes:
    ended: Changes = {"revisions": state.revisions | {event.spell: event.revision}}
    if event.spell != state.spell:
        return ended
    return ended | {
        "phase": "withdrawn" if isinstance(event, AlertWithdrawn) else "settled",
        "revision": event.revision,
        "cleared_at": event.timestamp if state.spoke else state.cleared_at,
        "snoozed_until": None,
        "due_at": None,
        "held_until": None,
        "unconfirmed": None,
    }


def _unconfirmed(state: Alert, event: AlertUnconfirmed) -> Changes:
    return {
        "unconfirmed": None if state.phase in ENDED else event.made_at,
        "revisions": event.revisions,
        "source": event.log if event.stated else state.source,
    }


def _confirmed(state: Alert, event: AlertConfirmed) -> Changes:
    return {
        "unconfirmed": None,
        "revisions": state.revisions | {event.spell: event.revision},
        "source": event.log or state.source,
    }


ENDED = ("none", "withdrawn", "settled")
"""Phases in which an alert says nothing (any more)."""


def _closed(phase: str, **more: Any) -> Changes:
    return {"phase": phase, "snoozed_until": None, "due_at": None, **more}


_STEPS: dict[type, Any] = {
    AlertRaised: _raised,
    AlertHeld: _held,
    AlertAmended: _amended,
    AlertSeen: lambda state, event: {"seen": True},
    AlertSnoozed: lambda state, event: {"snoozed_until": event.until},
    AlertWoken: lambda state, event: {"snoozed_until": None},
    AlertAcknowledged: lambda state, event: _closed("acknowledged", seen=True),
    AlertDismissed: lambda state, event: _closed("dismissed"),
    AlertEscalated: lambda state, event: {"escalated_to": event.to},
    AlertWithdrawn: _ended,
    AlertSettled: _ended,
    AlertUnconfirmed: _unconfirmed,
    AlertConfirmed: _confirmed,
}


class Next:
    """Makes the next events of one alert's stream, numbered in order."""

    def __init__(
        self, state: Alert | None, id_: UUID, episode: str, channel: str, owner: UUID, at: datetime
    ) -> None:
        """Stand behind `state`, or at the start of a new stream; events are recorded at `at`."""
        self.events: list[AlertEvent] = []
        self.id = id_
        self.channel = channel
        self._version = state.version if state else 0
        self._common: dict[str, Any] = {
            "originator_id": id_,
            "timestamp": at,
            "owner": owner,
            "episode": episode,
            "channel": channel,
        }

    def add(self, kind: type[AlertEvent], **fields: Any) -> None:
        """Append an event of this kind."""
        self._version += 1
        self.events.append(kind(originator_version=self._version, **self._common, **fields))


def of(state: Alert, at: datetime, owner: UUID | None = None) -> Next:
    """The pen for the next events of an alert that exists."""
    return Next(state, state.id, state.episode, state.channel, owner or state.owner, at)
