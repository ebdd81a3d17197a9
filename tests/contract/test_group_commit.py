"""Many callers, one transaction: each gets its own answer, and one of equals wins."""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.chassis.eventlog import EventLog, StoreError
from services.chassis.faults import ShreddedError
from services.chassis.group_commit import GroupCommit, Read
from services.chassis.store import Store
from tests.contract.sample import noted

THREADS = 8


@pytest.fixture
def commits(store: Store) -> Iterator[GroupCommit]:
    group = GroupCommit(store.log())
    yield group
    group.close()


def record(stream: UUID, text: str) -> Callable[[Read | None], tuple[list[Any], str]]:
    """Version 1 of a stream, or what its text was when there is one."""

    def decide(read: Read | None) -> tuple[list[Any], str]:
        stored = read(stream) if read else []
        if stored:
            return [], "same" if stored[0].text == text else "conflict"
        return [noted(text, originator_id=stream)], "created"

    return decide


def together(work: Callable[[int], None]) -> None:
    gate = threading.Barrier(THREADS)

    def run(number: int) -> None:
        gate.wait()
        work(number)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_equal_commands_are_one_event(store: Store, commits: GroupCommit) -> None:
    streams = [uuid4() for _ in range(25)]
    answers: list[tuple[UUID, str]] = []

    def post(number: int) -> None:
        text = "other" if number == 0 else "text"
        for stream in streams:
            answers.append((stream, commits.submit(record(stream, text))))

    together(post)
    log = store.log()
    assert log.waiting(0) == len(streams)
    for stream in streams:
        mine = sorted(answer for of, answer in answers if of == stream)
        if log.read(stream)[0].text == "text":
            assert mine == ["conflict", "created", *["same"] * 6]
        else:
            assert mine == [*["conflict"] * 7, "created"]


def test_writers_of_two_processes_agree(opened: Callable[[], Store], store: Store) -> None:
    groups = [GroupCommit(opened().log()) for _ in range(2)]
    streams = [uuid4() for _ in range(40)]
    answers: list[str] = []

    def post(number: int) -> None:
        answers.extend(groups[number % 2].submit(record(stream, "text")) for stream in streams)

    together(post)
    for group in groups:
        group.close()
    assert sorted(answers) == ["created"] * 40 + ["same"] * 280
    assert store.log().waiting(0) == 40


def test_an_answer_tells_its_position_and_is_stored(store: Store, commits: GroupCommit) -> None:
    log = store.log()
    committed = commits.commit(lambda read: ([noted("one"), noted("two")], "both"))
    assert (committed.answer, committed.position) == ("both", log.head())
    assert commits.commit(lambda read: ([], "nothing")).position == 0


def test_appending_to_one_stream_loses_no_update(store: Store, commits: GroupCommit) -> None:
    stream, log = uuid4(), store.log()

    def add(read: Read | None) -> tuple[list[Any], int]:
        version = len((read or log.read)(stream)) + 1
        return [noted(str(version), originator_id=stream, originator_version=version)], version

    versions: list[int] = []
    together(lambda number: versions.extend(commits.submit(add) for _ in range(5)))
    assert sorted(versions) == list(range(1, 41))
    assert [event.originator_version for event in log.read(stream)] == list(range(1, 41))


def test_a_refusal_reaches_its_caller_alone(store: Store, commits: GroupCommit) -> None:
    def refuse(read: Read | None) -> tuple[list[Any], str]:
        raise KeyError("refused")

    with pytest.raises(KeyError):
        commits.submit(refuse)
    stream = uuid4()
    commits.submit(record(stream, "text"))

    def refuse_then(read: Read | None) -> tuple[list[Any], str]:
        if read:
            raise KeyError("refused on second sight")
        return [noted("again", originator_id=stream)], "created"

    with pytest.raises(KeyError):
        commits.submit(refuse_then)
    assert commits.submit(record(stream, "text")) == "same"


def test_a_command_that_cannot_be_stored_fails_alone(store: Store) -> None:
    log = HeldLog(store.log())
    group = GroupCommit(log)
    gone = uuid4()
    store.vault.shred(gone)
    outcomes: dict[str, object] = {}

    def post(name: str, owner: UUID | None, text: Any) -> None:
        changes = {"owner": owner} if owner else {}
        try:
            outcomes[name] = group.submit(lambda read: ([noted(text, **changes)], "created"))
        except Exception as error:
            outcomes[name] = type(error)

    first = threading.Thread(target=post, args=("first", None, "text"))
    first.start()
    assert log.entered.wait(10)  # from here on all that is submitted gathers in one batch
    cases: list[tuple[str, UUID | None, Any]] = [
        ("good", None, "text"),
        ("erased", gone, "text"),
        ("no JSON", None, object()),
        ("also good", None, "text"),
    ]
    threads = [threading.Thread(target=post, args=case) for case in cases]
    for thread in threads:
        thread.start()
    log.release_when(lambda: group._queue.qsize() == len(cases))
    for thread in [first, *threads]:
        thread.join()
    group.close()
    assert outcomes == {
        "first": "created",
        "good": "created",
        "also good": "created",
        "erased": ShreddedError,
        "no JSON": TypeError,
    }
    assert store.log().waiting(0) == 3


def test_a_store_that_is_away_fails_all_and_stores_nothing(store: Store) -> None:
    log = HeldLog(store.log(), StoreError("away"))
    group = GroupCommit(log)
    log.release_when(lambda: True)
    with pytest.raises(StoreError):
        group.submit(record(uuid4(), "text"))
    log.fault = None
    assert group.submit(record(uuid4(), "text")) == "created"
    group.close()
    assert store.log().waiting(0) == 1


def test_closing_stores_what_was_submitted(store: Store) -> None:
    group = GroupCommit(store.log())
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(group.submit(record(uuid4(), "text"))))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    group.close()
    group.close()
    assert answers == ["created"] * 20
    with pytest.raises(StoreError):
        group.submit(record(uuid4(), "text"))


class HeldLog(EventLog):
    """A log whose appends wait until a batch has gathered, and fail when told to."""

    def __init__(self, log: EventLog, fault: Exception | None = None) -> None:
        self.__dict__.update(log.__dict__)
        self.fault = fault
        self.entered = threading.Event()
        self._released = threading.Event()

    def release_when(self, ready: Callable[[], bool]) -> None:
        pause = threading.Event()
        while not ready():
            pause.wait(0.005)
        self._released.set()

    def append(self, events: Any, tracking: Any = None) -> list[int]:
        self.entered.set()
        assert self._released.wait(10)
        if self.fault:
            raise self.fault
        return super().append(events, tracking)
