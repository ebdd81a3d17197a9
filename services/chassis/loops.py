"""The followers of one service: started, stopped, watched and measured together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.chassis.clock import Clock
from services.chassis.eventlog import Entry, EventLog
from services.chassis.follower import Follower, Together
from services.chassis.http.health import Health
from services.chassis.listening import Listener
from services.chassis.metrics import (
    FRESHNESS,
    PARKED,
    READER_ENTRIES,
    READER_FAILURES,
    READER_LAG,
    READER_LAG_SECONDS,
    READER_SECONDS,
    Catalogue,
)
from services.chassis.reader import FollowerReport, Reader
from services.chassis.store import Store
from services.chassis.track import Track
from services.chassis.turns import Turns
from services.chassis.view import View

VIEWS_LINGER = 0.01
"""Seconds that views wait for what else follows from the same measure."""

Recorded = Callable[[Entry], datetime | None]
"""When that was recorded which an entry tells of; None: its freshness was promised to nobody."""


@dataclass(frozen=True, slots=True)
class Report(FollowerReport):
    """Tells the catalogue what readers do; `fresh` names those whose freshness is promised."""

    catalogue: Catalogue
    clock: Clock
    fresh: Mapping[str, Recorded] = field(default_factory=dict)

    def applied(self, reader: str, entries: Sequence[Entry], seconds: float) -> None:
        """Entries took effect."""
        self.catalogue.count(READER_ENTRIES, len(entries), reader=reader)
        self.catalogue.observe(READER_SECONDS, seconds, reader=reader)
        recorded = self.fresh.get(reader)
        if recorded is None:
            return
        now = self.clock.now()
        for entry in entries:
            since = recorded(entry)
            if since is not None:
                age = (now - since).total_seconds()
                self.catalogue.observe(FRESHNESS, max(0.0, age), reader=reader)

    def failed(self, reader: str, error: str) -> None:
        """Something raised an error of this class."""
        self.catalogue.count(READER_FAILURES, reader=reader, error=error)

    def parked(self, reader: str) -> None:
        """A key was parked: the gauge of parked entries tells it."""


class Loops:
    """A follower has a handle of its own on the log; each reader has a heartbeat and a lag."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        health: Health,
        catalogue: Catalogue,
        *,
        poll: float = 0.05,
        page: int = 500,
        fresh: Mapping[str, Recorded] | None = None,
        turns: Turns,
    ) -> None:
        """Nothing runs yet; by `turns` the followers work one after another."""
        self._store, self._clock = store, clock
        self._turns = turns
        self._health, self._catalogue = health, catalogue
        self._poll, self._page = poll, page
        self._report = Report(catalogue, clock, fresh or {})
        self._followers: list[tuple[Follower, EventLog]] = []
        self._listener: Listener | None = None

    def follow(self, reader: Reader, *, urgent: bool = False) -> Follower:
        """Let `reader` follow the log once `start` is called; an urgent one has its turn first."""
        return self._follow([reader], urgent=urgent)

    def follow_views(self, views: Sequence[View]) -> Follower:
        """Let views follow the log, sharing its pages and their commits."""
        store = self._store.views
        readers = [store.reader(view) for view in views]
        return self._follow(readers, store.apply_together, VIEWS_LINGER)

    def _follow(
        self,
        readers: Sequence[Reader],
        together: Together | None = None,
        linger: float = 0.0,
        *,
        urgent: bool = False,
    ) -> Follower:
        log = self._store.log()
        follower = Follower(
            log,
            readers,
            self._store.parking,
            self._clock,
            self._poll,
            self._page,
            self._report,
            together,
            linger,
            self._turns,
            urgent,
        )
        self._followers.append((follower, log))
        for track in follower.tracks:
            self._health.loop(track.reader.name, _silence(track))
            self._measure(track)
        return follower

    def start(self) -> None:
        """Start every follower, and what wakes them for other processes."""
        for follower, log in self._followers:
            follower.start()
            self._listener = self._listener or self._store.listener(log)
        if self._listener is not None:
            self._listener.start()

    def stop(self) -> None:
        """Let every follower finish its page."""
        for follower, _ in self._followers:
            follower.leave()
        for follower, _ in self._followers:
            follower.stop()
        if self._listener is not None:
            self._listener.stop()

    def alive(self) -> bool:
        """Whether every follower still runs."""
        return all(follower.is_alive() for follower, _ in self._followers)

    def behind(self) -> list[str]:
        """The readers that have not taken all that is there for them."""
        return [
            reader.name
            for follower, log in self._followers
            for reader in (track.reader for track in follower.tracks)
            if log.waiting(reader.position(), reader.topics)
        ]

    def tracks(self) -> list[Track]:
        """Every reader's way through the log, in the order in which they were added."""
        return [track for follower, _ in self._followers for track in follower.tracks]

    def parks(self, reader: str) -> None:
        """Measure what a reader has parked; those that follow the log are measured anyhow."""
        parking = self._store.parking
        self._catalogue.read_from(PARKED, lambda: parking.count(reader), reader=reader)

    def _measure(self, track: Track) -> None:
        name = track.reader.name
        self._catalogue.read_from(READER_LAG, _of_lag(track, 0), reader=name)
        self._catalogue.read_from(READER_LAG_SECONDS, _of_lag(track, 1), reader=name)
        self.parks(name)


def _silence(track: Track) -> Callable[[], float]:
    return lambda: track.silence


def _of_lag(track: Track, part: int) -> Callable[[], float]:
    return lambda: float(track.lag[part])
