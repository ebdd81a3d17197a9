"""What detection promises on the made-up cohort, beside the rules in use (docs/evaluate.md)."""

import pytest

from services.outcomes.research.evaluation import benchmark, entered
from services.outcomes.research.evaluation.benchmark import Outcome, Verdict
from services.outcomes.research.evaluation.courses import Courses
from services.outcomes.research.evaluation.made import SCALE, made
from services.outcomes.research.evaluation.ours import Forecast
from services.outcomes.research.evaluation.told import plateau

SEEDS, CLIENTS = range(1, 6), 6000


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    found, _ = made(SEEDS, CLIENTS, 5, lambda done, of: None)
    in_use = [entered.in_use(name) for name in ("no-change-at-8", "rci-deterioration")]
    rules: list[entered.Rule] = [Forecast(), *in_use]
    split = entered.dealt(Courses(found, SCALE), 2)
    return benchmark.run(split, rules, resampled=0, moved=lambda what, done, of: None)


def figure(verdict: Verdict, name: str, of: str) -> float:
    value = verdict.figures[name][of]
    assert value is not None
    return value


def test_more_failures_are_found_than_by_the_rules_in_use_at_their_own_false_alarms(
    outcome: Outcome,
) -> None:
    ours, no_change, deterioration = outcome.verdicts
    assert figure(ours, "sensitivity", "no-change-at-8") >= 0.81
    assert figure(no_change, "sensitivity", "own") == pytest.approx(0.65, abs=0.01)
    assert figure(ours, "sensitivity", "rci-deterioration") >= 0.43
    assert figure(deterioration, "sensitivity", "own") == pytest.approx(0.22, abs=0.01)
    assert figure(ours, "sensitivity", "0.10") >= 0.70
    for rule, other in (("no-change-at-8", no_change), ("rci-deterioration", deterioration)):
        assert figure(ours, "lead_sessions", rule) > figure(other, "lead_sessions", "own")


def test_its_probabilities_are_close_to_what_happens(outcome: Outcome) -> None:
    (brier,) = outcome.verdicts[0].figures["brier"].values()
    assert brier is not None
    assert brier <= 0.15
    assert outcome.base_brier is not None
    assert brier < 0.75 * outcome.base_brier


def test_flat_courses_are_found_and_those_that_end_well_mostly_left_alone(
    outcome: Outcome,
) -> None:
    told = plateau(outcome.courses)
    assert told is not None
    assert told["flat_found"] is not None
    assert told["successes_flagged"] is not None
    assert told["flat_found"] >= 0.90
    assert told["successes_flagged"] <= 0.20
