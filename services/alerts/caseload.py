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

TOPICS = frozenset({StatisticsNoted.TOPIC})


def stream_of(ids: Ids, instrument: str) -> UUID:
    """The stream of an instrument's statistics."""
    return ids.derive("statistics", instrument)


class Caseload:
    """The latest statistics of each instrument, as published."""

    def __init__(self, log: EventLog) -> None:
        """Follow `log`."""
        self._log = log
        self._lock = threading.Lock()
        self._position = 0
        self._known: dict[str, Mapping[str, Any]] = {}

    def of(self, instrument: str | None) -> Mapping[str, Any] | None:
        """What is known of an instrument here; None: nothing, or not readable now."""
        if not instrument:
            return None
        try:
            with self._lock:
                self._read_on()
                return self._known.get(instrument)
        except StoreError:
            return None

    def _read_on(self) -> None:
        while True:
            page = self._log.page(self._position, 500, TOPICS)
            self._position = page.scanned_to
            if not page.entries:
                return
            for entry in page.entries:
                if isinstance(entry.event, StatisticsNoted):
                    self._known[entry.event.instrument] = entry.event.message["data"]
