"""The aggregate of a clinician's answer: what was expected, what is not known, what follows."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from services.alerts.core.event import Event
from services.alerts.core.language import _, gettext_noop

REASONS = (
    gettext_noop("not asked"),
    gettext_noop("asked, declined"),
    gettext_noop("asked, not trusted"),
    gettext_noop("no measure for it"),
    gettext_noop("outside my training"),
    gettext_noop("a blind spot until now"),
    gettext_noop("the relationship does not allow it yet"),
    gettext_noop("the client does not know it yet"),
    gettext_noop("each assumed the other knew"),
    gettext_noop("time, language, records"),
    gettext_noop("not knowable now"),
)
"""Why something is not known: reasons are about situations, not about persons."""
DECISIONS = (
    gettext_noop("pivot"),
    gettext_noop("stay"),
    gettext_noop("consult"),
    gettext_noop("end well"),
)
SHAREABLE = ("expectation", "assumption", "unknowns", "lenses", "client_view", "pattern", "reason")
"""What is its author's; each of these can be opened to the supervisor, entry by entry."""
GOES_WITH = {"lenses": ("choices",), "client_view": ("preference",)}
"""What is opened together with what."""
BEYOND = (gettext_noop("consultation"), gettext_noop("training"), gettext_noop("referral"))
"""What goes before a pivot to an approach that is not in the clinician's toolkit."""


class ReflectionRefusedError(Exception):
    """The reflection cannot be recorded so; the text is for the page and names no client."""


@dataclass(frozen=True, kw_only=True)
class ReflectionRecorded(Event):
    """A clinician reflected on a course, with or without an alert."""

    TOPIC: ClassVar[str] = "reflection.recorded"

    episode: str
    author: str
    on: str
    decision: str
    reason: str
    expectation: str
    assumption: str
    unknowns: list[dict[str, Any]]
    """{unknown, what, why, who, find}; `find` is missing from the oldest."""
    client_view: str
    pattern: str
    approach: str
    since: str | None
    beyond: str
    review_on: str | None
    lenses: list[str]
    shared: list[str]
    answers: list[str]
    """Alerts that it answers."""
    choices: dict[str, list[str]] | None = None
    """Lens to the ids of what was seen through it; those of private lenses are not among them."""
    preference: str = ""
    """How the client would rather go on, in their words."""
    considered: str = ""
    """An approach that was considered and that the author is not trained in."""


@dataclass(frozen=True, kw_only=True)
class ReflectionRevised(Event):
    """The words changed; decision, approach and review date stay as they were recorded."""

    TOPIC: ClassVar[str] = "reflection.revised"

    episode: str
    on: str
    expectation: str
    assumption: str
    unknowns: list[dict[str, Any]]
    client_view: str
    pattern: str
    reason: str
    lenses: list[str]
    shared: list[str]
    choices: dict[str, list[str]] | None = None
    preference: str = ""


@dataclass(frozen=True, kw_only=True)
class PivotDecided(Event):
    """The approach chosen in a reflection; its id is the reflection's."""

    TOPIC: ClassVar[str] = "reflection.pivot_decided"

    episode: str
    approach: str
    since: str
    review_on: str | None


@dataclass(frozen=True, kw_only=True)
class UnknownClosed(Event):
    """Something that was not known is known now, or need not be any more."""

    TOPIC: ClassVar[str] = "reflection.unknown_closed"

    episode: str
    unknown: str
    how: str
    on: str


@dataclass(frozen=True, kw_only=True)
class ReviewDue(Event):
    """The review date of a reflection has come."""

    TOPIC: ClassVar[str] = "reflection.review_due"

    episode: str
    review_on: str


@dataclass(frozen=True, kw_only=True)
class ReflectionResolved(Event):
    """At its review date: worked, did not, or no measure near enough to tell (None)."""

    TOPIC: ClassVar[str] = "reflection.resolved"

    episode: str
    worked: bool | None
    measure: str | None
    on: str
    why: str


