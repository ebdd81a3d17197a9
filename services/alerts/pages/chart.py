"""The chart of an episode: a course document to the primitives of one SVG, all on one time axis.

Pure: no clock, no request, no store. Layers from back to front: severity bands, cut-off and
reliable-change lines, usual course, the forecast made at the last pivot, the present forecast,
estimate, scores, pivots; below them sessions missed, other facts, approaches and weeks. Words
stand where the thing is; those without a free place are handed back as notes for the page.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from services.alerts.core.labels import LABELS, TONES, label_of
from services.alerts.core.language import _, gettext_noop
from services.alerts.core.lesson import pivots
from services.alerts.pages import words
from services.alerts.pages.axes import day_of, score_ticks
from services.alerts.pages.labels import Spot, shorten, spread
from services.alerts.pages.lanes import draw_lanes
from services.alerts.pages.marks import (
    Dot,
    Drawing,
    Line,
    Path,
    diamond,
    polygon,
    polyline,
)
from services.alerts.pages.sheet import (
    EXTRA,
    HORIZON,
    LIMIT,
    NARROW,
    WIDE,
    Sheet,
    Size,
    prepare,
)

__all__ = ["NARROW", "WIDE", "Drawing", "Size", "describe", "draw"]

GAP_WEEKS = 60 / 7
"""A longer gap starts a new segment: nothing is drawn across it."""
_RINGED = frozenset(LABELS) - {"risk_answer", "not_assessable", "disconnection", "validity"}
_RELIABLY = {
    (True, True): gettext_noop("reliably better below {score}"),
    (True, False): gettext_noop("reliably better above {score}"),
    (False, True): gettext_noop("reliably worse below {score}"),
    (False, False): gettext_noop("reliably worse above {score}"),
}
"""Whether it is better, and whether it lies below, to the words of a limit."""

_Place = tuple[float, float]


def draw(course: Mapping[str, Any], trajectory: str, today: date, size: Size = WIDE) -> Drawing:
    """Draw one trajectory of a course document with all that happened in the episode.

    Args:
        course: the document that `services.alerts.views.course` describes.
        trajectory: a key of its `trajectories`.
        today: the installation's present day; an open episode reaches to it.
        size: WIDE or NARROW.
    """
    sheet = prepare(course, trajectory, today, size)
    _bands(sheet)
    _side(sheet)
    _usual_course(sheet)
    _pivot_forecast(sheet)
    _present_forecast(sheet)
    _reliable_change(sheet)
    _cutoff(sheet)
    _pivots(sheet)
    _estimate(sheet)
    _scores(sheet)
    _findings(sheet)
    _today(sheet, today)
    height = draw_lanes(sheet)
    sheet.settle_labels()
    title = _("{instrument} over {weeks}").format(
        instrument=sheet.scale["title"], weeks=words.weeks(max(round(sheet.until), 0))
    )
    return Drawing(
        width=size.width,
        height=round(height),
        title=title,
        description=describe(course, trajectory),
        marks=(*sheet.marks, *sheet.board.texts),
        notes=tuple(sheet.notes),
    )


def describe(course: Mapping[str, Any], trajectory: str) -> str:
    """What the chart shows, in sentences, for those who do not see it."""
    track = course["trajectories"][trajectory]
    scale = track["scale"]
    points = [point for point in track["points"] if point.get("score") is not None]
    parts = [words.scores_sentence(points, scale)]
    if scale.get("cutoff") is not None:
        parts.append(_("The cut-off is {cutoff}.").format(cutoff=words.number(scale["cutoff"])))
    parts += [words.pivot_sentence(new, old) for new, old in pivots(course)]
    effects = [e for a in course["approaches"] for e in live_effects(a, trajectory)]
    if effects:
        parts.append(words.effect_sentence(effects[-1], None))
    if track.get("fan") and course["status"] == "open":
        parts.append(words.forecast_sentence(track["fan"], track["fan_on"]))
    return " ".join(parts)


def live_effects(
    approach: Mapping[str, Any], trajectory: str | None = None
) -> list[dict[str, Any]]:
    """The effects measured of a pivot that still hold, oldest first."""
    return [
        effect
        for effect in sorted(approach.get("effects") or [], key=lambda one: str(one["on"]))
        if not effect.get("withdrawn") and trajectory in (None, effect["trajectory"])
    ]


def _bands(sheet: Sheet) -> None:
    """A line at the foot of each severity band, its name at the right where there is room."""
    frame = sheet.frame
    sheet.marks.append(Line("axis", frame.left, frame.bottom, frame.right, frame.bottom))
    bands = sorted(sheet.scale.get("bands") or [], key=lambda band: -float(band["low"]))
    for band in bands:
        y = frame.y(float(band["low"]))
        if frame.top <= y < frame.bottom:
            sheet.marks.append(Line("band", frame.left, y, frame.right, y))
    if sheet.size.gutter < 60 or not bands:
        return
    middles = [frame.y((float(band["low"]) + float(band["high"])) / 2) + 4 for band in bands]
    for band, y in zip(bands, spread(middles, 14, frame.top + 8, frame.bottom), strict=True):
        if y <= frame.bottom:
            name = shorten(str(band["label"]), sheet.size.gutter - 10, sheet.size.font)
            sheet.board.put("soft", name, Spot(frame.right + 8, y))


def _side(sheet: Sheet) -> None:
    """The caption with the direction, and the scores named at the side."""
    frame, scale = sheet.frame, sheet.scale
    caption = f"{scale['title']}, {words.better_direction(scale)}"
    sheet.board.put("ink", caption, Spot(4, 15))
    for value in score_ticks(scale, frame.bottom - frame.top):
        y = frame.y(value) + 0.34 * sheet.size.font
        sheet.board.put("soft", words.number(value), Spot(frame.left - 7, y, "end"))


def _cutoff(sheet: Sheet) -> None:
    frame, cutoff = sheet.frame, sheet.scale.get("cutoff")
    if cutoff is None:
        return
    y = frame.y(float(cutoff))
    sheet.marks.append(Line("cutoff", frame.left, y, frame.right, y))
    sheet.board.avoid(_sampled([(frame.left, y), (frame.right, y)]), 1)
    spots = _along_line(sheet, y, frame.left, frame.right)
    sheet.label("soft", words.cutoff(cutoff), spots, rank=LIMIT)


def _reliable_change(sheet: Sheet) -> None:
    """How far a score must move from the baseline to be reliably changed, to either side."""
    frame, scale = sheet.frame, sheet.scale
    change, baseline = scale.get("reliable_change"), scale.get("baseline")
    if change is None or baseline is None or not sheet.points:
        return
    start = frame.x_on(scale.get("baseline_on") or sheet.points[0]["on"])
    end = max(frame.x_on(sheet.points[-1]["on"]), start + 60)
    for sign in (-1, 1):
        value = float(baseline) + sign * float(change)
        if not frame.low < value < frame.high:
            continue
        y = frame.y(value)
        sheet.marks.append(Line("reliable", start, y, end, y))
        sheet.board.avoid(_sampled([(start, y), (end, y)]), 1)
        better = (sign < 0) == (scale["higher_is"] == "worse")
        text = _RELIABLY[better, sign < 0]
        spots = _along_line(sheet, y, start, end)
        spots += _along_line(sheet, y, frame.left, frame.right)
        sheet.label("soft", _(text).format(score=words.number(value)), spots, rank=LIMIT)


def _along_line(sheet: Sheet, y: float, left: float, right: float) -> list[Spot]:
    """Places beside a horizontal line, at either end first, then in between."""
    spots = []
    for share in (0.0, 0.99, 0.2, 0.4, 0.6, 0.8):
        x = left + 4 + share * (right - left - 4)
        anchor = "end" if share > 0.9 else "start"
        spots += [Spot(x, y - 5, anchor), Spot(x, y + sheet.size.font, anchor)]
    return spots


def _beside(points: Sequence[_Place], size: Size) -> list[Spot]:
    """Places along a curve, from its end backwards, above and below, near and farther."""
    few = points[::-1][:: max(len(points) // 6, 1)]
    return [
        Spot(x, y - away if above else y + away + 0.8 * size.font, anchor)
        for away in (6, 14, 26)
        for x, y in few
        for anchor in ("start", "middle", "end")
        for above in (True, False)
    ]


def _usual_course(sheet: Sheet) -> None:
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
    sheet.board.avoid(_sampled(path), 3)
    text = _("usual course from {score}").format(score=words.number(expected[0]["score"]))
    sheet.label("usual-words", text, _beside(path, sheet.size))


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
    sheet.board.avoid([*_sampled(low), *_sampled(high)], 2)
    for pair in zip(low, high, strict=True):  # words read badly on the tint, so inside as well
        sheet.board.avoid(_sampled(pair, 18), 6)


def _pivot_forecast(sheet: Sheet) -> None:
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
    sheet.board.avoid(_sampled(middle), 2)
    spots = _beside(edges, sheet.size) + _beside(middle, sheet.size)
    sheet.label("pivot-words", _("forecast at the pivot"), spots)


def _present_forecast(sheet: Sheet) -> None:
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
    sheet.label("score-words", text, _beside(edges, sheet.size) + _beside(middle, sheet.size))


def _pivots(sheet: Sheet) -> None:
    frame = sheet.frame
    for flag in sheet.flags:
        y = flag.spot.y
        sheet.marks.append(Line("pivot", flag.x, y - 11, flag.x, frame.bottom + 4))
        pennant = polygon([(flag.x, y - 11), (flag.x + 13, y - 4.5), (flag.x, y + 2)])
        sheet.marks.append(Path("flag", pennant, flag.says))
        sheet.board.put("ink", flag.text, flag.spot)
        sheet.board.avoid(_sampled([(flag.x, frame.top), (flag.x, frame.bottom)]), 3)


def _segments(sheet: Sheet) -> list[list[dict[str, Any]]]:
    """The measures used, cut where the gap is too long to draw across."""
    segments: list[list[dict[str, Any]]] = []
    for point in sheet.points:
        if not point["used"]:
            continue
        week = sheet.frame.weeks(point["on"])
        if not segments or week - sheet.frame.weeks(segments[-1][-1]["on"]) > GAP_WEEKS:
            segments.append([])
        segments[-1].append(point)
    return segments


def _estimate(sheet: Sheet) -> None:
    """The level behind the scores; where there is none, a thin line joins the scores."""
    frame = sheet.frame
    drawn: list[_Place] = []
    for segment in _segments(sheet):
        known = all(point["state"].get("level") is not None for point in segment)
        path = [
            (frame.x_on(p["on"]), frame.y(p["state"]["level"] if known else p["score"]))
            for p in segment
        ]
        if len(path) > 1:
            sheet.marks.append(Path("estimate" if known else "joined", polyline(path)))
            sheet.board.avoid(_sampled(path), 3)
            drawn += path if known else []
    if drawn:
        sheet.label("score-words", _("estimate"), _beside(drawn, sheet.size), rank=EXTRA)


def _scores(sheet: Sheet) -> None:
    frame = sheet.frame
    crowded = len(sheet.points) > 24 or sheet.size.width < 500
    for point in sheet.points:
        x, y = frame.x_on(point["on"]), frame.y(point["score"])
        says = words.point_sentence(point, frame.weeks(point["on"]))
        if point["used"]:
            sheet.marks.append(Dot("score", x, y, 3.6 if crowded else 4.6, says))
        else:
            sheet.marks.append(Path("unused", diamond(x, y, 5), says))
        sheet.board.keep_clear(x, y, 5)
    if sheet.points:
        for point in (sheet.points[-1], sheet.points[0])[: len(sheet.points)]:
            here = [(frame.x_on(point["on"]), frame.y(point["score"]))]
            text = words.number(point["score"])
            sheet.label("score-value", text, _beside(here, sheet.size), rank=EXTRA)
    unused = [point for point in sheet.points if not point["used"]]
    for point in unused[:1]:
        here = [(frame.x_on(point["on"]), frame.y(point["score"]))]
        sheet.label("soft", _("not used"), _beside(here, sheet.size), rank=EXTRA)


def _findings(sheet: Sheet) -> None:
    """A ring and words at the newest measure behind each finding of this trajectory."""
    frame = sheet.frame
    scores = {point["on"][:10]: float(point["score"]) for point in sheet.points}
    found: dict[str, list[str]] = {}
    good: set[str] = set()
    for finding in sheet.course["findings"]:
        here = sheet.trajectory in (finding["evidence"].get("trajectories") or [])
        gone = finding.get("cleared_reason") == "corrected away"
        if here and not gone and finding["channel"] in _RINGED and finding["on"][:10] in scores:
            found.setdefault(finding["on"][:10], []).append(label_of(finding["channel"]))
            if TONES[finding["channel"]] == "good":
                good.add(finding["on"][:10])
    for day, names in found.items():
        place = (frame.x_on(day), frame.y(scores[day]))
        text = ", ".join(dict.fromkeys(name.lower() for name in names))
        tone = "good" if day in good and len(names) == 1 else "worse"
        sheet.marks.append(Dot(f"found {tone}", *place, 8, f"{text}; {words.day(day)}"))
        sheet.label(f"found-words {tone}", text, _beside([place], sheet.size), rank=EXTRA)


def _today(sheet: Sheet, today: date) -> None:
    """Where the present day lies, once it is some way past the last measure."""
    if sheet.course["status"] != "open" or not sheet.points:
        return
    if (today - day_of(sheet.points[-1]["on"])).days < 5:
        return
    frame = sheet.frame
    x = frame.x_on(today.isoformat())
    sheet.marks.append(Line("today", x, frame.bottom - 26, x, frame.bottom))
    spots = [Spot(x + 4, frame.bottom - 6), Spot(x - 4, frame.bottom - 6, "end")]
    sheet.label("soft", _("today"), spots, rank=EXTRA)


def _sampled(path: Sequence[_Place], step: float = 10.0) -> list[_Place]:
    """Points along a path, close enough that no label slips between them."""
    points: list[_Place] = []
    for (x1, y1), (x2, y2) in pairwise(path):
        pieces = max(int(max(abs(x2 - x1), abs(y2 - y1)) / step), 1)
        points += [
            (x1 + (x2 - x1) * piece / pieces, y1 + (y2 - y1) * piece / pieces)
            for piece in range(pieces + 1)
        ]
    return points
