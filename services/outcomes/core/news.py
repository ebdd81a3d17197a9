"""The difference between what is true of an episode now and what was said of it, as events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.outcomes.core.assess import Row, assessment, rows, scale
from services.outcomes.core.case import NOTHING, TIERS, Case, Truth
from services.outcomes.core.channels import WORSE
from services.outcomes.core.channels.not_assessable import DAMAGED, UNKNOWN_INSTRUMENT
from services.outcomes.core.client import NOT_TOLD
from services.outcomes.core.effect import forecast_at_reflection, pivots, withdrawn
from services.outcomes.core.ending import ending
from services.outcomes.core.event import Event
from services.outcomes.core.findings import (
    Assessed,
    CourseEnded,
    DueChanged,
    EffectMeasured,
    FindingAmended,
    FindingCleared,
    FindingOpened,
    ForecastMade,
    MeasureSetAside,
    Refolded,
    SilenceNoticed,
)
from services.outcomes.core.found import Found
from services.outcomes.core.happening import Cause
from services.outcomes.core.said import Said, ScaleMark, Spell
from services.outcomes.core.timeline import iso, key_of, scale_of
from services.outcomes.core.trajectory import Trajectory

CLOSED = "closed"
RECOVERED = "recovered"
CORRECTED_AWAY = "corrected away"

SpellId = Callable[[str, int], str]
"""The id of a spell from its channel and ordinal."""
Rows = Mapping[str, Sequence[Row]]
NO_ROWS: Rows = {}


@dataclass(slots=True)
class Writer:
    """Makes the events of one findings stream, one version after another."""

    episode: str
    stream: UUID
    owner: UUID
    at: datetime
    version: int
    events: list[Event] = field(default_factory=list)

    def write(self, kind: Callable[..., Event], **fields: Any) -> None:
        """Add an event of this kind with these fields of its own."""
        self.version += 1
        event = kind(
            originator_id=self.stream,
            originator_version=self.version,
            timestamp=self.at,
            owner=self.owner,
            episode=self.episode,
            **fields,
        )
        self.events.append(event)


def all_rows(truth: Truth, before: Rows, earlier: Truth = NOTHING) -> dict[str, Sequence[Row]]:
    """The rows of every trajectory, taken over from those of an `earlier` truth where they hold."""
    return {
        key: before[key]
        if earlier.trajectories.get(key) is trajectory
        else rows(trajectory, before.get(key, ()))
        for key, trajectory in truth.trajectories.items()
    }


def tell(
    writer: Writer,
    said: Said,
    case: Case,
    truth: Truth,
    found_rows: Rows,
    cause: Cause,
    spell_id: SpellId,
    told_rows: Rows = NO_ROWS,
    *,
    quiet: bool = False,
) -> None:
    """Write what is true and was not said, and take back what was said and is not true.

    Late and corrected entries change what is true now, never what was said: every change is an
    event of its own. `told_rows` are known to have been said; they only save looking. `quiet`:
    nothing has happened but a change of the rules, so nobody is to be prompted.
    """
    _tell_set_aside(writer, said, case)
    _tell_trajectories(writer, said, case, truth, found_rows, cause, told_rows)
    _tell_findings(writer, said, case, truth, cause, spell_id, quiet=quiet)
    _tell_forecasts(writer, said, case, truth)
    _tell_effects(writer, said, truth)
    _tell_ending(writer, said, case, truth)
    _tell_due(writer, said, truth)


def _tell_set_aside(writer: Writer, said: Said, case: Case) -> None:
    for measure, reason in case.aside.items():
        if said.aside.get(measure) != reason:
            writer.write(MeasureSetAside, measure=measure, reason=reason)
    for measure in said.aside:
        if measure not in case.aside and measure not in case.measures:
            writer.write(MeasureSetAside, measure=measure, reason=None)


class _Changed(NamedTuple):
    """A trajectory of which something else is true than was said."""

    key: str
    rows: Sequence[Row]
    new: Sequence[Row]
    gone: Sequence[str]

    @property
    def appended(self) -> bool:
        """Whether all that is new came at the end."""
        return not self.gone and list(self.rows[len(self.rows) - len(self.new) :]) == self.new


def _tell_trajectories(
    writer: Writer,
    said: Said,
    case: Case,
    truth: Truth,
    found_rows: Rows,
    cause: Cause,
    told_rows: Rows,
) -> None:
    changed = []
    for key in {**said.prints, **found_rows}:
        found, told = found_rows.get(key, ()), told_rows.get(key)
        if found is told:
            continue
        one = _changed(said, key, found, told or ())
        if one.new or one.gone or _is_scale_changed(said, truth.trajectories.get(key)):
            changed.append(one)
    # What leaves one trajectory for another leaves first: readers then hold it once.
    changed.sort(key=lambda one: (not one.gone, one.key))
    for one in changed:
        trajectory = truth.trajectories.get(one.key)
        memory = _memory(trajectory, truth)
        prints = said.prints.get(one.key, ())
        unsaid = all(row.entry.measure not in prints for row in one.new)
        if trajectory is not None and one.new and one.appended and unsaid:
            _tell_assessed(writer, said, case, trajectory, one, memory)
        else:
            _tell_refolded(writer, said, trajectory, one, cause, memory)


def _changed(said: Said, key: str, found: Sequence[Row], told: Sequence[Row]) -> _Changed:
    """Compare what is true with what was said; the rows in `told` were, and are passed over."""
    prints = said.prints.get(key, {})
    same = len(told) if found[: len(told)] == told else 0
    new = [row for row in found[same:] if prints.get(row.entry.measure) != row.print]
    gone: list[str] = []
    if len(prints) != same or len(found) != same + len(new):
        held = {row.entry.measure for row in found}
        gone = [measure for measure in prints if measure not in held]
    return _Changed(key, found, new, gone)


def _is_scale_changed(said: Said, trajectory: Trajectory | None) -> bool:
    """Whether the scale alone reads otherwise now, such as where its baseline comes from."""
    told = said.scales.get(trajectory.key) if trajectory is not None else None
    return trajectory is not None and told is not None and told != _mark(trajectory)


def _tell_assessed(
    writer: Writer,
    said: Said,
    case: Case,
    trajectory: Trajectory,
    changed: _Changed,
    memory: dict[str, Any],
) -> None:
    untold = said.scales.get(changed.key) != _mark(trajectory)
    for row in changed.new:
        told = assessment(trajectory, row, with_fan=True)
        if untold:
            told["scale"] = scale(trajectory)
            untold = False
        writer.write(
            Assessed,
            assessment=told,
            input={"entry": row.entry.as_dict(), "plan": _plan(case)},
            memory=memory,
        )


def _plan(case: Case) -> dict[str, Any]:
    """What of the plan in force bears on an assessment."""
    plan: dict[str, Any] = {
        "opened_on": case.opened_on,
        "primary_instrument": case.primary_instrument,
    }
    if case.client != NOT_TOLD:
        plan |= {"client_age": case.client.age, "client_gender": case.client.gender}
    return plan


def _tell_refolded(
    writer: Writer,
    said: Said,
    trajectory: Trajectory | None,
    changed: _Changed,
    cause: Cause,
    memory: dict[str, Any],
) -> None:
    told = []
    if trajectory is not None:
        latest = max((row.number for row in changed.rows if row.used), default=0)
        told = [assessment(trajectory, row, with_fan=row.number == latest) for row in changed.rows]
        told[0]["scale"] = scale(trajectory)
    dates = [row.entry.on for row in changed.new]
    gone = [key_of(measure, scale_of(changed.key)) for measure in changed.gone]
    dates += [said.measures[name].on for name in gone if name in said.measures]
    writer.write(
        Refolded,
        trajectory=changed.key,
        since=min(dates) if dates else changed.rows[0].entry.on,
        why=cause.why,
        assessments=told,
        input=[
            row.entry.as_dict()
            for row in changed.new
            if said.measures.get(row.entry.key) != row.entry
        ],
        withdrawn=list(changed.gone),
        memory=memory,
    )


def _mark(trajectory: Trajectory) -> ScaleMark:
    """The mark of the scale, as `scale_mark` has it of one that was told."""
    start = trajectory.baseline
    score, on = (start.day.score, start.day.on) if start else (None, None)
    instrument = trajectory.spec.instrument
    cut = instrument.cutoff.value if instrument.cutoff else None
    return instrument.version, cut, score, on, trajectory.label or None


def _memory(trajectory: Trajectory | None, truth: Truth) -> dict[str, Any]:
    last = trajectory.last if trajectory else None
    return {
        "estimate": list(last.estimate) if last and last.estimate else None,
        "due": None if truth.due is None else iso(truth.due),
    }


def _tell_findings(
    writer: Writer,
    said: Said,
    case: Case,
    truth: Truth,
    cause: Cause,
    spell_id: SpellId,
    *,
    quiet: bool,
) -> None:
    open_before = [channel for channel, spell in said.spells.items() if spell.is_open]
    for channel in sorted({*truth.findings, *open_before}):
        found, spell = truth.findings.get(channel), said.spells.get(channel)
        if found is not None:
            _tell_found(writer, found, spell, spell_id, quiet=quiet)
        elif spell is not None and spell.is_open and not (case.damaged and not case.closed_on):
            writer.write(
                FindingCleared,
                spell=spell.spell,
                channel=channel,
                revision=spell.revision + 1,
                reason=_why_cleared(case, truth, spell, cause),
                on=cause.on or spell.on,
            )


def _tell_found(
    writer: Writer, found: Found, spell: Spell | None, spell_id: SpellId, *, quiet: bool
) -> None:
    told = _told(found, spell if spell and spell.is_open else None, quiet=quiet)
    if spell is None or not spell.is_open:
        ordinal = spell.ordinal + 1 if spell else 1
        name = spell_id(found.channel, ordinal)
        writer.write(FindingOpened, spell=name, ordinal=ordinal, revision=1, **told)
        return
    before = {
        name: getattr(spell, name) for name in ("tier", "on", "old_news", "evidence", "quiet")
    }
    if before != {name: told[name] for name in before}:
        name, revision = spell.spell, spell.revision + 1
        writer.write(FindingAmended, spell=name, ordinal=spell.ordinal, revision=revision, **told)


def _told(found: Found, spell: Spell | None, *, quiet: bool) -> dict[str, Any]:
    """A finding as it is told; no louder than it was while nothing but the rules has changed."""
    told: dict[str, Any] = {
        "channel": found.channel,
        "tier": found.tier,
        "on": found.on,
        "old_news": found.old_news,
        "evidence": found.evidence(),
        "quiet": False,
    }
    still_quiet = spell is not None and spell.quiet and spell.on == found.on
    if still_quiet or (quiet and (spell is None or _is_louder(found, spell))):
        told |= {"tier": spell.tier if spell else "info", "quiet": True}
    return told


def _is_louder(found: Found, spell: Spell) -> bool:
    return TIERS.index(found.tier) < TIERS.index(spell.tier)


def is_other(said: Said, truth: Truth, rule: str) -> bool:
    """Whether what was said was said by other rules, or of another version of an instrument."""
    if said.rule is not None and said.rule != rule:
        return True
    return any(
        said.scales[key][0] != one.spec.instrument.version
        for key, one in truth.trajectories.items()
        if key in said.scales
    )


def _why_cleared(case: Case, truth: Truth, spell: Spell, cause: Cause) -> str:
    """Recovered by something new and later; corrected away by anything else."""
    if case.closed_on is not None:
        return CLOSED
    if not cause.fresh or cause.on is None or cause.on < spell.on:
        return CORRECTED_AWAY
    latest = [one.days[-1] for one in truth.trajectories.values() if one.days]
    contradicted = any(day.disagree and day.on == cause.on for day in latest)
    return CORRECTED_AWAY if contradicted else RECOVERED


def _tell_forecasts(writer: Writer, said: Said, case: Case, truth: Truth) -> None:
    for approach, forecast in truth.forecasts.items():
        if said.forecasts.get(approach) != forecast:
            writer.write(ForecastMade, **forecast)
    chief = truth.trajectories.get(truth.primary) if truth.primary else None
    for name, reflection in case.reflections.items():
        # Made once, from what was known then: it is held against the clinician's own number.
        if name not in said.reflected:
            writer.write(ForecastMade, **forecast_at_reflection(chief, reflection))


def _tell_effects(writer: Writer, said: Said, truth: Truth) -> None:
    for key, effect in truth.effects.items():
        if said.effects.get(key) != effect:
            writer.write(EffectMeasured, **effect)
    for key, effect in said.effects.items():
        if key not in truth.effects and not effect["withdrawn"]:
            writer.write(EffectMeasured, **withdrawn(effect))


def _tell_ending(writer: Writer, said: Said, case: Case, truth: Truth) -> None:
    """How a closed course went; measures that are known later still change it."""
    if case.closed_on is None:
        if said.ending is not None and not said.ending["withdrawn"]:
            writer.write(CourseEnded, **{**said.ending, "withdrawn": True})
        return
    if case.damaged or (said.ending is not None and UNKNOWN_INSTRUMENT in case.aside.values()):
        return  # an instrument that was removed since takes nothing back of how it went
    chief = truth.trajectories.get(truth.primary) if truth.primary else None
    went = ending(chief, pivots(case.approaches.values()), said.told_of & set(WORSE))
    told_of = {"on": case.closed_on, **went, "withdrawn": False}
    if said.ending != told_of:
        writer.write(CourseEnded, **told_of)


def _tell_due(writer: Writer, said: Said, truth: Truth) -> None:
    """Unless an event that carries the day has been written along."""
    due = None if truth.due is None else iso(truth.due)
    if due == said.due:
        return
    if not any(isinstance(one, Assessed | Refolded | SilenceNoticed) for one in writer.events):
        writer.write(DueChanged, due=due)


def damaged_before(said: Said) -> bool:
    """Whether the record of this episode was found damaged."""
    spell = said.open_findings.get("not_assessable")
    return spell is not None and DAMAGED in spell.evidence["reasons"]
