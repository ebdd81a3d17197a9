"""From a row of a clinic's own table to the flat JSON of the EHR's door, by a mapping file.

What a cell says is carried over, never mended: what is not understood goes on as it is, so that
the door's schema refuses it by name.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any

from schemas.messages import FACT_KINDS

MEASURE, EPISODE, APPROACH = "measure", "episode", "approach"
SESSION, EVENT, CLOSING = "session", "event", "closing"
FIELDS: Mapping[str, tuple[str, ...]] = {
    MEASURE: (
        "external_id", "client", "episode", "instrument", "administered_at", "total",
        "session_number", "clinician", "respondent",
    ),
    EPISODE: (
        "episode", "client", "clinician", "opened_on", "approach", "problem", "planned_sessions",
        "planned_end", "next_session", "primary_instrument", "client_age", "client_gender",
        "reopened_on",
    ),
    APPROACH: ("episode", "external_id", "approach", "since", "reason"),
    SESSION: ("episode", "external_id", "on", "attendance"),
    EVENT: ("episode", "external_id", "on", "kind", "label", "until"),
    CLOSING: ("episode", "on", "reason"),
}  # fmt: skip
"""What a row of each kind may hold: the fields of the door's bodies, and the episode."""
KNOWN = frozenset(("kind", *chain(*FIELDS.values())))
MISSING = ("", "NA", "null")
"""A cell that says that there is nothing."""
_NUMBERS = ("total", "session_number", "planned_sessions", "client_age")
_DAYS = (
    "administered_at", "opened_on", "planned_end", "next_session", "reopened_on", "since", "on",
    "until",
)  # fmt: skip
_MAY_BE_NONE = "clinician"
"""An announcement has to say of whom; an empty cell says that there is nobody yet."""
_DIGITS = 9
_NUMBER = re.compile(rf"[+-]?\d{{1,{_DIGITS}}}(\.\d{{1,{_DIGITS}}})?", re.ASCII)
_SLOT = re.compile(r"\{(\w+)\}")
_TABLES = {"columns", "constants", "templates", "values", "format"}
_FORMAT = {"date", "decimal"}
_MARKS = (".", ",")
_A_DAY = datetime(2026, 3, 14, tzinfo=UTC)


class MappingError(Exception):
    """A mapping file cannot be used; the text names the place and the reason."""


