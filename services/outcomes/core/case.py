"""An episode as detection sees it: all that is dated in it, and what is true of it now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from services.outcomes.core.channels import OF_THE_OTHERS, OF_THE_PRIMARY, WORSE
from services.outcomes.core.channels import disconnection as silence
from services.outcomes.core.channels import not_assessable as ignorance
from services.outcomes.core.channels.disconnection import Attendance
from services.outcomes.core.channels.not_assessable import Ignorance
from services.outcomes.core.client import NOT_TOLD, Client, depends, suited
from services.outcomes.core.effect import effects, forecast_at_pivot, pivots
from services.outcomes.core.estimate import DEFAULTS as MODEL
from services.outcomes.core.estimate import Defaults
from services.outcomes.core.found import Found
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.recalibration import Recalibration
from services.outcomes.core.rules import DEFAULTS, RULE, VERSION, Rules
from services.outcomes.core.spec import Spec
from services.outcomes.core.timeline import (
    ATTENDED,
    TOTAL,
    Approach,
    Fact,
    Measure,
    Reflection,
    Session,
    in_order,
    iso,
    ordinal,
    scale_of,
)
from services.outcomes.core.trajectory import Context, Trajectory, build, extended

TIERS = ("prompt", "review", "info")
NO_RECALIBRATION: Mapping[str, Recalibration] = {}


class Yardsticks:
    """The instruments with their models, under one set of rules.

    `rule` names the rules with their numbers, `version` these and every instrument's version.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        rules: Rules = DEFAULTS,
        model: Defaults = MODEL,
        recalibrations: Mapping[str, Recalibration] = NO_RECALIBRATION,
    ) -> None:
        """Prepare every instrument once; a recalibration is of an instrument's total."""
        self.rules = rules
        self.rule = named(rules, model, recalibrations)
        versions = sorted((one.id, one.version) for one in instruments.values())
        self.version = f"{VERSION}-{digest(self.rule, versions)}"
        self.specs = {
            name: Spec.of(one, rules, model, rule=self.rule, recalibration=recalibrations.get(name))
            for name, one in instruments.items()
        }
        self.scales = {name: one.scales for name, one in instruments.items()}
        self._model = model
        self._fitted: dict[tuple[str, str, str, Client], Spec] = {}

    def knows(self, entry: Measure) -> bool:
        """Whether the instrument of an entry, and its scale, are among those defined now."""
        scales = self.scales.get(entry.instrument)
        return scales is not None and (entry.scale == TOTAL or entry.scale in scales)

    def spec(self, entry: Measure, client: Client = NOT_TOLD) -> Spec:
        """What the trajectory of an entry is judged by; the same one every time."""
        whole = self.specs[entry.instrument]
        if entry.scale == TOTAL and not depends(whole.instrument):
            return whole
        names = (entry.instrument, entry.scale, entry.respondent, client)
        found = self._fitted.get(names)
        if found is None:
            one = whole.instrument
            if entry.scale != TOTAL:
                one = one.scale(entry.scale)
            fitting, unknown = suited(one, client, entry.respondent)
            found = self._fitted[names] = Spec.of(
                fitting, self.rules, self._model, unknown, self.rule
            )
        return found


def named(rules: Rules, model: Defaults, recalibrations: Mapping[str, Recalibration]) -> str:
    """How the rules are called: by their version, and a digest where a clinic set other numbers."""
    if recalibrations:
        lines = [(name, recalibrations[name]) for name in sorted(recalibrations)]
        return f"{RULE}+{digest(rules, model, lines)}"
    if (rules, model) == (DEFAULTS, MODEL):
        return RULE
    return f"{RULE}+{digest(rules, model)}"


def digest(*what: object) -> str:
    """A short name of values that print alike only when they are equal."""
    return sha256(repr(what).encode()).hexdigest()[:8]


@dataclass(slots=True)
class Case:
    """Everything dated in an episode as it stands now; the dictionaries go by id.

    `measures` go by the key of an entry, which is the measure's id for its total. `aside` holds
    measures that are out of detection altogether, with the reason.
    """

    opened_on: str | None = None
    primary_instrument: str | None = None
    client: Client = NOT_TOLD
    closed_on: str | None = None
    sessions: dict[str, Session] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    approaches: dict[str, Approach] = field(default_factory=dict)
    reflections: dict[str, Reflection] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)
    silences: set[str] = field(default_factory=set)
    damaged: bool = False


class Truth(NamedTuple):
    """What is true of an episode now.

    `findings` go by channel; `effects` by approach and measure; `forecasts` by approach. `due` is
    the day number at which time alone changes something, None when nothing is waited for;
    `measured` are the day numbers on which anything was measured, in order and each once.
    """

    trajectories: Mapping[str, Trajectory]
    findings: Mapping[str, Found]
    forecasts: Mapping[str, dict[str, Any]]
    effects: Mapping[tuple[str, str], dict[str, Any]]
    primary: str | None
    due: int | None
    measured: Sequence[int]


