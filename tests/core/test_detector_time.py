"""What the detector says of time alone: silence, and what ends it."""

from collections.abc import Callable
from datetime import timedelta
from time import sleep
from uuid import UUID

import pytest

from services.outcomes.core import findings
from services.outcomes.detector import LOOKS_EVERY_S
from tests.core.logbook import START, MemoryLog, Sender, detect, detector, episode_id, now_open


def ticked(log: MemoryLog, day: int) -> int:
    reader = detector(log, due=lambda today: [episode_id()])
    return reader.tick(START + timedelta(days=day))


def test_silence_is_noticed_by_an_event_that_carries_the_time() -> None:
    log = MemoryLog()
    Sender(log).open(0)
    detect(log, detector(log))
    assert ticked(log, 20) == 0
    assert log.of(findings.SilenceNoticed) == []
    assert ticked(log, 21) == 1
    (noticed,) = log.of(findings.SilenceNoticed)
    assert (noticed.on, noticed.days, noticed.since) == ("2024-01-22", 21, "2024-01-01")
    assert noticed.due == "2024-01-29"
    assert now_open(log)["disconnection"][2]["numbers"]["kind"] == "silence"
    assert ticked(log, 21) == 0, "once is enough"
    assert ticked(log, 28) == 1
    assert now_open(log)["not_assessable"][0] == "review"
    assert ticked(log, 90) == 0, "nothing more is to be said"


def test_a_late_measure_takes_silence_back() -> None:
    log = MemoryLog()
    sender, reader = Sender(log), detector(log)
    sender.open(0)
    sender.measure("m0", 0, 14)
    detect(log, reader)
    ticked(log, 21)
    sender.arrived = START + timedelta(days=22)
    sender.measure("m1", 14, 14)
    detect(log, detector(log))
    assert "disconnection" not in now_open(log)
    (cleared,) = [o for o in log.of(findings.FindingCleared) if o.channel == "disconnection"]
    assert cleared.reason == "corrected away"


def test_a_closed_episode_waits_for_nothing() -> None:
    log = MemoryLog()
    sender = Sender(log)
    sender.open(0)
    sender.measure("m0", 0, 14)
    sender.close(5)
    detect(log, detector(log))
    assert ticked(log, 60) == 0


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (lambda sender: sender.close(23), "closed"),
        (lambda sender: sender.session("s3", 23, "attended"), "recovered"),
    ],
)
def test_what_time_alone_made_known_is_said_when_its_turn_comes(
    happens: Callable[[Sender], None], reason: str
) -> None:
    log = MemoryLog()
    sender = Sender(log)
    sender.open(0)
    sender.measure("m0", 21, 14)
    sender.session("s1", 21, "missed")
    sender.session("s2", 22, "missed")
    detect(log, detector(log))
    assert "disconnection" in now_open(log)
    reader = detector(log, due=lambda today: [episode_id()])
    happens(sender)
    reader.tick(START + timedelta(days=24))  # reads the episode, with what just came in
    detect(log, reader)
    cleared = {one.channel: one.reason for one in log.of(findings.FindingCleared)}
    assert cleared["disconnection"] == reason
    assert "disconnection" not in now_open(log)


def test_time_is_looked_at_again_after_a_measure_went() -> None:
    log = MemoryLog()
    sender = Sender(log)
    sender.open(0)
    sender.measure("m0", 0, 14)
    sender.measure("m1", 30, 14)
    reader = detector(log, due=lambda today: [episode_id()])
    detect(log, reader)
    assert reader.tick(START + timedelta(days=40)) == 0, "nothing is due before day 51"
    sender.withdraw("m1")
    detect(log, reader)
    reader.tick(START + timedelta(days=40))
    assert "disconnection" in now_open(log), "the last measure is 40 days old now"


def test_the_clock_is_not_asked_while_it_is_not_trusted() -> None:
    log = MemoryLog()
    Sender(log).open(0)
    detect(log, detector(log))
    reader = detector(log, due=lambda today: [episode_id()], may_tick=lambda: False)
    reader._clock.set(START + timedelta(days=60))  # type: ignore[attr-defined]
    reader.idle()
    assert log.of(findings.SilenceNoticed) == []


def test_a_course_that_is_announced_late_is_looked_at_from_the_next_day_on() -> None:
    log = MemoryLog()
    sender = Sender(log)
    sender.arrived = START + timedelta(days=60)
    sender.open(0)
    reader = detector(log, due=lambda today: [episode_id()])
    detect(log, reader)
    assert reader.tick(START + timedelta(days=60)) == 0, "its measures may be on their way"
    assert reader.tick(START + timedelta(days=61)) == 1
    assert now_open(log)["disconnection"][2]["numbers"]["days"] == 61


def test_a_look_that_costs_much_is_seldom_repeated() -> None:
    looks: list[str] = []

    def due(today: str) -> list[UUID]:
        looks.append(today)
        sleep(0.1)
        return []

    reader = detector(MemoryLog(), due=due)
    for _ in range(2):
        reader.idle()
        sleep(1.2 * LOOKS_EVERY_S)
    reader.idle()
    assert len(looks) == 1, "it may be asked again after five seconds"
