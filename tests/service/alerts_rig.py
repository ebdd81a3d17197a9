"""The alerts service without its pages, on a real store, driven message by message."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from schemas import approaches, messages, topics
from services.alerts.book import Book
from services.alerts.caseload import Caseload
from services.alerts.consumer import EpisodesConsumer, RiskConsumer, RiskWatch, StatisticsConsumer
from services.alerts.core.event import TOPICS
from services.alerts.core.person import Person
from services.alerts.desk import Desk
from services.alerts.metrics import CATALOGUE
from services.alerts.own import Own
from services.alerts.people import Directory, Register
from services.alerts.rules import Rules
from services.alerts.settings import Settings, load
from services.alerts.signin import SignIn
from services.alerts.timers import DueJob
from services.alerts.together import Together
from services.alerts.views.course import Courses, CourseView
from services.alerts.views.inbox import Inbox, InboxPage
from services.alerts.views.inbox_view import InboxView
from services.alerts.views.journal import Journals, JournalView
from services.alerts.views.overdue import Overdue, OverdueView
from services.alerts.views.patterns import Lessons, PatternsView
from services.alerts.views.quality import Quality, QualityView
from services.alerts.views.reflections import Reflections, ReflectionsView
from services.alerts.views.rhythms import RhythmsView, RhythmTable
from services.alerts.views.said import SaidView, Sayings
from services.alerts.views.signin import SignInTables
from services.chassis.clock import SteppedClock
from services.chassis.group_commit import GroupCommit
from services.chassis.message import Message, encode, message_id
from services.chassis.metrics import Catalogue
from services.chassis.store import Store
from services.chassis.transport import Delivery, Receiver

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
SENDER = "clinic"


def id_of(*names: str) -> UUID:
    return UUID(bytes=sha256("/".join(names).encode()).digest()[:16])


class Rig:
    """One alerts service; `tell` is the other service's relay."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.clock = SteppedClock(START)
        place = {"STORE": f"sqlite:///{folder}", "MASTER_KEY": "6b" * 32, "ZONE": "UTC"}
        chosen = {f"PIVOTPOINT_ALERTS_{k}": v for k, v in (place | settings).items()}
        self.settings: Settings = load(chosen)
        self.store = Store.open(place["STORE"], "alerts", master_key=b"k" * 32, topics=TOPICS)
        self.store.migrate()
        self.log = self.store.log()
        self.ids = self.store.ids
        self.commit = GroupCommit(self.store.log())
        self.directory = Directory(self.log, self.ids, self.settings.backup)
        self.register = Register(self.log, self.commit, self.ids, self.clock)
        self.catalogue = Catalogue(CATALOGUE)
        self.caseload = Caseload(self.log)
        self.rules = Rules(self.log, self.commit, self.ids, self.store.service_owner, self.clock)
        self.book = Book(
            self.log,
            self.ids,
            self.clock,
            self.directory,
            self.settings,
            self.rules,
            self.caseload.of,
        )
        self.statistics = StatisticsConsumer(
            self.log, self.ids, self.clock, self.store.service_owner
        )
        self.watch = RiskWatch(self.clock, self.settings.heartbeat_late_s)
        self.episodes = EpisodesConsumer(
            self.log, self.book, self.ids, self.store.parking, self.catalogue
        )
        self.risk = RiskConsumer(self.log, self.book, self.ids, self.watch, self.catalogue)
        self._read_side()
        tables = SignInTables(self.store.volatile)
        tables.migrate()
        self.signin = SignIn(tables, self.directory, self.ids, self.clock, self.settings)
        self._position = 0

    def _read_side(self) -> None:
        policy, views = self.settings.policy, self.store.views
        self.courses = Courses(views, CourseView(), self.directory, policy, self.rules)
        self.inbox = Inbox(views, InboxView(self.ids), self.directory, policy, self.rules)
        self.journals = Journals(views, JournalView())
        self.overdue = Overdue(views, OverdueView(policy))
        self.quality = Quality(views, QualityView(), self.rules, policy)
        self.approaches = approaches.shipped()
        self.lessons = Lessons(
            views, PatternsView(self.ids), self.directory, policy, self.approaches
        )
        self.reflections = Reflections(views, ReflectionsView())
        self.rhythms = RhythmTable(views, RhythmsView())
        self.sayings = Sayings(views, SaidView())
        self.views = [
            self.courses.view,
            self.inbox.view,
            self.journals.view,
            self.overdue.view,
            self.lessons.view,
            self.reflections.view,
            self.rhythms.view,
            self.quality.view,
            self.sayings.view,
        ]
        for view in self.views:
            views.register(view)
        self.readers = [views.reader(view) for view in self.views]
        self.desk = Desk(
            self.log,
            self.commit,
            self.ids,
            self.clock,
            self.settings,
            self.courses,
            self.approaches,
            self.catalogue,
        )
        self.own = Own(self.desk, self.rhythms)
        self.together = Together(self.desk)
        self.job = DueJob(
            self.log,
            self.commit,
            self.overdue,
            self.courses.view,
            views,
            self.directory,
            self.settings,
            self.catalogue,
        )

    def close(self) -> None:
        self.commit.close()
        self.store.close()

    # Time and views

    def show(self) -> None:
        """Let every view catch up."""
        for reader in self.readers:
            while (page := self.log.page(reader.position(), 500, reader.topics)).scanned_to > (
                reader.position()
            ):
                reader.apply(page.entries, page.scanned_to)

    def later(self, **delta: float) -> None:
        """Let time pass, day by day, with the timers running."""
        end = self.clock.now() + timedelta(**delta)
        while self.clock.now() < end:
            self.clock.set(min(end, self.clock.now() + timedelta(hours=12)))
            self.tick()

    def tick(self) -> None:
        """One turn of the timers."""
        self.show()
        self.job.due(self.clock.now())
        self.own.due(self.clock.now())
        self.show()

    # Messages

    def tell(self, type_: str, data: dict[str, Any], **changes: Any) -> Delivery:
        """Hand one message over."""
        delivery = self.delivery(type_, data, **changes)
        self.hand([delivery])
        return delivery

    def delivery(
        self, type_: str, data: dict[str, Any], *, version: int = 1, raw: bytes | None = None
    ) -> Delivery:
        """A message as it comes out of the transport, at the next offset."""
        self._position += 1
        topic = topics.RISK if type_ in ("risk.answered", "heartbeat") else topics.EPISODES
        if type_ == "statistics.published":
            topic = topics.STATISTICS
        key = UUID(data["episode"]) if "episode" in data else None
        message = Message(
            type=type_,
            version=version,
            id=message_id(id_of(type_), version, data),
            key=key,
            time=self.clock.now(),
            log_id="outcomes-log",
            position=0 if type_ == "heartbeat" else self._position,
            data=data,
        )
        return Delivery(
            topic=topic,
            partition=0,
            offset=message.position,
            key=key.hex if key else "",
            raw=encode(message) if raw is None else raw,
            log_id=message.log_id,
        )

    def hand(self, deliveries: Sequence[Delivery]) -> None:
        """Hand deliveries over, runs of one topic at a time."""
        for one in deliveries:
            takes: dict[str, Receiver] = {
                topics.RISK: self.risk,
                topics.STATISTICS: self.statistics,
            }
            takes.get(one.topic, self.episodes).receive([one])

    def page(self, name: str) -> InboxPage:
        """Somebody's inbox, with the views caught up."""
        self.show()
        return self.inbox.page(self.person(name), self.clock.now())

    def person(self, name: str) -> Person:
        found = self.directory.people().named(name)
        assert found is not None
        return found


