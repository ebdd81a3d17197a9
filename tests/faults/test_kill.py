"""A process that is killed at any moment keeps what it acknowledged, and loses or doubles nothing.

PIVOTPOINT_KILL_ROUNDS sets how often it is killed (8).
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random
from time import monotonic, sleep

from services.chassis.clock import SystemClock
from tests.faults import load
from tests.faults.auditor import audit
from tests.faults.clinician import Clinician
from tests.faults.ehr import Ehr, Record
from tests.faults.house import LIND, House, catch_up, prepared
from tests.faults.process import Process

ROUNDS = int(os.environ.get("PIVOTPOINT_KILL_ROUNDS", "8"))
THREADS = 4
CALLS = (5, 60)
"""After how many further answers it is killed: at least, at most."""
ANSWERED_WITHIN = 60.0


@dataclass
class Crowd:
    """Everybody who sends or answers, each in a thread of their own."""

    record: Record = field(default_factory=Record)
    failed: list[BaseException] = field(default_factory=list)


@contextmanager
def crowd(house: House, process: Process, clinician: Clinician, today: date) -> Iterator[Crowd]:
    """Let everybody work for the length of a block; each call at hand is brought to its end."""
    enough, all_ = threading.Event(), Crowd()

    def send(seed: int) -> None:
        try:
            ehr = Ehr(lambda: process.url("outcomes"), house.token, all_.record)
            load.work(ehr, seed, today, enough)
        except BaseException as error:
            all_.failed.append(error)

    threads = [threading.Thread(target=send, args=(seed,)) for seed in range(THREADS)]
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


def test_killed_again_and_again_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    clock, random = SystemClock(), Random(20260302)
    today = clock.now().date()
    house = prepared(tmp_path / "data", clock)
    process = Process(house.data, tmp_path / "errors")
    clinician = Clinician(lambda: process.url("alerts"), 1, today)
    process.start()
    try:
        clinician.browser.sign_in(house.invitation)
        with crowd(house, process, clinician, today) as all_:
            for _ in range(ROUNDS):
                answered(all_, random.randint(*CALLS))
                sleep(random.uniform(0, 0.1))
                process.kill()
                process.start()
            answered(all_, CALLS[0])
    finally:
        process.kill()
    assert all_.failed == []
    catch_up(house.data, clock)
    told = all_.record.all()
    assert audit(house.data, told, clinician=LIND, answered=clinician.recorded) == []
