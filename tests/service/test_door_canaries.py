"""Nothing that a sender says of a client reaches logs, metrics, errors or a file in clear."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis import logs
from tests.service.door import Door, opened, phq

CANARY = "Kanarie"
CANARIES = {
    "external_id": f"{CANARY}-id",
    "client": f"{CANARY}-client",
    "episode": f"{CANARY}-episode",
    "clinician": f"{CANARY}-therapist",
}


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.setup("outcomes", stream, logging.DEBUG)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def _provoke(door: Door) -> list[bytes]:
    """Go through success and every kind of refusal with canaries in each field."""
    sung = phq(**CANARIES)
    episode = f"/v1/episodes/{CANARIES['episode']}"
    plan = {
        "client": CANARIES["client"],
        "clinician": CANARIES["clinician"],
        "opened_on": "2026-01-05",
        "problem": f"{CANARY}-problem",
        "approach": f"{CANARY}-approach",
    }
    door.post("/v1/measures", sung)
    door.put(episode, plan)
    note = {"external_id": f"{CANARY}-f", "on": "2026-02-01", "kind": "other", "label": CANARY}
    door.post(f"{episode}/events", note)
    refusals = [
        door.post("/v1/measures", {**sung, "total": 11}),
        door.post("/v1/measures", {**sung, "external_id": "x", "client": f"{CANARY}-other"}),
        door.post("/v1/measures", {**sung, "administered_at": f"{CANARY}-date"}),
        door.post("/v1/measures", {**sung, "items": [f"{CANARY}"] * 9}),
        door.post("/v1/measures", {**sung, "items": [CANARY]}),
        door.post("/v1/measures", {**sung, "respondent": f"{CANARY}"}),
        door.post("/v1/measures", {**sung, "session_number": CANARY, "total": CANARY}),
        door.post("/v1/measures", {**sung, "instrument": {CANARY: CANARY}}),
        door.post("/v1/measures", f'{{"client": "{CANARY}"'.encode()),
        door.post("/v1/measures/batch", [[CANARY], CANARY]),
        door.put(episode, {**plan, "client": f"{CANARY}-other"}),
        door.post(f"{episode}/events", {**note, "kind": CANARY}),
        door.post(f"{episode}/close", {"on": CANARY, "reason": CANARY}),
        door.delete(f"/v1/measures/{CANARY}?reason={CANARY}"),
        door.get(f"/v1/measures/{CANARY}"),
        door.get("/v1/held", token=f"ppt_{CANARY}"),
    ]
    assert all(one.status >= 400 or b'"status":4' in one.raw for one in refusals)
    return [one.raw for one in refusals]


def test_no_canary_in_refusals_logs_and_metrics(
    tmp_path: Path, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> object:
        raise RuntimeError(f"{CANARY} scored 27")

    with opened(tmp_path) as door:
        refusals = _provoke(door)
        monkeypatch.setattr(door.record.measures, "post_all", broken)
        failed = door.post("/v1/measures", phq(**CANARIES))
        assert failed.status == 500
        metrics = door.get("/metrics", token="").raw
    assert CANARY.encode() not in b"".join([*refusals, failed.raw, metrics])
    assert b'result="recorded"' in metrics
    assert "request failed" in logged.getvalue()
    assert CANARY not in logged.getvalue()


def test_no_canary_in_clear_in_any_file(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        _provoke(door)
        assert CANARY.encode() in door.get(f"/v1/episodes/{CANARIES['episode']}").raw
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert files
    for one in files:
        assert CANARY.encode() not in one.read_bytes(), one.name