def staffed(rig: Rig) -> None:
    """Alice owns, Bob is a colleague, Sam supervises Alice, Bea is the backup."""
    for name, role in (
        ("alice", "clinician"),
        ("bob", "clinician"),
        ("sam", "supervisor"),
        ("bea", "clinician"),
        ("olga", "ops"),
    ):
        rig.register.add(name, role)
    rig.register.link("alice", SENDER, "dr-a")
    rig.register.link("bob", SENDER, "dr-b")
    rig.register.supervise("sam", "alice")


# The data of messages


def episode_changed(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "episode": id_of("episode", name).hex,
        "subject": id_of("subject", name).hex,
        "sender": SENDER,
        "reference": f"ref-{name}",
        "client": name,
        "clinician": "dr-a",
        "announced": True,
        "opened_on": "2026-01-05",
        "primary_instrument": "phq-9",
        **changes,
    }


SCALE = {
    "title": "PHQ-9",
    "instrument_version": "1",
    "minimum": 0.0,
    "maximum": 27.0,
    "higher_is": "worse",
    "cutoff": 10.0,
    "reliable_change": 5.6,
}


def assessed(
    name: str, number: int, score: float, on: str, *, change: float | None = None, **state: Any
) -> dict[str, Any]:
    return {
        "episode": id_of("episode", name).hex,
        "assessment": {
            "measure": id_of("measure", name, str(number)).hex,
            "version": 1,
            "external_id": f"{name}-{number}",
            "trajectory": "phq-9|total|client",
            "instrument": "phq-9",
            "respondent": "client",
            "on": on,
            "number": number,
            "score": score,
            "used": True,
            "state": {"change": change, **state},
            "fan": [],
            "scale": SCALE,
            "rule": "trend 1",
        },
    }


