"""What is new in the log of some topics since it was last asked: for what is kept in memory."""

from collections.abc import Collection
from typing import Any

from services.chassis.eventlog import EventLog

PAGE = 500


class News:
    """Follows the log itself, so that no view can be behind; not safe among threads."""

    def __init__(self, log: EventLog, topics: Collection[str]) -> None:
        """Begin at the start of `log`; only events of these topics are read."""
        self._log, self._topics = log, topics
        self._position = 0

    def take(self) -> list[Any]:
        """The events that were not taken yet, in order; all of them again when it fails midway.

        Raises:
            services.chassis.faults.StoreError: the log could not be read.
        """
        events: list[Any] = []
        position = self._position
        while True:
            page = self._log.page(position, PAGE, self._topics)
            position = page.scanned_to
            if not page.entries:
                self._position = position
                return events
            events += [entry.event for entry in page.entries]
