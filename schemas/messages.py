"""Every message between the two services: the contract that both sides test against.

| type | topic | key | fields beside `episode` | from | read by |
|---|---|---|---|---|---|
| `episode.changed` | episodes | episode | who, when, plan, status | outcomes | alerts |
| `session.recorded` | episodes | episode | session, on, attendance | outcomes | alerts |
| `approach.chosen` | episodes, answers | episode | approach, since, origin | both | both |
| `fact.noted` | episodes | episode | fact, on, kind, label, until | outcomes | alerts |
| `measure.assessed` | episodes | episode | score, state, fan, grounds | outcomes | alerts |
| `trajectory.refolded` | episodes | episode | trajectory, why, assessments | outcomes | alerts |
| `finding.opened` | episodes | episode | spell, channel, tier, evidence | outcomes | alerts |
| `finding.amended` | episodes | episode | the same, a later revision | outcomes | alerts |
| `finding.cleared` | episodes | episode | spell, revision, reason | outcomes | alerts |
| `forecast.made` | episodes | episode | for what, fan, P(worked) | outcomes | alerts |
| `effect.measured` | episodes | episode | approach_id, observed, forecast | outcomes | alerts |
| `log.restored` | episodes | - | to which moment, the log's new id | outcomes | alerts |
| `findings.stated` | episodes | episode | all spells open after a restore | outcomes | alerts |
| `risk.answered` | risk | episode | answers of one version of one measure | outcomes | alerts |
| `heartbeat` | risk | - | unsent risk messages: count, age | outcomes | alerts |
| `statistics.published` | statistics | instrument | endings, PPV, effects | outcomes | alerts |
| `reflection.recorded` | answers | episode | decision, review date | alerts | outcomes |

The envelope (CloudEvents 1.0) is `services.chassis.message`; what stands within a message is in
`schemas.parts`. Ids are hexadecimal UUIDs. Dates are ISO 8601. Scores and levels are in the
instrument's own direction and units; a `change` is oriented so that positive is worse. A reader
ignores fields that it does not know; a change that an old reader would misread raises `VERSION` of
the type.
"""

from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate

from schemas.acceptance import accepting
from schemas.parts import (
    CHANNEL,
    ApproachEffect,
    Assessment,
    ChannelRecord,
    FanPoint,
    LikeForecast,
    RiskAnswer,
    Share,
    Spell,
    Tolerant,
)

CLEARED = ("recovered", "corrected away", "closed")
ATTENDANCE = ("attended", "late", "cancelled", "missed")
FACT_KINDS = ("medication", "life event", "break", "setting", "other")
DECISIONS = ("pivot", "stay", "consult", "end well")


