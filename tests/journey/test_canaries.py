"""Nothing of a client reaches logs, metrics, errors, addresses or a file in clear.

Every field that a sender or a clinician may fill in carries a canary: a text or a number that
stands nowhere else. All routes are walked, by those who may and by those who may not, with what is
right and what is wrong, in a process whose parts fail with texts that quote what they worked on.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from services.alerts import settings as alerts_settings
from services.alerts.wiring import Alerts
from services.chassis.clock import SystemClock
from tests.faults import house
from tests.faults.breaker import BREAK, POISON, UNLUCKY
from tests.faults.browser import Browser, Seen
from tests.faults.house import House, until
from tests.faults.process import Process

MARK = "Kanarie"
NUMBERS = (7907, 983, 86753)
"""A session number, a number of planned sessions, and the total of an unknown questionnaire."""
CLOCK = SystemClock()
TODAY = CLOCK.now().date()
OPENED = TODAY - timedelta(weeks=4)
TOTALS = (12, 13, 20, 22)


def canary(name: str) -> str:
    return f"{MARK}-{name}"


SENT = {
    "client": canary("client"),
    "clinician": canary("therapist"),
    "episode": canary("episode"),
}
UNKNOWN_FIELD = canary("unknown")
EPISODE = f"/v1/episodes/{SENT['episode']}"
REFLECTED = {
    name: canary(name)
    for name in (
        "expectation",
        "assumption",
        "client_view",
        "preference",
        "pattern",
        "reason",
        "own_part",
    )
}


@dataclass
class Walk:
    """What came out of the process on the way."""

    process: Process
    token: str
    refused: list[bytes] = field(default_factory=list)
    """Bodies of refusals and failures."""
    last: bytes = b""
    addresses: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)

    def door(self, method: str, path: str, body: Any = None, token: str | None = None) -> int:
        """One call of a sender; what is refused is kept."""
        connection = HTTPConnection(urlsplit(self.process.url("outcomes")).netloc, timeout=20)
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        headers["Authorization"] = f"Bearer {self.token if token is None else token}"
        connection.request(method, quote(path, safe="/?=&"), raw, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self._keep(answer.status, text)
        return answer.status

    def seen(self, page: Seen) -> Seen:
        """A page that somebody has looked at."""
        self.addresses += [page.path, *page.links(".*")]
        self._keep(page.status, page.html.encode())
        return page

    def metrics(self) -> str:
        """What both services tell a scraper."""
        found = ""
        for service in ("outcomes", "alerts"):
            connection = HTTPConnection(urlsplit(self.process.url(service)).netloc, timeout=20)
            connection.request("GET", "/metrics")
            found += connection.getresponse().read().decode()
            connection.close()
        return found

    def _keep(self, status: int, text: bytes) -> None:
        self.statuses.add(status)
        self.last = text
        if status >= 400:
            self.refused.append(text)


def measure(name: str, on: date, total: int, **changes: Any) -> dict[str, Any]:
    items = [total // 9 + (place < total % 9) for place in range(9)]
    return {
        **SENT,
        "external_id": canary(name),
        "instrument": "phq-9",
        "administered_at": on.isoformat(),
        "session_number": NUMBERS[0],
        "respondent": "client",
        "items": items,
        **changes,
    }


def prepared(data: Path) -> House:
    """A folder whose clinician the sender calls by a canary."""
    made = house.prepared(data, CLOCK)
    with opened(data) as alerts:
        alerts.register.link("lind", "ehr", SENT["clinician"])
    return made


@contextmanager
def opened(data: Path) -> Iterator[Alerts]:
    alerts = Alerts.open(alerts_settings.of_folder(data), CLOCK)
    try:
        yield alerts
    finally:
        alerts.stop()


# The way


def sender_walks(walk: Walk) -> None:
    """Everything that a sender may do, done right."""
    plan = {
        "client": SENT["client"],
        "clinician": SENT["clinician"],
        "opened_on": OPENED.isoformat(),
        "approach": canary("approach"),
        "problem": canary("problem"),
        "planned_sessions": NUMBERS[1],
        "primary_instrument": "phq-9",
    }
    assert walk.door("PUT", EPISODE, plan) == 201
    for week, total in enumerate(TOTALS):
        on = OPENED + timedelta(weeks=week + 1)
        assert walk.door("POST", "/v1/measures", measure(f"m{week}", on, total)) == 201
    corrected = measure("m0", OPENED + timedelta(weeks=1), 11)
    assert walk.door("PUT", f"/v1/measures/{canary('m0')}", corrected) == 200
    assert walk.door("POST", "/v1/measures/batch", [measure("gone", OPENED, 12)]) == 200
    assert walk.door("DELETE", f"/v1/measures/{canary('gone')}?reason=other") == 200
    unknown = {"instrument": canary("questionnaire"), "total": NUMBERS[2] + 0.25, "items": None}
    assert walk.door("POST", "/v1/measures", measure("held", OPENED, 0) | unknown) == 202
    told = {"external_id": canary("s"), "on": OPENED.isoformat()}
    for route, more in (
        ("sessions", {**told, "attendance": "attended"}),
        ("events", {**told, "kind": "medication", "label": canary("label")}),
        ("approach", {"approach": canary("way"), "since": TODAY.isoformat(), "reason": MARK}),
    ):
        assert walk.door("POST", f"{EPISODE}/{route}", more) == 201
    for path in (EPISODE, f"{EPISODE}/trajectories", f"/v1/measures/{canary('m0')}", "/v1/held"):
        assert walk.door("GET", path) == 200
    for path in ("/v1/instruments", "/openapi.json", "/docs", "/livez", "/readyz"):
        assert walk.door("GET", path) == 200


def sender_stumbles(walk: Walk) -> None:
    """Everything that a sender may do, done wrong, and what fails inside."""
    good = measure("new", TODAY, 12)
    wrong: dict[str, Any] = {
        "items": [canary("item")] * 9,
        "total": canary("total"),
        "administered_at": canary("date"),
        "session_number": canary("session"),
        "respondent": canary("Respondent"),
        "instrument": {MARK: MARK},
        UNKNOWN_FIELD: canary("value"),
        "client": [canary("list")],
    }
    for name, value in wrong.items():
        assert walk.door("POST", "/v1/measures", good | {name: value}) >= 400
        assert walk.door("PUT", f"/v1/measures/{canary('new')}", good | {name: value}) >= 400
        assert walk.door("POST", "/v1/measures/batch", [{name: value}]) == 200
        walk.refused.append(walk.last)  # the one line of it was refused
    assert walk.door("POST", "/v1/measures", measure("m0", TODAY, 3)) == 409
    other = measure("m9", TODAY, 3, client=canary("other"))
    assert walk.door("POST", "/v1/measures", other) == 409
    assert walk.door("POST", "/v1/measures", f'{{"client": "{MARK}"'.encode()) == 400
    for route in ("sessions", "events", "approach", "close"):
        assert walk.door("POST", f"{EPISODE}/{route}", {"on": MARK, "since": MARK}) >= 400
    assert walk.door("PUT", EPISODE, {"client": canary("other"), "opened_on": MARK}) >= 400
    assert walk.door("DELETE", f"/v1/measures/{canary('m0')}?reason={MARK}") >= 400
    assert walk.door("GET", f"/v1/measures/{canary('none')}") == 404
    assert walk.door("GET", f"/v1/episodes/{canary('none')}") == 404
    assert walk.door("GET", f"/v1/{canary('route')}") == 404
    assert walk.door("PATCH", EPISODE, good) == 405
    assert walk.door("GET", EPISODE, token=f"ppt_{MARK}") == 401
    assert walk.door("POST", "/v1/measures", good | {"external_id": canary(BREAK)}) == 500
    poison = measure(POISON, TODAY, 24) | {"episode": canary("poisoned")}
    assert walk.door("POST", "/v1/measures", poison) == 201


def person_walks(walk: Walk, place: House) -> None:
    """Everything that a clinician may do, right and wrong."""
    browser = Browser(lambda: walk.process.url("alerts"))
    walk.seen(browser.sign_in(place.invitation))
    until(lambda: bool(_reflectable(browser)), 20)
    (address,) = _reflectable(browser)
    for path in ("/", "/clients", address, f"{address}/reflect", "/about", "/v1/inbox"):
        assert walk.seen(browser.get(path)).status == 200
    page = browser.get(address)
    assert SENT["client"] in page.text, "who may see it does"
    wrong = reflection(page) | {"confidence": canary("confidence"), "since": canary("since")}
    assert browser.post(f"{address}/reflect", wrong, page).status == 422
    after = walk.seen(browser.post(f"{address}/reflect", reflection(page), page))
    assert after.status == 200
    assert "#reflection-" in after.path
    for unknown in after.links(rf"{address}/reflections/.*"):
        walk.seen(browser.post(unknown, {"how": canary("how")}, after))
    for alert in after.links(rf"{address}/alerts/[0-9a-f]+/acknowledge"):
        told = {"done": "passed to", "to": canary("to"), "note": canary("note")}
        walk.seen(browser.post(alert, told, after))
        walk.seen(browser.post(alert, {"done": canary("done")}, after))
    keeps_their_own(walk, browser, address, after)
    walk.seen(browser.post(f"{address}/reflect", {"form_token": MARK}, page))
    for path in (f"/episodes/{'0' * 32}", f"/{canary('page')}", f"/signin/{canary('link')}"):
        walk.seen(browser.get(path))
    assert walk.seen(browser.post("/signout", {}, browser.get("/"))).status == 200


def keeps_their_own(walk: Walk, browser: Browser, address: str, page: Seen) -> None:
    """Journal, toolkit, reminders, a revision, and what the client says when shown their course."""
    (revise,) = walk.seen(browser.get(address)).links(rf"{address}/reflections/[0-9a-f]+/revise")
    words = {"preference": canary("rather"), "unnoticed": canary("unnoticed")}
    for path, fields in (
        ("/journal", {"text": canary("entry")}),
        ("/toolkit", {"trained-other": canary("trained"), "wish-other": canary("wish")}),
        (f"{address}/together", {"view": canary("said"), **words}),
        (f"{address}/regular", {"weeks": "2"}),
        (revise, {"own_part": canary("own part anew"), "pattern": canary("pattern anew")}),
    ):
        assert walk.seen(browser.get(path.replace("/regular", ""))).status == 200
        assert walk.seen(browser.post(path, fields, page)).status == 200, path
    for path in ("/unknowns", "/journal/calibration", "/training"):
        assert walk.seen(browser.get(path)).status == 200
    long = browser.post("/journal", {"text": canary("long") * 1000}, page)
    assert long.status == 422, "and it is shown again to who typed it"
    walk.seen(browser.post(f"{address}/regular", {"weeks": canary("weeks")}, page))


def _reflectable(browser: Browser) -> list[str]:
    """The episodes of the inbox that have been found reliably worse."""
    pages = browser.get("/").links(r"/episodes/[0-9a-f]{32}")
    return [one for one in pages if "Reliably worse" in browser.get(one).text]


def reflection(page: Seen) -> dict[str, Any]:
    return {
        **REFLECTED,
        "answers": re.findall(r'name="answers" value="([0-9a-f]{32})"', page.html),
        "what-0": canary("unknown thing"),
        "who-0": canary("who"),
        "find-0": canary("how to find out"),
        "considered": canary("considered"),
        "choice": ["alliance:withdrawal", "own part:fixed"],
        "free-why-0": "not asked",
        "decision": "pivot",
        "approach": canary("pivot"),
        "beyond": "consultation",
        "since": TODAY.isoformat(),
        "review_on": (TODAY + timedelta(weeks=4)).isoformat(),
        "confidence": "61",
        "shared": ["expectation"],
    }


def others_try(walk: Walk, place: House) -> None:
    """Nobody, a stranger whose page fails inside, and a colleague on somebody else's page."""
    nobody = Browser(lambda: walk.process.url("alerts"))
    for path in ("/", "/clients", "/status", "/v1/inbox", f"/episodes/{'0' * 32}"):
        assert walk.seen(nobody.get(path)).status == 401
    with opened(place.data) as alerts:
        links = {name: f"/signin/{alerts.signin.invite(name)}" for name in (UNLUCKY, "olga")}
        lind = alerts.register.find("lind")
        assert lind is not None
        alerts.desk.journal(lind, canary("journal"))
    unlucky = Browser(lambda: walk.process.url("alerts"))
    assert walk.seen(unlucky.sign_in(links[UNLUCKY])).status == 500
    assert walk.seen(unlucky.get("/v1/inbox", Accept="application/json")).status == 500
    olga = Browser(lambda: walk.process.url("alerts"))
    walk.seen(olga.sign_in(links["olga"]))
    status = walk.seen(olga.get("/status"))
    assert status.status == 200
    assert MARK not in status.html, "no client is on the operators' page"


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The process after the whole way, still running."""
    folder = tmp_path_factory.mktemp("canaries")
    place = prepared(folder / "data")
    process = Process(place.data, folder / "errors", ("-m", "tests.faults.breaker"))
    process.start()
    walk = Walk(process, place.token)
    try:
        sender_walks(walk)
        person_walks(walk, place)
        sender_stumbles(walk)
        others_try(walk, place)
        yield walk
    finally:
        process.kill()


def sings(text: str) -> list[str]:
    """The canaries in a text."""
    found = re.findall(rf"{MARK}[\w-]*", text, re.IGNORECASE)
    return found + [str(one) for one in NUMBERS if re.search(rf"(?<![\w.]){one}(?!\w)", text)]


# What came out


def test_every_kind_of_failure_was_met(walked: Walk) -> None:
    assert walked.statuses >= {200, 201, 202, 400, 401, 404, 405, 409, 422, 500}


def test_no_error_tells_of_a_client(walked: Walk) -> None:
    """A pointer names the field that is wrong, as it was sent in that request; no value is told."""
    assert len(walked.refused) > 40
    told = {one for body in walked.refused for one in sings(body.decode())}
    assert told == {UNKNOWN_FIELD}


def test_no_address_of_a_page_tells_of_a_client(walked: Walk) -> None:
    own = {f"/{canary('page')}", f"/signin/{canary('link')}"}  # typed by hand
    assert len(walked.addresses) > 50
    told = [one for one in walked.addresses if sings(one) and one.split("?")[0] not in own]
    assert told == []


def test_no_metric_tells_of_a_client(walked: Walk) -> None:
    metrics = walked.metrics()
    assert 'status="500"' in metrics or "500" in metrics
    assert sings(metrics) == []


def test_no_log_line_tells_of_a_client(walked: Walk) -> None:
    written = walked.process.errors.read_text()
    lines = [json.loads(line) for line in written.splitlines()]
    told = {line["event"] for line in lines}
    assert {"request failed", "parked"} <= told
    assert sings(written) == []


def test_no_file_holds_a_client_in_clear(walked: Walk) -> None:
    walked.process.kill()  # with no chance to tidy up: what was being written is there
    files = [path for path in walked.process.data.rglob("*") if path.is_file()]
    assert any(path.name.endswith("-wal") and path.stat().st_size for path in files)
    for path in files:
        content = path.read_bytes().lower()
        assert MARK.lower().encode() not in content, path.name
        assert MARK.encode("utf-16-le").lower() not in content, path.name
        assert str(NUMBERS[2]).encode() not in content, path.name
