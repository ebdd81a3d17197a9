"""The clinician's desk in Chromium over real parts: what each page is, to everybody who looks."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.journey.desk_house import K, furnished, served, window
from tests.journey.pages_browser import chromium
from tests.service.alerts_rig import Rig


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = furnished(tmp_path_factory.mktemp("desk"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def url(rig: Rig) -> Iterator[str]:
    with served(rig) as found:
        yield found


def test_from_prompt_to_recorded_reflection_takes_eight_steps_at_most(
    browser: Browser, rig: Rig, url: str
) -> None:
    """A full one: expectation, an unknown with its reason, a lens, decision, confidence, date."""
    with window(browser, url, rig, java_script_enabled=False) as seen:
        page = seen.open("/")
        steps = 0
        acts: tuple[Callable[[], object], ...] = (
            lambda: page.get_by_role("link", name="Reflect on K-k").click(),
            lambda: page.get_by_label("What did you expect by now?").fill("below 10 by now"),
            lambda: page.get_by_label("On what assumption?").fill("that the plan was shared"),
            lambda: page.get_by_label("Do we still agree on the goal").first.check(),
            lambda: page.get_by_role("radio", name="Consult").check(),
            lambda: page.get_by_label("By", exact=True).fill("2026-06-01"),
            lambda: page.get_by_label("Percent, 0 to 100").fill("60"),
            lambda: page.get_by_role("button", name="Record reflection").click(),
        )
        for act in acts:
            act()
            steps += 1
        expect(page.get_by_role("status")).to_contain_text("Reflection recorded")
        assert steps <= 8
        last = rig.courses.page(rig.person("alice"), K, rig.clock.now(), rig.journals)
        assert last is not None
        one = last.document["reflections"][-1]
        assert one["expectation"] == "below 10 by now"
        assert [unknown["why"] for unknown in one["unknowns"]] == ["not asked"]
        assert (one["decision"], one["review_on"]) == ("consult", "2026-06-01")
        assert last.private[one["reflection"]]["confidence"] == 60
        assert last.alerts == (), "it answers what it was prompted by"


def test_enter_in_a_field_records_and_opens_no_lens(browser: Browser, rig: Rig, url: str) -> None:
    with window(browser, url, rig) as seen:
        page = seen.open(f"/episodes/{K.hex}/reflect")
        page.get_by_role("radio", name="Consult").check()
        page.get_by_label("Considered, but not trained in").fill("EMDR")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Reflection recorded")


def test_a_lens_is_opened_by_hand_with_the_keyboard_alone(
    browser: Browser, rig: Rig, url: str
) -> None:
    with window(browser, url, rig, java_script_enabled=False) as seen:
        page = seen.open(f"/episodes/{K.hex}/reflect")
        page.get_by_label("What did you expect by now?").fill("half of it gone")
        page.locator("summary", has_text="Further vocabularies").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # the first of them: how distress shows now
        expect(page.get_by_label("Episodic: scenes that come back")).to_be_visible()
        expect(page.get_by_label("What did you expect by now?")).to_have_value("half of it gone")


def test_an_unknown_that_is_open_comes_back_on_the_next_reflection(
    browser: Browser, rig: Rig, url: str
) -> None:
    with window(browser, url, rig, java_script_enabled=False) as seen:
        page = seen.open(f"/episodes/{K.hex}/reflect")
        page.get_by_label("Found out, how: how the nights are").fill("she kept a diary")
        page.get_by_role("radio", name="Consult").check()
        page.get_by_role("button", name="Record reflection").click()
        expect(page.get_by_role("status")).to_contain_text("Reflection recorded")
        page.get_by_text("Found out since").click()
        expect(page.get_by_text("she kept a diary")).to_be_visible()


def test_the_page_for_a_client_is_prepared_shown_and_answered_by_keyboard_alone(
    browser: Browser, rig: Rig, url: str
) -> None:
    rig.clock.set(rig.clock.now() + timedelta(minutes=1))  # after what was reflected on before
    with window(browser, url, rig, java_script_enabled=False) as seen:
        page = seen.open(f"/episodes/{K.hex}/together")
        page.locator("summary", has_text="Prepare this page").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.get_by_role("button", name="Show these").press("Enter")
        known = page.get_by_role("region", name="What we do not know yet")
        expect(known.get_by_role("listitem")).to_have_count(1)
        page.get_by_label("What might neither of us have noticed?").focus()
        page.keyboard.type("how tired I am")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("client’s words")
        expect(page.get_by_label("The client’s own view")).to_have_value("how tired I am")


def test_in_print_the_page_for_a_client_has_room_to_write_and_nothing_else(
    browser: Browser, rig: Rig, url: str
) -> None:
    with window(browser, url, rig) as seen:
        page = seen.open(f"/episodes/{K.hex}/together")
        rooms = page.locator("div.room")
        expect(rooms.first).to_be_hidden()
        page.emulate_media(media="print")
        expect(rooms).to_have_count(3)
        for number in range(3):
            box = rooms.nth(number).bounding_box()
            assert box is not None
            assert box["height"] > 100
        for hidden in ("textarea", "button", ".prepare", ".top a"):
            expect(page.locator(hidden).first).to_be_hidden()
        expect(page.locator("svg.broad")).to_be_visible()


def test_what_is_the_authors_alone_is_not_printed(browser: Browser, rig: Rig, url: str) -> None:
    """A page of a course goes into a file or to a supervisor, as paper does."""
    with window(browser, url, rig) as seen:
        page = seen.open(f"/episodes/{K.hex}")
        own = page.get_by_text("Your own part: I was sure without asking.")
        passed_over = page.get_by_text("I saw the good sessions and passed over the others").last
        for told in (own, passed_over):
            expect(told).to_be_visible()
        page.emulate_media(media="print")
        for told in (own, passed_over):
            expect(told).to_be_hidden()
        expect(page.get_by_text("Expected: half of it gone").first).to_be_visible()


def test_the_journal_is_written_without_script(browser: Browser, rig: Rig, url: str) -> None:
    with window(browser, url, rig, java_script_enabled=False) as seen:
        page = seen.open("/journal")
        page.get_by_label("What did you learn").fill("Ask sooner.")
        page.get_by_role("button", name="Write down").click()
        expect(page.get_by_role("status")).to_contain_text("for you alone")
        expect(page.get_by_text("Ask sooner.")).to_be_visible()
