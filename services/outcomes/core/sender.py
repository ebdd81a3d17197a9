"""A system that may post, and how it proves it: events and what follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from services.outcomes.core.event import Event


class SenderError(Exception):
    """A command that this sender does not allow."""


class SenderExistsError(SenderError):
    """There is a sender of that name already."""


class SenderNameError(SenderError):
    """A sender cannot be called that."""


class UnknownSenderError(SenderError):
    """There is no sender of that name."""


@dataclass(frozen=True, kw_only=True)
class SenderAdded(Event):
    """A system may post from now on; of its token only a hash is kept."""

    TOPIC: ClassVar[str] = "sender.added"

    name: str
    token: str


@dataclass(frozen=True, kw_only=True)
class TokenRotated(Event):
    """The sender has a new token; the one before holds until `before_until`, if that is given."""

    TOPIC: ClassVar[str] = "sender.token_rotated"

    name: str
    token: str
    before_until: str | None


@dataclass(frozen=True, kw_only=True)
class SenderRevoked(Event):
    """The system may no longer post; what it posted stays."""

    TOPIC: ClassVar[str] = "sender.revoked"

    name: str


@dataclass(frozen=True, slots=True)
class State:
    """A sender as it stands; `tokens` are (hash, until when), None for without end."""

    sender: UUID
    owner: UUID
    version: int
    name: str
    added_at: datetime
    tokens: tuple[tuple[str, datetime | None], ...]
    revoked: bool = False

    def accepts(self, token: str, at: datetime) -> bool:
        """Whether the token of this hash may be used at a moment."""
        return not self.revoked and any(
            token == known and (until is None or at < until) for known, until in self.tokens
        )


def evolve(state: State | None, event: Event) -> State | None:
    """The sender after `event`; what is not of a sender changes nothing."""
    if isinstance(event, SenderAdded):
        return State(
            sender=event.originator_id,
            owner=event.owner,
            version=event.originator_version,
            name=event.name,
            added_at=state.added_at if state else event.timestamp,
            tokens=((event.token, None),),
        )
    if state is None:
        return None
    if isinstance(event, TokenRotated):
        tokens = ((event.token, None), *_before(state, event))
        return replace(state, version=event.originator_version, tokens=tokens)
    if isinstance(event, SenderRevoked):
        return replace(state, version=event.originator_version, tokens=(), revoked=True)
    return state


def fold(events: Sequence[Event]) -> State | None:
    """The sender after all `events` of its stream, None when there are none."""
    state: State | None = None
    for event in events:
        state = evolve(state, event)
    return state


def decide_add(
    state: State | None, *, sender: UUID, owner: UUID, name: str, token: str, at: datetime
) -> list[Event]:
    """Let a system post; a revoked one may be added again.

    Raises:
        SenderExistsError: it may post already.
    """
    if state is not None and not state.revoked:
        raise SenderExistsError(f"there is a sender {name} already: rotate its token instead")
    return [
        SenderAdded(
            originator_id=sender,
            originator_version=(state.version if state else 0) + 1,
            timestamp=at,
            owner=owner,
            name=name,
            token=token,
        )
    ]


def decide_rotate(
    state: State | None, token: str, before_until: datetime | None, at: datetime
) -> list[Event]:
    """Give a sender a new token, with the one before good until `before_until`.

    Raises:
        UnknownSenderError: there is none, or it was revoked.
    """
    until = None if before_until is None else before_until.isoformat()
    state = _known(state)
    return [TokenRotated(**_next(state, at), name=state.name, token=token, before_until=until)]


def decide_revoke(state: State | None, at: datetime) -> list[Event]:
    """Let a system post no longer.

    Raises:
        UnknownSenderError: there is none, or it was revoked.
    """
    state = _known(state)
    return [SenderRevoked(**_next(state, at), name=state.name)]


def _known(state: State | None) -> State:
    if state is None or state.revoked:
        raise UnknownSenderError("there is no sender of that name that may post")
    return state


def _before(state: State, event: TokenRotated) -> tuple[tuple[str, datetime | None], ...]:
    if event.before_until is None:
        return ()
    until = datetime.fromisoformat(event.before_until)
    return tuple((token, until) for token, end in state.tokens if end is None)


def _next(state: State, at: datetime) -> dict[str, Any]:
    return {
        "originator_id": state.sender,
        "originator_version": state.version + 1,
        "timestamp": at,
        "owner": state.owner,
    }
