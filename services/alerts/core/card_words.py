"""Title, sentence and grounds of a card, channel by channel: the words of a finding.

They say what is seen, its size and against what. They ask; they never blame, order or name a cause.
"""

from collections.abc import Callable, Mapping

from services.alerts.core.figures import day, measures, percent, points, show, weeks, whole
from services.alerts.core.ground import Ground
from services.alerts.core.labels import why_not
from services.alerts.core.language import _, capital, gettext_noop, ngettext

Words = tuple[str, str, list[str]]


def _moved(ground: Ground) -> str:
    """How far a score has moved to the worse side, and since when."""
    form = (
        _("{instrument} up {points} {since}")
        if ground.worse == "up"
        else _("{instrument} down {points} {since}")
    )
    change = points(ground.number("change"))
    return form.format(instrument=ground.title, points=change, since=_since(ground))


def _worse(ground: Ground) -> Words:
    moved = _moved(ground)
    times = ground.number("measures")
    confirmed = (
        _("at two measures in a row")
        if times is None or times >= 2
        else _("at once by twice that much")
    )
    title = _("{moved}, more than measurement error explains").format(moved=moved)
    sentence = _(
        "{moved}, {confirmed}. Change beyond measurement error is {reliable}. What has changed?"
    ).format(moved=moved, confirmed=confirmed, reliable=points(ground.number("reliable_change")))
    return title, sentence, _change_grounds(ground)


def _possibly(ground: Ground) -> Words:
    moved = _moved(ground)
    title = _("{moved} at one measure, not yet confirmed").format(moved=moved)
    sentence = _(
        "{moved} at one measure; measurement error is up to {reliable}. One measure says little; "
        "the next will show."
    ).format(moved=moved, reliable=points(ground.number("reliable_change")))
    return title, sentence, _change_grounds(ground)


def _since(ground: Ground) -> str:
    label = ground.text("baseline_label")
    if label and label not in ("baseline", "start"):
        form = _("since the {label}") if label.startswith("late") else _("since {label}")
        return form.format(label=label)
    return _("since the start")


def _change_grounds(ground: Ground) -> list[str]:
    baseline, score = ground.number("baseline"), ground.number("score")
    lines = []
    if baseline is not None and score is not None:
        form = _(
            "{baseline} on {day} to {score} is {points}; change beyond measurement error is "
            "{reliable} ({method})."
        )
        said = {
            "baseline": show(baseline),
            "day": day(ground.text("baseline_on")),
            "score": show(score),
            "points": points(ground.number("change")),
            "reliable": _beyond(ground),
            "method": _method(ground),
        }
        lines.append(form.format(**said))
    truly = ground.number("p_truly_worse")
    if truly is not None:
        lines.append(
            _(
                "Probability truly worse than at the start: {percent}. It is shown beside the "
                "rule and is not the rule."
            ).format(percent=percent(truly))
        )
    return lines


def _beyond(ground: Ground) -> str:
    """From which change on it is beyond measurement error: a published limit may be reached."""
    at_least = bool(ground.evidence.get("numbers", {}).get("at_least"))
    form = _("at least {reliable}") if at_least else _("more than {reliable}")
    return form.format(reliable=show(ground.number("reliable_change")))


def _method(ground: Ground) -> str:
    """How the reliable change was come by."""
    published = ground.text("reliable_change_is") == "published"
    return _("as published, not computed here") if published else _("Jacobson-Truax")


def _aim(ground: Ground) -> str:
    """What a course fails at, as its alarm means it."""
    if ground.number("cutoff") is None:
        return _("not reliably better")
    if ground.better == "up":
        return _("neither reliably better nor above the cut-off")
    return _("neither reliably better nor below the cut-off")


def _off_track(ground: Ground) -> Words:
    lasted = ground.number("weeks")
    said = {
        "instrument": ground.title,
        "level": show(ground.number("level")),
        "lasted": weeks(lasted) if lasted is not None else _("so far"),
        "chance": percent(ground.number("p_fail")),
        "aim": _aim(ground),
        "horizon": show(ground.number("horizon_weeks") or 6),
    }
    p_fail, threshold = ground.number("p_fail"), ground.number("threshold")
    said["threshold"], said["number"] = percent(threshold), show(ground.number("measure_number"))
    endings = ground.number("endings")
    title, sentence, alarm = _of_model(said) if endings is None else _of_clinic(ground, said)
    movement = _movement(ground)
    if movement:
        sentence = f"{sentence} {movement}"
    if p_fail is not None and threshold is not None and p_fail < threshold:
        below = _("Below the alarm now; it clears when that holds at two measures.")
        sentence = f"{sentence} {below}"
    return title, sentence, [alarm]