NOTHING = Truth({}, {}, {}, {}, None, None, ())
"""What is true before anything is known."""


def truth(
    case: Case, yardsticks: Yardsticks, before: Truth = NOTHING, new: Measure | None = None
) -> Truth:
    """What is true of `case` now; an earlier truth only saves work.

    A closed episode has no findings: they ended with it.

    Args:
        case: the episode.
        yardsticks: what it is judged by.
        before: what was true earlier.
        new: a measure, where it is all that has come since, and nothing has gone. At the end of
            its trajectory it costs one step.
    """
    grown = None if new is None else _grown(before, new)
    if grown is None:
        return _whole(case, yardsticks, before)
    trajectories, primary = {**before.trajectories, grown.key: grown}, before.primary
    measured = _with_day(before.measured, grown.days[-1].ordinal)
    forecasts, effects_ = before.forecasts, before.effects
    if case.approaches and grown.key == primary:
        forecasts, effects_ = _of_pivots(case, grown)
    found, due = _now(case, trajectories, primary, measured, yardsticks.rules)
    return Truth(trajectories, found, forecasts, effects_, primary, due, measured)


def _grown(before: Truth, new: Measure) -> Trajectory | None:
    """The trajectory of a new measure, where it ends with it and all else stays."""
    known = before.trajectories.get(new.trajectory)
    if known is None or (new.session_number and new.day not in known.context.attended):
        return None
    return extended(known, new)


def _whole(case: Case, yardsticks: Yardsticks, before: Truth) -> Truth:
    trajectories = _trajectories(case, yardsticks, before)
    primary = choose_primary(case, trajectories)
    forecasts, effects_ = _of_pivots(case, trajectories.get(primary) if primary else None)
    measured = sorted({one.day for one in case.measures.values()})
    found, due = _now(case, trajectories, primary, measured, yardsticks.rules)
    return Truth(trajectories, found, forecasts, effects_, primary, due, measured)


def _with_day(days: Sequence[int], day: int) -> Sequence[int]:
    if day > days[-1]:
        return [*days, day]
    return days if day in days else sorted((*days, day))


Forecasts = dict[str, dict[str, Any]]
Effects = dict[tuple[str, str], dict[str, Any]]


def _of_pivots(case: Case, chief: Trajectory | None) -> tuple[Forecasts, Effects]:
    """The forecast of every change of approach, and what came of it."""
    changes = pivots(case.approaches.values())
    facts = list(case.facts.values())
    measured = [one for pivot in changes for one in effects(chief, pivot, facts)]
    forecasts = {
        pivot.approach.approach_id: forecast_at_pivot(chief, pivot.approach) for pivot in changes
    }
    return forecasts, {(one["approach_id"], one["measure"]): one for one in measured}


def choose_primary(case: Case, trajectories: Mapping[str, Trajectory]) -> str | None:
    """The trajectory that all channels are asked of.

    The one of the instrument that the EHR names; else the first with norm, reliability and
    cut-off, else the first with a reliable change, else the first. The client's own answers go
    before those of other respondents, totals before subscales; of those that began together, one
    that began as a case.
    """
    ordered = sorted(trajectories.values(), key=_precedence)
    named = [one for one in ordered if one.spec.instrument.id == case.primary_instrument]
    complete = [one for one in ordered if one.spec.model and one.spec.model.cut is not None]
    able = [one for one in ordered if one.spec.change is not None]
    for group in (named, complete, able, ordered):
        if group:
            return group[0].key
    return None


def _precedence(trajectory: Trajectory) -> tuple[bool, bool, int, bool, str]:
    first = trajectory.days[0].ordinal if trajectory.days else 0
    cut, steps = trajectory.spec.cut, trajectory.steps
    began_below = cut is not None and bool(steps) and steps[0].score < cut
    other = not trajectory.key.endswith("|client")
    part = scale_of(trajectory.key) != TOTAL
    return other, part, first, began_below, trajectory.key


def _trajectories(case: Case, yardsticks: Yardsticks, before: Truth) -> dict[str, Trajectory]:
    grouped: dict[str, list[Measure]] = defaultdict(list)
    for entry in in_order(case.measures.values()):
        grouped[entry.trajectory].append(entry)
    earlier = before.trajectories
    context = _context(case)
    return {
        key: build(
            key, yardsticks.spec(entries[0], case.client), entries, context, earlier.get(key)
        )
        for key, entries in grouped.items()
    }


def _context(case: Case) -> Context:
    attended = {ordinal(one.on) for one in case.sessions.values() if one.attendance in ATTENDED}
    told = {one.day for one in case.measures.values() if one.session_number}
    opened = None if case.opened_on is None else ordinal(case.opened_on)
    closed = None if case.closed_on is None else ordinal(case.closed_on)
    return Context(opened, tuple(sorted(attended | told)), closed)


