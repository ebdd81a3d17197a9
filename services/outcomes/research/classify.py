"""Chooses what a table allows: which methods, with which numbers, and why the others were left."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.outcomes.core.change_methods import hierarchical, prepost, series, talking
from services.outcomes.core.change_methods.prepost import FORMULAS, Sample
from services.outcomes.core.change_methods.series import Series
from services.outcomes.core.change_methods.verdict import (
    CRITICAL,
    Cut,
    NotAssessableError,
    Pair,
    Result,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for beside the table; None for what was not said."""

    higher_is: str = "worse"
    reliability: float | None = None
    reliability_post: float | None = None
    clinical_mean: float | None = None
    clinical_sd: float | None = None
    functional_mean: float | None = None
    functional_sd: float | None = None
    cutoff_kind: str | None = None
    cutoff: float | None = None
    anchor: float | None = None
    percent: float | None = None
    second_cutoff: float | None = None
    second_anchor: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The clients' scores: of a long table all of them, of a second measure those beside them."""

    pairs: Sequence[Pair]
    series: Sequence[Series] | None = None
    second: Sequence[Pair] | None = None


@dataclass(frozen=True, slots=True)
class Classified:
    """What came of it: a result for each method, or why there is none."""

    results: Sequence[Result]
    left_out: Mapping[str, str]


def classify(table: Table, choice: Choice, methods: Sequence[str]) -> Classified:
    """Judge the table by each of `methods`.

    Raises:
        NotAssessableError: no cut-off of the kind that was asked for can be had.
    """
    group = prepost.sample(
        table.pairs,
        reliability=choice.reliability,
        reliability_post=choice.reliability_post,
        clinical_mean=choice.clinical_mean,
        clinical_sd=choice.clinical_sd,
    )
    cut = _cut(group, choice)
    results, left_out = [], {}
    for method in methods:
        try:
            results.append(_judge(method, table, group, cut, choice))
        except NotAssessableError as error:
            left_out[method] = str(error)
    return Classified(results, left_out)


def _cut(group: Sample, choice: Choice) -> Cut | None:
    """The cut-off that was stated, else the one that was asked for, else c, else a, else none."""
    if choice.cutoff is not None:
        return Cut("given", choice.cutoff)
    middle, spread = choice.functional_mean, choice.functional_sd
    functional = None if middle is None or spread is None else (middle, spread)
    if choice.cutoff_kind is not None:
        return prepost.cut_off(choice.cutoff_kind, group, functional, choice.higher_is)
    try:
        return prepost.cut_off("c" if functional else "a", group, functional, choice.higher_is)
    except NotAssessableError:
        return None


def _judge(method: str, table: Table, group: Sample, cut: Cut | None, choice: Choice) -> Result:
    if method in FORMULAS:
        return prepost.judge(method, table.pairs, group, cut, choice.higher_is)
    return _OTHERS[method](table, group, cut, choice)


def _anchor(table: Table, _: Sample, cut: Cut | None, choice: Choice) -> Result:
    return prepost.anchor(
        table.pairs, _said(choice.anchor, "--anchor POINTS"), cut, choice.higher_is
    )


def _percentage(table: Table, _: Sample, cut: Cut | None, choice: Choice) -> Result:
    return prepost.percentage(
        table.pairs, _said(choice.percent, "--percent P"), cut, choice.higher_is
    )


def _hierarchical(table: Table, _: Sample, __: Cut | None, choice: Choice) -> Result:
    return hierarchical.hierarchical(_long(table), choice.higher_is)


def _trend(table: Table, group: Sample, cut: Cut | None, choice: Choice) -> Result:
    return series.trend(_long(table), group.sem, cut, choice.higher_is)


def _sudden(table: Table, group: Sample, _: Cut | None, choice: Choice) -> Result:
    clients = _long(table)
    if choice.reliability is None:
        least = _said(choice.anchor, "--reliability, or the least change as --anchor")
    else:
        least = CRITICAL * group.s_diff
    return series.sudden_gains(clients, least, choice.higher_is)


def _talking(table: Table, _: Sample, cut: Cut | None, choice: Choice) -> Result:
    if table.second is None:
        raise NotAssessableError("needs a second measure: --second-pre and --second-post")
    if cut is None or choice.cutoff is None:
        raise NotAssessableError("needs the caseness of the first measure: --cutoff")
    second = Cut("given", _said(choice.second_cutoff, "--second-cutoff"))
    return talking.talking_therapies(
        talking.Measure(table.pairs, cut, _said(choice.anchor, "--anchor POINTS")),
        talking.Measure(table.second, second, _said(choice.second_anchor, "--second-anchor")),
        choice.higher_is,
    )


_OTHERS: Mapping[str, Callable[[Table, Sample, Cut | None, Choice], Result]] = {
    "anchor": _anchor,
    "percentage": _percentage,
    "hierarchical": _hierarchical,
    "reliable-trend": _trend,
    "sudden-gains": _sudden,
    "nhs-talking-therapies": _talking,
}


def _long(table: Table) -> Sequence[Series]:
    if table.series is None:
        raise NotAssessableError("needs a table with one row per measure: --day and --score")
    return table.series


def _said(value: float | None, option: str) -> float:
    if value is None:
        raise NotAssessableError(f"needs {option}")
    return value
