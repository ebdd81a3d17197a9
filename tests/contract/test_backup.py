"""A backup holds all that is durable and no key; a restore brings it back, once, somewhere else."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.chassis import backup
from services.chassis.backup import BackupError
from services.chassis.clock import SteppedClock
from services.chassis.erasures import Erasures
from services.chassis.eventlog import Redacted
from services.chassis.faults import ConflictError, StoreError
from services.chassis.restore import OccupiedError, restore
from services.chassis.store import Store
from tests.contract.conftest import Place
from tests.contract.sample import MASTER_KEY, NOON, OWNER, TOPICS, Lines, noted

EPISODE = UUID("22222222-2222-4222-8222-222222222222")
CANARY = "kanarienvogel"


def quiet(done: int, of: int) -> None:
    """Nobody looks."""


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOON + timedelta(days=5))


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def back_up(store: Store, to: Path, clock: SteppedClock) -> Callable[[], backup.Manifest]:
    return lambda: backup.write(store, "sample", to, clock.now(), quiet)


@pytest.fixture
def put_back(to: Path, clock: SteppedClock) -> Iterator[Callable[..., Store]]:
    """Restores into a store and gives it, opened anew."""
    opened: list[Store] = []

    def again(place: Place, **how: object) -> Store:
        target = place.open()
        manifest = backup.read(to, "sample")
        how = {"clock": clock, "progress": quiet, **how}
        try:
            restore(target, to, manifest, **how)  # type: ignore[arg-type]
        finally:
            target.close()
        opened.append(place.open())
        return opened[-1]

    yield again
    for one in opened:
        one.close()


@pytest.fixture(params=["sqlite", "postgres"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A second place, of either kind."""
    if request.param == "sqlite":
        return Place(f"sqlite:///{tmp_path / 'other'}", "sample", tmp_path / "other")
    cluster = request.getfixturevalue("cluster")
    return Place(cluster.location, f"other_{uuid4().hex[:8]}", cluster.folder)


def content(store: Store) -> list[tuple[object, ...]]:
    return [
        (entry.position, entry.event.originator_id, entry.event.originator_version, entry.event)
        for entry in store.log().page(0, 10_000).entries
    ]


def test_what_is_durable_comes_back_on_either_database(
    store: Store,
    other: Place,
    back_up: Callable[[], backup.Manifest],
    put_back: Callable[..., Store],
) -> None:
    log = store.log()
    subject = store.vault.subject("ehr", CANARY)
    events = [noted(f"line {n}", owner=subject, episode=EPISODE.hex) for n in range(30)]
    log.append(events, ("a reader", 17))
    with suppress(ConflictError):  # on PostgreSQL this leaves a gap in the positions
        log.append([noted("new"), events[0]])
    log.append([noted("last", owner=subject)])
    store.parking.park("a reader", EPISODE, 9, "ValueError")
    ids, owner = store.ids.derive("thing", "1"), store.service_owner
    made = back_up()
    assert (made.position, made.log_id) == (log.head(), store.log_id)

    again = put_back(other)
    assert content(again) == content(store)
    assert again.log().position("a reader") == 17
    assert [(one.reader, one.key, one.position) for one in again.parking.list()] == [
        ("a reader", EPISODE, 9)
    ]
    assert again.vault.reference(subject) == ("ehr", CANARY)
    assert (again.ids.derive("thing", "1"), again.service_owner) == (ids, owner)
    assert again.log_id != store.log_id
    assert again.log().verify() + again.vault.verify() == []
    (position,) = again.log().append([noted("after", owner=subject)])
    assert position == made.position + 1


def test_a_restored_store_builds_its_views_anew(
    store: Store,
    other: Place,
    back_up: Callable[[], backup.Manifest],
    put_back: Callable[..., Store],
) -> None:
    store.log().append([noted("one", episode=EPISODE.hex)])
    back_up()
    again, view = put_back(other), Lines()
    again.views.migrate()
    again.views.register(view)
    again.views.rebuild(view, again.log())
    found = again.views.get(view, EPISODE)
    assert found is not None
    assert found["lines"] == ["one"]
    assert again.views.verify(view, again.log()) == []


