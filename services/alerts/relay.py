"""Which events of the alerts log leave it: what was decided, and nothing that is the author's."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from schemas import topics
from services.alerts.core.reflection import PivotDecided, ReflectionRecorded
from services.chassis.eventlog import Entry
from services.chassis.message import Message
from services.chassis.outbox import Outbox


class AnswersRelay(Outbox):
    """Follows the log and sends decisions."""

    name = "answers relay"
    topic = topics.ANSWERS
    topics = frozenset({ReflectionRecorded.TOPIC, PivotDecided.TOPIC})

    def key(self, entry: Entry) -> UUID | None:
        """The episode; None where the entry cannot be read."""
        episode = getattr(entry.event, "episode", None)
        return UUID(episode) if episode else None

    def _messages(self, entries: Sequence[Entry]) -> list[Message]:
        return [
            self._envelope(entry, *told)
            for entry in entries
            if (told := _told(entry.event)) is not None
        ]


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
