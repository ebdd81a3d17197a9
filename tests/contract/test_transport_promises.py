"""What every transport promises, on the embedded one and on Kafka."""

import gc
from collections.abc import Iterator
from itertools import chain, repeat
from threading import Thread
from uuid import UUID, uuid4

import pytest

from services.chassis.message import decode
from services.chassis.transport import MESSAGE_BYTES, OversizedMessageError
from tests.contract.transport_rig import (
    Carrier,
    EmbeddedCarrier,
    KafkaCarrier,
    Shelf,
    Taker,
    eventually,
    messages,
    send,
)

# The library leaves sockets of failed connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
KEYS = [UUID(int=number) for number in (1, 2, 3, 5, 8)]


@pytest.fixture(params=["embedded", "kafka"])
def carrier(request: pytest.FixtureRequest) -> Iterator[Carrier]:
    one: Carrier = (
        EmbeddedCarrier()
        if request.param == "embedded"
        else KafkaCarrier(request.getfixturevalue("kafka"))
    )
    yield one
    one.close()
    gc.collect()  # here, where what the library leaves open is no failure


@pytest.fixture
def taker() -> Taker:
    return Taker(Shelf())


def every(times: int) -> list[UUID | None]:
    """Each key so many times, in turn."""
    return list(chain.from_iterable(repeat(KEYS, times)))


def expected(count: int) -> dict[str, list[int]]:
    turn = len(KEYS)
    return {key.hex: list(range(at + 1, count + 1, turn)) for at, key in enumerate(KEYS)}


def test_messages_of_a_key_arrive_in_order(carrier: Carrier, taker: Taker) -> None:
    carrier.attach(taker, taker.shelf.position)
    send(carrier, messages(every(20)))
    send(carrier, messages(every(20), start=101))

    eventually(lambda: taker.shelf.count() == 200, "all have arrived")
    assert taker.shelf.numbers() == expected(200)


def test_a_delivery_is_the_message_unchanged(carrier: Carrier, taker: Taker) -> None:
    (message,) = page = messages([KEYS[0]], text="größer als früher")
    carrier.attach(taker, taker.shelf.position)
    send(carrier, page)

    eventually(lambda: taker.shelf.count() == 1, "it has arrived")
    (delivery,) = taker.shelf.taken
    assert decode(delivery.raw) == message
    assert (delivery.topic, delivery.key) == (carrier.topic, KEYS[0].hex)
    assert delivery.offset > 0, "a stored 0 says that nothing was taken"


def test_a_receiver_that_fails_halfway_gets_the_rest_again(carrier: Carrier, taker: Taker) -> None:
    taker.fail_after = 3
    carrier.attach(taker, taker.shelf.position)
    send(carrier, messages(every(10)))

    eventually(lambda: taker.shelf.count() == 50, "all have arrived")
    assert taker.failures == 1
    assert taker.shelf.numbers() == expected(50)


def test_a_receiver_started_again_goes_on_where_it_stored(carrier: Carrier, taker: Taker) -> None:
    carrier.attach(taker, taker.shelf.position)
    send(carrier, messages(every(4)))
    eventually(lambda: taker.shelf.count() == 20, "the first page has arrived")
    carrier.detach()

    meanwhile = Thread(target=send, args=(carrier, messages(every(4), start=21)))
    meanwhile.start()
    second = Taker(taker.shelf)
    carrier.attach(second, taker.shelf.position)
    meanwhile.join()

    eventually(lambda: taker.shelf.count() == 40, "the second page has arrived")
    assert taker.shelf.numbers() == expected(40)
    assert len(second.seen) == 20, "nothing that was stored comes again"


def test_what_comes_again_is_known_by_its_offset(carrier: Carrier, taker: Taker) -> None:
    page = messages(every(4))
    carrier.attach(taker, taker.shelf.position)
    send(carrier, page)
    eventually(lambda: taker.shelf.count() == 20, "the page has arrived")
    carrier.detach()

    forgetful = Taker(taker.shelf)
    carrier.attach(forgetful, lambda source: 0)
    if isinstance(carrier, EmbeddedCarrier):
        send(carrier, page)

    eventually(lambda: len(forgetful.seen) == 20, "the page has come again")
    assert set(forgetful.seen) == set(taker.seen)
    assert taker.shelf.numbers() == expected(20)


def test_an_oversized_message_is_named_and_nothing_is_sent(carrier: Carrier, taker: Taker) -> None:
    small, large = messages(KEYS[:2]), messages([KEYS[2]], 3, text="x" * MESSAGE_BYTES)
    carrier.attach(taker, taker.shelf.position)

    with pytest.raises(OversizedMessageError) as refused:
        carrier.transport.send(carrier.topic, [*small, *large])
    assert refused.value.message_id == large[0].id

    send(carrier, messages([KEYS[3]], 4))
    eventually(lambda: taker.shelf.count() == 1, "the next page has arrived")
    assert taker.shelf.numbers() == {KEYS[3].hex: [4]}


def test_the_largest_messages_arrive_in_order(carrier: Carrier, taker: Taker) -> None:
    key = uuid4()
    carrier.attach(taker, taker.shelf.position)
    send(carrier, messages([key] * 6, text="x" * (MESSAGE_BYTES - 1000)))

    eventually(lambda: taker.shelf.count() == 6, "all have arrived")
    assert taker.shelf.numbers() == {key.hex: [1, 2, 3, 4, 5, 6]}


def test_a_heartbeat_reaches_every_partition(carrier: Carrier, taker: Taker) -> None:
    carrier.attach(taker, taker.shelf.position)
    send(carrier, messages([None]))

    eventually(lambda: taker.shelf.count() == carrier.partitions, "all have it")
    assert {one.partition for one in taker.shelf.taken} == set(range(carrier.partitions))
    assert {one.key for one in taker.shelf.taken} == {""}