def test_a_backup_is_whole_while_others_write(
    store: Store,
    other: Place,
    back_up: Callable[[], backup.Manifest],
    put_back: Callable[..., Store],
) -> None:
    """New owners all the time: a key that was missing would read as damaged."""
    stopping, log = threading.Event(), store.log()
    log.append([noted("first", owner=uuid4())])

    def write() -> None:
        while not stopping.is_set():
            log.append([noted("more", owner=uuid4()) for _ in range(20)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        before = log.head()
        made = back_up()
    finally:
        stopping.set()
        writer.join()
    assert before <= made.position <= log.head()
    again = put_back(other)
    assert again.log().head() == made.position
    assert again.log().verify() + again.vault.verify() == []


def test_no_key_and_nothing_in_clear_is_in_a_backup(
    store: Store, to: Path, back_up: Callable[[], backup.Manifest]
) -> None:
    subject = store.vault.subject("ehr", CANARY)
    store.log().append([noted(CANARY, owner=subject)])
    back_up()
    found = b"".join(path.read_bytes() for path in sorted(to.rglob("*")) if path.is_file())
    assert sorted(path.name for path in to.iterdir()) == [
        "log.db", "manifest.json", "parking.db", "vault.db",
    ]  # fmt: skip
    assert subject.bytes in found, "the search sees what is there"
    for secret in (CANARY.encode(), MASTER_KEY, MASTER_KEY.hex().encode()):
        assert secret not in found


def test_a_store_with_events_gives_way_only_when_told(
    store: Store,
    place: Place,
    back_up: Callable[[], backup.Manifest],
    put_back: Callable[..., Store],
) -> None:
    store.log().append([noted("kept")])
    back_up()
    store.log().append([noted("later")])
    store.close()
    with pytest.raises(OccupiedError, match="there are 2 events here already: say --replace"):
        put_back(place)
    same = place.open()
    assert same.log().head() == 2, "a refusal changes nothing"
    same.close()
    again = put_back(place, replace=True)
    assert again.log().head() == 1
    before = again.beside("before_20260307_120000")
    assert before.log().head() == 2, "what was there is set aside"
    before.close()


def test_a_store_in_use_is_refused(
    store: Store,
    place: Place,
    back_up: Callable[[], backup.Manifest],
    put_back: Callable[..., Store],
) -> None:
    store.log().append([noted("kept")])
    back_up()
    lock = store.lock("detector")
    assert lock.acquire()
    with pytest.raises(OccupiedError, match=r"stop (it|serve and follow) first"):
        put_back(place, replace=True)
    lock.release()
    store.close()
    assert put_back(place, replace=True).log().head() == 1


def test_nobody_may_begin_until_the_restored_store_has_taken_its_place(
    store: Store,
    other: Place,
    back_up: Callable[[], backup.Manifest],
    put_back: Callable[..., Store],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.log().append([noted("one")])
    back_up()
    give_way, began = Store.give_way, []

    def watched(self: Store, coming: Store, aside: str) -> None:
        with_others = other.open()
        began.append(with_others.place_lock("detector").acquire())
        with_others.close()
        give_way(self, coming, aside)

    monkeypatch.setattr(Store, "give_way", watched)
    put_back(other)
    assert began == [False]


def test_who_connects_while_it_is_restored_keeps_it_as_it_is(
    store: Store,
    place: Place,
    back_up: Callable[[], backup.Manifest],
    put_back: Callable[..., Store],
    opened: Callable[[], Store],
) -> None:
    """A standby that knows the old log would go on by its id.

    On files the lock of the data folder keeps it away.
    """
    if place.is_sqlite:
        return
    store.log().append([noted("kept")])
    back_up()
    store.close()
    standby: list[Store] = []

    def begins(done: int, of: int) -> None:
        if not standby:
            standby.append(opened())
            assert standby[0].log().head() == 1

    with pytest.raises(OccupiedError, match="stop serve and follow first"):
        put_back(place, replace=True, progress=begins)
    same = opened()
    assert (same.log_id, same.log().head()) == (standby[0].log_id, 1)
    coming = same.beside("restoring")
    assert not coming.exists()
    for one in (coming, same, *standby):
        one.close()
    assert put_back(place, replace=True).log().head() == 1


@pytest.mark.parametrize("harm", ["gone", "torn"])
def test_the_erased_of_a_damaged_store_are_erased_again(
    tmp_path: Path, to: Path, put_back: Callable[..., Store], clock: SteppedClock, harm: str
) -> None:
    place = Place(f"sqlite:///{tmp_path / 'store'}", "sample", tmp_path / "store")
    store, erased = place.open(), uuid4()
    store.migrate()
    store.log().append([noted(CANARY, owner=erased)])
    backup.write(store, "sample", to, clock.now(), quiet)
    store.vault.shred(erased)
    store.close()
    _harm(place.folder / "log.db", harm)
    if harm == "torn":
        with pytest.raises(OccupiedError, match="what is here cannot be read: say --replace"):
            put_back(place)
    again = put_back(place, replace=True)
    assert again.vault.erased() == {erased}
    assert again.log().verify() == []


def test_where_the_erased_cannot_be_read_their_list_is_asked_for(
    tmp_path: Path, to: Path, put_back: Callable[..., Store], clock: SteppedClock
) -> None:
    place = Place(f"sqlite:///{tmp_path / 'store'}", "sample", tmp_path / "store")
    store, erased = place.open(), uuid4()
    store.migrate()
    store.log().append([noted(CANARY, owner=erased)])
    backup.write(store, "sample", to, clock.now(), quiet)
    store.close()
    _harm(place.folder / "vault.db", "torn")
    with pytest.raises(BackupError, match="name the list of erasures"):
        put_back(place, replace=True)
    assert put_back(place, replace=True, erased=[erased]).vault.erased() == {erased}


def _harm(file: Path, how: str) -> None:
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(b"no database " * 1000)


def test_erased_later_is_erased_again(
    store: Store,
    place: Place,
    tmp_path: Path,
    back_up: Callable[[], backup.Manifest],
    put_back: Callable[..., Store],
) -> None:
    """One erasure is known where the backup goes, the other only on the list that is kept apart."""
    here, listed, stays = uuid4(), uuid4(), uuid4()
    store.log().append([noted(CANARY, owner=one) for one in (here, listed, stays)])
    back_up()
    store.vault.shred(here)
    erasures = Erasures(tmp_path / "erasures")
    erasures.add([listed])
    store.close()
    again = put_back(place, replace=True, erased=erasures.all())
    kinds = [type(entry.event) for entry in again.log().page(0).entries]
    assert kinds == [Redacted, Redacted, TOPICS["sample.noted"]]
    assert again.vault.erased() == {here, listed}


def test_what_was_freed_meanwhile_stays_parked(
    store: Store, other: Place, to: Path, put_back: Callable[..., Store], clock: SteppedClock
) -> None:
    """A reader frees an entry after the log was copied: the copy lacks what that brought about."""
    store.log().append([noted("one")])
    store.parking.park("a reader", EPISODE, 1, "ValueError")

    def freed(done: int, of: int) -> None:
        store.parking.unpark("a reader", EPISODE)

    backup.write(store, "sample", to, clock.now(), freed)
    assert [one.key for one in put_back(other).parking.list()] == [EPISODE]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda to: (to / "manifest.json").unlink(), "is no backup"),
        (lambda to: (to / "manifest.json").write_text("{}"), "is no backup"),
        (lambda to: (to / "vault.db").unlink(), "vault.db of this backup is missing"),
        (lambda to: (to / "log.db").write_bytes(b"x"), "log.db of this backup .* changed"),
        (lambda to: _tell(to, service="alerts"), "a backup of alerts, not of sample"),
        (lambda to: _tell(to, schema="2"), "another release"),
        (lambda to: _tell(to, format=2), "another release"),
    ],
)
def test_what_is_no_whole_backup_of_ours_is_refused(
    store: Store,
    to: Path,
    back_up: Callable[[], backup.Manifest],
    change: Callable[[Path], object],
    says: str,
) -> None:
    back_up()
    change(to)
    with pytest.raises(BackupError, match=says):
        backup.read(to, "sample")


