"""How messages get from one service to the other: what a transport promises, whoever carries it.

A transport keeps the order of the messages of one key, delivers each at least once, and lets a
consumer say where it stands: the consumer stores its offset with its effects and is given
everything after it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis.message import Message, encode

MESSAGE_BYTES = 900_000
"""How large an encoded message may be, whoever carries it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came out of a partition; `raw` is its envelope.

    `log_id` names the log that counts the offsets: the sender's own when embedded, the topic's with
    Kafka, where a topic that is made anew counts anew. Offsets start at 1, so that a stored 0 says
    that nothing was taken yet.
    """

    topic: str
    partition: int
    offset: int
    key: str
    raw: bytes
    log_id: str

    @property
    def source(self) -> str:
        """Under which name a consumer stores the offset."""
        return source(self.log_id, self.topic, self.partition)


def source(log_id: str, topic: str, partition: int) -> str:
    """The name of a partition for those who store offsets."""
    return f"{log_id}/{topic}/{partition}"


class TransportError(Exception):
    """A page could not be handed over within its deadline; send the same page again."""


class OversizedMessageError(Exception):
    """A message is larger than the transport takes; to send the same page again does not help."""

    def __init__(self, message_id: str, size: int, limit: int) -> None:
        super().__init__(f"message {message_id} has {size} bytes, {limit} are taken")
        self.message_id = message_id


def encoded(messages: Sequence[Message], limit: int = MESSAGE_BYTES) -> list[bytes]:
    """The envelopes of a page.

    Raises:
        OversizedMessageError: one of them has more than `limit` bytes; none is to be sent.
    """
    raws = [encode(message) for message in messages]
    for message, raw in zip(messages, raws, strict=True):
        if len(raw) > limit:
            raise OversizedMessageError(message.id, len(raw), limit)
    return raws


class Receiver(Protocol):
    """A consumer's side of the seam."""

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        """Take deliveries of one partition in order; return once effects and offset are stored.

        What was stored before is skipped. Raises for what may pass (a locked database): the same
        deliveries then come again.
        """
        ...


class Transport(Protocol):
    """A producer's side of the seam."""

    def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Hand a page over, in order; return when all of it is safe at the other side.

        A message without a key goes to every partition of the topic.

        Raises:
            TransportError: not all was handed over; nothing after the first unsent message of a
                partition was.
            OversizedMessageError: a message of the page is too large; nothing was sent.
        """
        ...
