"""The journal read model: what is a person's own alone, sealed under that person's key.

A document (key = person id): {person, own_parts: {reflection: {own_part, confidence, choices,
at}}, entries: [{on, at, episode, text}]}.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from services.alerts.core.person import Person
from services.alerts.core.reflection import JournalWritten, OwnPartNoted
from services.chassis.eventlog import Entry
from services.chassis.view import Document, View
from services.chassis.views import ViewStore


class JournalView(View):
    """Folds the author's own parts and notes into one document for each author."""

    name: ClassVar[str] = "journal"
    version: ClassVar[int] = 3
    topics: ClassVar[frozenset[str]] = frozenset({OwnPartNoted.TOPIC, JournalWritten.TOPIC})

    def key(self, event: Any) -> UUID | None:
        """The author, whose key seals the event."""
        owner: UUID = event.owner
        return owner

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document after one event."""
        event = entry.event
        if doc is None:
            doc = {"person": event.owner.hex, "own_parts": {}, "entries": []}
        at = event.timestamp.isoformat()
        if isinstance(event, OwnPartNoted):
            doc["own_parts"][event.reflection] = {
                "own_part": event.own_part,
                "confidence": event.confidence,
                "choices": event.choices or {},
                "at": at,
            }
        else:
            written = {"on": event.on, "at": at, "episode": event.episode, "text": event.text}
            doc["entries"].append(written)
        return doc

    def owner(self, doc: Document) -> UUID:
        """The author."""
        return UUID(doc["person"])


@dataclass(frozen=True, slots=True)
class Journals:
    """The query side: one's own, never anybody else's."""

    store: ViewStore
    view: JournalView

    def private(self, person: Person) -> dict[str, dict[str, Any]]:
        """Reflection to {own_part, confidence, choices, at}: the person's own."""
        doc = self.store.get(self.view, person.id)
        parts: dict[str, dict[str, Any]] = doc["own_parts"] if doc else {}
        return parts

    def entries(self, person: Person) -> list[dict[str, Any]]:
        """The person's journal, newest first."""
        doc = self.store.get(self.view, person.id)
        return list(reversed(doc["entries"])) if doc else []


@dataclass(frozen=True, slots=True)
class OwnPart:
    """What a person noted of themselves at one reflection."""

    reflection: str
    episode: str
    on: str
    own_part: str
    choices: dict[str, list[str]]
    """Private lens to the ids of what was seen through it."""


def own_parts(journals: Journals, reflections: Sequence[Document], person: Person) -> list[OwnPart]:
    """The person's own parts in these reflections of theirs, newest first."""
    private = journals.private(person)
    found = []
    for doc in reversed(reflections):
        own = private.get(doc["reflection"])
        if own and (own["own_part"] or own["choices"]):
            found.append(
                OwnPart(
                    reflection=doc["reflection"],
                    episode=doc["episode"],
                    on=doc["on"],
                    own_part=own["own_part"],
                    choices=own["choices"],
                )
            )
    return found
