"""The notices read model: what each person has been told outside the pages, and what is due.

A document (key = person id): {person, told: [keys of alerts], digest_on, waiting: {notice:
{channel, target, kind, next_at}}, ended: {notice: {channel, target, kind, outcome, why, at}}}.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, String

from services.alerts.core.notice import DIGEST, NoticePlanned, NoticeReplayed, NoticeTried
from services.chassis.eventlog import Entry
from services.chassis.view import Document, View
from services.chassis.views import ViewStore

TOLD_KEPT = 1000
"""Keys of alerts that are remembered as told, the newest."""
ENDED_KEPT = 100
"""Notices that are remembered after their end, the newest."""


class NoticesView(View):
    """Folds notices into one document for each person."""

    name: ClassVar[str] = "notices"
    version: ClassVar[int] = 1
    topics: ClassVar[frozenset[str]] = frozenset(
        {NoticePlanned.TOPIC, NoticeTried.TOPIC, NoticeReplayed.TOPIC}
    )

    def columns(self) -> tuple[Column[Any], ...]:
        """The earliest attempt that is due, ISO 8601 in UTC."""
        return (Column("next_at", String(40), nullable=True, index=True),)

    def key(self, event: Any) -> UUID | None:
        """The person."""
        return UUID(event.person)

    def fold(self, doc: Document | None, entry: Entry) -> Document | None:
        """The document after one event."""
        event = entry.event
        if doc is None:
            doc = {
                "person": event.person, "told": [], "digest_on": None, "waiting": {}, "ended": {},
            }  # fmt: skip
        id_ = event.originator_id.hex
        if isinstance(event, NoticePlanned):
            told = [key for key in event.told if key not in doc["told"]]
            doc["told"] = [*doc["told"], *told][-TOLD_KEPT:]
            if event.kind == DIGEST:
                doc["digest_on"] = event.day
            doc["waiting"][id_] = {
                "channel": event.channel, "target": event.target, "kind": event.kind,
                "next_at": event.next_at,
            }  # fmt: skip
        elif isinstance(event, NoticeTried):
            _tried(doc, id_, event)
        elif (again := doc["ended"].pop(id_, None)) is not None:
            doc["waiting"][id_] = {
                name: again[name] for name in ("channel", "target", "kind")
            } | {"next_at": event.next_at}  # fmt: skip
        return doc

    def owner(self, doc: Document) -> UUID:
        """The person."""
        return UUID(doc["person"])

    def clear(self, doc: Document) -> dict[str, Any]:
        """The clear column's value."""
        return {
            "next_at": min((_sortable(o["next_at"]) for o in doc["waiting"].values()), default=None)
        }


def _tried(doc: Document, id_: str, event: NoticeTried) -> None:
    one = doc["waiting"].get(id_)
    if one is None:
        return
    if event.next_at is not None:
        one["next_at"] = event.next_at
        return
    del doc["waiting"][id_]
    one.pop("next_at")
    ended = {"outcome": event.outcome, "why": event.why, "at": event.timestamp.isoformat()}
    doc["ended"] = dict([*doc["ended"].items(), (id_, one | ended)][-ENDED_KEPT:])


def _sortable(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


@dataclass(frozen=True, slots=True)
class Notices:
    """The query side."""

    store: ViewStore
    view: NoticesView

    def of(self, person: UUID) -> Document:
        """What a person has been told."""
        doc = self.store.get(self.view, person)
        return doc or {"told": [], "digest_on": None, "waiting": {}, "ended": {}}

    def due(self, now: datetime) -> list[UUID]:
        """Notices whose next attempt has come, those that waited longest first."""
        table = self.store.table(self.view)
        moment = _sortable(now.isoformat())
        found = [
            (_sortable(one["next_at"]), id_)
            for doc in self.store.select(self.view, where=table.c.next_at <= moment)
            for id_, one in doc["waiting"].items()
            if _sortable(one["next_at"]) <= moment
        ]
        return [UUID(id_) for _, id_ in sorted(found)]

    def all(self) -> Sequence[Document]:
        """Every person's document."""
        return self.store.select(self.view)
