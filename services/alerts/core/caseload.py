"""What the caseload's own endings say, as outcomes published it, and how it is put in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from services.alerts.core.event import Event
from services.alerts.core.language import _, gettext_noop

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


UNTESTED = gettext_noop("How often such forecasts come true here is not known yet.")
TOWARDS_THE_MEAN = gettext_noop(
    "After a bad run scores tend to move back towards the usual by themselves (regression to the "
    "mean), so one effect alone says little."
)
LIKE_COURSES = gettext_noop(
    "How courses here went on without a pivot from a like forecast is not yet known."
)


def how_often(known: Statistics | None, channel: str) -> str:
    """How often such findings came true here, or that it is not known; empty where none can be."""
    if channel not in JUDGED:
        return ""
    if known is None:
        return _(UNTESTED)
    base = known.get("base_rate")
    if base is None:
        return f"{_(UNTESTED)} {_so_far(known)}"
    ppv = next((one["ppv"] for one in known["channels"] if one["channel"] == channel), None)
    share = _("Of all {of} courses that have ended, {n} did ({share}).").format(
        of=base["of"], n=base["n"], share=_percent(base)
    )
    if ppv is None:
        few = _(
            "This was found in fewer than five courses here that have ended, so how often it comes "
            "true is not known yet. It would mean that a course ends neither reliably better nor "
            "below the cut-off."
        )
        return f"{few} {share}"
    came = _(
        "Of {of} courses here in which this was found and that have ended, {n} ended neither "
        "reliably better nor below the cut-off: {share}, 95 % interval {low} to {high}."
    ).format(
        of=ppv["of"],
        n=ppv["n"],
        share=_percent(ppv),
        low=_percent(ppv, "low"),
        high=_percent(ppv, "high"),
    )
    return f"{came} {share}"


def effects(known: Mapping[str, Statistics]) -> list[Statistics]:
    """Those of every instrument that tell what followed pivots, by the instrument's name."""
    return [known[name] for name in sorted(known) if known[name].get("effects")]


def beside(known: Statistics | None) -> str:
    """What stands beside the effect of a pivot: the same in courses without one."""
    return f"{_(TOWARDS_THE_MEAN)} {_like_courses(known)}"


def _like_courses(known: Statistics | None) -> str:
    if known is None:
        return _(LIKE_COURSES)
    if known.get("base_rate") is None:
        return f"{_(LIKE_COURSES)} {_so_far(known)}"
    like = known.get("like_forecast")
    if like is None:
        return _(
            "How courses here went on without a pivot from a like forecast is not yet known: "
            "there are too few such courses."
        )
    return _(
        "About six weeks after {with_pivot} pivots here scores lay {pivoted} the forecast, in "
        "{without_pivot} courses without a pivot at a like forecast {went_on} it: a difference of "
        "{difference} points (95 % interval {low} to {high}; below 0 is better with a pivot). A "
        "hypothesis: who pivots was not left to chance."
    ).format(
        with_pivot=like["n"],
        pivoted=_against(like["with_pivot"]),
        without_pivot=like["n_without"],
        went_on=_against(like["without"]),
        difference=_signed(like["difference"]),
        low=_signed(like["low"]),
        high=_signed(like["high"]),
    )


def _so_far(known: Statistics) -> str:
    return _("It takes {least} endings; there are {endings}.").format(
        least=known["least"], endings=known["endings"]
    )


def _percent(share: Mapping[str, Any], name: str = "share") -> str:
    return f"{round(100 * float(share[name]))} %"


def _against(difference: float) -> str:
    """An oriented difference from a forecast: negative is better."""
    form = (
        _("{points} points on the better side of")
        if difference < 0
        else _("{points} points on the worse side of")
    )
    return form.format(points=f"{abs(difference):.1f}")


def _signed(value: float) -> str:
    return f"{value:+.1f}"
