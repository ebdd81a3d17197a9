"""The log keeps what it was given, in order, once, with a reader's position in the same commit."""

from datetime import timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest

from services.chassis import news
from services.chassis.eventlog import ConflictError, Page, StoreError, Wakeup
from services.chassis.store import Store
from tests.contract.sample import NOON, Noted, Ticked, noted, ticked


def test_reads_what_was_appended(store: Store) -> None:
    log = store.log()
    event = noted("grüße", numbers=[1, None, 2.5])
    other = noted("second", originator_id=event.originator_id, originator_version=2)
    log.append([event, other])
    assert log.read(event.originator_id) == [event, other]
    assert isinstance(log.read(event.originator_id)[0], Noted)


def test_an_unknown_stream_is_empty(store: Store) -> None:
    assert store.log().read(uuid4()) == []
    assert store.log().read_many([uuid4()]) == {}


def test_times_come_back_in_utc(store: Store) -> None:
    log = store.log()
    event = noted(timestamp=NOON.astimezone(timezone(timedelta(hours=5))))
    log.append([event])
    again = log.read(event.originator_id)[0].timestamp
    assert again == NOON
    assert again.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [({"timestamp": NOON.replace(tzinfo=None)}, ValueError), ({"text": object()}, TypeError)],
)
def test_what_cannot_be_read_again_is_refused(
    store: Store, changes: dict[str, Any], fault: type[Exception]
) -> None:
    log = store.log()
    with pytest.raises(fault):
        log.append([noted(), noted(**changes)])
    assert log.head() == 0


def test_many_streams_in_one_query(store: Store) -> None:
    log = store.log()
    events = [noted(str(n)) for n in range(900)]
    for start in range(0, 900, 300):
        log.append(events[start : start + 300])
    wanted = events[100:700]
    found = log.read_many(event.originator_id for event in wanted)
    assert found == {event.originator_id: [event] for event in wanted}


def test_positions_grow_and_are_those_of_the_page(store: Store) -> None:
    log = store.log()
    first, second = log.append([noted(), noted()]), log.append([noted()])
    positions = [entry.position for entry in log.page(0).entries]
    assert positions == first + second == sorted(positions)
    assert log.head() == positions[-1]


def test_pages_go_on_where_the_last_one_ended(store: Store) -> None:
    log = store.log()
    events = [noted(str(n)) for n in range(25)]
    log.append(events)
    seen, after = [], 0
    while (page := log.page(after, 10)).entries:
        seen += [entry.event for entry in page.entries]
        after = page.scanned_to
    assert seen == events


def test_a_filtered_page_moves_past_foreign_topics(store: Store) -> None:
    log = store.log()
    log.append([noted("mine"), ticked(), ticked()])
    page = log.page(0, 10, {Noted.TOPIC})
    assert [entry.event.text for entry in page.entries] == ["mine"]
    assert page.scanned_to == log.head()
    full = log.page(0, 1, [Noted.TOPIC])
    assert full.scanned_to == full.entries[-1].position < log.head()
    assert log.page(0, 10, {Ticked.TOPIC}).entries[0].event.TOPIC == Ticked.TOPIC
    assert log.page(log.head(), 10).scanned_to == log.head()


def test_counts_what_waits(store: Store) -> None:
    log = store.log()
    log.append([noted(), ticked(), noted()])
    assert log.waiting(0) == 3
    assert log.waiting(0, {Noted.TOPIC}) == 2
    assert log.waiting(log.head()) == 0


def test_a_taken_place_stores_nothing(store: Store) -> None:
    log = store.log()
    event = noted("first")
    log.append([event])
    with pytest.raises(ConflictError):
        log.append([noted("bystander"), noted("late", originator_id=event.originator_id)], ("r", 1))
    assert log.waiting(0) == 1
    assert log.position("r") == 0
    assert log.taken([(event.originator_id, 1), (event.originator_id, 2), (uuid4(), 1)]) == {
        (event.originator_id, 1)
    }


def test_a_position_is_stored_with_its_events_and_only_grows(store: Store) -> None:
    log = store.log()
    log.append([noted()], ("reader", 5))
    assert log.position("reader") == 5
    assert log.position("another") == 0
    for stale in (5, 4):
        with pytest.raises(ConflictError):
            log.append([noted("again")], ("reader", stale))
    assert log.waiting(0) == 1
    log.append([], ("reader", 9))
    assert log.position("reader") == 9


def test_waiting_ends_when_something_is_there(store: Store) -> None:
    log, other = store.log(), store.log()
    assert log.wait(0, 0.01) is False
    other.append([noted()])
    assert log.wait(0, 5.0) is True


def test_a_reader_sleeps_through_what_it_does_not_want(store: Store) -> None:
    """Each commit would else rouse every reader of the log, most of them for nothing."""
    log, other = store.log(), store.log()
    first = other.append([noted()])[-1]
    other.append([ticked()])
    assert log.wait(first, 0.2, {Noted.TOPIC}) is False
    assert log.wait(first, 5.0, {Ticked.TOPIC}) is True
    assert log.wait(first, 5.0) is True
    assert log.page(first, topics={Noted.TOPIC}) == Page([], other.head())


def test_what_another_process_stored_in_between_is_looked_for(store: Store) -> None:
    """Its topics are not known here, so every reader looks: on a poll, or with our next event."""
    log, elsewhere = store.log(), Wakeup()
    before = log.append([ticked()])[-1]
    stranger = store.log()
    stranger._wakeup = elsewhere  # as in another process, whose wake-up does not reach this one
    stranger.append([noted()])
    assert log.wait(before, 5.0, {Noted.TOPIC}) is True
    log.append([ticked()])
    assert log.wait(before, 0.01, {Noted.TOPIC}) is True


def test_another_handle_sees_the_log(store: Store, opened: object) -> None:
    event = noted("there")
    store.log().append([event])
    assert callable(opened)
    again = opened()
    assert again.log().read(event.originator_id) == [event]
    assert again.log_id == store.log_id


def test_what_is_new_is_taken_whole_or_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who keeps it in memory would else miss for good what came before the failure."""
    monkeypatch.setattr(news, "PAGE", 2)
    log = store.log()
    events = [noted(str(n)) for n in range(5)]
    log.append([*events, ticked()])
    new, page, asked = news.News(log, [Noted.TOPIC]), log.page, list[int]()

    def broken(after: int, *more: Any) -> Page:
        asked.append(after)
        if len(asked) == 2:
            raise StoreError("away")
        return page(after, *more)

    monkeypatch.setattr(log, "page", broken)
    with pytest.raises(StoreError):
        new.take()
    assert new.take() == events
    assert new.take() == []
    log.append([noted("later")])
    assert [one.text for one in new.take()] == ["later"]
