"""A clinician at the pages: opens what the inbox shows, answers it, and notes what was recorded."""

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from http.client import HTTPException
from random import Random
from urllib.parse import urlsplit

from tests.faults.browser import Browser, Seen

EPISODE = r"/episodes/[0-9a-f]{32}"
ANSWER = EPISODE + r"/alerts/[0-9a-f]{32}/(acknowledge|dismiss)"


class Clinician:
    """Answers alerts one by one; a page that fails is tried again later, as a person would."""

    def __init__(
        self, url: Callable[[], str], seed: int, today: date, reflects: float = 0.3
    ) -> None:
        """Look at the pages of `url`; nobody is signed in yet."""
        self.browser = Browser(url)
        self.recorded: list[tuple[str, str]] = []
        """What a page said was recorded: kind and the id of the alert or the reflection."""
        self._random, self._today, self._reflects = Random(seed), today, reflects

    def work(self, enough: threading.Event) -> None:
        """Answer what lies in the inbox until it is enough."""
        while not enough.wait(0.1):
            with suppress(OSError, HTTPException):
                self._answer_one()

    def _answer_one(self) -> None:
        inbox = self.browser.get("/")
        episodes = inbox.links(EPISODE) if inbox.status == 200 else []
        if not episodes:
            return
        page = self.browser.get(self._random.choice(episodes))
        forms = page.links(ANSWER)
        if page.status != 200 or not forms:
            return
        if self._random.random() < self._reflects:
            self._reflect(page)
        else:
            self._take_up(page, self._random.choice(forms))

    def _take_up(self, page: Seen, action: str) -> None:
        _, _, _, _, alert, kind = action.split("/")
        fields = {"done": "contacted", "reason": "too early to say", "back": "inbox"}
        after = self.browser.post(action, fields, page)
        if after.status == 200 and "done=" in after.path:
            self.recorded.append((f"{kind.removesuffix('e')}ed", alert))

    def _reflect(self, page: Seen) -> None:
        alerts = re.findall(r'name="answers" value="([0-9a-f]{32})"', page.html)
        fields = {
            "answers": alerts,
            "expectation": "half of it gone by now",
            "assumption": "that homework is done",
            "decision": "pivot",
            "approach": self._random.choice(("ACT", "IPT", "schema therapy")),
            "beyond": "consultation",
            "since": self._today.isoformat(),
            "review_on": (self._today + timedelta(weeks=5)).isoformat(),
            "confidence": "60",
        }
        after = self.browser.post(f"{urlsplit(page.path).path}/reflect", fields, page)
        found = re.search(r"#reflection-([0-9a-f]{32})", after.path)
        if after.status == 200 and found:
            self.recorded.append(("reflected", found[1]))
