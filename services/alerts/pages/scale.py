"""The instrument's scale on a chart: its bands, scores at the side, cut-off, reliable change."""

from services.alerts.core.language import _, gettext_noop
from services.alerts.pages import words
from services.alerts.pages.axes import score_ticks
from services.alerts.pages.labels import Spot, sampled, shorten, spread
from services.alerts.pages.marks import Line
from services.alerts.pages.sheet import LIMIT, Sheet

_RELIABLY = {
    (True, True): gettext_noop("reliably better below {score}"),
    (True, False): gettext_noop("reliably better above {score}"),
    (False, True): gettext_noop("reliably worse below {score}"),
    (False, False): gettext_noop("reliably worse above {score}"),
}
"""Whether it is better, and whether it lies below, to the words of a limit."""


def draw_bands(sheet: Sheet) -> None:
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


def draw_side(sheet: Sheet) -> None:
    """The caption with the direction, and the scores named at the side."""
    frame, scale = sheet.frame, sheet.scale
    caption = f"{scale['title']}, {words.better_direction(scale)}"
    sheet.board.put("ink", caption, Spot(4, 15))
    for value in score_ticks(scale, frame.bottom - frame.top):
        y = frame.y(value) + 0.34 * sheet.size.font
        sheet.board.put("soft", words.number(value), Spot(frame.left - 7, y, "end"))


def draw_cutoff(sheet: Sheet) -> None:
    """A line at the cut-off, where the instrument has one."""
    frame, cutoff = sheet.frame, sheet.scale.get("cutoff")
    if cutoff is None:
        return
    y = frame.y(float(cutoff))
    sheet.marks.append(Line("cutoff", frame.left, y, frame.right, y))
    sheet.board.avoid(sampled([(frame.left, y), (frame.right, y)]), 1)
    spots = _along_line(sheet, y, frame.left, frame.right)
    sheet.label("soft", words.cutoff(cutoff), spots, rank=LIMIT)


def draw_reliable_change(sheet: Sheet) -> None:
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
        sheet.board.avoid(sampled([(start, y), (end, y)]), 1)
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
