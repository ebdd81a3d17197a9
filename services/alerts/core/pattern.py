"""Regularities in failures across courses: hypotheses to examine, never a verdict on anybody.

The unit is the course. A group is of courses that share something; its rate is the share of them
in which something was found, drawn towards the rate of all (`shrinkage`). Groups of fewer than
`SMALLEST` courses are not shown, and in a team's patterns neither are those of one clinician.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.alerts.core.approach import same
from services.alerts.core.lesson import FAILURES, Lesson
from services.alerts.core.shrinkage import Rate, alone, shrunken

SMALLEST = 5
"""Courses of which a group consists before its rate is shown."""
TEAM_OF = 2
"""Clinicians whose courses a group of a team's patterns must hold."""
UNEQUAL = frozenset({"phase", "channel"})
"""Dimensions of which no group stands out: most findings need weeks of measures behind them, so
that later phases hold more of them whatever is done; and each rule has limits of its own, so that
one speaks more often than another."""
APART = "channel"
"""The dimension whose groups are no kin, so that no rate says anything of another."""
ALIKE = 0.5
"""Share of words in common from which two texts stand in one group."""
_SHORTEST = 4
"""Letters of a word that counts when texts are compared."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One group of courses."""

    name: str
    courses: int
    events: int
    rate: Rate
    stands_out: bool
    """Its interval lies above the rate of all, in a dimension whose groups can be held together."""
    episodes: tuple[tuple[str, str], ...]
    """(episode id, client) of those in which it happened."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """A way of grouping, with what is left of it after small groups are taken out."""

    name: str
    of: str
    """What the rate is a share of: `courses` or `reflected`."""
    cells: tuple[Cell, ...]
    hidden: int
    """Groups that are too small to be shown."""
    common: float | None
    """The rate over all groups; None where there is none to show."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One assumption in the same words, wherever it was made; else one expectation."""

    assumption: str
    expected: Mapping[str, int]
    """What was expected on it, with the number of reflections; the commonest first."""
    texts: tuple[Mapping[str, str], ...]
    courses: int


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was expected and assumed in courses where something was found, grouped by words."""

    texts: tuple[Mapping[str, str], ...]
    """Each {expectation, assumption, episode, client, on, channels}, newest first."""
    courses: int

    @property
    def wordings(self) -> tuple[Wording, ...]:
        """The same texts by their very words, those of most courses first."""
        found: dict[tuple[str, str], list[Mapping[str, str]]] = {}
        for text in self.texts:
            assumed = same(text["assumption"])
            key = (assumed, "" if assumed else same(text["expectation"]))
            found.setdefault(key, []).append(text)
        return tuple(sorted(map(_wording, found.values()), key=lambda one: -one.courses))


@dataclass(frozen=True, slots=True)
class Patterns:
    """Everything that is seen across the courses of one person or team."""

    courses: int
    failed: int
    """Courses in which something was found."""
    clinicians: int
    """Whether rates may be shown at all hangs on this; never shown by person."""
    team: bool
    expectations: tuple[Expectation, ...]
    unspoken: int
    """Courses with a failure and no expectation that this viewer may read."""
    dimensions: tuple[Dimension, ...]

    @property
    def too_few_people(self) -> bool:
        """A team's rates would be those of one person."""
        return self.team and self.clinicians < TEAM_OF


Group = tuple[str, bool]
"""A group that a course belongs to, and whether it happened there."""


def patterns(lessons: Sequence[Lesson], viewer: str, *, team: bool) -> Patterns:
    """The patterns in these courses as one viewer may read them.

    Args:
        lessons: the courses of the viewer's caseload or team.
        viewer: the person's id, hexadecimal: own words are read without having been shared.
        team: whether the courses are those of others.
    """
    failed = [one for one in lessons if one.failures]
    texts = [text for one in failed for text in _texts(one, viewer)]
    spoken = {text["episode"] for text in texts}
    return Patterns(
        courses=len(lessons),
        failed=len(failed),
        clinicians=len({one.clinician for one in lessons}),
        team=team,
        expectations=_grouped(texts),
        unspoken=sum(one.episode not in spoken for one in failed),
        dimensions=tuple(_dimensions(lessons, viewer, team=team)),
    )


def _dimensions(lessons: Sequence[Lesson], viewer: str, *, team: bool) -> Iterator[Dimension]:
    for name, groups in _BY_COURSE.items():
        yield _dimension(name, "courses", [(one, groups(one)) for one in lessons], team)
    for name, field, part in _BY_REFLECTION:
        told = [(one, _named(one, field, part, viewer)) for one in lessons if one.failures]
        offered = sorted({value for _, values in told for value in values or ()})
        members = [
            (one, [(value, value in values) for value in offered])
            for one, values in told
            if values is not None
        ]
        yield _dimension(name, "reflected", members, team)


