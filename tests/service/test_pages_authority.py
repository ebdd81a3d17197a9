"""Who may open and do what on the pages: every route as owner, colleague, stranger and nobody."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from services.alerts.pages import session
from services.alerts.writing import ReflectionForm, Unknown
from services.chassis.http import auth
from tests.service.alerts_rig import (
    Rig,
    answered,
    assessed,
    episode_changed,
    found,
    id_of,
    staffed,
)
from tests.service.pages_rig import Browser, app_of

K = id_of("episode", "k")
CANARY = "Zwetschgendatschi"
PEOPLE = ("alice", "bob", "carol", "sam", "olga", "nobody")
"""Owner, colleague of the same clinic, stranger, supervisor of the owner, operator, nobody."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, BACKUP="bea")
    staffed(made)
    made.register.add("carol", "clinician")
    made.register.link("carol", "another sender", "dr-a")
    made.tell("episode.changed", episode_changed("k"))
    made.tell("measure.assessed", assessed("k", 1, 15, "2026-03-02", p_fail=0.7))
    made.tell("finding.opened", found("k"))
    made.tell("risk.answered", answered("k", 1))
    made.show()
    yield made
    made.close()


@pytest.fixture
def app(rig: Rig) -> Flask:
    return app_of(rig)


@pytest.fixture
def reflection(rig: Rig) -> dict[str, str]:
    form = ReflectionForm(
        decision="stay",
        reason=f"reason {CANARY}",
        lenses=("alliance",),
        choices={"alliance": (f"choice {CANARY}",)},
        own_choices={"own part": (f"own choice {CANARY}",)},
        preference=f"preference {CANARY}",
        considered=f"considered {CANARY}",
        expectation=f"expectation {CANARY}",
        pattern=f"pattern {CANARY}",
        own_part=f"own part {CANARY}",
        confidence=61,
        unknowns=(Unknown("whether sleep changed", "not asked"),),
        shared=("unknowns",),
    )
    id_, _ = rig.desk.reflect(rig.person("alice"), K, form)
    rig.show()
    page = rig.courses.page(rig.person("alice"), K, rig.clock.now(), rig.journals)
    assert page is not None
    return {"reflection": id_.hex, "unknown": page.unknowns[0]["unknown"]}


def browser(app: Flask, rig: Rig, name: str) -> Browser:
    return Browser(app) if name == "nobody" else Browser(app).sign_in(rig, name)


def risk_alert(rig: Rig) -> Any:
    return next(one.alert for one in lines(rig) if one.channel == "risk_answer")


def lines(rig: Rig) -> Any:
    page = rig.courses.page(rig.person("alice"), K, rig.clock.now())
    assert page is not None
    return page.alerts


# Each route: what owner, colleague, stranger, supervisor, operator and nobody get.

