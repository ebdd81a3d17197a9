"""The primitives of a chart: what its geometry is made of, and what a template turns into SVG."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line, in units of the view box."""

    kind: ClassVar[str] = "line"
    look: str
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Path:
    """A path; `data` is SVG path data in units of the view box, `says` what a pointer reads."""

    kind: ClassVar[str] = "path"
    look: str
    data: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """A circle round a point, with what it says when pointed at."""

    kind: ClassVar[str] = "dot"
    look: str
    x: float
    y: float
    radius: float
    says: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle."""

    kind: ClassVar[str] = "block"
    look: str
    x: float
    y: float
    width: float
    height: float
    says: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; `y` is its base line, `anchor` one of start, middle, end."""

    kind: ClassVar[str] = "text"
    look: str
    x: float
    y: float
    anchor: str
    text: str


Mark = Line | Path | Dot | Block | Text


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished chart: its view box, what it says in words, and its marks from back to front."""

    width: float
    height: float
    title: str
    description: str
    marks: tuple[Mark, ...]
    notes: tuple[str, ...] = ()
    """Labels that found no free place; the page prints them below the chart."""


def polyline(points: list[tuple[float, float]]) -> str:
    """Path data of a line through points."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def polygon(points: list[tuple[float, float]]) -> str:
    """Path data of a closed shape."""
    return polyline(points) + "Z"


def cross(x: float, y: float, reach: float) -> str:
    """Path data of a diagonal cross round a point."""
    return (
        f"M{x - reach:.1f} {y - reach:.1f}L{x + reach:.1f} {y + reach:.1f}"
        f"M{x + reach:.1f} {y - reach:.1f}L{x - reach:.1f} {y + reach:.1f}"
    )


def diamond(x: float, y: float, reach: float) -> str:
    """Path data of a diamond round a point."""
    return polygon([(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)])


def triangle(x: float, y: float, reach: float) -> str:
    """Path data of a triangle that stands on its base round a point."""
    return polygon([(x, y - reach), (x + reach, y + reach), (x - reach, y + reach)])
