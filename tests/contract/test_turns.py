"""Followers of a process work one after another, the urgent first; none waits long for one."""

import threading
import time

from services.chassis.turns import Turns
from tests.contract.readers import soon

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


def test_nobody_waits_long_for_one_who_hangs() -> None:
    """A view that waits for a lock of the database must not keep a risk answer."""
    turns, done = Turns(patience=0.3, urgent=0.1), list[str]()
    released = threading.Event()

    def hang() -> None:
        with turns.turn():
            released.wait(PATIENCE)
        done.append("the one that hung")

    hanging = threading.Thread(target=hang, daemon=True)
    hanging.start()
    try:
        soon(lambda: turns._taken)
        workers = [asked(turns, "a", done), asked(turns, "risk", done, urgent=True)]
        for worker in reversed(workers):
            worker.join(PATIENCE)
        assert done == ["risk", "a"], "they work beside it"
        assert queued(turns) == 0
        started = time.monotonic()
        with turns.turn():
            assert time.monotonic() - started < 0.25, "nobody waits again for what hangs already"
    finally:
        released.set()
    hanging.join(PATIENCE)
    with turns.turn():
        waiting = asked(turns, "after", done)
        assert "after" not in done, "turns are as before"
    waiting.join(PATIENCE)
    assert done == ["risk", "a", "the one that hung", "after"]


def test_others_work_while_one_waits_for_a_broker() -> None:
    turns, done = Turns(), list[str]()
    with turns.turn():
        worker = asked(turns, "other", done)
        with turns.aside():
            worker.join(PATIENCE)
            assert done == ["other"]
        late = asked(turns, "late", done)
        assert done == ["other"], "the turn is taken again"
    late.join(PATIENCE)
    with turns.aside(), turns.turn():
        done.append("not its turn")
    assert done == ["other", "late", "not its turn"]


def test_whoever_has_worked_asks_again_behind_those_who_wait() -> None:
    """A follower with much to do would else keep the others out: a plain lock is not fair."""
    turns, done = Turns(), list[str]()
    with turns.turn():
        waiting = asked(turns, "waiting", done)
    with turns.turn():
        done.append("busy")
    waiting.join(PATIENCE)
    assert done == ["waiting", "busy"]
