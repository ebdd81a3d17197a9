"""Makes `docs/rules.md` from the rules, the instruments and the tables that the tests play."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from services.alerts.core.labels import LABELS, WHY_NOT, evidence_of
from services.outcomes.core.channels import RULEBOOK
from services.outcomes.core.channels.meaning import Meaning
from services.outcomes.core.definition import read_all
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.rules import RULE, Rules
from services.outcomes.core.spec import Spec
from simulation.again import again
from tests.rules.courses import TABLES, Course, Row, read

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rules.md"
INSTRUMENTS = ROOT / "services" / "outcomes" / "instruments"

HEAD = """# The rules of detection

What each channel asks, with the limits in force, where they come from, and courses that show it.
Written by `make rules` from the rules, the instruments and the tables in `tests/rules/tables/`,
which every test run plays on scales as printed and turned round; a test fails when this page says
anything else. This is {rule}.

Scores are read so that higher is worse. *c* is the change beyond measurement error after Jacobson
and Truax, 1.96 √2 SD √(1 − r), or as published where that cannot be computed. *Prompt*: first in
the inbox, and whatever channel reaches the clinician. *Review*: in the inbox. *Info*: a mark on
the chart. A finding whose newest measure was over {old} days old on arrival is info only. These
rules have not been tested in a clinic.

