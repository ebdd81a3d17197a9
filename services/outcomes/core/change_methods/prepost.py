"""Methods that judge a score before against a score after, each by its published formula."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from services.outcomes.core.change_methods.verdict import (
    CRITICAL,
    Cut,
    NotAssessableError,
    Pair,
    Result,
    Row,
    absolute,
    at_least,
    beyond,
    complete,
    correlation,
    mean,
    relative,
    sd,
    sign_of,
    unassessed,
)

CRITICAL_ONE_SIDED = 1.645


@dataclass(frozen=True, slots=True)
class Sample:
    """What the formulas need of the group; None where the table does not tell it.

    Attributes:
        mean, sd: of the scores before.
        r: reliability before.
        mean_post, sd_post: of the scores after.
        r_post: reliability after, None where none was stated.
        r_pre_post: correlation of the scores before and after.
    """

    mean: float | None
    sd: float | None
    r: float | None
    mean_post: float | None = None
    sd_post: float | None = None
    r_post: float | None = None
    r_pre_post: float | None = None

    def need(self, name: str) -> float:
        """One of the numbers.

        Raises:
            NotAssessableError: it is not known.
        """
        value: float | None = getattr(self, name)
        if value is None:
            raise NotAssessableError(f"needs {_WORDS[name]}")
        return value

    @property
    def spread(self) -> float:
        """The SD before, which must not be 0.

        Raises:
            NotAssessableError: it is not known, or the scores do not vary.
        """
        value = self.need("sd")
        if value <= 0:
            raise NotAssessableError("the scores before do not vary")
        return value

    @property
    def sem(self) -> float:
        """Standard error of measurement."""
        return self.spread * math.sqrt(1 - self.need("r"))

    @property
    def s_diff(self) -> float:
        """Standard error of a difference of two scores."""
        return math.sqrt(2) * self.sem


_WORDS = {
    "mean": "the mean before: at least one client with both scores, or --clinical-mean",
    "sd": "the SD before: at least two clients with both scores, or --clinical-sd",
    "r": "the reliability of the scale: --reliability",
    "mean_post": "the mean after: at least one client with both scores",
    "sd_post": "the SD after: at least two clients with both scores",
    "r_pre_post": "scores before and after that vary",
}


def sample(
    pairs: Sequence[Pair],
    *,
    reliability: float | None = None,
    reliability_post: float | None = None,
    clinical_mean: float | None = None,
    clinical_sd: float | None = None,
) -> Sample:
    """The group's numbers: those given, else those of the clients who have both scores."""
    both = complete(pairs)
    before, after = [x for x, _ in both], [y for _, y in both]
    several = len(both) > 1
    spreads = (sd(before), sd(after)) if several else (None, None)
    return Sample(
        mean=clinical_mean if clinical_mean is not None else mean(before) if both else None,
        sd=clinical_sd if clinical_sd is not None else spreads[0],
        r=reliability,
        mean_post=mean(after) if both else None,
        sd_post=spreads[1],
        r_post=reliability_post,
        r_pre_post=correlation(before, after) if spreads[0] and spreads[1] else None,
    )


def cut_off(
    kind: str, group: Sample, functional: tuple[float, float] | None, higher_is: str
) -> Cut:
    """Jacobson and Truax's cut-off a, b or c; `functional` is mean and SD of the well.

    Raises:
        NotAssessableError: a number that it needs is not known.
    """
    sign = sign_of(higher_is)
    if kind == "a":
        return Cut("a", group.need("mean") - sign * 2 * group.need("sd"))
    if functional is None:
        raise NotAssessableError(f"cut-off {kind} needs --functional-mean and --functional-sd")
    middle, spread = functional
    if kind == "b":
        return Cut("b", middle + sign * 2 * spread)
    own, width = group.need("mean"), group.need("sd")
    return Cut("c", (width * middle + spread * own) / (width + spread))


@dataclass(frozen=True, slots=True)
class Formula:
    """A method: `numerator` and `denominator` of its statistic and the limit it is held against."""

    numerator: Callable[[Sample, float, float], float]
    denominator: Callable[[Sample], float]
    critical: float = CRITICAL
    relative: bool = False
    note: str = ""


def _jacobson_truax(_: Sample, pre: float, post: float) -> float:
    return post - pre


def _gulliksen(group: Sample, pre: float, post: float) -> float:
    middle = group.need("mean")
    return (post - middle) - group.need("r") * (pre - middle)


def _predicted(group: Sample) -> float:
    return group.spread * math.sqrt(1 - group.need("r") ** 2)


def _hsu(group: Sample, pre: float, post: float) -> float:
    return (post - group.need("mean_post")) - group.need("r") * (pre - group.need("mean"))


def _edwards(group: Sample, pre: float, post: float) -> float:
    middle = group.need("mean")
    return post - (group.need("r") * (pre - middle) + middle)


def _nunnally(group: Sample) -> float:
    r = group.need("r")
    after = r if group.r_post is None else group.r_post
    return group.spread * math.sqrt(r**2 * (1 - r) + (1 - after))


def _hageman(group: Sample, pre: float, post: float) -> float:
    true = difference_reliability(group)
    moved = group.need("mean_post") - group.need("mean")
    return (post - pre) * true + moved * (1 - true)


