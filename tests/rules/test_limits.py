"""Limits of the rules that only long or particular courses come near, told again in plain steps."""

from collections.abc import Iterator

import pytest

from services.outcomes.core.case import Case, Yardsticks, truth
from services.outcomes.core.channels.flat import flat
from services.outcomes.core.channels.good_news import good_news
from services.outcomes.core.estimate import p_fail
from services.outcomes.core.normal import squares_exceeded
from services.outcomes.core.sudden import CRITICAL_T
from services.outcomes.core.timeline import Measure, iso
from services.outcomes.core.trajectory import Context, Trajectory, build
from simulation.cohort import cohort
from tests.rules.courses import START
from tests.rules.page import instruments

PHQ = Yardsticks(instruments()).specs["phq-9"]


def entry(day: int, score: float) -> Measure:
    name = f"{day:032x}"
    on = iso(START + day)
    return Measure(name, 1, name, "phq-9", "client", on, None, score, None, (), None, on)


def course(*scores: tuple[int, float]) -> Trajectory:
    return build("phq-9|total|client", PHQ, [entry(*one) for one in scores], Context())


def said(scores: list[tuple[int, float]]) -> Iterator[tuple[int, str | None, Trajectory]]:
    """Day by day: what the flat channel says, and the trajectory."""
    for count in range(1, len(scores) + 1):
        known = course(*scores[:count])
        found = flat(known)
        yield scores[count - 1][0], found and found.channel, known


def daily(first: float, level: float, until: int) -> list[tuple[int, float]]:
    """A fall in the first week, then the same score every day: flat long before six weeks."""
    return [(0, first), *((day, level) for day in range(7, until))]


def test_a_stall_is_not_said_before_six_weeks() -> None:
    days = [day for day, channel, _ in said(daily(24, 12, 50)) if channel == "stalled"]
    assert days[0] == 42


@pytest.mark.parametrize(
    ("level", "p_case", "p_better", "expected"),
    [
        (10.0, 0.47, 0.71, None),
        (10.75, 0.76, 0.64, None),
        (11.0, 0.83, 0.61, "stalled"),
        (11.25, 0.89, 0.59, "stalled"),
        (12.0, 0.98, 0.51, "stalled"),
        (12.25, 0.99, 0.49, "plateau"),
        (12.75, 1.00, 0.44, "plateau"),
    ],
)
def test_a_stall_is_a_case_by_more_than_eight_in_ten_and_better_by_half(
    level: float, p_case: float, p_better: float, expected: str | None
) -> None:
    *_, (_, channel, known) = said(daily(24, level, 46))
    last = known.steps[-1]
    assert last.p_case == pytest.approx(p_case, abs=0.006)
    assert last.p_better == pytest.approx(p_better, abs=0.006)
    assert channel == expected


def test_an_alarm_begins_and_ends_as_the_rule_is_written() -> None:
    """From the third measure and two weeks on; over at the second in a row .10 below it."""
    quiet_near = begun = ended = 0
    threshold = PHQ.instrument.alarm_threshold(0.10)
    assert threshold is not None
    assert PHQ.model is not None
    for client in cohort(150, seed=3):
        steps = course(*client.scores).steps if len(client.scores) > 1 else ()
        alarm, low, first = False, 0, steps[0] if steps else None
        for number, step in enumerate(steps, 1):
            assert step.estimate is not None
            assert first is not None
            since = step.day.ordinal - first.day.ordinal
            chance = None
            if first.score >= 9.5:
                chance = p_fail(PHQ.model, step.estimate, 6)
            may_begin = number >= 3 and since >= 14 and step.in_segment >= 2
            if chance is None:
                alarm = False
            elif not alarm:
                alarm, low = may_begin and chance > threshold, 0
                begun += alarm
            else:
                low = low + 1 if chance < threshold - 0.10 else 0
                quiet_near += threshold - 0.15 < chance < threshold - 0.10
                if low == 2:
                    alarm, low, ended = False, 0, ended + 1
            assert step.alarm == alarm, (client.number, number)
    assert begun > 30
    assert ended > 5
    assert quiet_near > 3, "courses that tell one limit from another"


# Printed tables: chi-square by degrees of freedom, exceeded by 5, 1 and .1 %.
CHI_SQUARE = {
    3: (7.815, 11.345, 16.266),
    5: (11.070, 15.086, 20.515),
    7: (14.067, 18.475, 24.322),
    20: (31.410, 37.566, 45.315),
    50: (67.505, 76.154, 86.661),
}


def test_limits_are_those_of_printed_tables() -> None:
    assert CRITICAL_T == {2: 4.303, 3: 3.182, 4: 2.776}
    for freedom, limits in CHI_SQUARE.items():
        for chance, limit in zip((0.05, 0.01, 0.001), limits, strict=True):
            assert squares_exceeded(chance, freedom) == pytest.approx(limit, rel=0.02)


def latest_sudden_gain(scores: list[float]) -> int | None:
    """The place of the latest fall that is one, looking at every fall there was."""
    for place in range(len(scores) - 2, 1, -1):
        earlier, later = scores[max(0, place - 3) : place], scores[place : place + 3]
        drop = earlier[-1] - later[0]
        if drop < max(5.6079, earlier[-1] / 4):
            continue
        before, after = sum(earlier) / len(earlier), sum(later) / len(later)
        squares = sum((x - before) ** 2 for x in earlier) + sum((x - after) ** 2 for x in later)
        free = len(earlier) + len(later) - 2
        if before - after > {2: 4.303, 3: 3.182, 4: 2.776}[free] * (squares / free) ** 0.5:
            return place
    return None


def test_good_news_knows_the_latest_sudden_gain_however_long_ago() -> None:
    told = kept = 0
    for client in cohort(400, seed=5):
        for count in range(2, len(client.scores) + 1):
            known = course(*client.scores[:count])
            scores, found = [step.score for step in known.steps], good_news(known)
            if found is not None and found.numbers["kind"] != "sudden_gain":
                continue
            place = latest_sudden_gain(scores)
            held = place is not None and (
                max(scores[place:]) - scores[place] < (scores[place - 1] - scores[place]) / 2
            )
            assert (found is not None) == held, (client.number, count)
            if found is not None and place is not None:
                told, kept = told + 1, kept + (count - place > 6)
                assert found.numbers["by"] == known.steps[place].day.on
    assert told > 30
    assert kept > 2


def test_an_old_forecast_says_what_is_missing() -> None:
    case = Case(opened_on=iso(START), silences={iso(START + 43)})
    case.measures = {one.key: one for one in map(entry, (0, 7, 14), (14, 21, 22))}
    found = truth(case, Yardsticks(instruments())).findings["off_track"]
    assert found.tier == "review"
    assert found.missing == [
        "a measure of the last 28 days: a forecast from an older one is no alarm"
    ]


def test_an_alarm_tells_what_the_scores_do() -> None:
    def numbers(*scores: int) -> dict[str, object]:
        weekly = [entry(7 * week, score) for week, score in enumerate(scores)]
        case = Case(opened_on=iso(START), measures={one.key: one for one in weekly})
        told = truth(case, Yardsticks(instruments())).findings["off_track"].numbers
        return {name: told[name] for name in ("flat_weeks", "no_movement_yet") if name in told}

    assert numbers(18, 18, 18, 18, 18, 18) == {"flat_weeks": 5.0}
    assert numbers(18, 18, 19, 20) == {"no_movement_yet": True}, "too few to call it flat"
    assert numbers(14, 21, 22) == {}, "it moved"
    assert numbers(12, 14, 15, 16, 18, 17, 17) == {}, "neither flat nor too few"
