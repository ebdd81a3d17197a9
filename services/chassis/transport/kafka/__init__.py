"""The transport between services that run apart: Kafka, reached through kafka-python."""

from services.chassis.transport.kafka.receiver import KafkaReceiver, ReceiverReport
from services.chassis.transport.kafka.sender import KafkaTransport
from services.chassis.transport.kafka.settings import KafkaSettings, read
from services.chassis.transport.kafka.topics import check_topics, create_topics, topic_id, unread

__all__ = [
    "KafkaReceiver",
    "KafkaSettings",
    "KafkaTransport",
    "ReceiverReport",
    "check_topics",
    "create_topics",
    "read",
    "topic_id",
    "unread",
]
