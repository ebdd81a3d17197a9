"""Hands pages of messages to Kafka, each within a deadline, and gives up a producer that hangs."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError
from kafka.partitioner.default import murmur2

from services.chassis.message import Message
from services.chassis.transport import (
    MESSAGE_BYTES,
    OversizedMessageError,
    TransportError,
    encoded,
)
from services.chassis.transport.kafka.client import connect
from services.chassis.transport.kafka.settings import KafkaSettings
from services.chassis.transport.kafka.topics import batch_limit

LOGGER = logging.getLogger(__name__)
RECORD_BYTES = 128
"""More than a record needs beside its value: key, lengths, time."""
BATCH_HEAD = 1024
"""More than a batch needs beside its records."""
LOOK = 0.5
"""Seconds between looks at the deadline while a wave is under way."""
LAST_BREATH = 5.0
"""Seconds that a producer given up may take to notice."""


@dataclass(frozen=True, slots=True)
class Record:
    """A message on its way to one partition."""

    partition: int
    key: bytes | None
    raw: bytes
    message_id: str


class KafkaTransport:
    """Sends pages to topics; safe among threads, one page of a topic at a time."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Connect when the first page is sent."""
        self._settings = settings
        self._lanes: dict[str, _Lane] = {}
        self._lock = threading.Lock()

    def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Hand a page over, in order; returns when all brokers in sync have all of it.

        Raises:
            TransportError: within the deadline not all was acknowledged; the page is to come again.
            OversizedMessageError: a message is too large; nothing was sent.
        """
        with self._lock:
            lane = self._lanes.setdefault(topic, _Lane(self._settings, topic))
        lane.send(messages)

    def close(self) -> None:
        """Let go of all connections; what `send` returned for is safe already."""
        with self._lock:
            lanes = list(self._lanes.values())
        for lane in lanes:
            lane.close()


class _Lane:
    """One topic with a producer of its own, so that nothing hangs because of another topic."""

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        self._settings, self._topic = settings, topic
        self._lock = threading.Lock()
        self._producer: KafkaProducer | None = None
        self._limit = MESSAGE_BYTES

    def send(self, messages: Sequence[Message]) -> None:
        raws = encoded(messages)
        deadline = monotonic() + self._settings.deadline_s
        if not self._lock.acquire(timeout=self._settings.deadline_s):
            raise TransportError(f"{self._topic}: another page takes all the time there is")
        try:
            self._send(messages, raws, deadline)
        except (KafkaError, TimeoutError, ValueError, OSError) as error:
            self._give_up()
            name = type(error).__name__
            LOGGER.warning("producer given up", extra={"topic": self._topic, "error": name})
            raise TransportError(f"{self._topic}: the page was not acknowledged: {name}") from None
        finally:
            self._lock.release()

    def close(self) -> None:
        if self._lock.acquire(timeout=LAST_BREATH):
            producer, self._producer = self._producer, None
            self._lock.release()
            if producer is not None:
                _end(producer)
        else:
            self._give_up()

    def _send(self, messages: Sequence[Message], raws: list[bytes], deadline: float) -> None:
        producer = self._connected(deadline)
        for message, raw in zip(messages, raws, strict=True):
            if len(raw) > self._limit:
                raise OversizedMessageError(message.id, len(raw), self._limit)
        partitions = sorted(producer.partitions_for(self._topic))
        records = list(_records(messages, raws, partitions))
        for wave in _waves(records, self._limit + RECORD_BYTES):
            self._hand_over(producer, wave, deadline)

    def _connected(self, deadline: float) -> KafkaProducer:
        if self._producer is None:
            left = _left(deadline)
            limit = batch_limit(self._settings, self._topic, left) - BATCH_HEAD - RECORD_BYTES
            self._limit = min(MESSAGE_BYTES, limit)
            self._producer = connect(
                KafkaProducer, self._settings, _left(deadline), **self._options()
            )
        return self._producer

    def _options(self) -> dict[str, Any]:
        """A wave fills at most one batch of a partition, and leaves when it is flushed.

        A batch is stored whole or not at all, so nothing after an unsent message is ever sent: with
        several batches a later one may be stored although an earlier one was given up.
        """
        deadline_ms = round(self._settings.deadline_s * 1000)
        return {
            "metrics_enabled": False,
            "acks": "all",
            "enable_idempotence": True,
            "allow_auto_create_topics": False,
            "batch_size": self._limit + RECORD_BYTES + BATCH_HEAD,
            "linger_ms": deadline_ms,
            "delivery_timeout_ms": deadline_ms + round(self._settings.request_s * 1000),
            "max_block_ms": deadline_ms,
        }

    def _hand_over(self, producer: KafkaProducer, wave: list[Record], deadline: float) -> None:
        futures = [
            producer.send(self._topic, one.raw, one.key, partition=one.partition) for one in wave
        ]
        while not all(future.is_done for future in futures):
            with suppress(KafkaTimeoutError):
                producer.flush(min(LOOK, _left(deadline)))
        for record, future in zip(wave, futures, strict=True):
            if isinstance(future.exception, MessageSizeTooLargeError):
                raise OversizedMessageError(record.message_id, len(record.raw), self._limit)
            if future.exception is not None:
                raise future.exception

    def _give_up(self) -> None:
        """Leave the producer behind without waiting for it."""
        producer, self._producer = self._producer, None
        if producer is not None:
            threading.Thread(
                target=_end, args=(producer,), name="end of a producer", daemon=True
            ).start()


def _records(
    messages: Sequence[Message], raws: list[bytes], partitions: list[int]
) -> Iterator[Record]:
    for message, raw in zip(messages, raws, strict=True):
        if message.key is None:
            for partition in partitions:
                yield Record(partition, None, raw, message.id)
        else:
            key = message.key.hex.encode()
            yield Record(partitions[_hash(key) % len(partitions)], key, raw, message.id)


def _waves(records: Sequence[Record], room: int) -> Iterator[list[Record]]:
    """Records in order, cut where the next would not fit into one batch of its partition."""
    wave: list[Record] = []
    filled: dict[int, int] = {}
    for record in records:
        size = len(record.raw) + RECORD_BYTES
        if filled.get(record.partition, 0) + size > room:
            yield wave
            wave, filled = [], {}
        wave.append(record)
        filled[record.partition] = filled.get(record.partition, 0) + size
    if wave:
        yield wave


@lru_cache(maxsize=10_000)
def _hash(key: bytes) -> int:
    """As every client of Kafka finds the partition of a key, so that others may write too."""
    return int(murmur2(key)) & 0x7FFFFFFF


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _end(producer: KafkaProducer) -> None:
    """Stop a producer's thread and connections, whatever it waits for.

    Its `close` waits for what is under way first and, when that takes too long, raises and leaves
    the thread running; so the thread is told to stop, and closing finds nothing to wait for.
    """
    sender = producer._sender
    sender.force_close()
    sender.join(LAST_BREATH)
    with suppress(KafkaError):
        producer.close(timeout=0)