def _movement(ground: Ground) -> str:
    """What the scores themselves do: flat needs weeks of measures, before that it is not said."""
    flat = ground.number("flat_weeks")
    if flat is not None:
        return _("The scores have been flat over {window}.").format(window=weeks(flat))
    return _("No measurable movement yet.") if ground.text("no_movement_yet") else ""


def _of_model(said: Mapping[str, str]) -> tuple[str, str, str]:
    """Title, sentence and grounds where P(fail) is the model's own."""
    title = _(
        "{instrument} around {level} after {lasted}: {chance} likely {aim} in {horizon} weeks"
    )
    sentence = _(
        "Around {level} after {lasted}. Model: {chance} likely to be {aim} in {horizon} weeks "
        "(not yet checked in this clinic)."
    )
    alarm = _(
        "P({aim} in {horizon} weeks) = {chance}; the alarm begins at {threshold}, measure {number}."
    )
    return title.format(**said), sentence.format(**said), alarm.format(**said)


def _of_clinic(ground: Ground, said: Mapping[str, str]) -> tuple[str, str, str]:
    """The same where this clinic's own endings say what it means."""
    more = {
        **said,
        "endings": f"{ground.number('endings') or 0:,.0f}",
        "model": percent(ground.number("p_fail_of_model")),
    }
    title = _("{instrument} around {level} after {lasted}: {chance} likely to end {aim}")
    sentence = _(
        "Around {level} after {lasted}. By this clinic's own calibration: {chance} likely to end "
        "{aim}."
    )
    alarm = _(
        "P(ends {aim}) = {chance}, by this clinic's own calibration from {endings} closed courses; "
        "the model alone says {model} in {horizon} weeks. The alarm begins at {threshold}, measure "
        "{number}: the calibration alters the number, not who is alarmed."
    )
    return title.format(**more), sentence.format(**more), alarm.format(**more)


def _plateau(ground: Ground) -> Words:
    said = {
        "instrument": ground.title,
        "level": show(ground.number("level")),
        "window": weeks(ground.number("window_weeks")),
        "flat": percent(ground.number("p_flat")),
    }
    title = _("{instrument} flat around {level} over {window}").format(**said)
    sentence = _(
        "{instrument} flat around {level} over {window}: {flat} likely that four weeks move it by "
        "less than half a reliable change. What did we expect by now?"
    ).format(**said)
    slope = _(
        "Least-squares slope {slope} points a week, {measures} measures; P(four weeks' movement "
        "under half a reliable change) = {flat}, P(still a case) = {case}, P(reliably better) = "
        "{better}."
    ).format(
        slope=show(ground.number("slope")),
        measures=show(ground.number("n")),
        flat=said["flat"],
        case=percent(ground.number("p_case")),
        better=percent(ground.number("p_better")),
    )
    return title, sentence, [slope]


def _stalled(ground: Ground) -> Words:
    said = {
        "instrument": ground.title,
        "gain": points(ground.number("gain")),
        "week": show(ground.number("by_week")),
        "level": show(ground.number("level")),
    }
    title = _("{instrument}: gained {gain} by week {week}, level since, still {level}").format(
        **said
    )
    sentence = _(
        "Gained {gain} by week {week}, level since, still {level}. What helped then?"
    ).format(**said)
    better = _("Reliably better by week {week}; flat since week {since}; P(still a case) = {case}.")
    since, case = show(ground.number("since_week")), percent(ground.number("p_case"))
    return title, sentence, [better.format(**said, since=since, case=case)]


