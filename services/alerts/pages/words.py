"""Words of the pages that depend on data; those that do not stand in the templates."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.alerts.core.language import (
    SHORT_MONTHS,
    _,
    capital,
    day_words,
    gettext_noop,
    ngettext,
)

NOT_BUILT = gettext_noop(
    "The pages are being built. What is missing here is not good news: it is not known yet."
)
STALE = gettext_noop(
    "This page may be out of date: it last took in something {age} ago. "
    "Nothing new here does not mean that nothing happened."
)
NO_POLICY = gettext_noop(
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
    "conflict": gettext_noop("total and items disagree"),
    "prorated": gettext_noop("missing items filled with the mean"),
    "incomplete": gettext_noop("too few items answered"),
    "item not applicable": gettext_noop("an item did not apply, so the highest score is lower"),
    "risk item unanswered": gettext_noop("risk item unanswered"),
    "zone missing": gettext_noop("time sent without a zone"),
}

ATTENDANCES = {
    "attended": gettext_noop("attended"),
    "late": gettext_noop("late"),
    "missed": gettext_noop("missed"),
    "cancelled": gettext_noop("cancelled"),
}

KINDS = {
    "medication": gettext_noop("medication"),
    "life event": gettext_noop("life event"),
    "break": gettext_noop("break"),
    "setting": gettext_noop("setting"),
    "other": gettext_noop("other"),
}
"""Of facts that the EHR sends."""

ENDED = {
    "acknowledged": gettext_noop("acknowledged"),
    "dismissed": gettext_noop("dismissed"),
    "withdrawn": gettext_noop("withdrawn: what it rested on was corrected"),
    "settled": gettext_noop("settled"),
    "snoozed": gettext_noop("put off"),
    "held": gettext_noop("held back"),
    "raised": gettext_noop("open"),
    "seen": gettext_noop("open, seen"),
}

VERDICTS = {
    "within forecast": gettext_noop("within what was forecast"),
    "better than forecast": gettext_noop("better than was forecast"),
    "worse than forecast": gettext_noop("worse than was forecast"),
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
    on = date.fromisoformat(text[:10])
    return day_words(on, on.year != this_year)


def short_day(text: str) -> str:
    """An ISO date for a chart: 5 Jan 2026."""
    return day_words(date.fromisoformat(text[:10]), months=SHORT_MONTHS)


def moment(text: str | None, zone: ZoneInfo, now: datetime) -> str:
    """An ISO time in the installation's time zone: “today 09:40”, “3 March 09:40”."""
    if not text:
        return "–"
    local = datetime.fromisoformat(text).astimezone(zone)
    today = now.astimezone(zone).date()
    named = {0: _("today"), 1: _("yesterday"), -1: _("tomorrow")}.get((today - local.date()).days)
    return f"{named or day(local.date().isoformat(), today.year)} {local:%H:%M}"


