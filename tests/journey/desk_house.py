"""A clinic of real parts with some history in it, served to Chromium: as people meet it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from playwright.sync_api import Browser, Page

from services.alerts.desk import ReflectionForm, Unknown
from services.alerts.pages import session
from services.chassis.http.server import Server
from tests.service.alerts_rig import Rig, assessed, episode_changed, found, id_of, staffed
from tests.service.pages_rig import app_of

K = id_of("episode", "k")
WEEKS = 8


def furnished(folder: Path) -> Rig:
    """Alice with a flagged course, two others, and reflections that were resolved or not."""
    rig = Rig(folder, BACKUP="bea", CONTACT="extension 100", RISK_POLICY="shared drive, Risk")
    staffed(rig)
    for name in ("k", "j", "i"):
        rig.tell("episode.changed", episode_changed(name, client=f"K-{name}", problem="depression"))
    for number, score in enumerate((18, 17, 15, 16, 15), 1):
        rig.tell("measure.assessed", assessed("k", number, score, f"2026-02-{number * 5:02}"))
    rig.tell("finding.opened", found("k"))
    rig.show()
    _history(rig)
    return rig


def _history(rig: Rig) -> None:
    alice = rig.person("alice")
    for name, sure, p_worked, after in (
        ("k", 80, 0.35, 15), ("j", 70, 0.6, 6), ("i", 40, 0.5, 14),
    ):  # fmt: skip
        episode = id_of("episode", name)
        rig.tell("measure.assessed", assessed(name, 6, 15, "2026-03-02", change=-1))
        soon = rig.clock.now().date() + timedelta(days=28)
        told = ReflectionForm(
            decision="stay",
            reason="two good weeks",
            expectation="half of it gone",
            assumption="that we agreed on the plan",
            unknowns=(
                Unknown(
                    "whether we agree on the goal", "each assumed the other knew", "both of us"
                ),
                Unknown("how the nights are", "not asked", "client", find="a week’s diary"),
            ),
            lenses=("alliance",),
            choices={"alliance": ("withdrawal",)},
            own_part="I was sure without asking.",
            own_choices={"own part": ("hopeful",)},
            review_on=soon,
            confidence=sure,
        )
        id_, _ = rig.desk.reflect(alice, episode, told)
        forecast = {"episode": episode.hex, "reflection": id_.hex, "on": "2026-03-02"}
        forecast |= {"review_on": soon.isoformat(), "trajectory": "phq-9|total|client"}
        rig.tell("forecast.made", {**forecast, "p_worked": p_worked})
        on = (soon - timedelta(days=1)).isoformat()
        rig.tell("measure.assessed", assessed(name, 7, after, on, change=after - 15))
    rig.own.toolkit(alice, {"CBT"}, {"EMDR"}, {"EMDR"})
    rig.own.every(alice, id_of("episode", "i"), 4)
    rig.desk.journal(alice, "I hurry when somebody comes late.\nWhat would happen if I did not?")
    rig.later(days=45)
    again = ReflectionForm(
        decision="consult", confidence=55, review_on=rig.clock.now().date() + timedelta(days=30)
    )
    rig.desk.reflect(alice, id_of("episode", "j"), again)
    rig.show()


@contextmanager
def served(rig: Rig) -> Iterator[str]:
    """The pages over a rig at a free port; gives the address."""
    server = Server(app_of(rig), threads=4)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


class Window:
    """One person's window at a served rig."""

    def __init__(self, browser: Browser, url: str, rig: Rig, name: str, **looks: Any) -> None:
        """Sign `name` in and open a window that looks so."""
        self.url, self.rig = url, rig
        self.context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **looks})
        secret = rig.signin.open_session(rig.person(name))
        self.context.add_cookies([{"name": session.COOKIE, "value": secret, "url": url}])
        self.page: Page = self.context.new_page()

    def open(self, path: str) -> Page:
        """Go to a page."""
        self.page.goto(self.url + path)
        return self.page


@contextmanager
def window(
    browser: Browser, url: str, rig: Rig, name: str = "alice", **looks: Any
) -> Iterator[Window]:
    """A window that is closed in the end."""
    made = Window(browser, url, rig, name, **looks)
    try:
        yield made
    finally:
        made.context.close()


def reflections(rig: Rig, name: str = "alice") -> list[dict[str, Any]]:
    """What somebody reflected on, oldest first."""
    rig.show()
    return rig.reflections.of(rig.person(name))


def episode_of(name: str) -> UUID:
    """The id of one of the courses."""
    return id_of("episode", name)
