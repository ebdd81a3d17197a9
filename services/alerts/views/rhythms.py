"""The rhythms read model: when each person means to look back next, and what has come due.

A document (key = person id, sealed under the person's key): {person, rhythms: {episode or "":
{weeks, next_on, due}}}. A reflection on a course starts its rhythm anew, any reflection or journal
entry the general one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, String

from services.alerts.core import rhythm as core
from services.alerts.core.person import Person
from services.alerts.core.reflection import JournalWritten, ReflectionRecorded
from services.chassis.eventlog import Entry
from services.chassis.view import Document, View
from services.chassis.views import ViewStore


class RhythmsView(View):
    """Folds what a person set for themselves and what they did since."""

    name: ClassVar[str] = "rhythms"
    version: ClassVar[int] = 1
    topics: ClassVar[frozenset[str]] = frozenset(
        {
            core.RhythmSet.TOPIC,
            core.RhythmEnded.TOPIC,
            core.RhythmCameDue.TOPIC,
            ReflectionRecorded.TOPIC,
            JournalWritten.TOPIC,
        }
    )

    def columns(self) -> tuple[Column[Any], ...]:
        """The first day that has not been told as due."""
        return (Column("next_on", String(10), nullable=True, index=True),)

    def key(self, event: Any) -> UUID | None:
        """The person."""
        if isinstance(event, ReflectionRecorded):
            return UUID(event.author)
        owner: UUID = event.owner
        return owner

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document after one event."""
        event = entry.event
        if isinstance(event, core.RhythmSet):
            doc = doc or {"person": event.person, "rhythms": {}}
            kept = {"weeks": event.weeks, "next_on": event.next_on, "due": False}
            doc["rhythms"][event.episode or ""] = kept
        elif doc is None:
            return None
        elif isinstance(event, core.RhythmEnded):
            doc["rhythms"].pop(event.episode or "", None)
        elif isinstance(event, core.RhythmCameDue):
            one = doc["rhythms"].get(event.episode or "")
            if one is not None and one["next_on"] == event.due_on:  # else it was kept meanwhile
                one["due"] = True
        else:
            for key in {event.episode or "", ""}:
                _kept(doc["rhythms"].get(key), event.on)
        return doc

    def owner(self, doc: Document) -> UUID:
        """The person."""
        return UUID(doc["person"])

    def clear(self, doc: Document) -> dict[str, Any]:
        """The clear columns' values."""
        ahead = [one["next_on"] for one in doc["rhythms"].values() if not one["due"]]
        return {"next_on": min(ahead, default=None)}


def _kept(one: dict[str, Any] | None, on: str) -> None:
    if one is not None:
        one |= {"next_on": core.next_on(on, one["weeks"]), "due": False}


@dataclass(frozen=True, slots=True)
class Due:
    """A rhythm whose day has come."""

    person: UUID
    episode: str | None
    on: str


@dataclass(frozen=True, slots=True)
class RhythmTable:
    """The query side: a person's own rhythms, and for the timers what is due."""

    store: ViewStore
    view: RhythmsView

    def of(self, person: Person) -> dict[str, dict[str, Any]]:
        """Episode (empty: any) to {weeks, next_on, due}."""
        doc = self.store.get(self.view, person.id)
        found: dict[str, dict[str, Any]] = doc["rhythms"] if doc else {}
        return found

    def due(self, today: str) -> Sequence[Due]:
        """What has come due and was not told yet."""
        table = self.store.table(self.view)
        return [
            Due(UUID(doc["person"]), episode or None, one["next_on"])
            for doc in self.store.select(self.view, where=table.c.next_on <= today)
            for episode, one in doc["rhythms"].items()
            if one["next_on"] <= today and not one["due"]
        ]
