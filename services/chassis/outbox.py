"""A follower that hands events over as messages: the log is the outbox, so nothing else is kept."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, ClassVar
from uuid import UUID

from services.chassis.eventlog import Entry, EventLog
from services.chassis.message import Message, message_id
from services.chassis.transport import Transport


class Outbox(ABC):
    """What every relay shares: from an event to its envelope, and the durable position.

    A relay names itself and its topic, and says which events it wants and what they become.
    """

    name: ClassVar[str]
    topic: ClassVar[str]
    """Where its messages go."""
    topics: ClassVar[Collection[str]]
    """The events that it follows."""

    def __init__(self, log: EventLog, transport: Transport) -> None:
        """Follow `log`, hand over to `transport`."""
        self._log, self._transport = log, transport

    def position(self) -> int:
        """The position up to which everything was handed over."""
        return self._log.position(self.name)

    def apply(self, entries: Sequence[Entry], to: int) -> None:
        """Hand a page over, then move the position: at least once, in order.

        Raises:
            services.chassis.transport.TransportError: the page was not safe at the other side; it
                is sent again.
        """
        self._send(entries)
        self._log.append([], (self.name, to))

    def replay(self, entries: Sequence[Entry]) -> None:
        """Hand parked entries over once more."""
        self._send(entries)

    @abstractmethod
    def key(self, entry: Entry) -> UUID | None:
        """What is parked when an entry cannot be sent; None: it is tried for ever."""

    def idle(self) -> None:
        """Nothing to do between pages."""
        return

    @abstractmethod
    def _messages(self, entries: Sequence[Entry]) -> list[Message]:
        """What the entries become."""

    def _send(self, entries: Sequence[Entry]) -> None:
        messages = self._messages(entries)
        if messages:
            self._transport.send(self.topic, messages)

    def _envelope(self, entry: Entry, type_: str, data: dict[str, Any]) -> Message:
        """The message about the episode that `data` names."""
        event = entry.event
        return Message(
            type=type_,
            version=1,
            id=message_id(event.originator_id, event.originator_version, data),
            key=UUID(data["episode"]),
            time=event.timestamp,
            log_id=self._log.log_id,
            position=entry.position,
            data=data,
        )
