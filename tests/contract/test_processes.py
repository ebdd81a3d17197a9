"""Several processes on one store: none loses what it was told is stored, no reader misses any."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from uuid import UUID

import psycopg

from services.chassis.eventlog import EventLog
from services.chassis.listening import Listener
from services.chassis.store import Store
from tests.contract.conftest import Place
from tests.contract.readers import Collector, follower, soon, ticks
from tests.contract.sample import Lines, Noted, noted

ROUNDS = 5


def start(place: Place, seed: str, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.contract.writer"]
    arguments = [place.location, place.service, seed, str(count)]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)


def told(process: "subprocess.Popen[str]") -> dict[UUID, str]:
    """What a writer acknowledged, each line that it completed."""
    output, _ = process.communicate(timeout=60)
    lines = [line.split() for line in output.split("\n")[:-1]]
    return {UUID(name): answer for name, answer in lines}


def audit(log: EventLog, acknowledged: set[UUID]) -> None:
    """Acknowledged is stored, nothing is twice, no stream has a gap, every event opens."""
    page = log.page(0, 100_000, {Noted.TOPIC})
    stored = Counter(entry.event.originator_id for entry in page.entries)
    assert acknowledged <= stored.keys()
    assert set(stored.values()) <= {1}
    assert log.verify() == []


def test_two_processes_that_compete_store_each_once(store: Store, place: Place) -> None:
    writers = [start(place, "same", 120) for _ in range(2)]
    answers = [told(writer) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert answers[0].keys() == answers[1].keys()
    pairs = Counter(tuple(sorted((answers[0][name], answers[1][name]))) for name in answers[0])
    assert pairs == {("stored", "there"): 120}
    audit(store.log(), set(answers[0]))
    owners = {entry.event.owner for entry in store.log().page(0).entries}
    assert len(owners) == 7


def test_killed_writers_lose_nothing_acknowledged(store: Store, place: Place) -> None:
    """The same posts again and again, killed at other points each time, with readers behind."""
    view = Lines()
    store.views.register(view)
    log = store.log()
    reader = Collector(log)
    runners = [follower(store, reader, page=10), follower(store, store.views.reader(view), page=9)]
    for runner in runners:
        runner.start()
    acknowledged: set[UUID] = set()
    for round_ in range(ROUNDS):
        writer = start(place, "killed", 3_000)
        enough = log.head() + 20 + 25 * round_
        soon(partial(_has_grown, log, enough), 30)
        writer.kill()
        acknowledged |= told(writer).keys()
        audit(log, acknowledged)
    soon(lambda: log.position(reader.name) >= log.head())
    soon(lambda: store.views.wait_for(view, log.head(), 0.1))
    for runner in runners:
        runner.stop()
    assert ticks(log) == log.waiting(0, {Noted.TOPIC}) == len(reader.seen)
    assert store.views.verify(view, log) == []


def _has_grown(log: EventLog, enough: int) -> bool:
    return log.head() > enough


def test_a_tailing_reader_misses_nothing(store: Store, opened: Callable[[], Store]) -> None:
    stores = [opened() for _ in range(4)]
    done = threading.Event()
    tailed: list[int] = []

    def write(number: int) -> None:
        log = stores[number].log()
        for count in range(40):
            log.append([noted(f"{number} {count} {n}") for n in range(1 + count % 5)])

    def tail() -> None:
        log, after = store.log(), 0
        while True:
            finished = done.is_set()
            page = log.page(after, 50)
            tailed.extend(entry.position for entry in page.entries)
            after = page.scanned_to
            if finished and not page.entries:
                return

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    reader = threading.Thread(target=tail)
    reader.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    assert tailed == [entry.position for entry in store.log().page(0, 10_000).entries]
    assert len(tailed) == 480


def test_a_writer_elsewhere_wakes_readers(store: Store, place: Place) -> None:
    log = store.log()
    writer = start(place, "wake", 1)
    assert log.wait(0, 20) is True
    told(writer)


def test_a_writer_elsewhere_is_heard_before_anybody_looks(store: Store, place: Place) -> None:
    log = store.log()
    listener = store.listener(log)
    if place.is_sqlite:
        assert listener is None, "files tell nobody: readers look"
        return
    assert listener is not None
    listener.start()
    try:
        for number in (1, 2):
            head = log.head()
            writer = start(place, f"wake {number}", 1)
            assert log._wakeup.wait(head, 20, [Noted.TOPIC]) is True
            told(writer)
    finally:
        listener.stop()


def test_whoever_listens_goes_on_when_the_connection_was_lost(store: Store, place: Place) -> None:
    if place.is_sqlite:
        return
    log, sessions = store.log(), list[psycopg.Connection]()

    def connect() -> psycopg.Connection:
        sessions.append(psycopg.connect(place.location, autocommit=True))
        return sessions[-1]

    listener = Listener(connect, log, rest=0.01)
    listener.start()
    try:
        soon(lambda: len(sessions) == 1)
        with psycopg.connect(place.location) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [sessions[0].info.backend_pid])
        soon(lambda: len(sessions) == 2)
    finally:
        listener.stop()
