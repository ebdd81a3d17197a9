"""Reads a researcher's table: every fault is told with its row, nothing is left out silently."""

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from services.chassis.command import printable
from services.outcomes.core.change_methods.series import Series
from services.outcomes.core.change_methods.verdict import Pair

MISSING = ("", "NA")
"""A cell that says that there is no score."""
SHOWN = 20
LARGEST = 1e9
"""No score is larger, and squares of much larger ones overflow."""
LAST_DAY = 1e6
"""A larger number is no day but a date written as 20260314, or seconds."""
Value = TypeVar("Value")


class TableError(Exception):
    """A table cannot be used; the text names rows and reasons, never what stands in a cell."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as text: the rows under its header, each with its number in the file."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    decimal_comma: bool

    def column(self, name: str) -> int:
        """The place of a column.

        Raises:
            TableError: there is none of this name.
        """
        if name not in self.header:
            known = ", ".join(map(printable, self.header))
            raise TableError(f"{self.name} has no column {name!r}; it has {known}")
        return self.header.index(name)

    def columns(self, *names: str) -> list[int]:
        """The places of columns that are all different.

        Raises:
            TableError: there is none of a name, or one name is said twice.
        """
        twice = next((one for one in names if names.count(one) > 1), None)
        if twice is not None:
            raise TableError(f"column {twice!r} is named twice: each option needs its own")
        return [self.column(name) for name in names]


class Faults:
    """Collects what is wrong, row by row, so that all of it is told at once."""

    def __init__(self, name: str) -> None:
        """Collect for the file `name`."""
        self._name = name
        self._found: list[str] = []

    def add(self, row: int, reason: str) -> None:
        """Note a fault."""
        self._found.append(f"row {row}: {reason}")

    def refuse(self) -> None:
        """End here if anything was found.

        Raises:
            TableError: something was; names the first rows and counts the others.
        """
        if not self._found:
            return
        shown = "\n".join(f"  {text}" for text in self._found[:SHOWN])
        more = len(self._found) - SHOWN
        rest = f"\n  and {more} more" if more > 0 else ""
        raise TableError(f"{self._name} cannot be used as it is:\n{shown}{rest}")


def read(path: Path) -> Sheet:
    """Read a CSV file; columns are parted by comma, semicolon or tab. Row 1 is the header.

    Raises:
        TableError: it is empty, is no text in UTF-8, or its rows do not fit its header.
    """
    name = path.name
    text = _text(path)
    if not text.strip():
        raise TableError(f"{name} is empty")
    mark = _mark(text.lstrip("\r\n").partition("\n")[0])
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        rows = [(lines.line_num, tuple(map(str.strip, row))) for row in lines if any(row)]
    except csv.Error as error:
        raise TableError(f"{name}, row {lines.line_num}: is no CSV ({error})") from None
    if not rows:
        raise TableError(f"{name} is empty")
    header = rows[0][1]
    _check(name, header, rows[1:])
    return Sheet(name, header, tuple(rows[1:]), decimal_comma=mark == ";")


def pairs(sheet: Sheet, client: str, pre: str, post: str) -> list[Pair]:
    """One row per client: reference, score before, score after; an empty score is a missing one.

    Raises:
        TableError: a column is missing, a score is no number, a client stands twice.
    """
    at, before, after = sheet.columns(client, pre, post)
    faults, seen, found = Faults(sheet.name), dict[str, int](), []
    for row, cells in sheet.rows:
        if _client(faults, row, cells[at]) and cells[at] in seen:
            faults.add(row, f"is the same client as row {seen[cells[at]]}")
        seen.setdefault(cells[at], row)
        scores = [_score(sheet, faults, row, cells[one], name) for one, name in
                  ((before, pre), (after, post))]  # fmt: skip
        found.append(Pair(cells[at], *scores))
    faults.refuse()
    return found


def series(
    sheet: Sheet,
    client: str,
    day: str,
    score: str,
    check: Callable[[float], None] = lambda score: None,
) -> list[Series]:
    """One row per measure: reference, day (a number or a date), score; rows in any order.

    `check` raises a ValueError, whose text follows the column's name, for a score that cannot be.

    Raises:
        TableError: a column is missing, a day or score cannot be read, two measures of a client
            are of the same day.
    """
    at, when, what = sheet.columns(client, day, score)
    faults = Faults(sheet.name)
    read_day = _days(sheet, when)
    found: dict[str, dict[float, float]] = {}
    first: dict[tuple[str, float], int] = {}
    for row, cells in sheet.rows:
        known = _client(faults, row, cells[at])
        days = _read(faults, row, day, cells[when], read_day)
        value = _read(faults, row, score, cells[what], lambda text: _checked(sheet, text, check))
        if days is None or value is None or not known:
            continue
        earlier = first.setdefault((cells[at], days), row)
        if earlier != row:
            faults.add(row, f"is of the same client and day as row {earlier}")
        found.setdefault(cells[at], {})[days] = value
    faults.refuse()
    return [Series(name, tuple(sorted(points.items()))) for name, points in found.items()]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(f"{path.name} is not written in UTF-8: save it as CSV UTF-8") from None


def _mark(header: str) -> str:
    return max((",", ";", "\t"), key=header.count)


def _check(name: str, header: Sequence[str], rows: Sequence[tuple[int, tuple[str, ...]]]) -> None:
    twice = sorted({one for one in header if header.count(one) > 1 and one})
    if twice:
        raise TableError(f"{name} has more than one column {', '.join(map(repr, twice))}")
    if not rows:
        raise TableError(f"{name} has a header and no rows")
    faults = Faults(name)
    for row, cells in rows:
        if len(cells) != len(header):
            faults.add(row, f"has {len(cells)} cells where the header has {len(header)}")
    faults.refuse()


def _client(faults: Faults, row: int, text: str) -> bool:
    if not text:
        faults.add(row, "names no client")
    return bool(text)


def _score(sheet: Sheet, faults: Faults, row: int, text: str, column: str) -> float | None:
    if text in MISSING:
        return None
    return _read(faults, row, column, text, lambda one: _number(sheet, one))


def _read(
    faults: Faults, row: int, column: str, text: str, reader: Callable[[str], float]
) -> float | None:
    try:
        return reader(text)
    except ValueError as error:
        faults.add(row, f"{column} {'is empty' if not text else error}")
        return None


def _number(sheet: Sheet, text: str) -> float:
    """A finite number, with a decimal comma where columns are parted by semicolons."""
    plain = text.replace(",", ".") if sheet.decimal_comma else text
    try:
        value = float(plain)
    except ValueError:
        raise ValueError("is no number") from None
    if "_" in plain or not plain.isascii():  # which Python reads and nobody means
        raise ValueError("is no number")
    if not math.isfinite(value):
        raise ValueError("is no finite number")
    if abs(value) > LARGEST:
        raise ValueError("is too large to be meant")
    return value


def _checked(sheet: Sheet, text: str, check: Callable[[float], None]) -> float:
    value = _number(sheet, text)
    check(value)
    return value


def _days(sheet: Sheet, column: int) -> Callable[[str], float]:
    """How days are read here: as dates if the first is one, else as numbers."""

    def of_date(text: str) -> float:
        try:
            return float(date.fromisoformat(text).toordinal())
        except ValueError:
            raise ValueError("is no date like 2026-03-14") from None

    def of_number(text: str) -> float:
        try:
            value = _number(sheet, text)
        except ValueError:
            raise ValueError("is no number, and no date like 2026-03-14") from None
        if abs(value) > LAST_DAY:
            raise ValueError("is no number of days: write dates like 2026-03-14")
        return value

    sample = sheet.rows[0][1][column]
    dated = len(sample) == 10 and sample[4:5] == sample[7:8] == "-"
    return of_date if dated else of_number
