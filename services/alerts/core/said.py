"""What a client said when shown their own course: their words, kept as theirs."""

from dataclasses import dataclass
from typing import ClassVar

from services.alerts.core.event import Event


@dataclass(frozen=True, kw_only=True)
class ClientSaid(Event):
    """A client's own view, preference and what may have gone unnoticed; one stream a course."""

    TOPIC: ClassVar[str] = "client.said"

    episode: str
    by: str
    """Who wrote it down: the person to whom it was said."""
    on: str
    view: str
    preference: str
    unnoticed: str
    """What neither of the two might have noticed."""
