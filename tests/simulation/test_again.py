"""Alarms that speak again: the counts are right on courses made by hand, and hysteresis helps."""

from services.outcomes.core.timeline import ordinal
from simulation.again import again, folded, spells_of, spoken_of
from tests.core.logbook import YARDSTICKS

PHQ = YARDSTICKS.specs["phq-9"]


def test_stretches_are_told_apart() -> None:
    assert spells_of([False, True, True, False, True]) == [(1, 3), (4, 5)]
    assert spells_of([]) == []


def test_a_spell_within_four_weeks_of_an_end_does_not_speak() -> None:
    assert ordinal("2024-01-01") == 738_886
    steps = folded(PHQ, [(day, 14) for day in range(0, 120, 7)]).steps
    assert spoken_of(steps, [(2, 4), (6, 7)]) == 1  # ends on day 28, over again on day 42
    assert spoken_of(steps, [(2, 4), (6, 9)]) == 2  # still on when the silence ends
    assert spoken_of(steps, [(2, 4), (9, 10)]) == 2


def test_hysteresis_spares_most_second_alarms_and_loses_no_first_one() -> None:
    found = again(PHQ, 400, seed=2)
    assert found.threshold_alone[0] == found.hysteresis[0] == found.refractory[0]
    assert found.threshold_alone[1] > 2 * found.hysteresis[1] >= 2 * found.refractory[1]
