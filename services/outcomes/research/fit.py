"""The command `pivotpoint fit`: the model's numbers from a clinic's own closed episodes."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.chassis.command import rows
from services.outcomes.research.change import ANY, POSITIVE, SHARE
from services.outcomes.research.evaluate import (
    FILE,
    TARGET,
    asked_of,
    bar,
    instrument_of,
    measured,
    own_definition,
    plain,
)
from services.outcomes.research.targets import Unusable, check_targets

if TYPE_CHECKING:
    from services.outcomes.core.change_methods.series import Series
    from services.outcomes.research.evaluation.benchmark import Moved
    from services.outcomes.research.evaluation.courses import Course
    from services.outcomes.research.evaluation.tabled import Asked, Limits
    from services.outcomes.research.fitting.drawn import Draws
    from services.outcomes.research.fitting.recalibration import Endings
    from services.outcomes.research.fitting.slopes import Refit
    from services.outcomes.research.fitting.told import Fitted


@click.command("fit")
@click.option("--csv", "source", required=True, type=FILE,
              help="A long table of closed episodes, one row per measure.")  # fmt: skip
@click.option("--client", required=True, metavar="COL", help="Column of the episode's reference.")
@click.option("--day", required=True, metavar="COL", help="Column of the day: a number or a date.")
@click.option("--unit", type=click.Choice(("days", "weeks")), help="Of --day, days if left out.")
@click.option("--score", required=True, metavar="COL", help="Column of the score of that day.")
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
              help="The ending of shorter episodes is not judged.")  # fmt: skip
@click.option("--planned-days", type=POSITIVE, help="Nor of those that ended before this day.")
@click.option("--folds", type=click.IntRange(2, 20), default=5, show_default=True,
              help="Each fit is judged on clients whom it did not see.")  # fmt: skip
@click.option("--bootstrap", "resampled", type=click.IntRange(100, 10_000), default=1000,
              show_default=True, help="Resamples of clients for the intervals.")  # fmt: skip
@click.option("--toml", "numbers", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the numbers here, as settings that somebody may put to use.")  # fmt: skip
@click.option("--recalibration", "line", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the recalibration here, as a file that the service takes.")  # fmt: skip
@click.option("--json", "target", type=TARGET, help="Write all figures here; - prints them.")
def fit(
    source: Path,
    folds: int,
    resampled: int,
    numbers: Path | None,
    line: Path | None,
    target: Path | None,
    **said: Any,
) -> None:
    """Refit the model to closed episodes of your own, and say whether that helps.

    Fitted are the slope expected at the start, how it varies and lasts, and what it leaves, in SDs
    of the instrument: from 300 episodes on. From 1,000 endings on a logistic recalibration of
    P(fail) is fitted too. Nothing is put to use by this command: the files of --toml and
    --recalibration hold what the service can use, and say how to.
    """
    from services.outcomes.research.evaluation.tabled import NotJudgedError
    from services.outcomes.research.table import TableError

    check_targets(source, (numbers, line, target), *own_definition(said["instrument"]))
    if line is not None:
        _check_usable(said)
    try:
        with bar() as moved:
            fitted = _fitted(source, said, folds, resampled, moved)
    except TableError as error:
        raise Unusable(str(error)) from None
    except NotJudgedError as error:
        raise Unusable(f"not assessable: {error}") from None
    _tell(fitted, numbers, line, target)


def _check_usable(said: Mapping[str, Any]) -> None:
    """A recalibration is of P(fail) as the service computes it, not of another scale."""
    from services.outcomes.core.estimate import model

    name = said["instrument"]
    if name is None:
        raise Unusable("--recalibration needs --instrument: the service uses it for that one")
    for option in ("sd", "reliability", "cutoff", "reliable_change"):
        if said[option] is not None:
            asked = f"--{option.replace('_', '-')}"
            raise Unusable(f"--recalibration is of {name} as the service has it: without {asked}")
    known = model(instrument_of(name))
    if known is None or known.mean is None or known.cut is None:
        raise Unusable(f"--recalibration: {name} has no norm, reliability or cut-off of its own")


def _fitted(
    source: Path, said: Mapping[str, Any], folds: int, resampled: int, moved: "Moved"
) -> "Fitted":
    from services.chassis.clock import SystemClock
    from services.outcomes.research.evaluation import tabled
    from services.outcomes.research.evaluation.tabled import NotJudgedError
    from services.outcomes.research.fitting.drawn import ratio
    from services.outcomes.research.fitting.slopes import refit
    from services.outcomes.research.fitting.told import Fitted

    asked = asked_of(said)
    series = measured(source, said, asked)
    limits = tabled.limits(asked, series)
    draws = partial(ratio, draws=resampled)
    learned = refit(_episodes(series, asked), limits.scale, folds, draws, moved)
    found, left = tabled.courses(series, asked, limits)
    threshold = _threshold(asked)
    endings, why = None, ""
    try:
        tabled.check(found, left)
        endings = _endings(found, limits, learned, said["horizon_weeks"], threshold, draws)
    except NotJudgedError as error:
        why = str(error)
    settings = {name: value for name, value in said.items() if value is not None}
    single = sum(len(one.points) == 1 for one in series)
    return Fitted(
        source=source.name,
        day=SystemClock().now().date(),
        settings=settings | {"folds": folds, "bootstrap": resampled},
        single=single,
        refit=learned,
        left_out=left,
        threshold=threshold,
        scale=limits.scale,
        instrument=asked.instrument.id if asked.instrument else "",
        endings=endings,
        no_endings=why,
    )


def _episodes(series: "list[Series]", asked: "Asked") -> "list[Course]":
    """All of them, oriented: how courses move is learned from those that began mildly, too."""
    from services.outcomes.research.evaluation.courses import Course

    return [
        Course(
            client=one.client,
            days=tuple(day - one.points[0][0] for day, _ in one.points),
            scores=tuple(asked.sign * score for _, score in one.points),
            failed=False,
        )
        for one in series
    ]


def _endings(
    found: "list[Course]",
    limits: "Limits",
    learned: "Refit",
    weeks: float,
    threshold: float,
    draws: "Draws",
) -> "Endings":
    from services.outcomes.research.evaluation.courses import Courses
    from services.outcomes.research.fitting.recalibration import Numbers, Recalibrating

    courses = Courses(found, limits.scale)
    judging = Recalibrating(courses, learned.folds, weeks, draws)
    refit = Numbers(learned.by_fold, learned.numbers)
    return judging.judge(refit, threshold, helps=learned.helps)


def _threshold(asked: "Asked") -> float:
    """P(fail) above which the service alarms as shipped."""
    from services.outcomes.core.rules import DEFAULTS as RULES

    known = asked.instrument.alarm_threshold(RULES.alarm_budget) if asked.instrument else None
    return RULES.alarm_threshold if known is None else known


def _tell(fitted: "Fitted", numbers: Path | None, line: Path | None, target: Path | None) -> None:
    from services.outcomes.research.fitting import told

    files = [(numbers, told.as_toml), (line, told.as_recalibration)]
    written = [(path, form) for path, form in files if path is not None]
    for path, form in written:
        path.write_text(form(fitted), "utf-8")
    if target is not None:
        text = json.dumps(plain(told.as_json(fitted)), indent=1, allow_nan=False)
        with click.open_file(str(target), "w", encoding="utf-8") as file:
            file.write(text + "\n")
        if str(target) == "-":
            return
    for text in told.sample(fitted):
        click.echo(text)
    click.echo("")
    rows(*told.numbers(fitted), "")
    for text in told.verdict(fitted):
        click.echo(f"\n{text}")
    for path, _ in written:
        click.echo(f"\n{path} says whether it is of use, and how it is put to use.")
