"""The table of requests of episodes, over real HTTP; and what is read back of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.outcomes.core import episode
from tests.service.door import Door, opened, phq, without

PLAN = {
    "client": "K-1184",
    "clinician": "T-12",
    "opened_on": "2026-01-05",
    "approach": "CBT",
    "problem": "depression",
    "planned_sessions": 16,
    "planned_end": "2026-06-01",
    "next_session": "2026-03-09T10:00:00+01:00",
    "primary_instrument": "PHQ-9",
}
EPISODE = "/v1/episodes/E-77"
BREAK = {
    "external_id": "b1",
    "on": "2026-02-01",
    "kind": "break",
    "label": "summer",
    "until": "2026-04-30",
}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path) as one:
        yield one


@pytest.fixture
def announced(door: Door) -> Door:
    assert door.put(EPISODE, PLAN).status == 201
    return door


def test_announcing_twice_is_once(announced: Door) -> None:
    again = announced.put(EPISODE, PLAN)
    assert again.status == 200
    assert again.json["state"] == "open"
    assert again.json["approach"] == "CBT"
    assert again.json["primary_instrument"] == "phq-9"
    assert announced.topics() == ["episode.opened", "episode.approach_chosen"]


def test_a_changed_plan_and_another_clinician(announced: Door) -> None:
    changed = announced.put(EPISODE, {**PLAN, "clinician": "T-13", "planned_sessions": 20})
    assert (changed.status, changed.json["clinician"]) == (200, "T-13")
    assert announced.topics()[2:] == ["episode.plan_changed", "episode.clinician_assigned"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"opened_on": "2026-03-03"}, "/opened_on"),
        ({"opened_on": "2026-01-05T10:00:00Z"}, "/opened_on"),
        ({"planned_sessions": True}, "/planned_sessions"),
        ({"planned_sessions": 0}, "/planned_sessions"),
        ({"planned_end": "soon"}, "/planned_end"),
        ({"next_session": "2026-03-09T10:00:00"}, "/next_session"),
        ({"approach": 7}, "/approach"),
        ({"clinician": ""}, "/clinician"),
        ({"therapist": "T-12"}, "/therapist"),
        ({"reopened_on": "2026-03-03"}, "/reopened_on"),
    ],
)
def test_faults_of_a_plan(door: Door, changes: dict[str, Any], pointer: str) -> None:
    assert door.put(EPISODE, {**PLAN, **changes}).pointers == [pointer]
    assert door.put(EPISODE, without(PLAN, "clinician")).pointers == ["/clinician"]
    assert door.events() == []


def test_closing_and_opening_again(announced: Door) -> None:
    ended = {"on": "2026-02-20", "reason": "planned ending"}
    assert announced.post(f"{EPISODE}/close", ended).status == 200
    again = announced.post(f"{EPISODE}/close", ended)
    assert (again.status, again.json["state"]) == (200, "closed")
    assert announced.post(f"{EPISODE}/close", {**ended, "reason": "moved"}).status == 409
    refused = announced.put(EPISODE, PLAN)
    assert (refused.status, refused.json["type"]) == (409, "/problems/closed")
    before = announced.put(EPISODE, {**PLAN, "reopened_on": "2026-02-19"})
    assert (before.status, before.pointers) == (422, ["/reopened_on"])
    back = announced.put(EPISODE, {**PLAN, "reopened_on": "2026-02-27"})
    assert (back.status, back.json["state"]) == (200, "open")
    assert announced.put(EPISODE, {**PLAN, "reopened_on": "2026-02-27"}).status == 200
    assert announced.put(EPISODE, {**PLAN, "reopened_on": "2026-02-28"}).status == 409
    assert announced.topics()[2:] == ["episode.closed", "episode.reopened"]


def test_closing_before_the_opening_is_refused(announced: Door) -> None:
    answer = announced.post(f"{EPISODE}/close", {"on": "2026-01-04", "reason": "x"})
    assert (answer.status, answer.pointers) == (422, ["/on"])


@pytest.mark.parametrize(
    ("path", "body", "changed"),
    [
        ("approach", {"approach": "EMDR", "since": "2026-02-01"}, {"reason": "agreed"}),
        (
            "approach",
            {"approach": "EMDR", "since": "2026-02-01", "external_id": "a1"},
            {"since": "2026-02-03"},
        ),
        (
            "events",
            {"external_id": "f1", "on": "2026-02-01", "kind": "medication", "label": "started"},
            {"label": "stopped"},
        ),
        ("events", BREAK, {"until": "2026-05-10"}),
        (
            "sessions",
            {"external_id": "s1", "on": "2026-02-01", "attendance": "attended"},
            {"attendance": "missed"},
        ),
    ],
)
def test_what_is_told_twice_is_once_and_can_be_replaced(
    announced: Door, path: str, body: dict[str, Any], changed: dict[str, Any]
) -> None:
    before = len(announced.events())
    assert announced.post(f"{EPISODE}/{path}", body).status == 201
    assert announced.post(f"{EPISODE}/{path}", body).status == 200
    assert len(announced.events()) == before + 1
    assert announced.post(f"{EPISODE}/{path}", {**body, **changed}).status == 200
    assert len(announced.events()) == before + 2


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("approach", {"approach": "EMDR"}, "/since"),
        ("approach", {"approach": "EMDR", "since": "2026-03-03"}, "/since"),
        ("events", {"external_id": "f", "on": "2026-02-01", "kind": "x", "label": "y"}, "/kind"),
        ("events", BREAK | {"kind": "other"}, "/until"),
        ("events", BREAK | {"until": "2026-01-31"}, "/until"),
        ("events", BREAK | {"until": "2027-02-03"}, "/until"),
        ("events", BREAK | {"until": "soon"}, "/until"),
        ("sessions", {"external_id": "s", "on": "2026-03-04", "attendance": "missed"}, "/on"),
        ("sessions", {"external_id": "s", "on": "2026-03-01", "attendance": True}, "/attendance"),
        ("close", {"on": "2026-03-01"}, "/reason"),
    ],
)
def test_faults_of_what_is_told(
    announced: Door, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = announced.post(f"{EPISODE}/{path}", body)
    assert (answer.status, answer.pointers) == (422, [pointer])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("approach", {"approach": "EMDR", "since": "2026-02-01"}),
        ("events", {"external_id": "f", "on": "2026-02-01", "kind": "other", "label": "y"}),
        ("sessions", {"external_id": "s", "on": "2026-02-01", "attendance": "missed"}),
        ("close", {"on": "2026-02-01", "reason": "ended"}),
    ],
)
def test_an_episode_must_be_announced_first(door: Door, path: str, body: dict[str, Any]) -> None:
    door.post("/v1/measures", phq())
    answer = door.post(f"{EPISODE}/{path}", body)
    assert (answer.status, answer.json["type"]) == (404, "/problems/no-such-episode")


def test_another_senders_episode_and_measure_are_not_there(announced: Door) -> None:
    announced.post("/v1/measures", phq())
    other = announced.senders.add("other")
    for method, path, body in (
        ("GET", EPISODE, None),
        ("GET", f"{EPISODE}/trajectories", None),
        ("GET", "/v1/measures/m-1", None),
        ("DELETE", "/v1/measures/m-1?reason=other", None),
        ("POST", f"{EPISODE}/close", {"on": "2026-02-01", "reason": "ended"}),
    ):
        answer = announced.send(method, path, body, token=other)
        assert answer.status == 404
    assert announced.get("/v1/held", token=other).json == []
    assert announced.put(EPISODE, {**PLAN, "client": "theirs"}, token=other).status == 201
    assert announced.get(EPISODE).json["client"] == "K-1184"


def test_another_client_in_an_announced_episode_is_refused(announced: Door) -> None:
    answer = announced.post("/v1/measures", phq(client="K-2"))
    assert (answer.status, answer.json["type"]) == (409, "/problems/other-client")
    assert announced.put(EPISODE, {**PLAN, "client": "K-2"}).status == 409


def test_a_repeat_stays_a_repeat_when_the_episode_turned_out_anothers(door: Door) -> None:
    first = door.post("/v1/measures", phq(client="K-2"))
    door.put(EPISODE, PLAN)
    again = door.post("/v1/measures", phq(client="K-2"))
    assert (again.status, again.raw) == (200, first.raw)
    assert door.post("/v1/measures", phq(client="K-2", total=10)).status == 409
    assert door.put("/v1/measures/m-1", phq(client="K-2")).status == 202
    assert door.topics().count("measure.held") == 1
    assert door.get("/v1/measures/m-1").json["state"] == "held"


def test_two_clients_in_an_unannounced_episode_are_both_held(door: Door) -> None:
    door.post("/v1/measures", phq(1))
    second = door.post("/v1/measures", phq(2, client="K-2", items=[1] * 9))
    assert (second.status, second.json["why"]) == (202, "client mismatch")
    assert second.json["risk"] == [{"item": 9, "answer": 1, "state": "endorsed"}]
    assert door.get("/v1/measures/m-1").json["state"] == "held"
    assert door.post("/v1/measures", phq(3)).status == 202
    held = {one["external_id"]: one["why"] for one in door.get("/v1/held").json}
    assert held == dict.fromkeys(("m-1", "m-2", "m-3"), "client mismatch")
    assert all(event.risk for event in door.events() if event.TOPIC == "measure.held")


def test_announcing_ends_the_doubt(door: Door) -> None:
    door.post("/v1/measures", phq(1))
    door.post("/v1/measures", phq(2, client="K-2"))
    assert door.put(EPISODE, PLAN).status == 201
    assert door.get("/v1/measures/m-1").json["state"] == "recorded"
    assert [one["external_id"] for one in door.get("/v1/held").json] == ["m-2"]
    moved = door.put("/v1/measures/m-2", phq(2, client="K-2", episode="E-78"))
    assert (moved.status, moved.json["state"]) == (200, "corrected")
    assert door.get("/v1/held").json == []


def test_a_held_measure_of_another_client_cannot_be_released(door: Door) -> None:
    door.post("/v1/measures", phq(1))
    door.post("/v1/measures", phq(2, client="K-2"))
    door.put(EPISODE, PLAN)
    with pytest.raises(Exception, match="another client"):
        door.record.measures.release(door.record.measures.id_of("ehr", "m-2"))


def test_everything_known_of_an_episode(announced: Door) -> None:
    announced.post("/v1/measures", phq(1, administered_at="2026-02-01"))
    announced.post("/v1/measures", phq(2, administered_at="2026-01-20"))
    announced.put("/v1/measures/m-2", phq(2, administered_at="2026-01-20", items=[1] * 9))
    announced.delete("/v1/measures/m-1?reason=cancelled")
    session = {"external_id": "s1", "on": "2026-02-01", "attendance": "late"}
    announced.post(f"{EPISODE}/sessions", session)
    known = announced.get(EPISODE).json
    assert known["announced"] is True
    assert (known["state"], known["clinician"]) == ("open", "T-12")
    assert [one["approach"] for one in known["approaches"]] == ["CBT"]
    assert known["sessions"] == [{"session": "s1", "on": "2026-02-01", "attendance": "late"}]
    told = {one["external_id"]: (one["state"], one["score"]) for one in known["measures"]}
    assert told == {"m-2": ("corrected", 9.0), "m-1": ("withdrawn", 10.0)}
    assert [one["external_id"] for one in known["measures"]] == ["m-2", "m-1"]
    assert isinstance(known["position"], int)
    courses = announced.get(f"{EPISODE}/trajectories").json
    assert courses["episode"] == "E-77"
    assert courses["trajectories"] == []


def test_an_unannounced_episode_is_known_from_its_measures(door: Door) -> None:
    assert door.get(EPISODE).status == 404
    door.post("/v1/measures", phq())
    known = door.get(EPISODE).json
    assert (known["announced"], known["client"]) == (False, "K-1184")


def test_a_pivot_from_a_reflection_is_confirmed(announced: Door) -> None:
    stream = announced.record.episodes.id_of("ehr", "E-77")
    data = {
        "approach_id": "0" * 31 + "1",
        "approach": "EMDR",
        "since": "2026-02-10",
        "origin": "reflection",
        "reflection": "0" * 31 + "2",
        "review_on": "2026-04-01",
    }
    record = announced.record.episodes
    assert record.approach_chosen(stream, data).new
    assert not record.approach_chosen(stream, data).changed
    noted = {"reflection": "0" * 31 + "2", "decision": "pivot", "on": "2026-02-10"}
    assert record.reflection_noted(stream, noted).new
    assert not record.reflection_noted(stream, noted).changed
    body = {"approach": "emdr", "since": "2026-02-17"}
    assert announced.post(f"{EPISODE}/approach", body).status == 201
    known = announced.get(EPISODE).json["approaches"]
    assert [(one["approach"], one["confirms"]) for one in known] == [("CBT", False), ("EMDR", True)]
    chosen = [one for one in announced.events() if isinstance(one, episode.ApproachChosen)]
    assert len({one.approach_id for one in chosen}) == 2
