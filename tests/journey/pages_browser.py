"""Chromium at the pages, for the tests that look: found once, kept for a module."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from services.alerts.pages import session
from tests.journey import pages_courses as courses
from tests.journey.pages_caseload import PEOPLE
from tests.journey.pages_house import Rooms, serving

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The shell without a window's trappings opens a page in a third of the time."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    if CHROMIUM is None:
        words = "Chromium is missing: apt-get install chromium-headless-shell"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """One person's window."""

    def __init__(self, browser: Browser, url: str, rooms: Rooms, name: str, **looks: Any) -> None:
        self.url = url
        self.rooms = rooms
        chosen: dict[str, Any] = {"viewport": {"width": 1200, "height": 900}, **looks}
        self.context = browser.new_context(**chosen)
        if name:
            secret = rooms.open_session(PEOPLE[name])
            self.context.add_cookies([{"name": session.COOKIE, "value": secret, "url": url}])
        self.page: Page = self.context.new_page()

    def open(self, path: str) -> Page:
        """Go to a page."""
        self.page.goto(self.url + path)
        return self.page

    def episode(self, name: str) -> Page:
        """Go to an episode of `pages_caseload.documents`."""
        return self.open(f"/episodes/{courses.ident('e', name)}")


@contextmanager
def visiting(browser: Browser, name: str = "Anna", **looks: Any) -> Iterator[Visit]:
    """A window of one person at a server of its own."""
    parts = looks.pop("house", {})
    rooms = looks.pop("rooms", None) or Rooms()
    with serving(rooms, **parts) as url:
        visit = Visit(browser, url, rooms, name, **looks)
        try:
            yield visit
        finally:
            visit.context.close()
