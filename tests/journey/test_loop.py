"""The whole loop over HTTP: measure in, finding, prompt, reflection, pivot, effect."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.chassis.clock import SteppedClock
from tests.faults import courses
from tests.faults.browser import Browser, Seen
from tests.faults.house import LIND, prepared, running, settle
from tests.journey.loop_clinic import CLIENT, EPISODE, MONDAY, WORSENING, Clinic, worsened

OWN = "I avoid what she avoids"
ASSUMED = "that exposure is tried between sessions"
EXPECTED = "half of it gone by the fourth week"
UNKNOWN = "what happens on the days off"
CONFIDENCE = "73"
PIVOT = "behavioural activation"


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    clock = SteppedClock(MONDAY)
    house = prepared(tmp_path / "data", clock)
    with running(house, clock) as (both, ehr):
        yield Clinic(both, ehr, clock)


def reflect(clinic: Clinic, page: Seen, browser: Browser, **changes: Any) -> Seen:
    """Fill the form of the episode's page in, and send it."""
    asked = re.findall(r'name="unknown" value="([^"]+)"', page.html)
    fields = {
        "answers": re.findall(r'name="answers" value="([0-9a-f]{32})"', page.html),
        "expectation": EXPECTED,
        "assumption": ASSUMED,
        "unknown": asked[:1],
        f"why-{asked[0]}": "not asked",
        "what-0": UNKNOWN,
        "free-why-0": "each assumed the other knew",
        "own_part": OWN,
        "client_view": "“it is the evenings”",
        "pattern": "agreement comes quickly and is rarely kept",
        "decision": "pivot",
        "approach": PIVOT,
        "beyond": "consultation",
        "since": clinic.today,
        "review_on": (clinic.clock.now() + timedelta(weeks=5)).date().isoformat(),
        "confidence": CONFIDENCE,
        "shared": ["expectation"],
        **changes,
    }
    return browser.post(f"{page.path}/reflect", fields, page)


def pivoted(clinic: Clinic, **changes: Any) -> Seen:
    """The page after the clinician has found the prompt in the inbox and answered it."""
    browser = clinic.person(LIND)
    inbox = browser.get("/")
    (address,) = inbox.links(r"/episodes/[0-9a-f]{32}")
    assert CLIENT in inbox.text
    assert "Reliably worse" in inbox.text
    page = browser.get(address)
    assert page.status == 200
    for total in WORSENING:
        assert re.search(rf"\b{total}\b", page.text), "the table has every score"
    after = reflect(clinic, page, browser, **changes)
    assert after.status == 200
    assert "#reflection-" in after.path
    settle(clinic.both)
    return browser.get(address)


@pytest.mark.parametrize(
    ("later", "verdict"),
    [
        ((21,), "within what was forecast"),
        ((8, 3), "better than was forecast"),
        ((26, 27), "worse than was forecast"),
    ],
)
def test_from_a_measure_to_its_effect(clinic: Clinic, later: Sequence[int], verdict: str) -> None:
    worsened(clinic)
    found = clinic.ehr.get(f"/v1/episodes/{EPISODE}")["findings"]
    assert "reliable_deterioration" in {one["channel"] for one in found if one["status"] == "open"}

    page = pivoted(clinic)
    assert PIVOT in page.text
    assert not any(words in page.text for words in ("was forecast:", verdict)), "nothing came yet"
    told = clinic.ehr.get(f"/v1/episodes/{EPISODE}")
    (approach,) = [one for one in told["approaches"] if one["origin"] == "reflection"]
    assert (approach["approach"], approach["since"]) == (PIVOT, clinic.today)
    forecast = next(one for one in told["forecasts"] if one["approach_id"])
    assert [point["weeks"] for point in forecast["fan"]] == [1, 2, 4, 6, 8, 12]
    assert 0 < forecast["p_worked"] < 1

    for total in later:
        clinic.days(7)
        clinic.measure(total)
    effects = clinic.ehr.get(f"/v1/episodes/{EPISODE}")["effects"]
    assert len(effects) == len(later)
    after = clinic.page(LIND)
    assert verdict in after.text
    assert PIVOT in after.text


@pytest.mark.parametrize("called", ["CBT", " cognitive  THERAPY"])
def test_a_pivot_that_the_ehr_reports_by_another_name_is_one(clinic: Clinic, called: str) -> None:
    title, address = "Cognitive behavioural therapy", f"/v1/episodes/{EPISODE}"
    worsened(clinic)
    pivoted(clinic, approach=title)
    clinic.days(3)
    reported = {"approach": called, "since": clinic.today}
    assert clinic.ehr.send("POST", f"{address}/approach", reported).status == 201
    announced = courses.announce(clinic.ehr, EPISODE, MONDAY.date().isoformat(), approach=called)
    assert announced.status == 200
    clinic.days(4)
    clinic.measure(21)

    told = clinic.ehr.get(address)
    (approach,) = told["approaches"]
    assert (approach["approach"], approach["origin"]) == (title, "reflection")
    assert approach["confirms"]
    assert len(told["effects"]) == 1
    page = clinic.page(LIND)
    charts = [part.split("</svg>")[0] for part in page.html.split("<svg")[1:]]
    assert {chart.count('<line class="pivot"') for chart in charts} == {1}
    assert page.html.count(f"<h3>{title}, from") == 1, "one effect is told"
    counted = clinic.person(LIND).get("/pivots")
    assert counted.html.count('<li class="card">') == 1
    assert title in counted.text


def test_a_supervisor_sees_the_decision_and_nothing_that_is_the_authors(clinic: Clinic) -> None:
    worsened(clinic)
    own = pivoted(clinic)
    for mine in (OWN, ASSUMED, EXPECTED, UNKNOWN, f"{CONFIDENCE} %"):
        assert mine in own.text
    theirs = clinic.page("sam")
    assert theirs.status == 200
    assert PIVOT in theirs.text
    assert EXPECTED in theirs.text, "this was shared"
    for private in (OWN, ASSUMED, UNKNOWN, "it is the evenings", "rarely kept"):
        assert private not in theirs.html
    assert not re.search(rf"\b{CONFIDENCE}\b", theirs.text)
    assert 'id="reflect"' not in theirs.html


@pytest.mark.parametrize("person", ["carl", "olga"])
def test_strangers_learn_nothing(clinic: Clinic, person: str) -> None:
    worsened(clinic)
    page = clinic.page(person)
    assert page.status == 404
    assert CLIENT not in page.html
    assert CLIENT not in clinic.person(person).get("/").html


def test_the_answer_is_kept_as_typed_where_something_is_missing(clinic: Clinic) -> None:
    worsened(clinic)
    browser = clinic.person(LIND)
    page = browser.get(f"/episodes/{courses.episode_id(clinic.both, EPISODE).hex}")
    again = reflect(clinic, page, browser, approach="", beyond="")
    assert again.status == 422
    assert ASSUMED in again.text
    assert clinic.ehr.get(f"/v1/episodes/{EPISODE}")["reflections"] == []


def test_a_closed_loop_asks_no_more(clinic: Clinic) -> None:
    """An answered prompt leaves the inbox, and the same news does not come back to it."""
    worsened(clinic)
    pivoted(clinic)
    assert clinic.person(LIND).get("/").links(r"/episodes/[0-9a-f]{32}") == []
    clinic.days(7)
    clinic.measure(21)
    assert "Reliably worse" not in clinic.person(LIND).get("/").text