ROUTES: dict[tuple[str, str], tuple[int, int, int, int, int, int]] = {
    ("GET", "/"): (200, 200, 200, 200, 303, 401),
    ("POST", "/signout"): (303, 303, 303, 303, 303, 401),
    ("GET", "/clients"): (200, 200, 200, 200, 404, 401),
    ("GET", "/rules"): (404, 404, 404, 200, 200, 401),
    ("POST", "/rules/<channel>/retire"): (404, 404, 404, 303, 404, 401),
    ("POST", "/rules/<channel>/reinstate"): (404, 404, 404, 303, 404, 401),
    ("POST", "/"): (200, 200, 200, 200, 404, 401),
    ("GET", "/supervision"): (200, 200, 200, 200, 404, 401),
    ("GET", "/patterns"): (200, 200, 200, 200, 404, 401),
    ("GET", "/pivots"): (200, 200, 200, 200, 404, 401),
    ("GET", "/episodes/<id:episode>"): (200, 404, 404, 200, 404, 401),
    ("GET", "/episodes/<id:episode>/reflect"): (200, 404, 404, 403, 404, 401),
    ("POST", "/episodes/<id:episode>/reflect"): (303, 404, 404, 403, 404, 401),
    ("POST", "/episodes/<id:episode>/alerts/<id:alert>/acknowledge"): (
        303, 404, 404, 303, 404, 401,
    ),
    ("POST", "/episodes/<id:episode>/alerts/<id:alert>/snooze"): (303, 404, 404, 403, 404, 401),
    ("POST", "/episodes/<id:episode>/alerts/<id:alert>/dismiss"): (303, 404, 404, 403, 404, 401),
    ("POST", "/episodes/<id:episode>/reflections/<id:reflection>/unknowns/<unknown>"): (
        303, 404, 404, 409, 404, 401,
    ),
    ("GET", "/episodes/<id:episode>/reflections/<id:reflection>/revise"): (
        200, 404, 404, 403, 404, 401,
    ),
    ("POST", "/episodes/<id:episode>/reflections/<id:reflection>/revise"): (
        303, 404, 404, 403, 404, 401,
    ),
    ("GET", "/unknowns"): (200, 200, 200, 200, 404, 401),
    ("GET", "/journal"): (200, 200, 200, 200, 404, 401),
    ("POST", "/journal"): (303, 303, 303, 303, 404, 401),
    ("GET", "/journal/calibration"): (200, 200, 200, 200, 404, 401),
    ("POST", "/journal/regular"): (303, 303, 303, 303, 404, 401),
    ("POST", "/episodes/<id:episode>/regular"): (303, 404, 404, 403, 404, 401),
    ("GET", "/toolkit"): (200, 200, 200, 200, 404, 401),
    ("POST", "/toolkit"): (303, 303, 303, 303, 404, 401),
    ("GET", "/training"): (200, 200, 200, 200, 404, 401),
    ("GET", "/episodes/<id:episode>/together"): (200, 404, 404, 403, 404, 401),
    ("POST", "/episodes/<id:episode>/together"): (303, 404, 404, 403, 404, 401),
    ("GET", "/status"): (404, 404, 404, 404, 200, 401),
    ("GET", "/v1/inbox"): (200, 200, 200, 200, 404, 401),
    ("GET", "/about"): (200, 200, 200, 200, 200, 200),
    ("GET", "/signed-out"): (200, 200, 200, 200, 200, 200),
    ("GET", "/signin/<link>"): (200, 200, 200, 200, 200, 200),
    ("POST", "/signin/<link>"): (410, 410, 410, 410, 410, 410),
    ("GET", "/static/<path:filename>"): (200, 200, 200, 200, 200, 200),
    ("GET", "/livez"): (200, 200, 200, 200, 200, 200),
    ("GET", "/readyz"): (200, 200, 200, 200, 200, 200),
    ("GET", "/metrics"): (200, 200, 200, 200, 200, 200),
}  # fmt: skip
FORMS = {
    "reflect": {"decision": "stay", "reason": "two good weeks"},
    "acknowledge": {"done": "contacted", "note": "by telephone"},
    "snooze": {"until": ""},
    "dismiss": {"reason": "too early to say"},
    "<unknown>": {"how": "asked"},
    "regular": {"weeks": "4"},
    "toolkit": {"trained": "CBT"},
    "together": {"view": "mornings are better"},
    "journal": {"text": "one to come back to"},
    "retire": {"why": "mostly dismissed"},
    "reinstate": {"why": "missed"},
    "revise": {"reason": "two better weeks"},
}


def test_every_route_is_in_the_table_and_states_its_authority(app: Flask) -> None:
    there = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there == set(ROUTES)
    assert auth.unstated(app) == []


@pytest.mark.parametrize("name", PEOPLE)
def test_each_gets_what_the_table_says(
    app: Flask, rig: Rig, reflection: dict[str, str], name: str
) -> None:
    place = PEOPLE.index(name)
    got = {route: asked(app, rig, reflection, route, name) for route in ROUTES}
    assert got == {route: answers[place] for route, answers in ROUTES.items()}


def asked(
    app: Flask, rig: Rig, reflection: dict[str, str], route: tuple[str, str], name: str
) -> int:
    method, rule = route
    at = browser(app, rig, name)
    address = filled(rule, rig, reflection)
    if method == "GET":
        answer = at.get(address)
    else:
        if rule.startswith("/signin"):
            at.get(address)
        token = at.form_token() if rule.startswith("/signin") else None
        answer = at.post(address, token, **FORMS.get(rule.rpartition("/")[2], {}))
    text = answer.text
    answer.close()
    if answer.status_code in (401, 404):
        for told in ("ref-k", "PHQ-9", "dr-a", "whether sleep"):
            assert told not in text
    return int(answer.status_code)


def filled(rule: str, rig: Rig, reflection: dict[str, str]) -> str:
    alert = (
        risk_alert(rig) if rule.endswith("acknowledge") else rig.book.alert_id(K, "off_track").hex
    )
    given = {
        "<id:episode>": K.hex,
        "<id:alert>": alert,
        "<id:reflection>": reflection["reflection"],
        "<unknown>": reflection["unknown"],
        "<link>": "no-such-link",
        "<channel>": "plateau",
        "<path:filename>": "pages.css",
    }
    for name, value in given.items():
        rule = rule.replace(name, value)
    return rule


