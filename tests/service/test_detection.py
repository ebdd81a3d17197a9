"""The detector on a real store: sealed events, durable position, the due view, damaged rows."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.chassis.clock import SteppedClock
from services.chassis.eventlog import EventLog
from services.chassis.store import Store
from services.outcomes.core.event import TOPICS
from services.outcomes.core.said import Said, fold
from services.outcomes.detector import Detector
from services.outcomes.views.due import Due, episodes_due
from tests.core.logbook import IDS, START, YARDSTICKS, Sender, episode_id

VIEW = Due()
MASTER_KEY = b"a master key of the tests, 32 b."


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}", "outcomes", master_key=MASTER_KEY, topics=TOPICS)
    opened.migrate()
    opened.views.register(VIEW)
    yield opened
    opened.close()


def reader(store: Store) -> Detector:
    return Detector(
        store.log(),
        IDS,
        YARDSTICKS,
        clock=SteppedClock(START),
        zone=ZoneInfo("Europe/Berlin"),
        due=lambda today: episodes_due(store.views, VIEW, today),
    )


def caught_up(store: Store) -> EventLog:
    """Let a detector that remembers nothing read everything, then the view."""
    log, detector = store.log(), reader(store)
    page = log.page(detector.position(), 500, detector.topics)
    if page.scanned_to > detector.position():
        detector.apply(page.entries, page.scanned_to)
    view = store.views.reader(VIEW)
    page = log.page(view.position(), 500, VIEW.topics)
    if page.scanned_to > view.position():
        view.apply(page.entries, page.scanned_to)
    return log


def said(log: EventLog, name: str = "e") -> Said:
    return fold(log.read(IDS.derive("findings", episode_id(name).hex)))


def test_findings_survive_the_store_and_a_restart_after_every_measure(store: Store) -> None:
    sender = Sender(store.log())
    for number, (day, score) in enumerate([(0, 14), (7, 21), (14, 22)]):
        sender.measure(f"m{number}", day, score)
        log = caught_up(store)
    assert set(said(log).open_findings) == {
        "off_track", "possibly_worse", "reliable_deterioration",
    }  # fmt: skip
    assert reader(store).position() > 0


def test_the_due_view_names_an_episode_on_its_day_and_no_other(store: Store) -> None:
    early, late = Sender(store.log()), Sender(store.log(), "f")
    early.open(0)
    late.open(5)
    caught_up(store)
    assert due_on(store, START + timedelta(days=20)) == []
    assert due_on(store, START + timedelta(days=21)) == [episode_id()]
    assert reader(store).tick(START + timedelta(days=21)) == 1
    log = caught_up(store)
    assert "disconnection" in said(log).open_findings
    assert "disconnection" not in said(log, "f").open_findings
    assert due_on(store, START + timedelta(days=21)) == []
    assert due_on(store, START + timedelta(days=28)) == [episode_id("f"), episode_id()]


def due_on(store: Store, moment: datetime) -> list[object]:
    return list(episodes_due(store.views, VIEW, moment.date().isoformat()))


def test_a_closed_episode_leaves_the_due_view(store: Store) -> None:
    sender = Sender(store.log())
    sender.open(0)
    caught_up(store)
    sender.close(3)
    caught_up(store)
    assert due_on(store, START + timedelta(days=400)) == []
    sender.reopen(9)
    caught_up(store)
    assert due_on(store, START + timedelta(days=400)) == [episode_id()]


def test_a_row_that_does_not_authenticate_marks_its_episode_alone(
    store: Store, tmp_path: Path
) -> None:
    sender, other = Sender(store.log()), Sender(store.log(), "f")
    sender.measure("m0", 0, 14)
    other.measure("o0", 0, 14)
    caught_up(store)
    sender.measure("m0", 0, 15, kind="corrected")
    other.measure("o0", 0, 15, kind="corrected")
    spoil(tmp_path, IDS.derive("measure", "clinic", "m0").hex)
    log = caught_up(store)
    hurt, whole = said(log).open_findings, said(log, "f").open_findings
    assert hurt["not_assessable"].evidence["reasons"] == ["record_damaged"]
    assert whole["not_assessable"].evidence["reasons"] == ["too_few"]


def spoil(folder: Path, stream: str) -> None:
    """Flip a bit of the second event of a stream behind the store's back."""
    connection = sqlite3.connect(folder / "log.db")
    where = " WHERE originator_id = ? AND originator_version = 2"
    (state,) = connection.execute("SELECT state FROM stored_events" + where, [stream]).fetchone()
    spoilt = state[:-1] + bytes([state[-1] ^ 1])
    connection.execute("UPDATE stored_events SET state = ?" + where, [spoilt, stream])
    connection.commit()
    connection.close()
