"""What findings are held against: thresholds with their sources, in the form of a message."""

from typing import Any

from services.outcomes.core.instrument import Instrument

Limit = dict[str, Any]
"""{name, value, source}, as `schemas.parts.Threshold` has them."""


def change_limit(instrument: Instrument) -> list[Limit]:
    """The reliable change, where one is known."""
    change = instrument.reliable_change
    if change is None:
        return []
    source = change_source(instrument)
    return [{"name": "reliable change", "value": round(change, 4), "source": source}]


def change_source(instrument: Instrument) -> str:
    """In words where the reliable change comes from."""
    norm, reliability = instrument.norm, instrument.reliability
    if norm is not None and reliability is not None:
        return (
            f"Jacobson-Truax, 95 %, {reliability.kind} {reliability.value:g} "
            f"({reliability.source}), SD {norm.sd:g} ({norm.sample})"
        )
    published = instrument.published
    return "" if published is None else f"{published.confidence:.0%}, {published.source}"


def cut_limit(instrument: Instrument) -> list[Limit]:
    """The cut-off as printed, where there is one."""
    cutoff = instrument.cutoff
    if cutoff is None:
        return []
    return [{"name": "cut-off", "value": cutoff.value, "source": cutoff.source}]


def alarm_limit(threshold: float, source: str) -> Limit:
    """The alarm threshold for P(fail), as it is told."""
    return {"name": "alarm threshold", "value": round(threshold, 4), "source": source}
