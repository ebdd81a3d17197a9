"""The command `pivotpoint evaluate`: rules that look for failing courses, judged side by side."""

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from services.chassis.command import in_one_line, progress, rows
from services.outcomes.research.change import ANY, POSITIVE, SHARE
from services.outcomes.research.targets import Unusable, check_targets

if TYPE_CHECKING:
    from services.outcomes.core.change_methods.series import Series
    from services.outcomes.core.instrument import Instrument
    from services.outcomes.research.evaluation.benchmark import Moved, Outcome
    from services.outcomes.research.evaluation.courses import Courses
    from services.outcomes.research.evaluation.entered import Split
    from services.outcomes.research.evaluation.tabled import Asked
    from services.outcomes.research.evaluation.told import About

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TARGET = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


def written_in_utf8(ctx: click.Context, option: click.Parameter, text: str) -> str:
    """Refuse bytes of the command line that are no text, before anything is computed."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise click.BadParameter("is not written in UTF-8") from None
    return text


class Seeds(click.ParamType[tuple[int, ...]]):
    """How many cohorts (3 is seeds 1 to 3), or which: 11-15, or 11,12,20."""

    name = "seeds"
    most = 1000

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The seeds, or click's own refusal."""
        if isinstance(value, tuple):
            return value
        text = str(value).strip()
        if found := re.fullmatch(r"(\d+)-(\d+)", text):
            first, last = int(found[1]), int(found[2])
        elif re.fullmatch(r"\d+", text):
            first, last = 1, int(text)
        elif re.fullmatch(r"\d+(,\d+)+,?|\d+,", text):
            return tuple(dict.fromkeys(int(one) for one in text.split(",") if one))
        else:
            self.fail("is no number, no range like 11-15 and no list like 11,12", param, ctx)
        if not first <= last < first + self.most:
            self.fail(f"must name 1 to {self.most} cohorts", param, ctx)
        return tuple(range(first, last + 1))


@click.command("evaluate")
@click.option(
    "--csv", "source", type=FILE, help="A long table, one row per measure, in place of the cohort."
)
@click.option("--client", metavar="COL", help="Column of the client's reference.")
@click.option("--day", metavar="COL", help="Column of the day: a number or a date.")
@click.option("--unit", type=click.Choice(("days", "weeks")), help="Of --day, days if left out.")
@click.option("--score", metavar="COL", help="Column of the score of that day.")
@click.option("--instrument", metavar="ID|FILE.toml",
              help="A shipped instrument, or a definition: its range and numbers.")  # fmt: skip
@click.option("--higher-is", type=click.Choice(("worse", "better")), help="Of a scale not shipped.")
@click.option("--sd", type=POSITIVE, help="SD of a clinical sample; of first scores if not known.")
@click.option("--reliability", type=SHARE, help="Reliability of the scale, between 0 and 1.")
@click.option("--cutoff", type=ANY, help="At it a client is a case.")
@click.option("--reliable-change", type=POSITIVE, help="Change beyond error; computed if left out.")
@click.option("--horizon-weeks", type=click.FloatRange(0.5, 52), default=6, show_default=True,
              help="How far ahead P(fail) looks.")  # fmt: skip
@click.option("--min-measures", type=click.IntRange(3), default=5, show_default=True,
              help="Shorter courses are left out.")  # fmt: skip
@click.option("--planned-days", type=POSITIVE, help="Leave out courses that ended before this day.")
@click.option("--seeds", type=Seeds(), default="1", show_default=True,
              help="Made-up cohorts: how many, or which (11-15).")  # fmt: skip
@click.option("--clients", type=click.IntRange(20, 1_000_000), default=6000, show_default=True,
              help="Clients in each cohort.")  # fmt: skip
@click.option("--rule", "files", multiple=True, type=FILE, metavar="FILE.py",
              help="A rule of your own: a file with risk(days, scores, scale).")  # fmt: skip
@click.option("--folds", type=click.IntRange(2, 100), default=10, show_default=True,
              help="Rules that learn are judged on clients that they did not see.")  # fmt: skip
@click.option("--learn-from", type=click.Choice(("others", "earlier")), default="others",
              show_default=True,
              help="Other folds, or courses that began in an earlier one.")  # fmt: skip
@click.option("--bootstrap", "resampled", type=click.IntRange(0, 10_000), default=200,
              show_default=True, help="Resamples for intervals; 0 for none.")  # fmt: skip
@click.option(
    "--calibrate", metavar="ID", help="Print the alarm thresholds of this instrument, or FILE.toml."
)
@click.option("--json", "target", type=TARGET, help="Write all figures here; - prints them.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path),
              help="Write one self-contained report here.")  # fmt: skip
