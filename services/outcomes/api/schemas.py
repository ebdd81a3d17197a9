"""The forms of requests and answers at the EHR's door, from which the documentation is made too."""

from datetime import date
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

from schemas.messages import ATTENDANCE, FACT_KINDS
from services.outcomes.api.fields import (
    Choice,
    Day,
    DoorSchema,
    Flag,
    Items,
    Moment,
    Number,
    Slug,
    Text,
    Whole,
)
from services.outcomes.core.client import GENDERS
from services.outcomes.core.measure import REASONS


def _about(description: str, example: Any = None) -> dict[str, Any]:
    metadata = {"description": description}
    return metadata if example is None else metadata | {"example": example}


class MeasureIn(DoorSchema):
    """One completed questionnaire."""

    external_id = Text(
        required=True,
        metadata=_about("Your own id of this measure; makes sending it again safe.", "m-1001"),
    )
    client = Text(
        required=True,
        metadata=_about("Your opaque reference of the client, never a name.", "K-1184"),
    )
    episode = Text(
        required=True, metadata=_about("Your reference of the course of treatment.", "E-77")
    )
    instrument = Text(
        64,
        required=True,
        metadata=_about("Which questionnaire, as listed at /v1/instruments.", "phq-9"),
    )
    administered_at = Moment(
        required=True,
        metadata=_about(
            "When it was filled in: a date, or a date and time with its zone.", "2026-03-02"
        ),
    )
    items = Items(
        allow_none=True,
        metadata=_about(
            "The answers in order as whole numbers, null where one was not given.",
            [2, 2, 1, 2, 1, 1, 1, 0, 0],
        ),
    )
    total = Number(
        allow_none=True,
        metadata=_about("The total, where there are no items, or to be compared with them.", 10),
    )
    session_number = Whole(
        0, 10_000, allow_none=True, metadata=_about("Which session it belongs to.", 4)
    )
    clinician = Text(allow_none=True, metadata=_about("Your reference of the therapist.", "T-12"))
    respondent = Slug(
        40, allow_none=True, metadata=_about("Who answered; client unless said.", "client")
    )

    @validates_schema(skip_on_field_errors=True)
    def _has_answers(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data.get("items") is None and data.get("total") is None:
            raise ValidationError("must have items or a total", "items")


class MeasurePut(MeasureIn):
    """The whole corrected questionnaire."""

    external_id = Text(metadata=_about("May be left out; otherwise as in the address.", "m-1001"))
    reinstate = Flag(
        load_default=False, metadata=_about("Give a withdrawn measure again.", example=False)
    )


class MeasureQuery(DoorSchema):
    """The query of a correction."""

    reinstate = Choice(
        ("true", "false"),
        load_default="false",
        metadata=_about("Give a withdrawn measure again."),
    )


class WithdrawQuery(DoorSchema):
    """The query of a withdrawal."""

    reason = Choice(REASONS, required=True, metadata=_about("Why it is taken back."))


class EpisodeIn(DoorSchema):
    """What is known of a course of treatment, whole."""

    client = Text(required=True, metadata=_about("Your reference of the client.", "K-1184"))
    clinician = Text(
        required=True,
        allow_none=True,
        metadata=_about("Your reference of the therapist, null while there is none.", "T-12"),
    )
    opened_on = Day(required=True, metadata=_about("When it began.", "2026-01-05"))
    approach = Text(allow_none=True, metadata=_about("The way of working it begins with.", "CBT"))
    problem = Text(500, allow_none=True, metadata=_about("What it is for.", "depression"))
    planned_sessions = Whole(
        1, 1_000, allow_none=True, metadata=_about("How many sessions are planned.", 16)
    )
    planned_end = Day(
        may_come=True, allow_none=True, metadata=_about("When it is planned to end.", "2026-06-01")
    )
    next_session = Moment(
        may_come=True, allow_none=True, metadata=_about("When the next session is.", "2026-03-09")
    )
    primary_instrument = Text(
        64, allow_none=True, metadata=_about("The questionnaire to go by.", "phq-9")
    )
    client_age = Whole(
        0,
        130,
        allow_none=True,
        metadata=_about("Whole years at the opening, where a cut-off depends on it.", 34),
    )
    client_gender = Choice(
        GENDERS, allow_none=True, metadata=_about("Where a cut-off depends on it.", "female")
    )
    reopened_on = Day(allow_none=True, metadata=_about("Needed to open a closed episode again."))


class ApproachIn(DoorSchema):
    """A way of working begun."""

    approach = Text(required=True, metadata=_about("The way of working.", "behavioural activation"))
    since = Day(required=True, metadata=_about("Since when.", "2026-03-02"))
    reason = Text(500, allow_none=True, metadata=_about("Why."))
    external_id = Text(
        allow_none=True, metadata=_about("Your id of it, if approach and date may be corrected.")
    )


LONGEST_BREAK = 366
"""Days that an announced break may last."""


class FactIn(DoorSchema):
    """Something else that happened."""

    external_id = Text(required=True, metadata=_about("Your id of it.", "f-1"))
    on = Day(required=True, metadata=_about("When.", "2026-02-20"))
    kind = Choice(FACT_KINDS, required=True, metadata=_about("What kind of thing.", "medication"))
    label = Text(500, required=True, metadata=_about("What, in a few words.", "sertraline 50 mg"))
    until = Day(
        allow_none=True,
        may_come=True,
        metadata=_about("The last day of a break, where known; may lie ahead.", "2026-03-20"),
    )

    @validates_schema(skip_on_field_errors=True)
    def _ends_after_it_began(self, data: dict[str, Any], **kwargs: Any) -> None:
        until = data.get("until")
        if until is None:
            return
        if data["kind"] != "break":
            raise ValidationError("is only told of a break", "until")
        days = (date.fromisoformat(until) - date.fromisoformat(data["on"])).days
        if days < 0:
            raise ValidationError("lies before the day on which the break began", "until")
        if days > LONGEST_BREAK:
            raise ValidationError("lies more than a year after the break began", "until")


class SessionIn(DoorSchema):
    """A session kept, cancelled or missed."""

    external_id = Text(required=True, metadata=_about("Your id of it.", "s-4"))
    on = Day(required=True, metadata=_about("When.", "2026-03-02"))
    attendance = Choice(
        ATTENDANCE, required=True, metadata=_about("What became of it.", "attended")
    )


class CloseIn(DoorSchema):
    """The ending of a treatment."""

    on = Day(required=True, metadata=_about("When.", "2026-06-01"))
    reason = Text(500, required=True, metadata=_about("Why.", "planned ending"))


def as_row(body: type[DoorSchema]) -> type[DoorSchema]:
    """The form of a history's row that tells what `body` does: it names the episode itself."""
    episode = Text(required=True, metadata=_about("Your reference of the course of treatment."))
    return type(f"{body.__name__}Row", (body,), {"episode": episode})


class _Out(Schema):
    class Meta:
        """Answers are described here, not checked: they come from the log."""

        unknown = EXCLUDE


class RiskOut(_Out):
    """What a risk item says, as answered. A 0 is not reassurance."""

    item = fields.Integer(metadata=_about("The item's number, from 1.", 9))
    answer = fields.Integer(allow_none=True, metadata=_about("The answer as given.", 0))
    state = fields.String(
        metadata=_about("endorsed, not endorsed, unanswered or not received.", "not endorsed")
    )


class MeasureOut(_Out):
    """A measure as it was recorded."""

    id = fields.String(metadata=_about("Our id of the measure."))
    external_id = fields.String(metadata=_about("Your id of it.", "m-1001"))
    version = fields.Integer(metadata=_about("1, and one more at each correction.", 1))
    state = fields.String(
        metadata=_about("recorded, held, corrected, reinstated or withdrawn.", "recorded")
    )
    episode = fields.String(metadata=_about("Your reference of the episode.", "E-77"))
    instrument = fields.String(metadata=_about("Which questionnaire.", "phq-9"))
    instrument_version = fields.String(
        allow_none=True, metadata=_about("The definition it was scored with.", "1")
    )
    respondent = fields.String(metadata=_about("Who answered.", "client"))
    administered_at = fields.String(metadata=_about("As you sent it.", "2026-03-02"))
    session_number = fields.Integer(allow_none=True, metadata=_about("As you sent it."))
    score = fields.Float(
        allow_none=True, metadata=_about("The score; null where too much is missing.", 10.0)
    )
    subscales = fields.Dict(metadata=_about("Scores of subscales."))
    band = fields.String(allow_none=True, metadata=_about("The severity band.", "moderate"))
    flags = fields.List(
        fields.String(),
        metadata=_about(
            "conflict, prorated, incomplete, item not applicable or risk item unanswered."
        ),
    )
    risk = fields.List(fields.Nested(RiskOut), metadata=_about("The answers to risk items."))


class HeldOut(MeasureOut):
    """A measure that is stored, and waits for somebody to look at it."""

    why = fields.String(metadata=_about("unknown instrument, or client mismatch."))
    see = fields.String(metadata=_about("Where to see what became of it."))


class ResultOut(MeasureOut):
    """What became of one line: a measure, or a problem, with the status it would have had alone."""

    line = fields.Integer(metadata=_about("The line, from 1.", 1))
    status = fields.Integer(metadata=_about("201, 200, 202 or that of a problem.", 201))


class WithdrawnOut(_Out):
    """A measure taken back."""

    id = fields.String(metadata=_about("Our id of the measure."))
    external_id = fields.String(metadata=_about("Your id of it.", "m-1001"))
    version = fields.Integer(metadata=_about("The version that took it back.", 2))
    state = fields.String(metadata=_about("Always withdrawn.", "withdrawn"))
    reason = fields.String(metadata=_about("Why.", "entered-in-error"))


class FaultOut(_Out):
    """One thing that is wrong with a request."""

    pointer = fields.String(metadata=_about("Where, as a JSON pointer (RFC 6901).", "/items/3"))
    detail = fields.String(metadata=_about("What is wrong, and what is wanted."))


class ProblemOut(_Out):
    """Why a request was refused (RFC 9457)."""

    type = fields.String(metadata=_about("The kind of problem, for programs.", "/problems/invalid"))
    title = fields.String(metadata=_about("The kind of problem in words."))
    status = fields.Integer(metadata=_about("The HTTP status.", 422))
    detail = fields.String(metadata=_about("What was wrong this time and what to do."))
    errors = fields.List(fields.Nested(FaultOut), metadata=_about("One for each fault."))
