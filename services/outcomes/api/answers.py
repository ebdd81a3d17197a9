"""What the door answers: JSON made from recorded events, so that a repeat reads as the first."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson
from flask import Response

from services.outcomes.core import measure
from services.outcomes.core.measure import MeasureHeld, MeasureVersion
from services.outcomes.record import Accepted


def answered(document: Any, status: int = 200, location: str = "") -> Response:
    """A JSON answer; `location` is where the thing is from now on."""
    response = Response(orjson.dumps(document), status, content_type="application/json")
    if location:
        response.headers["Location"] = location
    return response


def address_of(external_id: str) -> str:
    """Where a measure is to be seen."""
    return f"/v1/measures/{quote(external_id)}"


def status_of(accepted: Accepted) -> int:
    """201 for what was stored now for the first time, 202 for what is held, else 200."""
    if isinstance(accepted.version, MeasureHeld):
        return 202
    return 201 if accepted.new and accepted.version.originator_version == 1 else 200


def of_measure(stream: UUID, version: MeasureVersion) -> dict[str, Any]:
    """A version of a measure as its sender is told of it."""
    document: dict[str, Any] = {
        "id": stream.hex,
        "external_id": version.external_id,
        "version": version.originator_version,
        "state": version.TOPIC.removeprefix("measure."),
        "episode": version.episode_reference,
        "instrument": version.instrument,
        "instrument_version": version.instrument_version,
        "respondent": version.respondent,
        "administered_at": version.administered_at,
        "session_number": version.session_number,
        "score": version.score,
        "subscales": version.subscales,
        "band": version.band,
        "flags": version.flags,
        "risk": [{name: one[name] for name in ("item", "answer", "state")} for one in version.risk],
    }
    if isinstance(version, MeasureHeld):
        document |= {"why": version.why, "see": address_of(version.external_id)}
    return document


def of_withdrawal(stream: UUID, state: measure.State) -> dict[str, Any]:
    """A withdrawn measure as its sender is told of it."""
    return {
        "id": stream.hex,
        "external_id": state.latest.external_id,
        "version": state.version,
        "state": state.standing,
        "reason": state.withdrawn,
    }


def of_history(stream: UUID, events: list[Any]) -> dict[str, Any]:
    """A measure with everything that its sender ever said of it."""
    state = measure.fold(events)
    if state is None:
        raise measure.NotRecordedError("there is no such measure")
    latest = state.latest
    document = of_measure(stream, latest) | {
        "client": latest.client,
        "clinician": latest.clinician,
        "items": latest.items,
        "total": latest.total,
    }
    if state.withdrawn:
        document |= of_withdrawal(stream, state)
    document["history"] = [
        {
            "version": event.originator_version,
            "state": event.TOPIC.removeprefix("measure."),
            "at": event.timestamp.isoformat(),
        }
        for event in events
    ]
    return document