@pytest.mark.parametrize("rule", [rule for way, rule in ROUTES if way == "POST" and "/ep" in rule])
def test_the_backup_takes_up_risk_answers_of_the_unassigned_and_writes_nothing(
    app: Flask, rig: Rig, reflection: dict[str, str], rule: str
) -> None:
    address, risk = filled(rule, rig, reflection), risk_alert(rig)
    fields = FORMS.get(rule.rpartition("/")[2], {})
    rig.register.disable("alice")
    seen = rig.courses.page(rig.person("bea"), K, rig.clock.now())
    assert seen is not None
    assert seen.access == "unassigned"
    bea = browser(app, rig, "bea")
    if rule.endswith("/acknowledge"):
        assert bea.post(address, **fields).status_code == 303
        address = address.replace(risk, rig.book.alert_id(K, "off_track").hex)
    before = rig.log.head()
    assert bea.post(address, **fields).status_code in (403, 409)
    assert rig.log.head() == before


def test_what_is_not_there_and_what_is_not_yours_look_alike(app: Flask, rig: Rig) -> None:
    bob = browser(app, rig, "bob")
    missing = bob.get(f"/episodes/{id_of('nothing').hex}")
    foreign = bob.get(f"/episodes/{K.hex}")
    assert missing.status_code == foreign.status_code == 404

    def bare(answer: Any) -> str:
        return re.sub(r'value="[0-9a-f]{64}"', "", answer.text)

    assert bare(missing) == bare(foreign)


@pytest.mark.parametrize("token", ["", "0" * 64, "ä"])
def test_a_form_without_its_token_does_nothing(app: Flask, rig: Rig, token: str) -> None:
    alice = browser(app, rig, "alice")
    alert = rig.book.alert_id(K, "off_track")
    before = rig.log.head()
    for address, fields in (
        (f"/episodes/{K.hex}/alerts/{alert.hex}/dismiss", FORMS["dismiss"]),
        (f"/episodes/{K.hex}/reflect", FORMS["reflect"]),
        ("/signout", {}),
    ):
        assert alice.post(address, token, **fields).status_code == 400
    assert rig.log.head() == before
    assert alice.get("/").status_code == 200


def test_the_token_of_another_session_is_refused(app: Flask, rig: Rig) -> None:
    alice, bob = browser(app, rig, "alice"), browser(app, rig, "bob")
    assert alice.post("/signout", session.token_of(bob.secret)).status_code == 400


def test_following_a_link_uses_nothing_up_and_pressing_it_does(app: Flask, rig: Rig) -> None:
    link = f"/signin/{rig.signin.invite('alice')}"
    at = Browser(app)
    for _ in range(3):
        assert at.get(link).status_code == 200
    assert at.post(link, "").status_code == 400
    first = at.post(link, at.form_token())
    assert first.status_code == 303
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    again = Browser(app)
    again.get(link)
    assert again.post(link, again.form_token()).status_code == 410
    assert again.get("/").status_code == 401


def test_over_https_the_cookie_is_for_https_alone(app: Flask, rig: Rig) -> None:
    link = f"/signin/{rig.signin.invite('alice')}"
    client = app.test_client()
    form = client.get(link, base_url="https://localhost").headers["Set-Cookie"]
    assert "Secure" in form
    secret = re.search(r"=([0-9a-f]+);", form)
    assert secret is not None
    token = session.token_of(secret[1])
    answer = client.post(link, base_url="https://localhost", data={session.FIELD: token})
    assert "Secure" in answer.headers["Set-Cookie"]


def test_sessions_end_when_idle_when_signed_out_and_when_disabled(app: Flask, rig: Rig) -> None:
    idle, leaving, disabled = (browser(app, rig, name) for name in ("alice", "alice", "bob"))
    leaving.post("/signout")
    leaving.client.set_cookie(session.COOKIE, leaving.secret)
    assert leaving.get("/").status_code == 401
    rig.register.disable("bob")
    assert disabled.get("/").status_code == 401
    rig.clock.set(rig.clock.now() + timedelta(minutes=rig.settings.session_idle_min - 1))
    assert idle.get("/").status_code == 200
    rig.clock.set(rig.clock.now() + timedelta(minutes=rig.settings.session_idle_min + 1))
    assert idle.get("/").status_code == 401


