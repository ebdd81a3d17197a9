"""From answers to a score: read by the door before a measure is stored; risk items come first."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.outcomes.core.instrument import Instrument, Items, RiskItem, Subscale

CONFLICT = "conflict"
PRORATED = "prorated"
INCOMPLETE = "incomplete"
NOT_APPLICABLE = "item not applicable"
RISK_UNANSWERED = "risk item unanswered"


class ScoringError(Exception):
    """The answers cannot be those of the instrument; nothing in the text tells the answers."""


class NothingToScoreError(ScoringError):
    """Neither items nor a total."""


class ItemsNotTakenError(ScoringError):
    """Of this instrument totals alone are taken."""


class ItemCountError(ScoringError):
    """A wrong number of items."""

    def __init__(self, expected: int) -> None:
        """Say how many there must be."""
        super().__init__(f"needs {expected} items")
        self.expected = expected


class ItemRangeError(ScoringError):
    """Answers that their items do not take; `faults` holds (index from 0, what it must be)."""

    def __init__(self, form: Items, indices: Sequence[int]) -> None:
        """Say which, and what they may be."""
        self.faults = tuple((index, f"must be {allowed(form, index + 1)}") for index in indices)
        super().__init__("; ".join(f"item {index + 1} {must}" for index, must in self.faults))


class TotalRangeError(ScoringError):
    """A total outside the range of the instrument."""

    def __init__(self, minimum: float, maximum: float) -> None:
        """Say what it may be."""
        super().__init__(f"the total must lie from {minimum:g} to {maximum:g}")
        self.minimum = minimum
        self.maximum = maximum


class TotalFractionError(ScoringError):
    """A total with a fraction, of an instrument whose scores are whole."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What the answers come to; `score` is None where too much is missing.

    `risk` holds one dict for each risk item: item, kind, answer, state, urgent.
    """

    score: float | None
    subscales: dict[str, float] = field(default_factory=dict)
    band: str | None = None
    flags: list[str] = field(default_factory=list)
    risk: list[dict[str, Any]] = field(default_factory=list)


def read_risk(instrument: Instrument, items: Sequence[int | None] | None) -> list[dict[str, Any]]:
    """The risk answers as given; never refuses, and knows nothing of scores.

    Returns:
        For each risk item {item, kind, answer, state, urgent}; state is "endorsed",
        "not endorsed", "unanswered", or "not received" (a total without items).
    """
    return [_risk_answer(risk, items) for risk in instrument.risk]


def _risk_answer(risk: RiskItem, items: Sequence[int | None] | None) -> dict[str, Any]:
    answer: int | None = None
    if items is None:
        state = "not received"
    else:
        answer = items[risk.item - 1] if risk.item <= len(items) else None
        state = "unanswered"
    if answer is not None:
        state = "endorsed" if answer >= risk.endorsed_from else "not endorsed"
    limit = risk.urgent_from
    urgent = answer is not None and limit is not None and answer >= limit
    return {
        "item": risk.item,
        "kind": risk.kind,
        "answer": answer,
        "state": state,
        "urgent": urgent,
    }


def score(
    instrument: Instrument, items: Sequence[int | None] | None, total: float | None
) -> Scored:
    """Score one completed questionnaire.

    A total beside items is only compared with them. Too many unanswered items leave the score
    None, whatever total came along.

    Raises:
        ScoringError: one of its kinds; the answers are impossible for the instrument.
    """
    if total is not None and not instrument.minimum <= total <= instrument.maximum:
        raise TotalRangeError(instrument.minimum, instrument.maximum)
    risk = read_risk(instrument, items)
    if items is None and total is not None and total % 1 and _is_whole(instrument):
        raise TotalFractionError("the total must be a whole number")
    if items is None:
        if total is None:
            raise NothingToScoreError("needs items or a total")
        return Scored(float(total), band=band(instrument, total), risk=risk)
    form = instrument.items
    if form is None:
        raise ItemsNotTakenError("takes totals alone")
    answers = _checked(form, items)
    value, flags = _sum(instrument, form, answers)
    if total is not None and _disagrees(instrument, form, answers, value, total):
        flags.append(CONFLICT)
    if any(answer["state"] == "unanswered" for answer in risk):
        flags.append(RISK_UNANSWERED)
    subscales = _subscales(instrument, form, answers, scored=value is not None)
    return Scored(value, subscales, band(instrument, value), flags, risk)


def _is_whole(instrument: Instrument) -> bool:
    """Whether no answers come to a fraction: not even where missing ones are filled in."""
    filled = instrument.missing.most and not instrument.missing.round
    return not (instrument.step % 1 or instrument.minimum % 1 or filled)


def band(instrument: Instrument, value: float | None) -> str | None:
    """The severity band of a score, None where there is none."""
    if value is None:
        return None
    labels = [band.label for band in instrument.bands if band.low <= value]
    return labels[-1] if labels else None


def allowed(form: Items, item: int) -> str:
    """What an item, counted from 1, may be answered with, in words."""
    answers = form.answers(item)
    if len(answers) == answers[-1] - answers[0] + 1:
        return f"a whole number from {answers[0]} to {answers[-1]}"
    return f"{', '.join(map(str, answers[:-1]))} or {answers[-1]}"


def _checked(form: Items, items: Sequence[int | None]) -> list[int | None]:
    """The answers, reversed ones turned round."""
    if len(items) != form.count:
        raise ItemCountError(form.count)
    wrong = [index for index, one in enumerate(items) if not _takes(form, index + 1, one)]
    if wrong:
        raise ItemRangeError(form, wrong)
    return [_turned(form, item, answer) for item, answer in enumerate(items, start=1)]


def _takes(form: Items, item: int, answer: int | None) -> bool:
    """Whether an item may be answered so; true and 1.0 are no answers."""
    return answer is None or (type(answer) is int and answer in form.answers(item))


def _turned(form: Items, item: int, answer: int | None) -> int | None:
    if answer is None or item not in form.reversed:
        return answer
    answers = form.answers(item)
    return answers[0] + answers[-1] - answer


def _of(form: Items, answers: Sequence[int | None], items: Iterable[int]) -> list[int | None]:
    """The answers to these items, without those that did not apply."""
    if not form.may_not_apply:
        return [answers[item - 1] for item in items]
    applying = (at for at in items if answers[at - 1] is not None or at not in form.may_not_apply)
    return [answers[item - 1] for item in applying]


def _summed(form: Items, answers: Sequence[int | None]) -> list[int | None]:
    """What is summed: the highest answer of each group, None where all of it is unanswered."""
    if not (form.highest_of or form.outside_total or form.may_not_apply):
        return list(answers)
    groups = [group for one in form.summed if (group := _of(form, answers, one))]
    return [max((one for one in group if one is not None), default=None) for group in groups]


def _sum(
    instrument: Instrument, form: Items, answers: Sequence[int | None]
) -> tuple[float | None, list[str]]:
    summed = _summed(form, answers)
    given = [one for one in summed if one is not None]
    missing = len(summed) - len(given)
    flags = [NOT_APPLICABLE] if any(answers[at - 1] is None for at in form.may_not_apply) else []
    if missing == 0:
        return float(sum(given) * form.multiply), flags
    filled = None
    if missing <= instrument.missing.most:
        filled = _filled(instrument, form, answers, summed)
    if filled is None:
        return None, [*flags, INCOMPLETE]
    value = filled * form.multiply
    if instrument.missing.round:
        value = _half_up(value / instrument.step) * instrument.step
    return value, [*flags, PRORATED]


def _filled(
    instrument: Instrument,
    form: Items,
    answers: Sequence[int | None],
    summed: Sequence[int | None],
) -> float | None:
    """The sum with each missing answer replaced by the mean of those beside it."""
    if not instrument.missing.within_subscales:
        return _prorated(summed)
    scales = (one for one in instrument.subscales.values() if not form.outside_total & {*one.items})
    sums = [_scale_sum(instrument, form, scale, answers) for scale in scales]
    known = [value for value in sums if value is not None]
    return sum(known) if len(known) == len(sums) else None


def _prorated(answers: Sequence[int | None]) -> float | None:
    given = [answer for answer in answers if answer is not None]
    return len(answers) * sum(given) / len(given) if given else None


def _scale_sum(
    instrument: Instrument, form: Items, scale: Subscale, answers: Sequence[int | None]
) -> float | None:
    """The sum of a subscale's items as far as its own limit goes, whole where scores are."""
    given = _of(form, answers, scale.items)
    if scale.missing is not None and given.count(None) > scale.missing:
        return None
    value = _prorated(given)
    return value if value is None or not instrument.missing.round else _half_up(value)


