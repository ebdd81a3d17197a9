"""The benchmark's report: one page that needs nothing else, a table beside every picture."""

from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

from services.outcomes.research.evaluation import pictures, told
from services.outcomes.research.evaluation.benchmark import RATES, Outcome
from services.outcomes.research.evaluation.told import About

BOX = {
    "left": pictures.LEFT,
    "top": pictures.TOP,
    "base": pictures.HEIGHT - pictures.BOTTOM,
    "end": pictures.WIDTH - pictures.RIGHT,
    "width": pictures.WIDTH,
    "height": pictures.HEIGHT,
}


def page(outcome: Outcome, about: About, *, courses: bool, note: str = "") -> str:
    """The report as HTML.

    Args:
        outcome: the result.
        about: what was judged.
        courses: whether single courses may be shown.
        note: said at the top: source and licence of the data, say.
    """
    places = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    text = (resources.files(__package__ or "") / "report.html").read_text("utf-8")
    return places.from_string(text).render(**_filled(outcome, about, courses=courses), note=note)


def _filled(outcome: Outcome, about: About, *, courses: bool) -> dict[str, Any]:
    ours = outcome.verdicts[0]
    return {
        "outcome": outcome,
        "about": about,
        "box": BOX,
        "opening": list(told.opening(outcome, about)),
        "closing": list(told.closing(outcome)),
        "rates": told.at_rates(outcome, RATES),
        "own": told.at_own(outcome),
        "auc": told.by_number(outcome),
        "intervals": told.intervals(outcome),
        "tradeoff": pictures.tradeoff(outcome),
        "reliability": pictures.reliability(ours),
        "leads": pictures.leads(ours),
        "lead_counts": pictures.lead_counts(ours),
        "bins": [
            (f"{told.number(one.low, 1)} to {told.number(one.high, 1)}", f"{one.n:,}",
             told.number(one.predicted, 2), told.number(one.observed, 2))
            for one in ours.bins
        ],
        "base": told.number(outcome.base_brier, 3),
        "examples": list(pictures.examples(ours)) if courses else [],
        "settings": [(name.replace("_", " "), value) for name, value in about.settings.items()],
    }  # fmt: skip
