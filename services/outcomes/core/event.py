"""The base of every event of the outcomes log: what an event is, and the list of their topics."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

TOPICS: dict[str, type["Event"]] = {}
"""Topic to event class. Append only: a topic once stored is read for ever."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened, in the past tense.

    Beside the four fields below an event holds JSON values alone: dates as ISO 8601 strings, ids
    as hexadecimal strings. `TOPIC` names it in the store, whatever the class is called or
    wherever it moves.
    """

    TOPIC: ClassVar[str] = ""

    originator_id: UUID
    """The stream."""
    originator_version: int
    """The place in the stream, from 1 without gaps."""
    timestamp: datetime
    """When it was recorded, aware; decides policy, never detection."""
    owner: UUID
    """Whose key seals it: a client's subject id, a person's id, or the service's own."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Enter the class in the list of topics.

        Raises:
            TypeError: two classes claim one topic.
        """
        super().__init_subclass__(**kwargs)
        topic = cls.__dict__.get("TOPIC")
        if topic:
            if topic in TOPICS:
                raise TypeError(f"two event classes claim the topic {topic!r}")
            TOPICS[topic] = cls
