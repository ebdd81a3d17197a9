"""The aggregate of a notice: that something waits, told outside the pages; and of webhooks.

A notice says how many rows wait and where to look, nothing of any client. It is planned once,
under an id that its content gives it, and tried until it is delivered, refused or given up.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from services.alerts.core.event import Event

MAIL, WEBHOOK = "mail", "webhook"
NEWS, DIGEST, TRIAL = "news", "digest", "trial"
"""Why it is sent: something new to interrupt for, the day's count, or to see whether it arrives."""
PAUSES = tuple(
    timedelta(**pause)
    for pause in (
        {"seconds": 5}, {"minutes": 5}, {"minutes": 30}, {"hours": 2}, {"hours": 5},
        {"hours": 10}, {"hours": 14}, {"hours": 20}, {"hours": 24},
    )
)  # fmt: skip
"""Pauses before the second and further attempts: over three days in all (Standard Webhooks)."""


@dataclass(frozen=True, kw_only=True)
class NoticePlanned(Event):
    """A notice is to leave; its stream's id is what a receiver tells repetitions by."""

    TOPIC: ClassVar[str] = "notice.planned"

    channel: str
    """`mail` or `webhook`."""
    target: str
    """The webhook's name; empty for mail, whose address is asked for when it leaves."""
    person: str
    kind: str
    """`news`, `digest` or `trial`."""
    count: int
    """Rows that wait in this person's inbox."""
    told: list[str]
    """What this tells of for the first time: keys of alerts, never sent."""
    day: str
    next_at: str


@dataclass(frozen=True, kw_only=True)
class NoticeTried(Event):
    """An attempt was made."""

    TOPIC: ClassVar[str] = "notice.tried"

    person: str
    attempt: int
    outcome: str
    """`delivered`, `failed`, or `refused` (trying again would not help)."""
    why: str
    """A class of error or a status, never a text of the other side."""
    next_at: str | None
    """None: there is no further attempt."""


@dataclass(frozen=True, kw_only=True)
class NoticeReplayed(Event):
    """Somebody asked for it to be tried anew, from the first attempt."""

    TOPIC: ClassVar[str] = "notice.replayed"

    person: str
    next_at: str


@dataclass(frozen=True, kw_only=True)
class WebhookAdded(Event):
    """Notices go to this address from now on, signed with this secret."""

    TOPIC: ClassVar[str] = "webhook.added"

    name: str
    url: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class WebhookRemoved(Event):
    """Notices go there no more."""

    TOPIC: ClassVar[str] = "webhook.removed"

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it stands."""

    id: UUID
    version: int
    channel: str
    target: str
    person: UUID
    kind: str
    count: int
    attempts: int = 0
    next_at: datetime | None = None
    outcome: str = "waiting"


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The addresses that notices are posted to, by name."""

    version: int = 0
    targets: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name to (address, secret)."""


def fold(events: list[Any]) -> Notice | None:
    """The notice after the events of its stream."""
    state: Notice | None = None
    for event in events:
        state = _evolve(state, event)
    return state


def _evolve(state: Notice | None, event: Any) -> Notice | None:
    if isinstance(event, NoticePlanned):
        return Notice(
            event.originator_id, event.originator_version, event.channel, event.target,
            UUID(event.person), event.kind, event.count, next_at=_moment(event.next_at),
        )  # fmt: skip
    if state is None:
        return None
    state = replace(state, version=event.originator_version)
    if isinstance(event, NoticeTried):
        return replace(
            state,
            attempts=event.attempt,
            next_at=_moment(event.next_at),
            outcome=event.outcome if event.next_at is None else "waiting",
        )
    if isinstance(event, NoticeReplayed):
        return replace(state, attempts=0, next_at=_moment(event.next_at), outcome="waiting")
    return state


def fold_webhooks(events: list[Any]) -> Webhooks:
    """The webhooks after the events of their stream."""
    targets: dict[str, tuple[str, str]] = {}
    version = 0
    for event in events:
        version = event.originator_version
        if isinstance(event, WebhookAdded):
            targets[event.name] = (event.url, event.secret)
        elif isinstance(event, WebhookRemoved):
            targets.pop(event.name, None)
    return Webhooks(version, targets)


def after(attempt: int, at: datetime) -> datetime | None:
    """When to try again after this attempt failed; None after the last."""
    return at + PAUSES[attempt - 1] if attempt <= len(PAUSES) else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
