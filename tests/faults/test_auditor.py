"""The auditor finds what it is there to find: one folder, spoilt in one way at a time."""

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from services.chassis.clock import SystemClock
from tests.faults import load
from tests.faults.auditor import audit, opened
from tests.faults.ehr import Told
from tests.faults.house import LIND, prepared, running, settle

STEPS = 40
SPOIL = Callable[[Path], None]


@dataclass(frozen=True)
class Audited:
    """A folder on which all went well, and what its sender was answered."""

    data: Path
    told: Sequence[Told]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    clock = SystemClock()
    house = prepared(tmp_path_factory.mktemp("sound") / "data", clock)
    random = Random(5)
    today = clock.now().date()
    courses = [load.Course(f"E-{n}", n == 0, today, random) for n in range(2)]
    with running(house, clock) as (both, ehr):
        for number in range(STEPS):
            load.step(ehr, courses[number % 2])
        settle(both)
        told = ehr.record.all()
    return Audited(house.data, told)


@pytest.fixture
def spoilt(sound: Audited, tmp_path: Path) -> Audited:
    """A copy to be spoilt."""
    shutil.copytree(sound.data, tmp_path / "data")
    return replace(sound, data=tmp_path / "data")


def rows(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        assert connection.execute(statement).rowcount > 0, "nothing was spoilt"
    connection.close()


def faults(audited: Audited) -> str:
    return "\n".join(audit(audited.data, audited.told, clinician=LIND))


def test_a_sound_folder_has_no_fault(sound: Audited) -> None:
    assert faults(sound) == ""


LAST = (
    "DELETE FROM stored_events WHERE rowid = "
    "(SELECT MAX(rowid) FROM stored_events WHERE topic LIKE '{}')"
)


@pytest.mark.parametrize(
    ("file", "topic", "fault"),
    [
        ("outcomes/log.db", "measure.recorded", "acknowledged"),
        ("outcomes/log.db", "episode.session_recorded", "acknowledged of session lost"),
        ("outcomes/log.db", "findings.assessed", "versions have a gap"),
        ("outcomes/log.db", "findings.effect_measured", "effects were told otherwise"),
        ("alerts/log.db", "course.noted", "s lost: 1"),
        ("alerts/log.db", "alert.%", "view "),
    ],
)
def test_a_lost_event_is_found(spoilt: Audited, file: str, topic: str, fault: str) -> None:
    rows(spoilt.data / file, LAST.format(topic))
    assert fault in faults(spoilt)


def test_a_lost_or_invented_call_is_found(sound: Audited) -> None:
    posts = [one for one in sound.told if one.method == "POST" and one.status == 201]
    first = next(one for one in posts if one.path == "/v1/measures")
    without = [one for one in sound.told if one.body is None or first.body != one.body]
    assert "nobody sent" in faults(replace(sound, told=without))
    other = replace(first, body={**first.body, "external_id": "never-sent"})
    assert "an acknowledged measure is lost" in faults(replace(sound, told=[*sound.told, other]))
    changed = replace(first, body={**first.body, "items": [0] * 9}, method="POST")
    told = [changed if one is first else one for one in sound.told]
    assert "measure" in faults(replace(sound, told=told))


def test_a_changed_view_is_found(spoilt: Audited) -> None:
    path = spoilt.data / "alerts" / "views.db"
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    inbox = next(name for (name,) in names if "inbox" in name)
    rows(path, f'DELETE FROM "{inbox}"')
    found = faults(spoilt)
    assert "view inbox" in found
    assert "rows where the log has" in found


def test_an_alert_that_speaks_twice_is_found(spoilt: Audited) -> None:
    with opened(spoilt.data, SystemClock()) as (_, alerts):
        raised = [
            entry.event
            for entry in alerts.log.page(0, 10_000).entries
            if entry.event.TOPIC == "alert.raised"
        ]
        again = replace(raised[-1], originator_id=uuid4(), originator_version=1)
        alerts.log.append([again])
    assert "is open twice" in faults(spoilt)


def test_a_message_that_took_effect_twice_is_found(spoilt: Audited) -> None:
    with opened(spoilt.data, SystemClock()) as (_, alerts):
        noted = [
            entry.event
            for entry in alerts.log.page(0, 10_000).entries
            if entry.event.TOPIC == "course.noted"
        ]
        versions = [
            e.originator_version for e in noted if e.originator_id == noted[0].originator_id
        ]
        alerts.log.append([replace(noted[0], originator_version=max(versions) + 1)])
    assert "twice: 1" in faults(spoilt)


def test_what_is_parked_is_found(spoilt: Audited) -> None:
    with opened(spoilt.data, SystemClock()) as (outcomes, _):
        outcomes.store.parking.park("detector", uuid4(), 1, "ValueError")
    assert "detector parked something" in faults(spoilt)
