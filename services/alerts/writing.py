"""What a reflection writes down: the shared record, and the author's own part beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from schemas.approaches import Approaches
from services.alerts.core import reflection as core
from services.alerts.core.event import Event
from services.alerts.core.language import _
from services.alerts.core.person import Person


class RefusedError(Exception):
    """The command cannot be done; the text is ours, for the page, and names no client."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that the decision needs and the record lacks, with the reason it is lacking."""

    what: str
    why: str
    """One of `services.alerts.core.reflection.REASONS`."""
    who: str = ""
    """Who could know."""
    unknown: str = ""
    """The id it has already, when a reflection is revised."""
    find: str = ""
    """How to find out."""


@dataclass(frozen=True, slots=True)
class FoundOut:
    """An unknown of an earlier reflection that is known by now."""

    reflection: UUID
    unknown: str
    how: str


@dataclass(frozen=True, slots=True)
class ReflectionForm:
    """What the reflection form sends; every part may stay empty but the decision."""

    decision: str
    """One of `services.alerts.core.reflection.DECISIONS`: pivot, stay, consult, end well."""
    reason: str = ""
    expectation: str = ""
    assumption: str = ""
    unknowns: tuple[Unknown, ...] = ()
    client_view: str = ""
    preference: str = ""
    """How the client would rather go on, in their words."""
    pattern: str = ""
    approach: str = ""
    """The new approach; needed when the decision is to pivot."""
    beyond: str = ""
    """Where the approach is not in the toolkit: consultation, training or referral."""
    considered: str = ""
    """An approach that was considered and that the author is not trained in."""
    since: date | None = None
    """When the new approach begins; today when left out."""
    review_on: date | None = None
    confidence: int | None = None
    """0 to 100; the author's own."""
    own_part: str = ""
    """The author's own."""
    lenses: tuple[str, ...] = ()
    """Names of the lenses looked through."""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lens to the ids of what was seen through it."""
    own_choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The same for private lenses; the author's own."""
    shared: tuple[str, ...] = ()
    """Which of `services.alerts.core.reflection.SHAREABLE` others may read."""
    answers: tuple[str, ...] = ()
    """Alerts (hexadecimal ids) that this reflection answers; they leave the inbox."""
    found: tuple[FoundOut, ...] = ()
    """Unknowns of earlier reflections that are closed with this one."""
    key: str = ""
    """What the page gave the form: the same words under the same key are one reflection."""


@dataclass(frozen=True, slots=True)
class Writing:
    """Who writes which reflection, of what, and when."""

    reflection: UUID
    own: UUID
    """The stream of the author's own part."""
    episode: UUID
    owner: UUID
    """The client, under whose key the shared part lies."""
    person: Person
    approaches: Approaches
    today: str
    at: datetime


def recorded(desk: Writing, form: ReflectionForm) -> list[Event]:
    """The events of a new reflection.

    Raises:
        RefusedError: says what is missing.
    """
    unknowns = _unknowns(form.unknowns, {})
    beyond = desk.approaches.is_beyond(desk.person.toolkit, form.approach)
    _check(form, unknowns, beyond_toolkit=beyond)
    since = form.since.isoformat() if form.since else desk.today
    pivots = form.decision == "pivot"
    review_on = form.review_on.isoformat() if form.review_on else None
    if review_on is not None and review_on <= desk.today:
        raise RefusedError(_("choose a review date after today"))
    common = _common(desk)
    events: list[Event] = [
        core.ReflectionRecorded(
            originator_version=1,
            author=desk.person.id.hex,
            on=desk.today,
            decision=form.decision,
            approach=form.approach if pivots else "",
            since=since if pivots else None,
            beyond=form.beyond,
            considered=form.considered,
            review_on=review_on,
            answers=[UUID(key).hex for key in form.answers],
            **_words(form, unknowns),
            **common,
        )
    ]
    if pivots:
        events.append(
            core.PivotDecided(
                originator_version=2,
                approach=form.approach,
                since=since,
                review_on=review_on,
                **common,
            )
        )
    return [*events, *_own_part(desk, form, 0)]


def revised(
    desk: Writing, state: core.Reflection, form: ReflectionForm, own_version: int
) -> list[Event]:
    """The events of a revision: words alone.

    Raises:
        RefusedError: says what is missing.
    """
    unknowns = _unknowns(form.unknowns, state.unknowns)
    _check(form, unknowns, beyond_toolkit=False)  # it was asked on the day, of that day's toolkit
    event = core.ReflectionRevised(
        originator_version=state.version + 1,
        on=desk.today,
        **_words(form, unknowns),
        **_common(desk),
    )
    return [event, *_own_part(desk, form, own_version)]


def _check(form: ReflectionForm, unknowns: list[dict[str, Any]], *, beyond_toolkit: bool) -> None:
    try:
        core.check(
            form.decision,
            form.approach,
            form.beyond,
            unknowns,
            form.confidence,
            beyond_toolkit=beyond_toolkit,
        )
    except core.ReflectionRefusedError as error:
        raise RefusedError(str(error)) from None


def _common(desk: Writing) -> dict[str, Any]:
    return {
        "originator_id": desk.reflection,
        "timestamp": desk.at,
        "owner": desk.owner,
        "episode": desk.episode.hex,
    }


def _words(form: ReflectionForm, unknowns: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "expectation": form.expectation,
        "assumption": form.assumption,
        "unknowns": unknowns,
        "client_view": form.client_view,
        "pattern": form.pattern,
        "reason": form.reason,
        "preference": form.preference,
        "lenses": list(form.lenses),
        "choices": _listed(form.choices),
        "shared": [name for name in core.SHAREABLE if name in form.shared],
    }


def _unknowns(entries: Sequence[Unknown], known: dict[str, bool]) -> list[dict[str, Any]]:
    """Each with an id of its own within the reflection; those revised keep theirs."""
    taken = {int(key) for key in known if key.isdigit()}
    made: list[dict[str, Any]] = []
    for entry in entries:
        key = entry.unknown
        if key not in known:
            number = max(taken, default=0) + 1
            taken.add(number)
            key = str(number)
        made.append(
            {
                "unknown": key,
                "what": entry.what,
                "why": entry.why,
                "who": entry.who,
                "find": entry.find,
            }
        )
    return made


def _own_part(desk: Writing, form: ReflectionForm, version: int) -> list[Event]:
    """What is noted beside it; a revision (`version` > 0) may also empty what stood there."""
    written = form.own_part or form.own_choices
    if not written and form.confidence is None and version == 0:
        return []
    return [
        core.OwnPartNoted(
            originator_id=desk.own,
            originator_version=version + 1,
            timestamp=desk.at,
            owner=desk.person.id,
            reflection=desk.reflection.hex,
            own_part=form.own_part,
            confidence=form.confidence,
            choices=_listed(form.own_choices),
        )
    ]


def _listed(choices: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {lens: list(ids) for lens, ids in choices.items() if ids}
