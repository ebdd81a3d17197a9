"""The made-up clinic: what its EHR sends is consistent, and everything unusual occurs in it."""

from collections import Counter
from datetime import date
from typing import Any

import pytest

from simulation.clinic import Call, Clinic, clinic

MONDAY = date(2026, 8, 3)


def played(**size: int) -> tuple[Clinic, list[tuple[int, Call]]]:
    made = clinic(MONDAY, **size)
    return made, [(day, call) for day in range(made.days) for call in made.calls(day)]


@pytest.fixture(scope="module")
def whole() -> tuple[Clinic, list[tuple[int, Call]]]:
    return played()


def bodies(calls: list[tuple[int, Call]], kind: str) -> list[dict[str, Any]]:
    return [call.body for _, call in calls if call.kind == kind and call.body is not None]


def test_sixty_clients_over_sixteen_weeks(whole: tuple[Clinic, list[tuple[int, Call]]]) -> None:
    made, calls = whole
    assert len(made.clients) == 60
    assert made.days == 112
    assert {client.clinician for client in made.clients} == {"T-01", "T-02", "T-03", "T-04"}
    assert all(client.client.startswith("K-") for client in made.clients)
    assert len({measure["client"] for measure in bodies(calls, "measure")}) == 60


def test_some_never_recover_and_some_relapse(whole: tuple[Clinic, list[Any]]) -> None:
    failing = Counter(client.planned.kind for client in whole[0].clients if client.planned.failed)
    assert failing["flat"] >= 5
    assert failing["relapse"] >= 1
    assert sum(failing.values()) < 30


def test_everything_unusual_occurs(whole: tuple[Clinic, list[tuple[int, Call]]]) -> None:
    calls = whole[1]
    kinds = Counter(call.kind for _, call in calls)
    assert min(kinds[kind] for kind in ("fact", "close", "correction", "withdrawal")) >= 3
    assert kinds["approach"] == 1
    assert any(call.late for _, call in calls)
    assert any(call.again for _, call in calls)
    attendance = Counter(body["attendance"] for body in bodies(calls, "session"))
    assert set(attendance) == {"attended", "late", "cancelled", "missed"}
    measures = bodies(calls, "measure")
    assert {body["instrument"] for body in measures} == {"phq-9", "gad-7"}
    assert any("total" in body for body in measures)
    ninth = [body["items"][8] for body in measures if len(body.get("items", ())) == 9]
    assert {None, 0, 1, 2, 3} == set(ninth)


def test_no_measure_is_sent_before_it_was_taken(
    whole: tuple[Clinic, list[tuple[int, Call]]],
) -> None:
    made, calls = whole
    for day, call in calls:
        if call.kind == "measure" and call.body:
            assert call.body["administered_at"] <= made.on(day).isoformat()
            assert call.late == (call.body["administered_at"] < made.on(day).isoformat())


def test_corrections_follow_what_they_correct(whole: tuple[Clinic, list[tuple[int, Call]]]) -> None:
    posted: dict[str, dict[str, Any]] = {}
    for _, call in whole[1]:
        if call.kind == "measure" and call.body and not call.again:
            assert call.body["external_id"] not in posted
            posted[call.body["external_id"]] = call.body
        elif call.kind == "correction" and call.body:
            assert posted[call.body["external_id"]]["items"] != call.body["items"]
        elif call.kind == "withdrawal":
            assert call.path.split("/")[1].split("?")[0] in posted


def test_the_clinic_is_the_same_every_time() -> None:
    assert played(clients=12, weeks=9)[1] == played(clients=12, weeks=9)[1]


def test_a_pivot_changes_what_comes_only_where_it_helps() -> None:
    made = clinic(MONDAY)
    helped = next(client for client in made.clients if client.turns)
    helped.pivot(helped.opened + 30)
    assert helped.course.levels[:31] == helped.planned.levels[:31]
    assert helped.course.levels[-1] < helped.planned.levels[-1]
    other = next(client for client in made.clients if not client.turns)
    other.pivot(other.opened + 30)
    assert other.course == other.planned
