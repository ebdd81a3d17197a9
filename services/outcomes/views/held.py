"""The view of held measures: what waits for somebody to look at it, and why."""

import math
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, String

from services.chassis.eventlog import Entry
from services.chassis.faults import StoreError
from services.chassis.ids import Ids
from services.chassis.view import Document, View
from services.chassis.views import ViewStore
from services.outcomes.core import measure


class Held(View):
    """One document per held measure; it goes when the measure is no longer held."""

    name: ClassVar[str] = "held"
    version: ClassVar[int] = 1
    topics: ClassVar[frozenset[str]] = frozenset(
        kind.TOPIC
        for kind in (
            measure.MeasureRecorded,
            measure.MeasureHeld,
            measure.MeasureCorrected,
            measure.MeasureReinstated,
            measure.MeasureWithdrawn,
        )
    )

    def __init__(self, ids: Ids) -> None:
        """Senders stand in clear as keyed hashes."""
        self._ids = ids

    def columns(self) -> tuple[Column[Any], ...]:
        """Whose it is, hashed, and since when it is held."""
        return (
            Column("sender", String(64), nullable=False, index=True),
            Column("since", String(40), nullable=False),
        )

    def key(self, event: Any) -> UUID | None:
        """The measure."""
        stream: UUID = event.originator_id
        return stream

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """What is shown of a held measure, None when it is not held."""
        event = entry.event
        if not isinstance(event, measure.MeasureHeld):
            return None
        return {
            "id": event.originator_id.hex,
            "subject": event.owner.hex,
            "sender": event.sender,
            "external_id": event.external_id,
            "episode": event.episode_reference,
            "instrument": event.instrument,
            "administered_at": event.administered_at,
            "why": event.why,
            "since": event.timestamp.isoformat(),
        }

    def owner(self, doc: Document) -> UUID:
        """The client."""
        return UUID(doc["subject"])

    def clear(self, doc: Document) -> dict[str, Any]:
        """As `columns` says."""
        return {"sender": self._ids.digest("sender", doc["sender"]), "since": doc["since"]}


def of_sender(views: ViewStore, view: Held, ids: Ids, sender: str, most: int) -> list[Document]:
    """A sender's held measures, the longest held first."""
    table = views.table(view)
    mine = table.c.sender == ids.digest("sender", sender)
    return views.select(view, where=mine, order_by=table.c.since, limit=most)


def counted(views: ViewStore, view: Held, most: int) -> float:
    """How many measures are held, counted up to `most`; not a number where that is not known."""
    try:
        return len(views.select(view, limit=most))
    except StoreError:
        return math.nan
