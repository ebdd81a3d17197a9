"""One reader's way through the log: how far it is, what it has parked, and how it narrows down."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from services.chassis.clock import Clock
from services.chassis.eventlog import ConflictError, Entry, EventLog, StoreError
from services.chassis.parking import Parking
from services.chassis.reader import FollowerReport, Passing, Reader, Reloading
from services.chassis.transport import TransportError
from services.chassis.turns import Turns

LOGGER = logging.getLogger(__name__)
PASSING = (StoreError, TransportError)
"""What will be over when it is tried again later."""
TRIES = 5
"""How often a single entry is tried against conflicts before it counts as indigestible."""
MAKE_DURABLE_AFTER = 0.2
"""Seconds after which having passed over foreign events is stored; each costs a commit."""
LONGEST_WAIT = 5.0
"""Seconds between tries while the store is away."""


@dataclass(frozen=True, slots=True)
class Work:
    """How a follower works: the same for each of its tracks.

    Attributes:
        stopping: ends every wait.
        alive: whether its thread lives.
        turns: in which it is called, and which it gives away where something takes longer.
        poll: seconds between looks.
        page: entries that are taken at once.
    """

    stopping: threading.Event
    alive: Callable[[], bool]
    turns: Turns
    report: FollowerReport
    poll: float
    page: int


class Track:
    """Applies pages to one reader; parks what it cannot digest; rests while a store is away."""

    def __init__(
        self,
        log: EventLog,
        reader: Reader,
        parking: Parking,
        clock: Clock,
        work: Work,
    ) -> None:
        """Lead `reader` through `log`, as its follower works."""
        self.reader, self.is_alive, self._turns = reader, work.alive, work.turns
        self.heartbeat = clock.now().timestamp()
        """When the last turn ended, in seconds since 1970 by the clock that was given."""
        self.cursor: int | None = None
        """How far it has come; None: to be read from what the reader stored."""
        self._log, self._parking, self._clock = log, parking, clock
        self._stopping, self._report = work.stopping, work.report
        self._poll, self._page = work.poll, work.page
        self._stored_at = 0.0
        self._beat = monotonic()
        self._held: dict[UUID, int] = {}
        self._rests_until, self._rest = 0.0, work.poll

    # What others ask

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
        after = self.reader.position() if self.cursor is None else self.cursor
        return _lag(self._log, self.reader, after, self._clock)

    # What its follower asks

    def place(self) -> int | None:
        """How far it has come; None while it rests."""
        if self.rests > 0:
            return None
        if self.cursor is None:
            self.cursor = self.reader.position()
            self._held = self._parking.parked(self.reader.name)
        return self.cursor

    @property
    def rests(self) -> float:
        """Seconds until it is tried again, after a failure."""
        return self._rests_until - monotonic()

    def failed(self, error: Exception) -> None:
        """Rest a while, longer each time, and begin again with what is stored."""
        self._report.failed(self.reader.name, type(error).__name__)
        LOGGER.warning(
            "follower failed and tries again",
            extra={"reader": self.reader.name, "error": type(error).__name__},
        )
        self.cursor = None
        self._rests_until = monotonic() + self._rest
        self._rest = min(self._rest * 2, LONGEST_WAIT)

    def went_well(self) -> None:
        """A step came to its end: the next failure is the first again."""
        self._rest = self._poll

    def beats(self) -> None:
        """A turn ended, well or not."""
        self.heartbeat = self._clock.now().timestamp()
        self._beat = monotonic()

    def wanted(self, entries: Sequence[Entry]) -> list[Entry]:
        """Those of the entries that the reader is to have: of its topics, and not parked."""
        topics = self.reader.topics
        if topics is not None:
            entries = [entry for entry in entries if entry.event.TOPIC in topics]
        if not self._held:
            return list(entries)
        return [entry for entry in entries if self._parking_key(entry) not in self._held]

    def take(self, entries: Sequence[Entry], to: int) -> None:
        """Apply what is wanted of a page up to `to`, parking what cannot be applied."""
        if entries:
            self._apply(entries, to)
        else:
            self._pass_over(to)

    def took(self, entries: Sequence[Entry], to: int, seconds: float) -> None:
        """A page of which `entries` were wanted took effect for several readers at once."""
        self._stored(entries, to, seconds)
        self.went_well()

    def catch_up(self, front: int) -> None:
        """Take one page alone, at most up to where the others are."""
        page = self._log.page(self.cursor or 0, self._page, self.reader.topics)
        entries = [entry for entry in page.entries if entry.position <= front]
        self.take(self.wanted(entries), min(page.scanned_to, front))

    def rest_of_turn(self, to: int) -> None:
        """There is nothing to read up to `to`: replay what was asked for, and let the reader be."""
        self._pass_over(to)
        if self._held:
            self._replay_requested()
        self.reader.idle()

    def _pass_over(self, to: int) -> None:
        """Remember that foreign events were passed; store it only now and then."""
        self.cursor = max(to, self.cursor or 0)
        if isinstance(self.reader, Passing):
            self.reader.passed(self.cursor)
        if monotonic() - self._stored_at < MAKE_DURABLE_AFTER:
            return
        if self.cursor > self.reader.position():
            self._apply([], self.cursor)
        self._stored_at = monotonic()

    # Applying, and narrowing down to what cannot be applied

    def _apply(self, entries: Sequence[Entry], to: int) -> bool:
        """Apply entries and move to `to`; False when another moved the position meanwhile."""
        ready = self.wanted(entries)
        try:
            self._store(ready, to)
        except PASSING:
            raise
        except ConflictError:
            if self._has_moved():
                return False
            return self._narrow(ready, to, "ConflictError")
        except Exception as error:
            self._report.failed(self.reader.name, type(error).__name__)
            return self._narrow(ready, to, type(error).__name__)
        return True

    def _store(self, entries: Sequence[Entry], to: int) -> None:
        started = monotonic()
        self.reader.apply(entries, to)
        self._stored(entries, to, monotonic() - started)

    def _stored(self, entries: Sequence[Entry], to: int, seconds: float) -> None:
        """Entries took effect here: what another stored, or what is parked, is not counted."""
        self.cursor, self._stored_at = to, monotonic()
        if entries:
            self._report.applied(self.reader.name, entries, seconds)

    def _narrow(self, entries: Sequence[Entry], to: int, error: str) -> bool:
        self._reload()
        if len(entries) > 1:
            half = len(entries) // 2
            middle = entries[half - 1].position
            return self._apply(entries[:half], middle) and self._apply(entries[half:], to)
        if error == "ConflictError":
            return self._insist(entries, to)
        return self._park(entries, to, error)

    def _insist(self, entries: Sequence[Entry], to: int) -> bool:
        """A conflict over one entry: somebody else writes there too, so try a few times."""
        for attempt in range(TRIES):
            with self._turns.aside():
                self._stopping.wait(self._poll * attempt)
            try:
                self._store(entries, to)
            except ConflictError:
                if self._has_moved():
                    return False
                self._reload()
            else:
                return True
        return self._park(entries, to, "ConflictError")

    def _park(self, entries: Sequence[Entry], to: int, error: str) -> bool:
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
        self._reload()  # first, so that the reader goes on from the position that is read here
        position = self.reader.position()
        moved = position != self.cursor
        self.cursor = position
        if moved:
            self._held = self._parking.parked(self.reader.name)
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
        position, end = first - 1, self.cursor or 0
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
            self.beats()
            with self._turns.aside(urgent=False):
                pass  # others work before the next page
        self._parking.unpark(self.reader.name, key)
        self._held.pop(key, None)


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
