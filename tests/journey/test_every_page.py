"""Every page in Chromium, as people look at pages: narrow, enlarged, dark, by keyboard, in print.

One pass through all of them, for to open a page is what costs: each test asserts one thing that
the pass looked at. With `SCREENSHOTS` set to a folder, or `CI` set, the pass keeps its pictures.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, Response
from playwright.sync_api import Page, ViewportSize
from werkzeug.test import TestResponse

from services.alerts import pages as the_pages
from services.chassis.http.server import Server
from tests.journey.every_page import every_page
from tests.journey.pages_browser import chromium
from tests.journey.pages_house import Rooms, app_of

ROOT = Path(__file__).parents[2]
STATIC = Path(the_pages.__file__).parent / "static"
WIDE: ViewportSize = {"width": 1200, "height": 900}
NARROW: ViewportSize = {"width": 320, "height": 640}
ENLARGED: ViewportSize = {"width": 640, "height": 480}
"""A window of 1280 pixels at 200 %, with the two pixels for one that the whole pass has."""
MAIN = ("alice /", "rooms Anna /", "alice episode", "alice reflect", "alice with the client")
"""Pages of which pictures are also kept in print, in the dark and narrow."""
NO_PAGES = {"/livez", "/readyz", "/metrics", "/static/<path:filename>", "/v1/inbox"}
"""What GET gives to programs and browsers, and nobody looks at."""

VIOLATIONS = """() => axe.run({resultTypes: ['violations']}).then(({violations}) =>
    violations.flatMap(({id, nodes}) => nodes.map(({html}) => `${id}: ${html.slice(0, 120)}`)))"""
OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
WATCH_FOCUS = """() => {
    window.reached = new Map();
    document.addEventListener('focusin', ({target}) => {
        const style = getComputedStyle(target), box = target.getBoundingClientRect();
        const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
            && box.width > 1 && box.height > 1 && box.bottom > 0 && box.right > 0
            && box.top < innerHeight && box.left < innerWidth;
        const often = (window.reached.get(target)?.often ?? 0) + 1;
        window.reached.set(target, {seen, often});
    });
}"""
CAME_ROUND = "[...window.reached.values()].some(one => one.often > 1)"
NOT_REACHED = """() => {
    const words = one => one.outerHTML.replace(/\\s+/g, ' ').slice(0, 120);
    const group = one => one.type === 'radio' ? [one.form, one.name] : [one, ''];
    const same = (a, b) => a[0] === b[0] && a[1] === b[1];
    const hit = [...window.reached.keys()];
    const named = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
    const missed = [...document.querySelectorAll(named)]
        .filter(one => one.checkVisibility({visibilityProperty: true}))
        .filter(one => !one.disabled && one.type !== 'hidden' && !one.ariaHidden)
        .filter(one => !hit.some(other => same(group(one), group(other))))
        .map(one => 'not reached: ' + words(one));
    const unseen = [...window.reached].filter(([, {seen}]) => !seen)
        .map(([one]) => 'focus not seen: ' + words(one));
    return [...missed, ...unseen];
}"""
NO_USE_ON_PAPER = """() => [...document.querySelectorAll('form, input, select, textarea, button')]
    .filter(one => one.checkVisibility()).map(one => one.outerHTML.slice(0, 120))"""
MOVING = """() => [...document.querySelectorAll('*')].filter(one => {
    const style = getComputedStyle(one);
    const long = list => list.split(',').some(value => parseFloat(value) > 0.01);
    return long(style.transitionDuration) || long(style.animationDuration)
        || style.scrollBehavior === 'smooth';
}).map(one => one.outerHTML.slice(0, 120)).concat(
    document.getAnimations().map(one => 'an animation runs: ' + one.id))"""


@dataclass
class Looked:
    """What one pass through the pages found, by what was looked for, then by page."""

    faults: dict[str, dict[str, Any]] = field(default_factory=dict)

    def note(self, kind: str, name: str, found: Any) -> None:
        """Keep what is wrong, if anything is."""
        if found:
            self.faults.setdefault(kind, {})[name] = found


class Pictures:
    """Where pictures of pages are kept; nowhere unless asked for."""

    def __init__(self) -> None:
        asked = os.environ.get("SCREENSHOTS", "")
        kept = asked or ("build/screenshots" if os.environ.get("CI") else "")
        self.folder = ROOT / kept if kept else None

    def take(self, page: Page, name: str, look: str = "") -> None:
        """Keep the whole page as it looks now, named by page and look."""
        if self.folder is not None:
            path = self.folder / f"{slug(' '.join((name, look)))}.png"
            page.screenshot(path=path, full_page=True, scale="css", animations="disabled")


def slug(name: str) -> str:
    """A name for files and addresses: the inbox is called so."""
    called = re.sub(r" /(?=\?|$| )", " inbox ", name)
    return "-".join(re.findall(r"[a-z0-9]+", called.lower()))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TestResponse]:
    return every_page(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def url(pages: dict[str, TestResponse]) -> Iterator[str]:
    """The address at which every page is given again as it was answered, each under its slug.

    All with status 200: a browser notes a refusal as an error, and here the look is what counts.
    """
    again = Flask("again", static_folder=str(STATIC), static_url_path="/static")
    kept = {slug(name): page for name, page in pages.items()}
    assert len(kept) == len(pages)

    @again.get("/pages/<name>")
    def give(name: str) -> Response:
        return Response(kept[name].data, headers=list(kept[name].headers))

    server = Server(again, threads=4)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture(scope="module")
def looked(pages: Mapping[str, TestResponse], url: str) -> Looked:
    found = Looked()
    pictures = Pictures()
    looks: dict[str, Any] = {"device_scale_factor": 2, "reduced_motion": "reduce"}
    with chromium() as browser:
        context = browser.new_context(viewport=WIDE, **looks)
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request", lambda asked: None if asked.url.startswith(url) else said.append(asked.url)
        )
        for name in pages:
            _look(page, f"{url}/pages/{slug(name)}", name, found, pictures)
            found.note("complaints", name, said.copy())
            said.clear()
        context.close()
    return found


def _look(page: Page, address: str, name: str, found: Looked, pictures: Pictures) -> None:
    page.set_viewport_size(WIDE)
    page.emulate_media(media="screen", color_scheme="light")
    page.goto(address)
    pictures.take(page, name)
    if name in MAIN and pictures.folder is not None:
        _further_pictures(page, name, pictures)
    page.evaluate(OPEN_ALL)
    page.evaluate(Axe().axe_script)
    found.note("motion", name, page.evaluate(MOVING))
    found.note("light", name, _axe(page))
    found.note("keyboard", name, _by_keyboard(page))
    page.emulate_media(media="print")
    found.note("print", name, page.evaluate(NO_USE_ON_PAPER))
    page.emulate_media(media="screen")
    page.set_viewport_size(ENLARGED)
    found.note("enlarged", name, _sideways(page))
    page.set_viewport_size(NARROW)
    found.note("narrow", name, _sideways(page))
    page.emulate_media(color_scheme="dark")
    found.note("dark", name, _axe(page))


def _further_pictures(page: Page, name: str, pictures: Pictures) -> None:
    page.set_viewport_size(NARROW)
    pictures.take(page, name, "320 px")
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="dark")
    pictures.take(page, name, "dark")
    page.set_viewport_size({"width": 720, "height": 1000})  # A4 within its margins
    page.emulate_media(media="print", color_scheme="light")
    pictures.take(page, name, "print")
    page.set_viewport_size(WIDE)
    page.emulate_media(media="screen")


def _axe(page: Page) -> list[str]:
    """What axe finds; the page holds it already. Nothing else comes back, which takes time."""
    return list(page.evaluate(VIOLATIONS))


def _sideways(page: Page) -> str:
    wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return f"{wide} px in {room}" if wide > room else ""


def _by_keyboard(page: Page) -> list[str]:
    """What Tab does not reach, and what does not show that it was reached."""
    page.evaluate(WATCH_FOCUS)
    for _ in range(40):
        for _ in range(25):
            page.keyboard.press("Tab")
        if page.evaluate(CAME_ROUND):
            return list(page.evaluate(NOT_REACHED))
    return ["Tab does not come round"]


@pytest.mark.parametrize(
    "kind", ["light", "dark", "narrow", "enlarged", "motion", "keyboard", "print", "complaints"]
)
def test_no_page_has_a_fault(looked: Looked, kind: str) -> None:
    """By axe, sideways, in motion, by keyboard, on paper; complaints: policy, other hosts."""
    assert looked.faults.get(kind, {}) == {}


def test_every_address_that_gives_a_page_is_among_them(pages: dict[str, TestResponse]) -> None:
    """A page that is added is looked at by this module, the checker of HTML and that of words."""
    rules = app_of(Rooms()).url_map
    told = {rule.rule for rule in rules.iter_rules() if "GET" in (rule.methods or ())} - NO_PAGES
    way = rules.bind("")
    given = {
        way.match(page.request.path, return_rule=True)[0].rule
        for page in pages.values()
        if page.status_code == 200 and page.request.method == "GET"
    }
    assert told - given == set()
