"""The view of episodes: everything known of one, as the EHR that sent it may read it again."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from services.chassis.eventlog import Entry, EventLog
from services.chassis.view import Document, View
from services.chassis.views import ViewStore
from services.outcomes.core import episode, findings, measure

PATIENCE = timedelta(seconds=1)
"""How long an answer waits for the view to reach what was stored before it was asked for."""

MEASURES = (
    measure.MeasureRecorded,
    measure.MeasureHeld,
    measure.MeasureCorrected,
    measure.MeasureReinstated,
)
EPISODES = (
    episode.EpisodeNamed,
    episode.EpisodeOpened,
    episode.PlanChanged,
    episode.ClinicianAssigned,
    episode.SessionRecorded,
    episode.ApproachChosen,
    episode.FactNoted,
    episode.ReflectionNoted,
    episode.EpisodeClosed,
    episode.EpisodeReopened,
)
FINDINGS = (
    findings.Assessed,
    findings.Refolded,
    findings.MeasureSetAside,
    findings.FindingOpened,
    findings.FindingAmended,
    findings.FindingCleared,
    findings.SilenceNoticed,
    findings.ForecastMade,
    findings.EffectMeasured,
)


class Episodes(View):
    """One document per episode."""

    name: ClassVar[str] = "episodes"
    version: ClassVar[int] = 3
    topics: ClassVar[frozenset[str]] = frozenset(
        kind.TOPIC for kind in (*MEASURES, *EPISODES, *FINDINGS, measure.MeasureWithdrawn)
    )

    def key(self, event: Any) -> UUID | None:
        """The episode: an episode's events are in its own stream, the others name it."""
        if event.TOPIC.startswith("episode."):
            stream: UUID = event.originator_id
            return stream
        return UUID(event.episode)

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document after an event."""
        event = entry.event
        doc = doc or _empty(self.key(event), event)
        _STEPS[event.TOPIC](doc, event)
        return doc

    def owner(self, doc: Document) -> UUID:
        """The client whose episode it is."""
        return UUID(doc["subject"])


def _empty(key: UUID | None, event: Any) -> Document:
    return {
        "id": key.hex if key else "",
        "subject": event.owner.hex,
        "sender": None,
        "reference": None,
        "announced": False,
        **dict.fromkeys(episode.PLAN),
        "closed_on": None,
        "close_reason": None,
        "approaches": {},
        "sessions": {},
        "facts": {},
        "reflections": {},
        "measures": {},
        "trajectories": {},
        "findings": {},
        "forecasts": {},
        "effects": {},
        "silent_since": None,
    }


def _told(event: Any) -> dict[str, Any]:
    """The event's own fields."""
    ours = ("originator_id", "originator_version", "timestamp", "owner", "input", "memory")
    return {name: value for name, value in vars(event).items() if name not in ours}


# What is told of the episode itself


def _named(doc: Document, event: Any) -> None:
    told = _told(event)
    doc |= {name: told[name] for name in ("sender", "reference", "client", "clinician")}
    doc["subject"] = event.owner.hex


def _announced(doc: Document, event: Any) -> None:
    _named(doc, event)
    doc |= {name: getattr(event, name) for name in episode.PLAN}
    doc["announced"] = True


def _assigned(doc: Document, event: Any) -> None:
    doc["clinician"] = event.clinician


def _closed(doc: Document, event: Any) -> None:
    doc |= {"closed_on": event.on, "close_reason": event.reason}


def _reopened(doc: Document, event: Any) -> None:
    doc |= {"closed_on": None, "close_reason": None}


def _keeper(part: str, name: str) -> Callable[[Document, Any], None]:
    def keep(doc: Document, event: Any) -> None:
        doc[part][getattr(event, name)] = _told(event)

    return keep


# Measures


def _measured(doc: Document, event: Any) -> None:
    if doc["sender"] is None:
        doc |= {"sender": event.sender, "reference": event.episode_reference}
        doc["client"] = event.client
    told = {
        "id": event.originator_id.hex,
        "external_id": event.external_id,
        "version": event.originator_version,
        "state": event.TOPIC.removeprefix("measure."),
    }
    if event.owner.hex == doc["subject"]:  # another client's content is sealed under their own key
        told |= _content(event)
    if isinstance(event, measure.MeasureHeld):
        told["why"] = event.why
    doc["measures"][event.originator_id.hex] = told


def _content(event: Any) -> dict[str, Any]:
    names = (
        "instrument",
        "respondent",
        "administered_at",
        "session_number",
        "items",
        "total",
        "score",
        "subscales",
        "band",
        "flags",
        "risk",
    )
    return {name: getattr(event, name) for name in names}


def _withdrawn(doc: Document, event: Any) -> None:
    told = doc["measures"].get(event.originator_id.hex)
    if told is not None:
        told |= {"version": event.originator_version, "state": "withdrawn", "reason": event.reason}


# Findings


def _assessed(doc: Document, event: Any) -> None:
    _put_assessments(doc, [event.assessment])


