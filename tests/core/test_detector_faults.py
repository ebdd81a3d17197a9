"""What the detector says when the log refuses, is erased in part or damaged."""

from typing import Any
from uuid import UUID

import pytest

from services.chassis.eventlog import ConflictError, Damaged, Entry, Redacted
from services.outcomes.core import findings
from services.outcomes.core.measure import MeasureRecorded
from tests.core.logbook import (
    FLAT_AND_HIGH,
    IDS,
    OWNER,
    MemoryLog,
    Sender,
    detect,
    detector,
    episode_id,
    now_open,
    said,
)


class Refusing(MemoryLog):
    """Refuses the next append of findings, once."""

    refuse = False

    def append(self, events: Any, tracking: tuple[str, int] | None = None) -> list[int]:
        if self.refuse and tracking:
            self.refuse = False
            raise ConflictError("somebody else was here")
        return super().append(events, tracking)


def test_what_was_not_stored_is_found_again() -> None:
    log = Refusing()
    sender, reader = Sender(log), detector(log)
    sender.measure("m0", 0, 14)
    detect(log, reader)
    sender.measure("m1", 7, 21)
    log.refuse = True
    with pytest.raises(ConflictError):
        detect(log, reader)
    detect(log, reader)
    assert len(log.of(findings.Assessed)) == 2
    assert "possibly_worse" in now_open(log)


def test_the_second_of_two_detectors_conflicts_and_reads_again() -> None:
    log = MemoryLog()
    sender, one, other = Sender(log), detector(log), detector(log)
    sender.measure("m0", 0, 14)
    detect(log, one)
    detect(log, other)
    sender.measure("m1", 7, 21)
    entries = [entry for entry in log.entries if isinstance(entry.event, MeasureRecorded)][1:]
    one.apply(entries, entries[-1].position)
    with pytest.raises(ConflictError):
        other.apply(entries, entries[-1].position)
    sender.measure("m2", 14, 22)
    other.reload()
    detect(log, other)
    assert "reliable_deterioration" in now_open(log)


def test_an_erased_episode_is_passed_over() -> None:
    log = MemoryLog()
    reader = detector(log)
    gone = Redacted(
        originator_id=UUID(int=3), originator_version=1, owner=OWNER, topic="measure.recorded"
    )
    reader.apply([Entry(1, gone)], 1)
    assert reader.position() == 1
    assert log.entries == []


def test_a_damaged_record_is_said_and_stops_nothing_else() -> None:
    log = MemoryLog()
    sender, other, reader = Sender(log), Sender(log, "f"), detector(log)
    for number, (day, score) in enumerate(FLAT_AND_HIGH):
        sender.measure(f"m{number}", day, score)
    detect(log, reader)
    sender.session("s1", 20)
    stored = log.streams[episode_id()][0]
    hurt = Damaged(
        originator_id=stored.originator_id,
        originator_version=1,
        topic=stored.TOPIC,
        reason="does not authenticate",
    )
    log.streams[episode_id()][0] = hurt
    log.entries[-1] = Entry(log.entries[-1].position, hurt)
    other.measure("other", 0, 14)
    detect(log, reader)
    current = now_open(log)
    assert current["not_assessable"][2]["reasons"] == ["record_damaged"]
    assert current["not_assessable"][0] == "review"
    assert "off_track" in current, "what was said stays said"
    assert "not_assessable" in said(log, "f").open_findings

    sender.measure("m3", 21, 4)
    detect(log, detector(log))
    assert set(now_open(log)) == set(current), "a restart does not forget the damage"


def test_a_damaged_measure_is_found_by_its_other_versions() -> None:
    log = MemoryLog()
    sender, reader = Sender(log), detector(log)
    sender.measure("m0", 0, 14)
    detect(log, reader)
    stream = IDS.derive("measure", "clinic", "m0")
    hurt = Damaged(
        originator_id=stream, originator_version=2, topic="measure.corrected", reason="unreadable"
    )
    log.streams[stream].append(hurt)
    entry = Entry(len(log.entries) + 1, hurt)
    assert reader.key(entry) == episode_id()
    reader.apply([entry], entry.position)
    assert now_open(log)["not_assessable"][2]["reasons"] == ["record_damaged"]
