"""No client is on the disk in clear, nothing moved is believed, nothing erased comes back."""

from uuid import UUID, uuid4

import pytest

from services.chassis.eventlog import Damaged, Redacted
from services.chassis.faults import ForgedError, ShreddedError, WrongMasterKeyError
from services.chassis.store import Store
from tests.contract.conftest import Place
from tests.contract.sample import OWNER, Lines, Noted, Ticked, noted

CANARY = "canary-7f3e-müller"


def test_no_file_holds_content_in_clear(store: Store, place: Place) -> None:
    view, episode = Lines(), uuid4()
    store.views.register(view)
    subject = store.vault.subject("canary-sender", CANARY)
    store.log().append([noted(CANARY, owner=subject, episode=episode.hex)])
    reader = store.views.reader(view)
    reader.position()
    page = store.log().page(0)
    reader.apply(page.entries, page.scanned_to)
    assert store.views.get(view, episode) == {"owner": subject.hex, "lines": [CANARY]}
    secret = store.vault.secret("installation")
    for content in place.bytes_on_disk():
        assert CANARY.encode() not in content
        assert secret not in content


@pytest.mark.parametrize(
    "change",
    [
        "originator_version = 7",
        f"topic = '{Ticked.TOPIC}'",
        "originator_id = '00000000000040008000000000000001'",
        "state = '\\x01'",
    ],
)
def test_a_changed_or_moved_row_is_damaged(store: Store, place: Place, change: str) -> None:
    log = store.log()
    event, honest = noted("honest"), noted("other")
    log.append([event, honest])
    if place.is_sqlite:
        change = change.replace("'\\x01'", "X'01'")
    place.tamper(change, event.originator_id)
    damaged, whole = [entry.event for entry in log.page(0).entries]
    assert isinstance(damaged, Damaged)
    assert whole == honest
    problems = log.verify()
    assert any(damaged.originator_id.hex in problem for problem in problems)
    assert not any("honest" in problem for problem in problems)


def test_a_state_under_another_stream_is_damaged(store: Store, place: Place) -> None:
    log = store.log()
    ours, theirs = noted("ours"), noted("theirs", owner=uuid4())
    log.append([ours, theirs])
    table = "stored_events" if place.is_sqlite else f"{place.service}.events"
    place.tamper(
        f"state = (SELECT state FROM {table} WHERE originator_id = "
        f"'{theirs.originator_id.hex if place.is_sqlite else theirs.originator_id}')",
        ours.originator_id,
    )
    assert isinstance(log.read(ours.originator_id)[0], Damaged)
    assert log.read(theirs.originator_id) == [theirs]


def test_an_honest_log_has_no_problems(store: Store) -> None:
    log = store.log()
    stream = uuid4()
    log.append([noted(originator_id=stream, originator_version=n) for n in (1, 2, 3)])
    told: list[tuple[int, int]] = []
    assert log.verify(lambda done, total: told.append((done, total))) == []
    assert told[-1] == (log.head(), log.head())


def test_a_gap_in_a_stream_is_a_problem(store: Store) -> None:
    log = store.log()
    stream = uuid4()
    log.append([noted(originator_id=stream, originator_version=n) for n in (1, 3)])
    assert [stream.hex in problem for problem in log.verify()] == [True]


def test_what_was_shredded_reads_as_redacted_everywhere(store: Store, opened: object) -> None:
    assert callable(opened)
    other = opened()
    gone, kept = uuid4(), noted("kept")
    lost = noted("lost", owner=gone)
    log, theirs = store.log(), other.log()
    log.append([lost, kept])
    assert theirs.read(lost.originator_id) == [lost]
    store.vault.shred(gone)
    redacted = Redacted(
        originator_id=lost.originator_id, originator_version=1, owner=gone, topic=Noted.TOPIC
    )
    assert [entry.event for entry in log.page(0).entries] == [redacted, kept]
    assert log.verify() == []
    assert store.vault.is_shredded(gone)
    _soon(lambda: theirs.read(lost.originator_id) == [redacted])
    with pytest.raises(ShreddedError):
        theirs.append([noted("more", owner=gone)])
    with pytest.raises(ShreddedError):
        other.vault.seal(gone, b"more", b"")


def test_a_lost_key_is_no_erasure(store: Store, opened: object, place: Place) -> None:
    event = noted("sealed under a key that is gone")
    log = store.log()
    log.append([event])
    with store.database("vault").writing() as connection:
        connection.exec_driver_sql("DELETE FROM keys")
    assert callable(opened)
    assert isinstance(opened().log().read(event.originator_id)[0], Damaged)


def test_sealed_bytes_open_in_their_context_alone(store: Store) -> None:
    vault = store.vault
    sealed = vault.seal(OWNER, b"plain", b"here")
    assert vault.unseal(sealed, b"here") == b"plain"
    for forged, context in [
        (sealed, b"there"),
        (sealed[:-1], b"here"),
        (sealed[:20], b"here"),
        (b"", b"here"),
        (bytes([9]) + sealed[1:], b"here"),
        (sealed[:1] + UUID(int=5).bytes + sealed[17:], b"here"),
    ]:
        with pytest.raises(ForgedError):
            vault.unseal(forged, context)


def test_another_master_key_opens_nothing(store: Store, place: Place) -> None:
    store.log().append([noted()])
    stranger = place.open(master_key=b"x" * 32)
    try:
        with pytest.raises(WrongMasterKeyError):
            _ = stranger.ids
    finally:
        stranger.close()


def _soon(true: object) -> None:
    from time import monotonic, sleep

    assert callable(true)
    deadline = monotonic() + 3
    while not true():
        assert monotonic() < deadline
        sleep(0.05)
