"""What one course teaches: its failures with all that stood around them, read from its facts.

Nothing is worked out while events are folded: a session or approach that arrives late changes
which approach a failure fell under, so everything is derived anew whenever it is asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.alerts.core.approach import Approaches, same

FAILURES = (
    "reliable_deterioration", "gain_partly_lost", "off_track", "stalled", "plateau",
    "possibly_worse",
)  # fmt: skip
"""Channels that speak of a plateau or a regression."""
DISCONNECTION = "disconnection"
PHASES = ("early", "middle", "late")
EARLY_WEEKS, LATE_WEEKS = 6, 16
EARLY_SESSIONS, LATE_SESSIONS = 6, 16
ABSENT = frozenset({"missed", "cancelled"})
MISSED_MARKS = 2
"""Sessions missed or cancelled late, from which a course carries a mark of disconnection."""
NOT_STATED = "not stated"
ALLIANCE = "alliance"
RUPTURES = ("withdrawal", "confrontation", "both")
"""What may be seen through the lens of the alliance that is a mark of a rupture: ids of choices."""
OWN_PART = "own part"
"""The lens that is its author's alone: it is in no pattern, not even the author's."""

Course = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """One finding of plateau or regression, and where the course stood then."""

    channel: str
    on: str
    approach: str
    phase: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """One course as patterns count it."""

    episode: str
    client: str
    clinician: str
    """Whose it is: to see that a group is of more than one person, never shown."""
    problem: str
    instrument: str
    approaches: tuple[str, ...]
    """Those worked in, as keys of `Approaches`."""
    reached: tuple[str, ...]
    """Phases that the course has come to."""
    disconnected: bool
    failures: tuple[Failure, ...]
    reflections: tuple[Mapping[str, Any], ...]
    names: Mapping[str, str]
    """What the keys of approaches and the folded problem are called."""


def learn(course: Course, today: date, clinician: str, approaches: Approaches) -> Lesson:
    """The lesson of a course's facts as of a day."""
    last = str(course["closed_on"] or today.isoformat())
    return Lesson(
        episode=str(course["episode"]),
        client=str(course["client"] or ""),
        clinician=clinician,
        problem=same(course["problem"]) or NOT_STATED,
        instrument=str(course["primary_instrument"] or NOT_STATED),
        approaches=tuple(
            dict.fromkeys(approaches.key(one["approach"]) for one in course["approaches"])
        )
        or (NOT_STATED,),
        reached=PHASES[: PHASES.index(phase(course, last)) + 1],
        disconnected=_disconnected(course),
        failures=tuple(_failures(course, approaches)),
        reflections=tuple(_visible(one) for one in course["reflections"]),
        names=_names(course, approaches),
    )


def _names(course: Course, approaches: Approaches) -> dict[str, str]:
    told = [one["approach"] for one in course["approaches"]]
    called = {approaches.key(name): approaches.name(name) for name in told}
    problem = course["problem"]
    return {**called, same(problem): str(problem)} if problem else called


def phase(course: Course, day: str) -> str:
    """Early, middle or late: by weeks since the opening and by sessions attended, the later."""
    opened = course["opened_on"] or _first(course) or day
    weeks = (_day(day) - _day(opened)).days / 7
    sessions = sum(
        one["attendance"] not in ABSENT and one["on"][:10] <= day[:10] for one in course["sessions"]
    )
    if weeks > LATE_WEEKS or sessions > LATE_SESSIONS:
        return "late"
    return "middle" if weeks > EARLY_WEEKS or sessions > EARLY_SESSIONS else "early"


def _approach_at(course: Course, day: str, approaches: Approaches) -> str:
    """The approach that was worked in on a day, as a key of `Approaches`."""
    begun = [one for one in course["approaches"] if one["since"][:10] <= day[:10]]
    latest = max(begun, key=lambda one: str(one["since"]), default=None)
    return approaches.key(latest["approach"]) if latest else NOT_STATED


def pivots(course: Course) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """The changes of approach of a course with the approach before each, oldest first.

    The first approach of an episode is its beginning, unless a reflection chose it.
    """
    ordered = sorted(course["approaches"], key=lambda approach: str(approach["since"]))
    pairs = zip(ordered, [None, *ordered], strict=False)
    return [(new, old) for new, old in pairs if old is not None or new["origin"] == "reflection"]


def _failures(course: Course, approaches: Approaches) -> Iterator[Failure]:
    for finding in course["findings"]:
        if finding["channel"] in FAILURES and _stands(finding):
            on = str(finding["first_on"])
            yield Failure(
                channel=finding["channel"],
                on=on,
                approach=_approach_at(course, on, approaches),
                phase=phase(course, on),
            )


def _stands(finding: Mapping[str, Any]) -> bool:
    return bool(finding["cleared_reason"] != "corrected away")


def _disconnected(course: Course) -> bool:
    missed = sum(one["attendance"] in ABSENT for one in course["sessions"])
    found = any(one["channel"] == DISCONNECTION and _stands(one) for one in course["findings"])
    return found or missed >= MISSED_MARKS


def _visible(reflection: Mapping[str, Any]) -> dict[str, Any]:
    lenses = [name for name in reflection["lenses"] if same(name) != OWN_PART]
    return {**reflection, "lenses": lenses}


def _first(course: Course) -> str | None:
    dated = [str(one["on"]) for one in course["sessions"]]
    dated += [str(one["since"]) for one in course["approaches"]]
    dated += [str(one["first_on"]) for one in course["findings"]]
    return min(dated, default=None)


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])
