"""What is due by the clock: jobs of the one lock holder, stopped while the clock is doubted."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import BigInteger, Column, MetaData, String, Table, delete, insert, select

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.eventlog import EventLog
from services.chassis.lock import SingleHolder

LOGGER = logging.getLogger(__name__)

BACKWARDS = timedelta(seconds=60)
"""How much replicas' clocks may disagree."""
FORWARD = timedelta(hours=48)
REMEMBER_EVERY = timedelta(minutes=1)

METADATA = MetaData()
GUARD = Table(
    "clock_guard",
    METADATA,
    Column("name", String(20), primary_key=True),
    Column("seen", String(40), nullable=False),
    Column("head", BigInteger, nullable=False),
)
"""The last trusted moment and the log's head when it was accepted; the same of a doubt, if any."""
CLOCK, DOUBT = "clock", "doubt"


@dataclass(frozen=True, slots=True)
class Trusted:
    """A moment that was right, and the position up to which events' times do not count."""

    moment: datetime
    head: int


class GuardMemory:
    """The durable memory of the guard, shared by processes."""

    def __init__(self, database: Database) -> None:
        """Keep it in `database`."""
        self._database = database

    def migrate(self) -> None:
        """Create the table where it is missing."""
        with self._database.writing() as connection:
            METADATA.create_all(connection)

    def load(self) -> tuple[Trusted | None, datetime | None]:
        """What was trusted last, None at the very beginning; and what was known before a doubt."""
        with self._database.reading() as connection:
            rows = {row.name: row for row in connection.execute(select(GUARD))}
        clock, doubt = rows.get(CLOCK), rows.get(DOUBT)
        return (
            Trusted(datetime.fromisoformat(clock.seen), clock.head) if clock else None,
            datetime.fromisoformat(doubt.seen) if doubt else None,
        )

    def save(self, trusted: Trusted) -> None:
        """Remember it; every doubt is over."""
        with self._database.writing() as connection:
            connection.execute(delete(GUARD))
            connection.execute(insert(GUARD).values(_row(CLOCK, trusted.moment, trusted.head)))

    def doubt(self, known: datetime) -> None:
        """Remember what was known when a doubt began."""
        with self._database.writing() as connection:
            connection.execute(delete(GUARD).where(GUARD.c.name == DOUBT))
            connection.execute(insert(GUARD).values(_row(DOUBT, known, 0)))


def _row(name: str, moment: datetime, head: int) -> dict[str, str | int]:
    return {"name": name, "seen": moment.isoformat(), "head": head}


class ClockGuard:
    """Distrusts a clock that went back, or 48 h ahead of all that is known, until accepted.

    Known are the time of the last event and the moments at which the timers themselves ran: a
    quiet weekend is no fault of the clock, a machine that wakes up days later is. What is stored
    by a clock in doubt does not make it right: only a moment that fits what was known before, or
    acceptance, ends a doubt.
    """

    def __init__(self, log: EventLog, clock: Clock, memory: GuardMemory) -> None:
        """Judge `clock` by `log` and by what `memory` holds."""
        self._log, self._clock, self._memory = log, clock, memory
        self.distrust: str | None = None
        """Why timers stand still ("backwards" or "forwards"); None: they run."""

    def check(self) -> datetime | None:
        """The present moment, or None while the clock is not trusted."""
        now = self._clock.now()
        trusted, doubt = self._memory.load()
        known = doubt or self._known(trusted)
        self.distrust = _distrust(now, known)
        if self.distrust is not None:
            if doubt is None and known is not None:
                self._memory.doubt(known)
            return None
        if doubt is not None:
            return self.accept()
        if trusted is None or now >= trusted.moment + REMEMBER_EVERY:
            self._memory.save(Trusted(now, trusted.head if trusted else 0))
        return now

    def look(self) -> str | None:
        """Why the clock is not trusted, told where no timers run; nothing is remembered."""
        trusted, doubt = self._memory.load()
        return _distrust(self._clock.now(), doubt or self._known(trusted))

    def accept(self) -> datetime:
        """Trust the clock as it is now, whatever was known; gives the moment accepted."""
        now = self._clock.now()
        self._memory.save(Trusted(now, self._log.head()))
        self.distrust = None
        return now

    def _known(self, trusted: Trusted | None) -> datetime | None:
        moments = [trusted.moment] if trusted else []
        head = self._log.head()
        if head > (trusted.head if trusted else 0):
            moments += [
                entry.event.timestamp
                for entry in self._log.page(head - 1, 1).entries
                if entry.event.timestamp.year > 1  # what cannot be read tells no time
            ]
        return max(moments, default=None)


def _distrust(now: datetime, known: datetime | None) -> str | None:
    if known is None:
        return None
    if now < known - BACKWARDS:
        return "backwards"
    return "forwards" if now > known + FORWARD else None


Job = Callable[[datetime], None]
"""Does what is due at a moment; called again and again, so it must see what is done already."""


class Timers(threading.Thread):
    """Calls every job about once a second, in the one process that holds the lock."""

    def __init__(
        self,
        clock: Clock,
        guard: ClockGuard,
        lock: SingleHolder,
        interval: float = 1.0,
        name: str = "timers",
        failed: Callable[[str, str], None] | None = None,
    ) -> None:
        """Run once `start` is called; `failed` is told a job's name and its error's class.

        Jobs that may take long belong to timers of another `name`, with a lock of their own.
        """
        super().__init__(name=name, daemon=True)
        self.heartbeat = clock.now().timestamp()
        self.holding = False
        """Whether this process holds the lock."""
        self._clock, self._guard, self._lock = clock, guard, lock
        self._interval = interval
        self._failed = failed or (lambda name, error: None)
        self._jobs: dict[str, Job] = {}
        self._stopping = threading.Event()
        self._beat = monotonic()

    def register(self, name: str, due: Job) -> None:
        """Add a job; before `start`."""
        self._jobs[name] = due

    @property
    def silence(self) -> float:
        """Seconds since the last turn ended, whatever the clock says."""
        return monotonic() - self._beat

    def run(self) -> None:
        """Turn until stopped."""
        while not self._stopping.is_set():
            self.turn()
            self._stopping.wait(self._interval)
        self._lock.release()
        self.holding = False

    def turn(self) -> None:
        """Call every job once, when the lock is held and the clock is trusted."""
        try:
            self.holding = self._lock.acquire()
            now = self._guard.check() if self.holding else None
        except Exception as error:  # whatever it is, timers must turn again
            self.holding, now = False, None
            self._tell(self.name, error)
        if now is not None:
            for name, due in self._jobs.items():
                self._call(name, due, now)
        self.heartbeat = self._clock.now().timestamp()
        self._beat = monotonic()

    def stop(self) -> None:
        """Finish the turn at hand, let the lock go; joins."""
        self._stopping.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join()

    def _call(self, name: str, due: Job, now: datetime) -> None:
        try:
            due(now)
        except Exception as error:  # one job's fault must not keep the others from running
            self._tell(name, error)

    def _tell(self, name: str, error: Exception) -> None:
        self._failed(name, type(error).__name__)
        LOGGER.warning("timer failed", extra={"job": name, "error": type(error).__name__})
