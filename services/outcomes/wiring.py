"""The one file of the outcomes service that knows everyone: makes its parts and ties them."""

from datetime import datetime
from uuid import UUID

from schemas import approaches, topics
from services.chassis import ground
from services.chassis.clock import Clock
from services.chassis.eventlog import Entry
from services.chassis.group_commit import GroupCommit
from services.chassis.http.health import Health
from services.chassis.http.server import Server
from services.chassis.loops import Loops
from services.chassis.store import Store
from services.chassis.timers import ClockGuard, Timers
from services.chassis.transport import Transport
from services.chassis.turns import Turns
from services.chassis.view import View
from services.outcomes import metrics
from services.outcomes.api import Reading, create_app
from services.outcomes.caseload import Statistician
from services.outcomes.consumer import READER, AnswersConsumer
from services.outcomes.core import answers, episode, findings, measure, sender  # noqa: F401
from services.outcomes.core.case import Yardsticks
from services.outcomes.core.event import TOPICS
from services.outcomes.detector import Detector
from services.outcomes.record import Record
from services.outcomes.registry import recalibrations, registry
from services.outcomes.relay import Heartbeat, Relay, RiskRelay, StatisticsRelay
from services.outcomes.senders import Senders
from services.outcomes.settings import Settings
from services.outcomes.views.due import Due, episodes_due
from services.outcomes.views.endings import Endings
from services.outcomes.views.episodes import EpisodeReader, Episodes
from services.outcomes.views.held import Held

SERVICE = "outcomes"
MEASURED = (measure.MeasureRecorded, measure.MeasureCorrected)


