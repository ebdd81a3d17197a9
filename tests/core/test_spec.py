"""What a trajectory is judged by: every limit with its value and, in words, where it is from."""

from dataclasses import replace

import pytest

from services.outcomes.core.definition import read
from services.outcomes.core.estimate import DEFAULTS as MODEL
from services.outcomes.core.recalibration import Recalibration
from services.outcomes.core.rules import DEFAULTS, RULE
from services.outcomes.core.spec import Spec
from tests.core.definitions import FOR_SOME, FULL, LEAST

MOOD, FAMILY, BARE = (read("own.toml", one) for one in (FULL, FOR_SOME, LEAST))
LINE = Recalibration(0.5, 2.0, 12345, "2026-03-01")
CHANGE = {
    "name": "reliable change",
    "value": 5.2592,
    "source": "Jacobson-Truax, 95 %, test-retest 0.9 (manual, page 12), SD 6 (400 adults)",
}
CUT = {"name": "cut-off", "value": 8, "source": "manual, page 11"}


def alarm(value: float, source: str) -> dict[str, object]:
    return {"name": "alarm threshold", "value": value, "source": source}


UNCALIBRATED = alarm(0.68, "default of the rules: this instrument has no calibration of its own")


def test_each_finding_cites_the_limits_that_it_rests_on() -> None:
    spec = Spec.of(MOOD, DEFAULTS)
    assert spec.limits_of_change == [CHANGE]
    assert spec.limits_of_course == [CHANGE, CUT]
    assert spec.limits_of_alarm == [alarm(0.7, "alarm budget 0.1; simulated"), CHANGE, CUT]


def test_a_published_change_is_cited_with_its_confidence() -> None:
    published = {"name": "reliable change", "value": 2.25, "source": "95%, its authors"}
    spec = Spec.of(FAMILY, DEFAULTS)
    assert (spec.limits_of_change, spec.limits_of_course) == ([published], [published])
    assert spec.limits_of_alarm == [UNCALIBRATED, published]


def test_what_is_not_known_is_not_cited() -> None:
    spec = Spec.of(BARE, DEFAULTS)
    assert (spec.limits_of_change, spec.limits_of_course) == ([], [])
    assert spec.limits_of_alarm == [UNCALIBRATED]
    assert (spec.change, spec.cut, spec.model, spec.beyond(1000)) == (None, None, None, False)


def test_thresholds_are_told_with_four_places() -> None:
    spec = Spec.of(MOOD, replace(DEFAULTS, alarm_budget=0.083333))
    assert spec.threshold == pytest.approx(0.766668)
    assert spec.limits_of_alarm[0] == alarm(0.7667, "alarm budget 0.083333; simulated")


@pytest.mark.parametrize(
    ("text", "amount", "beyond"),
    [
        (FULL, 5.2593, True), (FULL, 5.2592, False), (FULL, 6, True), (FULL, -9, False),
        (FOR_SOME, 2.25, False), (FOR_SOME, 2.26, True),
        (FOR_SOME.replace('operator = ">"', 'operator = ">="'), 2.25, True),
        (FOR_SOME.replace('operator = ">"', 'operator = ">="'), 2.24, False),
    ],
)  # fmt: skip
def test_a_change_is_beyond_error_where_it_is_so_computed_or_published(
    text: str, amount: float, beyond: bool
) -> None:
    assert Spec.of(read("own.toml", text), DEFAULTS).beyond(amount) is beyond


def test_a_computed_change_of_just_that_size_is_within_error_whatever_was_published() -> None:
    spec = Spec.of(MOOD, DEFAULTS)
    assert spec.change is not None
    assert not spec.beyond(spec.change)


@pytest.mark.parametrize(
    ("hysteresis", "threshold", "clears_below"),
    [(0.1, 0.7, 0.6), (0.7, 0.7, 0.0), (0.9, 0.7, -0.2)],
)
def test_an_alarm_ends_so_far_below_the_threshold_that_began_it(
    hysteresis: float, threshold: float, clears_below: float
) -> None:
    """Recalibrated, both stay in their order; what never ended an alarm does not begin to."""
    rules = replace(DEFAULTS, alarm_hysteresis=hysteresis)
    plain, own = Spec.of(MOOD, rules), Spec.of(MOOD, rules, recalibration=LINE)
    assert (plain.threshold, plain.clears_below) == pytest.approx((threshold, clears_below))
    assert own.threshold == pytest.approx(LINE.chance(0.7))
    expected = LINE.chance(clears_below) if clears_below > 0 else clears_below
    assert own.clears_below == pytest.approx(expected)


def test_a_recalibrated_threshold_says_whose_endings_moved_it() -> None:
    told = Spec.of(MOOD, DEFAULTS, recalibration=LINE).limits_of_alarm[0]
    by = "recalibrated by 12,345 endings of this clinic (2026-03-01)"
    assert told == alarm(0.8998, f"alarm budget 0.1; simulated; {by}")
    untold = Spec.of(FAMILY, DEFAULTS, recalibration=LINE).limits_of_alarm[0]
    assert untold == alarm(0.8816, f"{UNCALIBRATED['source']}; {by}")


def test_what_a_spec_is_made_with_is_what_it_judges_by() -> None:
    rules = replace(DEFAULTS, horizon_weeks=8)
    plain = Spec.of(MOOD, rules)
    assert plain.model is not None
    assert (plain.model.mean, plain.model.sd, plain.model.slope_mean) == (13.5, 6, -1.5)
    assert (plain.instrument, plain.rules, plain.change) == (MOOD, rules, MOOD.jacobson_truax)
    assert (plain.unknown, plain.rule, plain.recalibration) == ((), RULE, None)
    steeper = replace(MODEL, slope_mean=-0.5)
    own = Spec.of(MOOD, rules, steeper, ("age_not_given",), "trend+ours", LINE)
    assert own.model is not None
    assert own.model.slope_mean == -3
    assert (own.unknown, own.rule) == (("age_not_given",), "trend+ours")
    assert own.recalibration == LINE


def test_scores_are_read_so_that_higher_is_worse() -> None:
    mood, bare = Spec.of(MOOD, DEFAULTS), Spec.of(BARE, DEFAULTS)
    assert (mood.sign, mood.cut, bare.sign) == (1, 9, -1)