@pytest.mark.parametrize("idle", [False, True])
def test_a_link_signs_in_whatever_session_the_browser_still_has(
    app: Flask, rig: Rig, idle: bool
) -> None:
    client = browser(app, rig, "alice").client
    if idle:
        rig.clock.set(rig.clock.now() + timedelta(minutes=rig.settings.session_idle_min + 1))
    link = f"/signin/{rig.signin.invite('sam')}"
    token = re.search(rf'name="{session.FIELD}" value="([0-9a-f]+)"', client.get(link).text)
    assert token is not None
    assert client.post(link, data={session.FIELD: token[1]}).status_code == 303
    assert "The team’s inbox" in client.get("/").text


def test_free_text_and_own_part_stay_the_authors(
    app: Flask, rig: Rig, reflection: dict[str, str]
) -> None:
    own = browser(app, rig, "alice").get(f"/episodes/{K.hex}").text
    for part in ("reason", "expectation", "pattern", "own part", "choice", "preference"):
        assert f"{part} {CANARY}" in own
    assert "61 %" in own
    sam = browser(app, rig, "sam")
    own = ("/unknowns", "/journal", "/journal/calibration")
    for address in ("/", "/clients", f"/episodes/{K.hex}", "/v1/inbox", *own):
        text = sam.get(address).text
        assert CANARY not in text
        assert "61 %" not in text
    assert "whether sleep changed" in sam.get(f"/episodes/{K.hex}").text


def test_a_supervisor_sees_the_team_and_no_form_to_write(app: Flask, rig: Rig) -> None:
    sam = browser(app, rig, "sam")
    assert "The team’s inbox" in sam.get("/").text
    page = sam.get(f"/episodes/{K.hex}").text
    assert "Record reflection" not in page
    assert "Dismiss" not in page
    assert "What was done?" in page  # a risk answer may be acknowledged by all who see it


def test_the_backup_goes_back_to_the_inbox_after_acknowledging(app: Flask, rig: Rig) -> None:
    rig.later(days=2)  # past the due time: the backup was told
    bea = browser(app, rig, "bea")
    assert "Item 9" in bea.get("/").text
    address = f"/episodes/{K.hex}/alerts/{risk_alert(rig)}/acknowledge"
    answer = bea.post(address, done="contacted", back="episode")
    assert answer.headers["Location"].startswith("/?at=")
    text = bea.get(answer.headers["Location"]).text
    assert "Acknowledged" in text
    assert "Item 9" not in text


def test_the_list_of_clients_holds_those_the_inbox_leaves_out(app: Flask, rig: Rig) -> None:
    rig.tell("episode.changed", episode_changed("quiet"))
    rig.show()
    alice = browser(app, rig, "alice")
    assert id_of("episode", "quiet").hex not in alice.get("/").text
    text = alice.get("/clients").text
    assert id_of("episode", "quiet").hex in text
    assert "Unknown" in text
    for name in ("bob", "carol"):
        assert "/episodes/" not in browser(app, rig, name).get("/clients").text
    assert "you supervise" in browser(app, rig, "sam").get("/clients").text


def test_a_look_by_the_supervisor_does_not_mean_that_it_was_read(app: Flask, rig: Rig) -> None:
    browser(app, rig, "sam").get(f"/episodes/{K.hex}")
    rig.show()
    assert all(line.seen_at is None for line in lines(rig))
    browser(app, rig, "alice").get(f"/episodes/{K.hex}")
    rig.show()
    assert all(line.seen_at is not None for line in lines(rig))


def test_the_operators_page_has_no_client(app: Flask, rig: Rig) -> None:
    text = browser(app, rig, "olga").get("/status").text
    for told in ("ref-k", ">k<", K.hex, "PHQ-9", "alice"):
        assert told not in text


@pytest.mark.parametrize(
    "address", ["/", "/clients", f"/episodes/{K.hex}", "/about", "/signed-out"]
)
def test_pages_run_and_load_nothing_but_our_own(app: Flask, rig: Rig, address: str) -> None:
    answer = browser(app, rig, "alice").get(address)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|https?://", answer.text)


def test_no_reference_or_score_is_in_an_address(
    app: Flask, rig: Rig, reflection: dict[str, str]
) -> None:
    alice = browser(app, rig, "alice")
    for page in ("/", f"/episodes/{K.hex}"):
        for address in re.findall(r'(?:href|action)="([^"]*)"', alice.get(page).text):
            assert "ref-k" not in address
            assert "clinic" not in address.split("?")[0]
            assert re.fullmatch(r"(#[\w-]+|/[\w/.\-]*(\?[\w=&;]*)?(#[\w-]+)?)", address), address
