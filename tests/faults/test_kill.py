"""A process that is killed at any moment keeps what it acknowledged, and loses or doubles nothing.

PIVOTPOINT_KILL_ROUNDS sets how often it is killed (8); --log-cli-level=INFO tells the figures.
"""

import logging
import os
from pathlib import Path
from random import Random
from time import sleep

from services.chassis.clock import SystemClock
from tests.faults.auditor import audit
from tests.faults.clinician import Clinician
from tests.faults.crowd import answered, crowd
from tests.faults.house import LIND, catch_up, prepared
from tests.faults.process import Process

LOGGER = logging.getLogger(__name__)
ROUNDS = int(os.environ.get("PIVOTPOINT_KILL_ROUNDS", "8"))
CALLS = (5, 60)
"""After how many further answers it is killed: at least, at most."""


def test_killed_again_and_again_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    clock, random = SystemClock(), Random(20260302)
    today = clock.now().date()
    house = prepared(tmp_path / "data", clock)
    process = Process(house.data, tmp_path / "errors")
    clinician = Clinician(lambda: process.url("alerts"), 1, today)
    process.start()
    try:
        clinician.browser.sign_in(house.invitation)
        with crowd(house, lambda: process, clinician, today) as all_:
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
    LOGGER.info("%d kills, %d calls acknowledged", ROUNDS, len(told))
    LOGGER.info("%d answers at pages acknowledged", len(clinician.recorded))
    LOGGER.info("%d calls repeated because nobody answered", all_.repeated)
    assert audit(house.data, told, clinician=LIND, answered=clinician.recorded) == []