EVIDENCE: dict[str, dict[str, Any]] = {
    "off_track": {
        "p_fail": 0.7, "threshold": 0.5, "horizon_weeks": 6, "measure_number": 6, "weeks": 6,
        "level": 15.0, "cutoff": 9.5, "reliable_change": 5.6,
    },
    "reliable_deterioration": {
        "baseline": 14, "baseline_on": "2026-01-05", "baseline_label": "baseline", "score": 21,
        "change": 7, "reliable_change": 5.6, "p_truly_worse": 0.99, "measures": 2,
    },
    "gain_partly_lost": {
        "best": 8.5, "best_on": "2026-02-09", "gain": 9.5, "loss": 6, "score": 15,
        "relapse": False,
    },
}  # fmt: skip
TIERS = {
    "off_track": "prompt",
    "reliable_deterioration": "prompt",
    "gain_partly_lost": "prompt",
    "good_news": "info",
}


def found(
    name: str,
    channel: str = "off_track",
    *,
    ordinal: int = 1,
    revision: int = 1,
    old_news: bool = False,
    **numbers: Any,
) -> dict[str, Any]:
    return {
        "episode": id_of("episode", name).hex,
        "spell": id_of("spell", name, channel, str(ordinal)).hex,
        "channel": channel,
        "ordinal": ordinal,
        "revision": revision,
        "tier": TIERS.get(channel, "review"),
        "on": "2026-03-02",
        "old_news": old_news,
        "evidence": {
            "rule": channel,
            "rule_version": "1",
            "instrument": "phq-9",
            "trajectories": ["phq-9|total|client"],
            "points": [],
            "thresholds": [{"name": "alarm threshold", "value": 0.5, "source": "calibration 2026"}],
            "numbers": {**EVIDENCE.get(channel, {}), **numbers},
        },
    }


def cleared(
    name: str,
    channel: str = "off_track",
    *,
    ordinal: int = 1,
    revision: int = 2,
    reason: str = "recovered",
) -> dict[str, Any]:
    return {
        "episode": id_of("episode", name).hex,
        "spell": id_of("spell", name, channel, str(ordinal)).hex,
        "channel": channel,
        "revision": revision,
        "reason": reason,
        "on": "2026-03-09",
    }


def answered(
    name: str,
    answer: int | None,
    *,
    measure: str = "1",
    version: int = 1,
    on: str = "2026-03-02",
    received_at: datetime = START,
    change: str = "recorded",
    state: str | None = None,
    clinician: str | None = "dr-a",
    item: int = 9,
) -> dict[str, Any]:
    said = state or ("unanswered" if answer is None else "endorsed" if answer else "not endorsed")
    return {
        "episode": id_of("episode", name).hex,
        "subject": id_of("subject", name).hex,
        "sender": SENDER,
        "reference": f"ref-{name}",
        "client": name,
        "clinician": clinician,
        "measure": id_of("measure", name, measure).hex,
        "version": version,
        "instrument": "phq-9",
        "on": on,
        "received_at": received_at.isoformat(),
        "change": change,
        "items": [
            {
                "item": item,
                "kind": "self",
                "answer": answer,
                "state": said,
                "urgent": (answer or 0) >= 2,
            }
        ],
    }


def checked(type_: str, data: dict[str, Any]) -> dict[str, Any]:
    """The data, which must be of the contract's form."""
    messages.check(type_, 1, data)
    return data


def day(text: str) -> date:
    return date.fromisoformat(text)


def resent(deliveries: Sequence[Delivery], log_id: str) -> list[Delivery]:
    """The same messages from a restored log: other log id, offsets from the start."""
    return [
        replace(
            one,
            log_id=log_id,
            offset=number,
            raw=one.raw.replace(one.log_id.encode(), log_id.encode()),
        )
        for number, one in enumerate(deliveries, 1)
    ]
