"""Recovery and reliable improvement as NHS Talking Therapies counts them: over two measures."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.outcomes.core.change_methods.verdict import (
    DETERIORATED,
    HARMED,
    IMPROVED,
    RECOVERED,
    UNCHANGED,
    Cut,
    Pair,
    Result,
    Row,
    at_least,
    sign_of,
    unassessed,
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One of the two measures: the clients' scores in it, its caseness and its reliable change."""

    pairs: Sequence[Pair]
    cut: Cut
    change: float


def talking_therapies(first: Measure, second: Measure, higher_is: str) -> Result:
    """Classify by depression and anxiety together; both lists hold the same clients in order.

    Reliable improvement: one measure improves by its reliable change and neither deteriorates by
    it. Recovery: a case on either before, on neither after. "Recovered" here is both at once.
    """
    sign = sign_of(higher_is)
    both = zip(first.pairs, second.pairs, strict=True)
    rows = [_row(one, other, first, second, sign) for one, other in both]
    cases = [row for row in rows if row.more.get("case_before")]
    recovery = [row for row in cases if not row.more["case_after"]]
    return Result(
        "nhs-talking-therapies",
        rows,
        cut=first.cut,
        used={
            "reliable_change": first.change,
            "second_cutoff": second.cut.value,
            "second_reliable_change": second.change,
            "cases_before": len(cases),
            "recovery": len(recovery),
            "recovery_rate": len(recovery) / len(cases) if cases else None,
        },
        note="recovery is counted among those who were a case before, whether or not reliably",
    )


def _row(one: Pair, other: Pair, first: Measure, second: Measure, sign: float) -> Row:
    if one.pre is None or one.post is None or other.pre is None or other.post is None:
        return unassessed(one.client, one.pre, one.post, one.lacks or other.lacks)
    before = first.cut.is_case(one.pre, sign) or second.cut.is_case(other.pre, sign)
    after = first.cut.is_case(one.post, sign) or second.cut.is_case(other.post, sign)
    moves = {
        at_least(sign * (one.post - one.pre), first.change),
        at_least(sign * (other.post - other.pre), second.change),
    }
    more = {
        "second_pre": other.pre,
        "second_post": other.post,
        "case_before": before,
        "case_after": after,
    }
    verdict = _verdict(moves, before=before, after=after)
    return Row(one.client, one.pre, one.post, None, verdict, None, more)


def _verdict(moves: set[int], *, before: bool, after: bool) -> str:
    if moves >= {-1, 1} or moves == {0}:
        return UNCHANGED
    if -1 in moves:
        return RECOVERED if before and not after else IMPROVED
    return HARMED if after and not before else DETERIORATED
