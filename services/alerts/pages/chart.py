"""The chart of an episode: a course document to the primitives of one SVG, all on one time axis.

Pure: no clock, no request, no store. Layers from back to front: severity bands, cut-off and
reliable-change lines, usual course, the forecast made at the last pivot, the present forecast,
estimate, scores, pivots; below them sessions missed, other facts, approaches and weeks. Words
stand where the thing is; those without a free place are handed back as notes for the page.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.alerts.core.language import _
from services.alerts.core.lesson import pivots
from services.alerts.pages import words
from services.alerts.pages.axes import day_of
from services.alerts.pages.forecasts import (
    draw_pivot_forecast,
    draw_present_forecast,
    draw_usual_course,
)
from services.alerts.pages.labels import Spot, sampled
from services.alerts.pages.lanes import draw_lanes
from services.alerts.pages.marks import Drawing, Line, Path, polygon
from services.alerts.pages.scale import draw_bands, draw_cutoff, draw_reliable_change, draw_side
from services.alerts.pages.scores import draw_estimate, draw_findings, draw_scores
from services.alerts.pages.sheet import EXTRA, NARROW, WIDE, Sheet, Size, prepare

__all__ = ["NARROW", "WIDE", "Drawing", "Size", "describe", "draw"]


def draw(course: Mapping[str, Any], trajectory: str, today: date, size: Size = WIDE) -> Drawing:
    """Draw one trajectory of a course document with all that happened in the episode.

    Args:
        course: the document that `services.alerts.views.course` describes.
        trajectory: a key of its `trajectories`.
        today: the installation's present day; an open episode reaches to it.
        size: WIDE or NARROW.
    """
    sheet = prepare(course, trajectory, today, size)
    draw_bands(sheet)
    draw_side(sheet)
    draw_usual_course(sheet)
    draw_pivot_forecast(sheet)
    draw_present_forecast(sheet)
    draw_reliable_change(sheet)
    draw_cutoff(sheet)
    _pivots(sheet)
    draw_estimate(sheet)
    draw_scores(sheet)
    draw_findings(sheet)
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


def _pivots(sheet: Sheet) -> None:
    frame = sheet.frame
    for flag in sheet.flags:
        y = flag.spot.y
        sheet.marks.append(Line("pivot", flag.x, y - 11, flag.x, frame.bottom + 4))
        pennant = polygon([(flag.x, y - 11), (flag.x + 13, y - 4.5), (flag.x, y + 2)])
        sheet.marks.append(Path("flag", pennant, flag.says))
        sheet.board.put("ink", flag.text, flag.spot)
        sheet.board.avoid(sampled([(flag.x, frame.top), (flag.x, frame.bottom)]), 3)


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
