"""What a row of a clinic's history tells, of a measure or an episode: the door's schemas say."""

from collections.abc import Callable
from typing import Any

from schemas.messages import FACT_KINDS
from services.outcomes.api import body
from services.outcomes.api.answers import status_of
from services.outcomes.api.fields import Calendar, DoorSchema
from services.outcomes.api.schemas import (
    ApproachIn,
    CloseIn,
    EpisodeIn,
    FactIn,
    MeasureIn,
    SessionIn,
    as_row,
)
from services.outcomes.commands.history import Row
from services.outcomes.core.measure import Content, Reading
from services.outcomes.core.telling import Begun, Closing, Fact, Session, Telling
from services.outcomes.formats import flat, table
from services.outcomes.formats.table import RowMapping
from services.outcomes.record import Accepted, Heard, Told

_KINDS = ", ".join(sorted(table.FIELDS.keys() - {table.EVENT}))
_UNKNOWN = f"must be one of: {_KINDS}; or that of an event: {', '.join(FACT_KINDS)}"
_OF_EPISODES: dict[str, tuple[type[DoorSchema], Callable[[dict[str, Any]], Telling]]] = {
    table.EPISODE: (EpisodeIn, flat.announcement),
    table.APPROACH: (ApproachIn, lambda parsed: Begun(**parsed)),
    table.SESSION: (SessionIn, lambda parsed: Session(**parsed)),
    table.EVENT: (FactIn, lambda parsed: Fact(**parsed)),
    table.CLOSING: (CloseIn, lambda parsed: Closing(**parsed)),
}


_WORDS = {201: "recorded", 200: "repeated", 202: "held"}


class Reader:
    """Reads rows as the door reads bodies."""

    def __init__(self, mapping: RowMapping, calendar: Calendar) -> None:
        """Read by `mapping`; dates are held against `calendar`."""
        self._mapping = mapping
        self._measure = MeasureIn(calendar)
        self._forms = {
            kind: (as_row(schema)(calendar), made) for kind, (schema, made) in _OF_EPISODES.items()
        }

    def read(self, row: Row) -> Content | Heard | Exception:
        """What the row tells, or why it tells nothing."""
        if row.error is not None:
            return row.error
        try:
            return self._read(row.values)
        except body.UNFIT as error:
            return error

    def _read(self, values: dict[str, Any]) -> Content | Heard:
        kind = self._mapping.kind(values)
        if not isinstance(kind, str) or kind not in table.FIELDS:
            raise body.UnfitError("/kind", _UNKNOWN)
        told = self._mapping.flat(kind, values)
        if kind == table.MEASURE:
            return flat.measure(body.fitted(self._measure, told))
        schema, made = self._forms[kind]
        parsed = body.fitted(schema, told)
        return Heard(parsed.pop("episode"), made(parsed))


def became(told: Content | Heard, answer: Accepted | Told) -> str:
    """One word for what became of a row."""
    if isinstance(answer, Accepted):
        return _WORDS[status_of(answer)]
    if not answer.changed:
        return "repeated"
    first = answer.new or (isinstance(told, Heard) and isinstance(told.told, Closing))
    return "recorded" if first else "changed"


def would_become(answer: Reading | Told) -> str:
    """One word for what a row would come to."""
    return "held" if isinstance(answer, Reading) and answer.why else "fits"
