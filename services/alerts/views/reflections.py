"""The reflections read model: what each left open, what it foresaw, and how it turned out.

A document (key = reflection id, sealed under the client's key): {reflection, episode, owner,
author, at, on, decision, approach, beyond, considered, review_on, unknowns: [{unknown, what, why,
who, find, since, how, closed_on}], p_worked: the engine's number | None,
resolved: {worked, on} | None}.
"""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, Column, String, and_, or_

from services.alerts.core import reflection
from services.alerts.core.course import MessageNoted
from services.alerts.core.person import Person
from services.alerts.views import unknowns
from services.chassis.eventlog import Entry
from services.chassis.view import Document, View
from services.chassis.views import ViewStore

_KEPT = (
    "episode", "author", "on", "decision", "approach", "beyond", "considered", "review_on",
)  # fmt: skip


class ReflectionsView(View):
    """Folds each reflection into a document of its own, to be selected by its author."""

    name: ClassVar[str] = "reflections"
    version: ClassVar[int] = 2
    topics: ClassVar[frozenset[str]] = frozenset(
        {
            MessageNoted.TOPIC,
            reflection.ReflectionRecorded.TOPIC,
            reflection.ReflectionRevised.TOPIC,
            reflection.UnknownClosed.TOPIC,
            reflection.ReflectionResolved.TOPIC,
        }
    )

    def columns(self) -> tuple[Column[Any], ...]:
        """The author's id, whether something is still unknown, and its two dates."""
        return (
            Column("author", String(32), nullable=False, index=True),
            Column("leaves_open", Boolean, nullable=False, index=True),
            Column("reflected_on", String(10), nullable=False),
            Column("review_on", String(10), nullable=True),
        )

    def key(self, event: Any) -> UUID | None:
        """The reflection; of messages only the forecast that was made at one is of interest."""
        if not isinstance(event, MessageNoted):
            stream: UUID = event.originator_id
            return stream
        if not event.effect or event.message["type"] != "forecast.made":
            return None
        made_at = event.message["data"].get("reflection")
        return UUID(made_at) if made_at else None

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document after one event."""
        event = entry.event
        if isinstance(event, reflection.ReflectionRecorded):
            return _recorded(event)
        if doc is None:
            return None
        if isinstance(event, MessageNoted):
            if doc["p_worked"] is None:  # the first is what was foreseen at the time
                doc["p_worked"] = event.message["data"].get("p_worked")
        elif isinstance(event, reflection.ReflectionRevised):
            doc["unknowns"] = unknowns.revised(doc["unknowns"], event.unknowns, event.on)
        elif isinstance(event, reflection.UnknownClosed):
            unknowns.close(doc["unknowns"], event)
        else:
            doc["resolved"] = {"worked": event.worked, "on": event.on}
        return doc

    def owner(self, doc: Document) -> UUID:
        """The client."""
        return UUID(doc["owner"])

    def clear(self, doc: Document) -> dict[str, Any]:
        """The clear columns' values."""
        still = any(one["closed_on"] is None for one in doc["unknowns"])
        return {
            "author": doc["author"],
            "leaves_open": still,
            "reflected_on": doc["on"],
            "review_on": doc["review_on"],
        }


def _recorded(event: reflection.ReflectionRecorded) -> Document:
    return {name: getattr(event, name) for name in _KEPT} | {
        "reflection": event.originator_id.hex,
        "at": event.timestamp.isoformat(),
        "owner": event.owner.hex,
        "unknowns": unknowns.noted(event.unknowns, event.on),
        "p_worked": None,
        "resolved": None,
    }


@dataclass(frozen=True, slots=True)
class Reflections:
    """The query side: a person's own reflections."""

    store: ViewStore
    view: ReflectionsView

    def of(self, person: Person) -> list[Document]:
        """Everything a person reflected on, oldest first.

        Raises:
            services.chassis.view.NotBuiltError: the view was never built; say so.
            services.chassis.faults.StoreError: it could not be read.
        """
        table = self.store.table(self.view)
        found = self.store.select(self.view, where=table.c.author == person.id.hex)
        return sorted(found, key=lambda doc: (doc["at"], doc["reflection"]))

    def recent(self, person: Person, since: str) -> list[Document]:
        """Those with something unknown, or made or to be reviewed since a day; oldest first."""
        table = self.store.table(self.view)
        still = or_(
            table.c.leaves_open.is_(True),
            table.c.reflected_on >= since,
            table.c.review_on >= since,
        )
        where = and_(table.c.author == person.id.hex, still)
        found = self.store.select(self.view, where=where)
        return sorted(found, key=lambda doc: (doc["at"], doc["reflection"]))