def _tell(to: Path, **changes: object) -> None:
    path = to / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_each_backup_has_a_folder_of_its_own(back_up: Callable[[], backup.Manifest]) -> None:
    back_up()
    with pytest.raises(BackupError, match="is not empty: name a new folder"):
        back_up()


def test_another_master_key_is_told_and_changes_nothing(
    store: Store,
    other: Place,
    to: Path,
    back_up: Callable[[], backup.Manifest],
    clock: SteppedClock,
) -> None:
    store.log().append([noted("kept")])
    back_up()
    target = other.open(bytes(32))
    with pytest.raises(BackupError, match="the master key does not open this backup"):
        restore(target, to, backup.read(to, "sample"), clock=clock, progress=quiet)
    coming = target.beside("restoring")
    assert not coming.exists()
    coming.close()
    target.close()
    assert not any(path.name.endswith(("-wal", "-shm")) for path in to.iterdir())
    backup.read(to, "sample")


def test_an_interrupted_change_of_files_begins_no_empty_log(
    store: Store,
    place: Place,
    to: Path,
    monkeypatch: pytest.MonkeyPatch,
    back_up: Callable[[], backup.Manifest],
    put_back: Callable[..., Store],
) -> None:
    if not place.is_sqlite:
        return  # there it is one transaction
    store.log().append([noted("kept", owner=OWNER)])
    back_up()
    store.close()
    moved = Path.rename

    def breaks(self: Path, target: Path) -> Path:
        if self.parent.name == "restoring":
            raise KeyboardInterrupt
        return moved(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", breaks)
        with pytest.raises(KeyboardInterrupt):
            put_back(place, replace=True)
    half = place.open()
    with pytest.raises(StoreError, match="a restore was interrupted here"):
        half.migrate()
    half.close()
    assert put_back(place, replace=True).log().head() == 1
