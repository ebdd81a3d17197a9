"""Real servers for tests, each on free ports of this machine, in a folder that goes with it."""

from tests.servers.kafka import Kafka
from tests.servers.place import MissingError
from tests.servers.postgres import Cluster
from tests.servers.prometheus import Alertmanager, Prometheus

__all__ = ["Alertmanager", "Cluster", "Kafka", "MissingError", "Prometheus"]
