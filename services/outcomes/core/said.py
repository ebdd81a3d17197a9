"""What the detector has said of an episode: the fold of its findings stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.outcomes.core.assess import Print, print_of
from services.outcomes.core.event import Event
from services.outcomes.core.findings import (
    Assessed,
    CourseEnded,
    DueChanged,
    EffectMeasured,
    Finding,
    FindingAmended,
    FindingCleared,
    FindingOpened,
    ForecastMade,
    MeasureSetAside,
    Refolded,
    RulesAdopted,
    SilenceNoticed,
)
from services.outcomes.core.timeline import TOTAL, Measure, key_of, scale_of


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
