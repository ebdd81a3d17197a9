"""The one file of the alerts service that knows everyone: makes its parts and ties them."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from schemas import approaches, topics
from services.alerts import api
from services.alerts.book import Book
from services.alerts.caseload import Caseload
from services.alerts.channels.mail import Mail
from services.alerts.channels.webhook import Webhook
from services.alerts.consumer import (
    EPISODES_READER,
    EpisodesConsumer,
    RiskConsumer,
    RiskWatch,
    StatisticsConsumer,
)
from services.alerts.core import alert, course, lens, notice, reflection, risk  # noqa: F401
from services.alerts.core import person as persons  # noqa: F401
from services.alerts.core.event import TOPICS
from services.alerts.core.language import _
from services.alerts.deliver import Deliver, HooksRegister
from services.alerts.desk import Desk
from services.alerts.metrics import (
    CATALOGUE,
    RISK_HEARTBEAT,
    RISK_UNSENT,
    RISK_UNSENT_SECONDS,
    UNASSIGNED,
    UNREAD,
    UNREAD_SECONDS,
)
from services.alerts.own import Own
from services.alerts.pages import House, clinical, create_app, person
from services.alerts.pages.reading import Views
from services.alerts.people import Directory, Register
from services.alerts.relay import AnswersRelay
from services.alerts.rules import Rules
from services.alerts.settings import Settings
from services.alerts.signin import SignIn
from services.alerts.timers import DueJob
from services.alerts.together import Together
from services.alerts.views.course import Courses, CourseView
from services.alerts.views.inbox import Inbox
from services.alerts.views.inbox_rows import RiskPath
from services.alerts.views.inbox_view import InboxView
from services.alerts.views.journal import Journals, JournalView
from services.alerts.views.notices import Notices, NoticesView
from services.alerts.views.overdue import Overdue, OverdueView
from services.alerts.views.patterns import Lessons, PatternsView
from services.alerts.views.quality import Quality, QualityView
from services.alerts.views.reflections import Reflections, ReflectionsView
from services.alerts.views.rhythms import RhythmsView, RhythmTable
from services.alerts.views.risk_path import RiskPathTable
from services.alerts.views.said import SaidView, Sayings
from services.alerts.views.signin import SignInTables
from services.alerts.views.supervision import Supervision
from services.chassis import ground
from services.chassis.clock import Clock
from services.chassis.eventlog import Entry
from services.chassis.group_commit import GroupCommit
from services.chassis.http.health import Health
from services.chassis.http.server import Server
from services.chassis.loops import Loops, Recorded
from services.chassis.metrics import Catalogue
from services.chassis.store import Store
from services.chassis.timers import ClockGuard, Timers
from services.chassis.track import Elsewhere, Track
from services.chassis.transport import Receiver, Transport
from services.chassis.turns import Turns
from services.chassis.view import View
from services.chassis.views import reader_name

SERVICE = "alerts"
HERE = Path(__file__).parent
JUDGED = ("measure.assessed", "finding.opened", "finding.amended", "risk.answered")
"""Messages whose way from a measure's record to the inbox is timed."""