@dataclass(frozen=True, kw_only=True)
class OwnPartNoted(Event):
    """The author's own part and confidence, under the author's own key."""

    TOPIC: ClassVar[str] = "own_part.noted"

    reflection: str
    own_part: str
    confidence: int | None
    journal: str = ""
    """Not written: the journal is a stream of entries of its own."""
    choices: dict[str, list[str]] | None = None
    """Private lens to the ids of what was seen through it."""


@dataclass(frozen=True, kw_only=True)
class JournalWritten(Event):
    """An entry in a person's own journal, under that person's key."""

    TOPIC: ClassVar[str] = "journal.written"

    episode: str | None
    on: str
    text: str


@dataclass(frozen=True, slots=True)
class Reflection:
    """A reflection as it stands."""

    id: UUID
    version: int
    episode: str
    author: str
    owner: UUID
    decision: str
    review_on: str | None
    unknowns: dict[str, bool] = field(default_factory=dict)
    """Unknown to whether it is still open."""
    due: bool = False
    resolved: bool = False


def fold(events: list[Any]) -> Reflection | None:
    """The reflection after the events of its stream."""
    state: Reflection | None = None
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: Reflection | None, event: Any) -> Reflection | None:
    """The reflection after one event; never refuses."""
    if isinstance(event, ReflectionRecorded):
        return Reflection(
            event.originator_id, event.originator_version, event.episode, event.author,
            event.owner, event.decision, event.review_on,
            {entry["unknown"]: True for entry in event.unknowns},
        )  # fmt: skip
    if state is None:
        return None
    state = replace(state, version=event.originator_version)
    if isinstance(event, ReflectionRevised):
        still = {entry["unknown"]: True for entry in event.unknowns}
        closed = {key: False for key, is_open in state.unknowns.items() if not is_open}
        return replace(state, unknowns=still | closed)
    if isinstance(event, UnknownClosed):
        return replace(state, unknowns=state.unknowns | {event.unknown: False})
    if isinstance(event, ReviewDue):
        return replace(state, due=True)
    if isinstance(event, ReflectionResolved):
        return replace(state, due=True, resolved=True)
    return state


def check(
    decision: str,
    approach: str,
    beyond: str,
    unknowns: list[dict[str, Any]],
    confidence: int | None,
    *,
    beyond_toolkit: bool,
) -> None:
    """Refuse what cannot be recorded; `beyond_toolkit` tells where the approach lies.

    Raises:
        ReflectionRefusedError: says what is missing, in the words of the page.
    """
    if decision not in DECISIONS:
        raise ReflectionRefusedError(_("choose a decision"))
    if decision == "pivot" and not approach.strip():
        raise ReflectionRefusedError(_("name the approach to pivot to"))
    if decision == "pivot" and beyond_toolkit and beyond not in BEYOND:
        raise ReflectionRefusedError(
            _(
                "that approach is not in your toolkit yet: say whether consultation, training or a "
                "referral goes with it"
            )
        )
    for entry in unknowns:
        if entry["why"] not in REASONS:
            raise ReflectionRefusedError(_("choose why it is not known"))
    if confidence is not None and not 0 <= confidence <= 100:
        raise ReflectionRefusedError(_("confidence lies between 0 and 100 %"))


def decide_review(
    state: Reflection | None,
    told: tuple[bool | None, str | None] | None,
    today: str,
    at: datetime,
) -> list[Event]:
    """What follows when a review date has come: it is due, and resolved as soon as it can be told.

    Args:
        state: the reflection.
        told: (worked, measure); None while it cannot be told yet.
        today: the installation's day.
        at: when this is recorded.
    """
    if state is None or state.resolved or state.review_on is None or today < state.review_on:
        return []
    common: dict[str, Any] = {
        "originator_id": state.id,
        "timestamp": at,
        "owner": state.owner,
        "episode": state.episode,
    }
    events: list[Event] = []
    if not state.due:
        version = state.version + 1
        events.append(ReviewDue(originator_version=version, review_on=state.review_on, **common))
    if told is not None:
        worked, measure = told
        why = "no measure near enough" if measure is None else "the nearest measure"
        version = state.version + len(events) + 1
        events.append(
            ReflectionResolved(
                originator_version=version,
                worked=worked,
                measure=measure,
                on=today,
                why=why,
                **common,
            )
        )
    return events
