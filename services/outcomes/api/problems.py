"""Which problem each refusal is: one table from exceptions to RFC 9457 details.

The texts are ours and repeat no value that was sent.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from marshmallow import ValidationError

from services.chassis.faults import ShreddedError, StoreError
from services.chassis.http.problem import Problem, Table, of_status
from services.outcomes.api.body import NotJsonError, UnfitError, escaped
from services.outcomes.core import episode, measure, scoring, telling
from services.outcomes.record import ErasedError

FAULTS = 50
"""Faults that are listed; whoever sends more wrong than that has one mistake, not fifty."""


def _invalid(faults: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> Problem:
    errors = [{"pointer": pointer, "detail": detail} for pointer, detail in faults][:FAULTS]
    return Problem(
        422,
        "invalid",
        "Invalid content",
        "The JSON was read, but it is not what this address takes; nothing was stored.",
        errors=errors,
    )


def _pointers(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Marshmallow's nested messages as (pointer, text)."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            step = "" if name == "_schema" else "/" + escaped(str(name))
            yield from _pointers(inner, path + step)
        return
    for text in messages if isinstance(messages, list) else [messages]:
        yield path, _WORDS.get(str(text), str(text))


_WORDS = {
    "Unknown field.": "is no field of this request",
    "Missing data for required field.": "is missing",
    "Field may not be null.": "must not be null",
}


def _validation(error: ValidationError) -> Problem:
    messages: Any = error.messages
    if isinstance(messages, list):  # raised by hand, for a field of an address
        messages = {error.field_name: messages}
    return _invalid(_pointers(messages))


def _answers(error: scoring.ScoringError) -> Problem:
    if isinstance(error, scoring.ItemRangeError):
        return _invalid([(f"/items/{index}", f"{must}, or null") for index, must in error.faults])
    if isinstance(error, scoring.TotalRangeError):
        return _invalid([("/total", f"must lie from {error.minimum:g} to {error.maximum:g}")])
    if isinstance(error, scoring.TotalFractionError):
        return _invalid([("/total", "must be a whole number")])
    if isinstance(error, scoring.ItemCountError):
        must = f"must have {error.expected} items, null where one was not answered"
        return _invalid([("/items", must)])
    return _invalid([("/items", "are not taken for this instrument: send the total")])


def _conflict(kind: str, title: str, detail: str) -> Callable[[Any], Problem]:
    return lambda error: Problem(409, kind, title, detail)


def _gone(error: Any) -> Problem:
    return Problem(
        410,
        "erased",
        "Erased",
        "This client was erased here: nothing of theirs can be read or taken any more.",
    )


def _unknown(kind: str, title: str, detail: str) -> Callable[[Any], Problem]:
    return lambda error: Problem(404, kind, title, detail)


def _not_json(error: NotJsonError) -> Problem:
    return Problem(
        400,
        "not-json",
        "Not JSON",
        "The body is not JSON as of RFC 8259 in UTF-8, or holds what no double can: NaN, 1e999.",
    )


def _unfit(error: UnfitError) -> Problem:
    return _invalid([(error.pointer, error.detail)])


def _order(error: telling.OrderError) -> Problem:
    return _invalid([("/" + error.field, str(error))])


def _unavailable(error: StoreError) -> Problem:
    return of_status(503, {"Retry-After": "1"})


TABLE: Table = {
    ValidationError: _validation,
    NotJsonError: _not_json,
    UnfitError: _unfit,
    scoring.ScoringError: _answers,
    StoreError: _unavailable,
    ErasedError: _gone,
    ShreddedError: _gone,
    measure.NotRecordedError: _unknown(
        "no-such-measure", "No such measure", "You have recorded no measure under this id."
    ),
    measure.DifferentContentError: _conflict(
        "other-content",
        "Other content",
        "This external id was given for other content. To correct it, PUT the whole measure.",
    ),
    measure.WithdrawnError: _conflict(
        "withdrawn",
        "Withdrawn",
        "This measure was withdrawn. To give it again, PUT it with ?reinstate=true.",
    ),
    measure.MovedError: _conflict(
        "moved",
        "Cannot be moved",
        "A correction cannot move a measure to another episode or client. Withdraw it with the "
        "reason wrong-client, and send it anew under another external id.",
    ),
    telling.OtherClientError: _conflict(
        "other-client",
        "Another client's episode",
        "This episode was announced for another client. Nothing was stored; check both references.",
    ),
    telling.ClosedError: _conflict(
        "closed",
        "Episode closed",
        "This episode is closed. To open it again, PUT it with reopened_on.",
    ),
    telling.NotClosedError: _conflict(
        "not-closed",
        "Episode not closed",
        "This episode is not closed, so reopened_on does not fit. Leave it out.",
    ),
    telling.OrderError: _order,
    episode.UnknownEpisodeError: _unknown(
        "no-such-episode",
        "No such episode",
        "You have announced no episode under this reference: PUT it first.",
    ),
}
"""Every refusal that is foreseen; all else is a 500 without text."""

KINDS = {
    "invalid": "Something in the content is wrong; each fault has its JSON pointer.",
    "not-json": "The body is not JSON.",
    "unsupported-media-type": "The body is not declared as JSON in UTF-8.",
    "too-large": "The body is over 1 MB.",
    "too-many": "A batch has more than 1,000 measures.",
    "unauthorized": "The token is missing, wrong or revoked.",
    "not-found": "There is nothing at this address.",
    "no-such-measure": "You have recorded no measure under this id.",
    "no-such-episode": "You have announced no episode under this reference.",
    "other-content": "The external id was given for other content.",
    "withdrawn": "The measure was withdrawn.",
    "moved": "A correction names another episode or client.",
    "other-client": "The episode was announced for another client.",
    "closed": "The episode is closed.",
    "not-closed": "The episode is not closed, so it cannot be opened again.",
    "erased": "The client was erased.",
    "unavailable": "The store is away for a moment.",
    "internal": "Something failed on our side; send it again as it was.",
}
"""Each kind of problem at this door, with its meaning, for the documentation."""