class Alerts:
    """The service over its store; `start` sets it going, without it the commands still work."""

    def __init__(self, settings: Settings, clock: Clock, store: Store) -> None:
        """Use `open` instead."""
        self.settings, self.clock, self.store = settings, clock, store
        self.lenses: tuple[lens.Lens, ...] = ()
        self.approaches = approaches.shipped()
        self.catalogue = Catalogue(CATALOGUE)
        self.health = Health(self.catalogue)
        ground.measure(
            self.catalogue, settings.store, settings.kafka.ca_file if settings.kafka else ""
        )
        self.log = store.log()
        self._commit = GroupCommit(store.log())
        self.directory = Directory(self.log, store.ids, settings.backup)
        self.register = Register(self.log, self._commit, store.ids, clock)
        self.rules = Rules(self.log, self._commit, store.ids, store.service_owner, clock)
        self.caseload = Caseload(self.log)
        self._open_views()
        self.desk = Desk(
            self.log,
            self._commit,
            store.ids,
            clock,
            settings,
            self.courses,
            self.approaches,
            self.catalogue,
        )
        self.own = Own(self.desk, self.rhythms)
        self.together = Together(self.desk)
        self.signin = SignIn(
            SignInTables(store.volatile), self.directory, store.ids, clock, settings
        )
        statistics = self.caseload.of
        book = Book(self.log, store.ids, clock, self.directory, settings, self.rules, statistics)
        self.statistics = StatisticsConsumer(self.log, store.ids, clock, store.service_owner)
        self.watch = RiskWatch(clock, settings.heartbeat_late_s)
        self._heard = RiskPathTable(store.volatile)
        self.episodes = EpisodesConsumer(self.log, book, store.ids, store.parking, self.catalogue)
        self.risk = RiskConsumer(self.log, book, store.ids, self.watch, self.catalogue)
        self.guard: ClockGuard = store.clock_guard(clock)
        self.timers = Timers(clock, self.guard, store.lock("timers"))
        self.deliver = self._delivery()
        self.deliveries = Timers(clock, self.guard, store.lock("deliveries"), name="deliveries")
        self._loops: Loops | None = None

    def _open_views(self) -> None:
        store, policy = self.store, self.settings.policy
        course_view, inbox_view = CourseView(), InboxView(store.ids)
        overdue_view, journal_view = OverdueView(policy), JournalView()
        patterns_view, reflections_view = PatternsView(store.ids), ReflectionsView()
        rhythms_view, notices_view = RhythmsView(), NoticesView()
        said_view, quality_view = SaidView(), QualityView()
        self.views: tuple[View, ...] = (
            inbox_view,
            course_view,
            overdue_view,
            journal_view,
            patterns_view,
            reflections_view,
            rhythms_view,
            notices_view,
            quality_view,
            said_view,
        )
        for view in self.views:
            store.views.register(view)
        self.courses = Courses(store.views, course_view, self.directory, policy, self.rules)
        self.inbox = Inbox(store.views, inbox_view, self.directory, policy, self.rules)
        self.overdue = Overdue(store.views, overdue_view)
        self.journals = Journals(store.views, journal_view)
        self.notices = Notices(store.views, notices_view)
        self.quality = Quality(store.views, quality_view, self.rules, policy)
        self.lessons = Lessons(store.views, patterns_view, self.directory, policy, self.approaches)
        self.supervision = Supervision(self.inbox, self.lessons)
        self.reflections = Reflections(store.views, reflections_view)
        self.rhythms = RhythmTable(store.views, rhythms_view)
        self.sayings = Sayings(store.views, said_view)

    @classmethod
    def open(cls, settings: Settings, clock: Clock, *, migrate: bool = True) -> "Alerts":
        """The service over the store that `settings` names, whose tables are made when missing.

        Raises:
            NotMigratedError: `migrate` is False and the store has no tables of this version.
            services.alerts.core.lens.LensError: a file of the clinic's own lenses is wrong.
        """
        known = lenses(settings.lenses)
        store = cls.store_of(settings)
        if migrate:
            store.migrate()
            SignInTables(store.volatile).migrate()
            RiskPathTable(store.volatile).migrate()
        service = cls(settings, clock, store)
        service.lenses = known
        return service

    @staticmethod
    def store_of(settings: Settings) -> Store:
        """The store that `settings` names; nothing of it is made or read yet."""
        return Store.open(settings.store, SERVICE, master_key=settings.master_key, topics=TOPICS)

    def server(self) -> Server:
        """The pages, listening already.

        Made after `start` they tell of its followers; without it, of those of another process.
        """
        house = self._house()
        self.health.dependency("store", self._store_fault)
        inbox = api.blueprint(lambda: house.reading.inbox(person()))
        app = create_app(house, self.health, self.catalogue, ((inbox, clinical(house)),))
        settings = self.settings
        return Server(app, settings.host, settings.port, threads=settings.threads)

    def relays(self, transport: Transport) -> tuple[AnswersRelay]:
        """What hands over; with a handle of its own on the log."""
        return (AnswersRelay(self.store.log(), transport),)

    def receivers(self) -> dict[str, Receiver]:
        """Who takes which topic."""
        return {
            topics.EPISODES: self.episodes,
            topics.RISK: self.risk,
            topics.STATISTICS: self.statistics,
        }

    def start(self, transport: Transport, turns: Turns) -> None:
        """Start views, the relay of answers and the timers; followers work by `turns`."""
        fresh = {reader_name(self.inbox.view): _recorded(self._shown())}
        loops = Loops(self.store, self.clock, self.health, self.catalogue, fresh=fresh, turns=turns)
        loops.follow_views(self.views)
        for relay in self.relays(transport):
            loops.follow(relay)
        loops.parks(EPISODES_READER)
        self._loops = loops
        self._schedule()
        self._measure()
        loops.start()
        self.timers.start()
        self.deliveries.start()

    def share_risk_path(self) -> None:
        """Keep what is heard of the risk path for the pages that another process serves."""
        self.watch.remember = self._heard.save

    def behind(self) -> list[str]:
        """The readers that have not taken all that is there for them."""
        return self._loops.behind() if self._loops else []

    def alive(self) -> bool:
        """Whether everything that was started still runs."""
        return self._loops is None or self._loops.alive()

    def stop(self) -> None:
        """Finish what is at hand and close."""
        self.health.stop()
        for timers in (self.deliveries, self.timers):
            if timers.is_alive():
                timers.stop()
        if self._loops is not None:
            self._loops.stop()
        self._commit.close()
        self.store.close()

    def _schedule(self) -> None:
        due = DueJob(
            self.log,
            self._commit,
            self.overdue,
            self.courses.view,
            self.store.views,
            self.directory,
            self.settings,
            self.catalogue,
        )
        self.timers.register("due", due.due)
        self.timers.register("regular", self.own.due)
        self.timers.register("replay", lambda now: self.episodes.idle())
        self.timers.register("sign-in", lambda now: self.signin.sweep())
        self.health.loop("timers", lambda: self.timers.silence)
        self.deliveries.register("plan notices", self.deliver.plan)
        self.deliveries.register("send notices", self.deliver.send)
        self.health.loop("deliveries", lambda: self.deliveries.silence)

    def _delivery(self) -> Deliver:
        settings, store = self.settings, self.store
        webhook = Webhook(settings.webhook)
        return Deliver(
            log=self.log,
            commit=self._commit,
            ids=store.ids,
            directory=self.directory,
            inbox=self.inbox,
            notices=self.notices,
            hooks=HooksRegister(
                self.log, self._commit, store.ids, store.service_owner, self.clock, webhook
            ),
            policy=settings.policy,
            digest_hour=settings.digest_hour,
            url=settings.url or f"http://{settings.host}:{settings.port}",
            mail=Mail(settings.mail) if settings.mail else None,
            webhook=webhook,
            catalogue=self.catalogue,
        )

    def _measure(self) -> None:
        self.catalogue.read_from(RISK_HEARTBEAT, self.watch.age_s)
        self.catalogue.read_from(RISK_UNSENT, lambda: float(self.watch.unsent))
        self.catalogue.read_from(RISK_UNSENT_SECONDS, lambda: self.watch.oldest_s)
        now = self.clock.now
        self.catalogue.read_from(UNASSIGNED, lambda: self.inbox.unassigned(now()))
        self.catalogue.read_from(UNREAD, lambda: self.inbox.unread(now())[0])
        self.catalogue.read_from(UNREAD_SECONDS, lambda: self.inbox.unread(now())[1])

    def _shown(self) -> int:
        """The position up to which the inbox has shown everything before this start.

        A new version of the view reads from the beginning what an older one has shown already.
        """
        return self.store.views.position(self.inbox.view) or self.log.head()

    def _house(self) -> House:
        settings, store = self.settings, self.store
        reading = Views(
            store=store.views,
            inboxes=self.inbox,
            courses=self.courses,
            journals=self.journals,
            reflections=self.reflections,
            rhythms=self.rhythms,
            caseload=self.caseload,
            sayings=self.sayings,
            approaches=self.approaches,
            path=self._path,
            clock=self.clock,
            followers=self._followers(),
            parking=store.parking,
            counts=self._counts,
            stopped=self._stopped,
        )
        stated = settings.policy_link if settings.contact and settings.backup else ""
        return House(
            reading=reading,
            commands=self.desk,
            entrance=self.signin,
            own=self.own,
            together=self.together,
            lessons=self.lessons,
            quality=self.quality,
            rules=self.rules,
            supervision=self.supervision,
            now=self._now,
            zone=settings.policy.zone,
            lenses=self.lenses,
            approaches=self.approaches,
            risk_policy=stated or None,
            contact=settings.contact,
        )

    def _followers(self) -> Sequence[Track | Elsewhere]:
        if self._loops is not None:
            return self._loops.tracks()
        views = self.store.views
        return [Elsewhere(views.reader(view), self.log, self.clock) for view in self.views]

    def _path(self) -> RiskPath:
        heard = self._heard.load() if self._loops is None else None
        if heard is not None:
            self.watch.heard(*heard)
        return self.watch.path()

    def _stopped(self) -> str | None:
        return self.guard.look() if self._loops is None else self.guard.distrust

    def _counts(self) -> Sequence[tuple[str, int]]:
        return (
            (_("events in the log"), self.log.head()),
            (_("courses without a clinician in reach"), self.inbox.unassigned(self.clock.now())),
        )

    def _now(self) -> datetime:
        return self.clock.now()

    def _store_fault(self) -> str | None:
        self.log.head()
        return None


def lenses(folder: str = "") -> tuple[lens.Lens, ...]:
    """The lenses that ship, and with them those of the clinic's own folder.

    Raises:
        LensError: a file is not of the form; the text names file, place and reason.
    """
    own = [Path(folder)] if folder else []
    return lens.load(HERE / "lenses", *own)


def _recorded(shown: int) -> Recorded:
    """When the other service recorded what led to an entry, by whose freshness we are judged.

    A finding is dated by the record of the measure that led to it.
    """

    def recorded(entry: Entry) -> datetime | None:
        event = entry.event
        if entry.position <= shown or not isinstance(event, course.MessageNoted):
            return None
        judged = event.effect and event.message["type"] in JUDGED
        return datetime.fromisoformat(event.message["time"]) if judged else None

    return recorded
