"""Publishes what the caseload's own endings say, once a day and only where it has changed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.approaches import Approaches
from services.chassis.eventlog import EventLog
from services.chassis.ids import Ids
from services.chassis.views import NotBuiltError, ViewStore
from services.outcomes.core.caseload import StatisticsPublished, statistics
from services.outcomes.views.endings import Endings, by_instrument


class Statistician:
    """A job of the timers: the log gets an event for each instrument of which more is known."""

    def __init__(
        self,
        log: EventLog,
        ids: Ids,
        owner: UUID,
        views: ViewStore,
        endings: Endings,
        instruments: Collection[str],
        approaches: Approaches,
        zone: ZoneInfo,
    ) -> None:
        """Publish in `log`, sealed under the service's own key, of which `owner` is the id.

        `instruments` may have been told of before: where no ending is left, that is told too.
        """
        self._log, self._ids, self._owner = log, ids, owner
        self._views, self._endings, self._zone = views, endings, zone
        self._instruments, self._approaches = instruments, approaches
        self._done: str | None = None

    def publish(self, now: datetime) -> None:
        """Look at the endings, unless it was done today."""
        today = now.astimezone(self._zone).date().isoformat()
        if self._done == today:
            return
        try:
            endings = by_instrument(self._views, self._endings)
        except NotBuiltError:
            return
        for instrument in sorted({*self._instruments, *endings}):
            self._tell(instrument, endings.get(instrument, ()), today, now)
        self._done = today

    def _tell(
        self, instrument: str, endings: Sequence[Mapping[str, Any]], today: str, now: datetime
    ) -> None:
        stream = self._ids.derive("statistics", instrument)
        said, found = self._log.read(stream), statistics(endings, self._approaches)
        if said[-1].statistics == found if said else not endings:
            return
        event = StatisticsPublished(
            originator_id=stream,
            originator_version=said[-1].originator_version + 1 if said else 1,
            timestamp=now,
            owner=self._owner,
            instrument=instrument,
            on=today,
            statistics=found,
        )
        self._log.append([event])
