"""Any of the four processes is killed at any moment, on PostgreSQL and Kafka: nothing is lost.

PIVOTPOINT_REAL_KILL_ROUNDS sets how often (6); --log-cli-level=INFO tells the figures. `make soak`
does it a thousand times.
"""

import logging
import os
from pathlib import Path
from random import Random

from tests.faults.killing import kill_again_and_again
from tests.servers import Cluster, Kafka

LOGGER = logging.getLogger(__name__)
ROUNDS = int(os.environ.get("PIVOTPOINT_REAL_KILL_ROUNDS", "6"))


def test_any_process_is_killed_again_and_again(
    cluster: Cluster, kafka: Kafka, tmp_path: Path
) -> None:
    killed = kill_again_and_again(cluster, kafka, tmp_path, ROUNDS, Random(20260302))
    LOGGER.info("%s", killed)
    assert killed.faults == []
    assert killed.calls > 5 * ROUNDS
