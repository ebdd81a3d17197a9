"""What the caseload's own endings say, as outcomes published it, and how it is put in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from services.alerts.core.event import Event

Statistics = Mapping[str, Any]
"""The data of a `statistics.published` message."""
JUDGED = frozenset(
    {
        "reliable_deterioration",
        "gain_partly_lost",
        "off_track",
        "stalled",
        "plateau",
        "possibly_worse",
    }
)
"""Channels that an ending can prove right or not."""


@dataclass(frozen=True, kw_only=True)
class StatisticsNoted(Event):
    """Statistics of one instrument arrived; the latest count."""

    TOPIC: ClassVar[str] = "caseload.statistics_noted"

    instrument: str
    message: dict[str, Any]
    """{id, type, version, time, data}, unchanged."""


UNTESTED = "How often such forecasts come true here is not known yet."
TOWARDS_THE_MEAN = (
    "After a bad run scores tend to move back towards the usual by themselves (regression to the "
    "mean), so one effect alone says little."
)
LIKE_COURSES = "How courses here went on without a pivot from a like forecast is not yet known"


def how_often(known: Statistics | None, channel: str) -> str:
    """How often such findings came true here, or that it is not known; empty where none can be."""
    if channel not in JUDGED:
        return ""
    if known is None:
        return UNTESTED
    base = known.get("base_rate")
    if base is None:
        return f"{UNTESTED} {_so_far(known)}"
    ppv = next((one["ppv"] for one in known["channels"] if one["channel"] == channel), None)
    share = f"Of all {base['of']} courses that have ended, {base['n']} did ({_percent(base)})."
    if ppv is None:
        few = "This was found in fewer than five courses here that have ended"
        return f"{few}, so how often it comes true is not known yet. {_meant()} {share}"
    return (
        f"Of {ppv['of']} courses here in which this was found and that have ended, {ppv['n']} "
        f"ended neither reliably better nor below the cut-off: {_percent(ppv)}, 95 % interval "
        f"{_percent(ppv, 'low')} to {_percent(ppv, 'high')}. {share}"
    )


def beside(known: Statistics | None) -> str:
    """What stands beside the effect of a pivot: the same in courses without one."""
    if known is None:
        return f"{TOWARDS_THE_MEAN} {LIKE_COURSES}."
    if known.get("base_rate") is None:
        return f"{TOWARDS_THE_MEAN} {LIKE_COURSES}. {_so_far(known)}"
    like = known.get("like_forecast")
    if like is None:
        return f"{TOWARDS_THE_MEAN} {LIKE_COURSES}: there are too few such courses."
    return (
        f"{TOWARDS_THE_MEAN} About six weeks after {like['n']} pivots here scores lay "
        f"{_against(like['with_pivot'])} the forecast, in {like['n_without']} courses without a "
        f"pivot at a like forecast {_against(like['without'])} it: a difference of "
        f"{_signed(like['difference'])} points (95 % interval {_signed(like['low'])} to "
        f"{_signed(like['high'])}; below 0 is better with a pivot). A hypothesis: who pivots was "
        "not left to chance."
    )


def _meant() -> str:
    return "It would mean that a course ends neither reliably better nor below the cut-off."


def _so_far(known: Statistics) -> str:
    return f"It takes {known['least']} endings; there are {known['endings']}."


def _percent(share: Mapping[str, Any], name: str = "share") -> str:
    return f"{round(100 * float(share[name]))} %"


def _against(difference: float) -> str:
    """An oriented difference from a forecast: negative is better."""
    size = f"{abs(difference):.1f} points"
    return f"{size} on the better side of" if difference < 0 else f"{size} on the worse side of"


def _signed(value: float) -> str:
    return f"{value:+.1f}"
