"""Clients of Kafka that leave no thread behind when their brokers do not answer."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from kafka.net.compat import KafkaNetClient

from services.chassis.transport.kafka.settings import KafkaSettings

C = TypeVar("C")

# The library says a lot in its log, at the level of debugging with keys and values of messages;
# what an operator needs to know is said by our own lines and metrics.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


def connect(kind: Callable[..., C], settings: KafkaSettings, timeout_s: float, **options: Any) -> C:
    """A client of this kind, connected within `timeout_s`.

    Raises:
        kafka.errors.KafkaError: no broker answered, or not to this user.
    """
    networks: list[KafkaNetClient] = []

    def network(**configs: Any) -> KafkaNetClient:
        networks.append(KafkaNetClient(**configs))
        return networks[-1]

    try:
        return kind(
            kafka_client=network,
            bootstrap_timeout_ms=round(timeout_s * 1000),
            **settings.connection | options,
        )
    except BaseException:
        # A constructor that fails has started its thread already and would leave it running.
        for one in networks:
            one.close()
        raise
