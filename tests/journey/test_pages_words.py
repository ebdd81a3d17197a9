"""The words of the pages follow the data and nothing else: sizes, verdicts, reasons, restraint."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from werkzeug.datastructures import MultiDict

from services.alerts.core import lens
from services.alerts.pages import form, words
from services.alerts.pages.story import table, tell
from services.alerts.views.course import EpisodePage
from tests.journey import pages_courses as courses
from tests.journey.pages_caseload import PEOPLE, ZONE
from tests.journey.pages_house import APPROACHES, LENSES, Rooms

TODAY = date(2026, 4, 8)
SHEET = form.Sheet(
    lens.offer(LENSES, (), ""), frozenset({"a1"}), (), frozenset({"CBT"}), APPROACHES, TODAY
)
KEY = "phq-9|total|client"


def page(name: str, **doc: Any) -> EpisodePage:
    rooms = Rooms()
    key = courses.ident("e", name)
    rooms.docs[key] = {**rooms.docs[key], **doc}
    return rooms.episode(PEOPLE["Anna"], UUID(key))


def test_the_title_is_the_effect_where_nothing_waits() -> None:
    title = tell(page("pivot"), TODAY).title
    assert title == "Since the pivot: down 6 points, within what was forecast"


def test_good_news_does_not_hide_the_effect_and_a_prompt_does() -> None:
    pivot = page("pivot")
    good, off = page("good").alerts, page("off").alerts
    assert tell(replace(pivot, alerts=good), TODAY).title.startswith("Since the pivot")
    assert not tell(replace(pivot, alerts=off), TODAY).title.startswith("Since the pivot")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("within forecast", "within what was forecast"),
        ("better than forecast", "better than was forecast"),
        ("worse than forecast", "worse than was forecast"),
    ],
)
def test_an_effect_is_worded_by_its_verdict_and_names_what_else_changed(
    verdict: str, said: str
) -> None:
    effect = {**courses.pivoted()["approaches"][1]["effects"][0], "verdict": verdict}
    sentence = words.effect_sentence(effect, 16.0)
    assert said in sentence
    assert "down 6 since the pivot" in sentence
    assert "At about the same time: medication: sertraline 50 mg begun." in sentence


def test_a_pivot_without_measure_or_forecast_says_so() -> None:
    assert "No measure since" in words.effect_open({"forecast": {"fan": []}})
    assert "has not arrived" in words.effect_open({"forecast": None})
    assert "cannot be told from chance" in words.effect_open(
        {"forecast": {"not_assessable": ["no_norm"]}}
    )


def test_nobody_is_certain() -> None:
    assert words.percent(0.0) == "1 %"
    assert words.percent(1.0) == "99 %"
    assert words.percent(None) == "–"


def test_times_are_told_in_the_installations_zone() -> None:
    now = datetime(2026, 4, 8, 9, 30, tzinfo=UTC)
    assert words.moment("2026-04-08T08:40:00+00:00", ZONE, now) == "today 09:40"
    assert words.moment("2026-04-07T23:30:00+00:00", ZONE, now) == "today 00:30"
    assert words.moment("2026-03-03T09:00:00+00:00", ZONE, now) == "3 March 09:00"


def test_the_table_holds_all_that_the_chart_holds() -> None:
    rows = table(courses.pivoted(), KEY)
    happened = [what for row in rows for what in row.happened]
    assert len(rows) == 14
    for what in ("session missed", "session cancelled", "medication: sertraline 50 mg begun"):
        assert what in happened
    assert "pivot from CBT to Behavioural activation" in happened


def test_a_measure_out_of_detection_says_why_in_the_table() -> None:
    track = courses.trajectory(courses.PHQ9, [18, 9], [0, 1], unused=[1])
    rows = table(courses.course(trajectories={KEY: track}), KEY)
    assert rows[1].happened == ("total and items disagree", "not used for findings")


def read(**fields: Any) -> Any:
    return form.read(MultiDict(fields), SHEET)


def test_the_shortest_form_is_a_decision_with_its_reason() -> None:
    draft, filled = read(decision="stay", reason="two good weeks")
    assert draft.errors == {}
    assert filled.decision == "stay"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "decision"),
        ({"decision": "flee"}, "decision"),
        ({"decision": "stay"}, "reason"),
        ({"decision": "pivot"}, "approach"),
        ({"decision": "pivot", "approach": "EMDR"}, "beyond"),
        ({"decision": "consult", "confidence": "many"}, "confidence"),
        ({"decision": "consult", "confidence": "101"}, "confidence"),
        ({"decision": "consult", "confidence": "60"}, "review_on"),
        ({"decision": "consult", "review_on": "soon"}, "review_on"),
        ({"decision": "consult", "review_on": "2026-04-08"}, "review_on"),
        ({"decision": "consult", "pattern": "x" * 4001}, "pattern"),
        ({"decision": "consult", "unknown": "alliance:0", "why-alliance:0": "?"}, "why-alliance:0"),
        ({"decision": "consult", "what-0": "sleep", "free-why-0": ""}, "free-why-0"),
    ],
)
def test_what_is_missing_is_said_at_its_field(fields: dict[str, str], wrong: str) -> None:
    draft, filled = read(**fields)
    assert filled is None
    assert list(draft.errors) == [wrong]
    assert all(draft.value(name) == value for name, value in fields.items() if name != "unknown")


def test_a_reflection_answers_only_alerts_of_its_page() -> None:
    _, filled = read(decision="consult", answers=["a1", "zz", "not an id"])
    assert filled.answers == ("a1",)


def test_unknowns_carry_their_own_reasons() -> None:
    _, filled = read(
        **{
            "decision": "consult",
            "unknown": "alliance:0",
            "why-alliance:0": "each assumed the other knew",
            "what-1": "whether sleep changed",
            "free-why-1": "not asked",
            "who-1": "client",
        }
    )
    assert [(one.why, one.who) for one in filled.unknowns] == [
        ("each assumed the other knew", ""),
        ("not asked", "client"),
    ]


def test_no_text_of_ours_blames_orders_or_cheers() -> None:
    here = Path(words.__file__).parent
    texts = [path.read_text("utf-8") for path in (here / "templates").glob("*.html")]
    texts.append((here / "words.py").read_text("utf-8"))
    unwanted = (
        r"\byou (should|must|failed|have to)\b|\bunfortunately\b|congratulat|great job|well done"
    )
    for text in texts:
        assert not re.search(unwanted, text, re.IGNORECASE)
