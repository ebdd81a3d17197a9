"""Takes statistics of the caseload from their topic, for cards and pages."""

import logging
from collections.abc import Sequence
from uuid import UUID

from schemas import messages
from services.alerts.book import note_of
from services.alerts.caseload import stream_of
from services.alerts.consumer.receiving import UNREADABLE
from services.alerts.core.caseload import StatisticsNoted
from services.chassis.clock import Clock
from services.chassis.eventlog import EventLog
from services.chassis.ids import Ids
from services.chassis.message import decode
from services.chassis.transport import Delivery

LOGGER = logging.getLogger(__name__)


class StatisticsConsumer:
    """Receives the topic of statistics: the latest of an instrument, of no episode at all."""

    def __init__(self, log: EventLog, ids: Ids, clock: Clock, owner: UUID) -> None:
        """Note in `log`, sealed under the service's own key, of which `owner` is the id."""
        self._log, self._ids, self._clock, self._owner = log, ids, clock, owner

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        """Note deliveries with their offset, one by one; see `Receiver`."""
        for delivery in deliveries:
            if delivery.offset > self._log.position(delivery.source):
                self._log.append(self._noted(delivery), (delivery.source, delivery.offset))

    def _noted(self, delivery: Delivery) -> list[StatisticsNoted]:
        """What cannot be read is passed over: it comes again with the next change, or a resend."""
        try:
            message = decode(delivery.raw)
            messages.check(message.type, message.version, message.data)
            instrument = str(message.data["instrument"])
        except (*UNREADABLE, KeyError) as error:
            LOGGER.error("statistics cannot be read", extra={"error": type(error).__name__})
            return []
        stream = stream_of(self._ids, instrument)
        before, note = self._log.read(stream), note_of(message)
        if any(one.message["id"] == note["id"] for one in before):
            return []
        return [
            StatisticsNoted(
                originator_id=stream,
                originator_version=before[-1].originator_version + 1 if before else 1,
                timestamp=self._clock.now(),
                owner=self._owner,
                instrument=instrument,
                message=note,
            )
        ]
