"""A reader sees every event once, in order, whatever fails; what is poison waits aside."""

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.chassis.eventlog import ConflictError, StoreError
from services.chassis.store import Store
from tests.contract.readers import Collector, Counted, episode, follower, soon, ticks
from tests.contract.sample import NOON, Noted, noted, ticked


def test_effects_are_exactly_once_under_writers_and_restarts(
    store: Store, opened: Callable[[], Store]
) -> None:
    done = threading.Event()

    def write(number: int) -> None:
        log = store.log()
        for count in range(30):
            log.append([noted(f"{number}-{count}-{n}") for n in range(3)])

    writers = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for writer in writers:
        writer.start()
    log = store.log()
    seen: list[str] = []
    told = Counted()
    while not done.is_set():
        reader = Collector(log)
        one = follower(store, reader, 20, told)
        other = follower(store, Collector(store.log()), 7, told)  # a second one may only lose races
        one.start()
        other.start()
        done.wait(0.15)
        if not any(writer.is_alive() for writer in writers):
            soon(lambda: log.waiting(log.position("collector"), {Noted.TOPIC}) == 0)
            done.set()
        one.stop()
        other.stop()
        seen += reader.seen
    assert ticks(log) == 270
    assert len(seen) == len(set(seen))
    assert len(told.applied_) == len(set(told.applied_)) == 270, "who lost a race counts nothing"


def test_order_is_kept_and_foreign_events_are_passed(store: Store) -> None:
    log = store.log()
    reader = Collector(log)
    runner = follower(store, reader, page=5)
    runner.start()
    for n in range(12):
        log.append([noted(str(n)), ticked()])
    soon(lambda: len(reader.seen) == 12)
    assert reader.seen == [str(n) for n in range(12)]
    log.append([ticked(), ticked()])
    soon(lambda: log.position(reader.name) == log.head())
    soon(lambda: reader.idled > 0)
    runner.stop()
    assert ticks(log) == 12 + 12 + 2


def test_its_own_events_do_not_keep_it_busy(store: Store) -> None:
    log = store.log()
    reader = Collector(log)
    runner = follower(store, reader)
    runner.start()
    log.append([noted("one")])
    soon(lambda: log.position(reader.name) == log.head())
    head = log.head()
    threading.Event().wait(0.4)
    runner.stop()
    assert (log.head(), log.position(reader.name)) == (head, head)


def test_poison_parks_its_key_and_the_rest_goes_on(store: Store) -> None:
    log = store.log()
    sick, well = episode(), episode()
    reader = Collector(log)
    reader.poison = {"poison"}
    events = [noted(f"well {n}", episode=well) for n in range(20)]
    events[7:7] = [noted("poison", episode=sick), noted("behind", episode=sick)]
    positions = log.append(events)
    runner = follower(store, reader)
    runner.start()
    soon(lambda: log.position(reader.name) >= positions[-1])
    log.append([noted("later", episode=sick), noted("last", episode=well)])
    soon(lambda: "last" in reader.seen)
    assert reader.seen == [*(f"well {n}" for n in range(20)), "last"]
    parked = store.parking.list()
    assert [(one.reader, one.key, one.position, one.error) for one in parked] == [
        (reader.name, UUID(sick), positions[7], "ZeroDivisionError")
    ]
    assert store.parking.count() == store.parking.count(reader.name) == 1

    assert store.parking.request_replay(reader.name, UUID(sick))
    soon(lambda: not store.parking.requested(reader.name))
    assert store.parking.parked(reader.name) == {UUID(sick): positions[7]}
    assert reader.replayed == []

    reader.poison = set()
    assert store.parking.request_replay(reader.name, UUID(sick))
    soon(lambda: store.parking.count() == 0)
    assert reader.replayed == ["poison", "behind", "later"]
    log.append([noted("again", episode=sick)])
    soon(lambda: "again" in reader.seen)
    runner.stop()
    assert not store.parking.request_replay(reader.name, uuid4())


def test_what_is_parked_stays_so_over_a_restart(store: Store) -> None:
    log = store.log()
    sick = episode()
    reader = Collector(log)
    reader.poison = {"poison"}
    log.append([noted("poison", episode=sick)])
    runner = follower(store, reader)
    runner.start()
    soon(lambda: store.parking.count() == 1)
    runner.stop()
    again = Collector(log)
    runner = follower(store, again)
    runner.start()
    log.append([noted("behind", episode=sick), noted("other", episode=episode())])
    soon(lambda: again.seen == ["other"])
    runner.stop()


def test_what_may_not_be_parked_is_tried_for_ever(store: Store) -> None:
    log = store.log()
    reader = Collector(log)
    reader.poison = {"risk"}
    log.append([noted("before"), noted("risk"), noted("after")])
    runner = follower(store, reader)
    runner.start()
    soon(lambda: reader.reloaded > 3)
    assert reader.seen == ["before"]
    assert store.parking.count() == 0
    reader.poison = set()
    soon(lambda: reader.seen == ["before", "risk", "after"])
    runner.stop()


@pytest.mark.parametrize("fault", [StoreError("away"), ConflictError("raced")])
def test_passing_faults_are_waited_out(store: Store, fault: Exception) -> None:
    log = store.log()
    reader = Collector(log)
    reader.faults = [fault] * 3
    log.append([noted(str(n), episode=episode()) for n in range(4)])
    runner = follower(store, reader)
    runner.start()
    soon(lambda: reader.seen == ["0", "1", "2", "3"])
    runner.stop()
    assert store.parking.count() == 0
    assert ticks(log) == 4


def test_it_tells_how_far_behind_it_is(store: Store) -> None:
    log = store.log()
    reader = Collector(log)
    runner = follower(store, reader)
    assert runner.tracks[0].lag == (0, 0.0)
    log.append([noted(timestamp=NOON - timedelta(minutes=2)), ticked(), noted()])
    assert runner.tracks[0].lag == (2, 120.0)
    runner.start()
    soon(lambda: runner.tracks[0].lag == (0, 0.0))
    assert runner.tracks[0].heartbeat == NOON.timestamp()
    assert runner.tracks[0].silence < 5
    runner.stop()
    assert not runner.is_alive()


def test_damaged_and_redacted_events_stop_nobody(store: Store) -> None:
    log = store.log()
    gone = uuid4()
    log.append([noted("lost", owner=gone), noted("kept")])
    store.vault.shred(gone)

    class Careful(Collector):
        def apply(self, entries, to):  # type: ignore[no-untyped-def]
            super().apply([one for one in entries if hasattr(one.event, "text")], to)

        def key(self, entry):  # type: ignore[no-untyped-def]
            raise AttributeError

    reader = Careful(log)
    runner = follower(store, reader)
    runner.start()
    soon(lambda: reader.seen == ["kept"])
    runner.stop()
