"""The small picture of an inbox row: the last scores and the cut-off, as SVG path data."""

from dataclasses import dataclass

from services.alerts.pages.marks import polyline
from services.alerts.pages.words import cutoff, number, range_of
from services.alerts.views.inbox_rows import InboxRow

WIDTH, HEIGHT = 128.0, 48.0
_EDGE = 6.0


@dataclass(frozen=True, slots=True)
class Spark:
    """A line through the last scores in a box of WIDTH by HEIGHT, higher scores higher up."""

    line: str
    """Path data; empty for a single score."""
    end: tuple[float, float]
    cutoff: float | None
    """Where the cut-off lies."""
    says: str


def spark(row: InboxRow) -> Spark | None:
    """The picture of a row's last scores; None when it has none."""
    scores = list(row.spark)
    if not scores:
        return None
    seen = [*scores, row.cutoff] if row.cutoff is not None else scores
    low, high = min(seen), max(seen)
    if row.minimum is not None and row.maximum is not None:  # a still course must look still
        least = (row.maximum - row.minimum) * 0.3
        grow = max(least - (high - low), 0) / 2
        low, high = max(low - grow, row.minimum), min(high + grow, row.maximum)
    places = [(_x(place, len(scores)), _y(score, low, high)) for place, score in enumerate(scores)]
    return Spark(
        line=polyline(places) if len(places) > 1 else "",
        end=places[-1],
        cutoff=None if row.cutoff is None else _y(row.cutoff, low, high),
        says=_said(row),
    )


def _said(row: InboxRow) -> str:
    """The ends of the line in figures, for the picture itself is passed over by screen readers."""
    first, last = number(row.spark[0]), number(row.spark[-1])
    scores = last if len(row.spark) == 1 else range_of(first, last)
    return scores if row.cutoff is None else f"{scores}; {cutoff(row.cutoff)}"


def _x(place: int, count: int) -> float:
    return _EDGE + (WIDTH - 2 * _EDGE) * (place / (count - 1) if count > 1 else 1)


def _y(score: float, low: float, high: float) -> float:
    share = (score - low) / (high - low) if high > low else 0.5
    return HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE)
