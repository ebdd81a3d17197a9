"""How messages get from one service to the other: what a transport promises, whoever carries it.

A transport keeps the order of the messages of one key, delivers each at least once, and lets a
consumer say where it stands: the consumer stores its offset with its effects and is given
everything after it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis.message import Message


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came out of a partition; `raw` is its envelope."""

    topic: str
    partition: int
    offset: int
    key: str
    raw: bytes
    log_id: str


class TransportError(Exception):
    """A page could not be handed over within its deadline; send the same page again."""


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

        Raises:
            TransportError: not all was handed over; nothing after the first unsent message of a
                partition was.
        """
        ...
