"""The read model of what clients said: seen by whom it was said to.

A document (key = episode id, sealed under the client's key): {owner, said: [{by, at, on, view,
preference, unnoticed}]}.
"""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from services.alerts.core.person import Person
from services.alerts.core.said import ClientSaid
from services.chassis.eventlog import Entry
from services.chassis.view import Document, View
from services.chassis.views import ViewStore

_KEPT = ("by", "on", "view", "preference", "unnoticed")


class SaidView(View):
    """Folds what was said in a course into one document."""

    name: ClassVar[str] = "said"
    version: ClassVar[int] = 1
    topics: ClassVar[frozenset[str]] = frozenset({ClientSaid.TOPIC})

    def key(self, event: Any) -> UUID | None:
        """The episode."""
        return UUID(event.episode)

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document after one event."""
        event = entry.event
        doc = doc or {"owner": event.owner.hex, "said": []}
        said = {name: getattr(event, name) for name in _KEPT}
        doc["said"].append(said | {"at": event.timestamp.isoformat()})
        return doc

    def owner(self, doc: Document) -> UUID:
        """The client."""
        return UUID(doc["owner"])


@dataclass(frozen=True, slots=True)
class Sayings:
    """The query side."""

    store: ViewStore
    view: SaidView

    def to(self, person: Person, episode: UUID) -> list[dict[str, str]]:
        """What a client said to this person, newest first: {by, at, on, view, ...}."""
        doc = self.store.get(self.view, episode)
        said = doc["said"] if doc else []
        return [one for one in reversed(said) if one["by"] == person.id.hex]
