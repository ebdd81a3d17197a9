"""Who may post: makes, turns and takes away tokens, and looks one up for every request."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from time import monotonic
from uuid import UUID

from services.chassis.clock import Clock
from services.chassis.eventlog import EventLog
from services.chassis.ids import Ids, fresh_id
from services.outcomes.core import sender
from services.outcomes.core.event import Event
from services.outcomes.record.decision import readable
from services.outcomes.record.recent import Recent

PREFIX = "ppt"
"""Begins every token, so that one that leaked into a file can be found."""
FRESH = 1.0
"""Seconds for which a look-up is believed: another process's revocation holds after that."""
REMEMBERED = 1_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
TOPICS = frozenset(
    (sender.SenderAdded.TOPIC, sender.TokenRotated.TOPIC, sender.SenderRevoked.TOPIC)
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A sender as `list` shows it."""

    name: str
    added_at: datetime
    revoked: bool
    tokens: int


class Senders:
    """The systems that may post. A token is `ppt_SENDER_SECRET`; the log holds its hash alone."""

    def __init__(self, log: EventLog, ids: Ids, service_owner: UUID, clock: Clock) -> None:
        """Keep senders in `log`, a handle of its own, under the service's key."""
        self._log, self._ids, self._owner, self._clock = log, ids, service_owner, clock
        self._known: Recent[UUID, tuple[float, sender.State | None]] = Recent(REMEMBERED)

    def add(self, name: str) -> str:
        """Let a system post; its token, which is shown this once.

        Raises:
            sender.SenderExistsError: it may post already.
            sender.SenderNameError: it cannot be a name.
        """
        if not _NAME.fullmatch(name):
            raise sender.SenderNameError(
                "a sender's name is letters, digits, dots, hyphens and underscores, up to 64"
            )
        stream = self._ids.derive("sender", name)
        token = _token(stream)
        self._store(
            stream,
            sender.decide_add(
                self._state(stream),
                sender=stream,
                owner=self._owner,
                name=name,
                token=_hash(token),
                at=self._clock.now(),
            ),
        )
        return token

    def rotate(self, name: str, keep_hours: float = 0) -> str:
        """Give a sender a new token; the one before holds for `keep_hours` longer.

        Raises:
            sender.UnknownSenderError: there is none.
        """
        stream = self._ids.derive("sender", name)
        token, now = _token(stream), self._clock.now()
        until = now + timedelta(hours=keep_hours) if keep_hours else None
        state = self._state(stream)
        self._store(stream, sender.decide_rotate(state, _hash(token), until, now))
        return token

    def revoke(self, name: str) -> None:
        """Let a system post no longer, from now on here and within a second elsewhere.

        Raises:
            sender.UnknownSenderError: there is none.
        """
        stream = self._ids.derive("sender", name)
        self._store(stream, sender.decide_revoke(self._state(stream), self._clock.now()))

    def list(self) -> list[Listed]:
        """All senders there ever were, by name."""
        states: dict[UUID, sender.State | None] = {}
        after = 0
        while True:
            page = self._log.page(after, topics=TOPICS)
            for entry in page.entries:
                stream = entry.event.originator_id
                states[stream] = sender.evolve(states.get(stream), entry.event)
            if not page.entries:
                break
            after = page.scanned_to
        known = [
            Listed(state.name, state.added_at, state.revoked, len(state.tokens))
            for state in states.values()
            if state is not None
        ]
        return sorted(known, key=lambda one: one.name)

    def of_token(self, token: str) -> str | None:
        """The name of the sender whose token this is, None when it is nobody's."""
        stream = _stream_of(token)
        if stream is None:
            return None
        hashed, now = _hash(token), self._clock.now()
        state = self._recent(stream)
        if state is None or not state.accepts(hashed, now):
            state = self._looked_up(stream)  # another process may just have made this token
        return state.name if state is not None and state.accepts(hashed, now) else None

    def _recent(self, stream: UUID) -> sender.State | None:
        found = self._known.get(stream)
        if found is not None and monotonic() - found[0] < FRESH:
            return found[1]
        return self._looked_up(stream)

    def _looked_up(self, stream: UUID) -> sender.State | None:
        asked = monotonic()
        state = self._state(stream)
        self._known.put(stream, (asked, state))
        return state

    def _state(self, stream: UUID) -> sender.State | None:
        return sender.fold(readable(self._log.read(stream)))

    def _store(self, stream: UUID, events: Sequence[Event]) -> None:
        self._log.append(events)
        self._known.forget(stream)


def _token(stream: UUID) -> str:
    return f"{PREFIX}_{stream.hex}_{fresh_id().hex}{fresh_id().hex}"


def _hash(token: str) -> str:
    # 244 random bits need no slow hash: there is nothing to guess.
    return sha256(token.encode()).hexdigest()


def _stream_of(token: str) -> UUID | None:
    prefix, _, rest = token.partition("_")
    stream, _, secret = rest.partition("_")
    if prefix != PREFIX or len(stream) != 32 or len(secret) != 64 or not token.isascii():
        return None
    try:
        return UUID(hex=stream)
    except ValueError:
        return None
