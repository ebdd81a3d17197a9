"""Who may sign in: links, sessions, and the commands about persons."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.alerts.core.person import PersonRefusedError
from tests.service.alerts_rig import START, Rig, staffed


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    staffed(made)
    yield made
    made.close()


def test_a_link_signs_in_once_and_in_time(rig: Rig) -> None:
    link = rig.signin.invite("alice")
    alice = rig.signin.redeem(link)
    assert alice is not None
    assert alice.name == "alice"
    assert rig.signin.redeem(link) is None
    late = rig.signin.invite(rig.person("alice"))
    rig.clock.set(START + timedelta(hours=24))
    assert rig.signin.redeem(late) is None
    with pytest.raises(PersonRefusedError):
        rig.signin.invite("nobody")


def test_a_session_ends_when_idle_after_twelve_hours_and_by_signing_out(rig: Rig) -> None:
    alice = rig.person("alice")
    token = rig.signin.open_session(alice)
    for minutes in range(0, 12 * 60 + 1, 20):
        rig.clock.set(START + timedelta(minutes=minutes))
        assert rig.signin.session(token) == alice
    rig.clock.set(START + timedelta(hours=12, minutes=1))
    assert rig.signin.session(token) is None
    idle = rig.signin.open_session(alice)
    rig.clock.set(rig.clock.now() + timedelta(minutes=31))
    assert rig.signin.session(idle) is None
    out = rig.signin.open_session(alice)
    rig.signin.close_session(out)
    assert rig.signin.session(out) is None
    assert rig.signin.session("guess") is None


def test_a_disabled_person_is_signed_out_everywhere(rig: Rig) -> None:
    token, link = rig.signin.open_session(rig.person("bob")), rig.signin.invite("bob")
    rig.register.disable("bob")
    assert rig.signin.session(token) is None
    assert rig.signin.redeem(link) is None
    rig.signin.sweep()


@pytest.mark.parametrize(
    "command",
    [
        lambda r: r.add("x", "boss"),
        lambda r: r.add("", "ops"),
        lambda r: r.add("alice", "ops"),
        lambda r: r.link("nobody", "clinic", "dr-a"),
        lambda r: r.supervise("sam", "nobody"),
        lambda r: r.away("alice", START, START),
        lambda r: r.back("nobody"),
    ],
)
def test_commands_about_persons_are_refused_in_words(rig: Rig, command: Any) -> None:
    with pytest.raises(PersonRefusedError):
        command(rig.register)


def test_commands_about_persons_repeated_change_nothing(rig: Rig) -> None:
    head = rig.log.head()
    assert rig.register.add("alice", "clinician") == rig.person("alice").id
    rig.register.link("alice", "clinic", "dr-a")
    assert rig.log.head() == head
