"""The sheet a chart is drawn on: which part of a course document it shows, and on what axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.alerts.core.language import _
from services.alerts.core.lesson import pivots
from services.alerts.pages.axes import Frame, day_of
from services.alerts.pages.labels import Board, Box, Spot, rows, shorten, text_width
from services.alerts.pages.marks import Mark

HORIZON = 8
"""Weeks of the present forecast that are drawn."""
LEAST_WEEKS = 8
"""A course younger than this is drawn on an axis of this length."""
LIMIT, CURVE, EXTRA = 0, 1, 2
"""Ranks of labels: those bound to a level come first, those that may be left out last."""
_FLAG_ROW = 17.0
_CAPTION = 24.0


@dataclass(frozen=True, slots=True)
class Size:
    """The measures of a drawing in units of its view box."""

    width: float
    left: float
    gutter: float
    """Room at the right for the names of bands; too narrow a drawing has none."""
    plot: float
    font: float
    weeks: int
    """The most week numbers on the axis."""


WIDE = Size(width=900, left=40, gutter=136, plot=300, font=12.5, weeks=16)
NARROW = Size(width=390, left=34, gutter=4, plot=250, font=14, weeks=7)


@dataclass(frozen=True, slots=True)
class Flag:
    """A pivot: a line through the plot and its words above it."""

    x: float
    text: str
    says: str
    spot: Spot
    row: int


@dataclass(frozen=True, slots=True)
class _Pending:
    look: str
    text: str
    spots: Sequence[Spot]
    rank: int


@dataclass(slots=True)
class Sheet:
    """A drawing under way: the data it shows, its frame, and what has been drawn."""

    size: Size
    frame: Frame
    board: Board
    course: Mapping[str, Any]
    trajectory: str
    points: list[dict[str, Any]]
    flags: list[Flag]
    until: float
    """The week that the strip of approaches reaches."""
    marks: list[Mark] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _pending: list[_Pending] = field(default_factory=list)

    @property
    def track(self) -> Mapping[str, Any]:
        """The trajectory shown, as in the document."""
        track: Mapping[str, Any] = self.course["trajectories"][self.trajectory]
        return track

    @property
    def scale(self) -> Mapping[str, Any]:
        """What is known of its instrument."""
        scale: Mapping[str, Any] = self.track["scale"]
        return scale

    def label(self, look: str, text: str, spots: Sequence[Spot], rank: int = CURVE) -> None:
        """Ask for a label once all is drawn; without a place it becomes a note, or is left out."""
        self._pending.append(_Pending(look, text, spots, rank))

    def settle_labels(self) -> None:
        """Place the labels asked for: by rank, then in the order of asking."""
        for label in sorted(self._pending, key=lambda pending: pending.rank):
            placed = self.board.place(label.look, label.text, label.spots)
            if not placed and label.rank < EXTRA:
                self.notes.append(label.text)


def prepare(course: Mapping[str, Any], trajectory: str, today: date, size: Size) -> Sheet:
    """Lay out the axes of a chart and the room for its pivots; nothing is drawn yet."""
    track = course["trajectories"][trajectory]
    points = [point for point in track["points"] if point.get("score") is not None]
    zero, first, last, until = _span(course, track, points, today)
    right = size.width - size.gutter
    across = Frame(zero, size.left, right, 0, 1, first, last, 0, 1)
    flags = _flags(course, across, size)
    top = _CAPTION + _FLAG_ROW * (1 + max((flag.row for flag in flags), default=-1)) + 8
    frame = Frame(
        zero=zero,
        left=size.left,
        right=right,
        top=top,
        bottom=top + size.plot,
        first=first,
        last=last,
        low=float(track["scale"]["minimum"]),
        high=float(track["scale"]["maximum"]),
    )
    # The gutter belongs to the names of the bands, where there are any.
    reach = right if track["scale"].get("bands") and size.gutter > 60 else size.width - 2
    bounds = Box(2, 2, reach, top + size.plot - 2)
    return Sheet(size, frame, Board(bounds, size.font), course, trajectory, points, flags, until)


def _span(
    course: Mapping[str, Any],
    track: Mapping[str, Any],
    points: Sequence[Mapping[str, Any]],
    today: date,
) -> tuple[date, float, float, float]:
    """Week zero, the first and last week of the axis, and the week the course has reached."""
    dated = [day_of(point["on"]) for point in points]
    dated += [day_of(entry["on"]) for entry in (*course["sessions"], *course["facts"])]
    dated += [day_of(approach["since"]) for approach in course["approaches"]]
    opened = course.get("opened_on")
    zero = day_of(opened) if opened else min(dated, default=today)
    reached = [*dated, zero]
    if course["status"] == "open":
        reached.append(today)
    elif course.get("closed_on"):
        reached.append(day_of(course["closed_on"]))
    until = (max(reached) - zero).days / 7
    last = until
    if course["status"] == "open" and track.get("fan") and track.get("fan_on"):
        last = max(last, (day_of(track["fan_on"]) - zero).days / 7 + HORIZON)
    first = min(0.0, (min([*dated, zero]) - zero).days / 7)
    return zero, first, max(last, first + LEAST_WEEKS) + 0.3, until


def _flags(course: Mapping[str, Any], across: Frame, size: Size) -> list[Flag]:
    drafts = []
    for new, old in pivots(course):
        x = across.x_on(new["since"])
        week = _("week {week}").format(week=max(int(across.weeks(new["since"])), 0))
        says = _("Pivot to {new}, {week}").format(new=new["approach"], week=week)
        if old is not None:
            says = _("Pivot: {old} to {new}, {week}").format(
                old=old["approach"], new=new["approach"], week=week
            )
        text, spot = _flag_words(x, _flag_texts(new, old, week, size), size)
        drafts.append((x, text, says, spot))
    placed = rows([_flag_span(x, text, spot, size) for x, text, _says, spot in drafts], 8)
    return [
        Flag(x, text, says, Spot(spot.x, _CAPTION + _FLAG_ROW * row + 13, spot.anchor), row)
        for (x, text, says, spot), row in zip(drafts, placed, strict=True)
    ]


def _flag_texts(
    new: Mapping[str, Any], old: Mapping[str, Any] | None, week: str, size: Size
) -> list[str]:
    """What may be said at a pivot, the fullest first."""
    named = shorten(str(new["approach"]), size.width * 0.24, size.font)
    texts = [
        _("pivot to {new}, {week}").format(new=named, week=week),
        _("pivot, {week}").format(week=week),
        _("pivot"),
    ]
    if old is not None:
        before = shorten(str(old["approach"]), size.width * 0.24, size.font)
        form = _("pivot: {old} to {new}, {week}")
        texts.insert(0, form.format(old=before, new=named, week=week))
    return texts


def _flag_words(x: float, texts: Sequence[str], size: Size) -> tuple[str, Spot]:
    """The fullest text that fits to the right of the flag, or to its left."""
    for text in texts:
        width = text_width(text, size.font)
        if x + 18 + width <= size.width - 4:
            return text, Spot(x + 18, 0, "start")
        if x - 8 - width >= 4:
            return text, Spot(x - 8, 0, "end")
    return texts[-1], Spot(x + 18, 0, "start")


def _flag_span(x: float, text: str, spot: Spot, size: Size) -> tuple[float, float]:
    width = text_width(text, size.font)
    left = spot.x if spot.anchor == "start" else spot.x - width
    return min(left, x), max(left + width, x + 16)