def _subscales(
    instrument: Instrument, form: Items, answers: Sequence[int | None], *, scored: bool
) -> dict[str, float]:
    """The subscales that were answered in full, or as far as they or the scored form allow."""
    found = {}
    filled = scored and instrument.missing.within_subscales
    for name, scale in instrument.subscales.items():
        in_total = not form.outside_total & {*scale.items}
        made_up = scale.missing is not None or (filled and in_total)
        value = _scale_sum(instrument, form, scale, answers)
        if value is not None and (made_up or None not in _of(form, answers, scale.items)):
            found[name] = scale.multiply * value
    return found


def _disagrees(
    instrument: Instrument,
    form: Items,
    answers: Sequence[int | None],
    value: float | None,
    total: float,
) -> bool:
    """Whether a total cannot come from these answers.

    Where an answer is missing, senders round or weigh differently: only a total that is a whole
    step off the prorated score, or impossible for the answers given, is called a conflict.
    """
    if value is not None:
        whole = None not in _summed(form, answers)
        tolerance = _rounding(instrument, form) if whole else instrument.step - 1e-6
        return abs(total - value) > tolerance
    lowest, highest = (_sum_if(form, answers, end) * form.multiply for end in (0, -1))
    return not lowest - 1e-6 <= total <= highest + 1e-6


def _sum_if(form: Items, answers: Sequence[int | None], end: int) -> int:
    """The sum if all that was left out had been answered from one end (0 or -1) of its range."""
    full = [
        form.answers(item)[end] if answer is None and item not in form.may_not_apply else answer
        for item, answer in enumerate(answers, start=1)
    ]
    return sum(one for one in _summed(form, full) if one is not None)


def _rounding(instrument: Instrument, form: Items) -> float:
    """By how much a total may differ: half a step where scores have to be rounded."""
    steps = form.multiply / instrument.step
    return 1e-6 if abs(steps - round(steps)) < 1e-9 else instrument.step / 2 + 1e-6


def _half_up(value: float) -> int:
    return math.floor(value + 0.5)
