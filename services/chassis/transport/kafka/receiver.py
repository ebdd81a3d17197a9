"""Takes a topic's messages from Kafka to a receiver that stores effects and offset together."""

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import MemberState

from services.chassis.transport import Delivery, Receiver, source
from services.chassis.transport.kafka.client import connect
from services.chassis.transport.kafka.settings import KafkaSettings
from services.chassis.transport.kafka.topics import topic_id

LOGGER = logging.getLogger(__name__)
POLL_MS = 200
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds before the first and any later try after a failure; each try doubles it."""
LOOK_AGAIN = 10.0
"""Seconds between looks whether a partition that stands still can go on."""
LEAVING_MS = 3000


class ReceiverReport(Protocol):
    """Where a receiver tells how it fares, for metrics."""

    def received(self, topic: str, partition: int, count: int, behind: int) -> None:
        """A page took effect; so many messages of the partition wait behind it."""
        ...

    def failed(self, topic: str, error: str) -> None:
        """Something raised an error of this class and will be tried again."""
        ...

    def stands_still(self, topic: str, partition: int, *, still: bool) -> None:
        """Messages after the stored offset are gone from the partition; or it goes on again."""
        ...


class Quiet:
    """Reports nothing."""

    def received(self, topic: str, partition: int, count: int, behind: int) -> None:
        """Nothing."""

    def failed(self, topic: str, error: str) -> None:
        """Nothing."""

    def stands_still(self, topic: str, partition: int, *, still: bool) -> None:
        """Nothing."""


@dataclass(slots=True)
class _Place:
    """How a partition given to us stands; it is paused unless it is being read."""

    log_id: str = ""
    reading: bool = False
    still: bool = False
    due: float = 0.0
    wait: float = FIRST_WAIT

    def later(self) -> None:
        """Try again after a while, and after a longer one next time."""
        self.reading = False
        self.due = monotonic() + self.wait
        self.wait = min(self.wait * 2, LONGEST_WAIT)


class KafkaReceiver(threading.Thread):
    """A member of a consumer group that reads one topic for one receiver, from stored offsets.

    The group shares out partitions; where to read on is never its business, since the receiver
    stores its offsets with its effects. What the group is told is for displays of lag.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topic: str,
        receiver: Receiver,
        stored: Callable[[str], int],
        group: str,
        report: ReceiverReport | None = None,
    ) -> None:
        """`stored` gives the offset stored for a source (see `Delivery`), 0 when none is."""
        super().__init__(name=f"receiver of {topic}", daemon=True)
        self._settings, self._topic, self._group = settings, topic, group
        self._receiver, self._stored = receiver, stored
        self._report: ReceiverReport = report or Quiet()
        self._stopping = threading.Event()
        self._places: dict[TopicPartition, _Place] = {}
        self._beat = monotonic()

    # What others ask

    def stop(self) -> None:
        """Let the page at hand be stored, leave the group, and end; joins."""
        self._stopping.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join()

    @property
    def silence(self) -> float:
        """Seconds since the last turn ended: those of a dead or stuck receiver grow."""
        return monotonic() - self._beat

    @property
    def partitions(self) -> list[int]:
        """The partitions that are being read here, in order."""
        return sorted(tp.partition for tp, place in list(self._places.items()) if place.reading)

    @property
    def standing_still(self) -> list[int]:
        """The partitions whose messages after the stored offset are gone; nothing is skipped."""
        return sorted(tp.partition for tp, place in list(self._places.items()) if place.still)

    # The loop

    def run(self) -> None:
        """Read until stopped; brokers may come and go."""
        wait = FIRST_WAIT
        while not self._stopping.is_set():
            try:
                with self._consumer() as consumer:
                    while not self._stopping.is_set():
                        self._turn(consumer)
                        self._beat, wait = monotonic(), FIRST_WAIT
            except Exception as error:
                self._failed(error)
                self._stopping.wait(wait)
                wait = min(wait * 2, LONGEST_WAIT)
                self._beat = monotonic()

    @contextmanager
    def _consumer(self) -> Iterator[KafkaConsumer]:
        consumer = connect(
            KafkaConsumer, self._settings, self._settings.request_s, **self._options()
        )
        try:
            consumer.subscribe(
                [self._topic], listener=_Rebalance(consumer, self._given, self._taken)
            )
            yield consumer
        finally:
            with suppress(KafkaError):
                consumer.close(autocommit=False, timeout_ms=LEAVING_MS)
            for tp in list(self._places):
                self._taken(tp)

    def _options(self) -> dict[str, Any]:
        return {
            "group_id": self._group,
            "metrics_enabled": False,
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "allow_auto_create_topics": False,
            "max_poll_records": self._settings.page,
            "max_poll_interval_ms": round(self._settings.slow_s * 1000),
            "session_timeout_ms": round(self._settings.session_s * 1000),
            "heartbeat_interval_ms": round(self._settings.session_s * 1000 / 10),
        }

    def _turn(self, consumer: KafkaConsumer) -> None:
        self._place(consumer)
        for tp, records in consumer.poll(timeout_ms=POLL_MS).items():
            if self._stopping.is_set():
                return
            self._hand_over(consumer, tp, records)
        _keep_joining(consumer)

    def _failed(self, error: Exception) -> None:
        name = type(error).__name__
        self._report.failed(self._topic, name)
        LOGGER.warning("receiver tries again", extra={"topic": self._topic, "error": name})

    # Where to read on

    def _given(self, tp: TopicPartition) -> None:
        self._places[tp] = _Place()

    def _taken(self, tp: TopicPartition) -> None:
        place = self._places.pop(tp, None)
        if place is not None:
            self._tell(tp, place, still=False)

    def _place(self, consumer: KafkaConsumer) -> None:
        """Find the place of every partition that is paused and due."""
        now = monotonic()
        due = [tp for tp, one in self._places.items() if not one.reading and one.due <= now]
        if not due:
            return
        log_id = topic_id(self._settings, self._topic)
        begins, ends = consumer.beginning_offsets(due), consumer.end_offsets(due)
        for tp in due:
            place = self._places[tp]
            place.log_id = log_id
            self._seek(consumer, tp, place, begins[tp], ends[tp])

    def _seek(
        self, consumer: KafkaConsumer, tp: TopicPartition, place: _Place, begin: int, end: int
    ) -> None:
        try:
            stored = self._stored(source(place.log_id, tp.topic, tp.partition))
        except Exception as error:  # the receiver's store is away
            self._failed(error)
            place.later()
            return
        # Offsets stored start at 1, so the number stored last is the next one of the broker.
        still = bool(stored) and not begin <= stored <= end
        self._tell(tp, place, still=still)
        if still:
            place.due = monotonic() + LOOK_AGAIN
            return
        consumer.seek(tp, stored or begin)
        consumer.resume(tp)
        place.reading = True

    def _tell(self, tp: TopicPartition, place: _Place, *, still: bool) -> None:
        if still == place.still:
            return
        place.still = still
        self._report.stands_still(tp.topic, tp.partition, still=still)
        if still:
            LOGGER.error(
                "a partition waits: messages after its stored offset are gone",
                extra={"topic": tp.topic, "partition": tp.partition},
            )

    # Handing over

    def _hand_over(self, consumer: KafkaConsumer, tp: TopicPartition, records: list[Any]) -> None:
        place = self._places.get(tp)
        if place is None or not place.reading:
            return
        try:
            self._receiver.receive([_delivery(place.log_id, one) for one in records])
        except Exception as error:
            self._failed(error)
            consumer.pause(tp)
            place.later()
            return
        place.wait = FIRST_WAIT
        reached = records[-1].offset + 1
        behind = max(0, (consumer.highwater(tp) or reached) - reached)
        self._report.received(tp.topic, tp.partition, len(records), behind)
        with suppress(KafkaError):
            consumer.commit_async({tp: OffsetAndMetadata(reached)})


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]
    """Keeps what the group gives us paused until its place is known.

    Called in the client's own thread, which must not wait for a store or for Kafka.
    """

    def __init__(
        self,
        consumer: KafkaConsumer,
        given: Callable[[TopicPartition], None],
        taken: Callable[[TopicPartition], None],
    ) -> None:
        self._consumer, self._given, self._taken = consumer, given, taken

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Pause them; without a place of their own they would get the group's."""
        for tp in assigned:
            self._consumer.pause(tp)
            self._consumer.seek(tp, 0)
            self._given(tp)

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Forget them: what was not stored comes again, to whoever has them then."""
        for tp in revoked:
            self._taken(tp)


def _keep_joining(consumer: KafkaConsumer) -> None:
    """Let the next poll go on with a join that a short poll has left under way.

    When partitions were added, the client sees no reason to join any more once it has shared them
    out, whether or not it has learnt its own share: it would wait for ever with nothing to read.
    """
    if consumer.group_metadata().state != MemberState.STABLE:
        consumer._coordinator.request_rejoin()


def _delivery(log_id: str, record: Any) -> Delivery:
    return Delivery(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset + 1,
        key=(record.key or b"").decode(errors="replace"),
        raw=record.value or b"",
        log_id=log_id,
    )
