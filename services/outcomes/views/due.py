"""The read model that tells the detector which episodes time alone will change, and when."""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, String

from services.chassis.eventlog import Entry
from services.chassis.views import NotBuiltError, View, ViewStore
from services.outcomes.core.findings import Assessed, Refolded


class Due(View):
    """One document an episode that waits for a day: {episode, owner, due}."""

    name = "due"
    version = 1
    topics = frozenset(
        {
            "findings.assessed",
            "findings.refolded",
            "findings.silence_noticed",
            "findings.due_changed",
        }
    )

    def columns(self) -> tuple[Column[Any], ...]:
        """The day, as an ISO 8601 date."""
        return (Column("due", String(10), nullable=False, index=True),)

    def key(self, event: Any) -> UUID | None:
        """The episode."""
        return UUID(event.episode)

    def fold(self, doc: dict[str, Any] | None, entry: Entry) -> dict[str, Any] | None:
        """The latest word of the detector counts; it works out the day itself."""
        event = entry.event
        carries = isinstance(event, Assessed | Refolded)
        due = event.memory["due"] if carries else event.due
        if due is None:
            return None
        return {"episode": event.episode, "owner": event.owner.hex, "due": due}

    def owner(self, doc: dict[str, Any]) -> UUID:
        """The client."""
        return UUID(doc["owner"])

    def clear(self, doc: dict[str, Any]) -> dict[str, Any]:
        """The day."""
        return {"due": doc["due"]}


def episodes_due(views: ViewStore, view: Due, today: str, limit: int = 500) -> list[UUID]:
    """Episodes whose day has come, the longest due first; none while the view is not built."""
    try:
        table = views.table(view)
        found = views.select(view, where=table.c.due <= today, order_by=table.c.due, limit=limit)
    except NotBuiltError:
        return []
    return [UUID(doc["episode"]) for doc in found]