| channel | tier | asked of |
|---|---|---|
"""


def instruments() -> dict[str, Instrument]:
    """Those that ship."""
    paths = sorted(INSTRUMENTS.glob("*.toml"))
    return read_all((path.name, path.read_text("utf-8")) for path in paths)


def page(known: Mapping[str, Instrument]) -> str:
    """The whole page."""
    rules = Rules()
    courses = [course for path in sorted(TABLES.glob("*.txt")) for course in read(path)]
    head = HEAD.format(rule=f"rule *{RULE}*", old=rules.old_days)
    rows = [f"| {LABELS[one.channel]} | {one.tier} | {one.asked_of} |" for one in RULEBOOK]
    parts = [head + "\n".join(rows)]
    parts += [_channel(one, rules, courses, known) for one in RULEBOOK]
    parts.insert(
        1 + [one.channel for one in RULEBOOK].index("off_track") + 1, _again(known["phq-9"])
    )
    parts += [_trajectories(courses, known), _limits(known.values(), rules)]
    return "\n\n".join(parts) + "\n"


def _channel(
    meaning: Meaning, rules: Rules, courses: Iterable[Course], known: Mapping[str, Instrument]
) -> str:
    label, source = evidence_of(meaning.channel)
    lines = [
        f"## {LABELS[meaning.channel]}",
        "",
        meaning.told(rules),
        "",
        f"- Tier: {meaning.tier}, at most. Asked of {meaning.asked_of}.",
        f"- Where the rule comes from: {meaning.source}.",
        f"- Evidence for telling it: {label} ({source}).",
    ]
    if meaning.numbers:
        lines.append(f"- Settings: {', '.join(_setting(rules, name) for name in meaning.numbers)}.")
    if meaning.channel == "not_assessable":
        lines += ["", "| reason | in words |", "|---|---|"]
        lines += [f"| {code.replace('_', ' ')} | {words} |" for code, words in WHY_NOT.items()]
    own = [course for course in courses if course.table == TABLE_OF[meaning.channel]]
    return "\n".join([*lines, *_examples(own, known, {meaning.channel})])


COHORT, SEED = 1000, 1


def _again(instrument: Instrument) -> str:
    """The figures on alarms that speak again, played to the rules in force."""
    found = again(Spec.of(instrument, Rules()), COHORT, SEED)
    head = (
        "### How often an alarm speaks again\n\nA noisy number near a threshold crosses it to "
        f"and fro. Of the courses that began as a case in a simulated cohort ({COHORT} courses, "
        f"seed {SEED}, {found.courses} of them cases, {instrument.title}), so many were alarmed, "
        "and so many of these more than once:\n\n| rule | alarmed | alarmed again | share "
        "|\n|---|---|---|---|"
    )
    rows = (
        ("the threshold alone", found.threshold_alone),
        ("with hysteresis, as above", found.hysteresis),
        ("and silent for 28 days after an end", found.refractory),
    )
    lines = [
        f"| {name} | {one} | {more} | {100 * more / one:.0f} % |" for name, (one, more) in rows
    ]
    return "\n".join([head, *lines])


TABLE_OF = {
    "reliable_deterioration": "possibly_worse",
    "gain_partly_lost": "gain",
    "off_track": "off_track",
    "stalled": "flat",
    "plateau": "flat",
    "possibly_worse": "possibly_worse",
    "disconnection": "disconnection",
    "not_assessable": "not_assessable",
    "validity": "validity",
    "good_news": "good_news",
}
"""The table that shows each channel."""


def _setting(rules: Rules, name: str) -> str:
    value = getattr(rules, name)
    told = " of ".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}"
    return f"`RULE_{name.upper()}` {told}"


def _trajectories(courses: Iterable[Course], known: Mapping[str, Instrument]) -> str:
    """The tables that are about what change is counted from, and about which scores."""
    own = [course for course in courses if course.table in ("baseline", "several", "subscales")]
    intro = (
        "## Baselines, segments, several instruments and respondents\n\nA trajectory is one "
        "instrument, one scale of it (a subscale with limits of its own is one) and one "
        "respondent in an episode. Change is counted from its baseline: the latest measure from "
        "28 days before the opening to the first attended session, else the first after that, "
        "called late. All channels are asked of the primary trajectory, which the EHR names, else "
        "the first with norm, reliability and cut-off; of the others reliable deterioration "
        "alone. When they point another way, the finding says so."
    )
    return "\n".join([intro, *_examples(own, known, None)])


def _examples(
    courses: Iterable[Course], known: Mapping[str, Instrument], channels: set[str] | None
) -> Iterator[str]:
    """The courses in which one of `channels` may be found; None: all of them."""
    for course in courses:
        shown = set(course.channels) if channels is None else channels
        if channels and not _is_about(course, channels):
            continue
        yield from ("", f"**{course.title[:1].upper()}{course.title[1:]}.**{_setting_of(course)}")
        yield from ("", "| day | what comes | found |", "|---|---|---|")
        for row in course.rows:
            yield f"| {row.day} | {happening(row, known)} | {found(row.expected, shown)} |"


def _is_about(course: Course, channels: set[str]) -> bool:
    """Whether the course finds one of the channels, or nothing at all: it then shows a limit."""
    named = {word.split(":")[0] for row in course.rows for word in row.expected.split()}
    return bool(named & channels) or named <= {"-"}


def _setting_of(course: Course) -> str:
    told = []
    if "opened" in course.setting:
        told.append(f"opened on day {course.setting['opened']}")
    if "primary" in course.setting:
        told.append(f"primary instrument {course.setting['primary'].upper()}")
    told += [
        f"{name} {course.setting[name]}" for name in ("age", "gender") if name in course.setting
    ]
    return f" *{', '.join(told).capitalize()}.*" if told else ""


_PLAIN = {
    "look": "the day is looked at",
    "close": "the course is closed",
    "reopen": "the course is opened again",
    "damage": "part of the record cannot be read",
    "unknown": "a measure of an instrument that is not known",
}


def happening(row: Row, known: Mapping[str, Instrument]) -> str:
    """What a line of a table says, in words."""
    match row.words:
        case ["session", attendance]:
            return f"session {attendance}"
        case ["fact", "break", "until", day]:
            return f"an announced break begins, until day {day}"
        case ["fact", kind]:
            return "an announced break begins" if kind == "break" else f"{kind} noted"
        case ["age" | "gender" as what, value]:
            return f"the EHR tells the client's {what}: {value}"
        case [word] if word in _PLAIN:
            return _PLAIN[word]
    words = list(row.words)
    name = words.pop(0) if words[0] != "?" and not words[0].isdigit() else "phq-9"
    instrument, _, scale = name.partition("/")
    score = words.pop(0).replace("?", "left incomplete")
    told = f"{instrument.upper()}{f' {scale}' if scale else ''} {score}"
    if "conflict" in words:
        words.remove("conflict")
        told += ", total and items disagree"
    for key, value in zip(words[::2], words[1::2], strict=True):
        told += _MORE[key].format(value)
    return told


_MORE = {
    "at": " at {}",
    "session": ", of session {}",
    "late": ", known {} days late",
    "by": ", answered by {}",
}


def found(expected: str, channels: set[str]) -> str:
    """What a line expects of the channels shown, in words."""
    told: list[str] = []
    for word in expected.split():
        if "=" in word:
            if told and told[-1]:
                told[-1] += f", {_detail(*word.split('=', 1))}"
            continue
        channel, _, tier = word.partition(":")
        shown = (
            f"**{LABELS[channel]}**{f' ({tier})' if tier else ''}" if channel in channels else ""
        )
        told.append(shown)
    return "; ".join(one for one in told if one) or "–"


def _detail(key: str, value: str) -> str:
    """What more a table says of a finding."""
    if key == "relapse":
        return "a relapse" if value == "yes" else "no relapse"
    if key == "of":
        return "of " + " and ".join(_named(one) for one in value.split("+"))
    return _MEANS.get(key, "") + value.replace("_", " ").replace("+", ", ")


_MEANS = {"against": "against ", "from": "counted from: "}


def _named(trajectory: str) -> str:
    instrument, scale, respondent = trajectory.split("|")
    told = instrument.upper() if scale == "total" else f"{instrument.upper()} {scale}"
    return told if respondent == "client" else f"{told} by {respondent}"


SIGN = {True: ">=", False: ">"}


def _limits(known: Iterable[Instrument], rules: Rules) -> str:
    lines = [
        "## Limits by instrument",
        "",
        "As read from the definitions in `services/outcomes/instruments/`, where each value has "
        "its source. Without a norm or a reliability nothing is forecast; without c nothing is "
        "called worse or better.",
        "",
        "| instrument | reliable change | where from | cut-off | alarm threshold |",
        "|---|---|---|---|---|",
    ]
    for one in known:
        spec = Spec.of(one, rules)
        change = "–" if spec.change is None else f"{SIGN[spec.inclusive]} {spec.change:.2f}"
        cut = f"{one.cutoff.operator} {one.cutoff.value:g}" if one.cutoff else _by(one)
        basis = "–" if spec.change is None else spec.limits_of_change[0]["source"]
        alarm = f"{spec.threshold:g}" if spec.model else "–"
        lines.append(f"| {one.title} | {change} | {basis} | {cut} | {alarm} |")
    return "\n".join(lines)


def _by(instrument: Instrument) -> str:
    return f"by {' and '.join(instrument.needs)}" if instrument.needs else "–"
