"""A full disk is said at the door; what was acknowledged stays, and all goes on afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis.clock import SystemClock
from tests.faults import courses
from tests.faults.auditor import audit
from tests.faults.ehr import Ehr
from tests.faults.house import LIND, catch_up, prepared, until
from tests.faults.process import Process
from tests.servers.disk import SmallDisk
from tests.servers.fixtures import required

CLOCK = SystemClock()
TODAY = CLOCK.now().date()
MEGABYTES = 24
FULL_CALLS = 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    one = required(lambda: SmallDisk(tmp_path / "disk", MEGABYTES))
    yield one
    one.close()


def test_a_full_disk_refuses_and_recovers(disk: SmallDisk, tmp_path: Path) -> None:
    house = prepared(disk.folder / "data", CLOCK)
    process = Process(house.data, tmp_path / "errors")
    process.start()
    ehr = Ehr(lambda: process.url("outcomes"), house.token)
    try:
        courses.worsening(ehr, "E-before", TODAY)
        disk.fill()
        refused = 0
        for number in range(FULL_CALLS):
            body = courses.measure("E-full", number, TODAY.isoformat(), 7)
            told = ehr.send_once("POST", "/v1/measures", body)
            # What still fits into the room that a file has already may be taken.
            refused += told.status == 503
            assert told.status in (201, 503)
        assert refused > 0
        assert told.status == 503
        assert told.answer["type"] == "/problems/unavailable"
        assert "again shortly" in told.answer["detail"]
        assert ehr.get("/v1/episodes/E-before")["episode"] == "E-before", "reading goes on"
        disk.empty()
        until(lambda: sent(ehr) == 201, 20)
        courses.worsening(ehr, "E-after", TODAY)
        assert process.stop() == 0
        catch_up(house.data, CLOCK)
        told_all = [one for one in ehr.record.all() if one.status != 503]
        assert audit(house.data, told_all, clinician=LIND, clock=CLOCK) == []
    finally:
        ehr.close()
        process.kill()


def sent(ehr: Ehr) -> int:
    body = courses.measure("E-again", 1, TODAY.isoformat(), 7)
    return ehr.send_once("POST", "/v1/measures", body).status