def _lost(ground: Ground) -> Words:
    said = {
        "instrument": ground.title,
        "gain": points(ground.number("gain")),
        "loss": show(ground.number("loss")),
        "score": show(ground.number("score")),
        "day": day(ground.text("best_on")),
        "best": show(ground.number("best")),
    }
    title = _("{instrument}: had gained {gain}, {loss} of it lost again")
    sentence = _(
        "Had gained {gain} by {day}; {loss} of it is lost at two measures, now {score}. "
        "What was different then?"
    )
    grounds = _(
        "Best two-measure mean {best}; loss {loss}, at two measures in a row at least half the "
        "gain and beyond measurement error."
    )
    if relapsed(ground):
        title = _("{instrument}: back in the clinical range after a gain of {gain}")
        sentence = _(
            "Had gained {gain} by {day}; {loss} of it is lost and the score is back in the "
            "clinical range, now {score}. What was different then?"
        )
    return title.format(**said), sentence.format(**said), [grounds.format(**said)]


def relapsed(ground: Ground) -> bool:
    """Whether what was lost had led out of the clinical range, and leads back into it."""
    return bool(ground.evidence.get("numbers", {}).get("relapse"))


def _disconnection(ground: Ground) -> Words:
    if ground.text("kind") == "silence":
        days = show(ground.number("days"))
        sentence = _(
            "No measure for {days} days (last on {day}). There may be a plain reason. Silence "
            "does not say that it goes well."
        ).format(days=days, day=day(ground.text("since")))
        title = _("No measure for {days} days").format(days=days)
        return title, sentence, [_("No announced break covers this time.")]
    title = _("{missed} of the last {of} sessions missed or cancelled").format(
        missed=show(ground.number("missed")), of=show(ground.number("of"))
    )
    sentence = _("{missed}. There may be a plain reason; do we know it?").format(missed=title)
    return title, sentence, [_("Two in a row, or three of the last six, are shown.")]


def _not_assessable(ground: Ground) -> Words:
    reasons = [str(code) for code in ground.evidence.get("reasons", ())]
    grounds = [why_not(code) for code in reasons]
    if reasons and not {"too_few", "too_old"} & set(reasons):
        why = grounds[0].rstrip(".")
        title = _("Not assessable: {why}").format(why=f"{why[:1].lower()}{why[1:]}")
        return title, _("{why}. We cannot say whether this goes well.").format(why=why), grounds
    have, days = measures(ground.number("measures"), ground.title), ground.number("days")
    if days:
        form = ngettext(
            "{measures}, the last {count} day old", "{measures}, the last {count} days old",
            round(days),
        )  # fmt: skip
        have = form.format(measures=have, count=whole(days))
    sentence = _("{why}. We cannot say whether this goes well.").format(why=capital(have))
    return _("Not assessable: {why}").format(why=have), sentence, grounds


_VALIDITY = {
    "sawtooth": gettext_noop("Scores swing to and fro by more than measurement error"),
    "conflict": gettext_noop("A total and its items do not agree"),
    "two_on_a_day": gettext_noop("Two measures of one day disagree"),
    "floor": gettext_noop("Scores lie at the lower end of the scale"),
    "ceiling": gettext_noop("Scores lie at the upper end of the scale"),
}


def _validity(ground: Ground) -> Words:
    unusual = gettext_noop("Something in the measures is unusual")
    what = _(_VALIDITY.get(ground.text("kind") or "", unusual))
    title = f"{ground.title}: {what[:1].lower()}{what[1:]}"
    sentence = _("{what}. The measure itself may be worth a word.").format(what=what)
    return title, sentence, []


GOOD = {
    "sudden_gain": (gettext_noop("Sudden gain"), gettext_noop("in one step, and held")),
    "reliable_improvement": (
        gettext_noop("Reliably better"),
        gettext_noop("since the start, beyond measurement error"),
    ),
    "recovery": (
        gettext_noop("Recovered"),
        gettext_noop("since the start, and now outside the clinical range"),
    ),
}


def _good_news(ground: Ground) -> Words:
    how = GOOD.get(ground.text("kind") or "", ("", gettext_noop("since the start")))[1]
    form = _("up {points} {how}") if ground.better == "up" else _("down {points} {how}")
    moved = form.format(points=points(ground.number("gain")), how=_(how))
    title = f"{ground.title} {moved}"
    sentence = _("{moved}. Worth asking what happened.").format(moved=capital(moved))
    return title, sentence, []


def unknown(ground: Ground) -> Words:
    """Of a channel that this release has no words for."""
    name = ground.channel.replace("_", " ")
    return f"{ground.title}: {name}", f"{ground.title}: {name}.", []


WORDS: dict[str, Callable[[Ground], Words]] = {
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