def _hageman_error(group: Sample) -> float:
    return math.sqrt(difference_reliability(group)) * group.s_diff


def difference_reliability(group: Sample) -> float:
    """Reliability of the difference, after Hageman and Arrindell (1999).

    The reliability after follows from an unchanged SEM where none is stated.

    Raises:
        NotAssessableError: differences in this group do not measure anything.
    """
    before, after = group.spread, group.need("sd_post")
    r, sem = group.need("r"), group.sem
    if after <= 0:
        raise NotAssessableError("the scores after do not vary")
    r_post = 1 - (sem / after) ** 2 if group.r_post is None else group.r_post
    shared = 2 * before * after * group.need("r_pre_post")
    variance = before**2 + after**2 - shared
    if variance <= 1e-12 * (before**2 + after**2):
        raise NotAssessableError("all clients change by the same amount")
    value = (before**2 * r + after**2 * r_post - shared) / variance
    if value <= 0:
        raise NotAssessableError("the differences have no reliability in this group")
    return value


TOWARDS_THE_MEAN = (
    "expects each client to move towards the group's mean by itself: who improves by less than "
    "that may count as deteriorated"
)
FORMULAS: Mapping[str, Formula] = {
    "jacobson-truax": Formula(_jacobson_truax, lambda group: group.s_diff),
    "gulliksen-lord-novick": Formula(_gulliksen, _predicted, note=TOWARDS_THE_MEAN),
    "hsu-lin-lord": Formula(
        _hsu,
        _predicted,
        relative=True,
        note="compares each client with the group's own change",
    ),
    "edwards-nunnally": Formula(_edwards, lambda group: group.sem, note=TOWARDS_THE_MEAN),
    "nunnally-kotsch": Formula(_edwards, _nunnally, note=TOWARDS_THE_MEAN),
    "hageman-arrindell": Formula(
        _hageman,
        _hageman_error,
        CRITICAL_ONE_SIDED,
        note="draws each client's change towards the group's; it may differ from the client's own",
    ),
}


def judge(
    method: str, pairs: Sequence[Pair], group: Sample, cut: Cut | None, higher_is: str
) -> Result:
    """Classify by one of `FORMULAS`.

    Raises:
        NotAssessableError: a number that the method needs is not known, or nothing varies.
    """
    formula = FORMULAS[method]
    error, sign = formula.denominator(group), sign_of(higher_is)

    def row(pair: Pair, pre: float, post: float) -> Row:
        statistic = formula.numerator(group, pre, post) / error
        moved = beyond(sign * statistic, formula.critical)
        verdict = relative(moved) if formula.relative else absolute(moved, pre, post, cut, sign)
        return Row(pair.client, pre, post, statistic, verdict)

    return Result(
        method=method,
        rows=_rows(pairs, row),
        relative=formula.relative,
        cut=None if formula.relative else cut,
        s_diff=group.s_diff,
        standard_error=error,
        critical=formula.critical,
        used=_used(method, group),
        note=formula.note,
    )


def _used(method: str, group: Sample) -> dict[str, float | None]:
    told = {"mean": group.mean, "sd": group.sd, "reliability": group.r, "sem": group.sem}
    if method in ("hsu-lin-lord", "hageman-arrindell"):
        told["mean_post"] = group.mean_post
    if method == "nunnally-kotsch":
        told["reliability_post"] = group.r if group.r_post is None else group.r_post
    if method == "hageman-arrindell":
        told |= {"sd_post": group.sd_post, "correlation": group.r_pre_post}
        told["reliability_of_difference"] = difference_reliability(group)
    return told


def anchor(pairs: Sequence[Pair], points: float, cut: Cut | None, higher_is: str) -> Result:
    """Classify by a change of at least so many points."""
    sign = sign_of(higher_is)

    def row(pair: Pair, pre: float, post: float) -> Row:
        moved = at_least(sign * (post - pre), points)
        return Row(pair.client, pre, post, post - pre, absolute(moved, pre, post, cut, sign))

    return Result("anchor", _rows(pairs, row), cut=cut, critical=points)


def percentage(pairs: Sequence[Pair], percent: float, cut: Cut | None, higher_is: str) -> Result:
    """Classify by a change of at least so many percent of the score before.

    It depends on where the scale has its zero; of a score of 0 before nothing can be said.
    """
    sign = sign_of(higher_is)

    def row(pair: Pair, pre: float, post: float) -> Row:
        if pre == 0:
            return unassessed(pair.client, pre, post, "the score before is 0")
        part = 100 * (post - pre) / abs(pre)
        verdict = absolute(at_least(sign * part, percent), pre, post, cut, sign)
        return Row(pair.client, pre, post, part, verdict)

    return Result("percentage", _rows(pairs, row), cut=cut, critical=percent)


def _rows(pairs: Sequence[Pair], row: Callable[[Pair, float, float], Row]) -> list[Row]:
    found = []
    for pair in pairs:
        if pair.pre is None or pair.post is None:
            found.append(unassessed(pair.client, pair.pre, pair.post, pair.lacks))
        else:
            found.append(row(pair, pair.pre, pair.post))
    return found
