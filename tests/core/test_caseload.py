"""How a closed course ended, and what endings say together, each with its number."""

import math
from collections.abc import Callable
from datetime import timedelta
from random import Random
from statistics import NormalDist
from typing import Any

import pytest

from schemas.approaches import shipped
from services.outcomes.core import findings
from services.outcomes.core.caseload import LEAST, SMALL, Share, statistics
from services.outcomes.core.ending import FAILURE, NOT_A_CASE, NOT_KNOWN, SUCCESS, TOO_FEW
from tests.core.logbook import START, MemoryLog, Sender, detect, detector

KNOWN = shipped()


def ended(tell: Callable[[Sender], None]) -> list[findings.CourseEnded]:
    log = MemoryLog()
    tell(Sender(log))
    detect(log, detector(log))
    return [entry.event for entry in log.entries if isinstance(entry.event, findings.CourseEnded)]


def course(sender: Sender, scores: list[float], **more: Any) -> None:
    sender.open(0)
    for number, score in enumerate(scores):
        sender.measure(f"m{number}", number * 7, score, **more)


@pytest.mark.parametrize(
    ("scores", "more", "result"),
    [
        ([18, 18, 18, 18], {}, FAILURE),
        ([18, 12, 11, 14], {}, FAILURE),  # 12.5 on average: 5.5 points are within error
        ([18, 12, 11, 13], {}, SUCCESS),  # 12: six points are not
        ([12, 11, 10, 8], {}, SUCCESS),  # 9 on average, below the cut-off
        ([12, 11, 10, 9], {}, FAILURE),  # 9.5 is half a step below 10: still a case
        ([9, 18, 20, 22], {}, NOT_A_CASE),
        ([18, 18], {}, TOO_FEW),
        ([60, 60, 60, 60], {"instrument": "pcl-5"}, FAILURE),
        ([20, 20, 20, 20], {"instrument": "ors"}, NOT_KNOWN),
    ],
)
def test_a_closed_course_ends_as_a_failure_or_a_success_or_says_why_neither(
    scores: list[float], more: dict[str, Any], result: str
) -> None:
    def tell(sender: Sender) -> None:
        course(sender, scores, **more)
        sender.close(40)

    (told,) = ended(tell)
    assert (told.result, told.measures) == (result, len(scores))
    assert told.on == "2024-02-10"


def test_it_tells_what_was_found_on_its_way_and_is_taken_back_when_it_goes_on() -> None:
    def tell(sender: Sender) -> None:
        course(sender, [14, 21, 22, 22])
        sender.close(40)
        sender.reopen(45)

    first, last = ended(tell)
    assert first.channels == ["off_track", "possibly_worse", "reliable_deterioration"]
    assert (first.withdrawn, last.withdrawn) == (False, True)


