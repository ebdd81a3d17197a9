"""The services with a fault in them, made by subclasses at their own seams; healthy by default."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas import topics
from services.alerts.book import Book, Incoming, Page
from services.alerts.consumer import EpisodesConsumer, RiskConsumer
from services.alerts.core.event import Event
from services.alerts.settings import Settings
from services.alerts.wiring import Alerts
from services.chassis.clock import Clock
from services.chassis.eventlog import Entry, StoreError
from services.chassis.store import Store
from services.chassis.transport import Delivery, Receiver
from services.outcomes.detector import Detector
from services.outcomes.wiring import Outcomes


class PoisonError(Exception):
    """What a fold raises on that was never expected; its text must not be seen anywhere."""


@dataclass
class Sickness:
    """What fails at the moment: episodes (ids, hexadecimal), and parts as a whole."""

    detector: set[str] = field(default_factory=set)
    book: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    """`detector`: its store is away; `episodes`: nobody takes that topic's messages."""

    def heal(self) -> None:
        for part in (self.detector, self.book, self.stopped):
            part.clear()


SICK = Sickness()


class SickDetector(Detector):
    """Raises on entries of the episodes that are sick."""

    def apply(self, entries: Sequence[Entry], to: int) -> None:
        self._suffer(entries)
        super().apply(entries, to)

    def replay(self, entries: Sequence[Entry]) -> None:
        self._suffer(entries)
        super().replay(entries)

    def _suffer(self, entries: Sequence[Entry]) -> None:
        if "detector" in SICK.stopped:
            raise StoreError("the store is away")
        keys = [self.key(entry) for entry in entries]
        if any(key is not None and key.hex in SICK.detector for key in keys):
            raise PoisonError("the client K-1184 scored 27")


class SickOutcomes(Outcomes):
    """The outcomes service with that detector."""

    def detector(self) -> Detector:
        settings = self.settings
        return SickDetector(
            self.store.log(),
            self.store.ids,
            self.yardsticks,
            clock=self.clock,
            zone=settings.zone,
        )


class SickBook(Book):
    """Raises on findings of the episodes that are sick."""

    def take(self, page: Page, incoming: Incoming) -> list[Event]:
        found = incoming.message is not None and incoming.message.type.startswith("measure.")
        if found and incoming.episode.hex in SICK.book:
            raise PoisonError("the client K-1184 scored 27")
        return super().take(page, incoming)


class _Gate:
    """Takes nothing while its topic is stopped."""

    def __init__(self, inner: Receiver) -> None:
        self._inner = inner

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        if "episodes" in SICK.stopped:
            raise StoreError("nobody takes it")
        self._inner.receive(deliveries)


class SickAlerts(Alerts):
    """The alerts service with that book, and a way in that can be shut."""

    def __init__(self, settings: Settings, clock: Clock, store: Store) -> None:
        super().__init__(settings, clock, store)
        book = SickBook(self.log, store.ids, clock, self.directory, settings, self.rules)
        self.episodes = EpisodesConsumer(self.log, book, store.ids, store.parking, self.catalogue)
        self.risk = RiskConsumer(self.log, book, store.ids, self.watch, self.catalogue)

    def receivers(self) -> dict[str, Receiver]:
        return super().receivers() | {topics.EPISODES: _Gate(self.episodes)}
