"""What the transport over Kafka keeps while brokers, topics and receivers misbehave."""

import gc
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource

from services.chassis.message import Message
from services.chassis.transport import OversizedMessageError, TransportError, source
from services.chassis.transport.kafka import receiver
from services.chassis.transport.kafka.receiver import KafkaReceiver
from services.chassis.transport.kafka.sender import KafkaTransport
from services.chassis.transport.kafka.settings import KafkaSettings
from services.chassis.transport.kafka.topics import create_topics, topic_id
from tests.contract.transport_rig import KafkaCarrier, Shelf, Taker, eventually, messages, send
from tests.servers import Kafka
from tests.servers.place import free_ports

# The library leaves sockets of failed connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
KEYS = [UUID(int=number) for number in (1, 2, 3, 5, 8)]
Make = Callable[..., KafkaCarrier]


@pytest.fixture
def carrier(kafka: Kafka) -> Iterator[Make]:
    made: list[KafkaCarrier] = []

    def make(**changes: Any) -> KafkaCarrier:
        made.append(KafkaCarrier(kafka, **changes))
        return made[-1]

    yield make
    for one in made:
        one.close()
    gc.collect()  # here, where what the library leaves open is no failure


@pytest.fixture
def taker() -> Taker:
    return Taker(Shelf())


def pages(count: int) -> list[list[Message]]:
    size = len(KEYS) * 4
    return [messages(KEYS * 4, start=1 + size * at) for at in range(count)]


def send_all(between: KafkaCarrier, count: int) -> None:
    for page in pages(count):
        send(between, page)


def once(shelf: Shelf) -> dict[str, list[int]]:
    """By key, each number where it came first: a page sent again says nothing new."""
    return {key: list(dict.fromkeys(numbers)) for key, numbers in shelf.numbers().items()}


def all_of(count: int) -> dict[str, list[int]]:
    return {key.hex: list(range(at + 1, count + 1, len(KEYS))) for at, key in enumerate(KEYS)}


def senders() -> list[str]:
    """The threads of producers that still live."""
    return [one.name for one in threading.enumerate() if one.name.endswith("-network-thread")]


class Alarms:
    """Notes what a receiver reports."""

    def __init__(self) -> None:
        self.still: list[tuple[int, bool]] = []
        self.errors: list[str] = []

    def received(self, topic: str, partition: int, count: int, behind: int) -> None:
        pass

    def failed(self, topic: str, error: str) -> None:
        self.errors.append(error)

    def stands_still(self, topic: str, partition: int, *, still: bool) -> None:
        self.still.append((partition, still))


def test_a_broker_killed_in_the_middle_costs_nothing(
    kafka: Kafka, carrier: Make, taker: Taker
) -> None:
    between = carrier(deadline_s=3.0, request_s=1.0)
    between.attach(taker, taker.shelf.position)
    work = threading.Thread(target=send_all, args=(between, 40))
    work.start()
    eventually(lambda: taker.shelf.count() > 100, "some have arrived")
    kafka.kill()
    time.sleep(0.5)
    kafka.start()
    work.join()

    eventually(lambda: once(taker.shelf) == all_of(800), "all have arrived, in order")


def test_a_frozen_broker_holds_a_page_no_longer_than_its_deadline(
    kafka: Kafka, carrier: Make, taker: Taker
) -> None:
    between = carrier(deadline_s=2.0, request_s=1.0)
    one = between.attach(taker, taker.shelf.position)
    first, second, third = pages(3)
    send(between, first)
    eventually(lambda: taker.shelf.count() == 20, "the first page has arrived")

    kafka.freeze()
    try:
        for _ in range(2):
            started = time.monotonic()
            with pytest.raises(TransportError):
                between.transport.send(between.topic, second)
            assert time.monotonic() - started < 4
        eventually(lambda: not senders(), "producers given up have ended")
        started = time.monotonic()
        one.stop()
        assert time.monotonic() - started < 10
    finally:
        kafka.thaw()

    between.attach(taker, taker.shelf.position)
    send(between, second)
    send(between, third)
    eventually(lambda: once(taker.shelf) == all_of(60), "all have arrived, in order")


