"""The event log: every measure is kept here, sealed and in one order, before it is answered."""

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, ClassVar, cast
from uuid import UUID

from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    DataError,
    IntegrityError,
    PersistenceError,
    ProgrammingError,
    StoredEvent,
    Tracking,
)

from services.chassis.faults import (
    ConflictError,
    NotMigratedError,
    ShreddedError,
    StoreError,
)
from services.chassis.recorders import Move, Recorder
from services.chassis.sealing import Damaged, Event, Redacted, SealingMapper
from services.chassis.vault import Vault

__all__ = [
    "ConflictError",
    "Damaged",
    "Entry",
    "Event",
    "EventLog",
    "NotMigratedError",
    "Page",
    "Progress",
    "Redacted",
    "ShreddedError",
    "StoreError",
    "Wakeup",
]

POLL = 0.05
"""Seconds between looks at what another process may have stored."""
VERIFY_PAGE = 500

Progress = Callable[[int, int], None]
"""Told (done, total) now and then by what works long."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event at its position; `event` is `Redacted` or `Damaged` where it cannot be read."""

    position: int
    event: Any


@dataclass(frozen=True, slots=True)
class Page:
    """Events in order; every position up to `scanned_to` has been looked at."""

    entries: list[Entry]
    scanned_to: int


class Wakeup:
    """Tells the readers of one place, in this process, that a position has been reached.

    It also lets the place's writers of this process wait in line rather than on SQLite's lock.
    """

    _places: ClassVar[dict[str, "Wakeup"]] = {}
    _places_lock = threading.Lock()

    def __init__(self) -> None:
        """Nothing has been reached yet."""
        self._lock = threading.Lock()
        self._reached = 0
        self._by_topic: dict[str, int] = {}
        self._unseen = 0
        self._waiting: list[_Waiting] = []
        self.turn = threading.Lock()

    @classmethod
    def of(cls, place: str) -> "Wakeup":
        """The one wake-up of a place."""
        with cls._places_lock:
            return cls._places.setdefault(place, cls())

    @classmethod
    def forget(cls, place: str) -> None:
        """Another log is at the place now: what was reached in the one before says nothing."""
        with cls._places_lock:
            for name in [one for one in cls._places if one.partition("#")[0] == place]:
                del cls._places[name]

    @property
    def reached(self) -> int:
        """The highest position that this process has told of."""
        return self._reached

    def reach(self, position: int, first: int = 0, topics: Collection[str] = ()) -> None:
        """Wake those who wait for something up to `position`.

        Args:
            position: the last of what was stored.
            first: the first of it; 0 where positions are not those of a log.
            topics: of what it is; a reader of others sleeps on.
        """
        with self._lock:
            if first > self._reached + 1:  # another process has stored something in between
                self._unseen = max(self._unseen, position)
            self._reached = max(self._reached, position)
            for topic in topics:
                self._by_topic[topic] = max(self._by_topic.get(topic, 0), position)
            for one in self._waiting:
                if self._is_past(one.after, one.topics):
                    one.woken.set()

    def wait(self, after: int, timeout: float, topics: Collection[str] | None = None) -> bool:
        """Wait at most `timeout` s for something of `topics` past `after`; whether there is."""
        mine = _Waiting(after, topics, threading.Event())
        with self._lock:
            if self._is_past(after, topics):
                return True
            self._waiting.append(mine)
        mine.woken.wait(timeout)
        with self._lock:
            self._waiting.remove(mine)
            return self._is_past(after, topics)

    def _is_past(self, after: int, topics: Collection[str] | None) -> bool:
        if topics is None:
            return self._reached > after
        if self._unseen > after:
            return True
        return any(self._by_topic.get(topic, 0) > after for topic in topics)


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """One thread that waits, and for what."""

    after: int
    topics: Collection[str] | None
    woken: threading.Event


