"""What is taken over from an earlier look changes nothing: hundreds of courses, told untidily."""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

from services.outcomes.core.case import NOTHING, Case, Truth, truth
from services.outcomes.core.happening import take
from services.outcomes.core.news import all_rows
from services.outcomes.core.said import Said
from simulation.cohort import Course, cohort
from tests.core.logbook import (
    YARDSTICKS,
    MemoryLog,
    Sender,
    detect,
    detector,
    said,
)

Telling = tuple[int, str, tuple[Any, ...], dict[str, Any]]
"""The day on which something is told, how the sender tells it, and what."""
INSTRUMENTS = ("phq-9", "phq-9", "phq-9", "gad-7", "pcl-5", "who-5")


def tellings(name: str, course: Course, dice: Random) -> Iterator[Telling]:
    """A course as an EHR might tell it: late, corrected, withdrawn, with all that is around it."""
    chief = dice.choice(INSTRUMENTS)
    if dice.random() < 0.7:
        primary = dice.choice([None, "phq-9", "gad-7"])
        yield dice.choice([0, 0, 10]), "open", (dice.choice([0, 2, 20]), primary), {}
    gap = 80 if dice.random() < 0.1 else 0
    for place, (begun, score) in enumerate(course.scores):
        day = begun + gap * (place > 4)
        yield from measured(f"{name}-m{place}", day, float(min(score, 21)), chief, dice)
        for told in around(place, day):
            if dice.random() < 0.08:
                yield told


def measured(external: str, day: int, score: float, chief: str, dice: Random) -> Iterator[Telling]:
    """A measure, now and then with a session, a conflict, another beside it, or in two minds."""
    more: dict[str, Any] = {"instrument": chief}
    if dice.random() < 0.2:
        more["session_number"] = dice.randint(1, 9)
    if dice.random() < 0.05:
        more["flags"] = ["conflict"]
    arrived = day + (dice.choice([1, 9, 40]) if dice.random() < 0.1 else 0)
    yield arrived, "measure", (external, day, score), more
    other = {"instrument": dice.choice([chief, "gad-7", "pcl-5"])}
    changed = (external, day, float(dice.randint(0, 21)))
    if dice.random() < 0.05:
        yield arrived + 3, "measure", changed, other | {"kind": "corrected"}
    if dice.random() < 0.04:
        yield arrived + 5, "withdraw", (external,), {}
    if dice.random() < 0.1:
        yield arrived, "measure", (f"{external} b", *changed[1:]), other


def around(place: int, day: int) -> Iterator[Telling]:
    """All else that may happen on a day."""
    for attendance in ("attended", "attended", "late", "missed"):
        yield day, "session", (f"s{place}", day, attendance), {}
    yield day, "fact", (f"b{place}", day, "break", "x"), {}
    yield day, "fact", (f"m{place}", day, "medication", "x"), {}
    yield day, "approach", (f"approach {place % 2}", day), {"origin": "reflection"}
    if place == 6:
        yield day, "close", (day,), {}
        yield day + 15, "reopen", (day + 15,), {}


def told(count: int, seed: int) -> MemoryLog:
    """A log of so many courses, in the order in which they were told."""
    log, dice = MemoryLog(), Random(seed)
    calls: list[tuple[Sender, Telling]] = []
    for course in cohort(count, seed):
        sender = Sender(log, f"e{course.number}")
        calls += [(sender, one) for one in tellings(sender.name, course, dice)]
    for sender, (_, name, arguments, more) in sorted(calls, key=lambda one: one[1][0]):
        getattr(sender, name)(*arguments, **more)
    return log


def day_of(moment: datetime) -> str:
    return moment.date().isoformat()


def bare(true: Truth) -> dict[str, Any]:
    """What is true, less how it was worked out."""
    trajectories = {
        key: (one.entries, one.days, one.baseline, one.steps, one.context)
        for key, one in true.trajectories.items()
    }
    return true._asdict() | {"trajectories": trajectories, "measured": list(true.measured)}


def test_what_is_true_does_not_depend_on_what_was_known_before() -> None:
    cases: dict[str, Case] = {}
    known: dict[str, tuple[Truth, Any]] = {}
    quick = looked = 0
    for entry in told(200, 1).entries:
        event = entry.event
        name = getattr(event, "episode", event.originator_id.hex)
        case = cases.setdefault(name, Case())
        cause = take(case, event, YARDSTICKS, day_of)
        if cause is None:
            continue
        before, rows = known.get(name, (NOTHING, {}))
        now = truth(case, YARDSTICKS, before, cause.new)
        fresh = truth(case, YARDSTICKS)
        assert bare(now) == bare(fresh)
        rows = all_rows(now, rows, before)
        assert rows == all_rows(fresh, {})
        known[name] = now, rows
        looked += 1
        quick += sum(one.taken == len(one.days) - 1 for one in now.trajectories.values()) == 1
    assert quick > looked / 3, "the way that costs one step is taken"


def test_what_is_said_does_not_depend_on_what_is_remembered() -> None:
    """The same log read in one go, and by a detector that forgets after every few entries."""
    whole, parted = told(60, 2), told(60, 2)
    detect(whole, detector(whole))
    entries = list(parted.entries)
    for start in range(0, len(entries), 9):
        page = entries[start : start + 9]
        detector(parted, cached=1).apply(page, page[-1].position)
    for number in range(60):
        one, other = said(whole, f"e{number}"), said(parted, f"e{number}")
        assert current(one) == current(other)


def current(one: Said) -> dict[str, Any]:
    """What is said now, whatever was said in between."""
    found = {name: (one.tier, one.on, one.evidence) for name, one in one.open_findings.items()}
    effects = [effect for effect in one.effects.values() if not effect["withdrawn"]]
    return {"measures": one.measures, "prints": one.prints, "found": found, "effects": effects}
