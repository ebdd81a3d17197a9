"""From the flat JSON of the EHR's door, checked and parsed, to the commands of the record."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.outcomes.core.measure import Content
from services.outcomes.core.telling import Announcement


def measure(parsed: Mapping[str, Any]) -> Content:
    """The content of a measure.

    Args:
        parsed: as the measure's schema loads it; `administered_at` is the text that was sent.
    """
    sent = parsed["administered_at"]
    items, total = parsed.get("items"), parsed.get("total")
    return Content(
        external_id=parsed["external_id"],
        client=parsed["client"],
        episode=parsed["episode"],
        instrument=parsed["instrument"].lower(),
        administered_at=sent,
        on=sent[:10],
        at=datetime.fromisoformat(sent).isoformat() if len(sent) > 10 else None,
        items=None if items is None else tuple(items),
        total=None if total is None else float(total),
        session_number=parsed.get("session_number"),
        clinician=parsed.get("clinician"),
        respondent=parsed.get("respondent") or "client",
    )


def announcement(parsed: Mapping[str, Any]) -> Announcement:
    """What is said of an episode, from what the episode's schema loads."""
    primary = parsed.get("primary_instrument")
    return Announcement(**{**parsed, "primary_instrument": primary and primary.lower()})
