"""One thread that takes a reader through the log, page by page; nothing stops it for good."""

import threading

from services.chassis.clock import Clock
from services.chassis.eventlog import EventLog
from services.chassis.parking import Parking
from services.chassis.reader import FollowerReport, Quiet, Reader
from services.chassis.track import Track


class Follower(threading.Thread):
    """Feeds a reader; parks what it cannot digest; waits out a store that is away."""

    def __init__(
        self,
        log: EventLog,
        reader: Reader,
        parking: Parking,
        clock: Clock,
        poll: float = 0.05,
        page: int = 500,
        report: FollowerReport | None = None,
    ) -> None:
        """Follow `log`, a handle of this follower alone, for `reader`; `start` begins."""
        super().__init__(name=f"follower-{reader.name}", daemon=True)
        self._stopping = threading.Event()
        told = report or Quiet()
        self.track = Track(
            log, reader, parking, clock, self._stopping, poll, page, told, self.is_alive
        )
        self._log, self._poll, self._page = log, poll, page

    def stop(self) -> None:
        """Finish the page at hand, then end; joins."""
        self._stopping.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join()

    def run(self) -> None:
        """Follow until stopped."""
        while not self._stopping.is_set():
            try:
                self.turn()
            except Exception as error:
                self.track.failed(error)
            self.track.beats()

    def turn(self) -> None:
        """Take one page, or wait a little when there is none."""
        cursor = self.track.ready()
        if cursor is None:
            self._stopping.wait(self.track.rests)
            return
        page = self._log.page(cursor, self._page, self.track.reader.topics)
        if page.entries:
            self.track.take(page.entries, page.scanned_to)
            self.track.went_well()
            return
        self.track.pass_over(page.scanned_to)
        self.track.rest_of_turn()
        self.track.went_well()
        self._log.wait(self.track.cursor or 0, self._poll * 4, self.track.reader.topics)