class MessageData(Tolerant):
    """The `data` of a message about one episode."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1

    episode = fields.UUID(required=True)


class EpisodeChanged(MessageData):
    """The header of an episode as it stands now, whole: the latest replaces the earlier."""

    TYPE = "episode.changed"

    subject = fields.UUID(required=True)
    sender = fields.String(required=True)
    reference = fields.String(required=True)
    client = fields.String(required=True)
    clinician = fields.String(allow_none=True, load_default=None)
    announced = fields.Boolean(required=True)  # False: known from its measures alone
    opened_on = fields.String(allow_none=True, load_default=None)
    closed_on = fields.String(allow_none=True, load_default=None)
    close_reason = fields.String(allow_none=True, load_default=None)
    problem = fields.String(allow_none=True, load_default=None)
    planned_sessions = fields.Integer(allow_none=True, load_default=None)
    planned_end = fields.String(allow_none=True, load_default=None)
    next_session = fields.String(allow_none=True, load_default=None)
    primary_instrument = fields.String(allow_none=True, load_default=None)


class SessionRecorded(MessageData):
    """A session kept, cancelled or missed."""

    TYPE = "session.recorded"

    session = fields.String(required=True)
    on = fields.String(required=True)
    attendance = fields.String(required=True, validate=validate.OneOf(ATTENDANCE))


class ApproachChosen(MessageData):
    """A way of working begun; from the EHR, or a pivot from a reflection."""

    TYPE = "approach.chosen"

    approach_id = fields.UUID(required=True)
    approach = fields.String(required=True)
    since = fields.String(required=True)
    origin = fields.String(required=True, validate=validate.OneOf(("ehr", "reflection")))
    reason = fields.String(allow_none=True, load_default=None)
    reflection = fields.UUID(allow_none=True, load_default=None)
    review_on = fields.String(allow_none=True, load_default=None)
    confirmed = fields.Boolean(load_default=False)  # the EHR reported the same pivot


class FactNoted(MessageData):
    """Something else that happened: medication, a life event, a break, the setting."""

    TYPE = "fact.noted"

    fact = fields.String(required=True)
    on = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(FACT_KINDS))
    label = fields.String(required=True)
    until = fields.String(allow_none=True, load_default=None)  # the last day, of a break


class MeasureAssessed(MessageData):
    """A measure arrived at the end of the timeline and was assessed."""

    TYPE = "measure.assessed"

    assessment = fields.Nested(Assessment, required=True)


class TrajectoryRefolded(MessageData):
    """Something earlier came in, changed or went: the trajectory as it is true now, whole."""

    TYPE = "trajectory.refolded"

    trajectory = fields.String(required=True)
    since = fields.String(required=True)
    why = fields.String(required=True)
    assessments = fields.List(fields.Nested(Assessment), required=True)


class FindingOpened(MessageData, Spell):
    """A spell of a channel begins."""

    TYPE = "finding.opened"


class FindingAmended(FindingOpened):
    """New evidence for a spell that is open."""

    TYPE = "finding.amended"


class FindingCleared(MessageData):
    """A spell ends."""

    TYPE = "finding.cleared"

    spell = fields.UUID(required=True)
    channel = fields.String(required=True, validate=CHANNEL)
    revision = fields.Integer(required=True)
    reason = fields.String(required=True, validate=validate.OneOf(CLEARED))
    on = fields.String(required=True)


class LogRestored(Tolerant):
    """The log was restored from a backup: what came after it is unconfirmed until it comes again.

    It goes to every partition, before what the restored log has to say.
    """

    TYPE = "log.restored"
    VERSION = 1

    log = fields.String(required=True)  # the log's new id
    made_at = fields.String(required=True)  # when the backup was made
    restored_at = fields.String(required=True)


class FindingsStated(MessageData):
    """After a restore: every spell of an episode that is open in the log as it was restored."""

    TYPE = "findings.stated"

    log = fields.String(required=True)
    made_at = fields.String(required=True)
    spells = fields.List(fields.Nested(Spell), required=True)


class ForecastMade(MessageData):
    """The forecast at a pivot or reflection, to be held against what happens."""

    TYPE = "forecast.made"

    approach_id = fields.UUID(allow_none=True, load_default=None)
    reflection = fields.UUID(allow_none=True, load_default=None)
    trajectory = fields.String(allow_none=True, load_default=None)
    on = fields.String(required=True)
    review_on = fields.String(allow_none=True, load_default=None)
    p_worked = fields.Float(allow_none=True, load_default=None)
    fan = fields.List(fields.Nested(FanPoint), load_default=list)
    not_assessable = fields.List(fields.String(), load_default=list)


class EffectMeasured(MessageData):
    """A measure after a pivot against the forecast made at it."""

    TYPE = "effect.measured"

    approach_id = fields.UUID(required=True)
    approach = fields.String(required=True)
    trajectory = fields.String(required=True)
    measure = fields.UUID(required=True)
    version = fields.Integer(required=True)
    on = fields.String(required=True)
    weeks = fields.Float(required=True)
    observed = fields.Float(required=True)
    mean = fields.Float(required=True)
    low80 = fields.Float(required=True)
    high80 = fields.Float(required=True)
    verdict = fields.String(
        required=True,
        validate=validate.OneOf(("within forecast", "better than forecast", "worse than forecast")),
    )
    also_changed = fields.List(fields.String(), load_default=list)  # facts near the pivot
    withdrawn = fields.Boolean(load_default=False)  # its measure is gone or was corrected


class RiskAnswered(MessageData):
    """The risk answers of one version of one measure: at intake, a correction, a withdrawal."""

    TYPE = "risk.answered"

    subject = fields.UUID(required=True)
    sender = fields.String(required=True)
    reference = fields.String(required=True)
    client = fields.String(required=True)
    clinician = fields.String(allow_none=True, load_default=None)
    measure = fields.UUID(required=True)
    version = fields.Integer(required=True)
    instrument = fields.String(required=True)
    on = fields.String(required=True)
    received_at = fields.String(required=True)
    change = fields.String(
        required=True, validate=validate.OneOf(("recorded", "corrected", "withdrawn", "reinstated"))
    )
    items = fields.List(fields.Nested(RiskAnswer), required=True)


class Heartbeat(Tolerant):
    """The risk path is alive: how many risk messages are unsent, and how old the oldest is."""

    TYPE = "heartbeat"
    VERSION = 1

    sent_at = fields.String(required=True)
    unsent = fields.Integer(required=True)
    oldest_s = fields.Float(required=True)


class StatisticsPublished(Tolerant):
    """What the endings of one instrument say; below `least` of them only their number is told."""

    TYPE = "statistics.published"
    VERSION = 1

    instrument = fields.String(required=True)
    on = fields.String(required=True)
    endings = fields.Integer(required=True)
    left_out = fields.Integer(required=True)  # no case at the start, too few measures, no cut-off
    least = fields.Integer(required=True)
    base_rate = fields.Nested(Share, allow_none=True, load_default=None)  # of failures
    channels = fields.List(fields.Nested(ChannelRecord), load_default=list)
    effects = fields.List(fields.Nested(ApproachEffect), load_default=list)
    like_forecast = fields.Nested(LikeForecast, allow_none=True, load_default=None)


class ReflectionRecorded(MessageData):
    """A clinician's decision, as far as it goes to the record: nothing that is the author's."""

    TYPE = "reflection.recorded"

    reflection = fields.UUID(required=True)
    decision = fields.String(required=True, validate=validate.OneOf(DECISIONS))
    on = fields.String(required=True)
    review_on = fields.String(allow_none=True, load_default=None)


TYPES: dict[str, type[Schema]] = {
    schema.TYPE: schema
    for schema in (
        EpisodeChanged,
        SessionRecorded,
        ApproachChosen,
        FactNoted,
        MeasureAssessed,
        TrajectoryRefolded,
        FindingOpened,
        FindingAmended,
        FindingCleared,
        LogRestored,
        FindingsStated,
        ForecastMade,
        EffectMeasured,
        RiskAnswered,
        Heartbeat,
        StatisticsPublished,
        ReflectionRecorded,
    )
}
"""Message type to the schema of its data."""

_SCHEMAS = {name: schema() for name, schema in TYPES.items()}
_ACCEPTS = {name: accepting(schema) for name, schema in _SCHEMAS.items()}


class DataError(ValidationError):
    """The data of a message is not of its type's form."""


class UnknownMessageError(Exception):
    """A message of a type or version that this release cannot read."""


def check(type_: str, version: int, data: dict[str, Any]) -> None:
    """Check the data of a message against its schema.

    Raises:
        UnknownMessageError: the type is unknown, or its version is newer than this release.
        DataError: the data is not of the type's form.
    """
    schema = TYPES.get(type_)
    if schema is None or version > schema.VERSION:  # type: ignore[attr-defined]
        raise UnknownMessageError(f"{type_} version {version} is not known to this release")
    if _ACCEPTS[type_](data):
        return
    errors = _SCHEMAS[type_].validate(data)
    if errors:
        raise DataError(errors)
