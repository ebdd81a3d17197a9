"""Any of the four processes is killed at any moment, on PostgreSQL and Kafka: nothing is lost.

PIVOTPOINT_REAL_KILL_ROUNDS sets how often (6); --log-cli-level=INFO tells the figures.
"""

import logging
import os
from collections import Counter
from pathlib import Path
from random import Random
from time import sleep

from tests.faults.crowd import answered
from tests.faults.real import RealHouse
from tests.journey.real_parts import HALVES, Clinic
from tests.servers import Cluster, Kafka

LOGGER = logging.getLogger(__name__)
ROUNDS = int(os.environ.get("PIVOTPOINT_REAL_KILL_ROUNDS", "6"))
CALLS = (5, 30)
"""After how many further answers the next is killed: at least, at most."""
SEED = int(os.environ.get("PIVOTPOINT_REAL_KILL_SEED", "20260302"))


def test_any_process_is_killed_again_and_again(
    cluster: Cluster, kafka: Kafka, tmp_path: Path
) -> None:
    clinic, random = Clinic(cluster, kafka, tmp_path), Random(SEED)
    for service in ("outcomes", "alerts"):
        clinic.set(service, {"KAFKA_SESSION_S": "2"})
    killed: Counter[tuple[str, str]] = Counter()
    try:
        house = RealHouse(clinic)
        with house.busy() as all_:
            for round_ in range(ROUNDS):
                answered(all_, random.randint(*CALLS))
                sleep(random.uniform(0, 0.1))
                # Each in turn, in an order of chance, so that a few rounds reach all of them.
                if round_ % len(HALVES) == 0:
                    order = random.sample(HALVES, len(HALVES))
                service, half = order[round_ % len(HALVES)]
                clinic.kill(service, half)
                clinic.start(service, half)
                killed[service, half] += 1
            answered(all_, CALLS[0])
        assert clinic.died() == []
        assert house.faults() == []
    finally:
        clinic.close()
    LOGGER.info("%d kills: %s", ROUNDS, dict(killed))
    LOGGER.info("%d calls acknowledged, %d repeated", len(all_.record.all()), all_.repeated)
    LOGGER.info("%d answers at pages acknowledged", len(house.person.recorded))