class Outcomes:
    """The service over its store; `start` sets it going, without it the commands still work."""

    def __init__(self, settings: Settings, clock: Clock, store: Store) -> None:
        """Use `open` instead."""
        self.settings, self.clock, self.store = settings, clock, store
        self.instruments = registry(settings.instruments)
        self.approaches = approaches.shipped()
        rules, model = settings.rules, settings.model
        recalibrated = recalibrations(
            settings.recalibration, self.instruments, model, rules.horizon_weeks
        )
        self.yardsticks = Yardsticks(self.instruments, rules, model, recalibrated)
        self.catalogue = metrics.catalogue()
        self.health = Health(self.catalogue)
        ground.measure(
            self.catalogue, settings.store, settings.kafka.ca_file if settings.kafka else ""
        )
        self.log = store.log()
        self._commit = GroupCommit(store.log(), settings.commit_limit)
        self.senders = Senders(store.log(), store.ids, store.service_owner, clock)
        self.episodes_view, self.held_view = Episodes(), Held(store.ids)
        self.due_view, self.endings_view = Due(), Endings()
        self.views: tuple[View, ...] = (
            self.episodes_view,
            self.held_view,
            self.due_view,
            self.endings_view,
        )
        for view in self.views:
            store.views.register(view)
        self.reader = EpisodeReader(store.views, self.episodes_view, self.log)
        self.record = Record(
            self.log,
            self._commit,
            store.vault,
            self.instruments,
            self.approaches,
            clock,
            settings.zone,
            self.reader,
        )
        self.consumer = AnswersConsumer(
            store.log(), store.parking, store.ids, clock, store.service_owner
        )
        self.guard: ClockGuard = store.clock_guard(clock)
        self.timers = Timers(clock, self.guard, store.lock("timers"))
        self._loops: Loops | None = None
        self._heartbeat: Heartbeat | None = None

    @classmethod
    def open(cls, settings: Settings, clock: Clock, *, migrate: bool = True) -> "Outcomes":
        """The service over the store that `settings` names, whose tables are made when missing.

        Raises:
            NotMigratedError: `migrate` is False and the store has no tables of this version.
            InstrumentError: a definition of an instrument is wrong, or a recalibration.
        """
        store = cls.store_of(settings)
        if migrate:
            store.migrate()
        return cls(settings, clock, store)

    @staticmethod
    def store_of(settings: Settings) -> Store:
        """The store that `settings` names; nothing of it is made or read yet."""
        return Store.open(settings.store, SERVICE, master_key=settings.master_key, topics=TOPICS)

    def server(self) -> Server:
        """The door, listening already."""
        self.health.dependency("store", self._store_fault)
        app = create_app(
            self.record,
            self.senders,
            Reading(self.reader, self.store.views, self.held_view, self.store.ids),
            self.instruments,
            clock=self.clock,
            zone=self.settings.zone,
            health=self.health,
            catalogue=self.catalogue,
        )
        settings = self.settings
        return Server(app, settings.host, settings.port, threads=settings.threads)

    def start(self, transport: Transport, turns: Turns) -> None:
        """Start detector, views, relays, timers and the heartbeat of the risk path.

        By `turns` the followers work one after another, the risk path first.
        """
        settings, store = self.settings, self.store
        loops = Loops(
            store,
            self.clock,
            self.health,
            self.catalogue,
            poll=settings.poll_s,
            page=settings.page,
            fresh={Detector.name: _recorded},
            turns=turns,
        )
        loops.follow(self.detector())
        relays = self.relays(transport)
        for relay in relays:
            loops.follow(relay, urgent=isinstance(relay, RiskRelay))
        loops.parks(READER)
        loops.follow_views(self.views)
        self.health.loop("timers", lambda: self.timers.silence)
        self._heartbeat = Heartbeat(
            relays[0],
            transport,
            store.log_id,
            self.clock,
            settings.heartbeat_s,
            self._told,
        )
        self._loops = loops
        self.timers.register("answers", lambda now: self.consumer.idle())
        self.timers.register("statistics", self.statistician().publish)
        loops.start()
        self.timers.start()
        self._heartbeat.start()

    def relays(self, transport: Transport) -> tuple[RiskRelay, Relay, StatisticsRelay]:
        """What hands over, the risk path first; each with a handle of its own on the log."""
        log = self.store.log
        return (
            RiskRelay(log(), transport),
            Relay(log(), transport),
            StatisticsRelay(log(), transport),
        )

    def receivers(self) -> dict[str, AnswersConsumer]:
        """Who takes which topic."""
        return {topics.ANSWERS: self.consumer}

    def behind(self) -> list[str]:
        """The readers that have not taken all that is there for them."""
        return self._loops.behind() if self._loops else []

    def beat(self) -> None:
        """Send a heartbeat of the risk path now."""
        if self._heartbeat is not None:
            self._heartbeat.beat()

    def alive(self) -> bool:
        """Whether everything that was started still runs."""
        return self._loops is None or self._loops.alive()

    def stop(self) -> None:
        """Finish what is at hand and close."""
        self.health.stop()
        if self._heartbeat is not None:
            self._heartbeat.stop()
        if self.timers.is_alive():
            self.timers.stop()
        if self._loops is not None:
            self._loops.stop()
        self._commit.close()
        self.store.close()

    def episodes(self) -> list[UUID]:
        """Every episode that is known.

        Raises:
            NotBuiltError: the view of episodes has not been built yet.
        """
        return [key for key, _ in self.store.views.every(self.episodes_view)]

    def statistician(self) -> Statistician:
        """Publishes what the caseload's endings say."""
        store = self.store
        return Statistician(
            store.log(),
            store.ids,
            store.service_owner,
            store.views,
            self.endings_view,
            self.yardsticks.specs,
            self.approaches,
            self.settings.zone,
        )

    def detector(self) -> Detector:
        """Folds timelines and says what it finds; the command that adopts rules asks it too."""
        return Detector(
            self.store.log(),
            self.store.ids,
            self.yardsticks,
            clock=self.clock,
            zone=self.settings.zone,
            due=lambda today: episodes_due(self.store.views, self.due_view, today),
            may_tick=lambda: self.timers.holding and self.guard.distrust is None,
        )

    def _told(self, count: int, age: float) -> None:
        self.catalogue.set(metrics.RISK_UNSENT, count)
        self.catalogue.set(metrics.RISK_UNSENT_SECONDS, age)

    def _store_fault(self) -> str | None:
        self.log.head()
        return None


def _recorded(entry: Entry) -> datetime | None:
    """When a measure was taken in, by whose freshness the detector is judged."""
    return entry.event.timestamp if isinstance(entry.event, MEASURED) else None
