"""Where the words of a chart go: each label takes the freest of its places, none covers another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from services.alerts.pages.marks import Text

Point = tuple[float, float]
_NARROW = frozenset("iljI.,:;'|!")
_SLIM = frozenset("ftr()[]/- ")
_WIDE = frozenset("mwMW%@…×")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the view box; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        """Whether the two share any area."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def within(self, other: "Box") -> bool:
        """Whether it lies inside the other."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that a label might take: its base line and how it is anchored there."""

    x: float
    y: float
    anchor: str = "start"


def text_width(text: str, size: float) -> float:
    """The width of a text at a font size, on the generous side of common sans-serif faces."""
    return size * _ems(text)


@lru_cache(maxsize=4096)
def _ems(text: str) -> float:
    return sum(_advance(letter) for letter in text)


def _advance(letter: str) -> float:
    if letter in _NARROW:
        return 0.30
    if letter in _SLIM:
        return 0.40
    if letter in _WIDE:
        return 0.96
    return 0.69 if letter.isupper() else 0.62


def shorten(text: str, room: float, size: float) -> str:
    """The text, cut with an ellipsis to fit `room`; empty where not even three letters fit."""
    if text_width(text, size) <= room:
        return text
    kept = text
    while kept and text_width(kept + "…", size) > room:
        kept = kept[:-1]
    kept = kept.rstrip()
    return kept + "…" if len(kept) >= 3 else ""


def text_box(text: str, spot: Spot, size: float) -> Box:
    """The rectangle that a text at a spot covers."""
    return _box(text_width(text, size), spot, size)


def _box(width: float, spot: Spot, size: float) -> Box:
    left = spot.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[spot.anchor] * width
    return Box(left, spot.y - 0.82 * size, left + width, spot.y + 0.26 * size)


_CELL = 6.0
"""Drawing is kept as a grid of cells of this size, a row of them as the bits of one number."""


@dataclass(slots=True)
class Board:
    """What is taken: labels and data nothing may cover, and drawing that labels rather avoid."""

    bounds: Box
    size: float
    taken: list[Box] = field(default_factory=list)
    drawn: dict[int, int] = field(default_factory=dict)
    """Row of cells to those of them that hold some drawing."""
    texts: list[Text] = field(default_factory=list)

    def avoid(self, points: Iterable[tuple[float, float]], reach: float) -> None:
        """Ask labels to keep off these points of the drawing where they can."""
        for x, y in points:
            cells = _cells(x - reach, x + reach)
            for row in range(int((y - reach) // _CELL), int((y + reach) // _CELL) + 1):
                self.drawn[row] = self.drawn.get(row, 0) | cells

    def keep_clear(self, x: float, y: float, reach: float) -> None:
        """Never let a label cover this point: it is data."""
        self.taken.append(Box(x - reach, y - reach, x + reach, y + reach))

    def put(self, look: str, text: str, spot: Spot) -> None:
        """Put a label where it belongs, whatever is there: for axes, which come first."""
        self.taken.append(text_box(text, spot, self.size))
        self.texts.append(Text(look, spot.x, spot.y, spot.anchor, text))

    def place(self, look: str, text: str, spots: Iterable[Spot]) -> bool:
        """Put a label at the spot that covers neither label nor data, and the least drawing.

        False when there is no such spot.
        """
        least, best = 1_000_000, None
        width = text_width(text, self.size)
        for spot in spots:
            box = _box(width, spot, self.size)
            if not box.within(self.bounds) or self._is_taken(box):
                continue
            covered = self._covered(box)
            if covered < least:
                least, best = covered, spot
                if covered == 0:
                    break
        if best is None:
            return False
        self.put(look, text, best)
        return True

    def _covered(self, box: Box) -> int:
        """How many cells of the drawing it covers."""
        cells, drawn, count = _cells(box.left, box.right), self.drawn, 0
        for row in range(int(box.top // _CELL), int(box.bottom // _CELL) + 1):
            here = drawn.get(row)
            if here:
                count += (here & cells).bit_count()
        return count

    def _is_taken(self, box: Box) -> bool:
        left, top, right, bottom = box.left - 3, box.top, box.right + 3, box.bottom
        for other in self.taken:
            if (
                other.left < right
                and left < other.right
                and other.top < bottom
                and top < other.bottom
            ):
                return True
        return False


def _cells(left: float, right: float) -> int:
    """The bits of the cells from left to right."""
    first = max(int(left // _CELL), 0)
    return ((1 << (max(int(right // _CELL), first) - first + 1)) - 1) << first


def rows(spans: Sequence[tuple[float, float]], gap: float) -> list[int]:
    """For each span, in order, the first row in which it meets none before it."""
    ends: list[list[tuple[float, float]]] = []
    chosen = []
    for left, right in spans:
        for index, taken in enumerate(ends):
            if all(right + gap <= other[0] or other[1] + gap <= left for other in taken):
                taken.append((left, right))
                chosen.append(index)
                break
        else:
            ends.append([(left, right)])
            chosen.append(len(ends) - 1)
    return chosen


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions in ascending order near those wanted, at least `gap` apart, within low and high.

    Where they cannot all fit, the last ones lie beyond `high`: the caller leaves them out.
    """
    placed: list[float] = []
    for position in wanted:
        placed.append(max(position, placed[-1] + gap if placed else low))
    limit = high
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = max(min(placed[index], limit), low + gap * index)
        limit = placed[index] - gap
    return placed


def beside(points: Sequence[Point], font: float) -> list[Spot]:
    """Places along a curve, from its end backwards, above and below, near and farther."""
    few = points[::-1][:: max(len(points) // 6, 1)]
    return [
        Spot(x, y - away if above else y + away + 0.8 * font, anchor)
        for away in (6, 14, 26)
        for x, y in few
        for anchor in ("start", "middle", "end")
        for above in (True, False)
    ]


def sampled(path: Sequence[Point], step: float = 10.0) -> list[Point]:
    """Points along a path, close enough that no label slips between them."""
    points: list[Point] = []
    for (x1, y1), (x2, y2) in pairwise(path):
        pieces = max(int(max(abs(x2 - x1), abs(y2 - y1)) / step), 1)
        points += [
            (x1 + (x2 - x1) * piece / pieces, y1 + (y2 - y1) * piece / pieces)
            for piece in range(pieces + 1)
        ]
    return points
