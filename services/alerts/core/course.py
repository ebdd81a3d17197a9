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
    channels: frozenset[str] = frozenset()
    """The channels in which something was ever found."""
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
    return replace(
        course,
        version=event.originator_version,
        done=course.done | {message["id"]},
        waiting=course.waiting - {message["id"]},
        **_learned(course, message["type"], message["data"]),
    )


def _learned(course: Course, type_: str, data: dict[str, Any]) -> dict[str, Any]:
    """What one message tells of the course."""
    step = _LEARN.get(type_)
    learned: dict[str, Any] = step(course, data) if step else {}
    if "subject" in data and course.subject is None:
        learned.setdefault("subject", UUID(data["subject"]))
    return learned


def _episode_changed(course: Course, data: dict[str, Any]) -> dict[str, Any]:
    header = Header(
        sender=data["sender"],
        client=data["client"],
        clinician=data.get("clinician"),
        closed=bool(data.get("closed_on")),
        next_session=data.get("next_session"),
        primary=data.get("primary_instrument"),
    )
    return {"header": header, "subject": UUID(data["subject"])}


def _assessed(course: Course, data: dict[str, Any]) -> dict[str, Any]:
    return _scales(course, [data["assessment"]])


def _refolded(course: Course, data: dict[str, Any]) -> dict[str, Any]:
    return _scales(course, data["assessments"])


_KEPT = ("title", "higher_is", "cutoff", "reliable_change", "minimum", "maximum")


def _scales(course: Course, assessments: list[dict[str, Any]]) -> dict[str, Any]:
    scales = dict(course.scales)
    for assessment in assessments:
        scale = assessment.get("scale")
        if scale:
            kept = {name: scale.get(name) for name in _KEPT}
            scales[assessment["trajectory"]] = kept | {"instrument": assessment["instrument"]}
    return {"scales": scales}


def _found(course: Course, data: dict[str, Any]) -> dict[str, Any]:
    return {"channels": course.channels | {data["channel"]}}


_LEARN: dict[str, Any] = {
    "finding.opened": _found,
    "episode.changed": _episode_changed,
    "measure.assessed": _assessed,
    "trajectory.refolded": _refolded,
}
