"""How the transport over Kafka is set up: who may connect, what topics have to be like."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from kafka.record import util as record

from services.chassis.settings import Reader, SettingsError, table
from services.chassis.transport import TransportError
from services.chassis.transport.kafka.receiver import KafkaReceiver
from services.chassis.transport.kafka.sender import KafkaTransport
from services.chassis.transport.kafka.settings import KafkaSettings, read
from services.chassis.transport.kafka.topics import check_topics, create_topics
from tests.contract.transport_rig import Shelf, Taker, eventually, messages
from tests.servers import Kafka
from tests.servers.kafka import PASSWORD, USER

# The library leaves sockets of failed connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
PREFIX = "PIVOTPOINT_SAMPLE_"
PAGE = messages([UUID(int=1), UUID(int=2)])


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()  # here, where what the library leaves open is no failure


def given(*, production: bool = False, **settings: str) -> KafkaSettings | None:
    reader = Reader({f"{PREFIX}KAFKA_{name}": value for name, value in settings.items()}, PREFIX)
    found = read(reader, production=production)
    reader.done()
    return found


def faults(*, production: bool = True, **settings: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        given(production=production, **settings)
    return refused.value.faults


def test_without_brokers_there_is_no_kafka() -> None:
    assert given() is None
    assert given(production=True) is None


def test_brokers_and_numbers_are_read() -> None:
    found = given(BOOTSTRAP="one:9092, two:9092", PARTITIONS="12", DEADLINE_S="5")

    assert found is not None
    assert found.bootstrap == ("one:9092", "two:9092")
    assert (found.partitions, found.deadline_s, found.security) == (12, 5.0, "PLAINTEXT")


@pytest.mark.parametrize("security", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_production_refuses_an_open_connection(security: str) -> None:
    (fault, *_) = faults(BOOTSTRAP="one:9092", SECURITY=security, USER="x", PASSWORD="x")
    assert fault.startswith(f"{PREFIX}KAFKA_SECURITY is wrong: set it to one of SSL, SASL_SSL")


def test_production_has_to_say_how_it_connects() -> None:
    (fault,) = faults(BOOTSTRAP="one:9092")
    assert fault.startswith(f"{PREFIX}KAFKA_SECURITY is not set")


def test_a_user_needs_a_password_that_is_never_shown(tmp_path: Path) -> None:
    assert [fault.split()[0] for fault in faults(BOOTSTRAP="one:9092", SECURITY="SASL_SSL")] == [
        f"{PREFIX}KAFKA_USER",
        f"{PREFIX}KAFKA_PASSWORD",
    ]

    (tmp_path / "password").write_text("canary-77\n")
    found = given(
        production=True,
        BOOTSTRAP="one:9092",
        SECURITY="SASL_SSL",
        USER="x",
        PASSWORD_FILE=str(tmp_path / "password"),
    )
    assert found is not None
    assert found.password == "canary-77"
    assert "canary-77" not in repr(found)


def test_retention_has_to_outlast_the_oldest_backup_by_a_week() -> None:
    (fault,) = faults(
        production=False, BOOTSTRAP="one:9092", BACKUP_HOURS="48", RETENTION_HOURS="215"
    )
    assert "KAFKA_RETENTION_HOURS is wrong: set it to a whole number of at least 216" in fault
    found = given(BOOTSTRAP="one:9092", BACKUP_HOURS="480")
    assert found is not None
    assert found.retention_hours == 648


def test_every_setting_says_what_it_is_for() -> None:
    lines = table(lambda reader: read(reader, production=False), PREFIX).splitlines()[2:]

    assert len(lines) == 17
    assert all(line.count(" | ") == 3 and len(line.split(" | ")[3]) > 8 for line in lines)


@pytest.fixture
def settings(kafka: Kafka) -> KafkaSettings:
    return KafkaSettings(bootstrap=(kafka.bootstrap,), partitions=2)


def test_topics_are_made_as_stated_and_only_ever_grow(settings: KafkaSettings) -> None:
    name = f"sample.{uuid4().hex[:8]}"
    assert check_topics(settings, [name]) == [f"topic {name} is missing: run migrate"]

    create_topics(settings, [name])
    assert check_topics(settings, [name]) == []

    older = replace(settings, backup_hours=1000)
    (problem,) = check_topics(older, [name])
    assert problem.startswith(f"topic {name} keeps messages for 336 hours, 1168 are needed")

    create_topics(replace(older, retention_hours=1168, partitions=3), [name])
    assert check_topics(older, [name]) == []
    create_topics(settings, [name])
    assert check_topics(older, [name]) == [], "nothing is taken back"


def test_of_a_compacted_topic_the_latest_message_of_a_key_is_kept(settings: KafkaSettings) -> None:
    name, other = f"sample.{uuid4().hex[:8]}", f"sample.{uuid4().hex[:8]}"
    create_topics(settings, [name, other], compacted={name})
    assert check_topics(settings, [name, other], compacted={name}) == []
    (problem,) = check_topics(settings, [name])
    assert problem == (
        f"topic {name} forgets older messages of a key: set its cleanup.policy to delete"
    )
    (problem,) = check_topics(settings, [other], compacted={other})
    assert problem == f"topic {other} forgets the latest ones: set its cleanup.policy to compact"


def test_a_broker_that_does_not_answer_is_said(settings: KafkaSettings) -> None:
    with pytest.raises(TransportError, match="could not be asked: KafkaTimeoutError"):
        check_topics(replace(settings, bootstrap=("127.0.0.1:1",)), ["sample"], timeout_s=0.5)


def sealed(kafka: Kafka, **changes: Any) -> KafkaSettings:
    options: dict[str, Any] = {
        "security": "SASL_SSL",
        "ca_file": str(kafka.ca_file),
        "user": USER,
        "password": PASSWORD,
        "deadline_s": 20.0,
    }
    return KafkaSettings(bootstrap=(f"127.0.0.1:{kafka.sealed_port}",), **options | changes)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_messages_pass_a_broker_that_asks_for_tls_and_a_user(kafka: Kafka, mechanism: str) -> None:
    settings, name, taker = sealed(kafka, mechanism=mechanism), f"s.{uuid4().hex}", Taker(Shelf())
    create_topics(settings, [name])
    transport = KafkaTransport(settings)
    receiver = KafkaReceiver(settings, name, taker, taker.shelf.position, name)
    receiver.start()
    try:
        transport.send(name, PAGE)
        eventually(lambda: taker.shelf.count() == 2, "both have arrived")
    finally:
        receiver.stop()
        transport.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "another"},
        {"user": "another"},
        {"ca_file": ""},
        {"security": "SSL"},
        {"security": "PLAINTEXT"},
    ],
)
def test_whoever_is_not_let_in_sends_nothing(kafka: Kafka, changes: dict[str, str]) -> None:
    name = f"sample.{uuid4().hex[:8]}"
    create_topics(sealed(kafka), [name])
    transport = KafkaTransport(sealed(kafka, deadline_s=2.0, **changes))
    try:
        with pytest.raises(TransportError) as refused:
            transport.send(name, PAGE)
    finally:
        transport.close()
    assert PASSWORD not in str(refused.value)


def test_checksums_are_computed_in_c() -> None:
    """In Python they take most of the time of a page, on both sides."""
    assert record.crc32c_c is not None
