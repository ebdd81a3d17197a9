"""How many messages a second leave by Kafka and come in from it, beside one at a time."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.detector import catch_up, opened
from bench.figures import Figure
from bench.process import LONGEST, ServerFailedError
from bench.real import PARTITIONS, Real
from bench.size import Size
from schemas import topics
from services.alerts import settings as alerts_settings
from services.alerts.wiring import Alerts
from services.chassis.clock import SystemClock
from services.chassis.follower import Follower
from services.chassis.message import Message
from services.chassis.transport.kafka.receiver import KafkaReceiver
from services.chassis.transport.kafka.sender import KafkaTransport
from services.chassis.transport.kafka.settings import KafkaSettings
from services.chassis.transport.kafka.topics import create_topics
from services.outcomes.relay import Relay

ALONE = "pivotpoint.bench"
"""The topic of the baseline, which nobody reads."""


@dataclass
class Counting:
    """Hands over to Kafka and keeps what was handed over."""

    transport: KafkaTransport
    sent: list[Message] = field(default_factory=list)

    def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Send a page."""
        self.transport.send(topic, messages)
        self.sent += messages


class Tally:
    """Hears from a receiver what took effect, and when; the first page starts the time."""

    def __init__(self, wanted: int) -> None:
        """Be done after `wanted` messages."""
        self._wanted, self._count, self._first = wanted, 0, 0
        self._started = self._ended = 0.0
        self._done = threading.Event()

    def received(self, topic: str, partition: int, count: int, behind: int) -> None:
        """A page took effect."""
        self._ended = time.monotonic()
        self._count += count
        if not self._started:
            self._started, self._first = self._ended, count
        if self._count >= self._wanted:
            self._done.set()

    def failed(self, topic: str, error: str) -> None:
        """It tries again, and the time runs on."""

    def stands_still(self, topic: str, partition: int, *, still: bool) -> None:
        """It waits, and the time runs on."""

    def rate(self) -> float:
        """Messages a second after the first page, once all have come.

        Raises:
            ServerFailedError: they never did.
        """
        if not self._done.wait(LONGEST):
            raise ServerFailedError(f"{self._count} of {self._wanted} messages came in")
        return (self._count - self._first) / (self._ended - self._started)


def figures(size: Size, folder: Path, real: Real) -> list[Figure]:
    """`relay.kafka` and `consumer.kafka`."""
    create_topics(real.kafka, (topics.EPISODES, ALONE))
    relayed, count = _relay(size, folder / "relay", real)
    return [relayed, _consumer(size, folder, real, count)]


def _relay(size: Size, folder: Path, real: Real) -> tuple[Figure, int]:
    """The figure, and how many messages stand in the topic of episodes."""
    store = real.database("relay")
    catch_up(size, folder, store)
    service, transport = opened(folder, store), KafkaTransport(real.kafka)
    try:
        counting, head = Counting(transport), service.log.head()
        relay = Relay(service.store.log(), counting)
        follower = Follower(service.store.log(), [relay], service.store.parking, service.clock)
        follower.turn()  # connects
        first, started = len(counting.sent), time.monotonic()
        while relay.position() < head:
            follower.turn()
        rate = (len(counting.sent) - first) / (time.monotonic() - started)
        alone = _alone(transport, counting.sent[: size.alone + 1])
    finally:
        transport.close()
        service.stop()
    facts = _facts(len(counting.sent), size, "one synchronous send each", "5,000/s")
    return Figure("relay.kafka", rate, "messages/s", alone, facts), len(counting.sent)


def _alone(transport: KafkaTransport, messages: Sequence[Message]) -> float:
    """Messages a second when each is waited for; the first one connects."""
    transport.send(ALONE, messages[:1])
    started = time.monotonic()
    for message in messages[1:]:
        transport.send(ALONE, [message])
    return (len(messages) - 1) / (time.monotonic() - started)


def _consumer(size: Size, folder: Path, real: Real, count: int) -> Figure:
    rate = _taken(folder / "consumer", real.database("consumer"), real.kafka, count)
    one = replace(real.kafka, page=1)
    alone = _taken(folder / "consumer-alone", real.database("consumer_alone"), one, size.alone)
    facts = _facts(count, size, "one message at a time, a commit each", "6,000/s")
    return Figure("consumer.kafka", rate, "messages/s", alone, facts)


def _taken(folder: Path, store: str, kafka: KafkaSettings, count: int) -> float:
    """Messages a second that the alerts service takes up and stores with their offset."""
    service = Alerts.open(alerts_settings.of_folder(folder, STORE=store), SystemClock())
    tally = Tally(count)
    receiver = KafkaReceiver(
        kafka, topics.EPISODES, service.episodes, service.log.position, folder.name, tally
    )
    try:
        receiver.start()
        return tally.rate()
    finally:
        receiver.stop()
        service.stop()


def _facts(count: int, size: Size, baseline: str, goal: str) -> dict[str, object]:
    return {
        "messages": count,
        "page": 500,
        "partitions": PARTITIONS,
        "baseline_messages": size.alone,
        "baseline_is": baseline,
        "goal": goal,
    }
