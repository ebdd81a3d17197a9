"""Many measures in one request: one result a line, in order; a bad line spoils no other."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.door import Answer, Door, opened, phq, without

BATCH = "/v1/measures/batch"
NDJSON = "application/x-ndjson"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path) as one:
        yield one


def lines(answer: Answer) -> list[dict[str, object]]:
    assert answer.headers["Content-Type"] == NDJSON
    return [json.loads(line) for line in answer.raw.splitlines()]


def ndjson(*values: object) -> bytes:
    return b"\n".join(
        value if isinstance(value, bytes) else json.dumps(value).encode() for value in values
    )


def test_one_result_for_each_line_in_order(door: Door) -> None:
    door.post("/v1/measures", phq(0))
    body = ndjson(
        phq(1),
        phq(0),
        phq(0, total=10),
        b"{not json",
        phq(2, items=[1]),
        b'{"external_id": "m-3", "external_id": "m-4"}',
        phq(3, instrument="xyz-3"),
        b"[1]",
        b"\xff\xfe",
        without(phq(5), "client"),
        phq(1),
        phq(6),
    )
    answer = door.post(BATCH, body, kind=NDJSON)
    assert answer.status == 200
    results = lines(answer)
    assert [one["status"] for one in results] == [
        201, 200, 409, 400, 422, 422, 202, 422, 400, 422, 200, 201,
    ]  # fmt: skip
    assert [one["line"] for one in results] == list(range(1, 13))
    assert results[0]["score"] == 10.0
    assert results[5]["errors"][0]["pointer"] == "/external_id"  # type: ignore[index]
    assert [event.external_id for event in door.events() if hasattr(event, "external_id")] == [
        "m-0", "m-1", "m-3", "m-6",
    ]  # fmt: skip


def test_an_array_is_answered_with_an_array(door: Door) -> None:
    answer = door.post(BATCH, [phq(1), 7, phq(2)])
    assert [one["status"] for one in answer.json] == [201, 422, 201]
    assert door.post(BATCH, []).json == []


def test_a_result_is_what_the_line_would_have_got_alone(door: Door) -> None:
    (one,) = door.post(BATCH, [phq(1)]).json
    alone = door.post("/v1/measures", phq(1)).json
    assert {**alone, "line": 1, "status": 201} == one


def test_a_thousand_and_no_more(door: Door) -> None:
    results = lines(door.post(BATCH, ndjson(*(phq(n) for n in range(1000))), kind=NDJSON))
    assert [one["status"] for one in results] == [201] * 1000
    again = lines(door.post(BATCH, ndjson(*(phq(n) for n in range(500, 1500))), kind=NDJSON))
    assert [one["status"] for one in again] == [200] * 500 + [201] * 500
    many = door.post(BATCH, [phq(n) for n in range(1001)])
    assert (many.status, many.json["type"]) == (413, "/problems/too-many")
    assert len([topic for topic in door.topics() if topic == "measure.recorded"]) == 1500


def test_lines_may_end_in_any_way_and_be_empty(door: Door) -> None:
    body = b"\xef\xbb\xbf\n" + json.dumps(phq(1)).encode() + b"\r\n\r\n"
    assert [one["status"] for one in lines(door.post(BATCH, body, kind=NDJSON))] == [201]
    assert [one["status"] for one in lines(door.post(BATCH, body))] == [200]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"[{]", "application/json", 400),
        (b"[1,", "application/json", 400),
        (b"[]", "text/csv", 415),
        (b"[]", "application/json; charset=utf-16", 415),
        (b"[]", None, 415),
    ],
)
def test_what_is_no_batch_at_all(door: Door, body: bytes, kind: str | None, status: int) -> None:
    assert door.post(BATCH, body, kind=kind).status == status


def test_mismatching_clients_within_one_batch(door: Door) -> None:
    answer = door.post(BATCH, [phq(1), phq(2, client="K-2"), phq(3, episode="E-78")])
    assert [one["status"] for one in answer.json] == [201, 202, 201]
    assert door.get("/v1/measures/m-1").json["state"] == "held"
    assert door.get("/v1/measures/m-3").json["state"] == "recorded"
