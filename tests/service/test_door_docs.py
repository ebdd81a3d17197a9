"""The door documents itself: every route, from the schemas that check it, all assets our own."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.outcomes.api.openapi import written
from services.outcomes.api.operations import OPERATIONS
from services.outcomes.api.problems import KINDS
from tests.service.door import Door, opened, phq

REWRITE = (
    "python -c 'from services.outcomes.api.openapi import written; print(written(), end=\"\")'"
    " > schemas/openapi/outcomes.json"
)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(tmp_path_factory.mktemp("door")) as one:
        yield one


def test_every_route_is_described_and_no_other(door: Door) -> None:
    app = door.app
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1")
    }
    assert routes == {(one.method, one.path) for one in OPERATIONS}
    paths = door.get("/openapi.json", token="").json["paths"]
    told = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert told == routes


def test_every_route_states_its_authority(door: Door) -> None:
    from services.chassis.http.auth import authority_of, unstated

    assert unstated(door.app) == []
    for rule in door.app.url_map.iter_rules():
        authority = authority_of(door.app, rule.endpoint)
        assert authority is not None
        assert authority.name == ("sender" if rule.rule.startswith("/v1") else "open")


def test_every_reference_of_the_description_is_there(door: Door) -> None:
    answer = door.get("/openapi.json", token="")
    spec = answer.json
    assert spec["openapi"].startswith("3.1")
    for name in re.findall(rb'"\$ref":"#/components/schemas/(\w+)"', answer.raw):
        assert name.decode() in spec["components"]["schemas"]
    measure = spec["components"]["schemas"]["MeasureIn"]
    assert set(measure["required"]) == {
        "external_id",
        "client",
        "episode",
        "instrument",
        "administered_at",
    }
    assert measure["properties"]["items"]["items"]["type"] == ["integer", "null"]


def test_the_description_kept_beside_the_messages_is_this_one(door: Door) -> None:
    kept = Path(__file__).parents[2] / "schemas/openapi/outcomes.json"
    assert kept.read_text("utf-8") == written(), f"write it anew: {REWRITE}"
    assert json.loads(written()) == door.get("/openapi.json", token="").json


def test_the_page_loads_nothing_from_elsewhere(door: Door) -> None:
    page = door.get("/docs", token="")
    text = page.raw.decode()
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert " style=" not in text
    assert "<script" not in text
    for address in re.findall(r'(?:src|href)="([^"]+)"', text):
        assert address.startswith(("/", "#"))
    (sheet,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', text)
    assert door.get(sheet, token="").status == 200
    for one in OPERATIONS:
        assert f'id="{one.name}"' in text


def test_the_examples_are_what_the_door_takes(door: Door) -> None:
    door.put(
        "/v1/episodes/E-77", {"client": "K-1184", "clinician": None, "opened_on": "2026-01-05"}
    )
    for one in OPERATIONS:
        if one.example is None or "close" in one.path:  # its day has not come yet
            continue
        path = one.path.replace("{external_id}", "m-1001").replace("{episode}", "E-77")
        body = [one.example] if one.many else one.example
        assert door.send(one.method, path, body).status in (200, 201), one.name


def test_every_kind_of_problem_is_explained(door: Door) -> None:
    kinds = {
        door.post("/v1/measures", b"{").json["type"],
        door.post("/v1/measures", phq(client=1)).json["type"],
        door.get("/v1/measures/none").json["type"],
        door.get("/v1/episodes/none").json["type"],
        door.get("/v1/held", token="").json["type"],
        door.get("/nowhere").json["type"],
    }
    for kind in kinds:
        answer = door.get(kind, token="")
        assert answer.status == 302
        assert answer.headers["Location"] == kind.replace("/problems/", "/docs#problem-")
    assert {kind.removeprefix("/problems/") for kind in kinds} <= KINDS.keys()
    assert door.get("/problems/none", token="").status == 404


def test_instruments_are_listed_with_their_sources(door: Door) -> None:
    told = {one["id"]: one for one in door.get("/v1/instruments").json["instruments"]}
    assert set(told) == set(door.instruments)
    phq9 = told["phq-9"]
    assert phq9["range"] == {"minimum": 0, "maximum": 27, "step": 1}
    assert phq9["risk"][0]["item"] == 9
    assert len(phq9["items"]["wording"]) == 9
    assert {"false_alarms": 0.1, "threshold": 0.669} in phq9["alarm"]
    assert told["audit"]["items"]["exceptions"] == [{"items": [9, 10], "answers": [0, 2, 4]}]
    assert told["qids-sr16"]["items"]["highest_of"] == [[1, 2, 3, 4], [6, 7, 8, 9], [15, 16]]
    assert told["sdq"]["items"]["outside_total"] == [1, 4, 9, 17, 20]
    assert told["wsas"]["items"]["may_not_apply"] == [1]
    assert told["rcads-47"]["subscales"]["mdd"]["missing"] == 2
    for one in told.values():
        assert one["sources"]["range"]
        if not one["item_text"] and one["items"]:
            assert one["items"]["wording"] == []
