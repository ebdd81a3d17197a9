"""A follower that hands events over as messages: the log is the outbox, so nothing else is kept."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, ClassVar
from uuid import UUID

from services.chassis.eventlog import Entry, EventLog
from services.chassis.faults import ConflictError
from services.chassis.message import Message, message_id
from services.chassis.parking import Parking
from services.chassis.transport import Transport

TRIES = 20
ASKED = "asked for"
"""Why a key is parked whose messages somebody wants again."""


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
        self._at: int | None = None
        """The position that was stored last here; None: not known."""

    def position(self) -> int:
        """The position up to which everything was handed over."""
        position = self._log.position(self.name)
        if self._at is None:
            self._at = position
        return position

    def reload(self) -> None:
        """Somebody has moved the position, perhaps back: see where it is."""
        self._at = None

    def apply(self, entries: Sequence[Entry], to: int) -> None:
        """Hand a page over, then move the position: at least once, in order.

        Raises:
            services.chassis.transport.TransportError: the page was not safe at the other side; it
                is sent again.
            ConflictError: the position is not where this left it.
        """
        # Looked up before anything leaves: a move back while it leaves must show as a conflict.
        at = self.position() if self._at is None else self._at
        self._send(entries)
        self._at = None  # until it is known to be stored
        self._log.append([], (self.name, to, at))
        self._at = to

    def replay(self, entries: Sequence[Entry]) -> None:
        """Hand parked entries over once more."""
        self._send(entries)

    def again_from(self, position: int) -> bool:
        """Hand everything from `position` on over once more; False when it is still to come.

        May be called in any process: who takes the relay through the log sees that it moved.
        """
        for _ in range(TRIES):
            now = self._log.position(self.name)
            if now < position:
                return False
            try:
                self._log.append([], (self.name, position - 1, now))
            except ConflictError:  # it went on meanwhile
                continue
            return True
        raise ConflictError("the relay was too quick to be moved back: try again")

    def again_of(self, key: UUID, parking: Parking) -> bool:
        """Hand what belongs to a key over once more, in order; whether there is anything.

        The key is parked from its first entry on and its replay asked for, which keeps later
        entries behind; moving back by one lets the follower see it.
        """
        first = self._first(key)
        if first is None:
            return False
        parking.park(self.name, key, first, ASKED)
        parking.request_replay(self.name, key)
        self.again_from(self._log.position(self.name))
        return True

    def _first(self, key: UUID) -> int | None:
        after = 0
        while (page := self._log.page(after, topics=self.topics)).entries:
            after = page.scanned_to
            for entry in page.entries:
                if self.key(entry) == key:
                    return entry.position
        return None

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

    def _envelope(
        self, entry: Entry, type_: str, data: dict[str, Any], key: UUID | None = None
    ) -> Message:
        """The message about `key`, else the episode that `data` names; else for everybody."""
        event = entry.event
        return Message(
            type=type_,
            version=1,
            id=message_id(event.originator_id, event.originator_version, data),
            key=key or (UUID(data["episode"]) if "episode" in data else None),
            time=event.timestamp,
            log_id=self._log.log_id,
            position=entry.position,
            data=data,
        )
