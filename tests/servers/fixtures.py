"""The servers as fixtures: one of each for a test run, started when a test first asks for it."""

import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from tests.servers.kafka import Kafka
from tests.servers.place import MissingError
from tests.servers.postgres import Cluster

T = TypeVar("T")


def required(start: Callable[[], T]) -> T:
    """What `start` gives; where it is missing, fail in CI and else skip with the way to get it."""
    try:
        return start()
    except MissingError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """A broker that every test leaves as it was: running, and with topics of their own names."""
    broker = required(Kafka)
    try:
        yield broker.start()
    finally:
        broker.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server that every test leaves running, in databases or schemas of their own."""
    server = required(Cluster)
    try:
        yield server.start()
    finally:
        server.close()
