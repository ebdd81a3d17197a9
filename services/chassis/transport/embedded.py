"""The transport of the embedded default: both services in one process, handed straight over.

The producer's log is the outbox, so nothing is kept here: an offset is the position in that log.
"""

from collections.abc import Sequence

from services.chassis.message import Message
from services.chassis.transport import Delivery, Receiver, TransportError, encoded


class EmbeddedTransport:
    """Calls the receiver of a topic in the sender's own thread."""

    def __init__(self) -> None:
        """Start with no receivers."""
        self._receivers: dict[str, Receiver] = {}

    def subscribe(self, topic: str, receiver: Receiver) -> None:
        """Let `receiver` have what is sent to `topic`."""
        self._receivers[topic] = receiver

    def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Hand a page over; returns when the receiver has stored its effects.

        Raises:
            TransportError: nobody receives the topic yet, or the receiver could not store.
            OversizedMessageError: a message of the page is too large; nothing was handed over.
        """
        receiver = self._receivers.get(topic)
        if receiver is None:
            raise TransportError(f"nobody receives {topic} yet")
        deliveries = [
            Delivery(
                topic=topic,
                partition=0,
                offset=message.position,
                key=message.key.hex if message.key else "",
                raw=raw,
                log_id=message.log_id,
            )
            for message, raw in zip(messages, encoded(messages), strict=True)
        ]
        try:
            receiver.receive(deliveries)
        except Exception as error:
            raise TransportError(f"the receiver of {topic} could not store the page") from error
