"""What is told of an episode as it stays in the log, field by field; refusals word by word."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.outcomes.core import episode, telling
from services.outcomes.core.event import Event
from tests.core import test_episode as courses
from tests.core.test_episode import (
    AT,
    CBT,
    EMDR,
    EPISODE,
    KNOWN,
    OTHER,
    OWNER,
    PLACE,
    STRANGER,
    TOLD,
)

LATER = AT + timedelta(days=1)


def told(event: Event) -> dict[str, Any]:
    return {"topic": event.TOPIC, **vars(event)}


def header(version: int, owner: UUID = OWNER, at: Any = AT) -> dict[str, Any]:
    return {
        "originator_id": EPISODE,
        "originator_version": version,
        "timestamp": at,
        "owner": owner,
    }


PLAN = {
    "client": "K-1",
    "clinician": "dr-a",
    "opened_on": "2026-01-05",
    "problem": None,
    "planned_sessions": 16,
    "planned_end": None,
    "next_session": None,
    "primary_instrument": None,
    "client_age": None,
    "client_gender": None,
}
FROM_EHR = {
    "origin": "ehr",
    "reason": None,
    "reflection": None,
    "review_on": None,
    "confirms": False,
}


# Episodes


def test_an_announcement_is_written_whole() -> None:
    assert [told(event) for event in courses.announce(None)] == [
        {
            "topic": "episode.opened",
            **header(1),
            "sender": "ehr",
            "reference": "E-1",
            "approach": "CBT",
            **PLAN,
        },
        {
            "topic": "episode.approach_chosen",
            **header(2),
            "approach_id": CBT.hex,
            "approach": "CBT",
            "since": "2026-01-05",
            **FROM_EHR,
        },
    ]


def test_a_closed_episode_reopened_by_another_plan_and_clinician_tells_each_in_turn() -> None:
    state = courses.after(courses.opened(), courses.close(courses.opened()))
    plan = replace(TOLD, clinician="dr-b", planned_sessions=24, reopened_on="2026-03-02")
    events = telling.decide_announce(
        state,
        PLACE,
        replace(plan, approach="EMDR", client_age=34),
        EMDR,
        approaches=KNOWN,
        today=courses.TODAY,
        at=LATER,
    )
    assert [told(event) for event in events] == [
        {"topic": "episode.reopened", **header(4, at=LATER), "on": "2026-03-02"},
        {
            "topic": "episode.plan_changed",
            **header(5, at=LATER),
            "sender": "ehr",
            "reference": "E-1",
            "approach": "EMDR",
            **PLAN | {"clinician": "dr-b", "planned_sessions": 24, "client_age": 34},
        },
        {"topic": "episode.clinician_assigned", **header(6, at=LATER), "clinician": "dr-b"},
        {
            "topic": "episode.approach_chosen",
            **header(7, at=LATER),
            "approach_id": EMDR.hex,
            "approach": "EMDR",
            "since": "2026-03-02",
            **FROM_EHR,
        },
    ]
    assert episode.header(courses.after(state, events)) == {
        "sender": "ehr",
        "reference": "E-1",
        **PLAN | {"clinician": "dr-b", "planned_sessions": 24, "client_age": 34},
        "closed_on": None,
        "close_reason": None,
    }


def test_a_course_that_only_measures_name_is_written_whole() -> None:
    (named,) = telling.decide_name(None, STRANGER, "dr-a", AT)
    assert told(named) == {
        "topic": "episode.named",
        **header(1, OTHER),
        "sender": "ehr",
        "reference": "E-1",
        "client": "K-2",
        "clinician": "dr-a",
    }
    state = episode.fold([named])
    assert state is not None
    (moved,) = telling.decide_name(state, STRANGER, "dr-b", LATER)
    assert told(moved) == {
        "topic": "episode.clinician_assigned",
        **header(2, OTHER, LATER),
        "clinician": "dr-b",
    }
    (doubt,) = telling.decide_doubt(state, UUID(int=77), LATER)
    assert told(doubt) == {
        "topic": "episode.client_doubted",
        **header(2, OTHER, LATER),
        "measure": UUID(int=77).hex,
    }
    assert episode.header(state) == {
        "sender": "ehr",
        "reference": "E-1",
        **dict.fromkeys(PLAN),
        "client": "K-2",
        "clinician": "dr-a",
        "closed_on": None,
        "close_reason": None,
    }


CHOSEN = {
    "approach_id": str(EMDR),
    "approach": "EMDR",
    "since": "2026-02-10",
    "reason": "sleep",
    "reflection": str(UUID(int=99)),
    "review_on": "2026-04-01",
}
NOTED = {
    "reflection": str(UUID(int=99)),
    "decision": "pivot",
    "on": "2026-02-10",
    "review_on": "2026-04-01",
}
BREAK = telling.Fact(
    external_id="f1", on="2026-02-01", kind="break", label="holidays", until="2026-03-20"
)
TOLD_LATER: list[tuple[str, Callable[[episode.State], list[Event]], dict[str, Any]]] = [
    (
        "session_recorded",
        lambda state: telling.decide_session(state, "s1", "2026-02-01", "late", LATER),
        {"session": "s1", "on": "2026-02-01", "attendance": "late"},
    ),
    (
        "fact_noted",
        lambda state: telling.decide_fact(state, BREAK, LATER),
        {"fact": "f1", "on": "2026-02-01", "kind": "break", "label": "holidays"}
        | {"until": "2026-03-20"},
    ),
    (
        "closed",
        lambda state: telling.decide_close(state, "2026-03-01", "ended", LATER),
        {"on": "2026-03-01", "reason": "ended"},
    ),
    (
        "approach_chosen",
        lambda state: telling.decide_approach(
            state, EMDR, "EMDR", "2026-02-10", "agreed", KNOWN, LATER
        ),
        {"approach_id": EMDR.hex, "approach": "EMDR", "since": "2026-02-10", **FROM_EHR}
        | {"reason": "agreed"},
    ),
    (
        "approach_chosen",
        lambda state: episode.decide_approach_chosen(state, CHOSEN, LATER),
        {
            **CHOSEN,
            "approach_id": EMDR.hex,
            "reflection": UUID(int=99).hex,
            "origin": "reflection",
            "confirms": False,
        },
    ),
    (
        "approach_chosen",
        lambda state: episode.decide_approach_chosen(
            state,
            {"approach_id": EMDR.hex, "approach": "EMDR", "since": "2026-02-10", "origin": "x"},
            LATER,
        ),
        {"approach_id": EMDR.hex, "approach": "EMDR", "since": "2026-02-10", **FROM_EHR}
        | {"origin": "x"},
    ),
    (
        "reflection_noted",
        lambda state: episode.decide_reflection_noted(state, NOTED, LATER),
        {**NOTED, "reflection": UUID(int=99).hex},
    ),
]


@pytest.mark.parametrize(("topic", "tell", "fields"), TOLD_LATER)
def test_what_is_told_later_is_written_whole_and_once(
    topic: str, tell: Callable[[episode.State], list[Event]], fields: dict[str, Any]
) -> None:
    state = courses.opened()
    (event,) = tell(state)
    assert told(event) == {"topic": f"episode.{topic}", **header(3, at=LATER), **fields}
    assert tell(courses.after(state, [event])) == [], "the same again changes nothing"


def test_the_pivot_that_an_ehr_confirms_is_the_nearest() -> None:
    state = courses.opened()
    for id_, since in ((UUID(int=21), "2026-02-01"), (UUID(int=22), "2026-02-20")):
        chosen = CHOSEN | {"approach_id": id_.hex, "since": since}
        state = courses.after(state, episode.decide_approach_chosen(state, chosen, AT))
    for since, nearest in (("2026-02-09", UUID(int=21)), ("2026-02-12", UUID(int=22))):
        (event,) = telling.decide_approach(state, EMDR, "EMDR", since, None, KNOWN, AT)
        assert isinstance(event, episode.ApproachChosen)
        assert (event.approach_id, event.confirms) == (nearest.hex, True)


CLOSED = courses.after(courses.opened(), courses.close(courses.opened()))
AGAIN = replace(TOLD, reopened_on="2026-03-01")


def test_an_episode_may_be_opened_again_on_the_day_on_which_it_was_closed() -> None:
    (event,) = courses.announce(CLOSED, AGAIN)
    state = courses.after(CLOSED, [event])
    assert (state.closed, state.reopened_on) == (None, "2026-03-01")
    assert courses.after(state, courses.close(state)).reopened_on is None


def test_closing_on_the_day_of_the_opening_is_allowed() -> None:
    (event,) = courses.close(courses.opened(), on="2026-01-05")
    assert isinstance(event, episode.EpisodeClosed)


# Refusals

REFUSALS: list[tuple[Callable[[], object], type[Exception], str]] = [
    (
        lambda: courses.announce(None, AGAIN),
        telling.NotClosedError,
        "this episode was never closed",
    ),
    (
        lambda: courses.announce(courses.opened(), AGAIN),
        telling.NotClosedError,
        "this episode is not closed",
    ),
    (
        lambda: courses.announce(courses.opened(), place=STRANGER),
        telling.OtherClientError,
        "this episode is another client's",
    ),
    (lambda: courses.announce(CLOSED), telling.ClosedError, "this episode is closed"),
    (
        lambda: courses.announce(CLOSED, replace(TOLD, reopened_on="2026-02-28")),
        telling.OrderError,
        "reopened_on lies before the day on which the episode was closed",
    ),
    (
        lambda: courses.close(courses.opened(), on="2026-01-04"),
        telling.OrderError,
        "on lies before the day on which the episode was opened",
    ),
    (
        lambda: courses.close(CLOSED, on="2026-03-02"),
        telling.ClosedError,
        "this episode is closed already, on another day or for another reason",
    ),
    (
        lambda: telling.decide_fact(None, BREAK, AT),
        episode.UnknownEpisodeError,
        "no such episode has been announced",
    ),
    (
        lambda: episode.decide_approach_chosen(None, CHOSEN, AT),
        episode.UnknownEpisodeError,
        "there is no such episode",
    ),
    (
        lambda: episode.decide_reflection_noted(None, NOTED, AT),
        episode.UnknownEpisodeError,
        "there is no such episode",
    ),
]


@pytest.mark.parametrize(("command", "kind", "words"), REFUSALS)
def test_a_refusal_says_why_in_words_and_names_nobody(
    command: Callable[[], object], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as refused:
        command()
    error = refused.value
    field = f"{error.field} " if isinstance(error, telling.OrderError) else ""
    assert f"{field}{error}" == words
