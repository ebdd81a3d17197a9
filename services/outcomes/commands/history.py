"""Reads a clinic's history from a file: rows with their numbers, results beside them, resumable.

What goes wrong in a row is written to its line of the results and holds up no other.
"""

import csv
import fcntl
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from services.outcomes.api import body

RESULTS = ("row", "status", "external_id", "reason")
FINGERPRINT_BYTES = 1_000_000
BLOCK = 65_536


class HistoryError(Exception):
    """A file cannot be imported as it is; the text says what to do, and repeats no cell."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, or the error that it is."""

    number: int
    """As an editor counts lines: the header of a table is row 1."""
    values: dict[str, Any]
    error: Exception | None = None


class Source:
    """The rows of a CSV table or of lines of JSON, one after another, in any size."""

    def __init__(self, path: Path) -> None:
        """Read `path`; its name says what it is: .csv, .tsv, .ndjson or .jsonl.

        Raises:
            HistoryError: it is empty, or of another kind.
        """
        self.path, self.size = path, path.stat().st_size
        kind = path.suffix.lower()
        if kind not in (".csv", ".tsv", ".ndjson", ".jsonl"):
            raise HistoryError(f"{path.name}: the name ends in .csv, .tsv, .ndjson or .jsonl")
        if not self.size:
            raise HistoryError(f"{path.name} is empty")
        self._lined = kind in (".ndjson", ".jsonl")
        self._raw: IO[bytes] = path.open("rb")
        try:
            self.header = () if self._lined else self._open_table()
        except HistoryError:
            self._raw.close()
            raise

    def __enter__(self) -> "Source":
        """Nothing more to open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the file go."""
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._raw.close()

    @property
    def read_bytes(self) -> int:
        """How far it has been read, for a bar of progress."""
        return self.size if self._raw.closed else self._raw.tell()

    def fingerprint(self) -> str:
        """What tells this file from another: its size and its beginning, hashed."""
        with self.path.open("rb") as file:
            begins = file.read(FINGERPRINT_BYTES)
        return sha256(str(self.size).encode() + b"\0" + begins).hexdigest()[:32]

    def rows(self) -> Iterator[Row]:
        """Every row; the last one is an error where a table is broken from there on."""
        return self._lines() if self._lined else self._cells()

    def _open_table(self) -> tuple[str, ...]:
        # Line by line: a byte that is no UTF-8 spoils its own row, not the thousand around it.
        text = (line.decode("utf-8") for line in self._raw)
        try:
            first = next(text).removeprefix("\ufeff")
            mark = max((",", ";", "\t"), key=first.count)
            header = next(csv.reader([first], delimiter=mark, strict=True), [])
        except (UnicodeDecodeError, csv.Error):
            raise HistoryError(f"{self.path.name}: row 1 is no header in UTF-8") from None
        names = tuple(name.strip() for name in header)
        if not any(names) or len(set(names)) != len(names):
            raise HistoryError(f"{self.path.name}: row 1 names each column, and each once")
        self._table = csv.reader(text, delimiter=mark, strict=True)
        return names

    def _cells(self) -> Iterator[Row]:
        number = 1
        try:
            for cells in self._table:
                number = self._table.line_num + 1
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(self.header):
                    yield Row(number, {}, HistoryError(
                        f"has {len(cells)} cells where the header has {len(self.header)}"
                    ))  # fmt: skip
                    continue
                yield Row(number, dict(zip(self.header, cells, strict=True)))
        except (UnicodeDecodeError, csv.Error):
            # Where the row begins: a quotation mark that is never closed is found far below.
            gone = "from here on this is no CSV in UTF-8; not read"
            yield Row(number + 1, {}, HistoryError(gone))

    def _lines(self) -> Iterator[Row]:
        for number, raw in enumerate(self._raw, 1):
            if not raw.strip():
                continue
            try:
                value = body.parsed(raw)
            except body.NotJsonError as error:
                yield Row(number, {}, error)
                continue
            if isinstance(value, dict) and not isinstance(value, body.Doubled):
                yield Row(number, value)
            else:
                yield Row(number, {}, HistoryError("is no JSON object with each name once"))


class Results:
    """The file that says of every row what became of it; a later run goes on behind its end."""

    def __init__(self, path: Path | None, source: Source, *, resume: bool, how: str) -> None:
        """Write to `path`, nowhere when it is None; `how` is kept apart: a trial is no import.

        Raises:
            HistoryError: it is there and is not to be resumed, or is of another file.
        """
        self.done = 0
        """The last row that is settled."""
        self._file: IO[str] | None = None
        if path is None:
            return
        if path.exists() and path.stat().st_size and not resume:
            raise HistoryError(f"{path.name} is there already: add --resume, or name another file")
        if resume and not path.exists():
            raise HistoryError(f"{path.name} is not there: leave --resume out to begin")
        file = path.open("a", encoding="utf-8", newline="")
        self._file, self._rows = file, csv.writer(file)
        try:
            self._begin(file, path, json.dumps({"file": source.fingerprint(), "how": how}))
        except HistoryError:
            file.close()
            raise

    def _begin(self, file: IO[str], path: Path, stamp: str) -> None:
        """Say at once whose results these are, or find out how far they go."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HistoryError(f"another import is writing to {path.name}") from None
        if path.stat().st_size:
            self.done = _settled(path, stamp)
            return
        self._rows.writerows([RESULTS, (0, "begun", "", stamp)])
        file.flush()

    def write(self, lines: list[tuple[int, str, str, str]]) -> None:
        """Add what became of these rows; they are settled from then on."""
        if self._file is not None:
            self._rows.writerows(lines)
            self._file.flush()

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            self._file.close()


def _settled(path: Path, stamp: str) -> int:
    """The last row that these results tell of; what is not ours is left as it is."""
    with _read(path) as file:
        lines = csv.reader(file)
        try:
            head, begun = next(lines, []), next(lines, [])
        except csv.Error:
            head, begun = [], []
    if tuple(head) != RESULTS or begun[-1:] != [stamp]:
        raise HistoryError(f"{path.name} holds the results of another file or another way")
    _drop_torn(path)
    last = 0
    with _read(path) as file:  # as long as the history itself
        lines = csv.reader(file)
        try:
            next(lines)
            for line in lines:
                last = max(last, int(line[0]))
        except (ValueError, IndexError, csv.Error):
            raise HistoryError(
                f"{path.name}, line {lines.line_num}: is no result of a row; name another file"
            ) from None
    return last


def _read(path: Path) -> IO[str]:
    return path.open(encoding="utf-8", errors="replace", newline="")


def _drop_torn(path: Path) -> None:
    """Take away a last line that was cut off when the run before ended."""
    with path.open("r+b") as file:
        end = file.seek(0, io.SEEK_END)
        while end > 0:
            start = max(0, end - BLOCK)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                file.truncate(start + newline + 1)
                return
            end = start
        file.truncate(0)
