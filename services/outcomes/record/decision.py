"""What a command sees of the log while it decides, and its way through group commit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from services.chassis.eventlog import Damaged, EventLog, Redacted
from services.chassis.group_commit import Committed, GroupCommit, Read
from services.outcomes.core.episode import State, onward
from services.outcomes.core.event import Event

T = TypeVar("T")


class ErasedError(Exception):
    """The client was erased: nothing of theirs can be read or taken any more."""


class DamagedError(Exception):
    """What is stored there does not authenticate; nothing is decided upon it."""


class Sight:
    """The streams a command decides upon, with what it has decided so far on top of them.

    Before the first try only `known` streams are seen and all others count as empty: the log
    refuses what they hold already. After a conflict every stream is read anew.
    """

    def __init__(self, known: Mapping[UUID, Sequence[Any]], read: Read | None) -> None:
        """See `known` when there is no `read`."""
        self.stored: list[Event] = []
        self.blind = read is None
        self._read: Callable[[UUID], Sequence[Any]] = read or (lambda stream: known.get(stream, ()))
        self._seen: dict[UUID, list[Event]] = {}
        self._folded: dict[UUID, tuple[int, State | None]] = {}

    def events(self, stream: UUID) -> list[Event]:
        """The events of a stream.

        Raises:
            ErasedError, DamagedError: as they say.
        """
        seen = self._seen.get(stream)
        if seen is None:
            seen = self._seen[stream] = readable(self._read(stream))
        return seen

    def episode(self, stream: UUID) -> State | None:
        """The episode whose stream this is, None when there is none. Raises as `events`.

        Each event is folded once: hundreds of rows of a history may be about one episode.
        """
        events = self.events(stream)
        count, state = self._folded.get(stream, (0, None))
        if count < len(events):
            state = onward(state, events[count:])
            self._folded[stream] = (len(events), state)
        return state

    def store(self, events: Sequence[Event]) -> None:
        """Have these stored when the command is done, and seen from now on."""
        self.stored.extend(events)
        for event in events:
            self.events(event.originator_id).append(event)


class Decisions:
    """Carries commands out: work upon a sight, what it stored into the log, then its answer."""

    def __init__(self, log: EventLog, commit: GroupCommit) -> None:
        """Read through `log`, write through `commit`."""
        self.log = log
        self._commit = commit

    def known(self, streams: Iterable[UUID]) -> dict[UUID, list[Any]]:
        """What these streams hold now, in one query; the empty ones are there too."""
        wanted = list(streams)
        if not wanted:
            return {}
        return {stream: [] for stream in wanted} | self.log.read_many(wanted)

    def take(self, known: Mapping[UUID, Sequence[Any]], work: Callable[[Sight], T]) -> Committed[T]:
        """Let `work` decide, at most a few times; its last answer, once all it stored is durable.

        Raises:
            StoreError: nothing is known to be stored; safe to send again.
            Exception: whatever `work` raises.
        """

        def decide(read: Read | None) -> tuple[list[Event], T]:
            sight = Sight(known, read)
            answer = work(sight)
            return sight.stored, answer

        return self._commit.commit(decide)


def readable(events: Sequence[Any]) -> list[Event]:
    """The events of a stream when all of them can be read.

    Raises:
        ErasedError: their owner was erased.
        DamagedError: one does not authenticate.
    """
    for event in events:
        if isinstance(event, Redacted):
            raise ErasedError("the client was erased")
        if isinstance(event, Damaged):
            raise DamagedError("what is stored there does not authenticate")
    return list(events)
