"""One thread in front of the log that stores what many callers want in one transaction."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar
from uuid import UUID

from services.chassis.eventlog import EventLog
from services.chassis.faults import ConflictError, StoreError

T = TypeVar("T")

Read = Callable[[UUID], list[Any]]
"""Gives the events of a stream as they are now."""
Decide = Callable[[Read | None], tuple[Sequence[Any], T]]
"""Makes the events of a command and its answer; without a reader, as if nothing existed yet."""

TRIES = 5
"""How often a batch, or a loser of one, is tried before its callers are told to try again."""


@dataclass(frozen=True, slots=True)
class Committed(Generic[T]):
    """The answer to a command and the position of its last event (0: it stored nothing)."""

    answer: T
    position: int


@dataclass(slots=True)
class _Unit:
    decide: Decide[Any]
    events: Sequence[Any]
    answer: Any
    done: "Future[Committed[Any]]" = field(default_factory=Future)

    def places(self) -> set[tuple[UUID, int]]:
        return {(event.originator_id, event.originator_version) for event in self.events}


class GroupCommit:
    """Turns concurrent commands into few transactions; an answer leaves after its commit only."""

    def __init__(self, log: EventLog, limit: int = 256) -> None:
        """Write to `log`, at most `limit` commands in one transaction."""
        self._log = log
        self._limit = limit
        self._queue: SimpleQueue[_Unit | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def submit(self, decide: Decide[T]) -> T:
        """Carry a command out; its answer, once its events are durable.

        `decide(None)` is tried first, in the caller's thread, as if nothing existed. When one of
        its places is taken, `decide(read)` decides again from what is stored.

        Raises:
            StoreError: not known to be stored; safe to try again.
            Exception: whatever `decide` raises.
        """
        return self.commit(decide).answer

    def commit(self, decide: Decide[T]) -> Committed[T]:
        """As `submit`, with the position to wait for before a page is shown."""
        events, answer = decide(None)
        if not events:
            return Committed(answer, 0)
        unit = _Unit(decide, events, answer)
        with self._gate:
            if self._closed:
                raise StoreError("the service is stopping")
            self._queue.put(unit)
        return unit.done.result()

    def close(self) -> None:
        """Store what has been submitted, then stop."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            try:
                self._store(batch)
            except BaseException as error:  # the callers wait: whatever happens they must be told
                _fail(batch, error if isinstance(error, Exception) else StoreError("stopped"))

    def _next_batch(self) -> list[_Unit] | None:
        first = self._queue.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < self._limit:
            try:
                unit = self._queue.get_nowait()
            except Empty:
                break
            if unit is None:
                self._queue.put(None)
                break
            batch.append(unit)
        return batch

    def _store(self, batch: list[_Unit]) -> None:
        try:
            losers = self._append_winners(batch)
        except StoreError as error:
            _fail(batch, error)
        except Exception as error:
            if len(batch) == 1:
                _fail(batch, error)
            else:  # a command that cannot be stored must not take the others with it
                for unit in batch:
                    self._store([unit])
        else:
            for unit in losers:
                self._decide_again(unit)

    def _append_winners(self, batch: list[_Unit]) -> list[_Unit]:
        """Store all whose places are free; give the others back."""
        winners, losers = _first_come(batch)
        for _ in range(TRIES):
            try:
                positions = self._log.append([e for unit in winners for e in unit.events])
            except ConflictError:
                taken = self._log.taken({place for unit in winners for place in unit.places()})
                losers += [unit for unit in winners if unit.places() & taken]
                winners = [unit for unit in winners if not unit.places() & taken]
            else:
                _answer(winners, positions)
                return losers
        raise StoreError("the batch met conflicts again and again")

    def _decide_again(self, unit: _Unit) -> None:
        try:
            for _ in range(TRIES):
                unit.events, unit.answer = unit.decide(self._log.read)
                try:
                    positions = self._log.append(unit.events)
                except ConflictError:
                    continue
                _answer([unit], positions)
                return
            raise StoreError("the command met conflicts again and again")
        except Exception as error:
            unit.done.set_exception(error)


def _first_come(batch: list[_Unit]) -> tuple[list[_Unit], list[_Unit]]:
    """Those whose places nobody before them in the batch claims, and the others."""
    claimed: set[tuple[UUID, int]] = set()
    winners, losers = [], []
    for unit in batch:
        places = unit.places()
        if places & claimed or len(places) < len(unit.events):
            losers.append(unit)
        else:
            claimed |= places
            winners.append(unit)
    return winners, losers


def _answer(units: list[_Unit], positions: list[int]) -> None:
    start = 0
    for unit in units:
        start += len(unit.events)
        unit.done.set_result(Committed(unit.answer, positions[start - 1] if unit.events else 0))


def _fail(units: list[_Unit], error: Exception) -> None:
    for unit in units:
        if not unit.done.done():
            unit.done.set_exception(error)
