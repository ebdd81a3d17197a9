"""The table of requests and errors of measures, to the letter, over real HTTP."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.service.door import Door, opened, phq, without


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """For what stores nothing."""
    with opened(tmp_path_factory.mktemp("shared")) as one:
        yield one
        assert one.events() == []


def test_a_measure_is_scored_and_its_risk_answer_told(door: Door) -> None:
    answer = door.post("/v1/measures", phq(items=[2, 2, 1, 2, 1, 1, 1, 0, 2]))
    assert answer.status == 201
    told = answer.json
    assert told["external_id"] == "m-1"
    assert (told["score"], told["band"], told["flags"]) == (12.0, "moderate", [])
    assert told["risk"] == [{"item": 9, "answer": 2, "state": "endorsed"}]
    assert len(told["id"]) == 32
    assert answer.headers["Location"] == "/v1/measures/m-1"


@pytest.mark.parametrize(
    ("instrument", "items", "score", "item"),
    [
        ("bdi", [1] * 8 + [2] + [0] * 12, 10, 9),
        ("bdi-ii", [1] * 8 + [2] + [0] * 12, 10, 9),
        ("hamd-17", [4, 2, 2, 2] + [0] * 13, 10, 3),
        ("qids-sr16", [3, 3, 3, 3, 3] + [0] * 6 + [2] + [0] * 4, 8, 12),
    ],
)
def test_where_a_scale_asks_about_danger_the_answers_are_taken(
    door: Door, instrument: str, items: list[int], score: float, item: int
) -> None:
    answer = door.post("/v1/measures", phq(instrument=instrument, items=items))
    assert (answer.status, answer.json["score"]) == (201, score)
    assert answer.json["risk"] == [{"item": item, "answer": 2, "state": "endorsed"}]


@pytest.mark.parametrize(
    ("instrument", "items", "score", "flags"),
    [
        ("wsas", [None, 8, 8, 8, 8], 32, ["item not applicable"]),
        ("sdq", [0, 0, None, 0, 0, 0, 2, None, 0, 0, 2, 0, 2, 2, 0, 1, 0, 0, 0, 0, 2, 0, 0, 1, 2],
         7, ["prorated"]),  # 4 points on three of five items, all else 0
        ("sdq", [1] * 2 + [None] * 1 + [1] * 4 + [None] + [1] * 4 + [None] + [1] * 12,
         None, ["incomplete"]),
    ],
)  # fmt: skip
def test_what_was_left_out_is_told_with_the_score(
    door: Door, instrument: str, items: list[int | None], score: float | None, flags: list[str]
) -> None:
    answer = door.post("/v1/measures", phq(instrument=instrument, items=items))
    assert (answer.status, answer.json["score"], answer.json["flags"]) == (201, score, flags)


def test_a_repeat_gets_the_same_body(door: Door) -> None:
    first = door.post("/v1/measures", phq())
    again = door.post("/v1/measures", phq())
    assert (first.status, again.status) == (201, 200)
    assert again.raw == first.raw
    assert door.topics() == ["episode.named", "measure.recorded"]


def test_other_content_is_a_conflict(door: Door) -> None:
    door.post("/v1/measures", phq())
    answer = door.post("/v1/measures", phq(session_number=5))
    assert answer.status == 409
    assert answer.json["type"] == "/problems/other-content"
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_absent_and_null_are_the_same_content(door: Door) -> None:
    door.post("/v1/measures", phq())
    assert door.post("/v1/measures", phq(total=None, clinician=None)).status == 200
    assert door.post("/v1/measures", phq(respondent="client")).status == 200


def test_the_answer_comes_from_the_log(door: Door) -> None:
    first = door.post("/v1/measures", phq())
    door.instruments["phq-9"] = door.instruments["gad-7"]
    assert door.post("/v1/measures", phq()).raw == first.raw


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"items": [2, 2, 1, 2, 1, 1, 1, 0, True]}, "/items/8"),
        ({"items": [2, 2, 1, 2, 1, 1, 1, 0, "1"]}, "/items/8"),
        ({"items": [2, 2, 1, 2, 1, 1, 1, 0, 1.0]}, "/items/8"),
        ({"items": [2, 2, 1, 2, 1, 1, 1, 0, 4]}, "/items/8"),
        ({"items": [-1, 2, 1, 2, 1, 1, 1, 0, 0]}, "/items/0"),
        ({"items": [2, 2, 1, 2, 1, 1, 1, 0]}, "/items"),
        ({"items": []}, "/items"),
        ({"instrument": "audit", "items": [0] * 8 + [3, 0]}, "/items/8"),
        ({"items": {"1": 2}}, "/items"),
        ({"items": [[1]] * 9}, "/items/0"),
        ({"items": None}, "/items"),
        ({"items": None, "total": 28}, "/total"),
        ({"items": None, "total": -1}, "/total"),
        ({"items": None, "total": 12.5}, "/total"),
        ({"total": True}, "/total"),
        ({"total": "10"}, "/total"),
        ({"total": 1e300}, "/total"),
        ({"total": 10**30}, "/total"),
        ({"items": [10**30] * 9}, "/items/0"),
        ({"session_number": True}, "/session_number"),
        ({"session_number": -1}, "/session_number"),
        ({"session_number": 1.5}, "/session_number"),
        ({"external_id": ""}, "/external_id"),
        ({"external_id": "  "}, "/external_id"),
        ({"external_id": 7}, "/external_id"),
        ({"external_id": "x" * 129}, "/external_id"),
        ({"external_id": None}, "/external_id"),
        ({"client": "a\x00b"}, "/client"),
        ({"client": "a\nb"}, "/client"),
        ({"client": "a\u2028b"}, "/client"),
        ({"client": "a\ufffdb"}, "/client"),
        ({"instrument": ["phq-9"]}, "/instrument"),
        ({"administered_at": "2026-03-03"}, "/administered_at"),
        ({"administered_at": "2026-03-02T13:02:00Z"}, "/administered_at"),
        ({"administered_at": "2026-03-02T10:00:00"}, "/administered_at"),
        ({"administered_at": "2026-02-30"}, "/administered_at"),
        ({"administered_at": "2026-03"}, "/administered_at"),
        ({"administered_at": "1899-12-31"}, "/administered_at"),
        ({"administered_at": "02-03-2026"}, "/administered_at"),
        ({"administered_at": "2026-03-02T25:00:00Z"}, "/administered_at"),
        ({"administered_at": 20260302}, "/administered_at"),
        ({"administered_at": True}, "/administered_at"),
        ({"administered_at": "２０２６-03-02"}, "/administered_at"),
        ({"respondent": "Parent|x"}, "/respondent"),
        ({"colour": "red"}, "/colour"),
        ({"a/b~c": 1}, "/a~1b~0c"),
    ],
)
def test_every_fault_has_its_pointer(shared: Door, changes: dict[str, Any], pointer: str) -> None:
    answer = shared.post("/v1/measures", phq(**changes))
    assert answer.status == 422
    assert answer.json["status"] == 422
    assert pointer in answer.pointers


@pytest.mark.parametrize(
    "name", ["external_id", "client", "episode", "instrument", "administered_at"]
)
def test_what_is_needed_is_missed(shared: Door, name: str) -> None:
    assert shared.post("/v1/measures", without(phq(), name)).pointers == ["/" + name]


def test_all_faults_are_told_at_once(shared: Door) -> None:
    answer = shared.post("/v1/measures", phq(items=[9, 9, 1, 2, 1, 1, 1, 0, 0]))
    assert answer.pointers == ["/items/0", "/items/1"]
    answer = shared.post("/v1/measures", phq(total=True, client=1, more=1))
    assert sorted(answer.pointers) == ["/client", "/more", "/total"]


@pytest.mark.parametrize(
    "moment",
    ["2026-03-02", "2026-03-02T13:00:30+01:00", "2026-03-02T12:00Z", "2026-03-02T12:00:00.5Z"],
)
def test_dates_that_have_come_are_taken_as_sent(door: Door, moment: str) -> None:
    answer = door.post("/v1/measures", phq(administered_at=moment))
    assert answer.status == 201
    assert answer.json["administered_at"] == moment


def test_the_day_is_the_installations(tmp_path: Path) -> None:
    with opened(tmp_path, datetime(2026, 3, 1, 23, 30, tzinfo=UTC)) as door:  # 00:30 in Amsterdam
        assert door.post("/v1/measures", phq()).status == 201


def test_a_total_that_disagrees_is_stored_and_flagged(door: Door) -> None:
    answer = door.post("/v1/measures", phq(total=17, items=[2, 2, 1, 2, 1, 1, 1, 0, 3]))
    assert answer.status == 201
    assert answer.json["flags"] == ["conflict"]
    assert answer.json["risk"][0]["state"] == "endorsed"


def test_the_four_states_of_a_risk_answer(door: Door) -> None:
    rest = [1] * 8
    bodies: list[dict[str, Any]] = [
        {"items": [*rest, 1]},
        {"items": [*rest, 0]},
        {"items": [*rest, None]},
        {"items": None, "total": 9},
    ]
    states = [
        door.post("/v1/measures", phq(number, **body)).json["risk"][0]["state"]
        for number, body in enumerate(bodies)
    ]
    assert states == ["endorsed", "not endorsed", "unanswered", "not received"]


def test_an_unknown_instrument_is_held_and_shown(door: Door) -> None:
    first = door.post("/v1/measures", phq(instrument="xyz-3"))
    assert first.status == 202
    assert (first.json["state"], first.json["why"]) == ("held", "unknown instrument")
    again = door.post("/v1/measures", phq(instrument="XYZ-3"))
    assert (again.status, again.raw) == (202, first.raw)
    seen = door.get(first.json["see"])
    assert (seen.status, seen.json["state"]) == (200, "held")
    (held,) = door.get("/v1/held").json
    assert (held["external_id"], held["why"]) == ("m-1", "unknown instrument")
    assert door.topics().count("measure.held") == 1
    assert b"measures_held 1.0" in door.get("/metrics", token="").raw


def test_a_held_measure_is_released_as_late_data(door: Door) -> None:
    held = door.post("/v1/measures", phq(instrument="xyz-3"))
    stream = door.record.measures.id_of("ehr", "m-1")
    with pytest.raises(Exception, match="still unknown"):
        door.record.measures.release(stream)
    door.instruments["xyz-3"] = door.instruments["phq-9"]
    assert door.record.measures.release(stream).version.score == 10.0
    assert door.post("/v1/measures", phq(instrument="xyz-3")).raw == held.raw
    assert door.get("/v1/measures/m-1").json["score"] == 10.0
    assert door.get("/v1/held").json == []
    with pytest.raises(Exception, match="not held"):
        door.record.measures.release(stream)


def test_a_repeat_is_not_refused_for_what_is_known_by_now(door: Door) -> None:
    short = phq(instrument="xyz-3", items=[1, 2])
    held = door.post("/v1/measures", short)
    door.instruments["xyz-3"] = door.instruments["phq-9"]
    assert (door.post("/v1/measures", short).status, held.status) == (202, 202)
    assert door.post("/v1/measures", phq(2, instrument="xyz-3", items=[1, 2])).status == 422


def test_put_corrects_and_get_shows_the_history(door: Door) -> None:
    assert door.put("/v1/measures/m-1", without(phq(), "external_id")).status == 201
    assert door.put("/v1/measures/m-1", phq()).status == 200
    corrected = door.put("/v1/measures/m-1", phq(items=[1] * 9))
    assert (corrected.status, corrected.json["version"]) == (200, 2)
    assert corrected.json["score"] == 9.0
    again = door.put("/v1/measures/m-1", phq(items=[1] * 9))
    assert (again.status, again.raw) == (200, corrected.raw)
    assert door.post("/v1/measures", phq()).json["score"] == 10.0  # the first answer
    assert door.post("/v1/measures", phq(items=[1] * 9)).status == 409
    shown = door.get("/v1/measures/m-1").json
    assert [one["state"] for one in shown["history"]] == ["recorded", "corrected"]
    assert (shown["score"], shown["items"]) == (9.0, [1] * 9)
    assert door.topics().count("measure.corrected") == 1


def test_put_under_another_id_or_into_another_episode_is_refused(door: Door) -> None:
    door.put("/v1/measures/m-1", phq())
    assert door.put("/v1/measures/m-2", phq(1)).pointers == ["/external_id"]
    for moved in (phq(episode="E-78"), phq(client="K-2")):
        answer = door.put("/v1/measures/m-1", moved)
        assert (answer.status, answer.json["type"]) == (409, "/problems/moved")


def test_withdrawal_and_reinstatement(door: Door) -> None:
    assert door.delete("/v1/measures/m-1?reason=cancelled").status == 404
    door.post("/v1/measures", phq())
    gone = door.delete("/v1/measures/m-1?reason=entered-in-error")
    assert (gone.status, gone.json["state"]) == (200, "withdrawn")
    again = door.delete("/v1/measures/m-1?reason=other")
    assert (again.status, again.raw) == (200, gone.raw)
    assert door.post("/v1/measures", phq()).status == 409
    refused = door.put("/v1/measures/m-1", phq())
    assert (refused.status, refused.json["type"]) == (409, "/problems/withdrawn")
    back = door.put("/v1/measures/m-1?reinstate=true", phq())
    assert (back.status, back.json["state"]) == (200, "reinstated")
    assert door.get("/v1/measures/m-1").json["state"] == "reinstated"
    door.delete("/v1/measures/m-1?reason=other")
    assert door.put("/v1/measures/m-1", phq(reinstate=True)).status == 200


@pytest.mark.parametrize(
    "query", ["", "?reason=", "?reason=because", "?reason=other&reason=other", "?reason=other&x=1"]
)
def test_a_withdrawal_needs_its_reason(door: Door, query: str) -> None:
    door.post("/v1/measures", phq())
    answer = door.delete("/v1/measures/m-1" + query)
    assert answer.status == 422
    assert answer.pointers in (["/reason"], ["/x"])
    assert door.get("/v1/measures/m-1").json["state"] == "recorded"


def test_an_id_may_hold_slashes_spaces_and_letters_of_any_kind(door: Door) -> None:
    for number, name in enumerate(("a/b//c", "Ö 1%?", "batch", "日本", "é")):
        assert door.post("/v1/measures", phq(external_id=name, episode=f"e{number}")).status == 201
    for name in ("a/b//c", "%C3%96%201%25%3F", "batch", "%E6%97%A5%E6%9C%AC", "e%CC%81"):
        assert door.get(f"/v1/measures/{name}").status == 200


def test_one_client_under_two_spellings_of_one_letter(door: Door) -> None:
    door.post("/v1/measures", phq(client="Zoë"))
    assert door.post("/v1/measures", phq(client="Zoe\u0308")).status == 200


def test_an_erased_client_is_gone(door: Door) -> None:
    door.post("/v1/measures", phq())
    door.put(
        "/v1/episodes/E-77", {"client": "K-1184", "clinician": None, "opened_on": "2026-01-05"}
    )
    door.store.vault.shred(door.store.vault.subject("ehr", "K-1184"))
    for answer in (
        door.post("/v1/measures", phq()),
        door.post("/v1/measures", phq(2)),
        door.put("/v1/measures/m-1", phq(items=[1] * 9)),
        door.delete("/v1/measures/m-1?reason=other"),
        door.get("/v1/measures/m-1"),
        door.get("/v1/episodes/E-77"),
        door.get("/v1/episodes/E-77/trajectories"),
        door.post("/v1/episodes/E-77/close", {"on": "2026-03-01", "reason": "ended"}),
        door.put(
            "/v1/episodes/E-77", {"client": "K-1184", "clinician": None, "opened_on": "2026-01-05"}
        ),
    ):
        assert answer.status == 410
        assert answer.json["type"] == "/problems/erased"


def test_parallel_identical_posts_are_one_event(door: Door) -> None:
    answers: list[Any] = []

    def post() -> None:
        for number in range(5):
            answers.append(door.post("/v1/measures", phq(number)))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [200] * 35 + [201] * 5
    assert len({answer.raw for answer in answers}) == 5
    assert door.topics().count("measure.recorded") == 5


def test_parallel_different_contents_are_one_event_and_conflicts(door: Door) -> None:
    answers: list[int] = []

    def post(number: int) -> None:
        answers.append(door.post("/v1/measures", phq(session_number=number)).status)

    threads = [threading.Thread(target=post, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201] + [409] * 7
