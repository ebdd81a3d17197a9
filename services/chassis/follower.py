"""One thread that takes readers through the log, page by page; nothing stops it for good."""

import threading
from collections.abc import Callable, Collection, Sequence
from time import monotonic
from typing import Any

from services.chassis.clock import Clock
from services.chassis.eventlog import Entry, EventLog, Page
from services.chassis.parking import Parking
from services.chassis.reader import FollowerReport, Quiet, Reader
from services.chassis.track import PASSING, Track, Work
from services.chassis.turns import Turns

Share = tuple[Reader, Sequence[Entry]]
"""A reader, and what it wants of a page."""
RESTING = -1
"""Where a follower stands all of whose readers rest."""
Together = Callable[[Sequence[Share], int], None]
"""Stores the effects of a page for several readers, and all their positions, in one commit.

It raises as `Reader.apply` does; then nothing is stored and each of them takes the page alone.
"""


class Follower(threading.Thread):
    """Feeds readers; parks what one cannot digest; waits out a store that is away.

    Readers at the same position share each page: it is read and opened once. One that is behind
    goes its own way up to where the others are. What one cannot digest, or a store that fails one,
    is its own affair.
    """

    def __init__(
        self,
        log: EventLog,
        readers: Sequence[Reader],
        parking: Parking,
        clock: Clock,
        poll: float = 0.05,
        page: int = 500,
        report: FollowerReport | None = None,
        together: Together | None = None,
        linger: float = 0.0,
        turns: Turns | None = None,
        urgent: bool = False,
    ) -> None:
        """Follow `log`, a handle of this follower alone, for `readers`; `start` begins.

        Without `together` each reader stores its own effects. Once woken it lets more arrive for
        `linger` seconds, so that what follows from one measure makes one page and not several.
        Those that are given the same `turns` work one after another, the urgent first.
        """
        super().__init__(name=f"follower-{readers[0].name}", daemon=True)
        self._stopping = threading.Event()
        self._turns, self._urgent = turns or Turns(), urgent
        told = report or Quiet()
        work = Work(self._stopping, self.is_alive, self._turns, told, poll, page)
        self.tracks = [Track(log, one, parking, clock, work) for one in readers]
        self._log, self._poll, self._page = log, poll, page
        self._together, self._linger = together, linger
        self._topics = _union(readers)

    def leave(self) -> None:
        """Ask it to finish the page at hand, then to end."""
        self._stopping.set()

    def stop(self) -> None:
        """Finish the page at hand, then end; joins."""
        self.leave()
        if self.is_alive() and threading.current_thread() is not self:
            self.join()

    def run(self) -> None:
        """Follow until stopped."""
        while not self._stopping.is_set():
            try:
                with self._turns.turn(urgent=self._urgent):
                    seen = None if self._stopping.is_set() else self.turn()
                if seen is not None:
                    self._wait(seen)
            except Exception as error:  # the log itself could not be read
                for track in self.tracks:
                    track.failed(error)
            for track in self.tracks:
                track.beats()

    def turn(self) -> int | None:
        """Take one page; when there is none, the position up to which it was looked for.

        Whoever rests after a failure is waited for outside the turn, as what is still to come is.
        """
        places = self._places()
        if not places:
            return RESTING
        front = max(place for _, place in places)
        behind = [track for track, place in places if place < front]
        for track in behind:
            self._alone(track, Track.catch_up, front)
        abreast = [track for track, place in places if place == front]
        page = self._log.page(front, self._page, self._topics)
        if page.entries:
            self._take(abreast, page)
            return None
        for track in abreast:
            self._alone(track, Track.rest_of_turn, page.scanned_to)
        return None if behind else page.scanned_to

    def _wait(self, seen: int) -> None:
        """Wait a little for what comes after `seen`, or for the first that ends its rest."""
        if seen == RESTING:
            self._stopping.wait(min(track.rests for track in self.tracks))
        elif self._log.wait(seen, self._poll * 4, self._topics):
            self._stopping.wait(self._linger)

    def _places(self) -> list[tuple[Track, int]]:
        """Where those are that do not rest."""
        places = []
        for track in self.tracks:
            try:
                place = track.place()
            except Exception as error:
                track.failed(error)
            else:
                places += [] if place is None else [(track, place)]
        return places

    def _take(self, tracks: Sequence[Track], page: Page) -> None:
        """Take a page for those who stand where it begins, in one commit where they can."""
        shares = [(track, track.wanted(page.entries)) for track in tracks]
        several = len(tracks) > 1 and any(some for _, some in shares)
        if several and self._took_together(shares, page.scanned_to):
            return
        for track, some in shares:
            self._alone(track, Track.take, some, page.scanned_to)

    def _took_together(self, shares: Sequence[tuple[Track, list[Entry]]], to: int) -> bool:
        """Whether one commit did for all; if not, each is to take the page alone."""
        if self._together is None:
            return False
        started = monotonic()
        try:
            self._together([(track.reader, some) for track, some in shares], to)
        except PASSING as error:
            for track, _ in shares:
                track.failed(error)
            return True
        except Exception:  # one of them has trouble: it shows when each takes the page alone
            return False
        for track, some in shares:
            track.took(some, to, monotonic() - started)
        return True

    def _alone(self, track: Track, step: Callable[..., None], *arguments: Any) -> None:
        try:
            step(track, *arguments)
        except Exception as error:
            track.failed(error)
        else:
            track.went_well()


def _union(readers: Sequence[Reader]) -> Collection[str] | None:
    """The topics that any of the readers wants; None: everything."""
    wanted: set[str] = set()
    for one in readers:
        if one.topics is None:
            return None
        wanted |= set(one.topics)
    return wanted
