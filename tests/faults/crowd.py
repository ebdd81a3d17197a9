"""Everybody at once: several senders and a clinician, while the process dies and comes again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from time import monotonic, sleep
from typing import Protocol

from tests.faults import load
from tests.faults.clinician import Clinician
from tests.faults.ehr import Ehr, Record
from tests.faults.house import House

THREADS = 4
ANSWERED_WITHIN = 180.0


class Reached(Protocol):
    """Where a service is reached, be it there or not."""

    def url(self, service: str) -> str:
        """Its address."""
        ...


@dataclass
class Crowd:
    """Everybody who sends or answers, each in a thread of their own."""

    record: Record = field(default_factory=Record)
    failed: list[BaseException] = field(default_factory=list)
    ehrs: list[Ehr] = field(default_factory=list)

    @property
    def repeated(self) -> int:
        """How often a call had to be sent again."""
        return sum(ehr.repeated for ehr in self.ehrs)


@contextmanager
def crowd(
    house: House,
    process: Callable[[], Reached],
    clinician: Clinician,
    today: date,
    before: Crowd | None = None,
    seed: int = 0,
    pause: float = 0.0,
) -> Iterator[Crowd]:
    """Let everybody work for the length of a block; each call at hand is brought to its end.

    What is answered is added to what was `before`; another `seed` tells of other courses.
    Each sender waits `pause` seconds between calls.
    """
    enough, all_ = threading.Event(), before or Crowd()

    def send(seed: int) -> None:
        try:
            ehr = Ehr(lambda: process().url("outcomes"), house.token, all_.record)
            all_.ehrs.append(ehr)
            load.work(ehr, seed, today, enough, pause)
        except BaseException as error:
            all_.failed.append(error)

    threads = [threading.Thread(target=send, args=(seed + n,)) for n in range(THREADS)]
    threads.append(threading.Thread(target=clinician.work, args=(enough,)))
    for thread in threads:
        thread.start()
    try:
        yield all_
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def answered(all_: Crowd, calls: int) -> None:
    """Wait until so many more calls were answered."""
    wanted, deadline = len(all_.record.all()) + calls, monotonic() + ANSWERED_WITHIN
    while len(all_.record.all()) < wanted:
        assert all_.failed == []
        assert monotonic() < deadline, "too little load to show anything"
        sleep(0.005)
