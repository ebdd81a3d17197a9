"""What came of a fit: sentences for a person, JSON, and the file that may be put to use."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from services.outcomes.core.estimate import DEFAULTS, Model
from services.outcomes.core.recalibration import FITTED_UNDER, OF_EACH
from services.outcomes.research.evaluation.courses import Scale
from services.outcomes.research.evaluation.ours import model_for
from services.outcomes.research.evaluation.told import FAILURE, number
from services.outcomes.research.fitting.drawn import Ranged
from services.outcomes.research.fitting.recalibration import Endings
from services.outcomes.research.fitting.slopes import Refit, changed
from services.outcomes.settings import PREFIX

BY_CHOICE = (
    "The service uses it only where somebody names the file of --recalibration in the setting "
    f"{PREFIX}RECALIBRATION: P(fail) then reads as the probability of the ending, and the alarms "
    "stay those that there are."
)
TO_USE = (
    "To use it: this file is TOML and an environment file at once. With its variables set,",
    "`pivotpoint outcomes adopt` compares: which findings would open, clear or change. Then set",
    "them for every process of the outcomes service and start it again. They hold for every",
    "instrument of the installation. Alarm thresholds were calibrated under the shipped numbers;",
    "other numbers alarm more or less often at them.",
)
TO_RECALIBRATE = (
    f"To use it: name this file in {PREFIX}RECALIBRATION;",
    "`pivotpoint outcomes adopt` compares: which findings would read otherwise. Then set it for",
    "every process of the outcomes service and start it again. It holds for this instrument, and",
    "for the numbers of the model below alone: under others the service does not start. Files of",
    "several instruments are used by joining them into one.",
)
WITH_REFIT = ("It goes with the refit numbers: set those of --toml too, or it is refused.",)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Everything that is told.

    Attributes:
        settings: what was asked for, so that the result can be made again.
        single: episodes of one measure, which say nothing.
        left_out: episodes whose ending is not judged, by reason.
        scale: what the table's scores were read by.
        instrument: its id, empty where none was named.
        endings: None where none can be judged; `no_endings` says why.
        threshold: P(fail) above which the instrument alarms.
    """

    source: str
    day: date
    settings: Mapping[str, Any]
    single: int
    refit: Refit
    left_out: Mapping[str, int]
    threshold: float
    scale: Scale
    instrument: str
    endings: Endings | None
    no_endings: str = ""

    @property
    def proposed(self) -> bool:
        """Whether the numbers help with scores, and make P(fail) no worse beyond chance."""
        return self.refit.helps and not (self.endings and self.endings.worse)

    @property
    def model(self) -> Model:
        """What the P(fail) that was recalibrated is computed with."""
        return model_for(self.scale, self.refit.numbers if self.proposed else DEFAULTS)


def sample(fitted: Fitted) -> Iterator[str]:
    """What was fitted to."""
    refit = fitted.refit
    more = (
        f" The numbers are learned from {refit.used:,} of them."
        if refit.used < refit.episodes
        else ""
    )
    yield (
        f"{fitted.source}: {refit.episodes:,} episodes of two measures or more, "
        f"{refit.measures:,} measures after the first.{more}"
    )
    if fitted.single:
        yield f"Left out: {fitted.single:,} with one measure."


def numbers(fitted: Fitted) -> tuple[Sequence[str], list[list[str]]]:
    """The numbers before and after, in SD of the instrument and weeks."""
    lines = [
        [name.replace("_", " "), f"{getattr(DEFAULTS, name):g}", f"{_refit(fitted, name):g}"]
        for name in changed()
    ]
    return ["number, in SD and weeks", "shipped", "refit"], lines


def verdict(fitted: Fitted) -> Iterator[str]:
    """Whether each fit helps, in sentences."""
    gain = fitted.refit.gain
    yield (
        f"Forecast of the next score, clients not seen: log likelihood a measure higher by "
        f"{_with(gain)}: {_helps(gain)}."
    )
    if fitted.endings is None:
        yield f"P(fail) is not judged: {fitted.no_endings}."
    else:
        yield from _endings(fitted, fitted.endings)
    yield _proposal(fitted)


def _endings(fitted: Fitted, told: Endings) -> Iterator[str]:
    left = "".join(f" Left out: {n:,}, {why}." for why, n in fitted.left_out.items() if n)
    yield (
        f"Endings: {told.courses:,}, {told.failures:,} of them failures ({FAILURE['table']}).{left}"
    )
    yield (
        f"P(fail), clients not seen: Brier {number(told.shipped, 4)} shipped, "
        f"{number(told.refit, 4)} refit, lower by {_with(told.by_refit)}: {_helps(told.by_refit)}."
    )
    yield _alarms(fitted, told)
    if told.line is None or told.by_line is None:
        yield f"Recalibration: refused. {told.refused[:1].upper()}{told.refused[1:]}."
        return
    yield (
        f"Recalibration, of the {'refit' if fitted.proposed else 'shipped'} numbers: logit P(ends "
        f"as a failure) = {told.line.intercept:.3f} + {told.line.slope:.3f} logit P(fail). Brier "
        f"{number(told.recalibrated, 4)}, lower by {_with(told.by_line)}: {_helps(told.by_line)}."
    )
    yield BY_CHOICE


def _alarms(fitted: Fitted, told: Endings) -> str:
    if min(told.failures, told.courses - told.failures) < OF_EACH:
        return f"Alarms are not compared: that needs {OF_EACH} failures and {OF_EACH} others."
    before, after, level = told.alarms_shipped, told.alarms_refit, told.alarms_level
    return (
        f"Alarms above {number(fitted.threshold, 3)}: false ones in "
        f"{number(before.false_alarms, 2)} of the courses that end well, with the refit numbers "
        f"{number(after.false_alarms, 2)}; {number(before.sensitivity, 2)} of failures found, "
        f"with them {number(after.sensitivity, 2)}. As few false ones as shipped need "
        f"{number(level.threshold, 3)} with them, and {number(level.sensitivity, 2)} are found."
    )


