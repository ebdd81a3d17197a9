"""PostgreSQL and the broker go away under load and come back: nothing is lost, doubled, or stuck.

PIVOTPOINT_BACKLOG_CALLS sets how many calls pile up while the broker is away (60).
"""

import os
import time
from collections.abc import Iterator

import pytest

from services.chassis.transport.kafka.topics import create_topics
from services.outcomes import settings as outcomes_settings
from tests.faults.crowd import answered
from tests.faults.real import RealHouse, settle
from tests.journey.real_parts import HALVES, Clinic, answers, until
from tests.servers import Cluster, Kafka

BACKLOG = int(os.environ.get("PIVOTPOINT_BACKLOG_CALLS", "60"))
AWAY = 3.0
"""Seconds for which PostgreSQL is away at least."""
BACK_WITHIN = 20.0
"""Seconds after which intake has to go on once PostgreSQL is back, on a busy machine."""
DEADLINE_S = 3.0
"""For a page to be taken by the broker, here."""

OVERTAKEN = "messages lost: 0, twice: 0, from nowhere: 0, in another order"


@pytest.fixture(scope="module")
def house(
    cluster: Cluster, kafka: Kafka, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealHouse]:
    clinic = Clinic(cluster, kafka, tmp_path_factory.mktemp("clinic"))
    quick = {
        "KAFKA_SESSION_S": "3",
        "KAFKA_REQUEST_S": "1",
        "KAFKA_DEADLINE_S": str(DEADLINE_S),
        "KAFKA_METADATA_S": "1",
    }
    for service in ("outcomes", "alerts"):
        clinic.set(service, quick)
    try:
        yield RealHouse(clinic)
    finally:
        clinic.close()


@pytest.fixture(autouse=True)
def _nothing_died(house: RealHouse) -> Iterator[None]:
    """Whatever goes away, no process of ours ends of it."""
    yield
    assert house.clinic.died() == []


def test_postgresql_is_stopped_at_once_and_started_under_load(
    house: RealHouse, cluster: Cluster
) -> None:
    with house.busy() as all_:
        answered(all_, 20)
        before = all_.repeated
        cluster.stop_at_once()
        try:
            time.sleep(AWAY)
            until(lambda: all_.repeated > before, "somebody is told to try again")
        finally:
            cluster.start()
        started = time.monotonic()
        answered(all_, 1)
        assert time.monotonic() - started < BACK_WITHIN
        answered(all_, 20)
    assert house.faults() == []


def test_the_broker_is_killed_and_a_backlog_piles_up(house: RealHouse, kafka: Kafka) -> None:
    with house.busy() as all_:
        answered(all_, 10)
        kafka.kill()
        try:
            answered(all_, BACKLOG)
            for half in HALVES:
                assert answers(f"{house.clinic.url(*half)}/readyz"), "the broker is no part of it"
        finally:
            kafka.start()
    assert house.faults() == []


def errors(clinic: Clinic) -> set[str]:
    """Of what kinds the errors are that the relay met so far."""
    return {line.get("error", "") for line in clinic.log("outcomes", "follow")}


def test_the_broker_is_frozen_past_the_deadline(house: RealHouse, kafka: Kafka) -> None:
    with house.busy() as all_:
        answered(all_, 10)
        kafka.freeze()
        try:
            until(lambda: "TransportError" in errors(house.clinic), "a page was given up")
            answered(all_, 20)
        finally:
            kafka.thaw()
        answered(all_, 10)
    assert house.faults() == []


def test_each_process_ends_in_time_when_asked(house: RealHouse) -> None:
    """Under load: what was at hand is finished, and nothing of it is lost."""
    clinic = house.clinic
    with house.busy() as all_:
        answered(all_, 20)
        for service, half in HALVES:
            code, seconds = clinic.terminate(service, half)
            assert (code, seconds < 10) == (0, True), (service, half, code, seconds)
            clinic.start(service, half)
        answered(all_, 10)
    assert house.faults() == []


def test_partitions_are_added_while_everything_runs(house: RealHouse) -> None:
    """Last, since keys move then: what is under way on the old partition may be overtaken.

    Each message still takes effect once; a finding's older revision changes nothing.
    """
    more = house.clinic.environment | {
        f"PIVOTPOINT_{service}_KAFKA_PARTITIONS": "5" for service in ("OUTCOMES", "ALERTS")
    }
    kafka = outcomes_settings.load(more).kafka
    assert kafka is not None
    with house.busy() as all_:
        answered(all_, 10)
        create_topics(kafka, ["pivotpoint.episodes", "pivotpoint.risk", "pivotpoint.answers"])
        answered(all_, 40)
    settle(more)
    assert [one for one in house.faults() if not one.endswith(OVERTAKEN)] == []
