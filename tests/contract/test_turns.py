"""Followers of one process work one after another: in the order of asking, the urgent first."""

import threading
import time

from services.chassis.turns import Turns

PATIENCE = 10.0


class Worker(threading.Thread):
    """Asks for a turn when started, and notes that it has had it."""

    def __init__(self, turns: Turns, name: str, done: list[str], *, urgent: bool = False) -> None:
        super().__init__(name=name, daemon=True)
        self._turns, self._done, self._urgent = turns, done, urgent

    def run(self) -> None:
        with self._turns.turn(urgent=self._urgent):
            self._done.append(self.name)


def asked(turns: Turns, name: str, done: list[str], *, urgent: bool = False) -> Worker:
    """A worker that stands in the queue."""
    worker = Worker(turns, name, done, urgent=urgent)
    before = queued(turns)
    worker.start()
    deadline = time.monotonic() + PATIENCE
    while queued(turns) == before:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return worker


def queued(turns: Turns) -> int:
    return len(turns._waiting) + len(turns._urgent)


def test_turns_go_by_the_order_of_asking_and_the_urgent_come_first() -> None:
    turns, done = Turns(), list[str]()
    with turns.turn():
        workers = [asked(turns, name, done) for name in ("a", "b", "c")]
        workers.append(asked(turns, "risk", done, urgent=True))
        assert done == []
    for worker in workers:
        worker.join(PATIENCE)
    assert done == ["risk", "a", "b", "c"]


def test_one_who_fails_passes_the_turn_on() -> None:
    turns, done = Turns(), list[str]()
    try:
        with turns.turn():
            worker = asked(turns, "next", done)
            raise ValueError
    except ValueError:
        pass
    worker.join(PATIENCE)
    assert done == ["next"]
    with turns.turn():
        done.append("again")


def test_whoever_has_worked_asks_again_behind_those_who_wait() -> None:
    """A follower with much to do would else keep the others out: a plain lock is not fair."""
    turns, done = Turns(), list[str]()
    with turns.turn():
        waiting = asked(turns, "waiting", done)
    with turns.turn():
        done.append("busy")
    waiting.join(PATIENCE)
    assert done == ["waiting", "busy"]
