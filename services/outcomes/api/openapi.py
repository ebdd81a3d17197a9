"""The OpenAPI description of the door, made from the very schemas that check requests."""

from typing import Any
from zoneinfo import ZoneInfo

import orjson
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from services.chassis.clock import SystemClock
from services.outcomes.api import fields, schemas
from services.outcomes.api.body import LINES, NDJSON
from services.outcomes.api.fields import Calendar
from services.outcomes.api.operations import OPERATIONS, REFUSALS, Operation

TITLE = "Pivot Point: the EHR's door"
ABOUT = (
    "Post session measures and what is known of episodes; every request can be sent again safely. "
    "For professional use. Risk answers are passed on as answered; no risk is predicted."
)
JSON = "application/json"
VERSION = "1"


def description(calendar: Calendar) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    plugin = MarshmallowPlugin(schema_name_resolver=lambda schema: name_of(_class_of(schema)))
    spec = APISpec(
        title=TITLE,
        version=VERSION,
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": ABOUT, "license": {"name": "Apache-2.0"}},
        security=[{"token": []}],
    )
    converter: Any = plugin.converter
    converter.add_attribute_function(_form)
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for answer in _answers_told():
        spec.components.schema(name_of(answer), schema=answer)
    for operation in OPERATIONS:
        if operation.body and name_of(operation.body) not in spec.components.schemas:
            spec.components.schema(name_of(operation.body), schema=operation.body(calendar))
        spec.path(
            path=operation.path,
            operations={operation.method.lower(): _operation(operation, calendar)},
        )
    document: dict[str, Any] = spec.to_dict()
    return document


def name_of(schema: type[Schema]) -> str:
    """What a schema is called in the description."""
    return schema.__name__.removesuffix("Out")


def _class_of(schema: Any) -> type[Schema]:
    found: type[Schema] = schema if isinstance(schema, type) else type(schema)
    return found


def _answers_told() -> list[type[Schema]]:
    found: dict[type[Schema], None] = {schemas.ProblemOut: None}
    for operation in OPERATIONS:
        found |= {schema: None for _, schema in operation.answers.values() if schema}
    return list(found)


def _ref(schema: type[Schema]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name_of(schema)}"}


def _operation(operation: Operation, calendar: Calendar) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.group],
        "summary": operation.summary,
        "description": operation.detail,
        "parameters": _parameters(operation, calendar),
        "responses": _responses(operation),
    }
    if operation.body is not None:
        told["requestBody"] = {"required": True, "content": _content(operation)}
    return told


def _parameters(operation: Operation, calendar: Calendar) -> list[dict[str, Any]]:
    found = [
        {
            "name": part[1:-1],
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": fields.REFERENCE},
        }
        for part in operation.path.split("/")
        if part.startswith("{")
    ]
    if operation.query is not None:
        for name, one in operation.query(calendar).fields.items():
            found.append(
                {
                    "name": name,
                    "in": "query",
                    "required": one.required,
                    "schema": _form(None, one),
                    "description": str(one.metadata["description"]),
                }
            )
    return found


def _content(operation: Operation) -> dict[str, Any]:
    schema = _ref(operation.body) if operation.body else {}
    if not operation.many:
        return {JSON: {"schema": schema, "example": operation.example}}
    array = {"type": "array", "items": schema, "maxItems": LINES}
    return {
        JSON: {"schema": array, "example": [operation.example]},
        NDJSON: {"schema": {"type": "string", "description": "One measure as JSON a line."}},
    }


def _responses(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        str(status): {"description": meaning, **_answer(schema, operation)}
        for status, (meaning, schema) in operation.answers.items()
    }
    for status in sorted(operation.refusals):
        found[str(status)] = {
            "description": REFUSALS[status],
            "content": {"application/problem+json": {"schema": _ref(schemas.ProblemOut)}},
        }
    return found


def _answer(schema: type[Schema] | None, operation: Operation) -> dict[str, Any]:
    if schema is None:
        return {"content": {JSON: {"schema": {}}}}
    if not operation.many:
        return {"content": {JSON: {"schema": _ref(schema)}}}
    return {
        "content": {
            JSON: {"schema": {"type": "array", "items": _ref(schema)}},
            NDJSON: {"schema": {"type": "string", "description": "One result as JSON a line."}},
        }
    }


def _form(converter: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
    """Our own fields in the words of JSON Schema."""
    return field.described() if isinstance(field, fields.Strict) else {}


def written() -> str:
    """The document as it is kept beside the messages, in schemas/openapi."""
    spec = description(Calendar(SystemClock(), ZoneInfo("UTC")))
    return orjson.dumps(spec, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"
