"""Appends to a log that was restored what the other service must know: that, and what it holds."""

from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from services.chassis.backup import Manifest
from services.chassis.clock import Clock
from services.chassis.eventlog import Damaged, EventLog, Redacted
from services.chassis.store import Store
from services.outcomes.core.findings import FindingOpened
from services.outcomes.core.restored import LogRestored, state

CHUNK = 200
"""Episodes stated in one commit."""


def state_findings(store: Store, manifest: Manifest, clock: Clock) -> None:
    """Note the restore, then the open spells of every episode in which anything was ever found.

    An episode that is not stated has no open spell: what is known of it elsewhere is unconfirmed.
    """
    log, now = store.log(), clock.now()
    restored = LogRestored(
        originator_id=store.ids.derive("log", store.log_id),
        originator_version=1,
        timestamp=now,
        owner=store.service_owner,
        log=store.log_id,
        made_at=manifest.made_at,
        restored_at=now.isoformat(),
    )
    streams = sorted(_streams(log))
    log.append([restored])
    rest = iter(streams)
    while some := list(islice(rest, CHUNK)):
        stated = []
        for findings, events in log.read_many(some).items():
            readable = [one for one in events if not isinstance(one, Damaged | Redacted)]
            if readable:
                stream = store.ids.derive("stated", restored.log, findings.hex)
                stated.append(state(readable, stream, restored))
        log.append(stated)


def _streams(log: EventLog) -> set[UUID]:
    return {event.originator_id for event in _opened(log)}


def _opened(log: EventLog) -> Iterator[FindingOpened]:
    after = 0
    while (page := log.page(after, topics=(FindingOpened.TOPIC,))).entries:
        after = page.scanned_to
        yield from (entry.event for entry in page.entries)