def _attendance(case: Case, measured: Sequence[int], rules: Rules) -> Attendance:
    opened = None if case.opened_on is None else ordinal(case.opened_on)
    today = max(map(ordinal, case.silences), default=0)
    if measured:
        today = max(today, measured[-1])
    if opened is not None:
        today = max(today, opened)
    return Attendance(
        sessions=case.sessions.values(),
        measures=case.measures.values(),
        days=measured,
        opened=opened,
        breaks=[_break(one, rules) for one in case.facts.values() if one.kind == "break"],
        today=today,
    )


def _break(fact: Fact, rules: Rules) -> tuple[int, int]:
    """First and last day of an announced break; four weeks where no end was told."""
    first = ordinal(fact.on)
    return first, first + rules.break_days - 1 if fact.until is None else ordinal(fact.until)


def _ignorance(case: Case, chief: Trajectory | None, attendance: Attendance) -> Ignorance:
    today = attendance.today
    newest = chief.days[-1].entries if chief and chief.days else ()
    instrument = chief.spec.instrument.id if chief else case.primary_instrument
    return Ignorance(
        primary=chief,
        instrument=instrument,
        opened=attendance.opened,
        first=attendance.days[0] if attendance.days else None,
        today=today,
        unknown_instruments=ignorance.UNKNOWN_INSTRUMENT in case.aside.values(),
        damaged=case.damaged,
        received_on=max([one.received_on for one in newest], default=iso(today) if today else ""),
    )


def _now(
    case: Case,
    trajectories: Mapping[str, Trajectory],
    primary: str | None,
    measured: Sequence[int],
    rules: Rules,
) -> tuple[dict[str, Found], int | None]:
    """The findings, and the next day at which time alone changes them."""
    attendance = _attendance(case, measured, rules)
    if case.closed_on is not None or not attendance.today:
        return {}, None
    known = _ignorance(case, trajectories.get(primary) if primary else None, attendance)
    held = ignorance.reasons(known, rules)
    unknown = ignorance.not_assessable(known, held, rules)
    if case.damaged:
        return ({} if unknown is None else {unknown.channel: unknown}), None
    found = [silence.disconnection(attendance, rules), unknown]
    for key in sorted(trajectories, key=lambda one: (one != primary, one)):
        channels = OF_THE_PRIMARY if key == primary else OF_THE_OTHERS
        found += [channel(trajectories[key]) for channel in channels]
    due = _due(attendance, ignorance.becomes_due(known, held, rules), rules)
    told = _merged((one for one in found if one is not None), trajectories, rules)
    alarm = told.get("off_track")
    if alarm is not None and ignorance.TOO_OLD in held:
        told["off_track"] = _no_alarm(alarm, rules)
    return told, due


def _merged(
    found: Iterable[Found], trajectories: Mapping[str, Trajectory], rules: Rules
) -> dict[str, Found]:
    """One finding a channel: the primary's grounds, and every trajectory that contributes."""
    by_channel: dict[str, Found] = {}
    for one in found:
        first = by_channel.get(one.channel)
        by_channel[one.channel] = one if first is None else _together(first, one)
    aged = {channel: _aged(one, rules) for channel, one in by_channel.items()}
    return {channel: _with_disagreement(one, trajectories) for channel, one in aged.items()}


def _together(first: Found, other: Found) -> Found:
    newest = max(first, other, key=lambda one: (one.on, one.received_on))
    return first._replace(
        trajectories=first.trajectories + other.trajectories,
        points=[*first.points, *other.points],
        on=newest.on,
        received_on=newest.received_on,
    )


def _aged(found: Found, rules: Rules) -> Found:
    """Old news is info only: the newest entry was over 28 days old on arrival."""
    if found.received_on <= found.on or found.age_on_arrival <= rules.old_days:
        return found
    return found._replace(tier="info", old_news=True)


def _no_alarm(found: Found, rules: Rules) -> Found:
    """A forecast from measures that are too old now: still shown, no longer a prompt."""
    newer = f"a measure of the last {rules.old_days} days: a forecast from an older one is no alarm"
    return found._replace(
        tier=max(found.tier, "review", key=TIERS.index), missing=[*found.missing, newer]
    )


def _with_disagreement(found: Found, trajectories: Mapping[str, Trajectory]) -> Found:
    """Name the other instruments that point the other way."""
    if found.channel in WORSE:
        other_way = [one for one in trajectories.values() if one.last and one.last.better]
    elif found.channel == "good_news":
        other_way = [one for one in trajectories.values() if one.last and one.last.worse]
    else:
        return found
    names = [one.spec.instrument.title for one in other_way if one.key not in found.trajectories]
    return found._replace(disagrees=sorted(names)) if names else found


def _due(attendance: Attendance, days: Sequence[int], rules: Rules) -> int | None:
    """The next day at which time alone changes something."""
    silent = silence.silent_from(attendance, rules)
    waited = [*days, silent] if silent is not None else days
    return min((day for day in waited if day > attendance.today), default=None)
