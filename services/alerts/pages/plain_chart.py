"""The chart for a client: their own answers over time, and nothing that is worked out from them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.alerts.core.language import _
from services.alerts.pages import words
from services.alerts.pages.axes import Frame, day_of
from services.alerts.pages.marks import Dot, Drawing, Line, Mark, Path, Text, polyline

BROAD, NARROW = (720.0, 300.0), (340.0, 260.0)


def answers(track: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Date and score of every answer of a trajectory, oldest first."""
    points = [
        (point["on"][:10], float(point["score"]))
        for point in track["points"]
        if point.get("score") is not None
    ]
    return sorted(points)


def draw(
    track: Mapping[str, Any], begun: Sequence[tuple[str, str]], size: tuple[float, float]
) -> Drawing | None:
    """The chart of one trajectory; None without an answer.

    Args:
        track: a trajectory of the course document.
        begun: when which way of working was begun.
        size: width and height of the view box.
    """
    told = answers(track)
    if not told:
        return None
    frame = _frame(track["scale"] or {}, told, size)
    days = (told[0][0], told[-1][0])
    marks: list[Mark] = [*_sides(frame, track["scale"] or {}, days), *_beginnings(frame, begun)]
    places = [(frame.x_on(on), frame.y(score)) for on, score in told]
    if len(places) > 1:
        marks.append(Path("estimate", polyline(places)))
    for (on, score), (x, y) in zip(told, places, strict=True):
        marks.append(Dot("score", x, y, 5, f"{words.short_day(on)}: {words.number(score)}"))
    for place in {0, len(told) - 1}:
        x, y = places[place]
        marks.append(Text("score-value", x, y - 12, "middle", words.number(told[place][1])))
    return Drawing(*size, _("Your own answers over time"), sentence(track), tuple(marks))


def sentence(track: Mapping[str, Any]) -> str:
    """The course in plain words: how many answers, from where to where, and which way is easier."""
    told = answers(track)
    scale = track["scale"] or {}
    if not told:
        return _("There is no answer of yours to show yet.")
    easier = (
        _("A lower number means fewer troubles.")
        if scale.get("higher_is", "worse") == "worse"
        else _("A higher number means fewer troubles.")
    )
    form = _("{count} answers, from {first} on {first_day} to {last} on {last_day}.")
    if len(told) == 1:
        form = _("One answer: {first}.")
    course = form.format(
        count=len(told),
        first=words.number(told[0][1]),
        first_day=words.short_day(told[0][0]),
        last=words.number(told[-1][1]),
        last_day=words.short_day(told[-1][0]),
    )
    return f"{course} {easier}"


def chance(track: Mapping[str, Any]) -> str:
    """How large a difference may be chance; empty where that is not known."""
    change = (track["scale"] or {}).get("reliable_change")
    if not change:
        return ""
    return _(
        "Such numbers go up and down by themselves. A difference of less than about {points} "
        "points may mean nothing."
    ).format(points=words.number(round(change)))


def _frame(
    scale: Mapping[str, Any], told: Sequence[tuple[str, float]], size: tuple[float, float]
) -> Frame:
    days: list[date] = [day_of(on) for on, _ in told]
    scores = [score for _, score in told]
    last = max((days[-1] - days[0]).days / 7, 1.0)
    low = scale.get("minimum")
    high = scale.get("maximum")
    return Frame(
        zero=days[0],
        left=26.0,
        right=size[0] - 26.0,
        top=44.0,
        bottom=size[1] - 46.0,
        first=-0.2,
        last=last * 1.04,
        low=float(low if low is not None else min(scores)),
        high=float(high if high is not None else max(scores) + 1),
    )


def _sides(frame: Frame, scale: Mapping[str, Any], days: tuple[str, str]) -> list[Mark]:
    worse_above = scale.get("higher_is", "worse") == "worse"
    above, below = (_("harder"), _("easier")) if worse_above else (_("easier"), _("harder"))
    first, last = (words.short_day(one) for one in days)
    return [
        Line("axis", frame.left, frame.bottom, frame.right, frame.bottom),
        Line("axis", frame.left, frame.top, frame.left, frame.bottom),
        Text("bare", frame.left - 18, frame.top - 10, "start", f"↑ {above}"),
        Text("bare", frame.left + 8, frame.bottom - 8, "start", f"↓ {below}"),
        Text("bare", frame.left, frame.bottom + 20, "start", first),
        Text("bare", frame.right, frame.bottom + 20, "end", last),
    ]


def _beginnings(frame: Frame, begun: Sequence[tuple[str, str]]) -> list[Mark]:
    found: list[Mark] = []
    for on, what in begun:
        x = frame.x_on(on)
        if not frame.left <= x <= frame.right:
            continue
        anchor = "start" if x < (frame.left + frame.right) / 2 else "end"
        shift = 6 if anchor == "start" else -6
        found += [
            Line("pivot", x, frame.top - 4, x, frame.bottom),
            Text(
                "pivot-words",
                x + shift,
                frame.top + 4,
                anchor,
                _("we began: {approach}").format(approach=what),
            ),
        ]
    return found
