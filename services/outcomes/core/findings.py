"""What the detector says of an episode: its events. One stream an episode; `said` folds it."""

from dataclasses import dataclass
from typing import Any, ClassVar

from services.outcomes.core.event import Event


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
    open, or held at measures that came too late to be told of; `differences` scores against
    forecasts, as `services.outcomes.core.ending` has them. `withdrawn`: it was opened again.
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
