"""One completed questionnaire: what a sender said of it over time, and what may follow."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar
from uuid import UUID

from services.outcomes.core.event import Event

UNKNOWN_INSTRUMENT = "unknown instrument"
CLIENT_MISMATCH = "client mismatch"
REASONS = ("entered-in-error", "cancelled", "wrong-client", "other")
"""Why a sender withdraws a measure."""

DIGEST_VERSION = "1"
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


class MeasureError(Exception):
    """A command that this measure does not allow; the texts hold nothing of the client."""


class NotRecordedError(MeasureError):
    """There is no such measure."""


class DifferentContentError(MeasureError):
    """The external id carries other content already."""


class WithdrawnError(MeasureError):
    """The measure was withdrawn."""


class MovedError(MeasureError):
    """A correction names another episode or client than the measure was recorded under."""


class NotHeldError(MeasureError):
    """Only a held measure can be released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A measure as its sender gave it, parsed. `on` is the date as sent; `at` only with a zone."""

    external_id: str
    client: str
    episode: str
    instrument: str
    administered_at: str
    on: str
    at: str | None = None
    items: tuple[int | None, ...] | None = None
    total: float | None = None
    session_number: int | None = None
    clinician: str | None = None
    respondent: str = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was made of the answers; `why` says why the measure is held, else None."""

    score: float | None = None
    subscales: dict[str, float] = field(default_factory=dict)
    band: str | None = None
    flags: list[str] = field(default_factory=list)
    risk: list[dict[str, Any]] = field(default_factory=list)
    instrument_version: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Content and reading with the ids that they are to be stored under."""

    stream: UUID
    owner: UUID
    sender: str
    episode: UUID
    content: Content
    reading: Reading


@dataclass(frozen=True, kw_only=True)
class MeasureVersion(Event):
    """The fields that every version of a measure has; see `Content` and `Reading`."""

    episode: str
    sender: str
    episode_reference: str
    client: str
    clinician: str | None
    external_id: str
    instrument: str
    instrument_version: str | None
    respondent: str
    administered_at: str
    on: str
    at: str | None
    session_number: int | None
    items: list[int | None] | None
    total: float | None
    score: float | None
    subscales: dict[str, float]
    band: str | None
    flags: list[str]
    risk: list[dict[str, Any]]
    digest: str


@dataclass(frozen=True, kw_only=True)
class MeasureRecorded(MeasureVersion):
    """A measure was recorded, at once or on its release from being held."""

    TOPIC: ClassVar[str] = "measure.recorded"


@dataclass(frozen=True, kw_only=True)
class MeasureHeld(MeasureVersion):
    """A measure was stored and waits for somebody to look at it; it is out of detection."""

    TOPIC: ClassVar[str] = "measure.held"

    why: str


@dataclass(frozen=True, kw_only=True)
class MeasureCorrected(MeasureVersion):
    """The sender replaced the measure by a whole corrected one."""

    TOPIC: ClassVar[str] = "measure.corrected"


@dataclass(frozen=True, kw_only=True)
class MeasureReinstated(MeasureVersion):
    """The sender gave a withdrawn measure again."""

    TOPIC: ClassVar[str] = "measure.reinstated"


@dataclass(frozen=True, kw_only=True)
class MeasureWithdrawn(Event):
    """The sender took the measure back; `reason` is one of `REASONS`."""

    TOPIC: ClassVar[str] = "measure.withdrawn"

    episode: str
    reason: str


@dataclass(frozen=True, slots=True)
class State:
    """A measure as it stands: its first and latest versions, and whether it was withdrawn."""

    first: MeasureVersion
    latest: MeasureVersion
    version: int
    withdrawn: str | None = None

    @property
    def held(self) -> bool:
        """Whether it waits to be looked at."""
        return isinstance(self.latest, MeasureHeld) and self.withdrawn is None

    @property
    def why(self) -> str | None:
        """Why it is held, None when it is not."""
        return self.latest.why if isinstance(self.latest, MeasureHeld) and self.held else None

    @property
    def standing(self) -> str:
        """One word for it: recorded, held, corrected, reinstated or withdrawn."""
        return "withdrawn" if self.withdrawn else self.latest.TOPIC.removeprefix("measure.")


def evolve(state: State | None, event: Event) -> State | None:
    """The measure after `event`; what is not of a measure changes nothing."""
    if isinstance(event, MeasureVersion):
        first = state.first if state else event
        return State(first=first, latest=event, version=event.originator_version)
    if isinstance(event, MeasureWithdrawn) and state is not None:
        return replace(state, version=event.originator_version, withdrawn=event.reason)
    return state


def fold(events: Sequence[Event]) -> State | None:
    """The measure after all `events` of its stream, None when there are none."""
    state: State | None = None
    for event in events:
        state = evolve(state, event)
    return state


def digest(content: Content) -> str:
    """What makes two contents equal: a hash over the parsed fields, absent ones left out.

    The first character is the version of the recipe, so that a later one can tell.
    """
    told = {
        "external_id": content.external_id,
        "client": content.client,
        "episode": content.episode,
        "instrument": content.instrument,
        "respondent": content.respondent,
        "on": content.on,
        "at": content.at,
        "session_number": content.session_number,
        "clinician": content.clinician,
        "items": content.items,
        "total": None if content.total is None else float(content.total),
    }
    present = {name: value for name, value in told.items() if value is not None}
    return DIGEST_VERSION + sha256(_canonical(present).encode()).hexdigest()


def decide_post(state: State | None, draft: Draft, at: datetime) -> list[Event]:
    """Record a measure once.

    Returns:
        The event, or none when the same content is version 1 already.

    Raises:
        WithdrawnError: it was withdrawn.
        DifferentContentError: version 1 has other content.
    """
    if state is None:
        return [_version(MeasureRecorded, draft, 1, at)]
    if state.withdrawn:
        raise WithdrawnError("this measure was withdrawn")
    if state.first.digest != digest(draft.content):
        raise DifferentContentError("this external id was given for other content")
    return []


def decide_put(
    state: State | None, draft: Draft, at: datetime, *, reinstate: bool = False
) -> list[Event]:
    """Make `draft` the content of the measure, whatever it was.

    Returns:
        The event, or none when the content is the latest already.

    Raises:
        WithdrawnError: it was withdrawn, and `reinstate` was not said.
        MovedError: it names another episode or client.
    """
    if state is None:
        return [_version(MeasureRecorded, draft, 1, at)]
    if state.withdrawn and not reinstate:
        raise WithdrawnError("this measure was withdrawn")
    if not state.withdrawn and state.latest.digest == digest(draft.content):
        return []
    _refuse_move(state, draft)
    kind = MeasureReinstated if state.withdrawn else MeasureCorrected
    return [_version(kind, draft, state.version + 1, at)]


def decide_withdraw(state: State | None, reason: str, at: datetime) -> list[Event]:
    """Take a measure back; none when it was taken back before.

    Raises:
        NotRecordedError: there is no such measure.
    """
    if state is None:
        raise NotRecordedError("there is no such measure")
    if state.withdrawn:
        return []
    latest = state.latest
    return [
        MeasureWithdrawn(
            originator_id=latest.originator_id,
            originator_version=state.version + 1,
            timestamp=at,
            owner=latest.owner,
            episode=latest.episode,
            reason=reason,
        )
    ]


def decide_hold(state: State | None, why: str, at: datetime) -> list[Event]:
    """Take a recorded measure out of detection until somebody has looked at it."""
    if state is None or state.held or state.withdrawn:
        return []
    told = _fields(state.latest) | _header(state, at)
    return [MeasureHeld(**told, why=why)]


def decide_release(state: State | None, reading: Reading, at: datetime) -> list[Event]:
    """Record a held measure under a new reading of its answers.

    Raises:
        NotHeldError: it is not held.
    """
    if state is None or not state.held:
        raise NotHeldError("this measure is not held")
    told = _fields(state.latest) | _read(reading) | _header(state, at)
    return [MeasureRecorded(**told)]


def content_of(version: MeasureVersion) -> Content:
    """The content that a version was recorded with."""
    return Content(
        external_id=version.external_id,
        client=version.client,
        episode=version.episode_reference,
        instrument=version.instrument,
        administered_at=version.administered_at,
        on=version.on,
        at=version.at,
        items=None if version.items is None else tuple(version.items),
        total=version.total,
        session_number=version.session_number,
        clinician=version.clinician,
        respondent=version.respondent,
    )


def _refuse_move(state: State, draft: Draft) -> None:
    """A held measure was never folded, so it alone may move to where it belongs."""
    if state.held:
        return
    latest = state.latest
    if draft.owner != latest.owner or draft.episode.hex != latest.episode:
        raise MovedError("a correction cannot move a measure to another episode or client")


def _version(
    kind: type[MeasureVersion], draft: Draft, version: int, at: datetime
) -> MeasureVersion:
    content, reading = draft.content, draft.reading
    told: dict[str, Any] = {
        "originator_id": draft.stream,
        "originator_version": version,
        "timestamp": at,
        "owner": draft.owner,
        "episode": draft.episode.hex,
        "sender": draft.sender,
        "episode_reference": content.episode,
        "client": content.client,
        "clinician": content.clinician,
        "external_id": content.external_id,
        "instrument": content.instrument,
        "respondent": content.respondent,
        "administered_at": content.administered_at,
        "on": content.on,
        "at": content.at,
        "session_number": content.session_number,
        "items": None if content.items is None else list(content.items),
        "total": content.total,
        "digest": digest(content),
        **_read(reading),
    }
    if reading.why is not None:
        return MeasureHeld(**told, why=reading.why)
    return kind(**told)


def _read(reading: Reading) -> dict[str, Any]:
    return {
        "instrument_version": reading.instrument_version,
        "score": reading.score,
        "subscales": reading.subscales,
        "band": reading.band,
        "flags": reading.flags,
        "risk": reading.risk,
    }


def _fields(version: MeasureVersion) -> dict[str, Any]:
    return {one.name: getattr(version, one.name) for one in fields(MeasureVersion)}


def _header(state: State, at: datetime) -> dict[str, Any]:
    return {"originator_version": state.version + 1, "timestamp": at}
