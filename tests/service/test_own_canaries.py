"""Own part, confidence and journal go nowhere: every page, message, metric and line is searched."""

import logging
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from services.alerts.desk import ReflectionForm, Unknown
from services.alerts.pages import session
from services.alerts.relay import AnswersRelay
from services.chassis.message import Message, encode
from tests.service.alerts_rig import Rig, assessed, episode_changed, found, id_of, staffed
from tests.service.pages_rig import Browser, app_of

K = id_of("episode", "k")
MARK = "Zwetschgendatschi"
CONFIDENCE = 67
LOUD = ("own part", "own choice", "entry")
QUIET = (
    "expectation", "assumption", "unknown", "view", "preference", "pattern", "reason", "choice",
    "said",
)  # fmt: skip
"""What is the author's too, unless it was opened: it is not on the pages of others."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, BACKUP="bea")
    staffed(made)
    for name in ("ben", "cleo"):  # a team large enough to be counted
        made.register.add(name, "clinician")
        made.register.supervise("sam", name)
    made.tell("episode.changed", episode_changed("k"))
    made.tell("measure.assessed", assessed("k", 1, 15, "2026-03-02", p_fail=0.7))
    made.tell("finding.opened", found("k"))
    made.show()
    _alice_writes(made)
    yield made
    made.close()


def canary(what: str) -> str:
    return f"{MARK} {what}"


def _alice_writes(rig: Rig) -> None:
    alice = rig.person("alice")
    soon = rig.clock.now().date() + timedelta(days=28)
    form = ReflectionForm(
        decision="pivot",
        approach="EMDR",
        reason=canary("reason"),
        expectation=canary("expectation"),
        assumption=canary("assumption"),
        unknowns=(
            Unknown(canary("unknown"), "not asked", canary("unknown"), "", canary("unknown")),
        ),
        client_view=canary("view"),
        preference=canary("preference"),
        pattern=canary("pattern"),
        lenses=("alliance",),
        choices={"alliance": (canary("choice"),)},
        review_on=soon,
        confidence=CONFIDENCE,
        own_part=canary("own part"),
        own_choices={"own part": (canary("own choice"),)},
    )
    id_, _ = rig.desk.reflect(alice, K, form)
    rig.show()
    rig.desk.revise(alice, K, id_, form)
    rig.desk.journal(alice, canary("entry"))
    rig.clock.set(rig.clock.now() + timedelta(hours=1))
    rig.together.said(alice, K, canary("said"), canary("said"), canary("said"))
    rig.tell(
        "measure.assessed", assessed("k", 2, 7, (soon - timedelta(days=1)).isoformat(), change=-8)
    )
    rig.later(days=45)


def every_address(app: Flask, rig: Rig) -> list[str]:
    """Every page there is, with what its address needs."""
    id_ = rig.reflections.of(rig.person("alice"))[0]["reflection"]
    given = {"<id:episode>": K.hex, "<id:reflection>": id_, "<unknown>": "1", "<link>": "x"}
    given |= {"<id:alert>": rig.book.alert_id(K, "off_track").hex, "<path:filename>": "pages.css"}
    found_ = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()):
            address = rule.rule
            for name, value in given.items():
                address = address.replace(name, value)
            assert "<" not in address, f"say here what {rule.rule} needs"
            found_.append(address)
            if rule.endpoint.startswith("lessons."):
                found_ += [f"{address}?scope=team", f"{address}?scope=own"]
    return found_


def seen(rig: Rig, app: Flask, name: str) -> str:
    at = Browser(app).sign_in(rig, name)
    texts = []
    for address in every_address(app, rig):
        answer = at.get(address)
        texts.append(answer.text)
        answer.close()
    return "\n".join(texts)


def test_the_author_sees_all_of_it(rig: Rig) -> None:
    """Else the other tests would pass on pages that show nothing to anybody."""
    text = seen(rig, app_of(rig), "alice")
    assert {what for what in (*LOUD, *QUIET) if canary(what) not in text} == set()
    assert f"{CONFIDENCE} %" in text


@pytest.mark.parametrize("name", ["sam", "bob", "bea", "olga"])
def test_nobody_else_sees_any_of_it_on_any_page(rig: Rig, name: str) -> None:
    text = seen(rig, app_of(rig), name)
    assert MARK not in text
    assert f"{CONFIDENCE} %" not in text


def test_whoever_stands_in_sees_none_of_it_either(rig: Rig) -> None:
    rig.register.cover("alice", "bob")
    rig.register.away("alice", rig.clock.now(), None)
    rig.show()
    text = seen(rig, app_of(rig), "bob")
    assert "ref-k" in text or ">k<" in text, "the course itself is seen"
    assert MARK not in text
    assert f"{CONFIDENCE} %" not in text


class Kept:
    """A transport that keeps what it was handed."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, topic: str, messages: Sequence[Message]) -> None:
        self.messages += messages


def test_no_message_holds_any_of_it(rig: Rig) -> None:
    kept = Kept()
    relay = AnswersRelay(rig.log, kept)
    page = rig.log.page(relay.position(), 500, relay.topics)
    relay.apply(page.entries, page.scanned_to)
    assert [one.type for one in kept.messages] == ["reflection.recorded", "approach.chosen"]
    for one in kept.messages:
        text = encode(one).decode()
        assert MARK not in text
        assert str(CONFIDENCE) not in re.sub(r"[0-9a-f]{32}", "", str(one.data)), "but in an id"


def test_no_metric_and_no_line_of_the_log_holds_any_of_it(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = app_of(rig)
    at = Browser(app).sign_in(rig, "alice")
    for address in every_address(app, rig):
        at.get(address).close()
    at.post("/journal", text=canary("entry"))
    at.post(f"/episodes/{K.hex}/reflect", own_part=canary("own part"), decision="flee")
    assert MARK not in caplog.text
    metrics = at.get("/metrics").text
    assert "reflections_total" in metrics
    assert MARK not in metrics


def test_what_is_private_lies_under_the_authors_own_key(rig: Rig) -> None:
    """Erasing the client keeps it; erasing the author takes it."""
    alice = rig.person("alice")
    streams: list[Any] = [rig.ids.derive("journal", alice.id.hex)]
    id_ = rig.reflections.of(alice)[0]["reflection"]
    streams.append(rig.ids.derive("own part", id_))
    for stream in streams:
        events = rig.log.read(stream)
        assert events
        assert {event.owner for event in events} == {alice.id}
    shared = repr(rig.log.read(UUID(id_)))
    assert canary("own part") not in shared
    assert f"confidence={CONFIDENCE}" not in shared


def test_the_form_token_is_still_asked_of_every_form(rig: Rig) -> None:
    at = Browser(app_of(rig)).sign_in(rig, "alice")
    for address in ("/journal", "/toolkit", f"/episodes/{K.hex}/together"):
        assert at.post(address, session.token_of("other"), text="x").status_code == 400
