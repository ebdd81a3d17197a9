"""What the caseload's endings say, by instrument: read from the log itself, for cards and pages.

Every finding's card asks for it, so it is kept in memory and only what is new is read.
"""

import threading
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.alerts.core.caseload import StatisticsNoted
from services.chassis.eventlog import EventLog, StoreError
from services.chassis.ids import Ids
from services.chassis.news import News

TOPICS = frozenset({StatisticsNoted.TOPIC})


def stream_of(ids: Ids, instrument: str) -> UUID:
    """The stream of an instrument's statistics."""
    return ids.derive("statistics", instrument)


class Caseload:
    """The latest statistics of each instrument, as published."""

    def __init__(self, log: EventLog) -> None:
        """Follow `log`."""
        self._news = News(log, TOPICS)
        self._lock = threading.Lock()
        self._known: dict[str, Mapping[str, Any]] = {}

    def of(self, instrument: str | None) -> Mapping[str, Any] | None:
        """What is known of an instrument here; None: nothing, or not readable now."""
        return self.every().get(instrument) if instrument else None

    def every(self) -> Mapping[str, Mapping[str, Any]]:
        """What is known, by instrument; nothing where it is not readable now."""
        try:
            with self._lock:
                for event in self._news.take():
                    if isinstance(event, StatisticsNoted):
                        self._known[event.instrument] = event.message["data"]
                return dict(self._known)
        except StoreError:
            return {}
