"""Every metric of the outcomes service: name, type, labels and meaning; none names a person."""

from services.chassis.metrics import GROUND, HTTP, LOOPS, RECEIVERS, Catalogue, Metric

MEASURES = Metric(
    "measures_taken_total",
    "counter",
    "Measures that were posted, by what became of them.",
    ("result",),
)
HELD = Metric(
    "measures_held",
    "gauge",
    "Measures that are held and wait for somebody to look, counted up to 1,000.",
)
RISK_UNSENT = Metric(
    "risk_unsent", "gauge", "Risk answers that were not handed over yet, at the last heartbeat."
)
RISK_UNSENT_SECONDS = Metric(
    "risk_unsent_age_seconds", "gauge", "Age of the oldest of them at the last heartbeat."
)

METRICS = (
    *HTTP,
    *LOOPS,
    *RECEIVERS,
    *GROUND,
    MEASURES,
    HELD,
    RISK_UNSENT,
    RISK_UNSENT_SECONDS,
)


def catalogue() -> Catalogue:
    """The catalogue of one running service."""
    return Catalogue(METRICS)