@click.option("--no-courses", is_flag=True, help="No single course in the report.")
@click.option("--note", default="", callback=written_in_utf8,
              help="Said in the report: source and licence of the data.")  # fmt: skip
def evaluate(
    source: Path | None,
    files: tuple[Path, ...],
    folds: int,
    learn_from: str,
    resampled: int,
    target: Path | None,
    page: Path | None,
    no_courses: bool,
    note: str,
    calibrate: str | None,
    **said: Any,
) -> None:
    """Compare rules for finding failing courses at equal rates of false alarms.

    Judged are the rules in use and this product's own, on a made-up cohort whose truth is known
    (--seeds, --clients) or on a table of real scores (--csv). A false alarm is a course that ends
    well and is ever alarmed before its last two measures. A rule that learns is judged on clients
    whom it never saw.
    """
    from services.outcomes.research.evaluation.entered import RuleError
    from services.outcomes.research.evaluation.tabled import NotJudgedError
    from services.outcomes.research.table import TableError

    _check(source, said)
    check_targets(source, [target, page], *files, *own_definition(said["instrument"]))
    try:
        if calibrate is not None:
            click.echo(_thresholds(calibrate, said), nl=False)
            return
        with bar() as moved:
            courses, about = _cohort(said, moved) if source is None else _table(source, said)
            split, about = _split(courses, about, folds, learn_from)
            with redirect_stdout(sys.stderr):  # what a rule prints is no part of the figures
                outcome = _judged(split, files, said, resampled, moved)
    except (TableError, RuleError) as error:
        raise Unusable(str(error)) from None
    except NotJudgedError as error:
        raise Unusable(f"not assessable: {error}") from None
    if page is not None:
        from services.outcomes.research.evaluation.report import page as report

        page.write_text(report(outcome, about, courses=not no_courses, note=note), "utf-8")
    _tell(outcome, about, target)


def _check(source: Path | None, said: Mapping[str, Any]) -> None:
    """Options that need each other, or the table, go with it."""
    columns = ("client", "day", "score")
    if source is None:
        alone = (*columns, "unit", "instrument", "higher_is", "sd", "reliability", "cutoff",
                 "reliable_change", "planned_days")  # fmt: skip
        for name in alone:
            if said[name] is not None:
                raise click.UsageError(f"--{name.replace('_', '-')} goes with --csv")
        return
    for name in columns:
        if said[name] is None:
            raise click.UsageError(f"--csv needs --{name} COL")
    for name in ("seeds", "clients"):
        if click.get_current_context().get_parameter_source(name) != ParameterSource.DEFAULT:
            raise click.UsageError(f"--{name} is of the made-up cohort and goes without --csv")


@contextmanager
def bar() -> "Iterator[Moved]":
    """One bar for everything: what is being done, and how far it is."""
    with progress("") as move:
        yield lambda what, done, of: move(done, of, what)


def _thresholds(name: str, said: Mapping[str, Any]) -> str:
    """The `[alarm]` table of an instrument's definition, with the command that made it."""
    from services.outcomes.research.evaluation.calibrate import calibrate

    seeds, clients = said["seeds"], said["clients"]
    with bar() as moved:
        found = calibrate(instrument_of(name), seeds, clients, moved)
    which = f"{seeds[0]}-{seeds[-1]}" if len(seeds) > 1 or seeds[0] > 1 else "1"
    asked = f"--calibrate {Path(name).name} --seeds {which} --clients {clients}"
    return found.as_toml(f"pivotpoint evaluate {asked}")


def own_definition(name: str | None) -> list[Path]:
    """The file of a definition, where an instrument is named by one."""
    return [Path(name)] if name is not None and name.endswith(".toml") else []


def instrument_of(name: str) -> "Instrument":
    """A shipped instrument by its id, or that of a definition's file; unusable otherwise."""
    from services.outcomes.core.table import InstrumentError
    from services.outcomes.registry import definition, registry

    if name.endswith(".toml"):
        try:
            return definition(Path(name))
        except (InstrumentError, OSError) as error:
            raise Unusable(in_one_line(error)) from None
    known = registry()
    if name not in known:
        raise Unusable(f"no instrument {name} is known; there are {', '.join(sorted(known))}")
    return known[name]