_BY_COURSE: dict[str, Callable[[Lesson], list[Group]]] = {
    "problem": lambda one: [(one.problem, bool(one.failures))],
    "approach": lambda one: [
        (name, any(failure.approach == name for failure in one.failures)) for name in one.approaches
    ],
    "phase": lambda one: [
        (name, any(failure.phase == name for failure in one.failures)) for name in one.reached
    ],
    "channel": lambda one: [
        (name, any(failure.channel == name for failure in one.failures)) for name in FAILURES
    ],
    "instrument": lambda one: [(one.instrument, bool(one.failures))],
    "disconnection": lambda one: [
        ("marked" if one.disconnected else "not marked", bool(one.failures))
    ],
}
"""Groups that every course belongs to, whether something was found in it or not."""
_BY_REFLECTION = (
    ("rupture", "ruptures", "lenses"),
    ("reason", "whys", "unknowns"),
    ("lens", "lenses", "lenses"),
)
"""Dimension, field of a reflection, and the part that must be open to whoever looks."""


def _named(lesson: Lesson, field: str, part: str, viewer: str) -> frozenset[str] | None:
    """What reflections on a course name; None where none was made whose `part` is to be read."""
    readable = [one for one in lesson.reflections if _open(one, part, viewer)]
    return frozenset(value for one in readable for value in one[field]) if readable else None


def _dimension(
    name: str, of: str, members: Iterable[tuple[Lesson, Sequence[Group]]], team: bool
) -> Dimension:
    groups: dict[str, list[tuple[Lesson, bool]]] = {}
    for lesson, belongs in members:
        for value, happened in belongs:
            groups.setdefault(value, []).append((lesson, happened))
    shown = {value: found for value, found in groups.items() if _is_shown(found, team)}
    counts = [(sum(happened for _, happened in found), len(found)) for found in shown.values()]
    common = sum(k for k, _ in counts) / sum(n for _, n in counts) if counts else None
    rates = [alone(*count) for count in counts] if name == APART else shrunken(counts)
    cells = [
        _cell(value, found, rate, 1.0 if name in UNEQUAL else common or 0.0)
        for (value, found), rate in zip(shown.items(), rates, strict=True)
    ]
    cells.sort(key=lambda cell: (-cell.rate.mean, cell.name))
    return Dimension(name, of, tuple(cells), len(groups) - len(shown), common)


def _is_shown(found: Sequence[tuple[Lesson, bool]], team: bool) -> bool:
    people = len({lesson.clinician for lesson, _ in found})
    return len(found) >= SMALLEST and (not team or people >= TEAM_OF)


def _cell(name: str, found: Sequence[tuple[Lesson, bool]], rate: Rate, common: float) -> Cell:
    happened = [lesson for lesson, event in found if event]
    return Cell(
        name=next((one.names[name] for one, _ in found if name in one.names), name),
        courses=len(found),
        events=len(happened),
        rate=rate,
        stands_out=rate.low80 > common,
        episodes=tuple(
            (one.episode, one.client) for one in sorted(happened, key=lambda one: one.client)
        ),
    )


# Expectations


def _open(reflection: Mapping[str, Any], field: str, viewer: str) -> bool:
    return reflection["author"] == viewer or field in reflection["shared"]


def _texts(lesson: Lesson, viewer: str) -> Iterator[dict[str, str]]:
    for one in lesson.reflections:
        before = [failure for failure in lesson.failures if failure.on[:10] <= one["on"][:10]]
        said = {
            name: one[name].strip() if _open(one, name, viewer) else ""
            for name in ("expectation", "assumption")
        }
        if before and any(said.values()):
            yield said | {
                "episode": lesson.episode,
                "client": lesson.client,
                "on": str(one["on"]),
                "channels": ",".join(dict.fromkeys(failure.channel for failure in before)),
            }


def _grouped(texts: Sequence[dict[str, str]]) -> tuple[Expectation, ...]:
    """Texts whose assumption (else expectation) has words in common, the commonest first."""
    groups: list[tuple[set[str], list[dict[str, str]]]] = []
    for text in sorted(texts, key=lambda one: (one["on"], one["episode"]), reverse=True):
        words = _words(text["assumption"] or text["expectation"])
        for known, members in groups:
            if _alike(words, known):
                members.append(text)
                break
        else:
            groups.append((words, [text]))
    made = [
        Expectation(tuple(members), len({one["episode"] for one in members}))
        for _, members in groups
    ]
    return tuple(sorted(made, key=lambda one: -one.courses))


def _wording(texts: Sequence[Mapping[str, str]]) -> Wording:
    counts: dict[str, int] = {}
    called: dict[str, str] = {}
    for text in texts:
        if text["expectation"]:
            key = same(text["expectation"])
            called.setdefault(key, text["expectation"])
            counts[key] = counts.get(key, 0) + 1
    often = sorted(counts, key=lambda key: -counts[key])
    return Wording(
        assumption=texts[0]["assumption"],
        expected={called[key]: counts[key] for key in often},
        texts=tuple(texts),
        courses=len({text["episode"] for text in texts}),
    )


def _words(text: str) -> set[str]:
    cleaned = "".join(letter if letter.isalnum() else " " for letter in same(text))
    words = {word for word in cleaned.split() if len(word) >= _SHORTEST}
    return words or set(cleaned.split())


def _alike(one: set[str], other: set[str]) -> bool:
    return bool(one) and len(one & other) / len(one | other) >= ALIKE
