"""Every message between the two services: the contract that both sides test against.

| type | topic | key | fields beside `episode` | from | read by |
|---|---|---|---|---|---|
| `episode.changed` | episodes | episode | who, when, plan, status | outcomes | alerts |
| `session.recorded` | episodes | episode | session, on, attendance | outcomes | alerts |
| `approach.chosen` | episodes, answers | episode | approach, since, origin | both | both |
| `fact.noted` | episodes | episode | fact, on, kind, label | outcomes | alerts |
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

The envelope (CloudEvents 1.0) is `services.chassis.message`. Ids are hexadecimal UUIDs. Dates are
ISO 8601. Scores and levels are in the instrument's own direction and units; a `change` is
oriented so that positive is worse. A reader ignores fields that it does not know; a change that an
old reader would misread raises `VERSION` of the type.
"""

from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from schemas.acceptance import accepting

CHANNELS = (
    "risk_answer",
    "reliable_deterioration",
    "gain_partly_lost",
    "off_track",
    "stalled",
    "plateau",
    "possibly_worse",
    "disconnection",
    "not_assessable",
    "validity",
    "good_news",
)
"""The channels of this release, in the order in which the inbox ranks them."""
_CHANNEL = validate.Regexp(r"[a-z_]{1,40}\Z")
"""Open, so that a reader shows a channel it does not know in plain words and parks nothing."""
TIERS = ("prompt", "review", "info")
CLEARED = ("recovered", "corrected away", "closed")
RISK_STATES = ("endorsed", "not endorsed", "unanswered", "not received")
RISK_KINDS = ("self", "others", "substance")
ATTENDANCE = ("attended", "late", "cancelled", "missed")
FACT_KINDS = ("medication", "life event", "break", "setting", "other")
DECISIONS = ("pivot", "stay", "consult", "end well")


class _Fields(Schema):
    class Meta:
        """A reader ignores what it does not know."""

        unknown = EXCLUDE


class MessageData(_Fields):
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


class FanPoint(_Fields):
    """The forecast of a score so many weeks on: mean, 50 % and 80 % predictive intervals."""

    weeks = fields.Integer(required=True)
    mean = fields.Float(required=True)
    low50 = fields.Float(required=True)
    high50 = fields.Float(required=True)
    low80 = fields.Float(required=True)
    high80 = fields.Float(required=True)


class State(_Fields):
    """What the filter knows after a measure; None where it is not assessable."""

    level = fields.Float(allow_none=True, load_default=None)
    level_low = fields.Float(allow_none=True, load_default=None)  # 80 % interval of the level
    level_high = fields.Float(allow_none=True, load_default=None)
    slope = fields.Float(allow_none=True, load_default=None)  # points a week, positive is worse
    p_fail = fields.Float(allow_none=True, load_default=None)
    p_worse = fields.Float(allow_none=True, load_default=None)
    p_better = fields.Float(allow_none=True, load_default=None)
    change = fields.Float(allow_none=True, load_default=None)  # observed minus baseline
    change_class = fields.String(allow_none=True, load_default=None)


class Scale(_Fields):
    """What a chart needs to know of the instrument, as pinned for this trajectory."""

    title = fields.String(required=True)
    instrument_version = fields.String(required=True)
    minimum = fields.Float(required=True)
    maximum = fields.Float(required=True)
    higher_is = fields.String(required=True, validate=validate.OneOf(("worse", "better")))
    cutoff = fields.Float(allow_none=True, load_default=None)  # as printed
    reliable_change = fields.Float(allow_none=True, load_default=None)  # unrounded
    bands = fields.List(fields.Dict(), load_default=list)  # {label, low, high}
    sources = fields.Dict(load_default=dict)  # value name -> source
    baseline = fields.Float(allow_none=True, load_default=None)
    baseline_on = fields.String(allow_none=True, load_default=None)
    baseline_label = fields.String(allow_none=True, load_default=None)
    expected = fields.List(fields.Dict(), load_default=list)  # usual course: {weeks, score}


