"""The read model of what the caseload's endings say: one document an instrument."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from services.alerts.core.caseload import StatisticsNoted
from services.chassis.eventlog import Entry, StoreError
from services.chassis.ids import Ids
from services.chassis.view import Document, View
from services.chassis.views import ViewStore


def stream_of(ids: Ids, instrument: str) -> UUID:
    """The stream of an instrument's statistics, and the key of their document."""
    return ids.derive("statistics", instrument)


class CaseloadView(View):
    """The latest statistics of each instrument, as published."""

    name: ClassVar[str] = "caseload"
    version: ClassVar[int] = 1
    topics: ClassVar[frozenset[str]] = frozenset({StatisticsNoted.TOPIC})

    def key(self, event: Any) -> UUID | None:
        """The instrument's stream."""
        stream: UUID = event.originator_id
        return stream

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The latest replace the earlier ones."""
        event = entry.event
        return {"owner": event.owner.hex, "statistics": event.message["data"]}

    def owner(self, doc: Document) -> UUID:
        """The service itself: nothing in it is one person's."""
        return UUID(doc["owner"])


class Caseload:
    """The query side."""

    def __init__(self, store: ViewStore, view: CaseloadView, ids: Ids) -> None:
        """Ask `view` in `store`."""
        self.view = view
        self._store, self._ids = store, ids

    def of(self, instrument: str | None) -> Mapping[str, Any] | None:
        """What is known of an instrument here; None: nothing, or not readable now."""
        if not instrument:
            return None
        try:
            found = self._store.get(self.view, stream_of(self._ids, instrument))
        except StoreError:
            return None
        return None if found is None else found["statistics"]
