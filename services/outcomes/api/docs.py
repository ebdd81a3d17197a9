"""The door's own documentation: /openapi.json for programs, /docs for people, one page each."""

import json
from typing import Any

from flask import Blueprint, Response, redirect, render_template
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as Redirect

from services.outcomes.api.answers import answered
from services.outcomes.api.fields import Calendar
from services.outcomes.api.openapi import description, name_of
from services.outcomes.api.operations import OPERATIONS, REFUSALS, Operation


def blueprint(calendar: Calendar, kinds: dict[str, str]) -> Blueprint:
    """The open routes; `kinds` are the kinds of problems with their meaning."""
    routes = Blueprint(
        "docs",
        __name__,
        static_folder="static",
        static_url_path="/docs/static",
        template_folder="templates",
    )
    spec = description(calendar)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return answered(spec)

    @routes.get("/docs")
    def page() -> str:
        return render_template("docs.html", groups=groups, refusals=REFUSALS, kinds=kinds)

    @routes.get("/problems/<kind>")
    def problem(kind: str) -> Redirect:
        if kind not in kinds:
            raise NotFound
        return redirect(f"/docs#problem-{kind}")

    groups = _groups(spec)
    return routes


def _groups(spec: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What the page shows, by group, in the order of the operations."""
    found: dict[str, list[dict[str, Any]]] = {}
    for operation in OPERATIONS:
        found.setdefault(operation.group, []).append(_shown(operation, spec))
    return found


def _shown(operation: Operation, spec: dict[str, Any]) -> dict[str, Any]:
    told = spec["paths"][operation.path][operation.method.lower()]
    schema = _schema_of(operation, spec)
    return {
        "operation": operation,
        "parameters": [one for one in told["parameters"] if one["in"] == "query"],
        "fields": [
            _field(name, one, required=name in schema.get("required", ()))
            for name, one in schema.get("properties", {}).items()
        ],
        "answers": operation.answers,
        "answer_fields": _answer_fields(operation, spec),
        "refusals": sorted(operation.refusals),
        "curl": _curl(operation),
    }


def _schema_of(operation: Operation, spec: dict[str, Any]) -> dict[str, Any]:
    schemas: dict[str, Any] = spec["components"]["schemas"]
    found: dict[str, Any] = schemas[name_of(operation.body)] if operation.body else {}
    return found


def _answer_fields(operation: Operation, spec: dict[str, Any]) -> list[dict[str, Any]]:
    for _, schema in operation.answers.values():
        if schema is not None:
            properties = spec["components"]["schemas"][name_of(schema)]["properties"]
            return [_field(one, told, required=False) for one, told in properties.items()]
    return []


def _field(name: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    return {
        "name": name,
        "kind": _kind(schema),
        "required": required,
        "description": schema.get("description", ""),
    }


def _kind(schema: dict[str, Any]) -> str:
    """A schema's type in a few words."""
    if "enum" in schema:
        return "one of " + ", ".join(str(one) for one in schema["enum"])
    kinds = schema.get("type", "object")
    several: list[str] = kinds if isinstance(kinds, list) else [kinds]
    words = [_KINDS.get(one, one) for one in several if one != "null"]
    word = "date" if schema.get("format") == "date" else " or ".join(words)
    if "maximum" in schema and "integer" in several:
        word += f" {schema['minimum']} to {schema['maximum']}"
    return word + (" or null" if "null" in several else "")


_KINDS: dict[str, str] = {
    "string": "text",
    "integer": "whole number",
    "array": "list",
    "boolean": "true or false",
}


def _curl(operation: Operation) -> str:
    """A call that can be pasted into a shell, $TOKEN and $DOOR set."""
    path = operation.path.replace("{external_id}", "m-1001").replace("{episode}", "E-77")
    if operation.query is not None and operation.method == "DELETE":
        path += "?reason=entered-in-error"
    parts = [f"curl -X {operation.method} $DOOR{path}", '-H "Authorization: Bearer $TOKEN"']
    if operation.method == "GET":
        parts[0] = f"curl $DOOR{path}"
    if operation.method == "DELETE":
        parts[0] = f"curl -X DELETE '{path}'".replace("'/", "$DOOR'/")
    if operation.body is not None:
        example = [operation.example] if operation.many else operation.example
        parts += ["-H 'Content-Type: application/json'", f"-d '{_laid_out(example)}'"]
    return " \\\n  ".join(parts)


def _laid_out(example: Any) -> str:
    """JSON with a field a line, lists on one."""
    told = example[0] if isinstance(example, list) else example
    fields = [f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in told.items()]
    text = "{\n" + ",\n".join(fields) + "\n  }"
    return f"[{text}]" if isinstance(example, list) else text
