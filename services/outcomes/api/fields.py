"""What a value in a request may be: strict, so that nothing is guessed at the door.

No text here repeats a value: what somebody sent in a wrong field may be about a client.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from marshmallow import Schema, ValidationError, fields

from services.chassis.clock import Clock, today

LEEWAY = timedelta(seconds=60)
"""How far another system's clock may run ahead of ours."""
EARLIEST = "1900-01-01"
REFERENCE = 128
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)
_SLUG = re.compile(r"[a-z][a-z0-9 _-]{0,39}", re.ASCII)
_UNFIT = frozenset(("Cc", "Cs", "Zl", "Zp"))
_BROKEN = "\ufffd"


class Calendar:
    """Says which days and moments have not come yet, in the installation's time zone."""

    def __init__(self, clock: Clock, zone: ZoneInfo) -> None:
        """Ask `clock`; days are those of `zone`."""
        self._clock, self._zone = clock, zone

    def day_to_come(self, day: date) -> bool:
        """Whether a day lies in the future."""
        return day > today(self._clock, self._zone)

    def moment_to_come(self, moment: datetime) -> bool:
        """Whether an aware moment lies in the future."""
        return moment > self._clock.now() + LEEWAY


class DoorSchema(Schema):
    """A request's schema; made once, with the calendar its dates are held against."""

    def __init__(self, calendar: Calendar) -> None:
        """Refuse dates that `calendar` says are still to come."""
        super().__init__()
        self.calendar = calendar


def reference(value: Any) -> str:
    """A reference of the outside world, in NFC.

    Raises:
        ValidationError: it is no text of 1 to 128 characters without control characters.
    """
    return _text(value, REFERENCE)


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise ValidationError("must be a text")
    text = value if value.isascii() else unicodedata.normalize("NFC", value)
    if not text.strip() or len(text) > most:
        raise ValidationError(f"must be a text of 1 to {most} characters, not only spaces")
    if not text.isprintable() and any(unicodedata.category(c) in _UNFIT for c in text):
        raise ValidationError("must not contain control characters")
    if _BROKEN in text:
        raise ValidationError("contains U+FFFD, which stands for text that was lost on the way")
    return text


T = TypeVar("T")


class Strict(fields.Field[T]):
    """A field that says of itself, in the words of JSON Schema, what it takes."""

    def form(self) -> dict[str, Any]:
        """The form as JSON Schema, without whether it may be null."""
        raise NotImplementedError

    def described(self) -> dict[str, Any]:
        """The form as JSON Schema."""
        form = self.form()
        return form | {"type": [form["type"], "null"]} if self.allow_none else form


class Text(Strict[str]):
    """A text of at most `most` characters, normalised to NFC, in one line."""

    def __init__(self, most: int = REFERENCE, **options: Any) -> None:
        """`options` as of any marshmallow field."""
        super().__init__(**options)
        self.most = most

    def form(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "string", "minLength": 1, "maxLength": self.most}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        return _text(value, self.most)


class Slug(Text):
    """A short name in lower case."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = _text(value, self.most)
        if not _SLUG.fullmatch(text):
            raise ValidationError(
                "must be lower-case letters, digits, spaces and hyphens, up to 40"
            )
        return text


class Choice(Strict[str]):
    """One of a few words."""

    def __init__(self, options: Collection[str], **more: Any) -> None:
        """Take one of `options`."""
        super().__init__(**more)
        self.options = tuple(options)

    def form(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "string", "enum": list(self.options)}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise ValidationError("must be one of: " + ", ".join(self.options))
        return value


class Flag(Strict[bool]):
    """true or false, and nothing that could be meant as one."""

    def form(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "boolean"}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class Whole(Strict[int]):
    """A whole number from `low` to `high`; a boolean is none, nor is 2.0."""

    def __init__(self, low: int, high: int, **options: Any) -> None:
        """Both ends included."""
        super().__init__(**options)
        self.low, self.high = low, high

    def form(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if type(value) is not int or not self.low <= value <= self.high:
            raise ValidationError(f"must be a whole number from {self.low} to {self.high}")
        return value


class Number(Strict[float]):
    """A number of a size that a score can have; a boolean is none."""

    MOST = 100_000

    def form(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "number", "minimum": -self.MOST, "maximum": self.MOST}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> float:
        if type(value) not in (int, float) or not -self.MOST <= value <= self.MOST:
            raise ValidationError(f"must be a number from -{self.MOST} to {self.MOST}")
        if not math.isfinite(value):
            raise ValidationError("must be a finite number")
        return float(value)


class Items(Strict[list[int | None]]):
    """The answers in order, null where one was not given."""

    MOST = 200
    FURTHEST = 10_000

    def form(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {
            "type": "array",
            "items": {"type": ["integer", "null"]},
            "minItems": 1,
            "maxItems": self.MOST,
        }

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[int | None]:
        if not isinstance(value, list):
            raise ValidationError("must be a list of whole numbers, null where there is no answer")
        if not 1 <= len(value) <= self.MOST:
            raise ValidationError(f"must have 1 to {self.MOST} items")
        faults: dict[int | str, Any] = {
            index: ["must be a whole number, or null where there is no answer"]
            for index, item in enumerate(value)
            if not (item is None or (type(item) is int and abs(item) <= self.FURTHEST))
        }
        if faults:
            raise ValidationError(faults)
        return value


class Day(Strict[str]):
    """A calendar date; one that has come already unless `may_come`."""

    def __init__(self, *, may_come: bool = False, **options: Any) -> None:
        """`options` as of any marshmallow field."""
        super().__init__(**options)
        self.may_come = may_come

    def form(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "string", "format": "date"}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValidationError("must be a date: YYYY-MM-DD")
        return self._come(value)

    def _come(self, value: str) -> str:
        day = _parsed(date.fromisoformat, value, "is no day of the calendar")
        if value < EARLIEST:
            raise ValidationError("lies before 1900")
        if not self.may_come and _calendar(self).day_to_come(day):
            raise ValidationError("lies in the future; send it when the day has come")
        return value


class Moment(Day):
    """A calendar date, or a date and time with its zone, kept as it was sent."""

    def form(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "string"}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return self._come(value)
        if not isinstance(value, str) or not (match := _MOMENT.fullmatch(value)):
            raise ValidationError(
                "must be a date, or a date and time with its zone: 2026-03-02T10:00:00+01:00"
            )
        if match.group(3) is None:
            raise ValidationError("is a time without zone: add Z or an offset such as +01:00")
        moment = _parsed(datetime.fromisoformat, value, "is no moment of the calendar")
        if value < EARLIEST:
            raise ValidationError("lies before 1900")
        if not self.may_come and _calendar(self).moment_to_come(moment):
            raise ValidationError("lies in the future; send it when the time has come")
        return value


def _parsed(parse: Callable[[str], Any], value: str, fault: str) -> Any:
    try:
        return parse(value)
    except ValueError:
        raise ValidationError(fault) from None


def _calendar(field: Strict[Any]) -> Calendar:
    root: Any = field.root
    calendar: Calendar = root.calendar
    return calendar
