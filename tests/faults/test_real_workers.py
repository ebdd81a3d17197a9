"""Many workers of one service start and write at once: one store, no update lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from services.chassis.database import session_name
from tests.faults import courses
from tests.faults.auditor import events, opened
from tests.faults.ehr import Ehr, Told
from tests.faults.real import CLOCK
from tests.journey.real_parts import Clinic, answers, until
from tests.servers import Cluster, Kafka
from tests.servers.place import free_ports

WORKERS = 8
REPLICAS = 3
MOST_CONNECTIONS = 30
"""Of one process: its pools may hold no more."""
TODAY = CLOCK.now().date().isoformat()


@pytest.fixture(scope="module")
def clinic(
    cluster: Cluster, kafka: Kafka, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clinic]:
    one = Clinic(cluster, kafka, tmp_path_factory.mktemp("clinic"))
    yield one
    one.close()


def test_workers_that_start_at_once_make_one_store(clinic: Clinic) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        done = list(pool.map(lambda _: clinic.do("outcomes", "migrate"), range(WORKERS)))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * WORKERS
    assert clinic.count("outcomes", "SELECT count(*) FROM facts WHERE name = 'log id'") == 1
    clinic.told("alerts", "migrate")


def test_writers_on_one_measure_lose_no_update(clinic: Clinic) -> None:
    """Eight writers over three replicas: recorded once, then every correction is a version."""
    token = clinic.told("outcomes", "sender", "add", "ehr")
    ports = free_ports(REPLICAS)
    for number, port in enumerate(ports):
        clinic.start("outcomes", "serve", number, PORT=str(port))
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    for url in urls:
        until(lambda url=url: answers(f"{url}/readyz"), "a replica is ready")  # type: ignore[misc]

    def write(number: int) -> list[Told]:
        ehr = Ehr(lambda: urls[number % REPLICAS], token)
        first = courses.measure("E-1", 1, TODAY, 9)
        own = courses.measure("E-1", 1, TODAY, 10 + number)
        try:
            return [
                ehr.send("POST", "/v1/measures", first),
                ehr.send("PUT", "/v1/measures/E-1-1", own),
            ]
        finally:
            ehr.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        told = [one for both in pool.map(write, range(WORKERS)) for one in both]
    puts = [one.status for one in told if one.method == "PUT"]
    posts = sorted(one.status for one in told if one.method == "POST")
    assert puts == [200] * WORKERS
    assert posts.count(201) == 1
    # Who comes after a correction is told that the id was given for other content.
    assert set(posts) <= {200, 201, 409}
    with opened(clinic.environment, CLOCK) as (outcomes, _):
        stream = [one for one in events(outcomes.log) if one.TOPIC.startswith("measure.")]
        assert outcomes.log.verify() == []
    kinds = [one.TOPIC for one in stream]
    assert kinds == ["measure.recorded", *["measure.corrected"] * WORKERS]
    assert {sum(one.items) for one in stream} == {9, *range(10, 10 + WORKERS)}
    assert 0 < connections(clinic) <= MOST_CONNECTIONS * REPLICAS


def connections(clinic: Clinic) -> int:
    """How many the server counts, by the name that they go by."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE starts_with(application_name, %s)"
    with psycopg.connect(clinic.store) as session:
        row = session.execute(query, [session_name("outcomes")]).fetchone()
    return int(row[0]) if row else 0
