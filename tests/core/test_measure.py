"""The table of what commands may do to a measure, one row a state, one column a command."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.outcomes.core import measure
from services.outcomes.core.event import Event
from services.outcomes.core.measure import Content, Draft, Reading

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
STREAM, OWNER, EPISODE = UUID(int=1), UUID(int=2), UUID(int=3)
CONTENT = Content(
    external_id="m-1",
    client="K-1184",
    episode="E-1",
    instrument="phq-9",
    administered_at="2026-03-02",
    on="2026-03-02",
    items=(1, 1, 1, 1, 1, 1, 1, 1, 2),
)
RISK = [{"item": 9, "kind": "self", "answer": 2, "state": "endorsed", "urgent": True}]


def draft(why: str | None = None, **changes: Any) -> Draft:
    return Draft(
        stream=STREAM,
        owner=OWNER,
        sender="ehr",
        episode=EPISODE,
        content=replace(CONTENT, **changes),
        reading=Reading(score=10.0, band="moderate", risk=RISK, why=why),
    )


def fold(*events: Event) -> measure.State | None:
    return measure.fold(events)


def recorded() -> list[Event]:
    return measure.decide_post(None, draft(), AT)


def corrected() -> list[Event]:
    return [*recorded(), *measure.decide_put(fold(*recorded()), draft(session_number=2), AT)]


def withdrawn() -> list[Event]:
    return [*corrected(), *measure.decide_withdraw(fold(*corrected()), "cancelled", AT)]


def topics(events: list[Event]) -> list[str]:
    return [event.TOPIC for event in events]


@pytest.mark.parametrize(
    ("before", "expected"),
    [([], ["measure.recorded"]), (recorded(), []), (corrected(), [])],
    ids=["nothing yet", "as recorded", "after a correction"],
)
def test_post_of_the_first_content(before: list[Event], expected: list[str]) -> None:
    assert topics(measure.decide_post(fold(*before), draft(), AT)) == expected


@pytest.mark.parametrize("before", [recorded(), corrected()], ids=["recorded", "corrected"])
def test_post_of_other_content_is_refused(before: list[Event]) -> None:
    with pytest.raises(measure.DifferentContentError):
        measure.decide_post(fold(*before), draft(session_number=2), AT)


def test_post_after_withdrawal_is_refused() -> None:
    with pytest.raises(measure.WithdrawnError):
        measure.decide_post(fold(*withdrawn()), draft(), AT)


@pytest.mark.parametrize(
    ("before", "session", "expected"),
    [
        ([], None, ["measure.recorded"]),
        (recorded(), None, []),
        (recorded(), 2, ["measure.corrected"]),
        (corrected(), 2, []),
        (corrected(), None, ["measure.corrected"]),
    ],
)
def test_put(before: list[Event], session: int | None, expected: list[str]) -> None:
    events = measure.decide_put(fold(*before), draft(session_number=session), AT)
    assert topics(events) == expected


def test_put_after_withdrawal_needs_reinstate() -> None:
    state = fold(*withdrawn())
    with pytest.raises(measure.WithdrawnError):
        measure.decide_put(state, draft(), AT)
    events = measure.decide_put(state, draft(), AT, reinstate=True)
    assert topics(events) == ["measure.reinstated"]
    after = measure.evolve(state, events[0])
    assert after is not None
    assert after.withdrawn is None
    assert after.version == 4


def test_reinstate_of_what_stands_is_an_ordinary_put() -> None:
    assert measure.decide_put(fold(*recorded()), draft(), AT, reinstate=True) == []


def test_withdrawing() -> None:
    with pytest.raises(measure.NotRecordedError):
        measure.decide_withdraw(None, "other", AT)
    assert topics(measure.decide_withdraw(fold(*recorded()), "other", AT)) == ["measure.withdrawn"]
    assert measure.decide_withdraw(fold(*withdrawn()), "other", AT) == []


def test_a_correction_cannot_move_a_measure() -> None:
    elsewhere = replace(draft(episode="E-2"), episode=UUID(int=9))
    someone_else = replace(draft(client="K-2"), owner=UUID(int=9))
    for moved in (elsewhere, someone_else):
        with pytest.raises(measure.MovedError):
            measure.decide_put(fold(*recorded()), moved, AT)


def test_a_held_measure_may_move_to_where_it_belongs() -> None:
    held = fold(*measure.decide_post(None, draft(why=measure.CLIENT_MISMATCH), AT))
    elsewhere = replace(draft(episode="E-2"), episode=UUID(int=9))
    events = measure.decide_put(held, elsewhere, AT)
    assert topics(events) == ["measure.corrected"]


def test_what_is_unknown_is_held_with_its_risk_answers() -> None:
    (event,) = measure.decide_post(None, draft(why=measure.UNKNOWN_INSTRUMENT), AT)
    assert isinstance(event, measure.MeasureHeld)
    assert event.why == "unknown instrument"
    assert event.risk == RISK
    assert measure.decide_post(fold(event), draft(why=measure.UNKNOWN_INSTRUMENT), AT) == []


def test_holding_and_releasing_keep_the_content() -> None:
    state = fold(*recorded())
    (held,) = measure.decide_hold(state, measure.CLIENT_MISMATCH, AT + timedelta(1))
    assert isinstance(held, measure.MeasureHeld)
    state = measure.evolve(state, held)
    assert state is not None
    assert state.held
    assert measure.decide_hold(state, measure.CLIENT_MISMATCH, AT) == []
    (event,) = measure.decide_release(state, Reading(score=11.0), AT)
    assert isinstance(event, measure.MeasureRecorded)
    assert measure.content_of(event) == CONTENT
    assert event.score == 11.0
    assert event.originator_version == 3
    with pytest.raises(measure.NotHeldError):
        measure.decide_release(measure.evolve(state, event), Reading(), AT)


def test_a_withdrawn_measure_is_not_held_any_more() -> None:
    held = measure.decide_post(None, draft(why=measure.UNKNOWN_INSTRUMENT), AT)
    gone = measure.decide_withdraw(fold(*held), "other", AT)
    state = fold(*held, *gone)
    assert state is not None
    assert not state.held
    assert state.standing == "withdrawn"
    assert measure.decide_hold(state, measure.CLIENT_MISMATCH, AT) == []


def test_equal_numbers_are_equal_content() -> None:
    whole = replace(CONTENT, items=None, total=18)
    broken = replace(CONTENT, items=None, total=18.0)
    assert measure.digest(whole) == measure.digest(broken)
    assert measure.digest(whole)[0] == measure.DIGEST_VERSION


def test_how_the_moment_was_written_is_no_content() -> None:
    zulu = replace(CONTENT, administered_at="2026-03-02T10:00:00Z", at="2026-03-02T10:00:00+00:00")
    offset = replace(zulu, administered_at="2026-03-02T10:00:00+00:00")
    assert measure.digest(zulu) == measure.digest(offset)


TEXT = st.text(min_size=1, max_size=5)


@given(st.lists(st.none() | st.integers(0, 3), max_size=9), TEXT, st.none() | TEXT)
def test_any_difference_is_another_digest(
    items: list[int | None], client: str, clinician: str | None
) -> None:
    other = replace(CONTENT, items=tuple(items), client=client, clinician=clinician)
    assert (measure.digest(other) == measure.digest(CONTENT)) == (other == CONTENT)


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(["post", "put", "reinstate", "delete", "hold", "release"]),
        st.integers(1, 3),
    ),
    max_size=12,
)


@given(COMMANDS)
def test_versions_have_no_gaps_whatever_is_commanded(commands: list[tuple[str, int]]) -> None:
    state: measure.State | None = None
    stored: list[Event] = []
    for command, number in commands:
        try:
            events = _decide(command, state, draft(session_number=number))
        except measure.MeasureError:
            continue
        for event in events:
            state = measure.evolve(state, event)
        stored += events
    assert [event.originator_version for event in stored] == list(range(1, len(stored) + 1))
    assert measure.fold(stored) == state


def _decide(command: str, state: measure.State | None, one: Draft) -> list[Event]:
    if command == "post":
        return measure.decide_post(state, one, AT)
    if command == "delete":
        return measure.decide_withdraw(state, "other", AT)
    if command == "hold":
        return measure.decide_hold(state, measure.CLIENT_MISMATCH, AT)
    if command == "release":
        return measure.decide_release(state, one.reading, AT)
    return measure.decide_put(state, one, AT, reinstate=command == "reinstate")