def _refolded(doc: Document, event: Any) -> None:
    """The event tells the trajectory whole, and its scale only where that has changed."""
    course = doc["trajectories"].get(event.trajectory)
    if course is not None:
        course |= {"assessments": [], "fan": [], "fan_on": None}
    _put_assessments(doc, event.assessments)
    if course is not None and not course["assessments"]:
        del doc["trajectories"][event.trajectory]


def _set_aside(doc: Document, event: Any) -> None:
    told = doc["measures"].get(event.measure)
    if told is not None:
        told["set_aside"] = event.reason


def _put_assessments(doc: Document, assessments: Sequence[dict[str, Any]]) -> None:
    for one in assessments:
        told = dict(one)
        scale, fan = told.pop("scale", None), told.pop("fan", None)
        course = doc["trajectories"].setdefault(
            told["trajectory"],
            {
                "trajectory": told["trajectory"],
                "instrument": told["instrument"],
                "respondent": told["respondent"],
                "scale": None,
                "assessments": [],
                "fan": [],
                "fan_on": None,
            },
        )
        others = [old for old in course["assessments"] if old["measure"] != told["measure"]]
        course["assessments"] = sorted([*others, told], key=_clinical_order)
        course["scale"] = scale or course["scale"]
        if told is course["assessments"][-1]:  # a forecast is of use from the latest measure alone
            course |= {"fan": fan or [], "fan_on": told["on"]}


def _clinical_order(assessment: dict[str, Any]) -> tuple[str, str, int]:
    return assessment["on"], assessment.get("at") or "", assessment.get("number") or 0


def _found(doc: Document, event: Any) -> None:
    told = _told(event)
    before = doc["findings"].get(event.spell, {})
    opened = before.get("opened_on", event.on)
    doc["findings"][event.spell] = {**told, "opened_on": opened, "status": "open"}


def _cleared(doc: Document, event: Any) -> None:
    told = {
        "spell": event.spell,
        "channel": event.channel,
        "revision": event.revision,
        "status": "cleared",
        "cleared_reason": event.reason,
        "cleared_on": event.on,
    }
    doc["findings"][event.spell] = {**doc["findings"].get(event.spell, {}), **told}


def _silent(doc: Document, event: Any) -> None:
    doc["silent_since"] = event.since


def _forecast(doc: Document, event: Any) -> None:
    told = _told(event)
    key = told.get("reflection") or told.get("approach_id") or told["on"]
    doc["forecasts"][f"{key} {told.get('trajectory')}"] = told


def _effect(doc: Document, event: Any) -> None:
    doc["effects"][f"{event.approach_id} {event.trajectory} {event.measure}"] = _told(event)


_STEPS: dict[str, Callable[[Document, Any], None]] = {
    episode.EpisodeNamed.TOPIC: _named,
    episode.EpisodeOpened.TOPIC: _announced,
    episode.PlanChanged.TOPIC: _announced,
    episode.ClinicianAssigned.TOPIC: _assigned,
    episode.SessionRecorded.TOPIC: _keeper("sessions", "session"),
    episode.ApproachChosen.TOPIC: _keeper("approaches", "approach_id"),
    episode.FactNoted.TOPIC: _keeper("facts", "fact"),
    episode.ReflectionNoted.TOPIC: _keeper("reflections", "reflection"),
    episode.EpisodeClosed.TOPIC: _closed,
    episode.EpisodeReopened.TOPIC: _reopened,
    **{kind.TOPIC: _measured for kind in MEASURES},
    measure.MeasureWithdrawn.TOPIC: _withdrawn,
    findings.Assessed.TOPIC: _assessed,
    findings.Refolded.TOPIC: _refolded,
    findings.MeasureSetAside.TOPIC: _set_aside,
    findings.FindingOpened.TOPIC: _found,
    findings.FindingAmended.TOPIC: _found,
    findings.FindingCleared.TOPIC: _cleared,
    findings.SilenceNoticed.TOPIC: _silent,
    findings.ForecastMade.TOPIC: _forecast,
    findings.EffectMeasured.TOPIC: _effect,
}


class EpisodeReader:
    """Answers what is known of an episode, and says how far into the log that reaches."""

    def __init__(
        self, views: ViewStore, view: Episodes, log: EventLog, detector: str = "detector"
    ) -> None:
        """`detector` is the name under which the detector keeps its position in `log`."""
        self._views, self._view, self._log, self._detector = views, view, log, detector

    def get(self, stream: UUID) -> tuple[Document | None, int]:
        """An episode, and the position of the log up to which its findings take all in.

        The detector's position is read first: whatever it had found by then lies before the head
        that the view is then waited for.
        """
        detected = self._log.position(self._detector)
        reached = self.caught_up(self._view)
        position = detected if reached else min(detected, self._views.position(self._view))
        return self._views.get(self._view, stream), position

    def caught_up(self, view: View) -> bool:
        """Wait a little for a view to reach what is stored by now; whether it has."""
        return self._views.wait_for(view, self._log.head(), PATIENCE.total_seconds())

    def of_episode(self, episode: UUID, position: int) -> Sequence[UUID]:
        """The ids of an episode's measures among the events up to `position`."""
        self._views.wait_for(self._view, position, PATIENCE.total_seconds())
        document = self._views.get(self._view, episode)
        return [UUID(one) for one in document["measures"]] if document else []
