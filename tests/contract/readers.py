"""Readers of the log that the contract tests follow with, and how they wait for them."""

from collections.abc import Callable, Sequence
from time import monotonic, sleep
from typing import Any
from uuid import UUID, uuid4

from services.chassis.clock import SteppedClock
from services.chassis.eventlog import Entry, EventLog
from services.chassis.follower import Follower
from services.chassis.reader import FollowerReport, Quiet
from services.chassis.store import Store
from tests.contract.sample import NOON, Noted, Ticked, ticked


class Collector:
    """Ticks in the same log for every note it sees, with its position: effects can be counted."""

    def __init__(self, log: EventLog, name: str = "collector") -> None:
        self.name = name
        self.topics: set[str] | None = {Noted.TOPIC}
        self.seen: list[str] = []
        self.replayed: list[str] = []
        self.idled = 0
        self.reloaded = 0
        self.poison: set[str] = set()
        self.faults: list[Exception] = []
        self._log = log
        self._at = 0

    def position(self) -> int:
        self._at = self._log.position(self.name)
        return self._at

    def apply(self, entries: Sequence[Entry], to: int) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self._refuse_poison(entries)
        self._log.append([ticked() for _ in entries], (self.name, to, self._at))
        self._at = to
        self.seen += [entry.event.text for entry in entries]

    def replay(self, entries: Sequence[Entry]) -> None:
        self._refuse_poison(entries)
        self.replayed += [entry.event.text for entry in entries]

    def key(self, entry: Entry) -> UUID | None:
        return UUID(entry.event.episode) if entry.event.episode else None

    def idle(self) -> None:
        self.idled += 1

    def reload(self) -> None:
        self.reloaded += 1

    def _refuse_poison(self, entries: Sequence[Entry]) -> None:
        if any(entry.event.text in self.poison for entry in entries):
            raise ZeroDivisionError


class Counted(Quiet):
    """Counts what followers say took effect."""

    def __init__(self) -> None:
        self.applied_: list[str] = []

    def applied(self, reader: str, entries: Sequence[Entry], seconds: float) -> None:
        self.applied_ += [entry.event.text for entry in entries]


def follower(
    store: Store, reader: Any, page: int = 500, report: FollowerReport | None = None
) -> Follower:
    clock = SteppedClock(NOON)
    return Follower(store.log(), [reader], store.parking, clock, 0.02, page, report)


def soon(true: Callable[[], Any], seconds: float = 10) -> None:
    """Wait until something holds."""
    deadline = monotonic() + seconds
    while not true():
        assert monotonic() < deadline, "it did not come true in time"
        sleep(0.01)


def ticks(log: EventLog) -> int:
    return log.waiting(0, {Ticked.TOPIC})


def episode() -> str:
    return uuid4().hex
