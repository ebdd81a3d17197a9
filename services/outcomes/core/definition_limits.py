"""The limits of a definition: bands, cut-offs, norm, reliability, and what alarms follow from."""

from itertools import pairwise
from typing import NamedTuple

from services.outcomes.core.client import AGES, GENDERS
from services.outcomes.core.instrument import (
    Band,
    Conditional,
    Cutoff,
    Norm,
    Published,
    Reliability,
)
from services.outcomes.core.table import Table

DEMOGRAPHICS = ("age", "gender", "respondent")
"""What a threshold may depend on beyond the score."""
NEAR = 1e-6
"""What is left when steps such as .1 are counted."""


class Ends(NamedTuple):
    """The lowest and the highest score: no limit of a scale lies outside them."""

    low: float
    high: float

    def hold(self, value: float) -> bool:
        """Whether a score lies between them, or is one of them."""
        return self.low <= value <= self.high

    @property
    def width(self) -> float:
        """The largest change that there can be."""
        return self.high - self.low


def bands(root: Table, ends: Ends, step: float) -> tuple[Band, ...]:
    """The bands of severity, lowest score first; none where none are named."""
    if not root.has("severity"):
        return ()
    return band_list(root.table("severity"), ends, step)


def band_list(severity: Table, ends: Ends, step: float) -> tuple[Band, ...]:
    """Bands that rise without a gap and lie within the scale."""
    bands = tuple(
        Band(table.text("label"), table.number("low"), table.number("high"))
        for table in severity.tables("bands")
    )
    lows = [band.low for band in bands]
    if lows != sorted(lows) or not lows or (lows[0], bands[-1].high) != ends:
        raise severity.error("bands", "must run from the lowest score to the highest")
    if any(band.high < band.low for band in bands):
        raise severity.error("bands", "must each end where they begin, or above")
    if any(band.high >= after.low for band, after in pairwise(bands)):
        raise severity.error("bands", "overlap")
    if any(after.low - band.high > step + NEAR for band, after in pairwise(bands)):
        raise severity.error("bands", "leave a score between them out")
    return bands


def cutoff(table: Table, worse: bool, ends: Ends) -> Cutoff:
    """From which score on somebody is a case."""
    operator = table.choice("operator", (">=", ">") if worse else ("<=", "<"))
    value = table.number("value")
    if not ends.hold(value):
        raise table.error("value", f"must lie between {ends.low:g} and {ends.high:g}")
    worst, mildest = (ends.high, ends.low) if worse else (ends.low, ends.high)
    strict = operator in (">", "<")
    if value == (worst if strict else mildest):
        raise table.error("value", f"would make {'nobody' if strict else 'everybody'} a case")
    return Cutoff(operator, value, table.source())


def cutoffs(root: Table, worse: bool, ends: Ends) -> tuple[Conditional, ...]:
    """Cut-offs that hold for some alone, each with whom it holds for."""
    found = []
    for table in root.tables("cutoffs"):
        when = table.table("when")
        known = {key: when.text(key) for key in DEMOGRAPHICS if when.has(key)}
        if not known:
            raise table.error("when", f"must name one of {', '.join(DEMOGRAPHICS)}")
        if "age" in known and not _is_stretch(known["age"]):
            raise when.error("age", 'must be a stretch of years such as "11-13"')
        if known.get("gender", GENDERS[0]) not in GENDERS:
            raise when.error("gender", f"must be one of {', '.join(GENDERS)}")
        found.append(Conditional(known, cutoff(table, worse, ends)))
    if found and root.has("cutoff"):
        raise root.error("cutoffs", "stand beside a cutoff for everybody")
    return tuple(found)


def _is_stretch(written: str) -> bool:
    ages = AGES.match(written)
    return ages is not None and int(ages[1]) <= int(ages[2])


def needs(root: Table) -> tuple[str, ...]:
    """What of a client the limits depend on beyond the score."""
    needs = root.texts("needs")
    if not set(needs) <= set(DEMOGRAPHICS):
        raise root.error("needs", f"may name {', '.join(DEMOGRAPHICS)}")
    asked = {key for table in root.tables("cutoffs") for key in table.table("when").names()}
    if not asked <= set(needs):
        raise root.error("needs", "must name what the cut-offs depend on")
    return needs


def reliability(root: Table) -> Reliability | None:
    """The reliability with its kind, None where none is known."""
    if not root.has("reliability"):
        return None
    table = root.table("reliability")
    value = table.number("value")
    if not 0 < value < 1:
        raise table.error("value", "must lie between 0 and 1")
    kind = table.choice("kind", ("alpha", "omega", "test-retest", "inter-rater"))
    return Reliability(value, kind, table.text("sample"), table.source())


def norm(root: Table, ends: Ends) -> Norm | None:
    """Mean and SD of a clinical sample, None where none are known."""
    if not root.has("norm"):
        return None
    table = root.table("norm")
    sd = table.number("sd")
    if sd <= 0:
        raise table.error("sd", "must be above 0")
    if sd > ends.width:
        raise table.error("sd", f"must not be above {ends.width:g}, the width of the scale")
    mean = table.number("mean") if table.has("mean") else None
    if mean is not None and not ends.hold(mean):
        raise table.error("mean", f"must lie between {ends.low:g} and {ends.high:g}")
    return Norm(mean, sd, table.text("sample"), table.source())


def published(root: Table, ends: Ends) -> Published | None:
    """The reliable change as published, None where none is."""
    if not root.has("reliable_change"):
        return None
    table = root.table("reliable_change")
    confidence = table.number("confidence")
    if not 0.5 < confidence < 1:
        raise table.error("confidence", "must lie between .5 and 1")
    operator, value = table.choice("operator", (">=", ">")), table.number("value")
    if not 0 < value <= ends.width:
        raise table.error("value", f"must be above 0, and {ends.width:g} at most")
    return Published(operator, value, confidence, table.source())


def alarm(root: Table) -> dict[float, float]:
    """Budgets of false alarms, rising, each with the threshold of P(fail) that keeps it."""
    if not root.has("alarm"):
        return {}
    table = root.table("alarm")
    budgets, thresholds = table.numbers("budgets"), table.numbers("thresholds")
    if not budgets or len(budgets) != len(thresholds):
        raise table.error("thresholds", "needs one for each of the budgets")
    if not all(0 < one < 1 for one in (*budgets, *thresholds)):
        raise table.error("thresholds", "must lie between 0 and 1, like the budgets")
    if any(one >= two for one, two in pairwise(budgets)):
        raise table.error("budgets", "must rise")
    if any(one < two for one, two in pairwise(thresholds)):
        raise table.error("thresholds", "must not rise: a larger budget has a lower threshold")
    return dict(zip(budgets, thresholds, strict=True))
