"""The command that takes in a clinic's history: a table or lines of JSON, row by row, once each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.chassis.command import data_option, printable, progress
from services.outcomes.commands.opening import opened

if TYPE_CHECKING:
    from services.outcomes.commands.history import Results, Row, Source
    from services.outcomes.core.measure import Content
    from services.outcomes.formats.table import RowMapping
    from services.outcomes.record import Heard
    from services.outcomes.wiring import Outcomes

TOGETHER = 1_000
"""Rows that are stored, and their results written, at a time."""
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Line = tuple[int, str, str, str]
REFUSED = "refused"


@click.command("import")
@click.argument("file", type=FILE)
@click.option("--sender", required=True, help="In whose name, as of `sender add`.")
@click.option("--mapping", type=FILE, help="TOML that says which column holds what.")
@click.option("--dry-run", is_flag=True, help="Store nothing; tell what would be refused.")
@click.option(
    "--results",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV to write what became of every row to.",
)
@click.option("--resume", is_flag=True, help="Go on behind the last row in --results.")
@data_option
def import_(
    file: Path,
    sender: str,
    mapping: Path | None,
    dry_run: bool,
    results: Path | None,
    resume: bool,
    data: Path,
) -> None:
    """Take in a clinic's history from FILE (.csv, .tsv, .ndjson, .jsonl), in its order.

    Without --mapping the columns are named as at the door: external_id, client, episode,
    instrument, administered_at, total, item_1, item_2, ... A column `kind` says what a row
    tells where it is no measure: episode, approach, session, closing, or the kind of an event.
    Safe to repeat: a row that is recorded already changes nothing. Exit code 1 when a row was
    refused.
    """
    if resume and results is None:
        raise click.UsageError("--resume needs the --results of the run before")
    with opened(data) as service:
        counts = _run(service, file, sender, mapping, results, dry_run, resume)
    _tell(counts, results, dry_run=dry_run)


def _run(
    service: "Outcomes",
    file: Path,
    sender: str,
    mapping: Path | None,
    results: Path | None,
    dry_run: bool,
    resume: bool,
) -> Counter[str]:
    from services.outcomes.commands.history import Results, Source
    from services.outcomes.formats import table

    if not any(one.name == sender and not one.revoked for one in service.senders.list()):
        raise click.ClickException(
            f"there is no sender of that name: pivotpoint outcomes sender add {sender}"
        )
    rows = table.read(mapping.name, _text(mapping)) if mapping else table.RowMapping()
    with Source(file) as source:
        _check(source, rows)
        how = "dry run" if dry_run else "import"
        with closing(Results(results, source, resume=resume, how=how)) as written:
            return Importing(service, sender, rows, dry_run=dry_run).all(source, written)


class Importing:
    """Carries rows to the record, as many at a time as fit one commit well."""

    def __init__(
        self, service: "Outcomes", sender: str, mapping: "RowMapping", *, dry_run: bool
    ) -> None:
        """Import in the name of `sender`; a dry run stores nothing."""
        from services.outcomes.api.fields import Calendar
        from services.outcomes.commands.rows import Reader

        self._history, self._sender, self._dry_run = service.record.history, sender, dry_run
        self._reader = Reader(mapping, Calendar(service.clock, service.settings.zone))

    def all(self, source: "Source", results: "Results") -> Counter[str]:
        """Take every row that is not settled; how many came to what."""
        counts: Counter[str] = Counter()
        with progress("trying" if self._dry_run else "importing") as move:
            for rows in _batches(source.rows(), results.done):
                lines = self._take(rows)
                results.write(lines)
                counts.update(status for _, status, _, _ in lines)
                move(source.read_bytes, source.size)
        return counts

    def _take(self, rows: "Sequence[Row]") -> list[Line]:
        read = [(row, self._reader.read(row)) for row in rows]
        answers = iter(self._answers([one for _, one in read if not isinstance(one, Exception)]))
        return [
            _refused(row, one) if isinstance(one, Exception) else _line(row, one, next(answers))
            for row, one in read
        ]

    def _answers(self, told: "Sequence[Content | Heard]") -> list[str | Exception]:
        from services.outcomes.commands.rows import became, would_become

        if self._dry_run:
            tried = self._history.try_(self._sender, told)
            return [one if isinstance(one, Exception) else would_become(one) for one in tried]
        return [
            answer if isinstance(answer, Exception) else became(one, answer)
            for one, answer in zip(told, self._history.take(self._sender, told), strict=True)
        ]


def _batches(rows: "Iterator[Row]", done: int) -> "Iterator[list[Row]]":
    left = (row for row in rows if row.number > done)
    while batch := list(islice(left, TOGETHER)):
        yield batch


def _line(row: "Row", told: "Content | Heard", answer: str | Exception) -> Line:
    if isinstance(answer, Exception):
        return _refused(row, answer, told)
    why = (
        "the instrument is unknown, or the client is not the episode's" if answer == "held" else ""
    )
    return row.number, answer, told.external_id, why


def _refused(row: "Row", error: Exception, told: "Content | Heard | None" = None) -> Line:
    from services.chassis.http.problem import resolve
    from services.outcomes.api.problems import TABLE
    from services.outcomes.commands.history import HistoryError

    id_ = told.external_id if told else str(row.values.get("external_id", ""))[:128]
    if isinstance(error, HistoryError):
        return row.number, REFUSED, id_, str(error)
    problem = resolve(error, TABLE)
    faults = [f"{one['pointer'].lstrip('/')} {one['detail']}".strip() for one in problem.errors]
    return row.number, REFUSED, id_, "; ".join(faults) or problem.detail or problem.title


def _check(source: "Source", mapping: "RowMapping") -> None:
    missing = mapping.needs(source.header) if source.header else []
    if missing:
        raise click.ClickException(
            f"{source.path.name} has no column {', '.join(missing)}, which the mapping names; "
            f"it has {', '.join(map(printable, source.header))}"
        )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise click.ClickException(f"{path.name} is not written in UTF-8") from None


def _tell(counts: Counter[str], results: Path | None, *, dry_run: bool) -> None:
    told = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
    click.echo(f"{'Tried, nothing stored' if dry_run else 'Imported'}: {told or 'no rows'}.")
    if counts[REFUSED]:
        where = f"see {results}" if results else "give --results FILE to see which and why"
        were = "was" if counts[REFUSED] == 1 else "were"
        click.echo(f"{counts[REFUSED]:,} {were} refused: {where}.")
        raise click.exceptions.Exit(1)
