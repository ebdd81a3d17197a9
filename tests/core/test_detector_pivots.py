"""What the detector says of pivots and reflections: forecasts and effects."""

from services.outcomes.core import findings
from tests.core.logbook import FLAT_AND_HIGH, Sender, played


def pivoted(sender: Sender) -> None:
    sender.open(0)
    sender.approach("CBT", 0)
    for number, (day, score) in enumerate(FLAT_AND_HIGH):
        sender.measure(f"m{number}", day, score)
    sender.approach("EMDR", 14, origin="reflection", review_on=sender.on(56))


def test_a_pivot_is_forecast_from_what_was_known_on_its_day() -> None:
    (forecast,) = played(pivoted).of(findings.ForecastMade)
    assert forecast.on == "2024-01-15"
    assert [point["weeks"] for point in forecast.fan] == [1, 2, 4, 6, 8, 12]
    assert 0 < forecast.p_worked < 0.5
    last = played(pivoted).of(findings.Assessed)[-1].assessment
    assert forecast.fan == last["fan"], "of its own day: the same estimate, the same fan"


def test_measures_after_a_pivot_are_held_against_its_forecast() -> None:
    def tell(sender: Sender) -> None:
        pivoted(sender)
        sender.fact("f", 10, "medication", "sertraline")
        sender.measure("m3", 21, 21)
        sender.measure("m4", 42, 5)

    log = played(tell)
    effects = log.of(findings.EffectMeasured)
    assert [(one.weeks, one.verdict) for one in effects] == [
        (1, "within forecast"),
        (4, "better than forecast"),
    ]
    assert effects[1].observed == 5 < effects[1].low80 < effects[1].mean < effects[1].high80
    assert effects[1].high80 <= 27, "a forecast keeps to the scale"
    assert effects[1].also_changed == ["medication: sertraline"]


def test_a_corrected_measure_is_measured_again_and_a_withdrawn_one_withdrawn() -> None:
    def tell(sender: Sender) -> None:
        pivoted(sender)
        sender.measure("m4", 42, 5)
        sender.measure("m4", 42, 20, kind="corrected")
        sender.withdraw("m4")

    effects = played(tell).of(findings.EffectMeasured)
    assert [(one.observed, one.version, one.withdrawn) for one in effects] == [
        (5, 1, False),
        (20, 2, False),
        (20, 2, True),
    ]


def test_the_first_approach_of_an_episode_is_no_pivot() -> None:
    def tell(sender: Sender) -> None:
        sender.open(0)
        sender.approach("CBT", 0)
        sender.measure("m0", 0, 14)
        sender.measure("m1", 7, 14)

    log = played(tell)
    assert log.of(findings.ForecastMade) == []
    assert log.of(findings.EffectMeasured) == []


def test_a_reflection_gets_its_forecast_once() -> None:
    def tell(sender: Sender) -> None:
        for number, (day, score) in enumerate(FLAT_AND_HIGH):
            sender.measure(f"m{number}", day, score)
        sender.reflect("r1", 15, 60)
        sender.measure("m1", 7, 14, kind="corrected")

    (forecast,) = played(tell).of(findings.ForecastMade)
    assert (forecast.reflection, forecast.approach_id) == ("r1", None)
    assert 0 < forecast.p_worked < 1


def test_nothing_can_be_forecast_from_nothing() -> None:
    def tell(sender: Sender) -> None:
        sender.open(0)
        sender.reflect("r1", 3, 60)

    (forecast,) = played(tell).of(findings.ForecastMade)
    assert forecast.not_assessable == ["too_few"]
    assert (forecast.fan, forecast.p_worked) == ([], None)