@dataclass(frozen=True, slots=True)
class RowMapping:
    """Which column holds which field; without a file, columns are named like the fields."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Field to column."""
    items: tuple[str, ...] = ()
    """The columns of the answers, in order; empty: `item_1`, `item_2`, ... as far as they go."""
    constants: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    """Field to a text with `{field}` in it, for what the table does not hold, as an id."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Field to what its cells say and what that is here."""
    date: str = ""
    """How days are written, as of strptime; empty: ISO 8601."""
    decimal: str = "."

    def needs(self, header: Sequence[str]) -> list[str]:
        """The columns that this mapping names and a table with this header has not."""
        return [one for one in (*self.columns.values(), *self.items) if one not in header]

    def kind(self, row: Mapping[str, Any]) -> Any:
        """What the row tells of, a measure unless it says something else; not checked yet.

        An event's own kind says that it is one.
        """
        cell = _cell(row.get(self.columns.get("kind", "kind")))
        told = self.constants.get("kind", MEASURE) if cell is None else self._read("kind", cell)
        return EVENT if told in FACT_KINDS else told

    def flat(self, kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row of a kind of `FIELDS` as the door's JSON, not checked yet."""
        found: dict[str, Any] = dict(self.constants)
        for name in self._wanted(kind):
            column = self.columns.get(name, name)
            cell = _cell(row.get(column))
            if cell is not None:
                found[name] = self._read(name, cell)
            elif name == _MAY_BE_NONE and column in row:
                found.setdefault(name, None)
        answers = self._answers(row) if kind == MEASURE else None
        if answers is not None:
            found["items"] = answers
        if not self.constants and not self.templates:
            return found  # nothing of another kind has come in
        found |= self._filled(found)
        return {name: found[name] for name in found if name == "items" or name in FIELDS[kind]}

    def _wanted(self, kind: str) -> Iterable[str]:
        """The fields of the kind, and those that templates are filled with."""
        slots = (_SLOT.findall(template) for template in self.templates.values())
        return {*FIELDS[kind], *chain(*slots)} if self.templates else FIELDS[kind]

    def _filled(self, found: Mapping[str, Any]) -> dict[str, str]:
        """The templates, but those with a gap: ids with gaps would make one measure of many."""
        return {
            name: _SLOT.sub(lambda slot: str(found[slot[1]]), template)
            for name, template in self.templates.items()
            if all(found.get(slot) is not None for slot in _SLOT.findall(template))
        }

    def _read(self, name: str, cell: Any) -> Any:
        if not isinstance(cell, str):
            return cell
        cell = self.values.get(name, {}).get(cell, cell)
        if name in _NUMBERS:
            return _number(cell, self.decimal)
        return self._day(cell) if name in _DAYS else cell

    def _day(self, cell: str) -> str:
        if not self.date:
            return cell
        try:
            return datetime.strptime(cell, self.date).date().isoformat()  # noqa: DTZ007
        except ValueError:
            return cell

    def _answers(self, row: Mapping[str, Any]) -> Any:
        if isinstance(row.get("items"), list):
            return row["items"]
        columns = self.items or _numbered(tuple(row))
        cells = [_cell(row.get(column)) for column in columns]
        if all(cell is None for cell in cells):
            return None
        return [_number(cell, self.decimal) if isinstance(cell, str) else cell for cell in cells]


def read(name: str, text: str) -> RowMapping:
    """The mapping that a TOML file gives.

    Raises:
        MappingError: it is no TOML, or holds something that no mapping has.
    """
    values = _tables(name, text)
    columns = dict(values["columns"])
    items = columns.pop("items", [])
    form, templates = values["format"], values["templates"]
    _texts(name, columns, values["constants"], templates, form, *values["values"].values())
    if "external_id" in values["constants"]:
        raise MappingError(f"{name}: constants.external_id would make one measure of all rows")
    _slots(name, templates)
    _items(name, items)
    _date(name, form.get("date", ""))
    if form.get("decimal", ".") not in _MARKS:
        raise MappingError(f'{name}: format.decimal is "." or ","')
    return RowMapping(
        columns=columns,
        items=tuple(items),
        constants=values["constants"],
        templates=templates,
        values=values["values"],
        date=form.get("date", ""),
        decimal=form.get("decimal", "."),
    )


def _tables(name: str, text: str) -> dict[str, Any]:
    """Every table that a mapping may have, with no key that it has not."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{name}: is no TOML ({error})") from None
    except RecursionError:
        raise MappingError(f"{name}: is nested too deep") from None
    _only(name, "", values, _TABLES)
    found = {table: values.get(table, {}) for table in _TABLES}
    keys = {"columns": {*KNOWN, "items"}, "format": _FORMAT}
    for table, entries in found.items():
        _only(name, f"{table}.", entries, keys.get(table, {*KNOWN}))
    for key, words in found["values"].items():
        if not isinstance(words, dict):
            raise MappingError(f"{name}: values.{key} is a table")
    return found


def _only(name: str, place: str, values: Any, known: set[str]) -> None:
    if not isinstance(values, dict):
        raise MappingError(f"{name}: {place.rstrip('.')} is a table")
    for key in sorted(values.keys() - known):
        raise MappingError(
            f"{name}: {place}{key} is nothing that a mapping has; here it may hold "
            + ", ".join(sorted(known))
        )


def _texts(name: str, *tables: Mapping[str, Any]) -> None:
    for table in tables:
        for key, value in table.items():
            if not isinstance(value, str):
                raise MappingError(f"{name}: {key} is a text in quotation marks")


def _items(name: str, items: Any) -> None:
    if not isinstance(items, list) or not all(isinstance(one, str) for one in items):
        raise MappingError(f"{name}: columns.items is a list of columns, one for each answer")
    twice = next((one for one in items if items.count(one) > 1), None)
    if twice is not None:
        raise MappingError(f"{name}: columns.items names {twice} twice")


def _slots(name: str, templates: Mapping[str, str]) -> None:
    for key, template in templates.items():
        slots, place = _SLOT.findall(template), f"{name}: templates.{key}"
        for slot in slots:
            if slot not in KNOWN:
                raise MappingError(f"{place}: {{{slot}}} is no field of a row")
        if set("{}") & set(_SLOT.sub("", template)):
            raise MappingError(f"{place}: has a brace that belongs to no {{field}}")
        if key == "external_id" and not slots:
            raise MappingError(f"{place} would make one measure of all rows")


def _date(name: str, form: str) -> None:
    """Refuse a form that does not write a whole day, or that no day can be read from."""
    try:
        read = datetime.strptime(_A_DAY.strftime(form), form)  # noqa: DTZ007
    except ValueError:
        read = None
    if form and (read is None or read.date() != _A_DAY.date()):
        raise MappingError(f'{name}: format.date is no form of a day such as "%d.%m.%Y"')


def _cell(value: Any) -> Any:
    """What a cell holds, None when it says that there is nothing."""
    if isinstance(value, str):
        value = value.strip()
        return None if value in MISSING else value
    return value


def _number(cell: str, decimal: str) -> Any:
    """The number that a cell writes out; the cell itself when it writes none.

    Beside another mark of decimals a point may part thousands, so it is not understood.
    """
    if len(cell) <= _DIGITS and cell.isascii() and cell.isdecimal():
        return int(cell)  # most cells by far
    plain = cell.replace(decimal, ".")
    if (decimal != "." and "." in cell) or not _NUMBER.fullmatch(plain):
        return cell
    value = float(plain)
    return int(value) if value.is_integer() else value


@lru_cache(maxsize=64)
def _numbered(names: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of answers among these: every row of a table has the same."""
    known = set(names)
    columns: list[str] = []
    while (column := f"item_{len(columns) + 1}") in known:
        columns.append(column)
    return tuple(columns)
