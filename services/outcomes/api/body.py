"""Reads the body of a request: strict JSON of a known type, or lines of it, and nothing else."""

import json
from collections.abc import Iterable
from typing import Any

import orjson
from flask import request
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from services.chassis.http.problem import Problem, ProblemError
from services.outcomes.api.fields import DoorSchema

LINES = 1_000
"""Measures in one batch at most."""
NDJSON = "application/x-ndjson"
_LINED = frozenset((NDJSON, "application/ndjson", "application/jsonl", "application/json-lines"))
_MARK = b"\xef\xbb\xbf"
_UTF8 = frozenset(("", "utf-8", "utf8", "us-ascii"))


class Doubled(dict[str, Any]):
    """An object in which a name stands twice, so that nobody can say which value was meant."""

    name: str


class NotJsonError(Exception):
    """The bytes are not JSON."""


class UnfitError(Exception):
    """JSON that is no object, or one with a name that stands twice; `pointer` says where."""

    def __init__(self, pointer: str, detail: str) -> None:
        """Say where and what; the detail repeats no value."""
        super().__init__(detail)
        self.pointer, self.detail = pointer, detail


UNFIT = (ValidationError, UnfitError)
"""What `fitted` raises."""


def loaded(schema: DoorSchema) -> dict[str, Any]:
    """The request's body, checked by `schema`.

    Raises:
        ProblemError: 415, the media type is not JSON.
        NotJsonError, UnfitError, ValidationError: as they say.
    """
    return fitted(schema, parsed(_json_body()))


def queried(schema: DoorSchema) -> dict[str, Any]:
    """The request's query, checked by `schema`. Raises as `loaded`."""
    return _load(schema, _single(request.args))


def lines() -> tuple[list[Any], bool]:
    """The lines of a batch, each parsed or the error it is; whether they came as NDJSON.

    Raises:
        ProblemError: 413 for more than 1,000, 415 for a wrong media type.
        NotJsonError: it looks like an array and is not JSON.
    """
    lined = request.mimetype in _LINED
    body = _read() if lined else _json_body()
    if not lined and body.removeprefix(_MARK).lstrip()[:1] == b"[":
        return _few(parsed(body)), False
    return [_line(one) for one in _few(body.removeprefix(_MARK).splitlines())], True


def parsed(raw: bytes) -> Any:
    """The JSON value of some bytes; an object with a doubled name becomes `Doubled`.

    Raises:
        NotJsonError: they are no JSON as of RFC 8259 in UTF-8, or nested too deep.
    """
    raw = raw.removeprefix(_MARK)
    try:
        orjson.loads(raw)  # refuses what the next one would take: NaN, lone surrogates, other UTF
        return json.loads(raw, object_pairs_hook=_pairs)
    except (ValueError, RecursionError):
        raise NotJsonError("the body is not JSON") from None


def fitted(schema: DoorSchema, value: Any) -> dict[str, Any]:
    """A parsed value, checked by `schema`.

    Raises:
        UnfitError, ValidationError: as they say.
    """
    if not isinstance(value, dict):
        raise UnfitError("", "must be a JSON object")
    if isinstance(value, Doubled):
        raise UnfitError("/" + escaped(value.name), "stands there more than once")
    return _load(schema, value)


def escaped(name: str) -> str:
    """A name as one step of a JSON pointer (RFC 6901), cut where it is absurdly long."""
    return name[:128].replace("~", "~0").replace("/", "~1")


def _load(schema: DoorSchema, value: Any) -> dict[str, Any]:
    result: dict[str, Any] = schema.load(value)
    return result


def _single(arguments: MultiDict[str, str]) -> dict[str, str]:
    for name, values in arguments.lists():
        if len(values) > 1:
            raise UnfitError("/" + escaped(name), "stands there more than once")
    return arguments.to_dict()


def _json_body() -> bytes:
    kind = request.mimetype
    if not (kind == "application/json" or kind.endswith("+json")):
        raise ProblemError(_unsupported())
    return _read()


def _read() -> bytes:
    if request.mimetype_params.get("charset", "").lower() not in _UTF8:
        raise ProblemError(_unsupported())
    return request.get_data(cache=False)


def _unsupported() -> Problem:
    return Problem(
        415,
        "unsupported-media-type",
        "Unsupported media type",
        f"Send JSON in UTF-8 with Content-Type: application/json; batches also as {NDJSON}.",
    )


def _few(values: Iterable[Any]) -> list[Any]:
    kept = [value for value in values if value != b"" and not _blank(value)]
    if len(kept) > LINES:
        raise ProblemError(
            Problem(
                413,
                "too-many",
                "Too many measures",
                f"A batch holds at most {LINES} measures; send the rest in another.",
            )
        )
    return kept


def _blank(value: Any) -> bool:
    return isinstance(value, bytes) and not value.strip()


def _line(raw: bytes) -> Any:
    try:
        return parsed(raw)
    except NotJsonError as error:
        return error


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = Doubled(found)
    names = [name for name, _ in pairs]
    doubled.name = next(name for name in found if names.count(name) > 1)
    return doubled
