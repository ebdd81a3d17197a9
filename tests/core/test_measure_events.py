"""What is told of a measure as it stays in the log, field by field; refusals word by word."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.outcomes.core import measure
from services.outcomes.core.event import Event
from tests.core import test_measure as measures
from tests.core.test_measure import AT

LATER = AT + timedelta(days=1)


def told(event: Event) -> dict[str, Any]:
    return {"topic": event.TOPIC, **vars(event)}


def version(number: int, at: Any = AT, **changes: Any) -> dict[str, Any]:
    return {
        "originator_id": measures.STREAM,
        "originator_version": number,
        "timestamp": at,
        "owner": measures.OWNER,
        "episode": measures.EPISODE.hex,
        "sender": "ehr",
        "episode_reference": "E-1",
        "client": "K-1184",
        "clinician": "dr-a",
        "external_id": "m-1",
        "instrument": "phq-9",
        "instrument_version": "2",
        "respondent": "parent",
        "administered_at": "2026-03-02T09:00+01:00",
        "on": "2026-03-02",
        "at": "2026-03-02T08:00:00+00:00",
        "session_number": 4,
        "items": [1, None, 2],
        "total": 18.0,
        "score": 10.0,
        "subscales": {"mood": 3.0},
        "band": "moderate",
        "flags": ["prorated"],
        "risk": measures.RISK,
        "digest": measure.digest(CONTENT),
        **changes,
    }


CONTENT = measure.Content(
    external_id="m-1",
    client="K-1184",
    episode="E-1",
    instrument="phq-9",
    administered_at="2026-03-02T09:00+01:00",
    on="2026-03-02",
    at="2026-03-02T08:00:00+00:00",
    items=(1, None, 2),
    total=18.0,
    session_number=4,
    clinician="dr-a",
    respondent="parent",
)
READING = measure.Reading(
    score=10.0,
    subscales={"mood": 3.0},
    band="moderate",
    flags=["prorated"],
    risk=measures.RISK,
    instrument_version="2",
)
DRAFT = replace(measures.draft(), content=CONTENT, reading=READING)


def test_every_version_of_a_measure_is_written_whole() -> None:
    (first,) = measure.decide_post(None, DRAFT, AT)
    assert told(first) == {"topic": "measure.recorded", **version(1)}
    assert isinstance(first, measure.MeasureVersion)
    assert measure.content_of(first) == CONTENT

    other = replace(CONTENT, session_number=5)
    changed = {"session_number": 5, "digest": measure.digest(other)}
    (second,) = measure.decide_put(measure.fold([first]), replace(DRAFT, content=other), LATER)
    assert told(second) == {"topic": "measure.corrected", **version(2, LATER, **changed)}

    (gone,) = measure.decide_withdraw(measure.fold([first, second]), "cancelled", LATER)
    assert told(gone) == {
        "topic": "measure.withdrawn",
        "originator_id": measures.STREAM,
        "originator_version": 3,
        "timestamp": LATER,
        "owner": measures.OWNER,
        "episode": measures.EPISODE.hex,
        "reason": "cancelled",
    }
    state = measure.fold([first, second, gone])
    assert state is not None
    assert (state.first, state.latest, state.withdrawn) == (first, second, "cancelled")
    (again,) = measure.decide_put(state, DRAFT, LATER, reinstate=True)
    assert told(again) == {"topic": "measure.reinstated", **version(4, LATER)}


def test_a_measure_that_is_held_and_released_is_written_whole() -> None:
    held = replace(READING, why=measure.UNKNOWN_INSTRUMENT)
    (first,) = measure.decide_post(None, replace(DRAFT, reading=held), AT)
    why = {"why": "unknown instrument"}
    assert told(first) == {"topic": "measure.held", **version(1), **why}
    state = measure.fold([first])
    assert state is not None
    assert (state.held, state.why, state.standing) == (True, "unknown instrument", "held")
    read = measure.Reading(score=11.0, instrument_version="3")
    (free,) = measure.decide_release(state, read, LATER)
    bare = {"score": 11.0, "subscales": {}, "band": None, "flags": [], "risk": []}
    assert told(free) == {
        "topic": "measure.recorded",
        **version(2, LATER, **bare, instrument_version="3"),
    }
    (held_again,) = measure.decide_hold(measure.fold([first, free]), "client mismatch", AT)
    assert told(held_again) == {
        "topic": "measure.held",
        **version(3, AT, **bare, instrument_version="3"),
        "why": "client mismatch",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("external_id", "m-2"),
        ("client", "K-2"),
        ("episode", "E-2"),
        ("instrument", "gad-7"),
        ("respondent", "client"),
        ("on", "2026-03-03"),
        ("at", None),
        ("session_number", None),
        ("clinician", None),
        ("items", (1, 0, 2)),
        ("items", None),
        ("total", None),
        ("total", 17.0),
    ],
)
def test_every_field_that_is_content_makes_other_content(field: str, value: Any) -> None:
    assert measure.digest(replace(CONTENT, **{field: value})) != measure.digest(CONTENT)


# Refusals

RECORDED = measure.fold(measures.recorded())
WITHDRAWN = measure.fold(measures.withdrawn())
REFUSALS: list[tuple[Callable[[], object], type[Exception], str]] = [
    (
        lambda: measure.decide_post(WITHDRAWN, measures.draft(), AT),
        measure.WithdrawnError,
        "this measure was withdrawn",
    ),
    (
        lambda: measure.decide_put(WITHDRAWN, measures.draft(), AT),
        measure.WithdrawnError,
        "this measure was withdrawn",
    ),
    (
        lambda: measure.decide_post(RECORDED, measures.draft(session_number=2), AT),
        measure.DifferentContentError,
        "this external id was given for other content",
    ),
    (
        lambda: measure.decide_put(RECORDED, replace(DRAFT, owner=UUID(int=9)), AT),
        measure.MovedError,
        "a correction cannot move a measure to another episode or client",
    ),
    (
        lambda: measure.decide_withdraw(None, "other", AT),
        measure.NotRecordedError,
        "there is no such measure",
    ),
    (
        lambda: measure.decide_release(RECORDED, measure.Reading(), AT),
        measure.NotHeldError,
        "this measure is not held",
    ),
    (
        lambda: measure.decide_release(None, measure.Reading(), AT),
        measure.NotHeldError,
        "this measure is not held",
    ),
]


@pytest.mark.parametrize(("command", "kind", "words"), REFUSALS)
def test_a_refusal_says_why_in_words_and_names_nobody(
    command: Callable[[], object], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as refused:
        command()
    assert str(refused.value) == words
