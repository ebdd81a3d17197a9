"""The read model that tells the detector which episodes time alone may have changed, and when."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, String

from services.chassis.eventlog import Entry
from services.chassis.views import NotBuiltError, View, ViewStore
from services.outcomes.core.rules import DEFAULTS

AT_ONCE = "0001-01-01"
"""Look at the next opportunity; looking costs little and changes nothing when nothing is due."""


class Due(View):
    """One document an episode: {episode, owner, check_on}; `check_on` None waits for nothing.

    It may say too early, never too late: the detector works out the day itself.
    """

    name = "due"
    version = 1
    topics = frozenset(
        {
            "episode.opened",
            "episode.plan_changed",
            "episode.reopened",
            "episode.closed",
            "findings.assessed",
            "findings.refolded",
            "findings.silence_noticed",
        }
    )

    def columns(self) -> tuple[Column[Any], ...]:
        """The day from which the episode is to be looked at."""
        return (Column("check_on", String(10), nullable=True, index=True),)

    def key(self, event: Any) -> UUID | None:
        """The episode."""
        if event.TOPIC.startswith("episode."):
            return UUID(bytes=event.originator_id.bytes)
        return UUID(event.episode)

    def fold(self, doc: dict[str, Any] | None, entry: Entry) -> dict[str, Any] | None:
        """The document after an event."""
        event = entry.event
        key = self.key(event)
        if key is None:
            return doc
        before = doc["check_on"] if doc else None
        return {
            "episode": key.hex,
            "owner": event.owner.hex,
            "check_on": _check_on(event, before),
        }

    def owner(self, doc: dict[str, Any]) -> UUID:
        """The client."""
        return UUID(doc["owner"])

    def clear(self, doc: dict[str, Any]) -> dict[str, Any]:
        """The day."""
        return {"check_on": doc["check_on"]}


def _check_on(event: Any, before: str | None) -> str | None:
    """The day that the event sets; one that a look ahead of it had set is kept."""
    topic = event.TOPIC
    if topic == "episode.closed":
        return None
    if topic == "findings.silence_noticed":
        return str(event.due) if event.due else None
    if topic in ("findings.assessed", "findings.refolded"):
        due = event.memory["due"]
        return str(due) if due else None
    if topic == "episode.reopened" or before is not None:
        return AT_ONCE
    opened = date.fromisoformat(event.opened_on)
    return (opened + timedelta(days=DEFAULTS.silence_days)).isoformat()


def episodes_due(views: ViewStore, view: Due, today: str, limit: int = 500) -> list[UUID]:
    """Episodes to be looked at on this day, the longest due first; none while it is not built."""
    try:
        table = views.table(view)
        found = views.select(
            view, where=table.c.check_on <= today, order_by=table.c.check_on, limit=limit
        )
    except NotBuiltError:
        return []
    return [UUID(doc["episode"]) for doc in found]
