"""Cards say size, against what and what is missing; they ask, and never blame, order or explain."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.alerts.core import card, caseload, risk_card
from services.alerts.core import policy as rules
from services.alerts.core.ground import Ground
from services.alerts.core.policy import Policy, Spoken

SCALE = {"title": "PHQ-9", "higher_is": "worse", "cutoff": 10.0, "reliable_change": 5.6}
NUMBERS: dict[str, dict[str, Any]] = {
    "possibly_worse": {
        "baseline": 14, "baseline_on": "2026-01-05", "baseline_label": "baseline", "score": 21,
        "change": 7, "reliable_change": 5.6, "p_truly_worse": 0.97, "measures": 1,
    },
    "reliable_deterioration": {
        "baseline": 14, "baseline_on": "2026-01-05", "baseline_label": "baseline", "score": 21,
        "change": 7, "reliable_change": 5.6, "p_truly_worse": 0.999, "measures": 2,
    },
    "off_track": {
        "p_fail": 0.7, "threshold": 0.52, "horizon_weeks": 6, "measure_number": 6, "weeks": 6,
        "level": 15.2, "cutoff": 9.5, "reliable_change": 5.6,
    },
    "plateau": {
        "slope": 0.04, "window_weeks": 8, "n": 7, "p_flat": 0.9, "p_case": 0.97, "p_better": 0.1,
        "level": 15,
    },
    "stalled": {"gain": 7, "by_week": 3, "since_week": 4, "level": 17, "p_case": 0.9},
    "gain_partly_lost": {
        "best": 8.5, "best_on": "2026-02-16", "gain": 9.5, "loss": 6, "score": 15,
        "relapse": False,
    },
    "disconnection": {"kind": "sessions", "missed": 3, "of": 6},
    "not_assessable": {"measures": 1, "last_on": "2026-02-16", "days": 19},
    "good_news": {"kind": "sudden_gain", "gain": 7, "score": 8},
    "validity": {"kind": "sawtooth"},
}  # fmt: skip
TITLES = {
    "possibly_worse": "PHQ-9 up 7 points since the start at one measure, not yet confirmed",
    "reliable_deterioration": (
        "PHQ-9 up 7 points since the start, more than measurement error explains"
    ),
    "off_track": (
        "PHQ-9 around 15.2 after six weeks: 70 % likely neither reliably better nor below the "
        "cut-off in 6 weeks"
    ),
    "plateau": "PHQ-9 flat around 15 over 8 weeks",
    "stalled": "PHQ-9: gained 7 points by week 3, level since, still 17",
    "gain_partly_lost": "PHQ-9: had gained 9.5 points, 6 of it lost again",
    "disconnection": "3 of the last 6 sessions missed or cancelled",
    "not_assessable": "Not assessable: one PHQ-9 measure, the last 19 days old",
    "good_news": "PHQ-9 down 7 points in one step, and held",
    "validity": "PHQ-9: scores swing to and fro by more than measurement error",
}
BLAME = re.compile(
    r"\b(fail\w*|should|must|because|caused?|due to|fault|wrong|resist\w*|non-?complian\w*|poor|"
    r"need to|have to|refus\w*|unmotivated)\b",
    re.IGNORECASE,
)


def made(channel: str, scale: dict[str, Any] = SCALE, **numbers: Any) -> dict[str, Any]:
    evidence = {
        "rule": channel,
        "rule_version": "1.2",
        "instrument": "phq-9",
        "numbers": {**NUMBERS[channel], **numbers},
        "thresholds": [{"name": "reliable_change", "value": 5.6, "source": "NHS 2024-25"}],
        "reasons": ["too_few"],
        "missing": ["session 3"],
        "disagrees": ["GAD-7"],
    }
    return card.make(Ground(channel, evidence, scale))


@pytest.mark.parametrize("channel", NUMBERS)
def test_every_channel_has_its_title(channel: str) -> None:
    assert made(channel)["title"] == TITLES[channel]


def test_every_channel_but_risk_is_covered_here() -> None:
    assert set(NUMBERS) == set(rules.CHANNEL_ORDER) - {rules.RISK}


def test_a_published_limit_is_not_called_by_the_method_that_computes_one() -> None:
    computed = made("possibly_worse")["grounds"][0]
    assert computed.endswith("beyond measurement error is more than 5.6 (Jacobson-Truax).")
    told: dict[str, Any] = {"reliable_change_is": "published", "at_least": True}
    published = made("possibly_worse", reliable_change=9, **told)["grounds"][0]
    assert published.endswith("error is at least 9 (as published, not computed here).")


def test_off_track_says_flat_only_of_weeks_of_measures() -> None:
    assert "flat" not in made("off_track")["sentence"]
    flat = made("off_track", flat_weeks=7.0)["sentence"]
    assert flat.endswith("The scores have been flat over 7 weeks.")
    few = made("off_track", no_movement_yet=True)["sentence"]
    assert few.endswith("No measurable movement yet.")


@pytest.mark.parametrize("channel", NUMBERS)
def test_no_card_blames_orders_or_explains(channel: str) -> None:
    said = made(channel)
    text = " ".join([said["title"], said["sentence"], *said["grounds"], *said["missing"]])
    assert not BLAME.search(text), text


@pytest.mark.parametrize("channel", NUMBERS)
def test_grounds_name_thresholds_with_sources_and_what_is_missing(channel: str) -> None:
    said = made(channel)
    assert "Reliable change: 5.6 (NHS 2024-25)." in said["grounds"]
    assert said["missing"] == ["session 3"]
    assert said["disagrees"] == ["GAD-7 says otherwise; both are shown."]
    assert said["evidence_label"]
    assert said["rule_version"] == "1.2"
    assert made(channel) == said


@pytest.mark.parametrize("channel", NUMBERS)
def test_missing_numbers_are_said_to_be_so_and_never_stop_a_card(channel: str) -> None:
    for evidence in ({}, {"numbers": dict.fromkeys(NUMBERS[channel])}):
        said = card.make(Ground(channel, evidence))
        assert said["title"]
        assert said["sentence"]
        assert "None" not in said["title"] + said["sentence"]


def test_a_forecast_is_never_certain_and_says_it_is_unchecked() -> None:
    for p_fail, shown in ((1.0, "99 %"), (0.0, "1 %")):
        assert shown in made("off_track", p_fail=p_fail)["sentence"]
    assert made("off_track")["caution"] == caseload.UNTESTED
    assert "Below the alarm now" not in made("off_track")["sentence"]
    assert "Below the alarm now" in made("off_track", p_fail=0.14)["sentence"]


def test_a_clinic_s_own_calibration_is_named_with_its_number_of_courses() -> None:
    said = made("off_track", endings=1240, p_fail_of_model=0.81)
    assert said["title"] == (
        "PHQ-9 around 15.2 after six weeks: 70 % likely to end neither reliably better nor below "
        "the cut-off"
    )
    assert "By this clinic's own calibration: 70 % likely to end neither" in said["sentence"]
    assert "not yet checked in this clinic" not in said["sentence"]
    grounds = said["grounds"][0]
    assert "from 1,240 closed courses; the model alone says 81 % in 6 weeks" in grounds
    assert "begins at 52 %" in grounds
    assert not BLAME.search(" ".join((said["title"], said["sentence"], grounds)))


def test_where_higher_is_better_worse_is_down() -> None:
    ors = SCALE | {"higher_is": "better"}
    assert made("reliable_deterioration", ors)["title"].startswith("PHQ-9 down 7 points")
    assert made("good_news", ors)["title"].startswith("PHQ-9 up 7 points")
    assert "nor above the cut-off" in made("off_track", ors)["title"]


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "instrument": "phq-9",
        "item": 9,
        "kind": "self",
        "on": "2026-03-02",
        "received_at": "2026-03-02T09:00:00+00:00",
        "answer": 1,
        "state": "endorsed",
        "urgent": False,
        "change": "recorded",
        "was": None,
        **changes,
    }


POLICY = Policy(zone=ZoneInfo("Europe/Amsterdam"))


def test_a_risk_answer_is_told_as_given_and_predicts_nothing() -> None:
    said = risk_card.make(answer(), [answer(answer=0), answer(answer=None)], POLICY, "binder 4")
    assert said["sentence"].startswith("“Thoughts that you would be better off dead")
    assert "several days. Before: 0, not received." in said["sentence"]
    assert "A 0 is not reassurance." in said["grounds"]
    assert "Local policy: binder 4" in said["grounds"]
    other = risk_card.make(answer(instrument="core-10", item=6), [], POLICY)
    assert other["sentence"] == "Item 6: answered 1. No earlier answer."


@pytest.mark.parametrize(
    ("received", "urgent", "due"),
    [
        ("2026-03-02T09:00+01:00", True, "2026-03-02T10:00+01:00"),
        ("2026-03-06T23:30+01:00", True, "2026-03-07T00:30+01:00"),
        ("2026-03-02T09:00+01:00", False, "2026-03-02T17:00+01:00"),
        ("2026-03-02T17:00+01:00", False, "2026-03-03T17:00+01:00"),
        ("2026-03-06T16:59+01:00", False, "2026-03-06T17:00+01:00"),
        ("2026-03-06T18:00+01:00", False, "2026-03-09T17:00+01:00"),
        ("2026-03-28T12:00+01:00", False, "2026-03-30T17:00+02:00"),  # summer time begins
    ],
)
def test_due_times_keep_the_installations_day(received: str, urgent: bool, due: str) -> None:
    found = rules.risk_due(POLICY, datetime.fromisoformat(received), urgent)
    assert found == datetime.fromisoformat(due)


def test_the_cap_counts_days_and_lets_the_channel_decide() -> None:
    policy = Policy(zone=ZoneInfo("UTC"), prompts_a_day=1)
    day = date(2026, 3, 2)
    three = [
        Spoken("a", day, "off_track"),
        Spoken("b", day, "reliable_deterioration"),
        Spoken("c", day, "off_track", 0.9),
    ]
    assert rules.waiting(policy, three, day) == {"a", "c"}
    assert rules.waiting(policy, three, day + timedelta(days=1)) == {"a"}
    assert rules.waiting(policy, three, day + timedelta(days=2)) == frozenset()


@pytest.mark.parametrize(
    ("asked", "session", "until"),
    [
        (None, None, "2026-03-09"),
        (None, "2026-03-05", "2026-03-05"),
        (None, "2026-02-20", "2026-03-09"),  # a session that has been
        ("2026-03-04", "2026-03-05", "2026-03-04"),
        ("2026-03-01", None, "2026-03-03"),  # never today or earlier
        ("2026-09-01", None, "2026-03-30"),  # never longer than the longest
    ],
)
def test_a_snooze_has_its_bounds(asked: str | None, session: str | None, until: str) -> None:
    now = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    days = [date.fromisoformat(one) if one else None for one in (asked, session)]
    assert rules.snooze_until(POLICY, now, *days) == date.fromisoformat(until)


def test_only_the_time_of_leave_since_then_is_free() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    hour = timedelta(hours=1)
    away = [(start - hour, start + hour), (start + 2 * hour, None)]
    assert rules.leave_between(away, start, start + 3 * hour) == 2 * hour
    assert Policy(zone=ZoneInfo("UTC")).day_ends == time(17, 0)


def test_what_cannot_be_assessed_says_why_before_how_old() -> None:
    """A course measured today is not unassessable because of its age."""
    numbers = {"measures": 6, "last_on": "2026-03-02", "days": 0}
    made_ = card.make(
        Ground(
            "not_assessable",
            {"instrument": "phq-9", "numbers": numbers, "reasons": ["started_in_usual_range"]},
        )
    )
    assert made_["title"].startswith("Not assessable: the course started in the usual range")
    assert made_["sentence"].endswith("We cannot say whether this goes well.")
    assert "0 days" not in str(made_)
    few = card.make(
        Ground(
            "not_assessable",
            {"instrument": "phq-9", "numbers": numbers | {"measures": 1}, "reasons": ["too_few"]},
        )
    )
    assert few["title"] == "Not assessable: one PHQ-9 measure"
