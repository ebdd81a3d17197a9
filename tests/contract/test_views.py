"""A view says what the log says: followed, rebuilt, verified, while events keep coming."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, String

from services.chassis.eventlog import ConflictError
from services.chassis.store import Store
from services.chassis.views import Document, NotBuiltError
from tests.contract.conftest import Place
from tests.contract.readers import episode, follower, soon
from tests.contract.sample import OWNER, Lines, Noted, noted, ticked

VIEW = Lines()


class BackwardLines(Lines):
    """The next version: other columns, another fold."""

    version = 2

    def columns(self) -> tuple[Column[Any], ...]:
        return (*super().columns(), Column("last", String(10), index=True))

    def fold(self, doc: Document | None, entry: Any) -> Document | None:
        lines = doc["lines"] if doc else []
        return {"owner": OWNER.hex, "lines": [entry.event.text, *lines]}

    def clear(self, doc: Document) -> dict[str, Any]:
        return {**super().clear(doc), "last": doc["lines"][0]}


def follow_to_end(store: Store, view: Lines = VIEW) -> None:
    runner = follower(store, store.views.reader(view), page=7)
    head = store.log().head()
    runner.start()
    soon(lambda: store.views.wait_for(view, head, 0.1))
    runner.stop()


def story(length: int = 30, episodes: int = 4) -> list[Noted]:
    names = [episode() for _ in range(episodes)]
    return [noted(str(n), episode=names[n % episodes]) for n in range(length)]


def test_folds_the_log_into_documents(store: Store) -> None:
    store.views.register(VIEW)
    log = store.log()
    events = story()
    log.append([*events, ticked(), noted("of no episode")])
    follow_to_end(store)
    key = UUID(events[0].episode)
    assert store.views.get(VIEW, key) == {
        "owner": OWNER.hex,
        "lines": [event.text for event in events if event.episode == key.hex],
    }
    assert store.views.get(VIEW, uuid4()) is None
    assert len(store.views.get_many(VIEW, [UUID(one.episode) for one in events])) == 4
    assert store.views.verify(VIEW, log) == []


def test_documents_are_found_by_clear_columns(store: Store) -> None:
    store.views.register(VIEW)
    log = store.log()
    long, short = episode(), episode()
    log.append([noted("a", episode=long), noted("b", episode=long), noted("c", episode=short)])
    follow_to_end(store)
    table = store.views.table(VIEW)
    select = store.views.select
    assert [doc["lines"] for doc in select(VIEW, order_by=table.c.count)] == [["c"], ["a", "b"]]
    assert [doc["lines"] for doc in select(VIEW, table.c.count > 1)] == [["a", "b"]]
    ordered = [table.c.count.desc(), table.c.key]
    assert [doc["lines"] for doc in select(VIEW, order_by=ordered, limit=1)] == [["a", "b"]]


def test_a_fold_to_nothing_deletes(store: Store) -> None:
    store.views.register(VIEW)
    one = episode()
    store.log().append([noted("a", episode=one), noted("gone", episode=one)])
    follow_to_end(store)
    assert store.views.get(VIEW, UUID(one)) is None
    store.log().append([noted("new", episode=one)])
    follow_to_end(store)
    assert store.views.get(VIEW, UUID(one)) == {"owner": OWNER.hex, "lines": ["new"]}
    assert store.views.verify(VIEW, store.log()) == []


def test_a_waiting_page_sees_its_own_command(store: Store) -> None:
    store.views.register(VIEW)
    runner = follower(store, store.views.reader(VIEW))
    runner.start()
    log, one = store.log(), episode()
    for n in range(5):
        position = log.append([noted(str(n), episode=one)])[-1]
        assert store.views.wait_for(VIEW, position, 5)
        document = store.views.get(VIEW, UUID(one))
        assert document is not None
        assert len(document["lines"]) == n + 1
    runner.stop()
    assert store.views.wait_for(VIEW, log.head() + 1, 0.05) is False


def test_waiting_is_not_held_up_by_foreign_events(store: Store) -> None:
    store.views.register(VIEW)
    runner = follower(store, store.views.reader(VIEW))
    runner.start()
    log = store.log()
    log.append([noted(episode=episode())])
    soon(lambda: store.views.position(VIEW) == log.head())
    position = log.append([ticked()])[0]
    with store.database("views").writing():  # nothing can be stored meanwhile
        assert store.views.wait_for(VIEW, position, 5)
    runner.stop()


def test_two_readers_of_one_view_fold_nothing_twice(store: Store) -> None:
    store.views.register(VIEW)
    log = store.log()
    log.append(story())
    page = log.page(0)
    first, second = store.views.reader(VIEW), store.views.reader(VIEW)
    first.position()
    second.position()
    first.apply(page.entries[:10], page.entries[9].position)
    with pytest.raises(ConflictError):
        second.apply(page.entries, page.scanned_to)
    assert second.position() == page.entries[9].position
    second.apply(page.entries[10:], page.scanned_to)
    second.replay(page.entries)
    assert store.views.verify(VIEW, log) == []


def test_rebuilds_beside_the_old_while_events_keep_coming(
    store: Store, opened: Callable[[], Store]
) -> None:
    store.views.register(VIEW)
    log = store.log()
    stopped = threading.Event()
    events = story(60)
    log.append(events)

    def write() -> None:
        mine = store.log()
        while not stopped.wait(0.01):
            mine.append([noted("live", episode=events[0].episode)])

    runner = follower(store, store.views.reader(VIEW), page=20)
    runner.start()
    writer = threading.Thread(target=write)
    writer.start()
    soon(lambda: store.views.position(VIEW) > 0)
    other = opened()
    empty: list[bool] = []

    def watch() -> None:
        while not stopped.wait(0.005):
            empty.append(store.views.get(VIEW, UUID(events[0].episode)) is None)

    watcher = threading.Thread(target=watch)
    watcher.start()
    told: list[tuple[int, int]] = []
    for _ in range(3):
        other.views.rebuild(VIEW, other.log(), lambda done, total: told.append((done, total)))
        assert other.views.verify(VIEW, other.log()) == []
    stopped.set()
    writer.join()
    watcher.join()
    assert told[-1][0] >= told[-1][1]
    assert not any(empty)
    head = log.head()
    assert store.views.wait_for(VIEW, head, 5)
    runner.stop()
    assert store.views.verify(VIEW, log) == []


def test_a_new_version_is_built_beside_the_old(store: Store, opened: Callable[[], Store]) -> None:
    store.views.register(VIEW)
    log = store.log()
    events = story()
    log.append(events)
    follow_to_end(store)
    newer, view = opened(), BackwardLines()
    newer.views.register(view)
    newer.views.register(view)
    with pytest.raises(NotBuiltError):
        newer.views.get(view, uuid4())
    assert newer.views.position(view) == 0
    assert store.views.get(VIEW, UUID(events[0].episode)) is not None
    follow_to_end(newer, view)
    table = newer.views.table(view)
    assert len(newer.views.select(view, table.c.last.is_not(None))) == 4
    assert newer.views.verify(view, newer.log()) == []
    with pytest.raises(NotBuiltError):
        store.views.get(VIEW, uuid4())


def test_a_lost_view_never_looks_empty(store: Store, place: Place) -> None:
    store.views.register(VIEW)
    log = store.log()
    log.append(story())
    follow_to_end(store)
    with store.database("views").writing() as connection:
        connection.exec_driver_sql("DELETE FROM view_builds")
        connection.exec_driver_sql("DROP TABLE lines")
    store.views.register(VIEW)
    with pytest.raises(NotBuiltError):
        store.views.select(VIEW)
    follow_to_end(store)
    assert len(store.views.select(VIEW)) == 4


def test_a_view_whose_last_commits_are_gone_takes_up_where_they_began(
    store: Store, opened: Callable[[], Store]
) -> None:
    """What a power cut may do to it: the file is whole, and as it was some commits before."""
    store.views.register(VIEW)
    log = store.log()
    log.append(story(20))
    follow_to_end(store)
    with store.database("views").writing() as connection:
        for table in ("view_builds", "lines"):
            connection.exec_driver_sql(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
    log.append(story(10))
    follow_to_end(store)
    with store.database("views").writing() as connection:
        for table in ("view_builds", "lines"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
            connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM kept_{table}")
    after = opened()
    assert len(after.views.select(VIEW)) == 4
    follow_to_end(after)
    assert len(after.views.select(VIEW)) == 8
    assert after.views.verify(VIEW, after.log()) == []


@pytest.mark.parametrize(
    "change", ["UPDATE lines SET count = 99", "UPDATE lines SET doc = {0}", "DELETE FROM lines"]
)
def test_verify_finds_what_was_changed(store: Store, place: Place, change: str) -> None:
    store.views.register(VIEW)
    log = store.log()
    log.append(story(episodes=1))
    follow_to_end(store)
    literal = "X'0102'" if place.is_sqlite else "'\\x0102'::bytea"
    with store.database("views").writing() as connection:
        connection.exec_driver_sql(change.format(literal))
    assert len(store.views.verify(VIEW, log)) in (1, 2)


def test_an_erased_owner_leaves_the_views(store: Store) -> None:
    store.views.register(VIEW)
    log, gone, one, other = store.log(), uuid4(), episode(), episode()
    log.append([noted("lost", episode=one, owner=gone), noted("kept", episode=other)])
    follow_to_end(store)
    store.vault.shred(gone)
    assert store.views.get(VIEW, UUID(one)) is None
    assert len(store.views.select(VIEW)) == 1
    assert store.views.verify(VIEW, log) == []
    store.views.rebuild(VIEW, log)
    assert len(store.views.select(VIEW)) == 1
    assert store.views.verify(VIEW, log) == []


def test_every_document_is_told_past_pages_of_the_erased(store: Store) -> None:
    store.views.register(VIEW)
    log, keys = store.log(), sorted(UUID(episode()) for _ in range(12))
    owners = {key: uuid4() for key in keys}
    log.append([noted("x", episode=key.hex, owner=owners[key]) for key in keys])
    follow_to_end(store)
    gone = keys[1:9]
    for key in gone:
        store.vault.shred(owners[key])
    for page in (1, 3, 4, 100):
        told = [key for key, _ in store.views.every(VIEW, page)]
        assert told == [key for key in keys if key not in gone]


def test_poison_stops_one_document(store: Store) -> None:
    store.views.register(VIEW)
    log, sick, well = store.log(), episode(), episode()
    log.append(
        [
            noted("first", episode=sick),
            noted("poison", episode=sick),
            noted("behind", episode=sick),
            noted("well", episode=well),
        ]
    )
    follow_to_end(store)
    assert store.parking.parked("view lines").keys() == {UUID(sick)}
    assert store.views.get(VIEW, UUID(sick)) == {"owner": OWNER.hex, "lines": ["first"]}
    assert store.views.get(VIEW, UUID(well)) == {"owner": OWNER.hex, "lines": ["well"]}
    assert store.views.verify(VIEW, log) == []


def test_a_rebuild_parks_poison_and_heals_what_is_mended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.views.register(VIEW)
    log, sick, well = store.log(), episode(), episode()
    texts = ["first", "poison", "behind"]
    log.append([noted(text, episode=sick) for text in texts] + [noted("well", episode=well)])
    runner = follower(store, store.views.reader(VIEW))
    runner.start()
    soon(lambda: store.parking.count() == 1)
    store.views.rebuild(VIEW, log)
    assert store.views.get(VIEW, UUID(sick)) == {"owner": OWNER.hex, "lines": ["first"]}
    assert store.views.get(VIEW, UUID(well)) == {"owner": OWNER.hex, "lines": ["well"]}
    assert store.parking.count() == 1

    def mended(self: Lines, doc: Document | None, entry: Any) -> Document | None:
        return {"owner": OWNER.hex, "lines": [*(doc["lines"] if doc else []), entry.event.text]}

    monkeypatch.setattr(Lines, "fold", mended)
    store.views.rebuild(VIEW, log)
    soon(lambda: store.parking.count() == 0)
    position = log.append([noted("last", episode=sick)])[0]
    assert store.views.wait_for(VIEW, position, 5)
    runner.stop()
    assert store.views.get(VIEW, UUID(sick)) == {"owner": OWNER.hex, "lines": [*texts, "last"]}
    assert store.views.verify(VIEW, log) == []


def test_damaged_events_are_passed_and_counted(store: Store, place: Place) -> None:
    store.views.register(VIEW)
    log, one = store.log(), episode()
    first, second = noted("a", episode=one), noted("b", episode=one)
    log.append([first, second])
    place.tamper("topic = 'sample.noted', originator_version = 2", first.originator_id)
    reader = store.views.reader(VIEW)
    reader.position()
    page = log.page(0)
    reader.apply(page.entries, page.scanned_to)
    assert reader.damaged == 1
    assert store.views.get(VIEW, UUID(one)) == {"owner": OWNER.hex, "lines": ["b"]}


def test_files_stay_of_one_owner(store: Store, place: Place) -> None:
    if place.is_sqlite:
        assert Path(place.folder).stat().st_mode & 0o077 == 0


def test_a_page_that_is_not_stored_leaves_nothing_behind(store: Store) -> None:
    """What the last page left is remembered; a fold that fails may have changed it by then."""

    class Careless(Lines):
        """Changes the document that it is given."""

        broken = False

        def fold(self, doc: Document | None, entry: Any) -> Document | None:
            doc = doc or {"owner": OWNER.hex, "lines": []}
            doc["lines"].append(entry.event.text)
            if self.broken:
                raise ValueError
            return doc

    view, log, name = Careless(), store.log(), episode()
    store.views.register(view)
    reader = store.views.reader(view)
    log.append([noted("one", episode=name)])
    reader.position()
    reader.apply(log.page(0).entries, 1)
    log.append([noted("two", episode=name)])
    view.broken = True
    with pytest.raises(ValueError):
        reader.apply(log.page(1).entries, 2)
    view.broken = False
    reader.apply(log.page(1).entries, 2)
    assert store.views.verify(Lines(), log) == []
    assert store.views.get(view, UUID(name)) == {"owner": OWNER.hex, "lines": ["one", "two"]}


def test_a_replay_is_on_the_disk_before_it_is_parked_no_more(
    store: Store, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commits of a page need not be: its position goes with them."""
    flushed: list[Path] = []
    monkeypatch.setattr("services.chassis.database.sync_file", flushed.append)
    log, name = store.log(), episode()
    store.views.register(VIEW)
    reader = store.views.reader(VIEW)
    reader.position()
    log.append([noted("one", episode=name)])
    reader.apply([], 1)
    assert flushed == []
    reader.replay(log.page(0).entries)
    assert store.views.get(VIEW, UUID(name)) is not None
    assert [path.name for path in flushed] == (["views.db-wal"] if place.is_sqlite else [])
    assert all(path.exists() for path in flushed)


def test_what_a_page_removed_is_not_remembered(store: Store) -> None:
    view, log, name = Lines(), store.log(), episode()
    store.views.register(view)
    reader = store.views.reader(view)
    reader.position()
    for text in ("one", "gone", "two"):
        at = log.head()
        log.append([noted(text, episode=name)])
        reader.apply(log.page(at).entries, log.head())
    assert store.views.get(view, UUID(name)) == {"owner": OWNER.hex, "lines": ["two"]}
