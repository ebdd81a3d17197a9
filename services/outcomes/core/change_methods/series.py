"""Methods that read every measure of a client: the reliable trend, and sudden gains and losses."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.outcomes.core.change_methods.verdict import (
    CRITICAL,
    NOT_ASSESSABLE,
    Cut,
    NotAssessableError,
    Pair,
    Result,
    Row,
    absolute,
    at_least,
    beyond,
    mean,
    sd,
    sign_of,
)
from services.outcomes.core.sudden import CRITICAL_T, SHARE_BEFORE

REVERSED = 0.5
GAIN, LOSS, BOTH, NEITHER = "sudden gain", "sudden loss", "sudden gain and loss", "neither"


@dataclass(frozen=True, slots=True)
class Series:
    """A client's measures as (day, score), in the order of days."""

    client: str
    points: tuple[tuple[float, float], ...]

    @property
    def pair(self) -> Pair:
        """The first score and the last, None where there is only one."""
        last = self.points[-1][1] if len(self.points) > 1 else None
        return Pair(self.client, self.points[0][1], last)


def row_of(
    one: Series,
    statistic: float | None,
    verdict: str | None,
    why: str | None,
    more: Mapping[str, Any],
) -> Row:
    """The row of a client with several measures, with how many there are."""
    told = {"measures": len(one.points), **more}
    pair = one.pair
    return Row(one.client, pair.pre, pair.post, statistic, verdict or NOT_ASSESSABLE, why, told)


def trend(series: Sequence[Series], sem: float, cut: Cut | None, higher_is: str) -> Result:
    """Reliable trend index: the least-squares slope against its error from measurement alone.

    With two measures it is Jacobson and Truax's index.
    """
    sign = sign_of(higher_is)
    rows = [_trend(one, sem, cut, sign) for one in series]
    s_diff = math.sqrt(2) * sem
    used = {"sem": sem}
    return Result("reliable-trend", rows, cut=cut, s_diff=s_diff, critical=CRITICAL, used=used)


def _trend(one: Series, sem: float, cut: Cut | None, sign: float) -> Row:
    if len(one.points) < 2:
        return row_of(one, None, None, "one measure has no slope", {})
    at = mean([day for day, _ in one.points])
    width = math.fsum((day - at) ** 2 for day, _ in one.points)
    if width <= 0:  # what differs by less than a square can show
        return row_of(one, None, None, "the days do not differ", {})
    slope = math.fsum((day - at) * score for day, score in one.points) / width
    statistic = slope * math.sqrt(width) / sem
    first, last = one.points[0][1], one.points[-1][1]
    verdict = absolute(beyond(sign * statistic, CRITICAL), first, last, cut, sign)
    return row_of(one, statistic, verdict, None, {"slope_per_day": slope})


def sudden_gains(series: Sequence[Series], points: float, higher_is: str) -> Result:
    """Sudden gains and losses between neighbouring measures (Tang and DeRubeis 1999).

    Args:
        series: the clients.
        points: the least change that counts, usually a reliable change.
        higher_is: "worse" or "better".

    Raises:
        NotAssessableError: `points` is 0 or less.
    """
    if points <= 0:
        raise NotAssessableError("needs a least change above 0")
    rows = [_sudden(one, points, sign_of(higher_is)) for one in series]
    found = [event for row in rows for event in row.more["events"]]
    gains = [event for event in found if event["kind"] == GAIN]
    losses = [event for event in found if event["kind"] == LOSS]
    counts = {
        "clients_with_gain": sum(row.verdict in (GAIN, BOTH) for row in rows),
        "clients_with_loss": sum(row.verdict in (LOSS, BOTH) for row in rows),
        "gains": len(gains),
        "losses": len(losses),
        "gains_reversed": sum(event["reversed"] for event in gains),
        "losses_reversed": sum(event["reversed"] for event in losses),
        "neither": sum(row.verdict == NEITHER for row in rows),
    }
    return Result(
        "sudden-gains",
        rows,
        critical=points,
        used={"least_change": points, "least_share": SHARE_BEFORE},
        counts=counts,
        note="needs two measures before and two after a step; a reversal gives half of it back",
    )


def _sudden(one: Series, points: float, sign: float) -> Row:
    if len(one.points) < 4:
        return row_of(one, None, None, "fewer than four measures", {"events": []})
    events = [
        event
        for place in range(1, len(one.points) - 2)
        if (event := _event(one.points, place, points, sign)) is not None
    ]
    kinds = {event["kind"] for event in events}
    verdict = BOTH if len(kinds) == 2 else kinds.pop() if kinds else NEITHER
    return row_of(one, None, verdict, None, {"events": events})


def _event(
    points: Sequence[tuple[float, float]], place: int, least: float, sign: float
) -> dict[str, Any] | None:
    """The step from `place` to the next, if it meets all three conditions."""
    (day, before), (next_day, after) = points[place], points[place + 1]
    moved = sign * (after - before)
    if not at_least(moved, max(least, SHARE_BEFORE * abs(before))):
        return None
    earlier = [score for _, score in points[max(0, place - 2) : place + 1]]
    later = [score for _, score in points[place + 1 : place + 4]]
    if not _lasts(earlier, later, sign if moved > 0 else -sign):
        return None
    back = next(
        (at for at, score in points[place + 2 :] if _gives_back(before, after, score)), None
    )
    return {
        "kind": LOSS if moved > 0 else GAIN,
        "from_day": day,
        "to_day": next_day,
        "before": before,
        "after": after,
        "reversed": back is not None,
        "reversed_on": back,
    }


def _lasts(earlier: Sequence[float], later: Sequence[float], sign: float) -> bool:
    """Whether the means around a step differ by more than the pooled spread allows."""
    free = len(earlier) + len(later) - 2
    squares = sum((len(ones) - 1) * sd(ones) ** 2 for ones in (earlier, later))
    limit = CRITICAL_T[free] * math.sqrt(squares / free)
    return sign * (mean(later) - mean(earlier)) > limit


def _gives_back(before: float, after: float, score: float) -> bool:
    """Whether a later score gives at least half of the step back."""
    return at_least((after - score) / (after - before), REVERSED) == 1
