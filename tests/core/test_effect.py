"""The effect of a pivot: the forecast of its day, told whole, and what came better or worse."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from services.outcomes.core import estimate as filter_
from services.outcomes.core import findings
from services.outcomes.core.case import Yardsticks
from services.outcomes.core.effect import verdict
from services.outcomes.core.estimate import Interval
from services.outcomes.core.instrument import Instrument
from tests.core.foretold import MODEL, PHQ, Points, known
from tests.core.logbook import MemoryLog, Sender, detect, detector, played

LAW = Interval(mean=12.0, low50=10.0, high50=14.0, low80=8.0, high80=16.0)


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (7.9, "better than forecast"),
        (8.0, "within forecast"),
        (12.0, "within forecast"),
        (16.0, "within forecast"),
        (16.1, "worse than forecast"),
    ],
)
def test_a_score_at_a_limit_lies_within(score: float, said: str) -> None:
    assert verdict(score, LAW) == said


def turned() -> Instrument:
    """The same scale counted from its other end: higher is better."""
    cutoff, norm = PHQ.cutoff, PHQ.norm
    assert cutoff is not None
    assert norm is not None
    assert norm.mean is not None
    return replace(
        PHQ,
        higher_is="better",
        cutoff=replace(cutoff, value=27 - cutoff.value, operator="<="),
        norm=replace(norm, mean=27 - norm.mean),
    )


def read(tell: Callable[[Sender], None], higher_is: str = "worse") -> MemoryLog:
    log = MemoryLog()
    tell(Sender(log))
    instrument = PHQ if higher_is == "worse" else turned()
    detect(log, detector(log, yardsticks=Yardsticks({"phq-9": instrument})))
    return log


BEFORE = [(0, 14), (7, 21), (14, 22)]
AFTER = [(18, 27), (44, 3), (51, 14)]


@pytest.mark.parametrize("higher_is", ["worse", "better"])
def test_every_measure_after_a_pivot_is_told_beside_its_forecast(higher_is: str) -> None:
    def out(score: float) -> float:
        return score if higher_is == "worse" else 27 - score

    def tell(sender: Sender) -> None:
        sender.open(0)
        sender.approach("CBT", 0)
        sender.fact("late", 45, "other", "a new job")
        sender.fact("b", 44, "life event", "a death")
        sender.fact("a", 44, "setting", "a new room")
        sender.fact("just", -12, "medication", "sertraline")
        sender.fact("early", -13, "medication", "fluoxetine")
        sender.fact("unnamed", 20, "referral", "physiotherapy")
        for day, score in [*BEFORE, *AFTER]:
            sender.measure(f"m{day}", day, out(score))
        sender.approach("EMDR", 16, origin="reflection")
        sender.approach("ACT", 51)

    log = read(tell, higher_is)
    told = [one for one in log.of(findings.EffectMeasured) if one.approach == "EMDR"]
    estimate = known(BEFORE)
    said = {18: "worse than forecast", 44: "better than forecast", 51: "within forecast"}
    changed = {
        18: ["medication: sertraline"],
        44: ["medication: sertraline", "setting: a new room", "life event: a death"],
        51: [
            "medication: sertraline", "setting: a new room", "life event: a death",
            "other: a new job",
        ],
    }  # fmt: skip
    for effect, (day, score) in zip(told, AFTER, strict=True):
        law = filter_.predict(MODEL, estimate, (day - 14) / 7)
        low, high = (max(0.0, min(27.0, out(limit))) for limit in (law.low80, law.high80))
        expected = {
            "approach": "EMDR",
            "trajectory": "phq-9|total|client",
            "version": 1,
            "on": Sender(log).on(day),
            "weeks": round((day - 16) / 7, 4),
            "observed": out(score),
            "mean": pytest.approx(out(law.mean), abs=6e-5),
            "low80": pytest.approx(min(low, high), abs=6e-5),
            "high80": pytest.approx(max(low, high), abs=6e-5),
            "verdict": said[day],
            "also_changed": changed[day],
            "withdrawn": False,
        }
        assert {name: getattr(effect, name) for name in expected} == expected


def pivot(day: int, **more: Any) -> Callable[[Sender], None]:
    """An episode of three measures with a pivot on a day, and what came of it later."""

    def tell(sender: Sender) -> None:
        sender.open(0)
        sender.approach("CBT", 0)
        for at, score in BEFORE:
            sender.measure(f"m{at}", at, score)
        sender.approach("EMDR", day, origin="reflection", **more)

    return tell


@pytest.mark.parametrize(("day", "review"), [(14, 56), (14, 10), (20, 20), (42, None)])
def test_a_forecast_starts_from_the_last_measure_by_its_day(day: int, review: int | None) -> None:
    at = Sender(MemoryLog())
    on = None if review is None else at.on(review)
    (told,) = read(pivot(day, review_on=on)).of(findings.ForecastMade)
    estimate = known(BEFORE)
    ahead = 0 if review is None else max(0.0, (review - 14) / 7)
    worked = round(filter_.p_worked(MODEL, estimate, ahead, 14), 4)
    assert (told.trajectory, told.on, told.review_on) == ("phq-9|total|client", at.on(day), on)
    assert told.p_worked == (None if review is None else worked)
    assert told.not_assessable == []
    weeks = [1, 2, 4, 6, 8, 12]
    means = [filter_.predict(MODEL, estimate, (day - 14) / 7 + one).mean for one in weeks]
    assert [one["weeks"] for one in told.fan] == weeks
    assert [one["mean"] for one in told.fan] == pytest.approx(means, abs=6e-5)


@pytest.mark.parametrize(
    ("measures", "more", "day", "trajectory", "reasons"),
    [
        (BEFORE, {}, 43, "phq-9|total|client", ["too_old"]),
        ([(20, 14)], {}, 19, "phq-9|total|client", ["too_few"]),
        ([], {}, 19, None, ["too_few"]),
        (BEFORE, {"instrument": "ors"}, 14, "ors|total|client", ["no_norm", "no_reliability"]),
        (
            [(20, 14)], {"instrument": "ors"}, 19, "ors|total|client",
            ["no_norm", "no_reliability", "too_few"],
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_forecast_says_why_and_has_no_effect(
    measures: Points, more: dict[str, Any], day: int, trajectory: str | None, reasons: list[str]
) -> None:
    def tell(sender: Sender) -> None:
        sender.open(0)
        sender.approach("CBT", 0)
        for at, score in measures:
            sender.measure(f"m{at}", at, score, **more)
        sender.approach("EMDR", day, origin="reflection", review_on=sender.on(60))
        if measures:
            sender.measure("after", 46, 20, **more)

    log = played(tell)
    (told,) = log.of(findings.ForecastMade)
    assert (told.trajectory, told.fan, told.p_worked) == (trajectory, [], None)
    assert told.not_assessable == reasons
    assert log.of(findings.EffectMeasured) == []


def test_a_first_approach_is_a_pivot_where_a_reflection_led_to_it() -> None:
    def tell(origin: str) -> Callable[[Sender], None]:
        def told(sender: Sender) -> None:
            sender.open(0)
            for day, score in BEFORE:
                sender.measure(f"m{day}", day, score)
            sender.approach("EMDR", 14, origin=origin)
            sender.measure("after", 21, 20)

        return told

    for origin, pivots in (("reflection", ["EMDR"]), ("ehr", [])):
        log = played(tell(origin))
        assert len(log.of(findings.ForecastMade)) == len(pivots)
        assert [one.approach for one in log.of(findings.EffectMeasured)] == pivots
