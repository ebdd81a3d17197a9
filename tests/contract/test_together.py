"""Several readers led by one follower: each sees every event once, and minds its own troubles."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from services.chassis.clock import SteppedClock
from services.chassis.eventlog import StoreError
from services.chassis.follower import Follower
from services.chassis.store import Store
from services.chassis.views import Document
from tests.contract.readers import Collector, episode, soon
from tests.contract.sample import NOON, OWNER, Lines, Ticked, noted, ticked


class Texts(Lines):
    """A second view of the same events, which digests what the first does not."""

    name = "texts"

    def fold(self, doc: Document | None, entry: Any) -> Document | None:
        return {"owner": OWNER.hex, "lines": [*(doc["lines"] if doc else []), entry.event.text]}


LINES, TEXTS = Lines(), Texts()


def leading(store: Store, *readers: Any, page: int = 10, together: Any = None) -> Follower:
    clock = SteppedClock(NOON)
    return Follower(store.log(), readers, store.parking, clock, 0.02, page, together=together)


def with_views(store: Store, page: int = 10) -> Follower:
    readers = [store.views.reader(view) for view in (LINES, TEXTS)]
    return leading(store, *readers, page=page, together=store.views.apply_together)


def registered(store: Store) -> None:
    for view in (LINES, TEXTS):
        store.views.register(view)


def current(store: Store) -> bool:
    head = store.log().head()
    return all(store.views.position(view) >= head for view in (LINES, TEXTS))


def test_each_reader_sees_its_own_events_once_and_in_order(store: Store) -> None:
    log = store.log()
    notes, other = Collector(log, "notes"), Collector(store.log(), "other")
    runner = leading(store, notes, other, page=3)
    runner.start()
    for number in range(8):
        log.append([ticked(), noted(str(number))])
    soon(lambda: len(notes.seen) == len(other.seen) == 8)
    soon(lambda: log.position("notes") == log.position("other") == log.head())
    runner.stop()
    assert notes.seen == other.seen == [str(number) for number in range(8)]


def test_one_that_is_behind_catches_up_and_joins(store: Store) -> None:
    registered(store)
    log = store.log()
    log.append([noted(str(number), episode=episode()) for number in range(35)])
    ahead = store.views.reader(LINES)
    ahead.position()
    page = log.page(0, 23)
    ahead.apply(page.entries, page.scanned_to)
    runner = with_views(store, page=5)
    runner.start()
    soon(lambda: current(store))
    log.append([noted("last", episode=episode())])
    soon(lambda: current(store))
    runner.stop()
    assert len({track.cursor for track in runner.tracks}) == 1
    for view in (LINES, TEXTS):
        assert len(store.views.select(view)) == 36
        assert store.views.verify(view, log) == []


def test_what_one_cannot_digest_is_parked_for_it_alone(store: Store) -> None:
    registered(store)
    log, sick, well = store.log(), episode(), episode()
    texts = ["first", "poison", "behind"]
    log.append([noted(text, episode=sick) for text in texts] + [noted("well", episode=well)])
    runner = with_views(store)
    runner.start()
    soon(lambda: current(store))
    log.append([noted("later", episode=sick), noted("more", episode=well)])
    soon(lambda: current(store))
    runner.stop()
    assert [(one.reader, one.key) for one in store.parking.list()] == [("view lines", UUID(sick))]
    assert _lines(store, LINES, sick) == ["first"]
    assert _lines(store, TEXTS, sick) == [*texts, "later"]
    assert _lines(store, LINES, well) == _lines(store, TEXTS, well) == ["well", "more"]


def test_a_store_that_fails_one_keeps_no_other(store: Store) -> None:
    log = store.log()
    sound, failing = Collector(log, "sound"), Collector(store.log(), "failing")
    failing.faults = [StoreError("away") for _ in range(4)]
    runner = leading(store, sound, failing)
    runner.start()
    log.append([noted(str(number)) for number in range(3)])
    soon(lambda: sound.seen == ["0", "1", "2"] and failing.faults)
    soon(lambda: failing.seen == ["0", "1", "2"])
    runner.stop()


def test_a_view_of_another_version_keeps_no_other(store: Store) -> None:
    registered(store)
    log = store.log()
    runner = with_views(store)
    runner.start()
    log.append([noted("a", episode=episode())])
    soon(lambda: current(store))
    newer = type("Newer", (Texts,), {"version": 2})()
    store.views.rebuild(newer, log)
    position = log.append([noted("b", episode=episode())])[0]
    assert store.views.wait_for(LINES, position, 10)
    runner.stop()


def test_two_followers_of_the_same_views_fold_nothing_twice(
    store: Store, opened: Callable[[], Store]
) -> None:
    registered(store)
    other = opened()
    first, second = with_views(store, page=4), with_views(other, page=3)
    log, names = store.log(), [episode() for _ in range(3)]
    first.start()
    second.start()
    for number in range(40):
        log.append([noted(str(number), episode=names[number % 3]), ticked()])
    soon(lambda: current(store))
    first.stop()
    second.stop()
    for view in (LINES, TEXTS):
        assert store.views.verify(view, log) == []


def test_a_rebuild_of_several_reads_the_log_once_and_parks_for_each(store: Store) -> None:
    registered(store)
    log, sick = store.log(), episode()
    log.append([noted(str(number), episode=episode()) for number in range(12)])
    log.append([noted(text, episode=sick) for text in ("first", "poison", "behind")])
    runner = with_views(store)
    runner.start()
    soon(lambda: current(store))
    told: list[tuple[int, int]] = []
    store.views.rebuild([LINES, TEXTS], log, lambda done, total: told.append((done, total)))
    log.append([noted("well", episode=episode())])
    soon(lambda: current(store))
    runner.stop()
    assert told[-1] == (15, 15)
    assert [(one.reader, one.key) for one in store.parking.list()] == [("view lines", UUID(sick))]
    assert _lines(store, LINES, sick) == ["first"]
    assert _lines(store, TEXTS, sick) == ["first", "poison", "behind"]
    for view in (LINES, TEXTS):
        assert store.views.verify(view, log) == []


def test_a_page_that_cannot_be_stored_for_one_is_stored_for_none(store: Store) -> None:
    registered(store)
    log, one = store.log(), episode()
    log.append([noted("a", episode=one)])
    page = log.page(0)
    readers = [store.views.reader(view) for view in (LINES, TEXTS)]
    for reader in readers:
        reader.position()
    shares: list[tuple[Any, Sequence[Any]]] = [(reader, page.entries) for reader in readers]
    rival = store.views.reader(TEXTS)
    rival.position()
    rival.apply([], page.scanned_to)
    with pytest.raises(Exception, match="moved by another"):
        store.views.apply_together(shares, page.scanned_to)
    assert store.views.get(LINES, UUID(one)) is None
    assert store.views.position(LINES) == 0


def _lines(store: Store, view: Lines, name: str) -> Any:
    document = store.views.get(view, UUID(name))
    assert document is not None
    return document["lines"]


def test_topics_of_one_do_not_reach_another(store: Store) -> None:
    log = store.log()
    notes, ticks = Collector(log, "notes"), TickCollector(store.log(), "ticks")
    runner = leading(store, notes, ticks)
    runner.start()
    log.append([noted("a"), ticked(), ticked()])
    soon(lambda: notes.seen == ["a"] and ticks.positions)
    runner.stop()
    assert ticks.topics_seen == {Ticked.TOPIC}


class TickCollector(Collector):
    """Sees ticks and stores nothing but its position."""

    def __init__(self, log: Any, name: str) -> None:
        super().__init__(log, name)
        self.topics = {Ticked.TOPIC}
        self.topics_seen: set[str] = set()
        self.positions: list[int] = []

    def apply(self, entries: Sequence[Any], to: int) -> None:
        self.topics_seen |= {entry.event.TOPIC for entry in entries}
        self.positions += [entry.position for entry in entries]
        self._log.append([], (self.name, to))

    def key(self, entry: Any) -> UUID | None:
        return None
