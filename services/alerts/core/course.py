"""The aggregate of what has arrived about one episode: every message, noted unchanged."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from uuid import UUID

from services.alerts.core.event import Event


@dataclass(frozen=True, kw_only=True)
class MessageNoted(Event):
    """A message arrived; `effect` False: it could not be acted upon yet, and waits."""

    TOPIC: ClassVar[str] = "course.noted"

    episode: str
    message: dict[str, Any]
    """{id, type, version, time, data}; what could not be decoded: {id, unreadable: {...}}."""
    effect: bool


@dataclass(frozen=True, slots=True)
class Header:
    """What the latest `episode.changed` says, as far as policy and cards need it."""

    sender: str = ""
    client: str = ""
    clinician: str | None = None
    closed: bool = False
    next_session: str | None = None
    primary: str | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """What must be known of an episode to note and act upon its next message."""

    id: UUID
    episode: str
    version: int = 0
    subject: UUID | None = None
    header: Header | None = None
    scales: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Trajectory to {instrument, title, higher_is, cutoff, reliable_change, minimum, maximum}."""
    done: frozenset[str] = frozenset()
    """Ids of the messages that took effect."""
    waiting: frozenset[str] = frozenset()
    """Ids of the messages that were noted and wait."""


def fold(course: Course, events: list[Any]) -> Course:
    """The course after these events of its stream."""
    for event in events:
        course = evolve(course, event)
    return course


def evolve(course: Course, event: Any) -> Course:
    """The course after one event; never refuses."""
    if not isinstance(event, MessageNoted):  # damaged: its place in the stream is taken
        return replace(course, version=event.originator_version)
    message = event.message
    if not event.effect:
        return replace(
            course, version=event.originator_version, waiting=course.waiting | {message["id"]}
        )
    course = replace(
        course,
        version=event.originator_version,
        done=course.done | {message["id"]},
        waiting=course.waiting - {message["id"]},
    )
    return learn(course, message["type"], message["data"])


def learn(course: Course, type_: str, data: dict[str, Any]) -> Course:
    """The course with what one message tells of it."""
    step = _LEARN.get(type_)
    if "subject" in data and course.subject is None:
        course = replace(course, subject=UUID(data["subject"]))
    return step(course, data) if step else course


def _episode_changed(course: Course, data: dict[str, Any]) -> Course:
    header = Header(
        sender=data["sender"],
        client=data["client"],
        clinician=data.get("clinician"),
        closed=bool(data.get("closed_on")),
        next_session=data.get("next_session"),
        primary=data.get("primary_instrument"),
    )
    return replace(course, header=header, subject=UUID(data["subject"]))


def _assessed(course: Course, data: dict[str, Any]) -> Course:
    return _scale(course, data["assessment"])


def _refolded(course: Course, data: dict[str, Any]) -> Course:
    for assessment in data["assessments"]:
        course = _scale(course, assessment)
    return course


_KEPT = ("title", "higher_is", "cutoff", "reliable_change", "minimum", "maximum")


def _scale(course: Course, assessment: dict[str, Any]) -> Course:
    scale = assessment.get("scale")
    if not scale:
        return course
    kept = {name: scale.get(name) for name in _KEPT}
    kept["instrument"] = assessment["instrument"]
    return replace(course, scales=course.scales | {assessment["trajectory"]: kept})


_LEARN: dict[str, Any] = {
    "episode.changed": _episode_changed,
    "measure.assessed": _assessed,
    "trajectory.refolded": _refolded,
}
