"""Where the words of a chart go: each label takes the freest of its places, none covers another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.alerts.pages.marks import Text

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
    return size * sum(_advance(letter) for letter in text)


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
    width = text_width(text, size)
    left = {"start": spot.x, "middle": spot.x - width / 2, "end": spot.x - width}[spot.anchor]
    return Box(left, spot.y - 0.82 * size, left + width, spot.y + 0.26 * size)


@dataclass(slots=True)
class Board:
    """What is taken already: labels nothing may cover, and drawing that labels rather avoid."""

    bounds: Box
    size: float
    labels: list[Box] = field(default_factory=list)
    drawn: list[Box] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def avoid(self, points: Iterable[tuple[float, float]], reach: float) -> None:
        """Ask labels to keep off these points of the drawing where they can."""
        self.drawn += [Box(x - reach, y - reach, x + reach, y + reach) for x, y in points]

    def put(self, look: str, text: str, spot: Spot) -> None:
        """Put a label where it belongs, whatever is there: for axes, which come first."""
        self.labels.append(text_box(text, spot, self.size))
        self.texts.append(Text(look, spot.x, spot.y, spot.anchor, text))

    def place(self, look: str, text: str, spots: Sequence[Spot]) -> bool:
        """Put a label at the spot that covers no label and the least drawing; False if none."""
        best: tuple[int, int] | None = None
        for index, spot in enumerate(spots):
            box = text_box(text, spot, self.size)
            apart = Box(box.left - 3, box.top, box.right + 3, box.bottom)
            if not box.within(self.bounds) or any(apart.meets(taken) for taken in self.labels):
                continue
            covered = sum(box.meets(ink) for ink in self.drawn)
            if best is None or covered < best[0]:
                best = (covered, index)
                if covered == 0:
                    break
        if best is None:
            return False
        self.put(look, text, spots[best[1]])
        return True


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