class Assessment(_Fields):
    """One measure as the detector read it."""

    measure = fields.UUID(required=True)
    version = fields.Integer(required=True)
    external_id = fields.String(required=True)
    trajectory = fields.String(required=True)  # instrument|scale|respondent
    instrument = fields.String(required=True)
    respondent = fields.String(required=True)
    on = fields.String(required=True)
    at = fields.String(allow_none=True, load_default=None)
    number = fields.Integer(required=True)  # place in its trajectory, from 1
    score = fields.Float(allow_none=True, load_default=None)
    band = fields.String(allow_none=True, load_default=None)
    flags = fields.List(fields.String(), load_default=list)
    used = fields.Boolean(required=True)  # False: on the chart, out of detection
    not_assessable = fields.List(fields.String(), load_default=list)
    state = fields.Nested(State, required=True)
    fan = fields.List(fields.Nested(FanPoint), load_default=list)
    scale = fields.Nested(Scale, allow_none=True, load_default=None)
    rule = fields.String(required=True)  # name and version


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


class Point(_Fields):
    """A measure that a finding rests on."""

    measure = fields.UUID(required=True)
    on = fields.String(required=True)
    score = fields.Float(required=True)


class Threshold(_Fields):
    """A limit that a finding was held against, with where it comes from."""

    name = fields.String(required=True)
    value = fields.Float(required=True)
    source = fields.String(required=True)


class Evidence(_Fields):
    """The grounds of a finding; `numbers` has the keys that the channel's rule documents."""

    rule = fields.String(required=True)
    rule_version = fields.String(required=True)
    instrument = fields.String(allow_none=True, load_default=None)
    trajectories = fields.List(fields.String(), load_default=list)
    points = fields.List(fields.Nested(Point), load_default=list)
    thresholds = fields.List(fields.Nested(Threshold), load_default=list)
    numbers = fields.Dict(load_default=dict)
    reasons = fields.List(fields.String(), load_default=list)  # codes, for not assessable
    missing = fields.List(fields.String(), load_default=list)
    disagrees = fields.List(fields.String(), load_default=list)  # other instruments that do


class Spell(_Fields):
    """A spell of a channel as it stands."""

    spell = fields.UUID(required=True)
    channel = fields.String(required=True, validate=_CHANNEL)
    ordinal = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    tier = fields.String(required=True, validate=validate.OneOf(TIERS))
    on = fields.String(required=True)  # clinical date of the newest entry behind it
    old_news = fields.Boolean(required=True)  # info only: over 28 days old, or episode closed
    quiet = fields.Boolean(load_default=False)  # true by a change of the rules alone: info only
    evidence = fields.Nested(Evidence, required=True)


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
    channel = fields.String(required=True, validate=_CHANNEL)
    revision = fields.Integer(required=True)
    reason = fields.String(required=True, validate=validate.OneOf(CLEARED))
    on = fields.String(required=True)


class LogRestored(_Fields):
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


class RiskAnswer(_Fields):
    """What one risk item of one measure says, as answered."""

    item = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(RISK_KINDS))
    answer = fields.Integer(allow_none=True, load_default=None)
    state = fields.String(required=True, validate=validate.OneOf(RISK_STATES))
    urgent = fields.Boolean(required=True)


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


class Heartbeat(_Fields):
    """The risk path is alive: how many risk messages are unsent, and how old the oldest is."""

    TYPE = "heartbeat"
    VERSION = 1

    sent_at = fields.String(required=True)
    unsent = fields.Integer(required=True)
    oldest_s = fields.Float(required=True)


class Share(_Fields):
    """A share of so many with its 95 % interval."""

    n = fields.Integer(required=True)
    of = fields.Integer(required=True)
    share = fields.Float(required=True)
    low = fields.Float(required=True)
    high = fields.Float(required=True)


class ChannelRecord(_Fields):
    """Of the endings in which a channel spoke, the share that were failures."""

    channel = fields.String(required=True, validate=_CHANNEL)
    ppv = fields.Nested(Share, required=True)


class ApproachEffect(_Fields):
    """Scores about six weeks after a pivot against its forecast, in points; negative is better."""

    approach = fields.String(required=True)
    channel = fields.String(allow_none=True, load_default=None)  # what had been found then
    n = fields.Integer(required=True)
    mean = fields.Float(required=True)
    shrunk = fields.Float(required=True)  # drawn towards all pivots
    low80 = fields.Float(required=True)
    high80 = fields.Float(required=True)


class LikeForecast(_Fields):
    """The same difference with a pivot and, at a like P(fail), without one; 95 % interval."""

    n = fields.Integer(required=True)
    n_without = fields.Integer(required=True)
    with_pivot = fields.Float(required=True)
    without = fields.Float(required=True)
    difference = fields.Float(required=True)
    low = fields.Float(required=True)
    high = fields.Float(required=True)


class StatisticsPublished(_Fields):
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