def _cohort(said: Mapping[str, Any], moved: "Moved") -> "tuple[Courses, About]":
    from services.outcomes.research.evaluation import made, tabled
    from services.outcomes.research.evaluation.courses import Courses
    from services.outcomes.research.evaluation.told import FAILURE, About

    seeds, clients = said["seeds"], said["clients"]
    found, left = made.made(
        seeds, clients, said["min_measures"], lambda done, of: moved("cohort", done, of)
    )
    tabled.check(found, left)
    settings = {"seeds": list(seeds), "clients": clients, "horizon_weeks": said["horizon_weeks"],
                "min_measures": said["min_measures"]}  # fmt: skip
    title = f"Made-up cohort, {len(seeds)} × {clients:,} clients"
    return Courses(found, made.SCALE), About(title, FAILURE["cohort"], settings, left)


def _table(source: Path, said: Mapping[str, Any]) -> "tuple[Courses, About]":
    from services.outcomes.research.evaluation import tabled
    from services.outcomes.research.evaluation.courses import Courses
    from services.outcomes.research.evaluation.told import FAILURE, About

    asked = asked_of(said)
    rows_of = measured(source, said, asked)
    limits = tabled.limits(asked, rows_of)
    found, left = tabled.courses(rows_of, asked, limits)
    tabled.check(found, left)
    names = ("unit", "instrument", "higher_is", "sd", "reliability", "cutoff", "reliable_change",
             "horizon_weeks", "min_measures", "planned_days")  # fmt: skip
    settings = {name: said[name] for name in names if said[name] is not None}
    return Courses(found, limits.scale), About(source.name, FAILURE["table"], settings, left)


def measured(source: Path, said: Mapping[str, Any], asked: "Asked") -> "list[Series]":
    """The measures of a long table by client, days counted as days.

    Raises:
        TableError: it cannot be used; says rows and reasons.
    """
    from services.outcomes.research.evaluation import tabled
    from services.outcomes.research.table import read, series

    check = tabled.allowed(asked.instrument)
    found = series(read(source), said["client"], said["day"], said["score"], check)
    return [tabled.in_days(one) for one in found] if said["unit"] == "weeks" else found


def asked_of(said: Mapping[str, Any]) -> "Asked":
    """What was said of the scale, once it goes together."""
    from services.outcomes.research.evaluation.tabled import Asked

    name = said["instrument"]
    instrument = None if name is None else instrument_of(name)
    told = said["higher_is"]
    if instrument and told and told != instrument.higher_is:
        raise Unusable(f"--higher-is {told}, yet of {name} higher is {instrument.higher_is}")
    names = ("sd", "reliability", "cutoff", "reliable_change", "min_measures", "planned_days")
    return Asked(instrument, told, **{one: said[one] for one in names})


def _split(
    courses: "Courses", about: "About", folds: int, learn_from: str
) -> "tuple[Split, About]":
    """Who is judged by what was learned from whom, and what is said of it.

    Raises:
        NotJudgedError: among the later courses there is nothing to tell failures from.
    """
    from services.outcomes.research.evaluation import entered, tabled

    if learn_from == "others":
        return entered.dealt(courses, folds), about
    split = entered.in_time(courses, folds)
    left = {**about.left_out, "learned from alone": len(courses) - len(split.judged)}
    tabled.check(split.judged.all, left)
    settings = {**about.settings, "learn_from": learn_from, "folds": folds}
    return split, replace(about, settings=settings, left_out=left)


def _judged(
    split: "Split",
    files: tuple[Path, ...],
    said: Mapping[str, Any],
    resampled: int,
    moved: "Moved",
) -> "Outcome":
    from services.outcomes.research.evaluation import benchmark, entered
    from services.outcomes.research.evaluation.ours import Forecast, enough

    weeks = said["horizon_weeks"]
    rules: list[entered.Rule] = [Forecast(weeks=weeks)]
    if enough(split):
        rules.append(Forecast(weeks=weeks, learns=True))
    rules += [entered.in_use(name) for name in entered.IN_USE]
    rules += [entered.from_file(path) for path in files]
    return benchmark.run(split, rules, resampled=resampled, moved=moved)


def _tell(outcome: "Outcome", about: "About", target: Path | None) -> None:
    from services.outcomes.research.evaluation import told
    from services.outcomes.research.evaluation.benchmark import RATES

    if target is not None:
        text = json.dumps(plain(told.as_json(outcome, about)), indent=1, allow_nan=False)
        with click.open_file(str(target), "w", encoding="utf-8") as file:
            file.write(text + "\n")
        if str(target) == "-":
            return
    for line in told.opening(outcome, about):
        click.echo(line)
    for head, lines in (
        told.at_rates(outcome, RATES),
        told.at_own(outcome),
        told.by_number(outcome),
        told.intervals(outcome),
    ):
        click.echo("")
        rows(head, lines, "")
    for line in told.closing(outcome):
        click.echo(f"\n{line}")


def plain(value: Any) -> Any:
    """The same with null for what is no number, which JSON does not have."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
