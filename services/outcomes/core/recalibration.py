"""A clinic's own recalibration of P(fail): read strictly at start, then part of every forecast."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from services.outcomes.core.estimate import Model
from services.outcomes.core.place import line_of
from services.outcomes.core.table import InstrumentError, Table

NEEDED, OF_EACH = 1000, 100
"""Endings, and failures and successes among them, below which nothing is recalibrated.

The second after Collins, Ogundimu and Altman (2016), Statistics in Medicine 35, 214-226.
"""
EDGE = 1e-6
"""P(fail) is kept so far from 0 and 1 before its logit is taken."""
FITTED_UNDER = (
    "mean",
    "sd",
    "noise",
    "drift",
    "damping",
    "slope_mean",
    "slope_variance",
    "slope_on_baseline",
    "slope_drift",
    "baseline_variance",
    "reliable_change",
    "cut",
)
"""Fields of `Model` on which P(fail) rests."""
CLOSE = 1e-6
"""Relative difference up to which two of them are the same number."""


@dataclass(frozen=True, slots=True)
class Recalibration:
    """logit P(the course ends as a failure) = intercept + slope · logit P(fail).

    Attributes:
        endings: closed courses of this clinic that it was fitted to.
        made_on: the date of the fit, as its file says it.
    """

    intercept: float
    slope: float
    endings: int
    made_on: str

    def chance(self, p_fail: float) -> float:
        """What P(fail) of the model means by this clinic's own endings."""
        kept = min(max(p_fail, EDGE), 1.0 - EDGE)
        logit = self.intercept + self.slope * math.log(kept / (1.0 - kept))
        return 1.0 / (1.0 + math.exp(-min(max(logit, -30.0), 30.0)))

    @property
    def source(self) -> str:
        """In words where it comes from, for a card."""
        return f"recalibrated by {self.endings:,} endings of this clinic ({self.made_on})"


def read(
    name: str, text: str, models: Mapping[str, Model | None], weeks: float
) -> dict[str, Recalibration]:
    """The recalibrations of a file by instrument, each fitted to what P(fail) is here.

    Args:
        name: the file, for error messages.
        text: what it holds: a list of tables `recalibration`, so that files can be joined.
        models: the model in force of every instrument that is known.
        weeks: how far ahead P(fail) looks here.

    Raises:
        InstrumentError: it cannot be used; the text names file, line and reason.
    """
    try:
        root = Table(name, "", tomllib.loads(text))
        tables = root.tables("recalibration")
        if not tables:
            raise InstrumentError(name, "as a whole", "holds no recalibration")
        found: dict[str, Recalibration] = {}
        for table in tables:
            instrument = table.text("instrument")
            if instrument not in models:
                raise table.error("instrument", "is not known")
            if instrument in found:
                raise table.error("instrument", "has a recalibration already")
            found[instrument] = _of(table)
            _check(table, models[instrument], weeks)
        root.refuse_unread()
    except tomllib.TOMLDecodeError as error:
        raise InstrumentError(name, "as a whole", f"is no TOML: {error}") from None
    except InstrumentError as error:
        raise error.at(line_of(text, error.key)) from None
    return found


def _of(table: Table) -> Recalibration:
    endings, failures = table.integer("endings"), table.integer("failures")
    if endings < NEEDED:
        raise table.error("endings", f"must be {NEEDED:,} or more: fewer say too little")
    if min(failures, endings - failures) < OF_EACH:
        raise table.error("failures", f"needs {OF_EACH} failures and {OF_EACH} others")
    slope = table.number("slope")
    if slope <= 0:
        raise table.error("slope", "must be above 0: else P(fail) would be turned round")
    return Recalibration(table.number("intercept"), slope, endings, table.text("made_on"))


def _check(table: Table, model: Model | None, weeks: float) -> None:
    """Refuse a line through another P(fail) than that of the service."""
    if model is None:
        raise table.error("instrument", "has no P(fail) here: no norm or no reliability")
    if not math.isclose(ahead := table.number("horizon_weeks"), weeks):
        reason = f"is {ahead:g}, and P(fail) looks {weeks:g} weeks ahead here"
        raise table.error("horizon_weeks", reason)
    under = table.table("model")
    for number in FITTED_UNDER:
        fitted, here = under.number(number), getattr(model, number)
        if here is None or not math.isclose(fitted, here, rel_tol=CLOSE, abs_tol=1e-12):
            known = "not known" if here is None else f"{here:.6g}"
            reason = f"was {fitted:.6g} at the fit and is {known} here: fit it again"
            raise under.error(number, f"{reason}, or set the numbers of its fit")
