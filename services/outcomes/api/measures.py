"""The routes of measures: post one or many, correct, withdraw, look at one."""

from typing import Any

import orjson
from flask import Blueprint, Response
from marshmallow import ValidationError

from services.chassis.http.problem import resolve
from services.chassis.metrics import Catalogue
from services.outcomes.api import body
from services.outcomes.api.answers import (
    address_of,
    answered,
    of_history,
    of_measure,
    of_withdrawal,
    status_of,
)
from services.outcomes.api.authority import sender
from services.outcomes.api.fields import Calendar, reference
from services.outcomes.api.problems import TABLE
from services.outcomes.api.schemas import MeasureIn, MeasurePut, MeasureQuery, WithdrawQuery
from services.outcomes.core.measure import Content
from services.outcomes.formats import flat
from services.outcomes.metrics import MEASURES
from services.outcomes.record import Accepted, Record

Line = Content | Exception


def blueprint(record: Record, calendar: Calendar, catalogue: Catalogue) -> Blueprint:
    """The routes under /v1/measures."""
    routes = Blueprint("measures", __name__, url_prefix="/v1/measures")
    _taking(routes, record, calendar, catalogue)
    _changing(routes, record, calendar)
    return routes


def _taking(routes: Blueprint, record: Record, calendar: Calendar, catalogue: Catalogue) -> None:
    one = MeasureIn(calendar)

    @routes.post("")
    def post() -> Response:
        content = flat.measure(body.loaded(one))
        (answer,) = record.measures.post_all(sender(), [content])
        _count(catalogue, answer)
        return _answer(_raised(answer))

    @routes.post("/batch")
    def batch() -> Response:
        values, lined = body.lines()
        lines = [_content(one, value) for value in values]
        answers = _post_all(record, lines)
        _count(catalogue, *(answer for _, answer in answers))
        results = [_result(number, *pair) for number, pair in enumerate(answers, 1)]
        if lined:
            joined = b"".join(orjson.dumps(result) + b"\n" for result in results)
            return Response(joined, content_type=body.NDJSON)
        return answered(results)


def _changing(routes: Blueprint, record: Record, calendar: Calendar) -> None:
    corrected = MeasurePut(calendar)
    putting, withdrawing = MeasureQuery(calendar), WithdrawQuery(calendar)

    @routes.put("/<path:external_id>")
    def put(external_id: str) -> Response:
        query = body.queried(putting)
        parsed = _under(external_id, body.loaded(corrected))
        reinstate = bool(parsed.pop("reinstate")) or query["reinstate"] == "true"
        content = flat.measure(parsed)
        return _answer(record.measures.put(sender(), content, reinstate=reinstate))

    @routes.delete("/<path:external_id>")
    def delete(external_id: str) -> Response:
        reason = body.queried(withdrawing)["reason"]
        stream, state = record.measures.withdraw(sender(), _named(external_id), reason)
        return answered(of_withdrawal(stream, state))

    @routes.get("/<path:external_id>")
    def get(external_id: str) -> Response:
        return answered(of_history(*record.measures.history(sender(), _named(external_id))))


def _count(catalogue: Catalogue, *answers: Accepted | Exception) -> None:
    for answer in answers:
        status = status_of(answer) if isinstance(answer, Accepted) else 0
        catalogue.count(MEASURES, result=_RESULTS[status])


_RESULTS = {201: "recorded", 200: "repeated", 202: "held", 0: "refused"}


def _answer(accepted: Accepted) -> Response:
    status = status_of(accepted)
    where = "" if status == 200 else address_of(accepted.version.external_id)
    return answered(of_measure(accepted.id, accepted.version), status, where)


def _raised(answer: Accepted | Exception) -> Accepted:
    if isinstance(answer, Accepted):
        return answer
    raise answer


def _content(schema: MeasureIn, value: Any) -> Line:
    """A line's measure, or why it is none."""
    if isinstance(value, Exception):
        return value
    try:
        return flat.measure(body.fitted(schema, value))
    except body.UNFIT as error:
        return error


def _post_all(record: Record, lines: list[Line]) -> list[tuple[Line, Accepted | Exception]]:
    """What became of each line; what is no measure is its own answer."""
    contents = [line for line in lines if isinstance(line, Content)]
    stored = iter(record.measures.post_all(sender(), contents))
    return [(line, next(stored) if isinstance(line, Content) else line) for line in lines]


def _result(number: int, line: Line, answer: Accepted | Exception) -> dict[str, Any]:
    if isinstance(answer, Accepted):
        found = of_measure(answer.id, answer.version)
        return {"line": number, "status": status_of(answer), **found}
    return {"line": number, **resolve(answer, TABLE).document()}


def _named(external_id: str) -> str:
    try:
        return reference(external_id)
    except ValidationError as error:
        raise ValidationError(error.messages, "external_id") from None


def _under(external_id: str, parsed: dict[str, Any]) -> dict[str, Any]:
    """The measure under the id of its address.

    Raises:
        ValidationError: the body names another.
    """
    named = _named(external_id)
    if parsed.get("external_id", named) != named:
        raise ValidationError("must be the one in the address, or be left out", "external_id")
    return {**parsed, "external_id": named}
