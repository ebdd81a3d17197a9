"""Both ends of a transport: a receiver that stores like ours do, and what carries to it."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

from services.chassis.message import Message, decode
from services.chassis.transport import Delivery, Receiver, Transport, TransportError
from services.chassis.transport.embedded import EmbeddedTransport
from services.chassis.transport.kafka.receiver import KafkaReceiver
from services.chassis.transport.kafka.sender import KafkaTransport
from services.chassis.transport.kafka.settings import KafkaSettings
from services.chassis.transport.kafka.topics import create_topics
from tests.servers import Kafka

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LOG = "1f" * 16
PATIENCE = 60.0


def messages(keys: Iterable[UUID | None], start: int = 1, **data: Any) -> list[Message]:
    """A page: one message a key, at positions that follow each other."""
    return [
        Message(
            type="sample.told" if key else "heartbeat",
            version=1,
            id=f"{position}.{key.hex if key else 'all'}",
            key=key,
            time=NOON,
            log_id=LOG,
            position=position,
            data={"n": position, **data},
        )
        for position, key in enumerate(keys, start)
    ]


def eventually(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


class Shelf:
    """What a consumer stores: effects and offsets, in one commit; survives its receiver."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken: list[Delivery] = []
        self.offsets: dict[str, int] = {}

    def position(self, source: str) -> int:
        with self.lock:
            return self.offsets.get(source, 0)

    def store(self, delivery: Delivery) -> None:
        with self.lock:
            if delivery.offset <= self.offsets.get(delivery.source, 0):
                return
            self.taken.append(delivery)
            self.offsets[delivery.source] = delivery.offset

    def numbers(self) -> dict[str, list[int]]:
        """What took effect, by key, in order."""
        found: dict[str, list[int]] = {}
        with self.lock:
            for one in self.taken:
                found.setdefault(one.key, []).append(decode(one.raw).data["n"])
        return found

    def count(self) -> int:
        with self.lock:
            return len(self.taken)


class Taker:
    """A receiver on a shelf; fails or dawdles when told to."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.seen: list[Delivery] = []
        self.fail_after: int | None = None
        self.failures = 0
        self.pages = 0
        self.dawdle: Callable[[], object] = lambda: None

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        assert len({one.source for one in deliveries}) == 1, "a page is of one partition"
        self.pages += 1
        self.dawdle()
        for count, delivery in enumerate(deliveries):
            if self.fail_after is not None and count >= self.fail_after:
                self.fail_after = None
                self.failures += 1
                raise OSError("the database is locked")
            self.seen.append(delivery)
            self.shelf.store(delivery)


class Carrier(Protocol):
    """What brings messages from one end to the other."""

    topic: str
    partitions: int

    @property
    def transport(self) -> Transport: ...

    def attach(self, receiver: Receiver, stored: Callable[[str], int]) -> object: ...

    def detach(self) -> None: ...

    def close(self) -> None: ...


def send(carrier: Carrier, page: Sequence[Message]) -> None:
    """Send as a follower does: the same page again until it is safe at the other side."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            carrier.transport.send(carrier.topic, page)
        except TransportError:
            assert time.monotonic() < deadline, "the page could not be handed over"
            time.sleep(0.05)
        else:
            return


class EmbeddedCarrier:
    """Both ends in one process; a restart of the receiver is one of the process."""

    topic = "sample"
    partitions = 1

    def __init__(self) -> None:
        self._transport = EmbeddedTransport()

    @property
    def transport(self) -> EmbeddedTransport:
        return self._transport

    def attach(self, receiver: Receiver, stored: Callable[[str], int]) -> None:
        self._transport.subscribe(self.topic, receiver)

    def detach(self) -> None:
        self._transport = EmbeddedTransport()

    def close(self) -> None:
        self.detach()


class KafkaCarrier:
    """Ends that a broker lies between."""

    def __init__(self, broker: Kafka, **changes: Any) -> None:
        self.topic = f"sample.{uuid4().hex[:8]}"
        self.partitions = int(changes.get("partitions", 3))
        options: dict[str, Any] = {"partitions": 3, "session_s": 6.0, "metadata_s": 1.0}
        self.settings = KafkaSettings(bootstrap=(broker.bootstrap,), **options | changes)
        create_topics(self.settings, [self.topic])
        self.transport = KafkaTransport(self.settings)
        self.receivers: list[KafkaReceiver] = []

    def attach(
        self, receiver: Receiver, stored: Callable[[str], int], **more: Any
    ) -> KafkaReceiver:
        """One more member of the group."""
        thread = KafkaReceiver(self.settings, self.topic, receiver, stored, self.topic, **more)
        thread.start()
        self.receivers.append(thread)
        return thread

    def detach(self) -> None:
        while self.receivers:
            self.receivers.pop().stop()

    def close(self) -> None:
        self.detach()
        self.transport.close()
