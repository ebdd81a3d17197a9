"""The route that says what is scored, by which values, and where each of them comes from."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response

from services.outcomes.api.answers import answered
from services.outcomes.core.instrument import Instrument


def blueprint(instruments: Mapping[str, Instrument]) -> Blueprint:
    """The route /v1/instruments; the answer is made once."""
    routes = Blueprint("instruments", __name__, url_prefix="/v1")
    told = [of_instrument(instruments[name]) for name in sorted(instruments)]

    @routes.get("/instruments")
    def everything() -> Response:
        return answered({"instruments": told})

    return routes


def of_instrument(instrument: Instrument) -> dict[str, Any]:
    """An instrument as JSON; item wording only where its licence lets it be shown."""
    told = asdict(instrument)
    items = told["items"]
    if items is not None:
        items |= {key: sorted(items[key]) for key in ("reversed", "outside_total", "may_not_apply")}
        if not instrument.item_text:
            items |= {"wording": [], "stem": "", "anchors": []}
    told["alarm"] = [
        {"false_alarms": budget, "threshold": threshold}
        for budget, threshold in instrument.alarm.items()
    ]
    told["range"] = {name: told.pop(name) for name in ("minimum", "maximum", "step")}
    told["reliable_change"] = instrument.reliable_change
    return told