class EventLog:
    """A handle on a service's log; every follower has one of its own. Safe among threads."""

    def __init__(
        self,
        recorder: Recorder,
        vault: Vault,
        topics: Mapping[str, type[Any]],
        *,
        place: str,
        log_id: str,
    ) -> None:
        """Read and write through `recorder`, sealing with `vault`; `Store.log` makes these."""
        self.log_id = log_id
        self._recorder = recorder
        self._vault = vault
        self._mapper = SealingMapper(vault, topics)
        self._wakeup = Wakeup.of(place)

    def append(
        self,
        events: Sequence[Event],
        tracking: tuple[str, int] | tuple[str, int, int] | None = None,
    ) -> list[int]:
        """Store events and a reader's position in one transaction; give the events' positions.

        The keys that seal them are durable before they are. `tracking` is (reader, position), or
        (reader, position, before): then the stored position must be exactly `before`, so that of
        two readers that took the same events only one has effect.

        Raises:
            ConflictError: a (stream, version) is taken or the position has not grown.
            StoreError: nothing is known to be stored.
            ShreddedError: an owner's key was erased.
        """
        if not events and tracking is None:
            return []
        self._vault.ensure({event.owner for event in events})
        rows = [self._mapper.to_stored_event(event) for event in events]
        more = {"tracking": _tracking(*tracking)} if tracking else {}
        with self._wakeup.turn, _translated():
            positions = list(self._recorder.insert_events(rows, **more) or [])
        if positions:
            self._wakeup.reach(positions[-1], positions[0], {event.TOPIC for event in events})
        return positions

    def read(self, stream: UUID) -> list[Any]:
        """The events of a stream in order of version; none when there is no such stream."""
        with _translated():
            rows = self._recorder.select_events(stream)
        return [self._mapper.to_domain_event(row) for row in rows]

    def read_many(self, streams: Iterable[UUID]) -> dict[UUID, list[Any]]:
        """The events of several streams by one query; a stream without events is absent."""
        with _translated():
            rows = self._recorder.select_streams(set(streams))
        found: dict[UUID, list[Any]] = {}
        for row, event in zip(rows, self._rebuilt(rows), strict=True):
            found.setdefault(cast(UUID, row.originator_id), []).append(event)
        return found

    def page(self, after: int, limit: int = 500, topics: Collection[str] | None = None) -> Page:
        """Up to `limit` events after a position, of these topics alone when they are given."""
        # Before the page: what is stored in between then counts as not scanned.
        head = self._wakeup.reached
        if head <= after:
            head = self.head()
        if head <= after:
            return Page([], after)
        with _translated():
            rows = self._recorder.select_notifications(
                after, limit, None, list(topics or ()), inclusive_of_start=False
            )
        events = self._rebuilt(rows)
        entries = [Entry(row.id, event) for row, event in zip(rows, events, strict=True)]
        last = entries[-1].position if entries else after
        return Page(entries, last if len(entries) == limit else max(last, head))

    def position(self, reader: str) -> int:
        """The position stored for a reader, 0 when there is none."""
        with _translated():
            return self._recorder.max_tracking_id(reader) or 0

    def head(self) -> int:
        """The highest position, 0 when the log is empty."""
        with _translated():
            return self._recorder.max_notification_id() or 0

    def waiting(self, after: int, topics: Collection[str] | None = None) -> int:
        """How many events of these topics stand after a position (counted up to 100,000)."""
        with _translated():
            return self._recorder.count_after(after, list(topics or ()))

    def taken(self, places: Iterable[tuple[UUID, int]]) -> set[tuple[UUID, int]]:
        """Which of these (stream, version) are stored."""
        wanted = set(places)
        with _translated():
            return wanted & self._recorder.select_versions({stream for stream, _ in wanted})

    def wait(self, after: int, timeout: float, topics: Collection[str] | None = None) -> bool:
        """Wait at most `timeout` seconds for events of `topics` past `after`; whether to look.

        Writers in this process wake it at once; those of other processes, whatever they wrote,
        are seen within 50 ms.
        """
        deadline = monotonic() + timeout
        while (left := deadline - monotonic()) > 0:
            if self._wakeup.wait(after, min(POLL, left), topics):
                return True
            if self.head() > max(after, self._wakeup.reached):
                return True
        return False

    def look(self) -> None:
        """See what other processes have stored, and wake who waits for it in this one."""
        head = self.head()
        self._wakeup.reach(head, head + 1)

    def verify(self, progress: Progress | None = None) -> list[str]:
        """Open every event and check the order of all; what is wrong, in words without content."""
        problems: list[str] = []
        done, head = 0, self.head()
        while done < head:
            page = self.page(done, VERIFY_PAGE)
            problems += [_described(entry) for entry in page.entries if _is_damaged(entry)]
            done = page.scanned_to
            if progress:
                progress(done, head)
        with _translated():
            gaps = self._recorder.gaps()
        return problems + [f"stream {stream.hex}: {what}" for stream, what in gaps]

    def create_tables(self) -> None:
        """Create the log's tables where they are missing; for `migrate` alone."""
        with _translated():
            self._recorder.create_table()

    def close(self) -> None:
        """Close the connections; the handle is of no use afterwards."""
        self._recorder.close()

    def _rebuilt(self, rows: Sequence[StoredEvent]) -> list[Any]:
        self._vault.prefetch(row.state for row in rows)
        return [self._mapper.to_domain_event(row) for row in rows]


def _tracking(reader: str, to: int, after: int | None = None) -> Tracking:
    return Tracking(reader, to) if after is None else Move(reader, to, after)


def _is_damaged(entry: Entry) -> bool:
    return isinstance(entry.event, Damaged)


def _described(entry: Entry) -> str:
    event = entry.event
    return (
        f"position {entry.position}, stream {event.originator_id.hex} version "
        f"{event.originator_version} ({event.topic}): {event.reason}"
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise ConflictError("a place in a stream is taken, or the position has not grown") from None
    except (ProgrammingError, DataError):
        raise  # a fault of ours, which trying again does not mend
    except (PersistenceError, ConnectionPoolClosedError, sqlite3.Error) as error:
        raise StoreError(f"the log could not be used: {type(error).__name__}") from None
