"""The command `pivotpoint change`: which clients of a table changed, by any or all methods."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.chassis.command import rows
from services.outcomes.research.targets import Unusable, check_targets

if TYPE_CHECKING:
    from services.outcomes.research.classify import Choice, Classified, Table

METHODS = (
    "jacobson-truax",
    "gulliksen-lord-novick",
    "hsu-lin-lord",
    "edwards-nunnally",
    "nunnally-kotsch",
    "hageman-arrindell",
    "anchor",
    "percentage",
    "hierarchical",
    "reliable-trend",
    "sudden-gains",
    "nhs-talking-therapies",
)


class Number(click.ParamType[float]):
    """A finite number, between two limits that do not count where they are stated."""

    name = "number"
    largest, smallest = 1e9, 1e-9
    """Beyond these no scale is, and squares and ratios overflow."""

    def __init__(self, above: float = -math.inf, below: float = math.inf) -> None:
        """Allow what lies between."""
        self._above, self._below = above, below

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number, or click's own refusal."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            self.fail("is no number", param, ctx)
        if not math.isfinite(number):
            self.fail("is no finite number", param, ctx)
        if abs(number) > self.largest or 0 < abs(number) < self.smallest:
            self.fail("is too large or too small to be meant", param, ctx)
        if not self._above < number < self._below:
            end = f" and below {self._below:g}" if self._below < math.inf else ""
            self.fail(f"must be above {self._above:g}{end}", param, ctx)
        return number


SHARE, POSITIVE, ANY = Number(0, 1), Number(0), Number()


@click.command("change")
@click.option(
    "--csv",
    "source",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The table; columns parted by comma, semicolon or tab, names in the first row.",
)
@click.option("--client", required=True, metavar="COL", help="Column of the client's reference.")
@click.option("--pre", metavar="COL", help="Column of the score before (one row per client).")
@click.option("--post", metavar="COL", help="Column of the score after.")
@click.option("--day", metavar="COL", help="Column of the day (one row per measure).")
@click.option("--score", metavar="COL", help="Column of the score of that day.")
@click.option(
    "--method",
    "methods",
    multiple=True,
    type=click.Choice((*METHODS, "all")),
    default=("jacobson-truax",),
    show_default=True,
    help="May be said several times.",
)
@click.option("--reliability", type=SHARE, help="Reliability of the scale, between 0 and 1.")
@click.option("--reliability-post", type=SHARE, help="Reliability after, where it differs.")
@click.option(
    "--higher-is", type=click.Choice(("worse", "better")), default="worse", show_default=True
)
@click.option("--functional-mean", type=ANY, help="Mean of the well, for cut-offs b and c.")
@click.option("--functional-sd", type=POSITIVE, help="SD of the well.")
@click.option("--clinical-mean", type=ANY, help="Mean before; from the table if left out.")
@click.option("--clinical-sd", type=POSITIVE, help="SD before; from the table if left out.")
@click.option("--cutoff-kind", type=click.Choice(("a", "b", "c")), help="c if it can be had, or a.")
@click.option("--cutoff", type=ANY, help="The cut-off itself; at it a client is a case.")
@click.option("--anchor", type=POSITIVE, metavar="POINTS", help="Change that counts, in points.")
@click.option("--percent", type=POSITIVE, metavar="P", help="Change that counts, in percent.")
@click.option("--second-pre", metavar="COL", help="A second measure before (Talking Therapies).")
@click.option("--second-post", metavar="COL", help="The second measure after.")
@click.option("--second-cutoff", type=ANY, help="Caseness of the second measure.")
@click.option("--second-anchor", type=POSITIVE, help="Reliable change of the second measure.")
@click.option(
    "--json",
    "target",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write everything here, one row per client; - prints it.",
)
def change(source: Path, target: Path | None, methods: Sequence[str], **said: Any) -> None:
    """Say who recovered, improved, did not change, deteriorated or was harmed, by which method.

    The table holds one row per client (--pre and --post) or one per measure (--day and --score).
    Each client falls into one class: recovered and harmed are those who also crossed the cut-off.
    """
    from services.outcomes.core.change_methods.verdict import NotAssessableError
    from services.outcomes.research.classify import classify
    from services.outcomes.research.table import TableError

    columns, choice = _asked(said)
    check_targets(source, [target])
    try:
        table = _table(source, columns)
        wanted = METHODS if "all" in methods else tuple(dict.fromkeys(methods))
        classified = classify(table, choice, wanted)
    except (TableError, NotAssessableError) as error:
        raise Unusable(str(error)) from None
    _refuse(classified, methods)
    _tell(classified, choice.higher_is, target)


def _asked(said: Mapping[str, Any]) -> tuple[Mapping[str, str | None], "Choice"]:
    """The columns and the numbers that were stated, once they go together."""
    from services.outcomes.research.classify import Choice

    names = ("client", "pre", "post", "day", "score", "second_pre", "second_post")
    columns = {name: said[name] for name in names}
    choice = Choice(**{name: value for name, value in said.items() if name not in names})
    wide, long = ("pre", "post"), ("day", "score")
    if _both(columns, wide) == _both(columns, long):
        raise click.UsageError("name the columns: --pre and --post, or --day and --score")
    if _both(columns, ("second_pre", "second_post")) and not columns["pre"]:
        raise click.UsageError("a second measure needs --pre and --post")
    _both(said, ("functional_mean", "functional_sd"))
    if choice.cutoff is not None and choice.cutoff_kind is not None:
        raise click.UsageError("--cutoff and --cutoff-kind exclude each other")
    return columns, choice


def _both(said: Mapping[str, Any], names: tuple[str, str]) -> bool:
    """Whether both options were said; one alone is refused."""
    there = [said[name] is not None for name in names]
    if any(there) and not all(there):
        options = " and ".join(f"--{name.replace('_', '-')}" for name in names)
        raise click.UsageError(f"{options} go together")
    return all(there)


def _table(source: Path, columns: Mapping[str, str | None]) -> "Table":
    from services.outcomes.research.classify import Table
    from services.outcomes.research.table import pairs, read, series

    sheet = read(source)
    client, pre, post = columns["client"], columns["pre"], columns["post"]
    day, score = columns["day"], columns["score"]
    if client and day and score:
        clients = series(sheet, client, day, score)
        return Table([one.pair for one in clients], clients)
    first, last = columns["second_pre"], columns["second_post"]
    second = pairs(sheet, client or "", first, last) if first and last else None
    return Table(pairs(sheet, client or "", pre or "", post or ""), None, second)


def _refuse(classified: "Classified", methods: Sequence[str]) -> None:
    """End here if a method that was named, or every method, could not be used."""
    reasons = [f"{method} {reason}" for method, reason in classified.left_out.items()]
    if reasons and ("all" not in methods or not classified.results):
        raise Unusable("not assessable: " + "; ".join(reasons))


def _tell(classified: "Classified", higher_is: str, target: Path | None) -> None:
    from services.outcomes.research import told

    if target is not None:
        text = json.dumps(told.as_json(classified, higher_is), indent=1, allow_nan=False)
        with click.open_file(str(target), "w", encoding="utf-8") as file:
            file.write(text + "\n")
        if str(target) == "-":
            return
    head, lines = told.counted(classified.results)
    if lines:
        rows(head, lines, "")
    for remark in told.remarks(classified):
        click.echo(remark)
    if len(classified.results) == 1:
        _clients(classified, named=target is not None)


def _clients(classified: "Classified", *, named: bool) -> None:
    from services.outcomes.research import told

    (result,) = classified.results
    click.echo("")
    rows(*told.clients(result), "")
    more = len(result.rows) - told.SHOWN
    if more > 0:
        click.echo(f"and {more} more" + ("" if named else ": --json FILE writes all of them"))
