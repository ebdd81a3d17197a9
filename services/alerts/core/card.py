"""The words of a finding, made once from its evidence and stored with the alert.

A card says what is seen, its size, against what, on which grounds and what is missing. It asks;
it never blames, orders or names a cause. The same evidence gives the same card, byte for byte.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.alerts.core.caseload import Statistics, how_often

NO_VERDICT = "Not flagged is not the same as doing well."
_FEEDBACK = (
    "progress feedback: consistent small effect, contested",
    "de Jong 2021 (58 studies, n = 21,699, d = .15); Cochrane 2016: not shown conclusively",
)
_OFF_TRACK = (
    "feedback with support tools when off track: the best-supported part",
    "Barkham 2023 (g about .36 to .53); figures are from other systems",
)
_PRACTICE = ("practice wisdom: no direct test found", "this product is untested")
LABELS: dict[str, str] = {
    "risk_answer": "Risk answer",
    "reliable_deterioration": "Reliably worse",
    "gain_partly_lost": "Gain partly lost",
    "off_track": "Off track",
    "stalled": "Stalled",
    "disconnection": "Disconnection",
    "plateau": "Plateau",
    "possibly_worse": "Possibly worse",
    "not_assessable": "Not assessable",
    "validity": "Check the measure",
    "good_news": "Good news",
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
    "too_few": "There are too few measures for a trend.",
    "too_old": "The last measure is too old for a forecast.",
    "started_in_usual_range": "The course started in the usual range, so improvement cannot show.",
    "at_top_of_scale": "The start lies at the top of the scale: a reliable rise cannot show.",
    "at_bottom_of_scale": "The start lies at the bottom of the scale: a reliable fall cannot show.",
    "no_norm": "No norm is known for this instrument, so no forecast is made.",
    "no_reliability": "No reliability is known, so measurement error cannot be told from change.",
    "age_not_given": "The cut-off depends on the client's age, which was not given.",
    "gender_not_given": "The cut-off depends on the client's gender, which was not given.",
    "no_cutoff_applies": "The instrument has no cut-off for this client or respondent.",
    "conflict": "Measures contradict each other, or a total contradicts its items.",
    "unknown_instrument": "The instrument is not known here.",
    "record_damaged": "Part of the record cannot be read: record damaged, not assessable.",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """What a card is made from."""

    channel: str
    evidence: Mapping[str, Any]
    scale: Mapping[str, Any] = field(default_factory=dict)
    """The scale of the first trajectory behind the finding, empty when not known."""
    old_news: bool = False
    quiet: bool = False
    """It became true by a change of the rules alone."""
    statistics: Statistics | None = None
    """What the caseload's endings say of the instrument, None while nothing is known."""

    @property
    def title(self) -> str:
        """How the instrument is called in a sentence: its id is its customary short name."""
        short = str(self.evidence.get("instrument") or "").upper()
        key = next(iter(self.evidence.get("trajectories") or ()), "")
        part = key.split("|")[1] if key.count("|") == 2 else "total"
        if short and part != "total":
            return f"{short} {part.replace('_', ' ')}"
        return short or str(self.scale.get("title") or "The measure")

    def number(self, name: str) -> float | None:
        """A number of the evidence; None where it is missing or is none."""
        value = self.evidence.get("numbers", {}).get(name)
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(value) if good else None

    def text(self, name: str) -> str | None:
        """A text of the evidence's numbers."""
        value = self.evidence.get("numbers", {}).get(name)
        return str(value) if value is not None else None

    @property
    def worse(self) -> str:
        """The direction in which this instrument's scores are worse."""
        return "down" if self.scale.get("higher_is") == "better" else "up"

    @property
    def better(self) -> str:
        """The direction in which this instrument's scores are better."""
        return "up" if self.worse == "down" else "down"