def _proposal(fitted: Fitted) -> str:
    if fitted.proposed and fitted.endings and fitted.endings.by_refit.low > 0:
        return "The refit numbers help with scores and with P(fail); somebody has to decide."
    if fitted.proposed:
        return (
            "The refit numbers help with the forecast of scores. That P(fail) or the alarms are "
            "the better for them is not shown: decide with the figures above."
        )
    if fitted.refit.helps:
        return "The refit numbers make P(fail) worse: stay with the shipped ones."
    return "The refit does not help beyond chance: stay with the shipped numbers."


def as_toml(fitted: Fitted) -> str:
    """The numbers as the settings that the service reads; remarks where they do not help."""
    mark = "" if fitted.proposed else "# "
    asked = ", ".join(f"{name} {value}" for name, value in fitted.settings.items())
    head = [
        f"Numbers of the model, made by `pivotpoint fit` on {fitted.day}.",
        *sample(fitted),
        f"Asked for: {asked}.",
        *verdict(fitted),
        *(TO_USE if fitted.proposed else ("They stand here as remarks, so that nothing changes.",)),
    ]
    lines = [f"{mark}{PREFIX}MODEL_{name.upper()}={_refit(fitted, name):.4g}" for name in changed()]
    remarks = [f"# {_printable(line)}" for line in head]
    return "\n".join([*remarks, "", *lines]) + "\n"


def as_recalibration(fitted: Fitted) -> str:
    """The line as the service reads it; remarks where there is none, or where it does not help."""
    told = fitted.endings
    line = told.line if told else None
    used = bool(told and line and told.helps and line.slope > 0)
    asked = ", ".join(f"{name} {value}" for name, value in fitted.settings.items())
    head = [
        f"Recalibration of P(fail), made by `pivotpoint fit` on {fitted.day}.",
        *sample(fitted),
        f"Asked for: {asked}.",
        *verdict(fitted),
        *(TO_RECALIBRATE if used else ("Nothing of it is used: what stands here are remarks.",)),
        *(WITH_REFIT if used and fitted.proposed else ()),
    ]
    remarks = "".join(f"# {_printable(line)}\n" for line in head)
    if told is None or line is None:
        return remarks
    numbers = [f"{name} = {getattr(fitted.model, name)!r}" for name in FITTED_UNDER]
    lines = [
        "[[recalibration]]",
        f'instrument = "{fitted.instrument}"',
        f"intercept = {line.intercept!r}",
        f"slope = {line.slope!r}",
        f"endings = {told.courses}",
        f"failures = {told.failures}",
        f'made_on = "{fitted.day.isoformat()}"',
        f"horizon_weeks = {fitted.settings['horizon_weeks']!r}",
        "",
        "[recalibration.model]",
        *numbers,
    ]
    mark = "" if used else "# "
    return remarks + "\n" + "".join(f"{mark}{line}".rstrip() + "\n" for line in lines)


def as_json(fitted: Fitted) -> dict[str, Any]:
    """Everything as plain values; shares and errors as numbers, intervals as low and high."""
    refit = fitted.refit
    return {
        "source": fitted.source,
        "day": fitted.day.isoformat(),
        "settings": dict(fitted.settings),
        "n": refit.episodes,
        "measures": refit.measures,
        "used": refit.used,
        "left_out": {"one measure": fitted.single},
        "numbers": {
            name: {"shipped": getattr(DEFAULTS, name), "refit": _refit(fitted, name)}
            for name in changed()
        },
        "gain": asdict(refit.gain) | {"helps": refit.helps},
        "proposed": fitted.proposed,
        "endings": _endings_json(fitted),
        "recalibration": _line_json(fitted),
    }


def _endings_json(fitted: Fitted) -> dict[str, Any]:
    told = fitted.endings
    if told is None:
        return {"refused": fitted.no_endings, "left_out": dict(fitted.left_out)}
    return {
        "failure": FAILURE["table"],
        "n": told.courses,
        "failures": told.failures,
        "measures": told.measures,
        "left_out": dict(fitted.left_out),
        "brier": {"shipped": told.shipped, "refit": told.refit},
        "lower_by": asdict(told.by_refit),
        "threshold": fitted.threshold,
        "alarms": {
            "shipped": asdict(told.alarms_shipped),
            "refit": asdict(told.alarms_refit),
            "refit_level": asdict(told.alarms_level),
        },
    }


def _line_json(fitted: Fitted) -> dict[str, Any]:
    told = fitted.endings
    if told is None or told.line is None or told.by_line is None:
        return {"refused": fitted.no_endings if told is None else told.refused}
    return {
        "of": "refit" if fitted.proposed else "shipped",
        "intercept": told.line.intercept,
        "slope": told.line.slope,
        "brier": told.recalibrated,
        "lower_by": asdict(told.by_line),
        "helps": told.helps,
    }


def _refit(fitted: Fitted, name: str) -> float:
    return float(getattr(fitted.refit.numbers, name))


def _with(ranged: Ranged) -> str:
    low, high = number(ranged.low, 4), number(ranged.high, 4)
    return f"{number(ranged.value, 4)} [{low}, {high}]"


def _helps(ranged: Ranged) -> str:
    if ranged.low > 0:
        return "it helps"
    return "it is worse" if ranged.high < 0 else "it does not help beyond chance"


def _printable(text: str) -> str:
    """What a remark may hold: a file may be called anything."""
    return "".join(one if one.isprintable() else "?" for one in text)
