"""What each route of the door is for, in words: the list behind the documentation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema

from services.outcomes.api import schemas
from services.outcomes.api.body import NDJSON
from services.outcomes.api.fields import DoorSchema


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as it is documented. `answers`: status to (meaning, schema or None)."""

    method: str
    path: str
    group: str
    summary: str
    detail: str
    answers: Mapping[int, tuple[str, type[Schema] | None]]
    body: type[DoorSchema] | None = None
    query: type[DoorSchema] | None = None
    example: Any = None
    many: bool = False
    refusals: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """A name that is good as an anchor."""
        words = self.path.replace("/v1/", "").replace("{", "").replace("}", "").split("/")
        return "-".join([self.method.lower(), *words])


REFUSALS = {
    400: "The body is not JSON.",
    401: "The token is missing, wrong or revoked.",
    404: "There is no such thing, or it is another sender's.",
    409: "What is recorded already forbids it; the problem says what to do.",
    410: "The client was erased.",
    413: "The body is over 1 MB, or a batch over 1,000 measures.",
    415: "The media type is not JSON in UTF-8.",
    422: "Something in the content is wrong; one JSON pointer for each fault.",
    503: "The store is away; send the same again after Retry-After.",
}
_POSTED = (400, 401, 409, 410, 413, 415, 422, 503)
_MEASURE = {
    "external_id": "m-1001",
    "client": "K-1184",
    "episode": "E-77",
    "instrument": "phq-9",
    "administered_at": "2026-03-02",
    "items": [2, 2, 1, 2, 1, 1, 1, 0, 0],
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/v1/measures",
        "Measures",
        "Record a measure",
        "Scores it, reads its risk answers and stores it before the answer leaves. Sending the "
        "same again gives the same answer. An instrument that is not known here is held: 202 with "
        "where to see it. A total that disagrees with the items is stored, flagged `conflict`, and "
        "kept out of detection until it is corrected.",
        {
            201: ("Recorded.", schemas.MeasureOut),
            200: ("Recorded before, with this content.", schemas.MeasureOut),
            202: ("Stored and held.", schemas.HeldOut),
        },
        body=schemas.MeasureIn,
        example=_MEASURE,
        refusals=_POSTED,
    ),
    Operation(
        "POST",
        "/v1/measures/batch",
        "Measures",
        "Record up to 1,000 measures",
        f"NDJSON (one measure a line, `{NDJSON}`) or a JSON array. One result for each line, in "
        "order, in the form the request had; a bad line spoils no other.",
        {200: ("One result for each line.", schemas.ResultOut)},
        body=schemas.MeasureIn,
        example=_MEASURE,
        many=True,
        refusals=(400, 401, 413, 415, 503),
    ),
    Operation(
        "PUT",
        "/v1/measures/{external_id}",
        "Measures",
        "Correct a measure",
        "The whole corrected measure. Its trajectory is folded anew, and alerts that rested on it "
        "are amended or withdrawn; a risk alert stays until it is acknowledged. What was withdrawn "
        "is given again with `?reinstate=true`.",
        {
            200: ("Corrected, or equal to the latest.", schemas.MeasureOut),
            201: ("Recorded; there was none.", schemas.MeasureOut),
            202: ("Stored and held.", schemas.HeldOut),
        },
        body=schemas.MeasurePut,
        query=schemas.MeasureQuery,
        example=_MEASURE,
        refusals=_POSTED,
    ),
    Operation(
        "DELETE",
        "/v1/measures/{external_id}",
        "Measures",
        "Withdraw a measure",
        "Nothing is deleted: the measure no longer counts, and its trajectory is folded anew.",
        {200: ("Withdrawn, now or before.", schemas.WithdrawnOut)},
        query=schemas.WithdrawQuery,
        refusals=(401, 404, 410, 422, 503),
    ),
    Operation(
        "GET",
        "/v1/measures/{external_id}",
        "Measures",
        "Look at a measure",
        "As it stands, with everything that was ever said of it.",
        {200: ("The measure.", schemas.MeasureOut)},
        refusals=(401, 404, 410, 503),
    ),
    Operation(
        "GET",
        "/v1/held",
        "Measures",
        "List held measures",
        "What is stored and waits for somebody to look at it, the longest held first.",
        {200: ("The held measures.", None)},
        refusals=(401, 503),
    ),
    Operation(
        "PUT",
        "/v1/episodes/{episode}",
        "Episodes",
        "Announce an episode",
        "The plan, whole. A closed episode is opened again with `reopened_on`. Another approach "
        "than before begins today; to date it, post it.",
        {
            201: ("Opened.", None),
            200: ("Brought up to date, or known so.", None),
        },
        body=schemas.EpisodeIn,
        example={
            "client": "K-1184",
            "clinician": "T-12",
            "opened_on": "2026-01-05",
            "approach": "CBT",
            "planned_sessions": 16,
            "primary_instrument": "phq-9",
        },
        refusals=_POSTED,
    ),
    Operation(
        "POST",
        "/v1/episodes/{episode}/approach",
        "Episodes",
        "Report a change of approach",
        "The same approach as a clinician chose in a reflection within 14 days confirms that "
        'pivot instead of making another, also by another name that is known of it ("CBT").',
        {201: ("Noted.", None), 200: ("Known so, or replaced.", None)},
        body=schemas.ApproachIn,
        example={"approach": "behavioural activation", "since": "2026-03-02"},
        refusals=(*_POSTED, 404),
    ),
    Operation(
        "POST",
        "/v1/episodes/{episode}/events",
        "Episodes",
        "Note something else that happened",
        "Medication, a life event, a break, the setting: it is named beside the effect of a pivot "
        "near it. The same external id again replaces it.",
        {201: ("Noted.", None), 200: ("Known so, or replaced.", None)},
        body=schemas.FactIn,
        example={
            "external_id": "f-1",
            "on": "2026-02-20",
            "kind": "medication",
            "label": "sertraline 50 mg",
        },
        refusals=(*_POSTED, 404),
    ),
    Operation(
        "POST",
        "/v1/episodes/{episode}/sessions",
        "Episodes",
        "Note a session",
        "Kept, cancelled or missed. The same external id again replaces it.",
        {201: ("Noted.", None), 200: ("Known so, or replaced.", None)},
        body=schemas.SessionIn,
        example={"external_id": "s-4", "on": "2026-03-02", "attendance": "attended"},
        refusals=(*_POSTED, 404),
    ),
    Operation(
        "POST",
        "/v1/episodes/{episode}/close",
        "Episodes",
        "Close an episode",
        "Measures after this go on the chart alone.",
        {200: ("Closed, now or before.", None)},
        body=schemas.CloseIn,
        example={"on": "2026-06-01", "reason": "planned ending"},
        refusals=(*_POSTED, 404),
    ),
    Operation(
        "GET",
        "/v1/episodes/{episode}",
        "Episodes",
        "Read an episode",
        "Everything known, with assessments, findings, pivots and their effects. `position` is "
        "the place in the log up to which the findings take everything in.",
        {200: ("The episode.", None)},
        refusals=(401, 404, 410, 503),
    ),
    Operation(
        "GET",
        "/v1/episodes/{episode}/trajectories",
        "Episodes",
        "Read an episode's trajectories",
        "The scores of each instrument over time, with the estimate behind them and the forecast.",
        {200: ("The trajectories.", None)},
        refusals=(401, 404, 410, 503),
    ),
    Operation(
        "GET",
        "/v1/instruments",
        "Instruments",
        "List what is scored",
        "Each instrument with its range, bands, cut-off and reliability, and the source of each.",
        {200: ("The instruments.", None)},
        refusals=(401,),
    ),
)
"""Every route behind a token; a test holds them against the application's own list."""