def make(ground: Ground) -> dict[str, Any]:
    """The card of a finding.

    Returns:
        {channel, label, tone, title, sentence, grounds, missing, disagrees, thresholds, numbers,
        points, evidence_label, evidence_source, caution, rule, rule_version, instrument}.
    """
    title, sentence, grounds = _WORDS.get(ground.channel, _unknown)(ground)
    evidence = ground.evidence
    label, source = evidence_of(ground.channel)
    return {
        "channel": ground.channel,
        "label": _label(ground),
        "tone": TONES.get(ground.channel, "plain"),
        "title": title,
        "sentence": sentence,
        "grounds": [*grounds, *_limits(evidence), *_age(ground)],
        "missing": [str(one) for one in evidence.get("missing", ())],
        "disagrees": [
            f"{name} says otherwise; both are shown." for name in evidence.get("disagrees", ())
        ],
        "thresholds": [dict(limit) for limit in evidence.get("thresholds", ())],
        "numbers": dict(evidence.get("numbers", {})),
        "points": [dict(point) for point in evidence.get("points", ())],
        "evidence_label": label,
        "evidence_source": source,
        "caution": how_often(ground.statistics, ground.channel),
        "rule": str(evidence.get("rule", "")),
        "rule_version": str(evidence.get("rule_version", "")),
        "instrument": evidence.get("instrument"),
    }


def show(value: float | None) -> str:
    """A score in words: whole when it is whole, else with one decimal."""
    if value is None:
        return "not known"
    rounded = round(value, 1)
    return str(int(rounded)) if rounded == int(rounded) else str(rounded)


def percent(value: float | None) -> str:
    """A probability in whole percent, never 0 or 100."""
    if value is None:
        return "not known"
    return f"{min(99, max(1, round(value * 100)))} %"


def day(text: str | None) -> str:
    """A date in words, for instance 30 March 2026; what is no date stays as it is."""
    if not text:
        return "an unknown date"
    try:
        on = date.fromisoformat(text[:10])
    except ValueError:
        return text
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def points(value: float | None) -> str:
    """So many points, whatever their sign."""
    shown = show(abs(value)) if value is not None else "some"
    return f"{shown} point" if shown == "1" else f"{shown} points"


def count(value: float | None, one: str, many: str) -> str:
    """A whole number with its noun."""
    if value is None:
        return f"some {many}"
    whole = round(value)
    return f"{_SMALL.get(whole, str(whole))} {one if whole == 1 else many}"


