"""Timers run in one place, and stand still while the clock cannot be believed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.chassis.clock import SteppedClock
from services.chassis.faults import StoreError
from services.chassis.store import Store
from services.chassis.timers import Timers
from tests.contract.readers import soon
from tests.contract.sample import NOON, noted


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(NOON)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def test_a_clock_without_history_is_believed(store: Store, clock: SteppedClock) -> None:
    assert store.clock_guard(clock).check() == NOON


@pytest.mark.parametrize(
    ("step", "distrust"),
    [
        (hours(0), None),
        (hours(48), None),
        (hours(49), "forwards"),
        (-timedelta(seconds=30), None),
        (-timedelta(minutes=5), "backwards"),
    ],
)
def test_steps_since_the_last_event(
    store: Store, clock: SteppedClock, step: timedelta, distrust: str | None
) -> None:
    store.log().append([noted(timestamp=NOON)])
    guard = store.clock_guard(clock)
    clock.set(NOON + step)
    assert (guard.check() is None) == (distrust is not None)
    assert guard.distrust == distrust


def test_a_quiet_weekend_is_no_fault(store: Store, clock: SteppedClock) -> None:
    store.log().append([noted(timestamp=NOON)])
    guard = store.clock_guard(clock)
    for day in range(5):
        clock.set(NOON + hours(24 * day))
        assert guard.check() is not None
    clock.set(NOON + hours(24 * 4 + 49))
    assert guard.check() is None


@pytest.mark.parametrize("step", [hours(24 * 3652), -hours(24 * 3652)])
def test_what_a_doubted_clock_stored_does_not_make_it_right(
    store: Store, opened: Callable[[], Store], clock: SteppedClock, step: timedelta
) -> None:
    store.log().append([noted(timestamp=NOON)])
    assert store.clock_guard(clock).check() == NOON
    clock.set(NOON + step)
    assert store.clock_guard(clock).look() is not None
    assert store.clock_guard(clock).check() is None
    store.log().append([noted(timestamp=clock.now())])
    assert store.clock_guard(clock).check() is None
    assert opened().clock_guard(clock).check() is None, "another process doubts it too"

    clock.set(NOON + hours(1))
    assert store.clock_guard(clock).look() is None
    for _ in range(2):
        assert store.clock_guard(clock).check() == NOON + hours(1), "it fits again what was known"


def test_acceptance_holds_in_every_process(
    store: Store, opened: Callable[[], Store], clock: SteppedClock
) -> None:
    log, guard = store.log(), store.clock_guard(clock)
    wrong = datetime(2036, 1, 1, tzinfo=UTC)
    log.append([noted(timestamp=wrong)])
    assert guard.check() is None
    assert opened().clock_guard(clock).accept() == NOON
    assert guard.check() == NOON
    assert guard.distrust is None
    log.append([noted(timestamp=NOON + hours(1))])
    assert guard.check() is None
    clock.set(NOON + hours(1))
    assert guard.check() == NOON + hours(1)


def test_an_erased_last_event_tells_no_time(store: Store, clock: SteppedClock) -> None:
    gone = uuid4()
    store.log().append([noted(owner=gone, timestamp=NOON - hours(100))])
    store.vault.shred(gone)
    assert store.clock_guard(clock).check() == NOON


def test_one_holder_runs_the_jobs(
    store: Store, opened: Callable[[], Store], clock: SteppedClock
) -> None:
    calls: list[str] = []

    def timers(name: str, of: Store) -> Timers:
        made = Timers(clock, of.clock_guard(clock), of.lock("timers"), interval=0.02)
        made.register("job", lambda now: calls.append(name))
        made.start()
        return made

    first = timers("first", store)
    soon(lambda: "first" in calls)
    second = timers("second", opened())
    soon(lambda: len(calls) > 5)
    assert set(calls) == {"first"}
    assert first.holding
    assert not second.holding
    first.stop()
    soon(lambda: "second" in calls)
    assert second.silence < 5
    assert second.heartbeat == NOON.timestamp()
    second.stop()


def test_a_failing_job_stops_no_other(store: Store, clock: SteppedClock) -> None:
    calls: list[datetime] = []
    failures: list[tuple[str, str]] = []

    def fail(now: datetime) -> None:
        raise ZeroDivisionError

    lock = store.lock("timers")
    timers = Timers(
        clock, store.clock_guard(clock), lock, failed=lambda *failure: failures.append(failure)
    )
    timers.register("bad", fail)
    timers.register("good", calls.append)
    timers.turn()
    assert calls == [NOON]
    assert failures == [("bad", "ZeroDivisionError")]
    clock.set(NOON - hours(1))
    timers.turn()
    assert calls == [NOON]
    lock.release()


def test_a_lost_lock_stops_the_jobs(store: Store, clock: SteppedClock) -> None:
    class Unreachable:
        def acquire(self) -> bool:
            raise StoreError("away")

        def release(self) -> None:
            pass

    calls: list[datetime] = []
    timers = Timers(clock, store.clock_guard(clock), Unreachable())
    timers.register("job", calls.append)
    timers.turn()
    assert calls == []
    assert not timers.holding
