"""What falls due by the clock: escalation, the end of a snooze or of a silence, review dates.

`due` looks at what the overdue view says is due and decides again on each stream itself, so that
calling it twice, or on a view that is behind, changes nothing twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.alerts import metrics
from services.alerts.core import alert, reflection, speaking
from services.alerts.core import policy as rules
from services.alerts.core.alert import Alert, Next
from services.alerts.core.event import Event
from services.alerts.people import Directory
from services.alerts.settings import Settings
from services.alerts.views.course import CourseView
from services.alerts.views.overdue import Overdue
from services.chassis.eventlog import EventLog
from services.chassis.group_commit import GroupCommit
from services.chassis.metrics import Catalogue
from services.chassis.views import ViewStore

LOOK_AGAIN = timedelta(minutes=10)
"""How often a review that is due and cannot be told yet is looked at."""
Decide = Callable[[Alert, Next], list[Any]]


@dataclass
class DueJob:
    """The job that timers call about once a second."""

    log: EventLog
    commit: GroupCommit
    overdue: Overdue
    courses: CourseView
    store: ViewStore
    directory: Directory
    settings: Settings
    catalogue: Catalogue | None = None
    _looked: dict[str, datetime] = field(default_factory=dict)

    def due(self, now: datetime) -> None:
        """Do everything that is due at this moment.

        Raises:
            services.chassis.faults.StoreError: some of it could not be stored; it stays due.
        """
        documents = self.overdue.due(now)
        self._measure([one for doc in documents for one in doc["alerts"].values()], now)
        for doc in documents:
            for entry in doc["alerts"].values():
                self._alert(doc, entry, now)
            for id_, review in doc["reviews"].items():
                self._review(UUID(doc["episode"]), UUID(id_), review, now)

    def _measure(self, entries: list[dict[str, Any]], now: datetime) -> None:
        if self.catalogue is None:
            return
        waiting = [one for one in entries if one["channel"] == rules.RISK and one["tier"] == "risk"]
        self.catalogue.set(metrics.RISK_OPEN, len(waiting))
        late = [one["channel"] for one in entries if _has_come(one["due_at"], now)]
        for channel in sorted(rules.ESCALATING):
            self.catalogue.set(metrics.OVERDUE, late.count(channel), channel=channel)

    # Alerts

    def _alert(self, doc: dict[str, Any], entry: dict[str, Any], now: datetime) -> None:
        if _has_come(entry["snoozed_until"], now):
            self._decide(entry, now, lambda state, pen: speaking.decide_wake(state, now, pen))
        if entry["state"] == "held" and _has_come(entry["held_until"], now):
            policy = self.settings.policy
            self._decide(
                entry, now, lambda state, pen: speaking.decide_release(state, policy, now, pen)
            )
        told = self._whom_to_tell(doc, entry, now)
        if told is not None:
            self._decide(entry, now, lambda state, pen: speaking.decide_escalate(state, *told, pen))

    def _whom_to_tell(
        self, doc: dict[str, Any], entry: dict[str, Any], now: datetime
    ) -> tuple[str, str] | None:
        """(to whom, why) when somebody else is to be told now."""
        if entry["state"] == "held" or entry["escalated_to"] == "backup":
            return None
        if entry["channel"] == rules.RISK:
            return self._risk(doc, entry, now)
        if entry["channel"] not in rules.ESCALATING or entry["escalated_at"] is not None:
            return None
        if entry["seen_at"] is not None or entry["due_at"] is None:
            return None
        return self._unread(doc, entry, now)

    def _risk(
        self, doc: dict[str, Any], entry: dict[str, Any], now: datetime
    ) -> tuple[str, str] | None:
        if entry["tier"] != "risk":
            return None
        if _has_come(entry["due_at"], now):
            return "backup", "not acknowledged in time"
        if doc["closed"]:
            return "backup", "the course is closed"
        hashed = self.directory.hash(doc["sender"], doc["clinician"])
        why = self.directory.people().unreachable(hashed, now)
        # Until the header is known the clinician of the message itself was asked for, at intake.
        return ("backup", why) if why is not None and doc["sender"] is not None else None

    def _unread(
        self, doc: dict[str, Any], entry: dict[str, Any], now: datetime
    ) -> tuple[str, str] | None:
        """Reliable deterioration that nobody opened; the clinician's leave does not count."""
        people = self.directory.people()
        hashed = self.directory.hash(doc["sender"], doc["clinician"])
        person = people.clinician(hashed)
        raised = datetime.fromisoformat(entry["raised_at"])
        paused = timedelta()
        if person is not None and people.deputy(person, now) is None:
            paused = rules.leave_between(person.away, raised, now)
        if datetime.fromisoformat(entry["due_at"]) + paused > now:
            return None
        watched = person is not None and bool(people.supervisors(person))
        return ("supervisor" if watched else "backup"), "nobody has opened it yet"

    def _decide(self, entry: dict[str, Any], now: datetime, decide: Decide) -> None:
        id_ = UUID(entry["alert"])

        def unit(
            read: Callable[[UUID], list[Any]] | None,
        ) -> tuple[list[Event], list[Event]]:
            state = alert.fold(None, (read or self.log.read)(id_))
            events = decide(state, alert.of(state, now)) if state is not None else []
            return events, events

        self._report(self.commit.submit(unit))

    # Reflections

    def _review(self, episode: UUID, id_: UUID, review: dict[str, Any], now: datetime) -> None:
        policy = self.settings.policy
        review_on = date.fromisoformat(review["review_on"])
        today = policy.day(now)
        if today < review_on:
            return
        looked = self._looked.get(id_.hex)
        if looked is not None and now - looked < LOOK_AGAIN and now >= looked:
            return
        self._looked[id_.hex] = now
        told = self._told(episode, id_, review_on, today)

        def unit(
            read: Callable[[UUID], list[Any]] | None,
        ) -> tuple[list[Event], list[Event]]:
            state = reflection.fold((read or self.log.read)(id_))
            events = reflection.decide_review(state, told, today.isoformat(), now)
            return events, events

        self._report(self.commit.submit(unit))

    def _told(
        self, episode: UUID, id_: UUID, review_on: date, today: date
    ) -> tuple[bool | None, str | None] | None:
        """Whether it had worked by the review date; None while that cannot be told yet."""
        doc = self.store.get(self.courses, episode)
        trajectory = _trajectory(doc, id_.hex) if doc is not None else None
        points, scale = ([], {}) if trajectory is None else trajectory
        window = self.settings.policy.review_window_days
        return rules.worked(points, scale, review_on, today, window)

    def _report(self, events: list[Event]) -> None:
        if self.catalogue is not None:
            metrics.report(self.catalogue, events)


def _has_come(text: str | None, now: datetime) -> bool:
    return text is not None and datetime.fromisoformat(text) <= now


def _totals_first(one: tuple[str, Any]) -> tuple[bool, str]:
    """The order of trajectories: those of a whole instrument before those of its subscales."""
    key, _ = one
    return "|total|" not in key, key


def _trajectory(
    doc: dict[str, Any], reflected: str
) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
    """Points and scale that a reflection's forecast is about, else of the primary instrument."""
    trajectories = doc["trajectories"]
    for one in doc["reflections"]:
        forecast = one["forecast"] if one["reflection"] == reflected else None
        if forecast and forecast.get("trajectory") in trajectories:
            found = trajectories[forecast["trajectory"]]
            return found["points"], found["scale"] or {}
    named = [
        one
        for key, one in sorted(trajectories.items(), key=_totals_first)
        if key.split("|")[0] == doc["primary_instrument"]
    ]
    full = [
        one
        for _, one in sorted(trajectories.items(), key=_totals_first)
        if one["scale"] and one["scale"].get("reliable_change") is not None
    ]
    for one in [*named, *full]:
        return one["points"], one["scale"] or {}
    return None