_SMALL = {0: "no", 1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
Words = tuple[str, str, list[str]]


def _worse(ground: Ground) -> Words:
    change = ground.number("change")
    moved = f"{ground.title} {ground.worse} {points(change)} {_since(ground)}"
    times = ground.number("measures")
    confirmed = (
        "at two measures in a row" if times is None or times >= 2 else "at once by twice that much"
    )
    title = f"{moved}, more than measurement error explains"
    sentence = (
        f"{moved}, {confirmed}. Change beyond measurement error is "
        f"{points(ground.number('reliable_change'))}. What has changed?"
    )
    return title, sentence, _change_grounds(ground)


def _possibly(ground: Ground) -> Words:
    moved = f"{ground.title} {ground.worse} {points(ground.number('change'))} {_since(ground)}"
    title = f"{moved} at one measure, not yet confirmed"
    sentence = (
        f"{moved} at one measure; measurement error is up to "
        f"{points(ground.number('reliable_change'))}. One measure says little; the next will show."
    )
    return title, sentence, _change_grounds(ground)


def _since(ground: Ground) -> str:
    label = ground.text("baseline_label")
    if label and label not in ("baseline", "start"):
        return f"since the {label}" if label.startswith("late") else f"since {label}"
    return "since the start"


def _change_grounds(ground: Ground) -> list[str]:
    baseline, score = ground.number("baseline"), ground.number("score")
    lines = []
    if baseline is not None and score is not None:
        lines.append(
            f"{show(baseline)} on {day(ground.text('baseline_on'))} to {show(score)} is "
            f"{points(ground.number('change'))}; change beyond measurement error is more than "
            f"{show(ground.number('reliable_change'))} (Jacobson-Truax)."
        )
    truly = ground.number("p_truly_worse")
    if truly is not None:
        lines.append(
            f"Probability truly worse than at the start: {percent(truly)}. It is shown beside the "
            "rule and is not the rule."
        )
    return lines


def _off_track(ground: Ground) -> Words:
    level, weeks = ground.number("level"), ground.number("weeks")
    horizon = show(ground.number("horizon_weeks") or 6)
    chance = percent(ground.number("p_fail"))
    aim = (
        "neither reliably better nor below the cut-off"
        if ground.number("cutoff") is not None
        else "not reliably better"
    )
    if ground.number("cutoff") is not None and ground.better == "up":
        aim = "neither reliably better nor above the cut-off"
    lasted = count(weeks, "week", "weeks") if weeks is not None else "so far"
    title = (
        f"{ground.title} around {show(level)} after {lasted}: {chance} likely {aim} in {horizon}"
    )
    sentence = (
        f"Around {show(level)} after {lasted}. Model: {chance} likely to be {aim} in {horizon} "
        "weeks (not yet checked in this clinic)."
    )
    p_fail, threshold = ground.number("p_fail"), ground.number("threshold")
    if p_fail is not None and threshold is not None and p_fail < threshold:
        sentence += " Below the alarm now; it clears when that holds at two measures."
    grounds = [
        f"P({aim} in {horizon} weeks) = {chance}; the alarm begins at "
        f"{percent(ground.number('threshold'))}, measure {show(ground.number('measure_number'))}.",
    ]
    return f"{title} weeks", sentence, grounds


def _plateau(ground: Ground) -> Words:
    level = show(ground.number("level"))
    window = count(ground.number("window_weeks"), "week", "weeks")
    title = f"{ground.title} flat around {level} over {window}"
    sentence = (
        f"{ground.title} flat around {level} over {window}: {percent(ground.number('p_flat'))} "
        "likely that four weeks move it by less than half a reliable change. "
        "What did we expect by now?"
    )
    slope = ground.number("slope")
    grounds = [
        f"Least-squares slope {show(slope)} points a week, "
        f"{show(ground.number('n'))} measures; "
        f"P(four weeks' movement under half a reliable change) = "
        f"{percent(ground.number('p_flat'))}, "
        f"P(still a case) = {percent(ground.number('p_case'))}, "
        f"P(reliably better) = {percent(ground.number('p_better'))}."
    ]
    return title, sentence, grounds


def _stalled(ground: Ground) -> Words:
    gain, level = points(ground.number("gain")), show(ground.number("level"))
    by = show(ground.number("by_week"))
    title = f"{ground.title}: gained {gain} by week {by}, level since, still {level}"
    sentence = f"Gained {gain} by week {by}, level since, still {level}. What helped then?"
    grounds = [
        f"Reliably better by week {by}; flat since week {show(ground.number('since_week'))}; "
        f"P(still a case) = {percent(ground.number('p_case'))}."
    ]
    return title, sentence, grounds


def _lost(ground: Ground) -> Words:
    gain, loss = points(ground.number("gain")), show(ground.number("loss"))
    score = show(ground.number("score"))
    relapse = bool(ground.evidence.get("numbers", {}).get("relapse"))
    title = f"{ground.title}: had gained {gain}, {loss} of it lost again"
    end = "and the score is back in the clinical range" if relapse else "at two measures"
    sentence = (
        f"Had gained {gain} by {day(ground.text('best_on'))}; {loss} of it is lost {end}, now "
        f"{score}. What was different then?"
    )
    grounds = [
        f"Best two-measure mean {show(ground.number('best'))}; loss {loss}, at two measures in a "
        "row at least half the gain and beyond measurement error."
    ]
    if relapse:
        title = f"{ground.title}: back in the clinical range after a gain of {gain}"
    return title, sentence, grounds


def _disconnection(ground: Ground) -> Words:
    if ground.text("kind") == "silence":
        days = show(ground.number("days"))
        title = f"No measure for {days} days"
        sentence = (
            f"No measure for {days} days (last on {day(ground.text('since'))}). There may be a "
            "plain reason. Silence does not say that it goes well."
        )
        return title, sentence, ["No announced break covers this time."]
    missed, of = show(ground.number("missed")), show(ground.number("of"))
    title = f"{missed} of the last {of} sessions missed or cancelled"
    sentence = f"{title}. There may be a plain reason; do we know it?"
    return title, sentence, ["Two in a row, or three of the last six, are shown."]


def _not_assessable(ground: Ground) -> Words:
    reasons = [str(code) for code in ground.evidence.get("reasons", ())]
    grounds = [WHY_NOT.get(code, code.replace("_", " ")) for code in reasons]
    if reasons and not {"too_few", "too_old"} & set(reasons):
        why = grounds[0].rstrip(".")
        title = f"Not assessable: {why[:1].lower()}{why[1:]}"
        return title, f"{why}. We cannot say whether this goes well.", grounds
    number, days = ground.number("measures"), ground.number("days")
    have = count(number, f"{ground.title} measure", f"{ground.title} measures")
    age = f", the last {count(days, 'day', 'days')} old" if days else ""
    title = f"Not assessable: {have}{age}"
    sentence = f"{have[:1].upper()}{have[1:]}{age}. We cannot say whether this goes well."
    return title, sentence, grounds


_VALIDITY = {
    "sawtooth": "Scores swing to and fro by more than measurement error",
    "conflict": "A total and its items do not agree",
    "two_on_a_day": "Two measures of one day disagree",
    "floor": "Scores lie at the lower end of the scale",
    "ceiling": "Scores lie at the upper end of the scale",
}


def _validity(ground: Ground) -> Words:
    what = _VALIDITY.get(ground.text("kind") or "", "Something in the measures is unusual")
    title = f"{ground.title}: {what[:1].lower()}{what[1:]}"
    return title, f"{what}. The measure itself may be worth a word.", []


_GOOD = {
    "sudden_gain": ("Sudden gain", "in one step, and held"),
    "reliable_improvement": ("Reliably better", "since the start, beyond measurement error"),
    "recovery": ("Recovered", "since the start, and now outside the clinical range"),
}


def _good_news(ground: Ground) -> Words:
    _, how = _GOOD.get(ground.text("kind") or "", ("", "since the start"))
    moved = f"{ground.better} {points(ground.number('gain'))} {how}"
    title = f"{ground.title} {moved}"
    return title, f"{moved[:1].upper()}{moved[1:]}. Worth asking what happened.", []


def _unknown(ground: Ground) -> Words:
    name = ground.channel.replace("_", " ")
    return f"{ground.title}: {name}", f"{ground.title}: {name}.", []


_WORDS: dict[str, Callable[[Ground], Words]] = {
    "reliable_deterioration": _worse,
    "possibly_worse": _possibly,
    "off_track": _off_track,
    "plateau": _plateau,
    "stalled": _stalled,
    "gain_partly_lost": _lost,
    "disconnection": _disconnection,
    "not_assessable": _not_assessable,
    "validity": _validity,
    "good_news": _good_news,
}


def _label(ground: Ground) -> str:
    if ground.channel == "good_news":
        return _GOOD.get(ground.text("kind") or "", (LABELS["good_news"], ""))[0]
    if ground.channel == "gain_partly_lost" and ground.evidence.get("numbers", {}).get("relapse"):
        return "Relapse"
    return LABELS.get(ground.channel, ground.channel.replace("_", " ").capitalize())


def evidence_of(channel: str) -> tuple[str, str]:
    """The evidence label of what a channel is for, and its source."""
    if channel in ("off_track", "stalled", "plateau", "gain_partly_lost"):
        return _OFF_TRACK
    if channel in ("reliable_deterioration", "possibly_worse", "good_news"):
        return _FEEDBACK
    return _PRACTICE


def _limits(evidence: Mapping[str, Any]) -> list[str]:
    return [
        f"{str(limit['name']).replace('_', ' ').capitalize()}: {show(float(limit['value']))} "
        f"({limit['source']})."
        if abs(float(limit["value"])) >= 1 or float(limit["value"]) == 0
        else f"{str(limit['name']).replace('_', ' ').capitalize()}: {limit['value']} "
        f"({limit['source']})."
        for limit in evidence.get("thresholds", ())
    ]


def _age(ground: Ground) -> list[str]:
    if ground.quiet:
        return ["The rules have changed, nothing else: it interrupts nobody until something does."]
    if not ground.old_news:
        return []
    return ["This is old news: it was over 28 days old on arrival, or the course was closed."]
