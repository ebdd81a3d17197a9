"""What the EHR reads back: assessments, findings and pivots, and how far they reach."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.chassis.eventlog import Entry
from services.outcomes.core import findings
from services.outcomes.views.episodes import Episodes
from tests.service.door import Door, opened, phq

EPISODE = "/v1/episodes/E-77"
FIRST = date(2025, 11, 3)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path, detecting=True) as one:
        yield one


def course(door: Door, scores: list[int]) -> None:
    plan = {"client": "K-1184", "clinician": "T-12", "opened_on": FIRST.isoformat()}
    assert door.put(EPISODE, {**plan, "approach": "CBT"}).status == 201
    for week, score in enumerate(scores):
        day = (FIRST + timedelta(weeks=week)).isoformat()
        body = phq(week, administered_at=day, items=None, total=score)
        assert door.post("/v1/measures", body).status == 201


def settled(door: Door, path: str = EPISODE) -> Any:
    """What is read back once detection has taken in everything that is stored now."""
    head = door.store.log().head()
    door.wait_until(lambda: door.get(path).json["position"] >= head, within=20)
    return door.get(path).json


def test_a_failing_course_is_read_back_with_its_findings(door: Door) -> None:
    course(door, [12, 13, 12, 15, 19, 20])
    known = settled(door)
    channels = {one["channel"]: one for one in known["findings"]}
    assert channels["reliable_deterioration"]["status"] == "open"
    assert channels["reliable_deterioration"]["evidence"]["points"]
    (trajectory,) = settled(door, f"{EPISODE}/trajectories")["trajectories"]
    assert trajectory["instrument"] == "phq-9"
    assert [one["score"] for one in trajectory["assessments"]] == [12, 13, 12, 15, 19, 20]
    assert [one["number"] for one in trajectory["assessments"]] == [1, 2, 3, 4, 5, 6]
    assert trajectory["scale"]["maximum"] == 27
    assert trajectory["fan"]
    assert trajectory["fan_on"] == (FIRST + timedelta(weeks=5)).isoformat()


def test_corrected_and_withdrawn_measures_change_what_is_read_back(door: Door) -> None:
    course(door, [12, 13, 12, 15, 19, 20])
    settled(door)
    day = (FIRST + timedelta(weeks=5)).isoformat()
    door.put("/v1/measures/m-5", phq(5, administered_at=day, items=None, total=12))
    door.delete("/v1/measures/m-4?reason=entered-in-error")
    known = settled(door)
    channels = {one["channel"]: one for one in known["findings"]}
    assert channels["reliable_deterioration"]["status"] == "cleared"
    assert channels["reliable_deterioration"]["cleared_reason"] == "corrected away"
    (trajectory,) = known["trajectories"]
    assert [one["score"] for one in trajectory["assessments"]] == [12, 13, 12, 15, 12]
    assert trajectory["scale"]["maximum"] == 27


def test_a_pivot_is_read_back_with_forecast_and_effect(door: Door) -> None:
    course(door, [15, 16, 15, 16])
    day = FIRST + timedelta(weeks=3)
    door.post(f"{EPISODE}/approach", {"approach": "EMDR", "since": day.isoformat()})
    later = (day + timedelta(weeks=2)).isoformat()
    door.post("/v1/measures", phq(9, administered_at=later, items=None, total=9))
    known = settled(door)
    assert [one["approach"] for one in known["approaches"]] == ["CBT", "EMDR"]
    (forecast,) = known["forecasts"]
    assert forecast["approach_id"] == known["approaches"][1]["approach_id"]
    (effect,) = known["effects"]
    assert (effect["observed"], effect["approach"]) == (9.0, "EMDR")


def test_the_position_never_promises_what_is_not_there(tmp_path: Path) -> None:
    with opened(tmp_path) as door:  # nobody detects
        door.post("/v1/measures", phq())
        assert door.get(EPISODE).json["position"] == 0


def test_the_view_equals_a_fresh_fold_of_the_log(door: Door) -> None:
    course(door, [12, 13, 12, 15, 19, 20])
    door.delete("/v1/measures/m-2?reason=other")
    settled(door)
    view, log = Episodes(), door.store.log()
    door.wait_until(lambda: door.store.views.position(view) >= log.head(), within=20)
    assert door.store.views.verify(view, log) == []


def told(kind: type[Any], version: int, **fields: Any) -> Entry:
    event = kind(
        originator_id=UUID(int=1),
        originator_version=version,
        timestamp=datetime(2026, 3, 2, tzinfo=UTC),
        owner=UUID(int=2),
        episode=UUID(int=3).hex,
        **fields,
    )
    return Entry(version, event)


def assessment(measure: str, on: str, **more: Any) -> dict[str, Any]:
    return {
        "measure": measure,
        "trajectory": "phq-9|total|client",
        "instrument": "phq-9",
        "respondent": "client",
        "on": on,
        "at": None,
        "number": 1,
        "scale": None,
        "fan": [],
        **more,
    }


def test_a_refolded_trajectory_replaces_the_one_before_and_keeps_its_scale() -> None:
    view = Episodes()
    first = assessment("a", "2026-02-01", scale={"title": "PHQ-9"}, fan=[{"weeks": 1}])
    doc = view.fold(None, told(findings.Assessed, 1, assessment=first, input={}, memory={}))
    refolded: dict[str, Any] = {
        "trajectory": "phq-9|total|client",
        "since": "2026-01-20",
        "why": "measure recorded",
        "input": [],
        "memory": {},
    }
    both = [assessment("b", "2026-01-20"), assessment("a", "2026-02-01", fan=[{"weeks": 2}])]
    doc = view.fold(doc, told(findings.Refolded, 2, assessments=both, withdrawn=[], **refolded))
    assert doc is not None
    course = doc["trajectories"]["phq-9|total|client"]
    assert [one["measure"] for one in course["assessments"]] == ["b", "a"]
    assert course["scale"] == {"title": "PHQ-9"}
    assert course["fan"] == [{"weeks": 2}]
    doc = view.fold(
        doc, told(findings.Refolded, 3, assessments=[], withdrawn=["a", "b"], **refolded)
    )
    assert doc is not None
    assert doc["trajectories"] == {}
