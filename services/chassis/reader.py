"""What follows the log: what a follower asks of its readers, and where it tells what it does."""

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable
from uuid import UUID

from services.chassis.eventlog import Entry


class Reader(Protocol):
    """What follows the log."""

    @property
    def name(self) -> str:
        """Under which parking and metrics know it."""
        ...

    @property
    def topics(self) -> Collection[str] | None:
        """What it wants to see; None: everything."""
        ...

    def position(self) -> int:
        """How far its stored effects reach."""
        ...

    def apply(self, entries: Sequence[Entry], to: int) -> None:
        """Store the effects of the entries (perhaps none) and the position `to` in one commit.

        Raises:
            ConflictError: the position has moved, or a stream was written by another.
        """
        ...

    def replay(self, entries: Sequence[Entry]) -> None:
        """Store the effects of entries that were parked; the position stays."""
        ...

    def key(self, entry: Entry) -> UUID | None:
        """What is parked when the entry cannot be digested; None: try it for ever."""
        ...

    def idle(self) -> None:
        """Called when there is nothing to read."""
        ...


@runtime_checkable
class Reloading(Protocol):
    """A reader that caches streams, and forgets them when told to."""

    def reload(self) -> None:
        """Forget what is cached: somebody else has written."""
        ...


@runtime_checkable
class Passing(Protocol):
    """A reader that wants to know at once how far nothing concerned it."""

    def passed(self, to: int) -> None:
        """Everything between the position and `to` is foreign; stored later, or never."""
        ...


class FollowerReport(Protocol):
    """Where a follower tells what it does, for metrics."""

    def applied(self, reader: str, entries: Sequence[Entry], seconds: float) -> None:
        """Entries took effect, which cost so many seconds."""
        ...

    def failed(self, reader: str, error: str) -> None:
        """Something raised an error of this class."""
        ...

    def parked(self, reader: str) -> None:
        """A key was parked."""
        ...


class Quiet:
    """Reports nothing."""

    def applied(self, reader: str, entries: Sequence[Entry], seconds: float) -> None:
        """Nothing."""

    def failed(self, reader: str, error: str) -> None:
        """Nothing."""

    def parked(self, reader: str) -> None:
        """Nothing."""
