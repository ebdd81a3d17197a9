"""One prompt in Chromium: found, looked at, reflected on, pivoted; and what came of it later."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from services.chassis.clock import SteppedClock
from tests.faults.house import LIND, prepared, running, settle
from tests.journey.loop_clinic import CLIENT, MONDAY, Clinic, worsened
from tests.journey.pages_browser import chromium

PIVOT = "Behavioural activation"
OWN = "I avoid what she avoids"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    clock = SteppedClock(MONDAY)
    with running(prepared(tmp_path / "data", clock), clock) as (both, ehr):
        yield Clinic(both, ehr, clock)


@contextmanager
def signed_in(browser: Browser, clinic: Clinic, name: str, **looks: Any) -> Iterator[Page]:
    """A window of somebody who has used a link to sign in; no request leaves the host."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, **looks)
    page, asked = context.new_page(), set[str]()
    page.on("request", lambda request: asked.add(request.url))
    sign_in(page, clinic, name)
    try:
        yield page
    finally:
        context.close()
    assert all(url.startswith(clinic.both.alerts_url) for url in asked)


def sign_in(page: Page, clinic: Clinic, name: str) -> None:
    """Use a fresh link."""
    page.goto(clinic.both.invite(name))
    page.get_by_role("button", name="Sign in").press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def answer(page: Page, clinic: Clinic) -> None:
    """Fill in a reflection that pivots, by keyboard, and record it."""
    page.get_by_label("What did you expect by now?").press_sequentially("half of it gone by now")
    page.get_by_label("On what assumption?").press_sequentially("that she tries it at home")
    page.get_by_label("Do we still agree on the goal").first.press("Space")
    page.get_by_role("radio", name="Pivot").press("Space")
    page.get_by_role("combobox", name="Approach (if you pivot)").fill(PIVOT)
    page.get_by_label("If it is beyond your toolkit, with").select_option("consultation")
    review = clinic.clock.now() + timedelta(weeks=5)
    page.get_by_label("By", exact=True).fill(review.date().isoformat())
    page.get_by_label("Percent, 0 to 100").fill("60")
    page.get_by_role("button", name="Record reflection").press("Enter")


@pytest.mark.parametrize("script", [True, False])
def test_from_the_prompt_to_the_effect_weeks_later(
    browser: Browser, clinic: Clinic, script: bool
) -> None:
    worsened(clinic)
    with signed_in(browser, clinic, LIND, java_script_enabled=script) as page:
        row = page.get_by_role("listitem").filter(has_text=CLIENT)
        expect(row).to_contain_text("Reliably worse")
        row.get_by_role("link").first.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("PHQ-9 up 8 points")
        expect(page.get_by_role("main")).to_contain_text(CLIENT)
        expect(page.get_by_role("img").first).to_be_visible()
        answer(page, clinic)
        expect(page.get_by_role("status")).to_contain_text("Reflection recorded")
        settle(clinic.both)
        for total in (8, 3):
            clinic.days(7)
            clinic.measure(total)
        sign_in(page, clinic, LIND)  # weeks later
        page.get_by_role("link", name="Pivots").press("Enter")
        card = page.get_by_role("listitem").filter(has_text=PIVOT)
        expect(card.first).to_contain_text("Better than was forecast")
        page.goto(clinic.both.alerts_url)
        expect(page.get_by_role("main")).not_to_contain_text("Reliably worse")


def test_a_supervisor_finds_the_decision_and_not_what_is_the_authors(
    browser: Browser, clinic: Clinic
) -> None:
    worsened(clinic)
    with signed_in(browser, clinic, LIND) as page:
        page.get_by_role("listitem").filter(has_text=CLIENT).get_by_role("link").first.click()
        answer(page, clinic)
        expect(page.get_by_role("status")).to_contain_text("Reflection recorded")
    settle(clinic.both)
    with signed_in(browser, clinic, "sam") as page:
        page.goto(f"{clinic.both.alerts_url}{clinic.address}")
        expect(page.get_by_role("main")).to_contain_text(PIVOT)
        expect(page.get_by_role("main")).not_to_contain_text("that she tries it at home")
        expect(page.get_by_role("button", name="Record reflection")).to_have_count(0)