def lasting(seconds: float) -> str:
    """A length of time in the largest unit that fits."""
    days, hours, minutes = (int(seconds // size) for size in (86400, 3600, 60))
    if days:
        return ngettext("{count} day", "{count} days", days).format(count=days)
    if hours:
        return ngettext("{count} hour", "{count} hours", hours).format(count=hours)
    if minutes:
        return ngettext("{count} minute", "{count} minutes", minutes).format(count=minutes)
    whole = int(seconds)
    return ngettext("{count} second", "{count} seconds", whole).format(count=whole)


def weeks(count: int) -> str:
    """So many weeks."""
    return ngettext("{count} week", "{count} weeks", count).format(count=count)


def range_of(first: str, last: str) -> str:
    """From one number to another."""
    return _("{first} to {last}").format(first=first, last=last)


def cutoff(value: float) -> str:
    """The cut-off of a scale, for a chart."""
    return _("cut-off {score}").format(score=number(value))


def attendance(kind: str) -> str:
    """What became of a session."""
    return _(ATTENDANCES.get(kind, kind))


def session(kind: str) -> str:
    """A session by what became of it."""
    return _("session {attendance}").format(attendance=attendance(kind))


def kind(name: str) -> str:
    """What kind of fact was sent."""
    return _(KINDS.get(name, name.replace("_", " ")))


def listed(parts: Sequence[str]) -> str:
    """Parts as one phrase: a, b and c."""
    if len(parts) == 1:
        return parts[0]
    return _("{first} and {last}").format(first=", ".join(parts[:-1]), last=parts[-1])


def better_direction(scale: Mapping[str, Any]) -> str:
    """Which way is better on a scale."""
    return _("lower is better") if scale["higher_is"] == "worse" else _("higher is better")


def effect_sentence(effect: Mapping[str, Any], baseline: float | None) -> str:
    """What happened since a pivot, against the forecast made at it.

    `effect` is the data of an *effect measured* message. "Better" or "worse" is said only
    where its verdict says so, that is outside the 80 % interval.
    """
    form = _(
        "{weeks} after the pivot to {approach} the score is {observed}: {verdict} ({mean}, 80 %: "
        "{low} to {high})."
    )
    if baseline is not None:
        form = _(
            "{weeks} after the pivot to {approach} the score is {observed} ({moved} since the "
            "pivot): {verdict} ({mean}, 80 %: {low} to {high})."
        )
    told = form.format(
        weeks=weeks(max(round(effect["weeks"]), 0)),
        approach=effect["approach"],
        observed=number(effect["observed"]),
        moved=_movement(effect["observed"] - (baseline or 0)),
        verdict=_(VERDICTS[effect["verdict"]]),
        mean=number(effect["mean"]),
        low=number(effect["low80"]),
        high=number(effect["high80"]),
    )
    also = effect.get("also_changed") or []
    if not also:
        return told
    nearby = _("At about the same time: {changes}.").format(changes=listed(list(also)))
    return f"{told} {nearby}"


def effect_title(effect: Mapping[str, Any], before: float | None) -> str:
    """The newest effect of a pivot in a line."""
    moved = _("{approach}, score {score}").format(
        approach=effect["approach"], score=number(effect["observed"])
    )
    if before is not None:
        moved = _in_points(effect["observed"] - before)
    return _("Since the pivot: {moved}, {verdict}").format(
        moved=moved, verdict=_(VERDICTS[effect["verdict"]])
    )


def _in_points(change: float) -> str:
    if abs(change) < 0.5:
        return _("no change")
    size = abs(round(change))
    form = (
        ngettext("up {count} point", "up {count} points", size)
        if change > 0
        else ngettext("down {count} point", "down {count} points", size)
    )
    return form.format(count=size)


def _movement(change: float) -> str:
    if abs(change) < 0.05:
        return _("the same")
    form = _("up {change}") if change > 0 else _("down {change}")
    return form.format(change=number(abs(change)))


def scores_sentence(points: Sequence[Mapping[str, Any]], scale: Mapping[str, Any]) -> str:
    """First, last and outermost scores of a trajectory."""
    if not points:
        return _("No score of {instrument} yet.").format(instrument=scale["title"])
    first, last = points[0], points[-1]
    said = {
        "count": len(points),
        "instrument": scale["title"],
        "direction": better_direction(scale),
        "first": number(first["score"]),
        "first_day": day(first["on"]),
        "last": number(last["score"]),
        "last_day": day(last["on"]),
        "lowest": number(min(point["score"] for point in points)),
        "highest": number(max(point["score"] for point in points)),
    }
    if len(points) == 1:
        return _("One score of {instrument}: {first} on {first_day}.").format(**said)
    return _(
        "{count} scores of {instrument}, where {direction}: {first} on {first_day}, {last} on "
        "{last_day}; the lowest is {lowest}, the highest {highest}."
    ).format(**said)


def pivot_words(new: Mapping[str, Any], old: Mapping[str, Any] | None) -> str:
    """A change of approach, for a table."""
    if old is None:
        return _("pivot to {new}").format(new=new["approach"])
    return _("pivot from {old} to {new}").format(old=old["approach"], new=new["approach"])


def pivot_sentence(new: Mapping[str, Any], old: Mapping[str, Any] | None) -> str:
    """A change of approach."""
    on = day(new["since"])
    if old is None:
        return _("Pivot to {new} on {day}.").format(new=new["approach"], day=on)
    form = _("Pivot from {old} to {new} on {day}.")
    return form.format(old=old["approach"], new=new["approach"], day=on)


def forecast_sentence(fan: Sequence[Mapping[str, Any]], on: str) -> str:
    """The forecast six weeks ahead, or the farthest short of that."""
    ahead = [step for step in fan if step["weeks"] <= 6] or fan
    step = ahead[-1]
    return _("The forecast of {day} for {weeks} later is {mean} (80 %: {low} to {high}).").format(
        day=day(on),
        weeks=weeks(step["weeks"]),
        mean=number(step["mean"]),
        low=number(step["low80"]),
        high=number(step["high80"]),
    )


def point_sentence(point: Mapping[str, Any], weeks: float) -> str:
    """One measure, for whoever points at it."""
    form = _("{score}; {day}, week {week}")
    if not point["used"]:
        form = _("{score}; {day}, week {week}, not used for findings")
    score = number(point["score"])
    if point.get("band"):
        score = f"{score}, {point['band']}"
    return form.format(score=score, day=day(point["on"]), week=int(weeks))


def effect_open(approach: Mapping[str, Any]) -> str:
    """What is said of a pivot that no measure has followed yet, or that had no forecast."""
    made = approach.get("forecast")
    if not made:
        return _("The forecast made at this pivot has not arrived here yet.")
    if made.get("not_assessable"):
        return _(
            "No forecast could be made at this pivot, so its effect cannot be told from chance."
        )
    return _("No measure since the pivot yet.")


SAID = {
    "acknowledged": gettext_noop("Acknowledged. It is in the record with your name and the time."),
    "snoozed": gettext_noop("Put off. It comes back by itself."),
    "dismissed": gettext_noop("Dismissed, with your reason. It stays listed on this page."),
    "reflected": gettext_noop("Reflection recorded."),
    "revised": gettext_noop("Revised. What was decided stays as it was recorded."),
    "retired": gettext_noop("Retired. From now on it is a mark on the chart alone."),
    "reinstated": gettext_noop("Reinstated. It speaks of what it finds from now on."),
    "found": gettext_noop("Noted as found out."),
    "regular": gettext_noop("Noted. The reminder comes to your inbox by itself, and is no alarm."),
    "toolkit": gettext_noop("Your toolkit is kept."),
    "said": gettext_noop(
        "Written down as the client’s words. The next reflection starts from them."
    ),
    "journal": gettext_noop("Written down, for you alone."),
}
"""What a page says after a command, by the code in its address."""

NOT_YET = gettext_noop(
    "What you just did is stored. This page does not show it yet: load it again in a moment."
)

PROBLEMS = {
    401: gettext_noop("You are not signed in"),
    404: gettext_noop("There is nothing here for you"),
    405: gettext_noop("This address does not take that"),
    413: gettext_noop("That was too much text"),
    500: gettext_noop("Something failed on our side"),
    503: gettext_noop("Not available just now"),
}
"""Titles of problem pages, by status; others use the problem's own."""

DETAILS = {
    "bad-request": gettext_noop("What was sent does not fit this address. Nothing was changed."),
    "not-found": gettext_noop(
        "There is nothing at this address, or not for you. Whose clients you see is decided by who "
        "treats them, stands in or supervises."
    ),
    "method-not-allowed": gettext_noop("Go back and load the page again. Nothing was changed."),
    "too-large": gettext_noop("Send it in smaller parts. Nothing was kept."),
    "unprocessable": gettext_noop("What was sent does not fit this address. Nothing was changed."),
    "unavailable": gettext_noop("Not available just now. Try the same again in a moment."),
}
"""What to do about bare HTTP faults, in words for people; others use the problem's own."""

MODEL_LATER = gettext_noop("The model’s own number has not arrived yet; it will stand here.")
MODEL_NONE = gettext_noop("The model has no number for the same: the course cannot be assessed.")


def model_number(forecast: Mapping[str, Any] | None) -> str:
    """The engine's number for the event that the clinician was asked about."""
    if forecast is None:
        return _(MODEL_LATER)
    if forecast.get("p_worked") is None:
        return _(MODEL_NONE)
    return _(
        "The model’s number for the same: {percent}. How often such numbers come true here is not "
        "known yet."
    ).format(percent=percent(forecast["p_worked"]))


def expected_now(scale: Mapping[str, Any], weeks: float) -> str:
    """What the usual course from this baseline would have been by now."""
    steps = [step for step in scale.get("expected") or [] if step["weeks"] <= weeks]
    if not steps or scale.get("baseline") is None:
        return ""
    return _("The usual course from {baseline} would be at about {score} by now.").format(
        baseline=number(scale["baseline"]), score=number(round(steps[-1]["score"]))
    )


def sentence(text: str) -> str:
    """A text of ours as a sentence: a capital first, a full stop last."""
    text = text.strip()
    if not text:
        return ""
    return capital(text) + ("" if text[-1] in ".?!" else ".")
