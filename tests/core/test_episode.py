"""What a sender may tell of an episode, and what it makes of it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from schemas.approaches import shipped
from services.outcomes.core import episode, telling
from services.outcomes.core.event import Event
from services.outcomes.core.telling import Announcement, Place

KNOWN = shipped()
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
TODAY = date(2026, 3, 2)
EPISODE, OWNER, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
CBT, EMDR, PIVOT = UUID(int=11), UUID(int=12), UUID(int=13)
PLACE = Place(episode=EPISODE, owner=OWNER, sender="ehr", reference="E-1", client="K-1")
STRANGER = replace(PLACE, owner=OTHER, client="K-2")
TOLD = Announcement(
    client="K-1",
    clinician="dr-a",
    opened_on="2026-01-05",
    approach="CBT",
    planned_sessions=16,
)


def announce(
    state: episode.State | None, told: Announcement = TOLD, place: Place = PLACE
) -> list[Event]:
    return telling.decide_announce(state, place, told, CBT, approaches=KNOWN, today=TODAY, at=AT)


def opened(*more: Event) -> episode.State:
    state = episode.fold([*announce(None), *more])
    assert state is not None
    return state


def topics(events: list[Event]) -> list[str]:
    return [event.TOPIC.removeprefix("episode.") for event in events]


def after(state: episode.State, events: list[Event]) -> episode.State:
    for event in events:
        assert event.originator_version == state.version + 1
        evolved = episode.evolve(state, event)
        assert evolved is not None
        state = evolved
    return state


def test_announcing_opens_it_with_its_first_approach() -> None:
    events = announce(None)
    assert topics(events) == ["opened", "approach_chosen"]
    state = opened()
    assert state.announced
    assert state.approach == "CBT"
    assert state.approaches[CBT.hex]["since"] == "2026-01-05"
    assert announce(state) == []


def test_another_plan_and_another_clinician_are_told_apart() -> None:
    plan = replace(TOLD, planned_sessions=20)
    clinician = replace(TOLD, clinician="dr-b")
    both = replace(plan, clinician="dr-b")
    assert topics(announce(opened(), plan)) == ["plan_changed"]
    assert topics(announce(opened(), clinician)) == ["clinician_assigned"]
    events = announce(opened(), both)
    assert topics(events) == ["plan_changed", "clinician_assigned"]
    state = after(opened(), events)
    assert episode.header(state)["clinician"] == "dr-b"
    assert announce(state, both) == []


def test_a_new_approach_in_an_announcement_begins_today() -> None:
    told = replace(TOLD, approach="EMDR")
    assert telling.begins(opened(), told, TODAY, KNOWN) == "2026-03-02"
    for known in (" cbt ", "Cognitive behavioural therapy"):
        assert telling.begins(opened(), replace(TOLD, approach=known), TODAY, KNOWN) is None
    assert telling.begins(None, TOLD, TODAY, KNOWN) == "2026-01-05"
    assert telling.begins(opened(), replace(TOLD, approach=None), TODAY, KNOWN) is None


def test_another_client_is_refused() -> None:
    with pytest.raises(telling.OtherClientError):
        announce(opened(), replace(TOLD, client="K-2"), STRANGER)


def test_announcing_settles_whose_a_named_episode_is() -> None:
    named = telling.decide_name(None, STRANGER, None, AT)
    state = episode.fold(named)
    assert state is not None
    assert not state.announced
    doubt = telling.decide_doubt(state, UUID(int=77), AT)
    state = after(state, doubt)
    assert state.doubted
    assert telling.decide_doubt(state, UUID(int=78), AT) == []
    state = after(state, announce(state))
    assert (state.client, state.owner, state.doubted) == ("K-1", OWNER, False)
    assert telling.decide_doubt(state, UUID(int=78), AT) == []


def close(state: episode.State, on: str = "2026-03-01", reason: str = "ended") -> list[Event]:
    return telling.decide_close(state, on, reason, AT)


def test_closing_once() -> None:
    state = after(opened(), close(opened()))
    assert close(state) == []
    with pytest.raises(telling.ClosedError):
        close(state, reason="moved away")
    with pytest.raises(telling.OrderError):
        close(opened(), on="2026-01-04")


def test_a_closed_episode_opens_again_only_when_that_is_said() -> None:
    state = after(opened(), close(opened()))
    with pytest.raises(telling.ClosedError):
        announce(state)
    with pytest.raises(telling.OrderError):
        announce(state, replace(TOLD, reopened_on="2026-02-28"))
    told = replace(TOLD, reopened_on="2026-03-02", planned_sessions=24)
    events = announce(state, told)
    assert topics(events) == ["reopened", "plan_changed"]
    state = after(state, events)
    assert announce(state, told) == []
    assert episode.header(state)["closed_on"] is None


@pytest.mark.parametrize("state", [None, opened()], ids=["new", "open"])
def test_what_was_never_closed_cannot_be_opened_again(state: episode.State | None) -> None:
    with pytest.raises(telling.NotClosedError):
        announce(state, replace(TOLD, reopened_on="2026-03-02"))


def test_sessions_and_facts_are_replaced_by_their_own_id() -> None:
    state = opened()
    events = telling.decide_session(state, "s1", "2026-02-01", "attended", AT)
    state = after(state, events)
    assert telling.decide_session(state, "s1", "2026-02-01", "attended", AT) == []
    state = after(state, telling.decide_session(state, "s1", "2026-02-01", "missed", AT))
    assert state.sessions["s1"]["attendance"] == "missed"
    fact = telling.Fact(external_id="f1", on="2026-02-01", kind="medication", label="started")
    state = after(state, telling.decide_fact(state, fact, AT))
    assert telling.decide_fact(state, fact, AT) == []
    until = replace(fact, until="2026-02-20")
    assert telling.decide_fact(after(state, telling.decide_fact(state, until, AT)), until, AT) == []


@pytest.mark.parametrize("state", [None, "named"])
def test_nothing_is_told_of_an_episode_that_was_not_announced(state: str | None) -> None:
    named = telling.decide_name(None, PLACE, None, AT)
    known = episode.fold(named) if state else None
    with pytest.raises(episode.UnknownEpisodeError):
        telling.decide_session(known, "s1", "2026-02-01", "attended", AT)
    with pytest.raises(episode.UnknownEpisodeError):
        telling.decide_close(known, "2026-02-01", "ended", AT)


def pivot(since: str = "2026-02-10") -> dict[str, Any]:
    return {
        "approach_id": PIVOT.hex,
        "approach": "EMDR",
        "since": since,
        "origin": "reflection",
        "reflection": UUID(int=99).hex,
        "review_on": "2026-04-01",
        "reason": None,
    }


@pytest.mark.parametrize(
    ("since", "confirms"),
    [("2026-02-10", True), ("2026-02-24", True), ("2026-01-27", True), ("2026-02-25", False)],
)
def test_the_same_approach_within_14_days_confirms_the_pivot(since: str, confirms: bool) -> None:
    state = after(opened(), episode.decide_approach_chosen(opened(), pivot(), AT))
    events = telling.decide_approach(state, EMDR, "emdr", since, "agreed", KNOWN, AT)
    state = after(state, events)
    (event,) = events
    assert isinstance(event, episode.ApproachChosen)
    assert event.confirms is confirms
    assert (event.approach_id == PIVOT.hex) is confirms
    assert len(state.approaches) == (2 if confirms else 3)
    assert telling.decide_approach(state, EMDR, "emdr", since, "agreed", KNOWN, AT) == []


def test_another_name_of_the_approach_confirms_the_pivot_and_leaves_it_its_name() -> None:
    state = after(opened(), episode.decide_approach_chosen(opened(), pivot(), AT))
    name = "Eye movement desensitisation and reprocessing"
    (event,) = telling.decide_approach(state, EMDR, name, "2026-02-12", None, KNOWN, AT)
    assert isinstance(event, episode.ApproachChosen)
    assert (event.approach, event.since, event.confirms) == ("EMDR", "2026-02-10", True)


def test_another_approach_confirms_nothing() -> None:
    state = after(opened(), episode.decide_approach_chosen(opened(), pivot(), AT))
    (event,) = telling.decide_approach(state, EMDR, "ACT", "2026-02-10", None, KNOWN, AT)
    assert isinstance(event, episode.ApproachChosen)
    assert (event.origin, event.confirms) == ("ehr", False)


def test_answers_of_clinicians_take_effect_once() -> None:
    state = after(opened(), episode.decide_approach_chosen(opened(), pivot(), AT))
    assert episode.decide_approach_chosen(state, pivot(), AT) == []
    noted = {"reflection": str(UUID(int=99)), "decision": "pivot", "on": "2026-02-10"}
    state = after(state, episode.decide_reflection_noted(state, noted, AT))
    assert episode.decide_reflection_noted(state, noted, AT) == []
    with pytest.raises(episode.EpisodeError):
        episode.decide_approach_chosen(None, pivot(), AT)
    with pytest.raises(episode.EpisodeError):
        episode.decide_reflection_noted(None, noted, AT)


def test_the_latest_measure_names_the_clinician_until_somebody_announces() -> None:
    """An EHR that posts measures alone still reaches a clinician; an announcement wins."""
    named = telling.decide_name(None, PLACE, "lind", AT)
    state = episode.fold(named)
    assert state is not None
    assert episode.header(state)["clinician"] == "lind"
    assert telling.decide_name(state, PLACE, "lind", AT) == []
    assert telling.decide_name(state, PLACE, None, AT) == []
    moved = episode.fold([*named, *telling.decide_name(state, PLACE, "berg", AT)])
    assert moved is not None
    assert (moved.announced, episode.header(moved)["clinician"]) == (False, "berg")
