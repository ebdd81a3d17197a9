"""Who may follow: work begins once the lock is held, and ends when another has it after all."""

import threading
import time
from collections.abc import Callable

from services.chassis.apart import Holder
from services.chassis.faults import StoreError

TURN = 0.01


class Lock:
    """A lock whose answers a test chooses."""

    def __init__(self, answer: Callable[[], bool]) -> None:
        self.answer = answer
        self.asked = threading.Semaphore(0)

    def acquire(self) -> bool:
        self.asked.release()
        return self.answer()

    def release(self) -> None:
        self.answer = lambda: False

    def looked_at(self, times: int) -> None:
        for _ in range(times):
            assert self.asked.acquire(timeout=5)


def away() -> bool:
    raise StoreError("the database is away")


def holding(lock: Lock) -> tuple[Holder, list[float]]:
    begun: list[float] = []
    holder = Holder(lock, lambda: begun.append(time.monotonic()), TURN)
    holder.start()
    return holder, begun


def test_work_begins_once_when_the_lock_is_held() -> None:
    lock = Lock(lambda: False)
    holder, begun = holding(lock)
    lock.looked_at(5)
    assert not begun
    lock.answer = lambda: True
    lock.looked_at(8)
    holder.stop()
    assert len(begun) == 1
    assert not holder.is_alive()


def test_work_goes_on_while_the_store_is_away_and_begins_not() -> None:
    lock = Lock(away)
    holder, begun = holding(lock)
    lock.looked_at(5)
    assert not begun
    lock.answer = lambda: True
    lock.looked_at(5)
    lock.answer = away
    lock.looked_at(5)
    assert holder.is_alive()
    assert holder.silence < 5
    holder.stop()
    assert len(begun) == 1


def test_who_lost_the_lock_to_another_ends() -> None:
    lock = Lock(lambda: True)
    holder, begun = holding(lock)
    lock.looked_at(3)
    lock.answer = lambda: False
    holder.join(5)
    assert not holder.is_alive()
    assert len(begun) == 1