def test_partitions_added_are_filled_and_read(
    carrier: Make, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "POLL_MS", 5)  # so short that joining outlasts it
    between = carrier(partitions=2)
    one = between.attach(taker, taker.shelf.position)
    send(between, messages([UUID(int=key) for key in range(40)]))
    eventually(lambda: taker.shelf.count() == 40, "all have arrived")
    assert {each.partition for each in taker.shelf.taken} == {0, 1}

    more = KafkaSettings(bootstrap=between.settings.bootstrap, partitions=5)
    create_topics(more, [between.topic])
    eventually(lambda: one.partitions == [0, 1, 2, 3, 4], "all partitions are read")
    eventually(lambda: _spread(between, taker) == {0, 1, 2, 3, 4}, "all partitions are written")


def _spread(between: KafkaCarrier, taker: Taker) -> set[int]:
    send(between, messages([UUID(int=key) for key in range(40)], start=taker.shelf.count() + 1))
    time.sleep(0.3)
    return {each.partition for each in taker.shelf.taken}


def test_a_receiver_that_is_too_slow_is_taken_over_from(carrier: Make, taker: Taker) -> None:
    between = carrier(partitions=1, slow_s=2.0)
    send(between, messages(KEYS * 4))
    stuck = threading.Event()
    taker.dawdle = partial(stuck.wait, 60)
    slow = between.attach(taker, taker.shelf.position)
    eventually(lambda: taker.pages == 1, "the slow one is at work")

    other = Taker(taker.shelf)
    between.attach(other, taker.shelf.position)
    eventually(lambda: taker.shelf.count() == 20, "the other has taken over")
    stuck.set()
    eventually(lambda: len(taker.seen) == 20, "the slow one is done too")

    send(between, messages(KEYS * 4, start=21))
    eventually(lambda: taker.shelf.count() == 40, "the next page has arrived")
    assert slow.is_alive()
    assert taker.shelf.numbers() == all_of(40), "nothing took effect twice"


def test_a_receiver_always_slower_than_its_interval_gets_on(carrier: Make, taker: Taker) -> None:
    between = carrier(partitions=1, slow_s=1.0, page=10)
    taker.dawdle = lambda: time.sleep(1.5)
    between.attach(taker, taker.shelf.position)
    send(between, messages(KEYS * 4))

    eventually(lambda: taker.shelf.count() == 20, "all have arrived")
    assert taker.shelf.numbers() == all_of(20)


def test_receivers_share_partitions_as_they_come_and_go(carrier: Make, taker: Taker) -> None:
    between, other = carrier(partitions=4), Taker(taker.shelf)
    work = threading.Thread(target=send_all, args=(between, 40))
    first = between.attach(taker, taker.shelf.position)
    work.start()
    second = between.attach(other, taker.shelf.position)

    eventually(lambda: len(second.partitions) == 2, "the second has its share")
    eventually(lambda: len(first.partitions) == 2, "the first has its share")
    assert sorted(first.partitions + second.partitions) == [0, 1, 2, 3]
    first.stop()
    eventually(lambda: len(second.partitions) == 4, "the second has all")
    work.join()
    eventually(lambda: taker.shelf.count() >= 800, "all have arrived")
    assert taker.shelf.numbers() == all_of(800)


def test_messages_that_are_gone_stop_their_partition_alone(
    carrier: Make, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "LOOK_AGAIN", 0.3)
    between, alarms = carrier(partitions=2), Alarms()
    keys = _one_key_a_partition(between)
    send(between, messages([keys[0]] * 10))
    name = source(topic_id(between.settings, between.topic), between.topic, 0)
    taker.shelf.offsets[name] = 2
    _admin(between, lambda admin: admin.delete_records({TopicPartition(between.topic, 0): 8}))

    one = between.attach(taker, taker.shelf.position, report=alarms)
    eventually(lambda: one.standing_still == [0], "the gap is noticed")
    send(between, messages([keys[1]] * 5, start=11))
    eventually(lambda: taker.shelf.count() == 5, "the other partition goes on")
    assert taker.shelf.numbers() == {keys[1].hex: [11, 12, 13, 14, 15]}, "nothing was skipped"
    assert alarms.still == [(0, True)]

    taker.shelf.offsets[name] = 8  # the gap is accepted
    eventually(lambda: taker.shelf.count() == 7, "the rest has arrived")
    assert taker.shelf.numbers()[keys[0].hex] == [9, 10]
    assert alarms.still == [(0, True), (0, False)]


