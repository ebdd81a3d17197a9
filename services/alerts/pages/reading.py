"""The pages' reading side over the read models: one person's view, and how new all of it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from schemas.approaches import Approaches
from services.alerts.caseload import Caseload
from services.alerts.core.caseload import Statistics, effects
from services.alerts.core.person import Person
from services.alerts.desk import NotYoursError
from services.alerts.pages.house import Freshness, Loop, Operations
from services.alerts.people import WRITING
from services.alerts.views.calibration import Calibration, calibration
from services.alerts.views.clients import ClientLine, clients
from services.alerts.views.course import Courses, EpisodePage
from services.alerts.views.inbox import Inbox
from services.alerts.views.inbox_rows import InboxPage, RiskPath
from services.alerts.views.journal import Journals, OwnPart, own_parts
from services.alerts.views.ledger import Ledger, ledger
from services.alerts.views.reflections import Reflections
from services.alerts.views.reminders import Reminders, reminders
from services.alerts.views.rhythms import RhythmTable
from services.alerts.views.said import Sayings
from services.alerts.views.training import Gap, Training, gaps, training
from services.chassis.clock import Clock
from services.chassis.parking import Parking
from services.chassis.track import Elsewhere, Track
from services.chassis.view import View
from services.chassis.views import ViewStore, reader_name

KEPT_S = 1.0
"""For how long an answer about the views' age is given again: it costs a look at the log."""
CAPPED_FOR = timedelta(days=7)
"""For how long a prompt over the day's cap is looked for at the most."""
SILENT_S = 30.0
"""A follower that did not come round for longer is shown as stopped."""


@dataclass(slots=True)
class Views:
    """`services.alerts.pages.house.Reading` over the store of the views."""

    store: ViewStore
    inboxes: Inbox
    courses: Courses
    journals: Journals
    reflections: Reflections
    rhythms: RhythmTable
    caseload: Caseload
    sayings: Sayings
    approaches: Approaches
    path: Callable[[], RiskPath]
    clock: Clock
    followers: Sequence[Track | Elsewhere]
    """Those of this process or of another; those of the views tell how new a page is."""
    parking: Parking
    counts: Callable[[], Sequence[tuple[str, int]]] = tuple
    """Further figures for the operators, none of them about a person."""
    stopped: Callable[[], str | None] = lambda: None
    """Why timers stand still."""
    _built: bool = False
    _fresh: tuple[float, Freshness] | None = field(default=None, repr=False)

    def inbox(self, person: Person) -> InboxPage:
        """The person's inbox."""
        return self.inboxes.page(person, self.clock.now())

    def clients(self, person: Person) -> Sequence[ClientLine]:
        """Every course that the person may see."""
        return clients(self.inboxes, person, self.clock.now())

    def episode(self, person: Person, episode: UUID) -> EpisodePage:
        """One episode, with what is the person's own.

        Raises:
            NotYoursError: unknown, or not this person's.
        """
        page = self.courses.page(person, episode, self.clock.now(), self.journals)
        if page is None:
            raise NotYoursError
        return self._with_cap(page, person)

    def _with_cap(self, page: EpisodePage, person: Person) -> EpisodePage:
        """The page with the prompts that wait for their day marked; the caseload is read for it.

        A prompt waits a few days at most, so an older one needs no look.
        """
        now = self.clock.now()
        fresh = any(
            line.tier == "prompt" and now - datetime.fromisoformat(line.raised_at) < CAPPED_FOR
            for line in page.alerts
        )
        if not fresh or page.access not in WRITING:
            return page
        late = self.inboxes.capped(person, now)
        lines = [
            replace(line, waiting=True, tier="review") if line.alert in late else line
            for line in page.alerts
        ]
        return replace(page, alerts=tuple(lines))

    def ledger(self, person: Person) -> Ledger:
        """What the person noted as unknown, by reason."""
        return ledger(self.reflections, self.inboxes, person, self.clock.now())

    def journal(self, person: Person) -> Sequence[dict[str, Any]]:
        """The person's own entries, newest first."""
        return self.journals.entries(person)

    def own_parts(self, person: Person) -> Sequence[OwnPart]:
        """The person's own parts in their reflections, newest first."""
        return own_parts(self.journals, self.reflections.of(person), person)

    def said(self, person: Person, episode: UUID) -> Sequence[dict[str, str]]:
        """What the client said to this person, newest first."""
        return self.sayings.to(person, episode)

    def gaps(self, person: Person) -> Sequence[Gap]:
        """What the person's reflections found lacking in their toolkit."""
        return gaps(self.reflections.of(person), person.toolkit, self.approaches)

    def training(self, person: Person) -> Training:
        """What those whom the person supervises would like to learn."""
        people = self.inboxes.directory.people()
        return training(people, self.reflections, person, self.clock.now(), self.approaches)

    def reminders(self, person: Person) -> Reminders:
        """What the person may come back to."""
        now = self.clock.now()
        return reminders(self.inboxes, self.rhythms, self.reflections, person, now)

    def rhythm(self, person: Person, episode: UUID | None = None) -> dict[str, Any] | None:
        """How often they mean to reflect on a course, or on any."""
        return self.rhythms.of(person).get(episode.hex if episode else "")

    def calibration(self, person: Person) -> Calibration:
        """The person's own calibration."""
        return calibration(self.reflections, self.journals, person)

    def statistics(self, instrument: str | None) -> Statistics | None:
        """What the caseload's endings say of an instrument."""
        return self.caseload.of(instrument)

    def effects(self) -> list[Statistics]:
        """What followed pivots, by instrument."""
        return effects(self.caseload.every())

    def risk_path(self) -> RiskPath:
        """Whether risk answers arrive."""
        return self.path()

    def freshness(self) -> Freshness:
        """How far the views are, at most a second ago."""
        known = self._fresh
        if known is None or monotonic() - known[0] > KEPT_S:
            known = (monotonic(), self._look())
            self._fresh = known
        return known[1]

    def operations(self) -> Operations:
        """Loops, what is parked, figures."""
        parked: dict[str, int] = {}
        for one in self.parking.list():
            parked[one.reader] = parked.get(one.reader, 0) + 1
        return Operations(
            loops=[_loop(follower) for follower in self.followers],
            parked=sorted(parked.items()),
            counts=self.counts(),
            clock_stopped=self.stopped(),
        )

    def wait(self, position: int, timeout: float) -> bool:
        """Wait until every view that a page is made from shows this position."""
        deadline = monotonic() + timeout
        return all(
            self.store.wait_for(view, position, max(deadline - monotonic(), 0.0))
            for view in self._views()
        )

    def _views(self) -> tuple[View, ...]:
        queries = (
            self.inboxes, self.courses, self.journals, self.reflections, self.rhythms,
            self.sayings,
        )  # fmt: skip
        return tuple(query.view for query in queries)

    def _look(self) -> Freshness:
        if not self._built:  # once built, a view is replaced, never taken away
            current = [self.store.current(view) for view in self._views()]
            self._built = all(build is not None and build.live for build in current)
        names = {reader_name(view) for view in self._views()}
        ages = [
            max(follower.lag[1], follower.silence if follower.silence > SILENT_S else 0.0)
            for follower in self.followers
            if follower.reader.name in names
        ]
        return Freshness(built=self._built, behind_s=max(ages, default=0.0))


def _loop(follower: Track | Elsewhere) -> Loop:
    behind, oldest = follower.lag
    return Loop(
        name=follower.reader.name,
        alive=follower.is_alive() and follower.silence <= SILENT_S,
        heartbeat_s=follower.silence,
        behind=behind,
        oldest_s=oldest,
    )
