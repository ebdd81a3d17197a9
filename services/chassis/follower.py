"""One thread that takes a reader through the log, page by page; nothing stops it for good."""

import logging
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol, runtime_checkable
from uuid import UUID

from services.chassis.clock import Clock
from services.chassis.eventlog import ConflictError, Entry, EventLog, StoreError
from services.chassis.parking import Parking
from services.chassis.transport import TransportError

LOGGER = logging.getLogger(__name__)
PASSING = (StoreError, TransportError)
"""What will be over when it is tried again later."""
TRIES = 5
"""How often a single entry is tried against conflicts before it counts as indigestible."""
MAKE_DURABLE_AFTER = 0.2
"""Seconds after which having passed over foreign events is stored; each costs a commit."""
LONGEST_WAIT = 5.0
"""Seconds between tries while the store is away."""


class Reader(Protocol):
    """What follows the log."""

    @property
    def name(self) -> str:
        """Under which parking and metrics know it."""
        ...

    @property
    def topics(self) -> Collection[str] | None:
        """What it wants to see; None: everything."""
        ...

    def position(self) -> int:
        """How far its stored effects reach."""
        ...

    def apply(self, entries: Sequence[Entry], to: int) -> None:
        """Store the effects of the entries (perhaps none) and the position `to` in one commit.

        Raises:
            ConflictError: the position has moved, or a stream was written by another.
        """
        ...

    def replay(self, entries: Sequence[Entry]) -> None:
        """Store the effects of entries that were parked; the position stays."""
        ...

    def key(self, entry: Entry) -> UUID | None:
        """What is parked when the entry cannot be digested; None: try it for ever."""
        ...

    def idle(self) -> None:
        """Called when there is nothing to read."""
        ...


@runtime_checkable
class Reloading(Protocol):
    """A reader that caches streams, and forgets them when told to."""

    def reload(self) -> None:
        """Forget what is cached: somebody else has written."""
        ...


@runtime_checkable
class Passing(Protocol):
    """A reader that wants to know at once how far nothing concerned it."""

    def passed(self, to: int) -> None:
        """Everything between the position and `to` is foreign; stored later, or never."""
        ...


class FollowerReport(Protocol):
    """Where a follower tells what it does, for metrics."""

    def applied(self, reader: str, entries: int, seconds: float) -> None:
        """A page took effect."""
        ...

    def failed(self, reader: str, error: str) -> None:
        """Something raised an error of this class."""
        ...

    def parked(self, reader: str) -> None:
        """A key was parked."""
        ...


class Quiet:
    """Reports nothing."""

    def applied(self, reader: str, entries: int, seconds: float) -> None:
        """Nothing."""

    def failed(self, reader: str, error: str) -> None:
        """Nothing."""

    def parked(self, reader: str) -> None:
        """Nothing."""


