"""Courses with a little of everything, and the events that were written of them, kept as files.

What was said stays in the logs of every clinic under the name of the rules that said it. A change
that is meant to say something else of the same course gets another `VERSION` in
`services/outcomes/core/rules.py`, and then `make rules` writes the files anew.
"""

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.outcomes.core.case import Yardsticks
from services.outcomes.core.event import Event
from tests.core.logbook import IDS, START, MemoryLog, Sender, detect, detector, episode_id
from tests.rules.courses import flipped
from tests.rules.page import instruments

KEPT = Path(__file__).parent / "kept"
DIGITS = 6
"""Decimals that are compared: another C library may differ in the last."""
ENVELOPE = {"originator_id", "originator_version", "timestamp", "owner", "episode"}


class Clinic(Sender):
    """A sender behind which the detector reads along, line by line."""

    def __init__(self, yardsticks: Yardsticks) -> None:
        self.memory = MemoryLog()
        super().__init__(self.memory)
        self.reader = detector(self.memory, lambda today: [episode_id()], yardsticks)

    def read(self) -> None:
        """Let the detector take what came."""
        detect(self.memory, self.reader)

    def look(self, day: int) -> None:
        """Let time alone have come to this day."""
        self.read()
        self.reader.tick(START + timedelta(days=day))

    def weekly(self, first: int, *scores: float, **more: Any) -> None:
        """A measure a week from this week on, each read as it comes."""
        for week, score in enumerate(scores, first):
            self.measure(f"w{week}", 7 * week, score, **more)
            self.read()


def pivot_and_effect(clinic: Clinic) -> None:
    """Off track, reflected on, pivoted, better; the ending is told, taken back and told again."""
    clinic.open(0, primary="phq-9", client_age=34, client_gender="female")
    clinic.approach("CBT", 0)
    clinic.session("s1", 0)
    clinic.weekly(0, 14, 15, 20, 21, 22)
    clinic.fact("f1", 29, "medication", "sertraline")
    clinic.reflect("r1", 29, 57)
    clinic.approach("EMDR", 30, origin="reflection", reflection="r1", review_on=clinic.on(58))
    clinic.read()
    clinic.fact("f2", 40, "other", "moved house")
    clinic.weekly(5, 20, 16, 9, 8, 4)
    clinic.measure("w6", 42, 15, kind="corrected")
    clinic.read()
    clinic.withdraw("w8")
    clinic.read()
    clinic.close(70)
    clinic.read()
    clinic.measure("w11", 77, 6)
    clinic.read()
    clinic.reopen(80)
    clinic.read()
    clinic.measure("w8", 56, 8, kind="reinstated")
    clinic.close(84)
    clinic.read()


def stalled_and_lost(clinic: Clinic) -> None:
    """A sudden gain, a gain that is lost, a gap of more than two months, a plateau, a sawtooth."""
    clinic.open(3)
    clinic.session("s1", 7, "late")
    clinic.weekly(0, 22, 21, 22, 13, 12, 13, 9, 8, 16, 17)
    clinic.weekly(20, 16, 17, 16, 17, 16, 16)
    clinic.weekly(26, 23, 16, 23, 16, 23, 27)


def several_scales(clinic: Clinic) -> None:
    """Subscales, another instrument that disagrees, another respondent, two measures of a day."""
    clinic.open(10)
    parts = {"depression": 20.0, "anxiety": 10.0, "stress": 12.0}
    for week, more in enumerate((0, 2, 6, 12, 14)):
        told = {**parts, "depression": parts["depression"] + more}
        clinic.measure(f"d{week}", 7 * week, 42 + more, instrument="dass-21", subscales=told)
        clinic.measure(f"p{week}", 7 * week, 20 - more, session_number=week + 1)
        clinic.measure(f"o{week}", 7 * week, 20, respondent="parent")
        clinic.read()
    clinic.measure("twice", 28, 18, at="2024-01-29T09:00:00+01:00")
    clinic.read()
    clinic.measure("later", 35, 5, flags=["prorated"], band="mild", session_number=7)
    clinic.measure("contradicted", 42, 20, flags=["conflict"])
    clinic.measure("incomplete", 49, None, flags=["incomplete"])
    clinic.read()


def higher_is_better(clinic: Clinic) -> None:
    """The PHQ-9 turned round: more is better; worse, a pivot, late news, nothing more."""
    clinic.weekly(0, 13, 12, 7, 6, 5, 5)
    clinic.approach("CBT", 0)
    clinic.approach("ACT", 36)
    clinic.read()
    clinic.measure("after", 43, 18)
    clinic.read()
    clinic.arrived = START + timedelta(days=120)
    clinic.measure("late", 45, 6)
    clinic.read()
    clinic.look(122)
    clinic.look(150)


def silence_and_breaks(clinic: Clinic) -> None:
    """Nothing comes, a break is announced, sessions are missed, and somebody comes again."""
    clinic.open(0)
    clinic.look(20)
    clinic.look(21)
    clinic.weekly(4, 12, 12)
    clinic.fact("f1", 38, "break", "holidays")
    clinic.look(60)
    clinic.look(84)
    clinic.look(85)
    clinic.weekly(13, 12)
    for number, attendance in enumerate(("attended", "missed", "attended", "missed", "cancelled")):
        clinic.session(f"s{number}", 92 + 7 * number, attendance)
        clinic.read()
    clinic.session("s4", 120, "attended")
    clinic.close(125)
    clinic.look(150)


def little_is_known(clinic: Clinic) -> None:
    """An instrument that nobody knows, one without norm, an age that is not told."""
    clinic.open(0)
    clinic.measure("m0", 0, 14, kind="held", instrument="mystery")
    clinic.read()
    clinic.measure("m1", 7, 30, kind="held", why="client named otherwise")
    clinic.read()
    clinic.measure("m0", 0, 14)
    clinic.withdraw("m1")
    clinic.weekly(2, 2, 3)
    clinic.measure("y0", 21, 20, instrument="yp-core")
    clinic.read()
    clinic.open(0, primary="yp-core", client_age=15, client_gender="female")
    clinic.measure("y1", 28, 21, instrument="yp-core")
    clinic.look(60)


COURSES: dict[str, Callable[[Clinic], None]] = {
    tell.__name__: tell
    for tell in (
        pivot_and_effect,
        stalled_and_lost,
        several_scales,
        higher_is_better,
        silence_and_breaks,
        little_is_known,
    )
}


def written(name: str) -> list[dict[str, Any]]:
    """What the detector writes of a course, event by event, as JSON values."""
    known = instruments()
    if name == higher_is_better.__name__:
        known["phq-9"] = flipped(known["phq-9"])
    clinic = Clinic(Yardsticks(known))
    COURSES[name](clinic)
    return [_told(event) for event in clinic.log.read(IDS.derive("findings", episode_id().hex))]


def _told(event: Event) -> dict[str, Any]:
    names = [one.name for one in fields(event) if one.name not in ENVELOPE]
    return {"topic": event.TOPIC, **{name: _rounded(getattr(event, name)) for name in names}}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def kept(name: str) -> list[dict[str, Any]]:
    """What is kept of a course."""
    return [json.loads(line) for line in (KEPT / f"{name}.jsonl").read_text("utf-8").splitlines()]


def keep() -> None:
    """Write the files anew, an event a line."""
    for name in COURSES:
        lines = [json.dumps(event, ensure_ascii=False) + "\n" for event in written(name)]
        (KEPT / f"{name}.jsonl").write_text("".join(lines), "utf-8")
