"""Words that depend on data, in one place for a later translation; fixed ones are in templates."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

NOT_BUILT = "The pages are being built. What is missing here is not good news: it is not known yet."
STALE = (
    "This page may be out of date: it last took in something {age} ago. "
    "Nothing new here does not mean that nothing happened."
)
NO_POLICY = (
    "The local policy for risk answers is not set: whom to contact, who stands in, and by when. "
    "Follow your service’s own procedure, and tell the operators of this system."
)

SHAPES = {
    "risk": "M1 1h10v10h-10z",
    "worse": "M6 0.5L11.8 11H0.2z",
    "unknown": "M6 0.3L11.7 6 6 11.7 0.3 6zM6 3L3 6l3 3 3-3z",
    "plain": "M0.5 4.5h11v3h-11z",
    "good": "M6 0.7a5.3 5.3 0 1 0 .01 0z",
}
"""Tone of a tag to the shape that says the same as its colour (path data in a box of 12)."""

FLAGS = {
    "conflict": "total and items disagree",
    "prorated": "missing items filled with the mean",
    "incomplete": "too few items answered",
    "risk item unanswered": "risk item unanswered",
    "zone missing": "time sent without a zone",
}

ENDED = {
    "acknowledged": "acknowledged",
    "dismissed": "dismissed",
    "withdrawn": "withdrawn: what it rested on was corrected",
    "settled": "settled",
    "snoozed": "put off",
    "held": "held back",
    "raised": "open",
    "seen": "open, seen",
}

VERDICTS = {
    "within forecast": "within what was forecast",
    "better than forecast": "better than was forecast",
    "worse than forecast": "worse than was forecast",
}


def number(value: float | None) -> str:
    """A score or level as people write it: no decimals unless it has one."""
    if value is None:
        return "–"
    rounded = round(value, 1)
    text = f"{rounded:.0f}" if rounded == int(rounded) else f"{rounded:.1f}"
    return text.replace("-", "−")


def percent(value: float | None) -> str:
    """A probability as a whole percentage; never 0 or 100, which nobody knows."""
    if value is None:
        return "–"
    return f"{min(max(round(value * 100), 1), 99)} %"


def day(text: str | None, this_year: int | None = None) -> str:
    """An ISO date in words; the year is left out when it is the present one."""
    if not text:
        return "–"
    moment = date.fromisoformat(text[:10])
    year = "" if moment.year == this_year else f" {moment.year}"
    return f"{moment.day} {_MONTHS[moment.month - 1]}{year}"


def short_day(text: str) -> str:
    """An ISO date for a chart: 5 Jan 2026."""
    moment = date.fromisoformat(text[:10])
    return f"{moment.day} {_MONTHS[moment.month - 1][:3]} {moment.year}"


def moment(text: str | None, zone: ZoneInfo, now: datetime) -> str:
    """An ISO time in the installation's time zone: “today 09:40”, “3 March 09:40”."""
    if not text:
        return "–"
    local = datetime.fromisoformat(text).astimezone(zone)
    today = now.astimezone(zone).date()
    named = {0: "today", 1: "yesterday", -1: "tomorrow"}.get((today - local.date()).days)
    return f"{named or day(local.date().isoformat(), today.year)} {local:%H:%M}"


