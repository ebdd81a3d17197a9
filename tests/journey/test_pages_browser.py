"""What people see and do at the pages, in Chromium: by eye, by keyboard and without script."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from services.alerts.pages import Freshness
from services.alerts.writing import ReflectionForm
from tests.journey import pages_courses as courses
from tests.journey.pages_browser import chromium, visiting
from tests.journey.pages_caseload import PEOPLE
from tests.journey.pages_house import Rooms

OFF = courses.ident("e", "off")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.mark.parametrize("name", ["Anna", "Sam"])
def test_the_ways_to_go_stand_on_one_line_with_who_is_there(browser: Browser, name: str) -> None:
    with visiting(browser, name) as visit:
        page = visit.open("/")
        ways = page.locator(".top nav").bounding_box()
        who = page.locator(".top .who").bounding_box()
        assert ways is not None
        assert who is not None
        assert who["y"] < ways["y"] + ways["height"]
        assert ways["height"] < 2 * who["height"]


def test_only_the_chart_that_fits_is_shown(browser: Browser) -> None:
    with visiting(browser) as visit:
        page = visit.episode("pivot")
        expect(page.locator("svg.broad")).to_be_visible()
        expect(page.locator("svg.narrow")).to_be_hidden()
        page.set_viewport_size({"width": 360, "height": 700})
        expect(page.locator("svg.narrow")).to_be_visible()
        expect(page.locator("svg.broad")).to_be_hidden()
        page.emulate_media(media="print")
        expect(page.locator("svg.broad")).to_be_visible()


def test_the_chart_says_itself_and_stands_beside_its_table(browser: Browser) -> None:
    with visiting(browser) as visit:
        page = visit.episode("pivot")
        chart = page.get_by_role("img", name=re.compile("PHQ-9 over 13 weeks")).first
        expect(chart).to_be_visible()
        page.get_by_text("The same as a table").click()
        table = page.get_by_role("region", name="Table of the course")
        expect(table.get_by_role("row")).to_have_count(15)
        expect(table).to_contain_text("pivot from CBT to Behavioural activation")
        expect(table).to_contain_text("session missed")


def test_words_drawn_in_the_chart_do_not_cover_each_other_on_screen(browser: Browser) -> None:
    measured = """names => [...document.querySelectorAll(names)].map(text => {
        const box = text.getBoundingClientRect();
        return [text.textContent, box.left, box.top, box.right, box.bottom]; })"""
    with visiting(browser) as visit:
        for name in ("pivot", "off", "none", "good", "risk"):
            page = visit.episode(name)
            boxes = page.evaluate(measured, "svg.broad text")
            for place, (one, left, top, right, bottom) in enumerate(boxes):
                for other, left2, top2, right2, bottom2 in boxes[place + 1 :]:
                    across = min(right, right2) - max(left, left2)
                    down = min(bottom, bottom2) - max(top, top2)
                    assert across < 1 or down < 4, f"{name}: {one!r} meets {other!r}"


def test_the_inbox_tells_risk_first_and_says_what_it_does_not_tell(browser: Browser) -> None:
    with visiting(browser) as visit:
        page = visit.open("/")
        rows = page.locator(".rows > li")
        expect(rows).to_have_count(4)
        expect(rows.first).to_contain_text("K-2207")
        expect(rows.first).to_contain_text("Item 9")
        expect(rows.first).to_contain_text("Before: 0, 0, 1")
        expect(rows.nth(1)).to_contain_text("A 0 is not reassurance")
        expect(page.get_by_text("Not flagged is not the same as doing well").first).to_be_visible()
        expect(rows.nth(2).locator(".tag")).to_have_text("Not assessable")


def test_a_risk_answer_is_acknowledged_by_keyboard_alone_without_script(browser: Browser) -> None:
    with visiting(browser, java_script_enabled=False) as visit:
        page = visit.open("/")
        summary = page.locator(".rows > li").first.locator("summary")
        for _ in range(40):
            page.keyboard.press("Tab")
            if summary.evaluate("one => one === document.activeElement"):
                break
        else:
            pytest.fail("the keyboard does not reach Acknowledge")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.locator("[name=done]:checked").count() == 0, "nothing is claimed unasked"
        page.keyboard.press("ArrowRight")  # contacted
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type("rang, seen tomorrow")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/?at=8&done=acknowledged")
        expect(page.get_by_role("status")).to_contain_text("Acknowledged")
        expect(page.locator(".rows > li")).to_have_count(3)
        done = [one for one in visit.rooms.done if one[0] == "acknowledge"]
        assert [(one[1], *one[3:]) for one in done] == [
            ("Anna", "contacted", "rang, seen tomorrow", "")
        ]


def test_a_risk_answer_cannot_be_put_off_or_dismissed(browser: Browser) -> None:
    with visiting(browser) as visit:
        page = visit.open("/")
        first = page.locator(".rows > li").first
        assert first.get_by_text("Later").count() == 0
        assert first.get_by_text("Dismiss").count() == 0


def test_dismissal_is_one_click_with_its_reason(browser: Browser) -> None:
    with visiting(browser, java_script_enabled=False) as visit:
        page = visit.open("/")
        row = page.locator(".rows > li").nth(1)
        row.get_by_text("Dismiss").first.click()
        row.get_by_role("button", name="Too early to say").click()
        expect(page.get_by_role("status")).to_contain_text("Dismissed")
        assert visit.rooms.done[-1][3] == "too early to say"


def test_a_row_is_put_off_until_the_next_session_or_a_day(browser: Browser) -> None:
    with visiting(browser) as visit:
        page = visit.open("/")
        row = page.locator(".rows > li").nth(1)
        row.get_by_text("Later").first.click()
        row.get_by_role("button", name="Until the next session").click()
        expect(page.get_by_role("status")).to_contain_text("Put off")
        assert visit.rooms.done[-1][3] is None
        row = page.locator(".rows > li").nth(1)
        row.get_by_text("Later").first.click()
        row.get_by_label("Or until").fill("2026-04-20")
        row.get_by_role("button", name="Put off").click()
        expect(page.get_by_role("status")).to_contain_text("Put off")
        assert visit.rooms.done[-1][3] == date(2026, 4, 20)


def forms(rooms: Rooms) -> list[ReflectionForm]:
    return [one[2] for one in rooms.done if one[0] == "reflect"]


def test_the_shortest_honest_reflection_takes_few_steps(browser: Browser) -> None:
    with visiting(browser, java_script_enabled=False) as visit:
        page = visit.open("/")
        steps = 0
        page.get_by_role("link", name="Reflect on K-1184").click()
        steps += 1
        page.get_by_label("Do we still agree on the goal").first.check()
        steps += 1
        page.get_by_label("Stay, because").check()
        steps += 1
        page.get_by_label("Why, or with whom").fill("two good weeks")
        steps += 1
        page.get_by_role("button", name="Record reflection").click()
        steps += 1
        expect(page.get_by_role("status")).to_contain_text("Reflection recorded")
        assert steps <= 8
        (form,) = forms(visit.rooms)
        assert (form.decision, form.reason) == ("stay", "two good weeks")
        assert [one.why for one in form.unknowns] == ["not asked"]
        assert len(form.answers) == 1


def test_errors_keep_what_was_typed_and_say_what_to_do(browser: Browser) -> None:
    with visiting(browser, java_script_enabled=False) as visit:
        page = visit.open(f"/episodes/{OFF}/reflect")
        page.get_by_label("What did you expect by now?").fill("below 10")
        page.get_by_label("Percent, 0 to 100").fill("120")
        page.get_by_role("button", name="Record reflection").click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Not recorded yet")
        expect(alert).to_contain_text("Choose one; staying is as good a decision as any.")
        expect(page.get_by_label("What did you expect by now?")).to_have_value("below 10")
        expect(page.get_by_label("Percent, 0 to 100")).to_have_value("120")
        assert forms(visit.rooms) == []


def test_the_page_of_errors_has_no_accessibility_fault(browser: Browser) -> None:
    with visiting(browser) as visit:
        page = visit.open(f"/episodes/{OFF}/reflect")
        page.get_by_label("Pivot", exact=True).check()
        page.get_by_role("button", name="Record reflection").click()
        expect(page.get_by_text("Name the approach to pivot to.").first).to_be_visible()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_a_pivot_beyond_the_toolkit_asks_for_consultation_first(browser: Browser) -> None:
    rooms = Rooms()
    trained = replace(PEOPLE["Anna"], toolkit=frozenset({"CBT"}))
    with visiting(browser, "", rooms=rooms) as visit:
        rooms.sessions["s"] = trained
        visit.context.add_cookies([{"name": "pivotpoint_session", "value": "s", "url": visit.url}])
        page = visit.open(f"/episodes/{OFF}/reflect")
        page.get_by_label("Pivot", exact=True).check()
        page.get_by_label("Approach (if you pivot)").fill("EMDR")
        page.get_by_label("By", exact=True).fill("2026-06-01")
        page.get_by_label("Percent, 0 to 100").fill("60")
        page.get_by_role("button", name="Record reflection").click()
        expect(page.get_by_role("alert")).to_contain_text("not in your toolkit")
        page.get_by_label("If it is beyond your toolkit, with").select_option("consultation")
        page.get_by_role("button", name="Record reflection").click()
        expect(page.get_by_role("status")).to_contain_text("Reflection recorded")
        (form,) = forms(rooms)
        assert (form.approach, form.beyond, form.confidence) == ("EMDR", "consultation", 60)
        assert form.review_on == date(2026, 6, 1)


def test_fields_of_a_decision_show_when_it_is_chosen(browser: Browser) -> None:
    with visiting(browser, java_script_enabled=False) as visit:
        page = visit.open(f"/episodes/{OFF}/reflect")
        approach = page.get_by_label("Approach (if you pivot)")
        why = page.get_by_label("Why, or with whom")
        expect(approach).to_be_hidden()
        page.get_by_label("Pivot", exact=True).check()
        expect(approach).to_be_visible()
        page.get_by_role("radio", name="Consult").check()
        expect(approach).to_be_hidden()
        expect(why).to_be_visible()


def test_the_models_number_is_shown_beside_ones_own_only_after_answering(
    browser: Browser,
) -> None:
    with visiting(browser) as visit:
        page = visit.open(f"/episodes/{courses.ident('e', 'pivot')}/reflect")
        assert "The model’s number for the same" not in page.content()
        page = visit.episode("off")  # reflected on a month ago
        expect(page.get_by_text("you were 60 % sure")).to_be_visible()
        expect(page.get_by_text("The model’s number for the same: 38 %")).to_be_visible()
        page.locator(".ledger summary").first.click()
        page.get_by_label("How").first.fill("the client said so")
        page.get_by_role("button", name="Note it").first.click()
        expect(page.get_by_role("status")).to_contain_text("Noted as found out")
        assert ("find_out", "Anna", "u1", "the client said so") in visit.rooms.done


@pytest.mark.parametrize(
    ("rooms", "house", "words"),
    [
        (Rooms(banner="Risk answers may not be arriving"), {}, "Risk answers may not be arriving"),
        (Rooms(), {"risk_policy": None}, "The local policy for risk answers is not set"),
        (Rooms(fresh=Freshness(True, 75.0)), {}, "took in something 1 minute ago"),
        (Rooms(fresh=Freshness(False, 0.0)), {}, "The pages are being built"),
    ],
    ids=["late heartbeat", "no policy", "stale", "not built"],
)
def test_what_must_be_known_first_is_a_banner_on_every_page(
    browser: Browser, rooms: Rooms, house: dict[str, Any], words: str
) -> None:
    with visiting(browser, rooms=rooms, house=house) as visit:
        for path in ("/", "/clients"):
            expect(visit.open(path).get_by_role("region", name="Notices")).to_contain_text(words)


def test_a_page_that_does_not_show_the_command_yet_says_so(browser: Browser) -> None:
    with visiting(browser, rooms=Rooms(arrives=False)) as visit:
        page = visit.open("/?at=8&done=dismissed")
        expect(page.get_by_text("This page does not show it yet")).to_be_visible()


def test_signing_in_and_out(browser: Browser) -> None:
    rooms = Rooms(links={"once": PEOPLE["Anna"]})
    with visiting(browser, "", rooms=rooms) as visit:
        page = visit.open("/signin/once")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Inbox")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Signed out")
        visit.open("/")
        expect(page.get_by_role("heading", level=1)).to_have_text("You are not signed in")


def test_the_keyboard_skips_to_the_content_and_its_place_is_seen(browser: Browser) -> None:
    with visiting(browser) as visit:
        page = visit.open("/")
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the content")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        page.wait_for_url("**/#main")
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "3px"


def test_why_was_i_not_prompted_has_plain_reasons(browser: Browser) -> None:
    with visiting(browser) as visit:
        page = visit.episode("none")
        page.get_by_text("Why was I not prompted?").click()
        expect(page.get_by_text("laid in the inbox for review, which does not")).to_be_visible()
        page = visit.episode("pivot")
        page.get_by_text("Why was I not prompted?").click()
        expect(page.get_by_text("Nothing was found by: reliably worse")).to_be_visible()


def test_other_trajectories_are_one_click_away(browser: Browser) -> None:
    with visiting(browser) as visit:
        page = visit.episode("off")
        page.get_by_role("link", name="GAD-7").click()
        # Until the style sheet is there both widths of the chart stand on the page.
        chart = page.locator("svg.chart.broad")
        expect(chart).to_have_accessible_name(re.compile("GAD-7 over"))
        expect(chart).to_be_visible()
        expect(page.locator("svg.chart.narrow")).to_be_hidden()