class Follower(threading.Thread):
    """Feeds a reader; parks what it cannot digest; waits out a store that is away."""

    def __init__(
        self,
        log: EventLog,
        reader: Reader,
        parking: Parking,
        clock: Clock,
        poll: float = 0.05,
        page: int = 500,
        report: FollowerReport | None = None,
    ) -> None:
        """Follow `log`, a handle of this follower alone, for `reader`; `start` begins."""
        super().__init__(name=f"follower-{reader.name}", daemon=True)
        self.reader = reader
        self.heartbeat = clock.now().timestamp()
        """When the last turn ended, in seconds since 1970 by the clock that was given."""
        self._log, self._parking, self._clock = log, parking, clock
        self._poll, self._page = poll, page
        self._report: FollowerReport = report or Quiet()
        self._stopping = threading.Event()
        self._cursor: int | None = None
        self._stored_at = 0.0
        self._beat = monotonic()
        self._held: dict[UUID, int] = {}

    # What others ask

    def stop(self) -> None:
        """Finish the page at hand, then end; joins."""
        self._stopping.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join()

    @property
    def silence(self) -> float:
        """Seconds since the last turn ended, whatever the clock says: a dead follower's grow."""
        return monotonic() - self._beat

    @property
    def lag(self) -> tuple[int, float]:
        """How many events wait (counted up to 100,000), and the age in seconds of the oldest.

        Raises:
            StoreError: the log could not be asked.
        """
        after = self.reader.position() if self._cursor is None else self._cursor
        return _lag(self._log, self.reader, after, self._clock)

    # The loop

    def run(self) -> None:
        """Follow until stopped."""
        wait = self._poll
        while not self._stopping.is_set():
            try:
                self.turn()
                wait = self._poll
            except Exception as error:
                self._report.failed(self.reader.name, type(error).__name__)
                LOGGER.warning(
                    "follower failed and tries again",
                    extra={"reader": self.reader.name, "error": type(error).__name__},
                )
                self._cursor = None
                self._stopping.wait(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            self._beats()

    def turn(self) -> None:
        """Take one page, or wait a little when there is none."""
        if self._cursor is None:
            self._cursor = self.reader.position()
            self._held = self._parking.parked(self.reader.name)
        page = self._log.page(self._cursor, self._page, self.reader.topics)
        if page.entries:
            self._take(page.entries, page.scanned_to)
            return
        self._pass_over(page.scanned_to)
        if self._held:
            self._replay_requested()
        self.reader.idle()
        self._log.wait(self._cursor or 0, self._poll * 4, self.reader.topics)

    def _take(self, entries: list[Entry], to: int) -> None:
        started = monotonic()
        self._apply(entries, to)
        self._stored_at = monotonic()
        self._report.applied(self.reader.name, len(entries), self._stored_at - started)

    def _pass_over(self, to: int) -> None:
        """Remember that foreign events were passed; store it only now and then."""
        self._cursor = max(to, self._cursor or 0)
        if isinstance(self.reader, Passing):
            self.reader.passed(self._cursor)
        if monotonic() - self._stored_at < MAKE_DURABLE_AFTER:
            return
        if self._cursor > self.reader.position():
            self._apply([], self._cursor)
        self._stored_at = monotonic()

    # Applying, and narrowing down to what cannot be applied

    def _apply(self, entries: list[Entry], to: int) -> bool:
        """Apply entries and move to `to`; False when another moved the position meanwhile."""
        ready = [entry for entry in entries if self._parking_key(entry) not in self._held]
        try:
            self.reader.apply(ready, to)
        except PASSING:
            raise
        except ConflictError:
            if self._has_moved():
                return False
            return self._narrow(ready, to, "ConflictError")
        except Exception as error:
            self._report.failed(self.reader.name, type(error).__name__)
            return self._narrow(ready, to, type(error).__name__)
        self._cursor = to
        return True

    def _narrow(self, entries: list[Entry], to: int, error: str) -> bool:
        self._reload()
        if len(entries) > 1:
            half = len(entries) // 2
            middle = entries[half - 1].position
            return self._apply(entries[:half], middle) and self._apply(entries[half:], to)
        if error == "ConflictError":
            return self._insist(entries, to)
        return self._park(entries, to, error)

    def _insist(self, entries: list[Entry], to: int) -> bool:
        """A conflict over one entry: somebody else writes there too, so try a few times."""
        for attempt in range(TRIES):
            self._stopping.wait(self._poll * attempt)
            try:
                self.reader.apply(entries, to)
            except ConflictError:
                if self._has_moved():
                    return False
                self._reload()
            else:
                self._cursor = to
                return True
        return self._park(entries, to, "ConflictError")

    def _park(self, entries: list[Entry], to: int, error: str) -> bool:
        key = self._parking_key(entries[0]) if entries else None
        if key is None:
            raise StoreError(f"{self.reader.name} cannot go on: {error}")
        # The pointer is durable before the position moves past what it points to.
        self._parking.park(self.reader.name, key, entries[0].position, error)
        self._held[key] = entries[0].position
        self._report.parked(self.reader.name)
        LOGGER.error("parked", extra={"reader": self.reader.name, "error": error})
        return self._apply([], to)

    def _has_moved(self) -> bool:
        position = self.reader.position()
        moved = position != self._cursor
        self._cursor = position
        if moved:
            self._held = self._parking.parked(self.reader.name)
            self._reload()
        return moved

    def _reload(self) -> None:
        if isinstance(self.reader, Reloading):
            self.reader.reload()

    def _parking_key(self, entry: Entry) -> UUID | None:
        try:
            return self.reader.key(entry)
        except Exception as error:  # an entry that tells no key may still be digestible
            self._report.failed(self.reader.name, type(error).__name__)
            return None

    # Replay

    def _replay_requested(self) -> None:
        for key, first in self._parking.requested(self.reader.name).items():
            try:
                self._replay(key, first)
            except PASSING:
                raise
            except ConflictError:  # somebody else wrote: look again, and try again next turn
                self._reload()
            except Exception as error:
                self._reload()
                self._parking.refuse(self.reader.name, key, type(error).__name__)
                self._report.failed(self.reader.name, type(error).__name__)

    def _replay(self, key: UUID, first: int) -> None:
        """Read the log again from where the key was parked, in this thread, so that none is new."""
        position, end = first - 1, self._cursor or 0
        while position < end:
            page = self._log.page(position, self._page, self.reader.topics)
            waiting = [
                entry
                for entry in page.entries
                if entry.position <= end and self._parking_key(entry) == key
            ]
            if waiting:
                self.reader.replay(waiting)
                self._parking.advance(self.reader.name, key, waiting[-1].position + 1)
            position = page.scanned_to
            self._beats()
        self._parking.unpark(self.reader.name, key)
        self._held.pop(key, None)

    def _beats(self) -> None:
        self.heartbeat = self._clock.now().timestamp()
        self._beat = monotonic()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A reader that another process takes through the log, as far as the store shows it."""

    reader: Reader
    log: EventLog
    clock: Clock

    @property
    def silence(self) -> float:
        """Nothing is heard of it here but what it stores: the age of what it leaves waiting."""
        return self.lag[1]

    @property
    def lag(self) -> tuple[int, float]:
        """As a follower's.

        Raises:
            StoreError: the log could not be asked.
        """
        return _lag(self.log, self.reader, self.reader.position(), self.clock)

    def is_alive(self) -> bool:
        """Whether it does its work: that is told by what waits."""
        return True


def _lag(log: EventLog, reader: Reader, after: int, clock: Clock) -> tuple[int, float]:
    """How many events wait after a position, and the age in seconds of the oldest."""
    count = log.waiting(after, reader.topics)
    if not count:
        return 0, 0.0
    oldest = log.page(after, 1, reader.topics).entries
    if not oldest or oldest[0].event.timestamp.year == 1:
        return count, 0.0
    age = clock.now() - oldest[0].event.timestamp
    return count, max(0.0, age.total_seconds())
