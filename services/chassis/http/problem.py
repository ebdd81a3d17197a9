"""What a service answers when it refuses or fails: the only writer of RFC 9457 problem details."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from flask import Flask, Response
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from services.chassis.logs import REQUEST_ID, where

CONTENT_TYPE = "application/problem+json"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer that is no success. Every text in it is written by us, none by an exception."""

    status: int
    """The HTTP status."""
    type: str
    """A slug that names the kind of problem for programs; written as `/problems/<slug>`."""
    title: str
    """The kind of problem in words, the same each time."""
    detail: str = ""
    """What was wrong this time and what to do."""
    errors: Sequence[Mapping[str, str]] = ()
    """One `{"pointer": "/items/2", "detail": ...}` for each fault; pointers as in RFC 6901."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers such as Retry-After."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further members, for instance where to see a thing."""

    def document(self) -> dict[str, Any]:
        """The members of the problem details object."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.type}",
            "title": self.title,
            "status": self.status,
        }
        if self.detail:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = [dict(error) for error in self.errors]
        return {**document, **self.more}


class ProblemError(Exception):
    """Raised where a problem is known already; the texts are those of `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.type)
        self.problem = problem


Table = Mapping[type[Exception], Callable[[Any], Problem]]
"""Which problem an exception is: by its class, or else by the nearest base class in the table."""
Page = Callable[[Problem], Response | None]
"""A renderer of problems for browsers; None leaves the answer to JSON."""


def install(app: Flask, table: Table, page: Page | None = None) -> None:
    """Answer every exception of `app` with a problem.

    What is neither in `table` nor an HTTP error is a 500 without any text of the exception.
    """

    def handle(error: Exception) -> ResponseReturnValue:
        if isinstance(error, HTTPException) and error.response is not None:
            return error.get_response()  # abort() was given a response ready made
        problem = resolve(error, table)
        return (_rendered(problem, page) if page else None) or respond(problem)

    app.register_error_handler(Exception, handle)


def _rendered(problem: Problem, page: Page) -> Response | None:
    try:
        return page(problem)
    except Exception as error:  # a broken page must not hide the problem
        name = type(error).__name__
        logger.error("a problem page failed", extra={"error": name, "where": where(error)})
        return None


def respond(problem: Problem) -> Response:
    """The problem as a response of type application/problem+json."""
    response = Response(orjson.dumps(problem.document()), problem.status)
    response.headers.extend(dict(problem.headers))
    response.headers["Content-Type"] = CONTENT_TYPE
    return response


def resolve(error: Exception, table: Table) -> Problem:
    """The problem that an exception is; an unknown one is logged by its class alone."""
    for cls in type(error).__mro__:
        if cls in table:
            return table[cls](error)
    if isinstance(error, ProblemError):
        return error.problem
    if isinstance(error, HTTPException):
        return of_status(error.code or 500, dict(_headers_of(error)))
    logger.error("request failed", extra={"error": type(error).__name__, "where": where(error)})
    return of_status(500)


_HTTP = {
    400: ("bad-request", "The request cannot be read as HTTP or does not fit this address."),
    401: ("unauthorized", "Send a valid token in the Authorization header."),
    403: ("forbidden", "This is not allowed to whoever asks."),
    404: ("not-found", "There is nothing at this address, or not for whoever asks."),
    405: ("method-not-allowed", "This address does not answer that method; see Allow."),
    406: ("not-acceptable", "None of the media types asked for is offered here."),
    408: ("timeout", "The request did not arrive in time; send it again."),
    411: ("length-required", "Send a Content-Length."),
    413: ("too-large", "The body is larger than is taken here; send it in smaller parts."),
    414: ("uri-too-long", "The address is longer than is read here."),
    415: ("unsupported-media-type", "Send the media type that this address takes."),
    422: ("unprocessable", "The body is well formed and does not fit this address."),
    429: ("too-many-requests", "Wait as long as Retry-After says, then send it again."),
    431: ("headers-too-large", "The request's headers are larger than is read here."),
    500: ("internal", ""),  # no text: whatever it was, nobody foresaw what would be said here
    501: ("not-implemented", "This is not something the server does."),
    503: ("unavailable", "Not available just now; send the same request again shortly."),
}


def of_status(status: int, headers: Mapping[str, str] | None = None) -> Problem:
    """The problem for a bare HTTP status."""
    kind, detail = _HTTP.get(status) or _HTTP[400 if status < 500 else 500]
    more = {"request": REQUEST_ID.get()} if status >= 500 and REQUEST_ID.get() else {}
    return Problem(
        status, kind, kind.replace("-", " ").capitalize(), detail, (), headers or {}, more
    )


def _headers_of(error: HTTPException) -> Sequence[tuple[str, str]]:
    kept = ("allow", "retry-after", "www-authenticate", "content-range")
    return [(name, value) for name, value in error.get_headers() if name.lower() in kept]
