"""What hostile, broken and unlucky requests get: a problem, never a half measure or a leak."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.faults import StoreError
from services.outcomes.core.sender import SenderNameError
from tests.service.door import Door, opened, phq

MEASURES = "/v1/measures"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(tmp_path_factory.mktemp("door")) as one:
        yield one


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path) as one:
        yield one


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"nope",
        b'{"total": NaN}',
        b'{"total": Infinity}',
        b'{"total": 1e999}',
        b'{"total": ' + b"9" * 5000 + b"}",
        b'{"client": "\xff"}',
        b'{"client": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        "{}".encode("utf-16"),
        b'{"a": 1} {"b": 2}',
        b"{'a': 1}",
        b'{"a": 01}',
    ],
)
def test_what_is_not_json(door: Door, raw: bytes) -> None:
    answer = door.post(MEASURES, raw)
    assert (answer.status, answer.json["type"]) == (400, "/problems/not-json")


@pytest.mark.parametrize("raw", [b"1", b'"x"', b"null", b"[]", b"[" * 500 + b"]" * 500])
def test_json_that_is_no_object(door: Door, raw: bytes) -> None:
    answer = door.post(MEASURES, raw)
    assert (answer.status, answer.pointers) == (422, [""])


def test_a_name_that_stands_twice(door: Door) -> None:
    raw = json.dumps(phq()).encode()[:-1] + b', "client": "K-2"}'
    answer = door.post(MEASURES, raw)
    assert (answer.status, answer.pointers) == (422, ["/client"])


def test_many_faults_are_cut_short(door: Door) -> None:
    answer = door.post(MEASURES, {f"f{n}": n for n in range(5000)})
    assert answer.status == 422
    assert len(answer.json["errors"]) == 50
    answer = door.post(MEASURES, {"x" * 100_000: 1})
    assert max(len(pointer) for pointer in answer.pointers) < 200


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "text/json", None, "nonsense"])
def test_wrong_content_types(door: Door, kind: str | None) -> None:
    answer = door.post(MEASURES, json.dumps(phq()).encode(), kind=kind)
    assert (answer.status, answer.json["type"]) == (415, "/problems/unsupported-media-type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=UTF-8", "Application/JSON", "application/vnd.ehr+json"]
)
def test_json_under_any_of_its_names(door: Door, kind: str) -> None:
    raw = b"\xef\xbb\xbf" + json.dumps(phq("names")).encode()
    assert door.post(MEASURES, raw, kind=kind).status in (200, 201)


def test_a_body_over_one_megabyte(door: Door) -> None:
    answer = door.post(MEASURES, b" " * 1_000_001)
    assert (answer.status, answer.json["type"]) == (413, "/problems/too-large")
    assert door.post(f"{MEASURES}/batch", b" " * 1_000_001).status == 413
    raw = json.dumps(phq("big")).encode()
    assert door.post(MEASURES, raw + b" " * (1_000_000 - len(raw))).status == 201


@pytest.mark.parametrize(
    "token", ["", "x", "ppt_", "ppt_" + "0" * 32 + "_" + "0" * 64, "ppt_é_" + "0" * 64, "a b"]
)
def test_a_missing_or_wrong_token_gets_one_bare_answer(door: Door, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode("latin-1").decode("latin-1")}
    answers = [
        door.send(method, path, body, token="", headers=headers)
        for method, path, body in (
            ("POST", MEASURES, phq()),
            ("GET", f"{MEASURES}/m-1", None),
            ("GET", "/v1/episodes/E-77", None),
            ("GET", "/v1/held", None),
            ("GET", "/v1/instruments", None),
            ("PUT", "/v1/episodes/E-77", {}),
        )
    ]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.raw for answer in answers}) == 1
    assert answers[0].headers["Www-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "bearer", "Token x"])
def test_other_schemes_are_no_token(door: Door, header: str) -> None:
    answer = door.get("/v1/held", token="", headers={"Authorization": header})
    assert answer.status == 401


def test_tokens_come_and_go(own: Door) -> None:
    assert own.get("/v1/held").status == 200
    turned = own.senders.rotate("ehr", keep_hours=1)
    assert own.get("/v1/held").status == 200
    assert own.get("/v1/held", token=turned).status == 200
    at_once = own.senders.rotate("ehr")
    assert own.get("/v1/held", token=turned).status == 401
    own.senders.revoke("ehr")
    assert own.get("/v1/held", token=at_once).status == 401
    again = own.senders.add("ehr")
    assert own.get("/v1/held", token=again).status == 200
    assert [(one.name, one.revoked) for one in own.senders.list()] == [("ehr", False)]


@pytest.mark.parametrize("name", ["", "a b", "é", "x" * 65, "a\nb", "-a"])
def test_what_cannot_be_a_senders_name(door: Door, name: str) -> None:
    with pytest.raises(SenderNameError):
        door.senders.add(name)


def test_no_token_is_stored(own: Door, tmp_path: Path) -> None:
    secret = own.token.rpartition("_")[2].encode()
    assert all(secret not in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())


def test_a_store_that_is_away_says_when_to_come_again(
    own: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> Any:
        raise StoreError("the disk is on fire in K-1184")

    own.post(MEASURES, phq(0))
    monkeypatch.setattr(own.commit, "commit", away)
    answer = own.post(MEASURES, phq(1))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert b"fire" not in answer.raw
    assert own.post(f"{MEASURES}/batch", [phq(1)]).status == 503
    monkeypatch.undo()
    assert own.post(MEASURES, phq(1)).status == 201


def test_a_500_carries_no_text(own: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("K-1184 scored twenty")

    monkeypatch.setattr(own.record.measures, "post_all", broken)
    answer = own.post(MEASURES, phq())
    assert answer.status == 500
    assert b"twenty" not in answer.raw
    assert b"K-1184" not in answer.raw
    assert b"Runtime" not in answer.raw
    assert "detail" not in answer.json


def test_methods_and_addresses_that_are_not_there(door: Door) -> None:
    assert door.get(MEASURES).status == 405
    assert door.get("/v2/measures").status == 404
    assert door.get("/v1/measures/").status in (404, 405)
    assert door.get("/v1/measures/a%00b").status == 422
    assert door.get("/v1/measures/" + "x" * 129).status == 422
    assert door.get("/v1/measures/%ff%fe").status == 422
    assert door.put("/v1/episodes/a%0Ab", {}).status == 404


def test_a_request_that_ends_early_stores_nothing(own: Door) -> None:
    raw = json.dumps(phq()).encode()
    head = (
        f"POST {MEASURES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {own.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(raw) + 10}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", own.port)) as connection:
        connection.sendall(head.encode() + raw)
    assert own.get(f"{MEASURES}/m-1").status == 404


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["phq-9", "2026-03-02", "2026-03-02T10:00:00Z", "K-1184", "x" * 200]),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [*phq(), "total", "session_number", "clinician", "respondent", "reinstate", "reason", ""]
)
ROUTES = (
    ("POST", MEASURES),
    ("POST", f"{MEASURES}/batch"),
    ("PUT", f"{MEASURES}/m-1"),
    ("PUT", "/v1/episodes/E-1"),
    ("POST", "/v1/episodes/E-1/approach"),
    ("POST", "/v1/episodes/E-1/events"),
    ("POST", "/v1/episodes/E-1/sessions"),
    ("POST", "/v1/episodes/E-1/close"),
)
BOUNDED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@BOUNDED
@given(st.sampled_from(ROUTES), st.dictionaries(FIELDS, JSON, max_size=4), JSON)
def test_no_json_breaks_the_door(
    door: Door, route: tuple[str, str], changes: dict[str, Any], other: Any
) -> None:
    for body in ({**phq(), **changes}, changes, other, [phq() | changes, other]):
        answer = door.send(*route, json.dumps(body).encode())
        assert answer.status in (200, 201, 202, 400, 404, 409, 413, 422)
        if answer.status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json["status"] == answer.status


@BOUNDED
@given(st.sampled_from(ROUTES), st.binary(max_size=200))
def test_no_bytes_break_the_door(door: Door, route: tuple[str, str], raw: bytes) -> None:
    assert door.send(*route, raw).status in (200, 400, 404, 422)


@BOUNDED
@given(
    st.sampled_from(["GET", "PUT", "DELETE", "POST"]),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=140),
)
def test_no_address_breaks_the_door(door: Door, method: str, name: str) -> None:
    from urllib.parse import quote

    for prefix in ("/v1/measures/", "/v1/episodes/"):
        body: Any = {} if method in ("PUT", "POST") else None
        answer = door.send(method, prefix + quote(name, safe=""), body)
        assert answer.status in (200, 404, 405, 422)
