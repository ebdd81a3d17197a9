"""What stands within messages: an assessment, a spell with its grounds, a risk answer, figures."""

from marshmallow import EXCLUDE, Schema, fields, validate

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
CHANNEL = validate.Regexp(r"[a-z_]{1,40}\Z")
"""Open, so that a reader shows a channel it does not know in plain words and parks nothing."""
TIERS = ("prompt", "review", "info")
RISK_STATES = ("endorsed", "not endorsed", "unanswered", "not received")
RISK_KINDS = ("self", "others", "substance")


class Tolerant(Schema):
    """What a reader takes from a message, whatever else stands there."""

    class Meta:
        """A reader ignores what it does not know."""

        unknown = EXCLUDE


class FanPoint(Tolerant):
    """The forecast of a score so many weeks on: mean, 50 % and 80 % predictive intervals."""

    weeks = fields.Integer(required=True)
    mean = fields.Float(required=True)
    low50 = fields.Float(required=True)
    high50 = fields.Float(required=True)
    low80 = fields.Float(required=True)
    high80 = fields.Float(required=True)


class State(Tolerant):
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


class Scale(Tolerant):
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


class Assessment(Tolerant):
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


class Point(Tolerant):
    """A measure that a finding rests on."""

    measure = fields.UUID(required=True)
    on = fields.String(required=True)
    score = fields.Float(required=True)


class Threshold(Tolerant):
    """A limit that a finding was held against, with where it comes from."""

    name = fields.String(required=True)
    value = fields.Float(required=True)
    source = fields.String(required=True)


class Evidence(Tolerant):
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


class Spell(Tolerant):
    """A spell of a channel as it stands."""

    spell = fields.UUID(required=True)
    channel = fields.String(required=True, validate=CHANNEL)
    ordinal = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    tier = fields.String(required=True, validate=validate.OneOf(TIERS))
    on = fields.String(required=True)  # clinical date of the newest entry behind it
    old_news = fields.Boolean(required=True)  # info only: over 28 days old, or episode closed
    quiet = fields.Boolean(load_default=False)  # true by a change of the rules alone: info only
    evidence = fields.Nested(Evidence, required=True)


class RiskAnswer(Tolerant):
    """What one risk item of one measure says, as answered."""

    item = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(RISK_KINDS))
    answer = fields.Integer(allow_none=True, load_default=None)
    state = fields.String(required=True, validate=validate.OneOf(RISK_STATES))
    urgent = fields.Boolean(required=True)


class Share(Tolerant):
    """A share of so many with its 95 % interval."""

    n = fields.Integer(required=True)
    of = fields.Integer(required=True)
    share = fields.Float(required=True)
    low = fields.Float(required=True)
    high = fields.Float(required=True)


class ChannelRecord(Tolerant):
    """Of the endings in which a channel spoke, the share that were failures."""

    channel = fields.String(required=True, validate=CHANNEL)
    ppv = fields.Nested(Share, required=True)


class ApproachEffect(Tolerant):
    """Scores about six weeks after a pivot against its forecast, in points; negative is better."""

    approach = fields.String(required=True)
    channel = fields.String(allow_none=True, load_default=None)  # what had been found then
    n = fields.Integer(required=True)
    mean = fields.Float(required=True)
    shrunk = fields.Float(required=True)  # drawn towards all pivots
    low80 = fields.Float(required=True)
    high80 = fields.Float(required=True)


class LikeForecast(Tolerant):
    """The same difference with a pivot and, at a like P(fail), without one; 95 % interval."""

    n = fields.Integer(required=True)
    n_without = fields.Integer(required=True)
    with_pivot = fields.Float(required=True)
    without = fields.Float(required=True)
    difference = fields.Float(required=True)
    low = fields.Float(required=True)
    high = fields.Float(required=True)
