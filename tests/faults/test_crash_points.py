"""A process that dies between any two steps of the way of a measure takes the way up again."""

from contextlib import suppress
from pathlib import Path
from random import Random

from schemas import topics
from services.chassis.clock import SystemClock
from tests.faults.auditor import audit
from tests.faults.clinician import Clinician
from tests.faults.crasher import CRASHED
from tests.faults.crowd import answered, crowd
from tests.faults.house import LIND, catch_up, prepared
from tests.faults.process import DiedError, Process

POINTS = (
    ("keys", "after"),  # a client has a key and no event yet
    ("intake", "before"),
    ("intake", "after"),  # stored, and nobody was told
    ("detector", "before"),
    ("detector", "after"),
    ("relay", "before"),  # handed over, and the position says otherwise
    ("relay", "after"),
    ("risk relay", "before"),
    (topics.EPISODES, "before"),
    (topics.EPISODES, "after"),  # it took effect, and the sender does not know
    (topics.RISK, "before"),
    (topics.RISK, "after"),
    ("answers relay", "before"),
    (topics.ANSWERS, "after"),
    ("views", "before"),
    ("views", "after"),
)
CRASHES_WITHIN = 180.0
PAUSE = 0.4
"""Seconds that each sender waits between calls, for what is shown is no matter of load: at full
speed intake leaves so little of one process to the relays that a point is met in minutes."""


def test_dying_at_any_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    clock, random = SystemClock(), Random(7)
    today = clock.now().date()
    house = prepared(tmp_path / "data", clock)
    errors = tmp_path / "errors"
    process = Process(house.data, errors)
    clinician = Clinician(lambda: process.url("alerts"), 2, today, reflects=0.8)
    process.start()
    try:
        clinician.browser.sign_in(house.invitation)
        with crowd(house, lambda: process, clinician, today, pause=PAUSE) as all_:
            answered(all_, 20)
            process.kill()
            for reader, when in POINTS:
                number = str(random.randint(1, 4))
                program = ("-m", "tests.faults.crasher", reader, when, number)
                process = Process(house.data, errors, program)
                with suppress(DiedError):
                    process.start()
                assert process.wait(CRASHES_WITHIN) == CRASHED, f"{when} {reader}"
                assert all_.failed == []
            process = Process(house.data, errors)
            process.start()
    finally:
        process.kill()
    assert all_.failed == []
    catch_up(house.data, clock)
    told = all_.record.all()
    assert audit(house.data, told, clinician=LIND, answered=clinician.recorded) == []
