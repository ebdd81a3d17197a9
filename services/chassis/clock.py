"""Time as an argument: every part that needs to know the time is handed a clock from here."""

import threading
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """What tells the time; only this module reads the machine's."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


class SteppedClock:
    """A clock that stands still until it is set: for the demo and for tests."""

    def __init__(self, start: datetime) -> None:
        """Stand at `start`, an aware moment."""
        self._lock = threading.Lock()
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The moment it was last set to, aware, in UTC."""
        with self._lock:
            return self._now

    def set(self, moment: datetime) -> None:
        """Stand at `moment`, an aware moment, from now on."""
        with self._lock:
            self._now = moment.astimezone(UTC)


def today(clock: Clock, zone: ZoneInfo) -> date:
    """The installation's calendar day at this moment."""
    return clock.now().astimezone(zone).date()
