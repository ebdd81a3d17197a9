"""Reads tables of sessions and expected findings, and plays them to the rules."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from services.outcomes.core.case import Case, Yardsticks, truth
from services.outcomes.core.channels.not_assessable import UNKNOWN_INSTRUMENT
from services.outcomes.core.client import Client
from services.outcomes.core.found import Found
from services.outcomes.core.instrument import Cutoff, Instrument, Norm
from services.outcomes.core.timeline import TOTAL, Fact, Measure, Session, iso, ordinal
from services.outcomes.core.trajectory import Step

START = 738_886  # 2024-01-01
TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class Row:
    """One line: a day, what happens, and what is found then."""

    number: int
    day: int
    words: list[str]
    expected: str


@dataclass(frozen=True)
class Course:
    """One named course of a table."""

    table: str
    title: str
    channels: list[str]
    setting: dict[str, str]
    rows: list[Row]


def read(path: Path) -> Iterator[Course]:
    """The courses of a table."""
    channels: list[str] = []
    course: Course | None = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("channels:"):
            channels = line.split()[1:]
        elif line.startswith("== "):
            if course:
                yield course
            course = Course(path.stem, line[3:], channels, {}, [])
        elif course and "|" in line:
            what, expected = line.split("|", 1)
            day, *words = what.split()
            course.rows.append(Row(number, int(day), words, expected.strip()))
        elif course and line.strip():
            key, value = line.split()
            course.setting[key] = value
    if course:
        yield course


def flipped(instrument: Instrument) -> Instrument:
    """The same instrument with the scale turned round."""
    whole = instrument.minimum + instrument.maximum
    better = instrument.higher_is == "worse"
    turned = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}

    def cut(one: Cutoff | None, whole: float) -> Cutoff | None:
        return one and Cutoff(turned[one.operator], whole - one.value, one.source)

    def norm(one: Norm | None, whole: float) -> Norm | None:
        return one and replace(one, mean=None if one.mean is None else whole - one.mean)

    ends = {name: instrument.scale(name) for name in instrument.scales}
    sums = {name: one.minimum + one.maximum for name, one in ends.items()}
    return replace(
        instrument,
        higher_is="better" if better else "worse",
        cutoff=cut(instrument.cutoff, whole),
        cutoffs=tuple(
            replace(one, cutoff=turned_cut)
            for one in instrument.cutoffs
            if (turned_cut := cut(one.cutoff, whole)) is not None
        ),
        norm=norm(instrument.norm, whole),
        subscales={
            name: replace(one, cutoff=cut(one.cutoff, sums[name]), norm=norm(one.norm, sums[name]))
            for name, one in instrument.subscales.items()
            if name in sums
        },
    )


class Play:
    """A course being played: the case as it becomes known, line by line."""

    def __init__(self, instruments: dict[str, Instrument], setting: dict[str, str]) -> None:
        self.yardsticks = Yardsticks(instruments)
        self.case = Case(primary_instrument=setting.get("primary"))
        age = setting.get("age")
        self.case.client = Client(int(age) if age else None, setting.get("gender"))
        if "opened" in setting:
            self.case.opened_on = iso(START + int(setting["opened"]))
        self.names = iter(f"{number:032x}" for number in range(1000))

    def happen(self, row: Row) -> None:
        """Enter a line in the case."""
        on, words = iso(START + row.day), list(row.words)
        match words:
            case ["session", attendance]:
                name = next(self.names)
                self.case.sessions[name] = Session(name, on, attendance, on)
            case ["fact", kind]:
                name = next(self.names)
                self.case.facts[name] = Fact(name, on, kind, "said")
            case ["fact", kind, "until", day]:
                name, until = next(self.names), iso(START + int(day))
                self.case.facts[name] = Fact(name, on, kind, "said", until)
            case ["age", years]:
                self.case.client = self.case.client._replace(age=int(years))
            case ["gender", gender]:
                self.case.client = self.case.client._replace(gender=gender)
            case [word]:
                self.alone(word, on)
            case _:
                self.measure(row.day, words)

    def alone(self, word: str, on: str) -> None:
        """Enter what one word says."""
        match word:
            case "look":
                self.case.silences.add(on)
            case "close" | "reopen":
                self.case.closed_on = on if word == "close" else None
            case "damage":
                self.case.damaged = True
            case "unknown":
                self.case.aside[next(self.names)] = UNKNOWN_INSTRUMENT
            case _:
                self.measure(ordinal(on) - START, [word])

    def measure(self, day: int, words: list[str]) -> None:
        """[instrument[/scale]] score, then any: conflict, at TIME, session N, late DAYS, by WHO.

        The score of a form left incomplete is a question mark.
        """
        name = words.pop(0) if words[0] != "?" and not words[0].isdigit() else "phq-9"
        instrument, _, scale = name.partition("/")
        score = None if words[0] == "?" else float(words[0])
        told = dict(zip(words[1::2], words[2::2], strict=False))
        on = iso(START + day)
        measure = next(self.names)
        entry = Measure(
            measure=measure,
            version=1,
            external_id=measure,
            instrument=instrument,
            respondent=told.get("by", "client"),
            on=on,
            at=f"{on}T{told['at']}:00+00:00" if "at" in told else None,
            score=None if score is None else self.turn(instrument, scale, score),
            band=None,
            flags=("conflict",) if "conflict" in words else (),
            session_number=int(told["session"]) if "session" in told else None,
            received_on=iso(START + day + int(told.get("late", 0))),
            scale=scale or TOTAL,
        )
        self.case.measures[entry.key] = entry

    def turn(self, instrument: str, scale: str, score: float) -> float:
        """The score as this play's scales have it."""
        return score

    def last(self) -> Step | None:
        """What is known after the last measure of the primary trajectory."""
        now_true = truth(self.case, self.yardsticks)
        return now_true.trajectories[now_true.primary or ""].last

    def found(self) -> dict[str, Found]:
        """What is true now."""
        return dict(truth(self.case, self.yardsticks).findings)


class FlippedPlay(Play):
    """The same course on scales turned round."""

    def __init__(self, instruments: dict[str, Instrument], setting: dict[str, str]) -> None:
        self.straight = instruments
        turned = {name: flipped(instrument) for name, instrument in instruments.items()}
        super().__init__(turned, setting)

    def turn(self, instrument: str, scale: str, score: float) -> float:
        one = self.straight[instrument]
        if scale:
            one = one.scale(scale)
        return one.minimum + one.maximum - score


def told(found: Found, words: str) -> str:
    """A finding in the words that the table uses for it; details follow the name of their own."""
    parts, mine = [found.channel], False
    for word in words.split():
        name, _, _ = word.partition("=")
        if name == word:
            mine = word.split(":")[0] == found.channel
            if mine and ":" in word:
                parts[0] = f"{found.channel}:{found.tier}"
        elif mine:
            parts.append(f"{name}={_DETAILS[name](found)}")
    return " ".join(parts)


_DETAILS: dict[str, Callable[[Found], str]] = {
    "kind": lambda found: str(found.numbers["kind"]),
    "relapse": lambda found: "yes" if found.numbers["relapse"] else "no",
    "why": lambda found: "+".join(found.reasons),
    "against": lambda found: "+".join(found.disagrees).replace(" ", "_"),
    "from": lambda found: str(found.numbers["baseline_label"]).replace(" ", "_"),
    "of": lambda found: "+".join(found.trajectories),
}
