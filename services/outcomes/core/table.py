"""Typed reading of a parsed definition: every fault names the file, the key and the reason."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any


class InstrumentError(Exception):
    """A definition cannot be used; `name` is its file, `key` the dotted place in it."""

    def __init__(self, name: str, key: str, reason: str) -> None:
        """Say what is wrong where."""
        super().__init__(f"{name}: {key} {reason}")
        self.name = name
        self.key = key
        self.reason = reason
        self.line: int | None = None

    def at(self, line: int | None) -> "InstrumentError":
        """The same error, its text naming the line too."""
        if line is None:
            return self
        placed = InstrumentError(f"{self.name}, line {line}", self.key, self.reason)
        placed.name, placed.line = self.name, line
        return placed


class Table:
    """A mapping of a definition that remembers what was read of it, to refuse misspelt keys."""

    def __init__(self, name: str, path: str, values: Mapping[str, Any]) -> None:
        """Read `values`, which lie at `path` in the definition `name`."""
        self._name = name
        self._path = path
        self._values = values
        self._read: set[str] = set()
        self._below: dict[str, Table] = {}
        self._lists: dict[str, list[Table]] = {}

    def error(self, key: str, reason: str) -> InstrumentError:
        """The error that names a key of this table."""
        return InstrumentError(self._name, self._at(key), reason)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._values

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self._get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "must be a text")
        return value

    def number(self, key: str) -> float:
        """A number; true and false are none."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, "must be a number")
        if not math.isfinite(value):
            raise self.error(key, "must be a finite number")
        return float(value)

    def integer(self, key: str) -> int:
        """A whole number."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(key, "must be a whole number")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false when absent."""
        value = self._get(key) if self.has(key) else False
        if not isinstance(value, bool):
            raise self.error(key, "must be true or false")
        return value

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """One of the allowed texts."""
        value = self._get(key)
        if not isinstance(value, str) or value not in allowed:
            raise self.error(key, f"must be one of {', '.join(allowed)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when absent."""
        values = self._list(key)
        if not all(isinstance(value, str) for value in values):
            raise self.error(key, "must be a list of texts")
        return tuple(values)

    def integers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers; empty when absent."""
        values = self._list(key)
        if any(isinstance(value, bool) or not isinstance(value, int) for value in values):
            raise self.error(key, "must be a list of whole numbers")
        return tuple(values)

    def groups(self, key: str) -> tuple[tuple[int, ...], ...]:
        """A list of lists of whole numbers; empty when absent."""
        values = self._list(key)
        flat = [one for group in values if isinstance(group, list) for one in group]
        if not all(isinstance(group, list) for group in values) or any(
            isinstance(one, bool) or not isinstance(one, int) for one in flat
        ):
            raise self.error(key, "must be a list of lists of whole numbers")
        return tuple(map(tuple, values))

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of finite numbers; empty when absent."""
        values = self._list(key)
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
            raise self.error(key, "must be a list of numbers")
        if not all(map(math.isfinite, values)):
            raise self.error(key, "must be a list of finite numbers")
        return tuple(map(float, values))

    def source(self) -> str:
        """Where the values of this table come from; "remembered" when nobody read it there."""
        mark = " (remembered, not checked)" if self.flag("remembered") else ""
        return self.text("source") + mark

    def also(self, check: Callable[["Table"], object]) -> tuple[Mapping[str, Any], ...]:
        """The other values in use, each read by `check` and for its source."""
        for table in self.tables("also"):
            check(table)
            table.source()
        return tuple(table._values for table in self.tables("also"))

    def names(self) -> tuple[str, ...]:
        """What stands in this table."""
        return tuple(self._values)

    def table(self, key: str) -> "Table":
        """The table below this one at `key`."""
        if key not in self._below:
            value = self._get(key)
            if not isinstance(value, Mapping):
                raise self.error(key, "must be a table")
            self._below[key] = Table(self._name, self._at(key), value)
        return self._below[key]

    def tables(self, key: str) -> list["Table"]:
        """The list of tables at `key`; empty when absent."""
        if key not in self._lists:
            values = self._list(key)
            if not all(isinstance(value, Mapping) for value in values):
                raise self.error(key, "must be a list of tables")
            self._lists[key] = [
                Table(self._name, f"{self._at(key)}[{place}]", value)
                for place, value in enumerate(values)
            ]
        return self._lists[key]

    def refuse_unread(self) -> None:
        """Refuse keys that nobody asked for, here and below: they are misspelt.

        Raises:
            InstrumentError: there is such a key.
        """
        for key in self._values:
            if key not in self._read and key not in ("also", "remarks"):
                raise self.error(key, "is not a known key")
        for table in self._below.values():
            table.refuse_unread()
        for key, tables in self._lists.items():
            for table in tables if key != "also" else ():
                table.refuse_unread()

    def _list(self, key: str) -> list[Any]:
        value = self._get(key) if self.has(key) else []
        if not isinstance(value, list):
            raise self.error(key, "must be a list")
        return value

    def _get(self, key: str) -> Any:
        self._read.add(key)
        if key not in self._values:
            raise self.error(key, "is missing")
        return self._values[key]

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key
