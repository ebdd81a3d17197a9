"""Makes the topics and looks whether they are as the services need them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigFilterType, ConfigResource, ConfigResourceType, NewTopic
from kafka.errors import InvalidPartitionsError, KafkaError, TopicAlreadyExistsError

from services.chassis.transport import MESSAGE_BYTES, TransportError, source
from services.chassis.transport.kafka.client import connect
from services.chassis.transport.kafka.settings import BESIDE_BACKUP_HOURS, HOUR_S, KafkaSettings

BATCH_BYTES = 1_048_588
"""The largest batch that a topic takes; the default of Kafka, stated all the same."""
RETENTION, LIMIT = "retention.ms", "max.message.bytes"
FOR_EVER = -1


def create_topics(
    settings: KafkaSettings,
    names: Sequence[str],
    timeout_s: float = 30.0,
    compacted: Collection[str] = (),
) -> None:
    """Make the topics that are missing, and let the others have the partitions and retention set.

    Of those `compacted` the latest message of each key is kept for ever, older ones for a while.
    Partitions are added, never taken; retention is made longer, never shorter. Returns when every
    partition has a leader.

    Raises:
        TransportError: Kafka did not do it in time, or this user may not.
    """
    with _admin(settings, timeout_s) as admin:
        for name in names:
            try:
                admin.create_topics([_wanted(settings, name, compacted=name in compacted)])
            except TopicAlreadyExistsError:
                _extend(admin, settings, name)
        admin.wait_for_topics(list(names), timeout_ms=round(timeout_s * 1000))


def check_topics(
    settings: KafkaSettings,
    names: Sequence[str],
    timeout_s: float = 30.0,
    compacted: Collection[str] = (),
) -> list[str]:
    """What is wrong with the topics and what to do about it; empty when nothing is.

    Raises:
        TransportError: Kafka did not answer in time.
    """
    with _admin(settings, timeout_s) as admin:
        present = {one["name"] for one in admin.describe_topics(list(names)) if _is_there(one)}
        missing = [f"topic {name} is missing: run migrate" for name in names if name not in present]
        return missing + [
            problem
            for name in names
            if name in present
            for problem in _problems(
                settings, name, _configs(admin, name), _policy(compacted=name in compacted)
            )
        ]


def topic_id(settings: KafkaSettings, name: str) -> str:
    """The random id that Kafka gave a topic when it was made.

    Raises:
        TransportError: Kafka did not answer, or the topic is missing.
    """
    with _admin(settings, settings.request_s) as admin:
        (topic,) = admin.describe_topics([name])
        if not _is_there(topic):
            raise TransportError(f"topic {name} is missing: run migrate")
        return str(topic["topic_id"])


@contextmanager
def unread(settings: KafkaSettings) -> Iterator[Callable[[str, Callable[[str], int]], int]]:
    """Tells, as often as it is asked, how many messages of a topic a reader has not stored.

    The value is called with the topic and with what gives the offset stored for a source (see
    `Delivery`).

    Raises:
        TransportError: Kafka did not answer, or a topic is missing.
    """
    ids: dict[str, str] = {}

    def count(name: str, stored: Callable[[str], int]) -> int:
        if name not in ids:
            ids[name] = topic_id(settings, name)
        places = [TopicPartition(name, one) for one in consumer.partitions_for_topic(name)]
        ends = consumer.end_offsets(places)
        return sum(end - stored(source(ids[name], name, tp.partition)) for tp, end in ends.items())

    try:
        consumer = connect(KafkaConsumer, settings, settings.request_s, metrics_enabled=False)
        try:
            yield count
        finally:
            consumer.close(autocommit=False)
    except KafkaError as error:
        raise TransportError(f"Kafka could not be asked: {type(error).__name__}") from None


def batch_limit(settings: KafkaSettings, name: str, timeout_s: float) -> int:
    """How many bytes a batch for a topic may have; the stated number where we may not ask."""
    try:
        with _admin(settings, timeout_s) as admin:
            return min(BATCH_BYTES, int(_configs(admin, name)[LIMIT]))
    except (TransportError, LookupError):
        return BATCH_BYTES


@contextmanager
def _admin(settings: KafkaSettings, timeout_s: float) -> Iterator[KafkaAdminClient]:
    try:
        admin = connect(KafkaAdminClient, settings, timeout_s)
        try:
            yield admin
        finally:
            admin.close()
    except KafkaError as error:
        raise TransportError(f"Kafka could not be asked: {type(error).__name__}") from None


def _wanted(settings: KafkaSettings, name: str, *, compacted: bool) -> NewTopic:
    configs = {
        RETENTION: str(settings.retention_hours * HOUR_S * 1000),
        LIMIT: str(BATCH_BYTES),
        "cleanup.policy": _policy(compacted=compacted),
        # One broker may be away without stopping the relay, two may not.
        "min.insync.replicas": str(max(1, settings.replication - 1)),
    }
    return NewTopic(name, settings.partitions, settings.replication, topic_configs=configs)


def _extend(admin: KafkaAdminClient, settings: KafkaSettings, name: str) -> None:
    (topic,) = admin.describe_topics([name])
    if len(topic["partitions"]) < settings.partitions:
        with suppress(InvalidPartitionsError):  # another has made them meanwhile
            admin.create_partitions({name: settings.partitions})
    wanted = settings.retention_hours * HOUR_S * 1000
    present = int(_configs(admin, name)[RETENTION])
    if FOR_EVER < present < wanted:
        admin.alter_configs([_resource(name, {RETENTION: str(wanted)})])


def _policy(*, compacted: bool) -> str:
    """What Kafka takes away of a topic: what is old, or what a later message replaces."""
    return "compact" if compacted else "delete"


def _problems(
    settings: KafkaSettings, name: str, configs: dict[str, str], policy: str
) -> Iterator[str]:
    needed = settings.backup_hours + BESIDE_BACKUP_HOURS
    kept = int(configs[RETENTION])
    if FOR_EVER < kept < needed * HOUR_S * 1000:
        yield (
            f"topic {name} keeps messages for {kept // 1000 // HOUR_S} hours, {needed} are needed "
            f"to restore a backup: run migrate, or set its {RETENTION} to {needed * HOUR_S * 1000}"
        )
    if int(configs[LIMIT]) < MESSAGE_BYTES:
        yield f"topic {name} takes small messages alone: set its {LIMIT} to {BATCH_BYTES}"
    if configs["cleanup.policy"] != policy:
        lost = "older messages of a key" if policy == "delete" else "the latest ones"
        yield f"topic {name} forgets {lost}: set its cleanup.policy to {policy}"


def _configs(admin: KafkaAdminClient, name: str) -> dict[str, str]:
    found = admin.describe_configs([_resource(name)], config_filter=ConfigFilterType.ALL)
    return {key: str(one["value"]) for key, one in found["topic"][name].items()}


def _resource(name: str, configs: dict[str, str] | None = None) -> ConfigResource:
    return ConfigResource(ConfigResourceType.TOPIC, name, configs)


def _is_there(topic: dict[str, Any]) -> bool:
    return bool(topic["error_code"] == 0)
