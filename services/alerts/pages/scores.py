"""What was measured, on a chart: the scores, the estimate behind them, the findings at them."""

from typing import Any

from services.alerts.core.labels import LABELS, TONES, label_of
from services.alerts.core.language import _
from services.alerts.pages import words
from services.alerts.pages.labels import Point, beside, sampled
from services.alerts.pages.marks import Dot, Path, diamond, polyline
from services.alerts.pages.sheet import EXTRA, Sheet

GAP_WEEKS = 60 / 7
"""A longer gap starts a new segment: nothing is drawn across it."""
_RINGED = frozenset(LABELS) - {"risk_answer", "not_assessable", "disconnection", "validity"}


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


def draw_estimate(sheet: Sheet) -> None:
    """The level behind the scores; where there is none, a thin line joins the scores."""
    frame = sheet.frame
    drawn: list[Point] = []
    for segment in _segments(sheet):
        known = all(point["state"].get("level") is not None for point in segment)
        path = [
            (frame.x_on(p["on"]), frame.y(p["state"]["level"] if known else p["score"]))
            for p in segment
        ]
        if len(path) > 1:
            sheet.marks.append(Path("estimate" if known else "joined", polyline(path)))
            sheet.board.avoid(sampled(path), 3)
            drawn += path if known else []
    if drawn:
        sheet.label("score-words", _("estimate"), beside(drawn, sheet.size.font), rank=EXTRA)


def draw_scores(sheet: Sheet) -> None:
    """A dot at every score, with the first and the last in numbers."""
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
            sheet.label("score-value", text, beside(here, sheet.size.font), rank=EXTRA)
    unused = [point for point in sheet.points if not point["used"]]
    for point in unused[:1]:
        here = [(frame.x_on(point["on"]), frame.y(point["score"]))]
        sheet.label("soft", _("not used"), beside(here, sheet.size.font), rank=EXTRA)


def draw_findings(sheet: Sheet) -> None:
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
        sheet.label(f"found-words {tone}", text, beside([place], sheet.size.font), rank=EXTRA)