def test_a_stored_offset_past_the_end_stops_the_partition(carrier: Make, taker: Taker) -> None:
    between = carrier(partitions=1)
    send(between, messages(KEYS))
    log_id = topic_id(between.settings, between.topic)
    taker.shelf.offsets[source(log_id, between.topic, 0)] = 6

    one = between.attach(taker, taker.shelf.position)
    eventually(lambda: one.standing_still == [0], "the gap is noticed")
    assert not taker.seen


def test_a_topic_made_anew_is_read_from_its_beginning(carrier: Make, taker: Taker) -> None:
    between = carrier()
    between.attach(taker, taker.shelf.position)
    send(between, messages(KEYS))
    eventually(lambda: taker.shelf.count() == 5, "the first have arrived")
    between.detach()
    _admin(between, lambda admin: admin.delete_topics([between.topic]))
    eventually(lambda: _is_gone(between), "the topic is gone")
    create_topics(between.settings, [between.topic])

    between.attach(taker, taker.shelf.position)
    send(between, messages(KEYS, start=6))
    eventually(lambda: taker.shelf.count() == 10, "the others have arrived too")
    assert taker.shelf.numbers() == all_of(10)


def test_a_topic_that_takes_less_than_stated_is_respected(carrier: Make, taker: Taker) -> None:
    between = carrier()
    limit = ConfigResource("topic", between.topic, {"max.message.bytes": "20000"})
    _admin(between, lambda admin: admin.alter_configs([limit]))
    between.attach(taker, taker.shelf.position)

    small, large = messages([KEYS[0]] * 20, text="x" * 5000), messages([KEYS[0]], 21, t="x" * 30000)
    with pytest.raises(OversizedMessageError) as refused:
        between.transport.send(between.topic, [*small, *large])
    assert refused.value.message_id == large[0].id

    send(between, small)
    eventually(lambda: taker.shelf.count() == 20, "what fits has arrived")
    assert taker.shelf.numbers() == {KEYS[0].hex: list(range(1, 21))}


def test_a_broker_that_is_away_leaves_no_threads_behind(taker: Taker) -> None:
    (port,) = free_ports(1)
    settings = KafkaSettings(bootstrap=(f"127.0.0.1:{port}",), deadline_s=0.5, request_s=0.5)
    before, alarms = threading.active_count(), Alarms()
    one = KafkaReceiver(settings, "sample", taker, taker.shelf.position, "sample", alarms)
    one.start()
    transport = KafkaTransport(settings)
    for _ in range(3):
        with pytest.raises(TransportError):
            transport.send("sample", messages(KEYS))
    eventually(lambda: len(alarms.errors) >= 3, "the receiver has tried thrice")
    assert one.is_alive()
    one.stop()
    transport.close()

    eventually(lambda: threading.active_count() <= before, "every thread has ended")


def _admin(between: KafkaCarrier, act: Callable[[KafkaAdminClient], object]) -> None:
    admin = KafkaAdminClient(bootstrap_servers=list(between.settings.bootstrap))
    try:
        act(admin)
    finally:
        admin.close()


def _is_gone(between: KafkaCarrier) -> bool:
    try:
        topic_id(between.settings, between.topic)
    except TransportError:
        return True
    return False


def _one_key_a_partition(between: KafkaCarrier) -> dict[int, UUID]:
    """Keys of the first two partitions, found by sending; what was sent is deleted again."""
    probe, found = Taker(Shelf()), [uuid4() for _ in range(20)]
    send(between, messages(found))
    between.attach(probe, probe.shelf.position)
    eventually(lambda: probe.shelf.count() == 20, "the probes have arrived")
    between.detach()
    between.transport.close()
    keys = {each.partition: UUID(each.key) for each in probe.shelf.taken}
    _admin(between, lambda admin: admin.delete_topics([between.topic]))
    eventually(lambda: _is_gone(between), "the topic is gone")
    create_topics(between.settings, [between.topic])
    between.transport = KafkaTransport(between.settings)
    return keys
