"""What came of the benchmark: as JSON for a program, as tables for a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.outcomes.research.evaluation.benchmark import OWN, Outcome, Verdict, rate_key
from services.outcomes.research.evaluation.courses import Courses
from services.outcomes.research.evaluation.ours import model_for
from services.outcomes.research.evaluation.plateau import found, plateaus

FAILURE = {
    "table": "the last two measures average at or above the cut-off, and that is less than the "
    "reliable change better than the first measure",
    "cohort": "on the true course, at its end: still a case, and less than the reliable change "
    "better than at its start",
}


@dataclass(frozen=True, slots=True)
class About:
    """What was judged: said above every result.

    Attributes:
        title: the series in words.
        failure: how failure was defined.
        settings: what was asked for, so that the result can be made again.
        left_out: courses that were not judged, by reason.
    """

    title: str
    failure: str
    settings: Mapping[str, Any]
    left_out: Mapping[str, int]


def plateau(courses: Courses) -> dict[str, float | None] | None:
    """The plateau channel's finds and false finds; None where nobody knows who is flat."""
    if not any(one.kind for one in courses.all):
        return None
    return found(courses, plateaus(model_for(courses.scale), courses))


def as_json(outcome: Outcome, about: About) -> dict[str, Any]:
    """Everything; null where a figure cannot be told."""
    courses = outcome.courses
    scale = courses.scale
    return {
        "title": about.title,
        "n": len(courses),
        "failures": int(courses.failed.sum()),
        "measures": courses.measures,
        "left_out": dict(about.left_out),
        "failure": about.failure,
        "settings": dict(about.settings),
        "scale": {"mean": scale.mean, "sd": scale.sd, "reliability": scale.reliability,
                  "reliable_change": scale.reliable_change, "cut": scale.cut},
        "resampled": outcome.resampled,
        "reference": outcome.reference,
        "brier_of_base_rate": outcome.base_brier,
        "plateau": plateau(courses),
        "rules": {one.rule.name: _rule(one) for one in outcome.verdicts},
    }  # fmt: skip


def _rule(verdict: Verdict) -> dict[str, Any]:
    figures, intervals = verdict.figures, verdict.intervals
    return {
        "own_threshold": verdict.rule.own,
        "learns": verdict.rule.learns,
        "probability": verdict.rule.probability,
        **{name: dict(told) for name, told in figures.items() if name != "brier"},
        "brier": figures["brier"][""],
        "calibration": [asdict(one) for one in verdict.bins],
        "intervals": {
            **{name: dict(told) for name, told in intervals.items() if name != "brier"},
            "brier": intervals.get("brier", {}).get(""),
        },
    }


Lines = list[Sequence[str]]


def at_rates(outcome: Outcome, rates: Sequence[float]) -> tuple[Sequence[str], Lines]:
    """Head and lines: sensitivity and lead of each rule at equal rates of false alarms."""
    head = [
        "rule",
        *(f"sensitivity at {rate_key(rate)}" for rate in rates),
        "lead at 0.10",
        "Brier",
    ]
    return head, [_line(one, rates) for one in outcome.verdicts]


def _line(verdict: Verdict, rates: Sequence[float]) -> list[str]:
    cells = [with_interval(verdict, "sensitivity", rate_key(rate)) for rate in rates]
    lead = with_interval(verdict, "lead_sessions", "0.10", digits=1)
    return [verdict.rule.name, *cells, lead, with_interval(verdict, "brier", "", digits=3)]


def at_own(outcome: Outcome) -> tuple[Sequence[str], Lines]:
    """Head and lines: each rule at its own threshold, and the reference at the same rate."""
    reference = outcome.verdicts[0]
    head = ["rule", "false alarms", "sensitivity", "lead", "days", "PPV",
            f"{reference.rule.name} there", "lead", "days"]  # fmt: skip
    lines: Lines = []
    for one in outcome.verdicts:
        if one.rule.own is None:
            continue
        name = one.rule.name
        own = [
            number(one.figures["false_alarms"][OWN], 3),
            with_interval(one, "sensitivity", OWN),
            number(one.figures["lead_sessions"][OWN], 1),
            number(one.figures["lead_days"][OWN], 0),
            number(one.figures["ppv"][OWN], 2),
        ]
        there = [
            with_interval(reference, "sensitivity", name),
            number(reference.figures["lead_sessions"][name], 1),
            number(reference.figures["lead_days"][name], 0),
        ]
        lines.append([name, *own, *there])
    return head, lines


def by_number(outcome: Outcome) -> tuple[Sequence[str], Lines]:
    """Head and lines: AUC of each rule by number of measures."""
    numbers = [
        name
        for name in outcome.verdicts[0].figures["auc"]
        if any(one.figures["auc"][name] is not None for one in outcome.verdicts)
    ]
    lines: Lines = [
        [one.rule.name, *(number(one.figures["auc"][name], 2) for name in numbers)]
        for one in outcome.verdicts
    ]
    return ["AUC at measure", *numbers], lines


def intervals(outcome: Outcome) -> tuple[Sequence[str], Lines]:
    """Head and lines: the nominal 80 % interval of a later score, where a rule forecasts one."""
    told = [one for one in outcome.verdicts if "coverage" in one.figures]
    weeks = list(told[0].figures["coverage"]) if told else []
    lines: Lines = [
        [
            one.rule.name,
            name,
            with_interval(one, "coverage", name),
            with_interval(one, "forecast_error", name),
            number(one.figures["interval_width"][name], 1),
        ]
        for one in told
        for name in weeks
    ]
    return ["80 % interval", "weeks ahead", "coverage", "mean error in SD", "width"], lines


def with_interval(verdict: Verdict, figure: str, name: str, digits: int = 2) -> str:
    """A figure with its interval, "-" where there is none."""
    told = number(verdict.figures[figure][name], digits)
    ends = verdict.intervals.get(figure, {}).get(name)
    return (
        told if ends is None else f"{told} [{number(ends[0], digits)}, {number(ends[1], digits)}]"
    )


def number(value: float | None, digits: int) -> str:
    """A figure for reading: no zero before the point, "-" for none."""
    if value is None:
        return "-"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def opening(outcome: Outcome, about: About) -> Iterator[str]:
    """What was judged, in sentences."""
    courses = outcome.courses
    failures = int(courses.failed.sum())
    yield f"{about.title}: {len(courses):,} courses, {courses.measures:,} measures."
    yield f"{failures:,} failed ({failures / len(courses):.0%}): {about.failure}."
    for reason, count in about.left_out.items():
        if count:
            yield f"Left out: {count:,}, {reason}."


def closing(outcome: Outcome) -> Iterator[str]:
    """What is said of plateaus, where the truth is known."""
    flat = plateau(outcome.courses)
    if flat is not None:
        yield (
            f"Plateau: {number(flat['flat_found'], 2)} of flat clients found, at measure "
            f"{number(flat['measure'], 1)} on average; "
            f"{number(flat['successes_flagged'], 2)} of eventual successes flagged."
        )
