"""Whose keys an erasure of a client reaches: all ids under which the client was ever known here."""

from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from services.alerts.core.course import MessageNoted
from services.chassis.eventlog import EventLog
from services.chassis.ids import Ids


def owners_of(log: EventLog, ids: Ids, subject: UUID) -> set[UUID]:
    """The client's own ids, and those that sealed what came before the client was known.

    A source that was restored may give a client another id; the reference it comes with stays.
    """
    subjects: dict[tuple[str, str], set[UUID]] = defaultdict(set)
    episodes: dict[UUID, set[str]] = defaultdict(set)
    for event in _noted(log):
        data = event.message.get("data", {})
        if "subject" in data and "client" in data:
            named = UUID(str(data["subject"]))
            subjects[data["sender"], data["client"]].add(named)
            episodes[named].add(event.episode)
    same = {subject}.union(*(known for known in subjects.values() if subject in known))
    return same | {ids.derive("owner", episode) for one in same for episode in episodes[one]}


def _noted(log: EventLog) -> Iterator[MessageNoted]:
    after = 0
    while (page := log.page(after, topics=(MessageNoted.TOPIC,))).entries:
        after = page.scanned_to
        for entry in page.entries:
            if isinstance(entry.event, MessageNoted):
                yield entry.event
