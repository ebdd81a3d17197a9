"""Toolkits and their gaps: what a person lacks, and what a team would like to learn, as counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.approaches import Approaches
from services.alerts.core.person import Person
from services.alerts.people import People
from services.alerts.views.reflections import Reflections
from services.chassis.view import Document

LOOKED_BACK = timedelta(days=365)
"""How far back reflections count towards what is lacking."""
FEWEST = 3
"""Clinicians from whom counts are shown; of fewer a count would name somebody."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An approach that a person turned to or considered, and is not trained in."""

    approach: str
    times: int
    last_on: str


@dataclass(frozen=True, slots=True)
class Need:
    """An approach that is lacking in a team."""

    approach: str
    clinicians: int | None
    """How many wish for it or came to its limits; None where the number would name somebody."""
    times: int | None
    """In how many reflections it was considered; None along with the number of clinicians."""
    shared: tuple[str, ...]
    """Names of those who share the wish."""


@dataclass(frozen=True, slots=True)
class Training:
    """What a supervisor sees of a team's toolkits."""

    clinicians: int
    needs: tuple[Need, ...]
    """Most often lacking first; without counts where the team is too small to be counted."""
    counted: bool


def gaps(
    documents: Iterable[Document],
    toolkit: frozenset[str],
    approaches: Approaches,
    since: str = "",
) -> list[Gap]:
    """What these reflections of one person found lacking, most often first."""
    known = {approaches.key(name) for name in toolkit}
    found: dict[str, Gap] = {}
    for doc in documents:
        beyond = doc["approach"] if doc["beyond"] else ""
        named = {approaches.name(one) for one in (doc["considered"], beyond)} - {""}
        for key, name in {approaches.key(name): name for name in named}.items():
            if key in known or doc["on"] < since:
                continue
            before = found.get(key)
            found[key] = Gap(
                before.approach if before else name,
                (before.times if before else 0) + 1,
                max(doc["on"], before.last_on if before else ""),
            )
    return sorted(found.values(), key=lambda gap: (-gap.times, gap.approach.casefold()))


def training(
    people: People,
    reflections: Reflections,
    person: Person,
    now: datetime,
    approaches: Approaches,
) -> Training:
    """What the clinicians whom a person supervises would like to learn.

    Raises:
        services.chassis.view.NotBuiltError: a view was never built; say so.
        services.chassis.faults.StoreError: it could not be read.
    """
    team = [one for one in people.supervised(person) if one.role == "clinician"]
    since = (now - LOOKED_BACK).date().isoformat()
    lacking = {
        one.id.hex: gaps(reflections.of(one), one.toolkit, approaches, since) for one in team
    }
    return count(team, lacking, approaches)


def count(
    team: Sequence[Person], lacking: Mapping[str, Sequence[Gap]], approaches: Approaches
) -> Training:
    """The needs of a team: counts without names, names only of those who share a wish."""
    names: dict[str, str] = {}
    who: dict[str, set[str]] = {}
    times: dict[str, int] = {}
    shared: dict[str, list[str]] = {}
    for one in team:
        for gap in lacking.get(one.id.hex, ()):
            key = approaches.key(gap.approach)
            names.setdefault(key, gap.approach)
            who.setdefault(key, set()).add(one.id.hex)
            times[key] = times.get(key, 0) + gap.times
        for wish in sorted(one.wishes):
            key = approaches.key(wish)
            names.setdefault(key, approaches.name(wish))
            who.setdefault(key, set()).add(one.id.hex)
            if wish in one.shared_wishes:
                shared.setdefault(key, []).append(one.name)
    counted = len(team) >= FEWEST
    needs = []
    for key, ids in who.items():
        told = tuple(sorted(shared.get(key, ())))
        shown = counted and _is_shown(len(ids), len(told), len(team))
        if counted or told:
            number, often = (len(ids), times.get(key, 0)) if shown else (None, None)
            needs.append(Need(names[key], number, often, told))
    needs.sort(
        key=lambda need: (-(need.clinicians or 0), -(need.times or 0), need.approach.casefold())
    )
    return Training(len(team), tuple(needs), counted)


def _is_shown(lacking: int, named: int, team: int) -> bool:
    """Whether a count tells of nobody who did not share: names and team size are known beside it.

    Those who are not named are none, or several and not all of the rest.
    """
    unnamed, rest = lacking - named, team - named
    return unnamed == 0 or FEWEST <= unnamed < rest
