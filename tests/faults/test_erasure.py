"""A client who was erased stays so, in every file and after any backup is restored."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.__main__ import main
from services.chassis.clock import SystemClock
from services.chassis.eventlog import Redacted
from tests.faults import courses
from tests.faults.auditor import events, opened
from tests.faults.courses import measure, row
from tests.faults.house import LIND, House, prepared, running, settle, until

CLOCK = SystemClock()
TODAY = CLOCK.now().date()
CLIENT = "client of kanarienvogel"
SERVICES = ("outcomes", "alerts")


def told(*arguments: str | Path) -> str:
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def house(tmp_path: Path) -> House:
    one = prepared(tmp_path / "data", CLOCK)
    with running(one, CLOCK) as (both, ehr):
        courses.worsening(ehr, "kanarienvogel", TODAY)
        courses.worsening(ehr, "other", TODAY)
        settle(both)
        for service in SERVICES:
            told(service, "backup", tmp_path / service, "--data", one.data)
    return one


def erased(house: House) -> None:
    said = told("outcomes", "erase", "--client", "ehr", CLIENT, "--yes", "--data", house.data)
    told("alerts", "erase", said.split()[-1], "--yes", "--data", house.data)


def readable(data: Path) -> tuple[str, int]:
    """All that can be read of both logs, and how many events cannot."""
    with opened(data, CLOCK) as services:
        text = " ".join(repr(event) for one in services for event in events(one.log))
        gone = sum(
            isinstance(entry.event, Redacted)
            for one in services
            for entry in one.log.page(0, 10_000).entries
        )
    return text, gone


def test_an_erased_client_is_gone_for_those_who_run(house: House) -> None:
    before = readable(house.data)
    assert CLIENT in before[0]
    assert before[1] == 0
    with running(house, CLOCK) as (both, ehr):
        assert row(both, CLOCK, LIND, "kanarienvogel") is not None
        erased(house)
        until(lambda: row(both, CLOCK, LIND, "kanarienvogel") is None)
        assert row(both, CLOCK, LIND, "other") is not None
        body = measure("kanarienvogel", 99, TODAY.isoformat(), 10)
        until(lambda: ehr.send("POST", "/v1/measures", body).status == 410)
        settle(both)
    after = readable(house.data)
    assert CLIENT not in after[0]
    assert after[1] > 20
    for service in SERVICES:
        assert "All is well" in told(service, "verify", "--data", house.data)


def test_a_backup_made_before_brings_nobody_back(house: House, tmp_path: Path) -> None:
    """Into the same folder, and into a new one that has the key and the list alone."""
    erased(house)
    new = tmp_path / "new"
    for service in SERVICES:
        (new / service).mkdir(parents=True)
        shutil.copy(house.data / service / "master.key", new / service)
        shutil.copy(house.data / f"{service}.erasures", new)
    for data in (house.data, new):
        for service in SERVICES:
            told(service, "restore", tmp_path / service, "--replace", "--data", data)
        text, gone = readable(data)
        assert CLIENT not in text
        assert "client of other" in text
        assert gone > 20


def test_nobody_is_erased_without_a_list_or_by_mistake(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["outcomes", "erase", "--data", str(house.data), "--client", "ehr"]
    unknown = CliRunner().invoke(main, [*command, "nobody", "--yes"])
    assert unknown.exit_code == 1
    assert "no client of that reference" in unknown.output
    assert CliRunner().invoke(main, [*command, CLIENT], input="n\n").exit_code == 1
    monkeypatch.setattr("services.chassis.folder.source", _without_list)
    unlisted = CliRunner().invoke(main, [*command, CLIENT, "--yes"])
    assert unlisted.exit_code == 1
    assert "name the list that a restore goes by" in unlisted.output
    monkeypatch.undo()
    assert readable(house.data)[1] == 0


def _without_list(data: Path, service: str, prefix: str, more: dict[str, str]) -> dict[str, str]:
    return {
        f"{prefix}ZONE": "UTC",
        f"{prefix}STORE": f"sqlite:///{data / service}",
        f"{prefix}MASTER_KEY": (data / service / "master.key").read_text(),
    } | {f"{prefix}{name}": value for name, value in more.items()}
