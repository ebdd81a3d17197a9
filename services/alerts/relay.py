"""Which events of the alerts log leave it: what was decided, and nothing that is the author's."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from schemas import topics
from services.alerts.core.reflection import PivotDecided, ReflectionRecorded
from services.chassis.eventlog import Entry, EventLog
from services.chassis.message import Message, message_id
from services.chassis.transport import Transport


class AnswersRelay:
    """Follows the log and sends decisions; the log is the outbox, so nothing else is kept."""

    name = "answers relay"
    topics = frozenset({ReflectionRecorded.TOPIC, PivotDecided.TOPIC})

    def __init__(self, log: EventLog, transport: Transport) -> None:
        """Follow `log`; hand over to `transport`."""
        self._log, self._transport = log, transport

    def position(self) -> int:
        """The position up to which everything was handed over."""
        return self._log.position(self.name)

    def apply(self, entries: Sequence[Entry], to: int) -> None:
        """Hand a page over, then move the position: at least once, in order.

        Raises:
            services.chassis.transport.TransportError: the page comes again.
        """
        self._send(entries)
        self._log.append([], (self.name, to))

    def replay(self, entries: Sequence[Entry]) -> None:
        """Hand parked entries over once more."""
        self._send(entries)

    def key(self, entry: Entry) -> UUID | None:
        """The episode; None where the entry cannot be read."""
        episode = getattr(entry.event, "episode", None)
        return UUID(episode) if episode else None

    def idle(self) -> None:
        """Nothing to do between pages."""

    def _send(self, entries: Sequence[Entry]) -> None:
        messages = [one for entry in entries if (one := self._message(entry)) is not None]
        if messages:
            self._transport.send(topics.ANSWERS, messages)

    def _message(self, entry: Entry) -> Message | None:
        told = _told(entry.event)
        if told is None:
            return None
        type_, data = told
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


def _told(event: Any) -> tuple[str, dict[str, Any]] | None:
    """Type and data of the message that an event becomes; free text stays its author's."""
    if isinstance(event, ReflectionRecorded):
        return "reflection.recorded", {
            "episode": event.episode,
            "reflection": event.originator_id.hex,
            "decision": event.decision,
            "on": event.on,
            "review_on": event.review_on,
        }
    if isinstance(event, PivotDecided):
        return "approach.chosen", {
            "episode": event.episode,
            "approach_id": event.originator_id.hex,
            "approach": event.approach,
            "since": event.since,
            "origin": "reflection",
            "reason": None,
            "reflection": event.originator_id.hex,
            "review_on": event.review_on,
            "confirmed": False,
        }
    return None
