"""What channels, reasons and limits are called: the words for keys that cards and pages share."""

from services.alerts.core.language import _, capital, gettext_noop

NO_VERDICT = gettext_noop("Not flagged is not the same as doing well.")
_FEEDBACK = (
    gettext_noop("progress feedback: consistent small effect, contested"),
    gettext_noop(
        "de Jong 2021 (58 studies, n = 21,699, d = .15); Cochrane 2016: not shown conclusively"
    ),
)
_OFF_TRACK = (
    gettext_noop("feedback with support tools when off track: the best-supported part"),
    gettext_noop("Barkham 2023 (g about .36 to .53); figures are from other systems"),
)
_PRACTICE = (
    gettext_noop("practice wisdom: no direct test found"),
    gettext_noop("this product is untested"),
)
LABELS: dict[str, str] = {
    "risk_answer": gettext_noop("Risk answer"),
    "reliable_deterioration": gettext_noop("Reliably worse"),
    "gain_partly_lost": gettext_noop("Gain partly lost"),
    "off_track": gettext_noop("Off track"),
    "stalled": gettext_noop("Stalled"),
    "disconnection": gettext_noop("Disconnection"),
    "plateau": gettext_noop("Plateau"),
    "possibly_worse": gettext_noop("Possibly worse"),
    "not_assessable": gettext_noop("Not assessable"),
    "validity": gettext_noop("Check the measure"),
    "good_news": gettext_noop("Good news"),
}
TONES: dict[str, str] = {
    "risk_answer": "risk",
    "reliable_deterioration": "worse",
    "gain_partly_lost": "worse",
    "off_track": "worse",
    "stalled": "worse",
    "disconnection": "plain",
    "plateau": "plain",
    "possibly_worse": "plain",
    "not_assessable": "unknown",
    "validity": "unknown",
    "good_news": "good",
}
WHY_NOT: dict[str, str] = {
    "too_few": gettext_noop("There are too few measures for a trend."),
    "too_old": gettext_noop("The last measure is too old for a forecast."),
    "started_in_usual_range": gettext_noop(
        "The course started in the usual range, so improvement cannot show."
    ),
    "at_top_of_scale": gettext_noop(
        "The start lies at the top of the scale: a reliable rise cannot show."
    ),
    "at_bottom_of_scale": gettext_noop(
        "The start lies at the bottom of the scale: a reliable fall cannot show."
    ),
    "no_norm": gettext_noop("No norm is known for this instrument, so no forecast is made."),
    "no_reliability": gettext_noop(
        "No reliability is known, so measurement error cannot be told from change."
    ),
    "age_not_given": gettext_noop("The cut-off depends on the client's age, which was not given."),
    "gender_not_given": gettext_noop(
        "The cut-off depends on the client's gender, which was not given."
    ),
    "no_cutoff_applies": gettext_noop(
        "The instrument has no cut-off for this client or respondent."
    ),
    "conflict": gettext_noop("Measures contradict each other, or a total contradicts its items."),
    "unknown_instrument": gettext_noop("The instrument is not known here."),
    "record_damaged": gettext_noop(
        "Part of the record cannot be read: record damaged, not assessable."
    ),
}
LIMITS: dict[str, str] = {
    "reliable change": gettext_noop("Reliable change"),
    "cut-off": gettext_noop("Cut-off"),
    "reliable_change": gettext_noop("Reliable change"),
    "cutoff": gettext_noop("Cut-off"),
    "severity": gettext_noop("Severity"),
    "alarm": gettext_noop("Alarm"),
    "norm": gettext_noop("Norm"),
    "reliability": gettext_noop("Reliability"),
    "alarm threshold": gettext_noop("Alarm threshold"),
}


def label_of(channel: str) -> str:
    """What a channel is called."""
    return _(LABELS[channel]) if channel in LABELS else capital(channel.replace("_", " "))


def why_not(code: str) -> str:
    """Why a course cannot be assessed, in a sentence."""
    return _(WHY_NOT[code]) if code in WHY_NOT else code.replace("_", " ")


def evidence_of(channel: str) -> tuple[str, str]:
    """The evidence label of what a channel is for, and its source."""
    if channel in ("off_track", "stalled", "plateau", "gain_partly_lost"):
        return _OFF_TRACK
    if channel in ("reliable_deterioration", "possibly_worse", "good_news"):
        return _FEEDBACK
    return _PRACTICE


def limit_name(name: str) -> str:
    """What a limit of a rule is called."""
    return _(LIMITS[name]) if name in LIMITS else capital(name.replace("_", " "))
