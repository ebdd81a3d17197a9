"""The pages that look across courses, in Chromium: real store, real pages, by keyboard."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from services.alerts.pages import session
from services.chassis.http.server import Server
from tests.journey.pages_browser import chromium
from tests.service.alerts_rig import Rig
from tests.service.lessons_rig import clinic
from tests.service.pages_rig import app_of


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("lessons"), BACKUP="bea")
    clinic(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def url(rig: Rig) -> Iterator[str]:
    server = Server(app_of(rig), threads=4)
    server.start()
    yield server.url
    server.stop()


@contextmanager
def window(browser: Browser, rig: Rig, url: str, name: str, **looks: Any) -> Iterator[Page]:
    """Somebody's window; whatever it complains of fails the test."""
    chosen: dict[str, Any] = {"viewport": {"width": 1200, "height": 900}, **looks}
    context = browser.new_context(**chosen)
    secret = rig.signin.open_session(rig.person(name))
    context.add_cookies([{"name": session.COOKIE, "value": secret, "url": url}])
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(url) else wrong.append(asked.url),
    )
    yield page
    context.close()
    assert wrong == []


def test_the_episodes_behind_a_group_are_reached_by_keyboard_without_script(
    browser: Browser, rig: Rig, url: str
) -> None:
    with window(browser, rig, url, "sam", java_script_enabled=False) as page:
        page.goto(url + "/patterns")
        summary = page.locator("#worth ~ ul summary").first
        for _ in range(60):
            page.keyboard.press("Tab")
            if summary.evaluate("one => one === document.activeElement"):
                break
        else:
            pytest.fail("the keyboard does not reach the episodes")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/episodes/*")
