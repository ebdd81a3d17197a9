"""Who may post, and how a token comes and goes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.outcomes.core import sender
from services.outcomes.core.event import Event

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def add(state: sender.State | None, token: str = "t1") -> list[Event]:
    return sender.decide_add(
        state, sender=UUID(int=1), owner=UUID(int=2), name="ehr", token=token, at=AT
    )


def state(*events: Event) -> sender.State:
    folded = sender.fold(events)
    assert folded is not None
    return folded


def test_added_once() -> None:
    added = state(*add(None))
    assert added.accepts("t1", AT)
    assert not added.accepts("t2", AT)
    with pytest.raises(sender.SenderExistsError):
        add(added)


def test_rotation_ends_the_token_before_at_once_or_when_said() -> None:
    first = add(None)
    at_once = state(*first, *sender.decide_rotate(state(*first), "t2", None, AT))
    assert (at_once.accepts("t1", AT), at_once.accepts("t2", AT)) == (False, True)
    until = AT + timedelta(hours=1)
    later = state(*first, *sender.decide_rotate(state(*first), "t2", until, AT))
    assert later.accepts("t1", until - timedelta(seconds=1))
    assert not later.accepts("t1", until)
    assert later.accepts("t2", until)


def test_a_second_rotation_does_not_lengthen_the_first() -> None:
    events = add(None)
    until = AT + timedelta(hours=1)
    events += sender.decide_rotate(state(*events), "t2", until, AT)
    events += sender.decide_rotate(state(*events), "t3", until + timedelta(hours=1), AT)
    now = state(*events)
    assert [now.accepts(token, AT) for token in ("t1", "t2", "t3")] == [False, True, True]


def test_revoked_until_added_again() -> None:
    events = add(None)
    events += sender.decide_revoke(state(*events), AT)
    revoked = state(*events)
    assert not revoked.accepts("t1", AT)
    with pytest.raises(sender.UnknownSenderError):
        sender.decide_rotate(revoked, "t2", None, AT)
    for unknown in (None, revoked):
        with pytest.raises(sender.UnknownSenderError):
            sender.decide_revoke(unknown, AT)
    again = state(*events, *add(revoked, "t9"))
    assert again.accepts("t9", AT)
    assert again.version == 3
