"""PostgreSQL and Kafka for the rows that need them, started for the length of a run."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from services.chassis.transport.kafka.settings import KafkaSettings
from tests.servers import Cluster, Kafka, MissingError

PARTITIONS = 2


@dataclass(frozen=True, slots=True)
class Real:
    """The servers of this machine that a run has to itself."""

    cluster: Cluster
    broker: Kafka

    def database(self, name: str) -> str:
        """Make a database of its own; its address, as a service's store."""
        return self.cluster.create(f"bench_{name}")

    @property
    def kafka(self) -> KafkaSettings:
        """How the broker is reached."""
        return KafkaSettings(bootstrap=(self.broker.bootstrap,), partitions=PARTITIONS)


@contextmanager
def servers() -> Iterator[Real | None]:
    """Both servers; None, and said aloud, where this machine has not both."""
    with ExitStack() as stack:
        yield _started(stack)


def _started(stack: ExitStack) -> Real | None:
    try:
        cluster = Cluster()
        stack.callback(cluster.close)
        broker = Kafka()
        stack.callback(broker.close)
    except MissingError as error:
        sys.stderr.write(f"{error}\nWithout it every row on real parts is LEFT OUT.\n")
        return None
    return Real(cluster.start(), broker.start())
