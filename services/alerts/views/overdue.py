"""The overdue read model: what of each episode is due, and when, for the timers to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, Column, String, or_

from services.alerts.core import policy as rules
from services.alerts.core import reflection
from services.alerts.core.course import MessageNoted
from services.alerts.core.policy import Policy
from services.alerts.views import standing
from services.chassis.eventlog import Entry
from services.chassis.view import Document, View
from services.chassis.views import ViewStore

_ALERT = (
    "alert", "channel", "state", "tier", "raised_at", "due_at", "escalated_at", "escalated_to",
    "seen_at", "snoozed_until", "held_until",
)  # fmt: skip


class OverdueView(View):
    """Folds the moments at which something is to be done about an episode."""

    name: ClassVar[str] = "overdue"
    version: ClassVar[int] = 2
    topics: ClassVar[frozenset[str]] = standing.TOPICS | {
        MessageNoted.TOPIC,
        reflection.ReflectionRecorded.TOPIC,
        reflection.ReviewDue.TOPIC,
        reflection.ReflectionResolved.TOPIC,
    }

    def __init__(self, policy: Policy) -> None:
        """Review dates begin in the zone of `policy`."""
        self._policy = policy

    def columns(self) -> tuple[Column[Any], ...]:
        """The earliest moment (ISO 8601 in UTC), and whether a risk alert is open."""
        return (
            Column("next_at", String(40), nullable=True, index=True),
            Column("watched", Boolean, nullable=False, index=True),
        )

    def key(self, event: Any) -> UUID | None:
        """The episode."""
        return UUID(event.episode)

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document after one event."""
        event = entry.event
        if doc is None:
            doc = _empty(event)
        if isinstance(event, MessageNoted):
            if event.effect and event.message["type"] == "episode.changed":
                _header(doc, event.message["data"])
        elif event.TOPIC in standing.TOPICS:
            _fold_alert(doc, event)
        else:
            _fold_review(doc, event)
        return doc

    def owner(self, doc: Document) -> UUID:
        """The client, once known."""
        return UUID(doc["subject"] or doc["owner"])

    def clear(self, doc: Document) -> dict[str, Any]:
        """The clear columns' values."""
        moments = [moment for moment in _moments(doc, self._policy) if moment is not None]
        soonest = min(moments, default=None)
        return {
            "next_at": _sortable(soonest) if soonest else None,
            "watched": any(one["channel"] == rules.RISK for one in doc["alerts"].values()),
        }


def _empty(event: Any) -> Document:
    return {
        "episode": event.episode,
        "owner": event.owner.hex,
        "subject": None,
        "sender": None,
        "clinician": None,
        "closed": False,
        "alerts": {},
        "reviews": {},
    }


def _header(doc: Document, data: dict[str, Any]) -> None:
    if doc["clinician"] is not None and data.get("clinician") != doc["clinician"]:
        standing.reassigned(doc["alerts"])
    doc["sender"], doc["clinician"] = data["sender"], data.get("clinician")
    doc["subject"] = UUID(str(data["subject"])).hex
    doc["closed"] = bool(data.get("closed_on"))


def _fold_alert(doc: Document, event: Any) -> None:
    key = event.originator_id.hex
    before = doc["alerts"].get(key)
    entry = standing.fold(_whole(before) if before else None, event)
    if entry is None:
        return
    if entry["state"] in standing.OPEN or entry["state"] == "held":
        doc["alerts"][key] = {name: entry[name] for name in (*_ALERT, "spell")}
    else:
        doc["alerts"].pop(key, None)


def _whole(entry: dict[str, Any]) -> dict[str, Any]:
    return {"seen_by": None, "history": [], "acknowledged": None} | entry


def _fold_review(doc: Document, event: Any) -> None:
    id_ = event.originator_id.hex
    if isinstance(event, reflection.ReflectionRecorded) and event.review_on:
        doc["reviews"][id_] = {"review_on": event.review_on, "due": False}
    elif isinstance(event, reflection.ReviewDue) and id_ in doc["reviews"]:
        doc["reviews"][id_]["due"] = True
    elif isinstance(event, reflection.ReflectionResolved):
        doc["reviews"].pop(id_, None)


def _moments(doc: Document, policy: Policy) -> list[datetime | None]:
    moments: list[datetime | None] = []
    for one in doc["alerts"].values():
        moments += [_moment(one["snoozed_until"]), _moment(one["held_until"])]
        read = one["seen_at"] is not None and one["channel"] != rules.RISK
        if not read:
            moments.append(_moment(one["due_at"]))
    for review in doc["reviews"].values():
        day = datetime.fromisoformat(review["review_on"]).date()
        moments.append(rules.day_starts(policy, day))
    return moments


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _sortable(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


@dataclass(frozen=True, slots=True)
class Overdue:
    """The query side: what the timers have to look at."""

    store: ViewStore
    view: OverdueView

    def due(self, now: datetime) -> Sequence[Document]:
        """Documents in which a moment has come, or in which a risk alert is open."""
        table = self.store.table(self.view)
        where = or_(table.c.next_at <= _sortable(now), table.c.watched.is_(True))
        return self.store.select(self.view, where=where)