def lasting(seconds: float) -> str:
    """A length of time in the largest unit that fits."""
    for unit, length in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= length:
            return plural(int(seconds // length), unit)
    return plural(int(seconds), "second")


def plural(count: int, noun: str, many: str | None = None) -> str:
    """A count with its noun."""
    return f"{count} {noun if count == 1 else many or noun + 's'}"


def listed(parts: Sequence[str]) -> str:
    """Parts as one phrase: a, b and c."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def better_direction(scale: Mapping[str, Any]) -> str:
    """Which way is better on a scale."""
    return "lower is better" if scale["higher_is"] == "worse" else "higher is better"


def effect_sentence(effect: Mapping[str, Any], baseline: float | None) -> str:
    """What happened since a pivot, against the forecast made at it.

    `effect` is the data of an *effect measured* message. "Better" or "worse" is said only
    where its verdict says so, that is outside the 80 % interval.
    """
    weeks = plural(max(round(effect["weeks"]), 0), "week")
    moved = ""
    if baseline is not None:
        moved = f" ({_movement(effect['observed'] - baseline)} since the pivot)"
    also = effect.get("also_changed") or []
    nearby = f" At about the same time: {listed(list(also))}." if also else ""
    return (
        f"{weeks} after the pivot to {effect['approach']} the score is "
        f"{number(effect['observed'])}{moved}: {VERDICTS[effect['verdict']]} "
        f"({number(effect['mean'])}, 80 %: {number(effect['low80'])} to "
        f"{number(effect['high80'])}).{nearby}"
    )


def effect_title(effect: Mapping[str, Any], before: float | None) -> str:
    """The newest effect of a pivot in a line."""
    moved = f"{effect['approach']}, score {number(effect['observed'])}"
    if before is not None:
        change = effect["observed"] - before
        size = plural(abs(round(change)), "point")
        moved = "no change" if abs(change) < 0.5 else f"{'up' if change > 0 else 'down'} {size}"
    return f"Since the pivot: {moved}, {VERDICTS[effect['verdict']]}"


def _movement(change: float) -> str:
    if abs(change) < 0.05:
        return "the same"
    return f"{'up' if change > 0 else 'down'} {number(abs(change))}"


def scores_sentence(points: Sequence[Mapping[str, Any]], scale: Mapping[str, Any]) -> str:
    """First, last and outermost scores of a trajectory."""
    if not points:
        return f"No score of {scale['title']} yet."
    first, last = points[0], points[-1]
    if len(points) == 1:
        return f"One score of {scale['title']}: {number(first['score'])} on {day(first['on'])}."
    lowest = number(min(point["score"] for point in points))
    highest = number(max(point["score"] for point in points))
    return (
        f"{len(points)} scores of {scale['title']}, where {better_direction(scale)}: "
        f"{number(first['score'])} on {day(first['on'])}, {number(last['score'])} on "
        f"{day(last['on'])}; the lowest is {lowest}, the highest {highest}."
    )


def pivot_words(new: Mapping[str, Any], old: Mapping[str, Any] | None) -> str:
    """A change of approach, for a table."""
    return f"pivot{' from ' + str(old['approach']) if old else ''} to {new['approach']}"


def pivot_sentence(new: Mapping[str, Any], old: Mapping[str, Any] | None) -> str:
    """A change of approach."""
    before = f" from {old['approach']}" if old else ""
    return f"Pivot{before} to {new['approach']} on {day(new['since'])}."


def forecast_sentence(fan: Sequence[Mapping[str, Any]], on: str) -> str:
    """The forecast six weeks ahead, or the farthest short of that."""
    ahead = [step for step in fan if step["weeks"] <= 6] or fan
    step = ahead[-1]
    return (
        f"The forecast of {day(on)} for {plural(step['weeks'], 'week')} later is "
        f"{number(step['mean'])} (80 %: {number(step['low80'])} to {number(step['high80'])})."
    )


def point_sentence(point: Mapping[str, Any], weeks: float) -> str:
    """One measure, for whoever points at it."""
    band = f", {point['band']}" if point.get("band") else ""
    unused = "" if point["used"] else ", not used for findings"
    return f"{number(point['score'])}{band}; {day(point['on'])}, week {int(weeks)}{unused}"


def effect_open(approach: Mapping[str, Any]) -> str:
    """What is said of a pivot that no measure has followed yet, or that had no forecast."""
    made = approach.get("forecast")
    if not made:
        return "The forecast made at this pivot has not arrived here yet."
    if made.get("not_assessable"):
        return "No forecast could be made at this pivot, so its effect cannot be told from chance."
    return "No measure since the pivot yet."


SAID = {
    "acknowledged": "Acknowledged. It is in the record with your name and the time.",
    "snoozed": "Put off. It comes back by itself.",
    "dismissed": "Dismissed, with your reason. It stays listed on this page.",
    "reflected": "Reflection recorded.",
    "revised": "Revised. What was decided stays as it was recorded.",
    "retired": "Retired. From now on it is a mark on the chart alone.",
    "reinstated": "Reinstated. It speaks of what it finds from now on.",
    "found": "Noted as found out.",
    "regular": "Noted. The reminder comes to your inbox by itself, and is no alarm.",
    "toolkit": "Your toolkit is kept.",
    "said": "Written down as the client’s words. The next reflection starts from them.",
    "journal": "Written down, for you alone.",
}
"""What a page says after a command, by the code in its address."""

NOT_YET = "What you just did is stored. This page does not show it yet: load it again in a moment."

PROBLEMS = {
    401: "You are not signed in",
    404: "There is nothing here for you",
    405: "This address does not take that",
    413: "That was too much text",
    500: "Something failed on our side",
}
"""Titles of problem pages, by status; others use the problem's own."""

MODEL_LATER = "The model’s own number has not arrived yet; it will stand here."
MODEL_NONE = "The model has no number for the same: the course cannot be assessed."


def model_number(forecast: Mapping[str, Any] | None) -> str:
    """The engine's number for the event that the clinician was asked about."""
    if forecast is None:
        return MODEL_LATER
    if forecast.get("p_worked") is None:
        return MODEL_NONE
    return (
        f"The model’s number for the same: {percent(forecast['p_worked'])}. "
        "How often such numbers come true here is not known yet."
    )


def expected_now(scale: Mapping[str, Any], weeks: float) -> str:
    """What the usual course from this baseline would have been by now."""
    steps = [step for step in scale.get("expected") or [] if step["weeks"] <= weeks]
    if not steps or scale.get("baseline") is None:
        return ""
    return (
        f"The usual course from {number(scale['baseline'])} would be at about "
        f"{number(round(steps[-1]['score']))} by now."
    )


def sentence(text: str) -> str:
    """A text of ours as a sentence: a capital first, a full stop last."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")
