"""The calibration picture: confidence stated against the share that came true, bin by bin."""

from collections.abc import Sequence
from math import sqrt

from services.alerts.core.calibration import Bin
from services.alerts.core.language import _
from services.alerts.pages.marks import Dot, Drawing, Line, Mark, Text

_SIDE = 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 312.0, 26.0, 280.0
_TICKS = (0, 25, 50, 75, 100)


def draw(found: Sequence[Bin]) -> Drawing:
    """The picture of these bins; on the diagonal what was said is what came."""
    marks: list[Mark] = [
        Line("axis", _LEFT, _BOTTOM, _RIGHT, _BOTTOM),
        Line("axis", _LEFT, _TOP, _LEFT, _BOTTOM),
        Line("reliable", _x(0), _y(0), _x(1), _y(1)),
        Text("bare", _LEFT - 36, _TOP - 10, "start", _("worked, of those that were resolved")),
        Text("bare", _RIGHT, _BOTTOM + 40, "end", _("how sure you were")),
    ]
    for tick in _TICKS:
        place = tick / 100
        marks += [
            Line("tick", _x(place), _BOTTOM, _x(place), _BOTTOM + 5),
            Text("bare", _x(place), _BOTTOM + 20, "middle", f"{tick} %"),
            Text("bare", _LEFT - 8, _y(place) + 4, "end", f"{tick}"),
        ]
    for one in found:
        says = said(one)
        marks += [
            Line("interval", _x(one.mean), _y(one.share_low), _x(one.mean), _y(one.share_high)),
            Dot("score", _x(one.mean), _y(one.share), 3.5 + sqrt(one.count), says),
        ]
    description = " ".join(said(one) for one in found) or _("Nothing has been resolved yet.")
    return Drawing(
        _SIDE,
        _BOTTOM + 48,
        _("How sure you were, and what came"),
        f"{_('On the dotted diagonal what was said is what came.')} {description}",
        tuple(marks),
    )


def said(one: Bin) -> str:
    """A bin in words."""
    return _("{low} to {high} % sure: {worked} of {count} worked.").format(
        low=round(one.low * 100), high=round(one.high * 100), worked=one.worked, count=one.count
    )


def _x(share: float) -> float:
    return _LEFT + share * (_RIGHT - _LEFT)


def _y(share: float) -> float:
    return _BOTTOM - share * (_BOTTOM - _TOP)
