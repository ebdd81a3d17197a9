"""What was to be expected, on a chart: the usual course and the forecasts made of this one."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerts.core.language import _
from services.alerts.core.lesson import pivots
from services.alerts.pages import words
from services.alerts.pages.axes import day_of
from services.alerts.pages.labels import beside, sampled
from services.alerts.pages.marks import Path, polygon, polyline
from services.alerts.pages.sheet import HORIZON, Sheet


def draw_usual_course(sheet: Sheet) -> None:
    """The usual course of those who start like this."""
    frame, scale = sheet.frame, sheet.scale
    expected = scale.get("expected") or []
    since = scale.get("baseline_on") or (sheet.points[0]["on"] if sheet.points else None)
    if not expected or since is None:
        return
    start = frame.weeks(since)
    dated = [(start + float(step["weeks"]), float(step["score"])) for step in expected]
    path = [(frame.x(week), frame.y(score)) for week, score in dated if week <= frame.last]
    if len(path) < 2:
        return
    sheet.marks.append(Path("usual", polyline(path)))
    sheet.board.avoid(sampled(path), 3)
    text = _("usual course from {score}").format(score=words.number(expected[0]["score"]))
    sheet.label("usual-words", text, beside(path, sheet.size.font))


def _cone(sheet: Sheet, fan: Sequence[Mapping[str, Any]], on: str, horizon: float) -> list[Any]:
    """The steps of a forecast that fit on the axis, from the estimate that it starts from."""
    start = sheet.frame.weeks(on)
    apex = _estimate_on(sheet, on)
    steps = [(start + float(step["weeks"]), step) for step in fan if step["weeks"] <= horizon]
    steps = [(week, step) for week, step in steps if week <= sheet.frame.last]
    if apex is not None:
        flat = dict.fromkeys(("mean", "low50", "high50", "low80", "high80"), apex)
        steps.insert(0, (start, flat))
    return steps


def _estimate_on(sheet: Sheet, on: str) -> float | None:
    """The level estimated at the last measure up to a date, else its score."""
    before = [point for point in sheet.points if day_of(point["on"]) <= day_of(on)]
    if not before:
        return None
    level = before[-1]["state"].get("level")
    return float(before[-1]["score"] if level is None else level)


def _fan(sheet: Sheet, steps: list[Any], look: str, share: str) -> None:
    frame = sheet.frame
    low = [(frame.x(week), frame.y(step[f"low{share}"])) for week, step in steps]
    high = [(frame.x(week), frame.y(step[f"high{share}"])) for week, step in steps]
    sheet.marks.append(Path(look, polygon([*low, *high[::-1]])))
    sheet.board.avoid([*sampled(low), *sampled(high)], 2)
    for pair in zip(low, high, strict=True):  # words read badly on the tint, so inside as well
        sheet.board.avoid(sampled(pair, 18), 6)


def draw_pivot_forecast(sheet: Sheet) -> None:
    """The forecast made at the last pivot that has one: what its effect is held against."""
    for new, _old in reversed(pivots(sheet.course)):
        made = new.get("forecast")
        if made and made.get("fan") and made.get("trajectory") in (None, sheet.trajectory):
            break
    else:
        return
    steps = _cone(sheet, made["fan"], made["on"], horizon=12)
    if len(steps) < 2:
        return
    _fan(sheet, steps, "pivot-fan", "80")
    middle = [(sheet.frame.x(week), sheet.frame.y(step["mean"])) for week, step in steps]
    edges = [
        (sheet.frame.x(week), sheet.frame.y(step[key]))
        for week, step in steps[1:]
        for key in ("high80", "low80")
    ]
    sheet.marks.append(Path("pivot-mean", polyline(middle)))
    sheet.board.avoid(sampled(middle), 2)
    spots = beside(edges, sheet.size.font) + beside(middle, sheet.size.font)
    sheet.label("pivot-words", _("forecast at the pivot"), spots)


def draw_present_forecast(sheet: Sheet) -> None:
    """The forecast made at the newest measure, while the episode is open."""
    track = sheet.track
    if sheet.course["status"] != "open" or not track.get("fan") or not track.get("fan_on"):
        return
    steps = _cone(sheet, track["fan"], track["fan_on"], HORIZON)
    if len(steps) < 2:
        return
    _fan(sheet, steps, "fan80", "80")
    _fan(sheet, steps, "fan50", "50")
    middle = [(sheet.frame.x(week), sheet.frame.y(step["mean"])) for week, step in steps]
    sheet.marks.append(Path("fan-mean", polyline(middle)))
    edges = [
        (sheet.frame.x(week), sheet.frame.y(step[key]))
        for week, step in steps[1:]
        for key in ("low80", "high80")
    ]
    text = _("forecast of {day}").format(day=words.short_day(track["fan_on"]))
    spots = beside(edges, sheet.size.font) + beside(middle, sheet.size.font)
    sheet.label("score-words", text, spots)