@pytest.mark.parametrize("closed_first", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_history_tells_what_was_found_in_whatever_order_it_came(
    closed_first: bool, backwards: bool
) -> None:
    """It came a year late, so nobody was told; the ending reads as if it had come in time."""
    scores = list(enumerate([14, 21, 22, 22, 21, 20]))

    def tell(sender: Sender) -> None:
        sender.arrived = START + timedelta(days=400)
        sender.open(0)
        if closed_first:
            sender.close(40)
        for number, score in reversed(scores) if backwards else scores:
            sender.measure(f"m{number}", number * 7, score)
        if not closed_first:
            sender.close(40)

    told = ended(tell)[-1]
    assert told.channels == ["off_track", "possibly_worse", "reliable_deterioration"]


def test_what_is_known_late_changes_the_ending() -> None:
    def tell(sender: Sender) -> None:
        course(sender, [18, 18, 18])
        sender.close(40)
        sender.measure("late", 35, 3)

    assert [one.result for one in ended(tell)] == [FAILURE, SUCCESS]


def test_after_a_pivot_the_measure_six_weeks_on_stands_against_its_forecast() -> None:
    def tell(sender: Sender) -> None:
        sender.open(0)
        sender.approach("CBT", 0)
        for number in range(12):
            sender.measure(f"m{number}", number * 7, 20 if number < 5 else 12)
        sender.approach("EMDR", 29, origin="reflection")
        sender.close(90)

    (told,) = ended(tell)
    (one,) = told.differences
    assert (one["approach"], one["channel"]) == ("EMDR", "off_track")
    assert one["difference"] < 0 < one["variance"]
    assert one["p_fail"] > 0.68


def test_without_a_pivot_the_first_finding_is_what_it_is_compared_at() -> None:
    def tell(sender: Sender) -> None:
        course(sender, [14, 21, 22, 22, 22, 22, 22, 22, 22, 22])
        sender.close(90)

    ((one,),) = [told.differences for told in ended(tell)]
    assert (one["approach"], one["channel"]) == (None, "possibly_worse")


def one_ending(result: str = SUCCESS, *channels: str, **difference: Any) -> dict[str, Any]:
    told = {"p_fail": 0.75, "variance": 9.0, "channel": "off_track", **difference}
    return {
        "result": result,
        "channels": list(channels),
        "differences": [told] if difference else [],
    }


def test_below_a_hundred_endings_only_their_number_is_told() -> None:
    few = [one_ending(FAILURE, "off_track")] * (LEAST - 1) + [one_ending(NOT_A_CASE)] * 7
    told = statistics(few, KNOWN)
    assert (told["endings"], told["left_out"], told["least"]) == (LEAST - 1, 7, LEAST)
    assert (told["base_rate"], told["channels"], told["like_forecast"]) == (None, [], None)


def test_the_share_of_findings_that_came_true_is_told_with_its_interval() -> None:
    endings = [one_ending(FAILURE, "off_track")] * 30 + [one_ending(SUCCESS, "off_track")] * 10
    endings += [one_ending(SUCCESS)] * 60 + [one_ending(FAILURE, "plateau")] * (SMALL - 1)
    told = statistics(endings, KNOWN)
    assert told["base_rate"]["n"] == 34
    (only,) = told["channels"]
    assert only["channel"] == "off_track"
    ppv = only["ppv"]
    assert (ppv["n"], ppv["of"], ppv["share"]) == (30, 40, 0.75)
    # Wilson's interval for 30 of 40, as statsmodels' proportion_confint gives it.
    assert (ppv["low"], ppv["high"]) == pytest.approx((0.5981, 0.8581), abs=1e-4)


def test_no_share_leaves_its_range() -> None:
    for of in range(1, 100):
        assert Share.of_counts(0, of).low == pytest.approx(0.0, abs=1e-12)
        assert 0.0 <= Share.of_counts(0, of).low <= Share.of_counts(of, of).high <= 1.0
        assert Share.of_counts(of, of).high == pytest.approx(1.0)


def test_a_small_group_is_drawn_towards_all_pivots_more_than_a_large_one() -> None:
    chance = Random(5)
    endings = [one_ending()] * LEAST
    for approach, mean, n in (("a", -6.0, 6), ("b", -6.0, 60), ("c", 4.0, 60)):
        for _ in range(n):
            value = chance.gauss(mean, 3)
            endings.append(one_ending(approach=approach, difference=value))
    effects = {one["approach"]: one for one in statistics(endings, KNOWN)["effects"]}
    drawn = {name: abs(one["shrunk"] - one["mean"]) for name, one in effects.items()}
    assert drawn["a"] > 3 * drawn["b"] > 0
    assert effects["a"]["high80"] - effects["a"]["low80"] > 2 * (
        effects["b"]["high80"] - effects["b"]["low80"]
    )
    assert all(one["low80"] < one["shrunk"] < one["high80"] for one in effects.values())


def test_where_groups_do_not_differ_none_is_told_apart() -> None:
    endings = [one_ending()] * LEAST
    for approach in "ab":
        endings += [one_ending(approach=approach, difference=d) for d in (-3, 3) * 10]
    # The forty differences are one group: 360 squares of 38 degrees of freedom.
    half = round(NormalDist().inv_cdf(0.9) * math.sqrt(360 / 38 / 40), 4)
    for one in statistics(endings, KNOWN)["effects"]:
        assert (one["shrunk"], one["low80"], one["high80"]) == (0.0, -half, half)


def test_a_group_of_fewer_than_five_is_not_told() -> None:
    endings = [one_ending()] * LEAST
    endings += [one_ending(approach="a", difference=-1.0)] * (SMALL - 1)
    endings += [one_ending(approach="b", difference=-1.0)] * SMALL
    assert [one["approach"] for one in statistics(endings, KNOWN)["effects"]] == ["b"]


def test_an_approach_of_several_names_is_one_group_by_its_one_name() -> None:
    names = ("CBT", "cbt", "Cognitive behavioural therapy", "Own way", "own  way")
    told = [one_ending(approach=name, difference=-1.0) for name in names * 3]
    for endings in (told, told[::-1]):
        effects = statistics([*endings, *[one_ending()] * LEAST], KNOWN)["effects"]
        assert [(one["approach"], one["n"]) for one in effects] == [
            ("Cognitive behavioural therapy", 9),
            ("Own way", 6),
        ]


def test_pivots_stand_beside_courses_without_one_at_a_like_forecast() -> None:
    endings = [one_ending()] * LEAST
    # Where all regress to the mean alike a pivot has no part in it.
    for approach in ("a", None):
        endings += [
            one_ending(approach=approach, difference=mean + d, p_fail=p)
            for p, mean in ((0.6, -1.0), (0.9, -5.0))
            for d in (-2, -1, 0, 1, 2)
        ]
    # Without a pivot most forecasts were mild ones: counted alike, they would flatter the pivots.
    endings += [one_ending(approach=None, difference=-1.0, p_fail=0.6)] * 40
    like = statistics(endings, KNOWN)["like_forecast"]
    assert (like["n"], like["n_without"]) == (10, 50)
    assert like["with_pivot"] == like["without"] == -3.0
    assert like["difference"] == 0.0
    assert like["low"] < 0 < like["high"]


def test_forecasts_that_have_no_like_are_not_compared() -> None:
    endings = [one_ending()] * LEAST
    endings += [one_ending(approach="a", difference=d, p_fail=0.9) for d in (-2, -1, 0, 1, 2)]
    endings += [one_ending(approach=None, difference=d, p_fail=0.4) for d in (-2, -1, 0, 1, 2)]
    assert statistics(endings, KNOWN)["like_forecast"] is None


def told_of(
    result: str, channel: str, *differences: tuple[str | None, str | None, float, float]
) -> Any:
    """An ending; each difference as approach, channel, points and P(fail)."""
    names = ("approach", "channel", "difference", "p_fail")
    every = [{**dict(zip(names, one, strict=True)), "variance": 9.0} for one in differences]
    return {"result": result, "channels": [channel] if channel else [], "differences": every}


def test_a_hundred_endings_tell_all_that_is_promised() -> None:
    values = {
        ("Beta", None): [(1, 0.7), (3, 0.7)],
        ("Alpha", "off_track"): [(at, 0.85) for at in (0, 0, 2, 4, 4)],
        ("Alpha", None): [(at, 0.5) for at in (-7, -7, -4, -1, -1)],
        (None, "off_track"): [
            *((at, 0.69) for at in (-3, -2, -1, -1, 0, 1)),
            *((at, 0.99) for at in (2, 3, 4, 5, 6)),
            *((at, 0.4) for at in (9, 9, 9, 9)),
        ],
    }
    differences = [(*key, *one) for key, each in values.items() for one in each]
    endings = [
        *[told_of(FAILURE, "off_track")] * 6,
        *[told_of(SUCCESS, "off_track")] * 4,
        *[told_of(FAILURE, "plateau")] * 5,
        *[told_of(FAILURE, "reliable_deterioration")] * 4,
        *[told_of(FAILURE, "")] * 15,
        *[told_of(SUCCESS, "")] * 65,
        told_of(SUCCESS, "", *differences),
        *[told_of(NOT_KNOWN, "off_track", *differences)] * 3,
    ]
    # Within the cells 54 squares have 9 degrees of freedom: a variance of 6. Their means -4, 2 and
    # 2 weigh 5, 5 and 2 sixths, so the middle is -.5, Q 17.5, and between them lie
    # (17.5 - 2) / (2 - .75) = 12.4. A mean of five keeps 12.4 / (12.4 + 6 / 5) = 31 / 34 of itself.
    half = NormalDist().inv_cdf(0.9) * math.sqrt(31 / 34 * 1.2 + (3 / 34) ** 2 * 6 / 12)
    # Means of five against six and of five against five, alike weighed: variances 9 / 5 + 2 / 6
    # and 4 / 5 + 2.5 / 5.
    error = NormalDist().inv_cdf(0.975) * math.sqrt((1.8 + 1 / 3 + 0.8 + 0.5) / 4)

    def effect(channel: str | None, mean: float, shrunk: float) -> dict[str, Any]:
        return {
            "approach": "Alpha", "channel": channel, "n": 5, "mean": mean,
            "shrunk": pytest.approx(shrunk, abs=6e-5),
            "low80": pytest.approx(shrunk - half, abs=6e-5),
            "high80": pytest.approx(shrunk + half, abs=6e-5),
        }  # fmt: skip

    # Wilson's intervals as statsmodels' proportion_confint gives them.
    assert statistics(endings, KNOWN) == {
        "endings": 100,
        "left_out": 3,
        "least": 100,
        "base_rate": {"n": 30, "of": 100, "share": 0.3, "low": 0.2189, "high": 0.3958},
        "channels": [
            {
                "channel": "off_track",
                "ppv": {"n": 6, "of": 10, "share": 0.6, "low": 0.3127, "high": 0.8318},
            },
            {
                "channel": "plateau",
                "ppv": {"n": 5, "of": 5, "share": 1.0, "low": 0.5655, "high": 1.0},
            },
        ],
        "effects": [effect(None, -4.0, -125.5 / 34), effect("off_track", 2.0, 60.5 / 34)],
        "like_forecast": {
            "n": 10,
            "n_without": 11,
            "with_pivot": -1.0,
            "without": 1.5,
            "difference": -2.5,
            "low": pytest.approx(-2.5 - error, abs=6e-5),
            "high": pytest.approx(-2.5 + error, abs=6e-5),
        },
    }
    assert statistics(endings[1:], KNOWN) == {
        "endings": 99, "left_out": 3, "least": 100, "base_rate": None, "channels": [],
        "effects": [], "like_forecast": None,
    }  # fmt: skip


def test_where_differences_do_not_vary_the_forecasts_say_how_they_would() -> None:
    endings = [one_ending()] * LEAST
    for approach, difference, variance in (("a", -1.0, 4.0), ("b", 3.0, 14.0)):
        one = one_ending(approach=approach, difference=difference, variance=variance)
        endings += [one] * SMALL
    # A variance of 9 on average; Q is 40 / 9, between the two lie 6.2, of 8 in all.
    half = NormalDist().inv_cdf(0.9) * math.sqrt(0.775 * 1.8 + 0.225**2 * 0.9)
    effects = statistics(endings, KNOWN)["effects"]
    assert [one["shrunk"] for one in effects] == [-0.55, 2.55]
    assert [one["high80"] - one["shrunk"] for one in effects] == pytest.approx([half] * 2, abs=2e-4)
