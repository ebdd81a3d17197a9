"""Takes risk answers from their topic, on a path that knows no parking and drops nothing.

What cannot be read is told to the backup, and so is silence of the path itself.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from schemas import messages
from services.alerts.book import Book, Page
from services.alerts.consumer.receiving import Consumer, of_nobody
from services.alerts.core.language import _, ngettext
from services.alerts.views.inbox_rows import RiskPath
from services.chassis.clock import Clock
from services.chassis.eventlog import EventLog, StoreError
from services.chassis.ids import Ids
from services.chassis.metrics import Catalogue
from services.chassis.transport import Delivery

LOGGER = logging.getLogger(__name__)
HEARTBEAT = messages.Heartbeat.TYPE.encode()


@dataclass(slots=True)
class RiskWatch:
    """What is known of the risk path: kept in memory, since silence after a start is told too."""

    clock: Clock
    late_s: int
    remember: Callable[[datetime, int, float], None] = lambda sent_at, unsent, oldest_s: None
    """Is told each newest heartbeat, for processes that hear none."""
    started: datetime = field(init=False)
    newest: datetime | None = None
    unsent: int = 0
    oldest_s: float = 0.0

    def __post_init__(self) -> None:
        """Count silence from now on."""
        self.started = self.clock.now()

    def heard(self, sent_at: datetime, unsent: int, oldest_s: float) -> None:
        """Take a heartbeat; the newest counts, in whatever order they come."""
        if self.newest is None or sent_at >= self.newest:
            self.newest, self.unsent, self.oldest_s = sent_at, unsent, oldest_s
            with suppress(StoreError):  # what is not remembered is silence, and shown as that
                self.remember(sent_at, unsent, oldest_s)

    def age_s(self) -> float:
        """Seconds since the newest heartbeat, or since the start when there was none."""
        return max(0.0, (self.clock.now() - (self.newest or self.started)).total_seconds())

    def path(self) -> RiskPath:
        """How the risk path stands, with the words for every page."""
        age = self.age_s()
        banner = None
        if age > self.late_s:
            banner = _(
                "Risk answers may not be arriving: nothing was heard of their path for {lasting}. "
                "Look at answers in the EHR."
            ).format(lasting=_lasting(age))
        elif self.unsent and self.oldest_s > self.late_s:
            banner = _(
                "Risk answers are late: {unsent} could not be delivered, the oldest for {lasting}. "
                "Look at answers in the EHR."
            ).format(unsent=self.unsent, lasting=_lasting(self.oldest_s))
        return RiskPath(
            alive=banner is None,
            heartbeat_at=self.newest.isoformat() if self.newest else None,
            unsent=self.unsent,
            oldest_s=self.oldest_s,
            banner=banner,
        )


def _lasting(seconds: float) -> str:
    """How long, in the largest unit of which there are two or more."""
    days, hours, minutes = (round(seconds / size) for size in (86_400, 3_600, 60))
    if seconds >= 2 * 86_400:
        return ngettext("{count} day", "{count} days", days).format(count=days)
    if seconds >= 2 * 3_600:
        return ngettext("{count} hour", "{count} hours", hours).format(count=hours)
    return ngettext("{count} minute", "{count} minutes", minutes).format(count=minutes)


class RiskConsumer(Consumer):
    """Receives the topic of risk: knows no parking and drops nothing."""

    def __init__(
        self,
        log: EventLog,
        book: Book,
        ids: Ids,
        watch: RiskWatch,
        catalogue: Catalogue | None = None,
    ) -> None:
        """Store to `log` what `book` decides; heartbeats go to `watch`."""
        super().__init__(log, book, ids, catalogue)
        self._watch = watch

    def _receive(self, deliveries: Sequence[Delivery]) -> None:
        # A heartbeat tells of this moment: the stored offset says nothing about it.
        rest = [one for one in deliveries if not self._heartbeat(one)]
        super()._receive(rest)
        # On a broker heartbeats have offsets too: left behind, they would outlive retention.
        if deliveries and deliveries[-1].offset > self._log.position(deliveries[-1].source):
            self._log.append([], (deliveries[-1].source, deliveries[-1].offset))

    def _heartbeat(self, delivery: Delivery) -> bool:
        message = of_nobody(delivery, HEARTBEAT)
        if message is None:
            return False
        sent = datetime.fromisoformat(message.data["sent_at"])
        self._watch.heard(sent, message.data["unsent"], message.data["oldest_s"])
        return True

    def _decide(self, page: Page, deliveries: Sequence[Delivery]) -> list[tuple[str, str]]:
        read = [self._read(one) for one in deliveries]
        page.prefetch([incoming for incoming, _ in read])
        results = []
        for incoming, error in read:
            error = error or self._effect(page, incoming)
            if error is not None:
                LOGGER.error("a risk message could not be read", extra={"error": error})
                owner = self._book.owner_of(page, incoming.episode)
                noted = self._book.note(page, incoming, effect=False)
                page.add(noted)
                if noted:
                    page.add(self._book.unreadable(page, incoming.episode, owner))
            kind = incoming.message.type if incoming.message else "unreadable"
            results.append((kind, "unreadable" if error else "taken"))
        return results
