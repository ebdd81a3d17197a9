"""What the detector has said of an episode: its events, and their fold. One stream an episode."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from services.outcomes.core.assess import Print, print_of
from services.outcomes.core.event import Event
from services.outcomes.core.timeline import TOTAL, Measure, key_of, scale_of


@dataclass(frozen=True, kw_only=True)
class Assessed(Event):
    """A measure came at the end of its trajectory and was assessed.

    `input` is the timeline entry with the plan in force; `memory` what is known after it: the
    estimate (means and covariance of change, slope and baseline, and their day), and `due`, the
    date at which time alone would change a finding.
    """

    TOPIC: ClassVar[str] = "findings.assessed"

    episode: str
    assessment: dict[str, Any]
    input: dict[str, Any]
    memory: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Refolded(Event):
    """Something earlier came in, changed or went: a trajectory as it is true now, whole.

    `input` are the timeline entries that are new or have changed, `withdrawn` the measures that
    are no longer part of it.
    """

    TOPIC: ClassVar[str] = "findings.refolded"

    episode: str
    trajectory: str
    since: str
    why: str
    assessments: list[dict[str, Any]]
    input: list[dict[str, Any]]
    withdrawn: list[str]
    memory: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class MeasureSetAside(Event):
    """A measure that detection cannot use at all, and why; `reason` None: it is gone again."""

    TOPIC: ClassVar[str] = "findings.set_aside"

    episode: str
    measure: str
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class Finding(Event):
    """A spell of a channel with its grounds; see `schemas.messages.FindingOpened`."""

    episode: str
    spell: str
    channel: str
    ordinal: int
    revision: int
    tier: str
    on: str
    old_news: bool
    evidence: dict[str, Any]
    quiet: bool = False
    """It became true by a change of the rules: info only until something new is behind it."""


@dataclass(frozen=True, kw_only=True)
class RulesAdopted(Event):
    """From here on the episode is judged by these rules; what they change follows, quietly."""

    TOPIC: ClassVar[str] = "findings.rules_adopted"

    episode: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class FindingOpened(Finding):
    """A spell begins."""

    TOPIC: ClassVar[str] = "findings.opened"


@dataclass(frozen=True, kw_only=True)
class FindingAmended(Finding):
    """A spell that is open has other grounds now."""

    TOPIC: ClassVar[str] = "findings.amended"


@dataclass(frozen=True, kw_only=True)
class FindingCleared(Event):
    """A spell ends: recovered, corrected away, or closed."""

    TOPIC: ClassVar[str] = "findings.cleared"

    episode: str
    spell: str
    channel: str
    revision: int
    reason: str
    on: str


@dataclass(frozen=True, kw_only=True)
class SilenceNoticed(Event):
    """On this day nothing new had come: so many days since the last measure (or the opening)."""

    TOPIC: ClassVar[str] = "findings.silence_noticed"

    episode: str
    on: str
    days: int
    since: str
    due: str | None


@dataclass(frozen=True, kw_only=True)
class DueChanged(Event):
    """Time alone will change a finding on another day than was said; None: it will not."""

    TOPIC: ClassVar[str] = "findings.due_changed"

    episode: str
    due: str | None


@dataclass(frozen=True, kw_only=True)
class ForecastMade(Event):
    """The forecast at a pivot or a reflection; see `schemas.messages.ForecastMade`."""

    TOPIC: ClassVar[str] = "findings.forecast_made"

    episode: str
    approach_id: str | None
    reflection: str | None
    trajectory: str | None
    on: str
    review_on: str | None
    p_worked: float | None
    fan: list[dict[str, Any]]
    not_assessable: list[str]


@dataclass(frozen=True, kw_only=True)
class EffectMeasured(Event):
    """A measure after a pivot against its forecast; see `schemas.messages.EffectMeasured`."""

    TOPIC: ClassVar[str] = "findings.effect_measured"

    episode: str
    approach_id: str
    approach: str
    trajectory: str
    measure: str
    version: int
    on: str
    weeks: float
    observed: float
    mean: float
    low80: float
    high80: float
    verdict: str
    also_changed: list[str]
    withdrawn: bool


@dataclass(frozen=True, kw_only=True)
class CourseEnded(Event):
    """The episode was closed: how its course had gone, for the statistics of the caseload.

    `result` is success, failure, or why neither; `channels` those that were told of while it was
    open; `differences` scores against forecasts, as `services.outcomes.core.ending` has them.
    `withdrawn`: it was opened again.
    """

    TOPIC: ClassVar[str] = "findings.course_ended"

    episode: str
    on: str
    instrument: str | None
    result: str
    measures: int
    channels: list[str]
    differences: list[dict[str, Any]]
    withdrawn: bool


class Spell(NamedTuple):
    """The latest spell of a channel, as last said."""

    spell: str
    ordinal: int
    revision: int
    is_open: bool
    tier: str
    on: str
    old_news: bool
    evidence: dict[str, Any]
    quiet: bool = False


ScaleMark = tuple[Any, ...]
NONE_KNOWN: Mapping[str, Measure] = {}


@dataclass(slots=True)
class Said:
    """All that was said of an episode, folded from its findings stream.

    Attributes:
        measures: every entry that a trajectory holds, as it was when last spoken of, by key.
        prints: trajectory to measure to what was said of it.
        scales: trajectory to what tells its last told scale from another.
        told_of: the channels that have spoken: neither old news nor quiet for a change of rules.
        reflected: reflections that have their forecast.
        rule: the name of the rules by which it is judged.
        ending: how its course was said to have ended; None while it never was.
        due: the day on which time alone will change a finding.
    """

    version: int = 0
    rule: str | None = None
    due: str | None = None
    measures: dict[str, Measure] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)
    silences: set[str] = field(default_factory=set)
    prints: dict[str, dict[str, Print]] = field(default_factory=dict)
    scales: dict[str, ScaleMark] = field(default_factory=dict)
    spells: dict[str, Spell] = field(default_factory=dict)
    forecasts: dict[str, dict[str, Any]] = field(default_factory=dict)
    told_of: set[str] = field(default_factory=set)
    reflected: set[str] = field(default_factory=set)
    effects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    ending: dict[str, Any] | None = None

    @property
    def open_findings(self) -> dict[str, Spell]:
        """The spells that are open, by channel: the current findings."""
        return {channel: spell for channel, spell in self.spells.items() if spell.is_open}


def evolve(said: Said | None, event: Event, known: Mapping[str, Measure] = NONE_KNOWN) -> Said:
    """What has been said after `event`; changes and returns `said`, which is the caller's alone.

    `known` are measures by id as they stand: those that the event speaks of are not made anew.
    """
    said = said or Said()
    said.version = event.originator_version
    if isinstance(event, Assessed):
        _assessed(said, event, known)
    elif isinstance(event, Refolded):
        _refolded(said, event, known)
    else:
        step = _STEPS.get(type(event))
        if step is not None:
            step(said, event)
    return said


def fold(events: Sequence[Event]) -> Said:
    """What has been said in all `events` of a findings stream."""
    said = Said()
    for event in events:
        evolve(said, event)
    return said


def scale_mark(scale: dict[str, Any]) -> ScaleMark:
    """What changes in a scale during a course."""
    marks = ("instrument_version", "cutoff", "baseline", "baseline_on", "baseline_label")
    return tuple(scale[name] for name in marks)


def forecast_fields(event: ForecastMade) -> dict[str, Any]:
    """What a forecast says, as the rules give it."""
    names = ("approach_id", "reflection", "trajectory", "on", "review_on", "p_worked", "fan")
    return {name: getattr(event, name) for name in (*names, "not_assessable")}


def _assessed(said: Said, event: Assessed, known: Mapping[str, Measure]) -> None:
    _heard(said, event.input["entry"], known)
    said.due = event.memory["due"]
    _note(said, event.assessment)


def _heard(said: Said, told: Mapping[str, Any], known: Mapping[str, Measure]) -> None:
    name = key_of(told["measure"], told.get("scale", TOTAL))
    entry = known.get(name)
    if entry is None or entry.version != told["version"]:
        entry = Measure.of(told)
    said.measures[name] = entry
    said.aside.pop(told["measure"], None)


def _refolded(said: Said, event: Refolded, known: Mapping[str, Measure]) -> None:
    said.due = event.memory["due"]
    prints = said.prints.setdefault(event.trajectory, {})
    for measure in event.withdrawn:
        said.measures.pop(key_of(measure, scale_of(event.trajectory)), None)
        prints.pop(measure, None)
    for told in event.input:
        _heard(said, told, known)
    for assessment in event.assessments:
        _note(said, assessment)
    if not prints:
        del said.prints[event.trajectory]
        said.scales.pop(event.trajectory, None)


def _note(said: Said, assessment: dict[str, Any]) -> None:
    trajectory = assessment["trajectory"]
    said.rule = assessment["rule"]
    said.prints.setdefault(trajectory, {})[assessment["measure"]] = print_of(assessment)
    if assessment["scale"] is not None:
        said.scales[trajectory] = scale_mark(assessment["scale"])


def _set_aside(said: Said, event: MeasureSetAside) -> None:
    if event.reason is None:
        said.aside.pop(event.measure, None)
    else:
        said.aside[event.measure] = event.reason


def _finding(said: Said, event: Finding) -> None:
    said.spells[event.channel] = Spell(
        spell=event.spell,
        ordinal=event.ordinal,
        revision=event.revision,
        is_open=True,
        tier=event.tier,
        on=event.on,
        old_news=event.old_news,
        evidence=event.evidence,
        quiet=event.quiet,
    )
    if not event.old_news and not event.quiet:
        said.told_of.add(event.channel)


def _cleared(said: Said, event: FindingCleared) -> None:
    last = said.spells.get(event.channel)
    if last is None or last.spell != event.spell:
        return
    said.spells[event.channel] = Spell(
        spell=last.spell,
        ordinal=last.ordinal,
        revision=event.revision,
        is_open=False,
        tier=last.tier,
        on=event.on,
        old_news=last.old_news,
        evidence={},
    )


def _silence(said: Said, event: SilenceNoticed) -> None:
    said.silences.add(event.on)
    said.due = event.due


def _due(said: Said, event: DueChanged) -> None:
    said.due = event.due


def _forecast(said: Said, event: ForecastMade) -> None:
    if event.approach_id is not None:
        said.forecasts[event.approach_id] = forecast_fields(event)
    elif event.reflection is not None:
        said.reflected.add(event.reflection)


def _effect(said: Said, event: EffectMeasured) -> None:
    told = {name: getattr(event, name) for name in EFFECT}
    said.effects[event.approach_id, event.measure] = told


def _adopted(said: Said, event: RulesAdopted) -> None:
    said.rule = event.rule


def _ended(said: Said, event: CourseEnded) -> None:
    said.ending = {name: getattr(event, name) for name in ENDING}


ENDING = ("on", "instrument", "result", "measures", "channels", "differences", "withdrawn")
EFFECT = (
    "approach_id",
    "approach",
    "trajectory",
    "measure",
    "version",
    "on",
    "weeks",
    "observed",
    "mean",
    "low80",
    "high80",
    "verdict",
    "also_changed",
    "withdrawn",
)
_STEPS: dict[type[Event], Any] = {
    MeasureSetAside: _set_aside,
    FindingOpened: _finding,
    FindingAmended: _finding,
    FindingCleared: _cleared,
    SilenceNoticed: _silence,
    DueChanged: _due,
    ForecastMade: _forecast,
    EffectMeasured: _effect,
    CourseEnded: _ended,
    RulesAdopted: _adopted,
}
