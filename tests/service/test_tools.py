"""Toolkit and training: what a person works in, lacks and wishes for; what a team learns."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from schemas.approaches import Approaches
from services.alerts.core.person import Person
from services.alerts.desk import ReflectionForm, RefusedError
from services.alerts.views.training import Gap, Training, count, gaps, training
from tests.service.alerts_rig import Rig, episode_changed, id_of, staffed
from tests.service.pages_rig import Browser, app_of

K = id_of("episode", "k")
ACT = "Acceptance and commitment therapy"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    staffed(made)
    made.tell("episode.changed", episode_changed("k"))
    made.show()
    yield made
    made.close()


def at(rig: Rig, name: str) -> Browser:
    return Browser(app_of(rig)).sign_in(rig, name)


def reflect(rig: Rig, **changes: Any) -> None:
    form = ReflectionForm(**{"decision": "consult", **changes})
    rig.desk.reflect(rig.person("alice"), K, form)
    rig.show()


def team(rig: Rig) -> Training:
    return training(
        rig.directory.people(), rig.reflections, rig.person("sam"), rig.clock.now(), rig.approaches
    )


def test_a_person_states_what_they_work_in_and_wish_for(rig: Rig) -> None:
    alice = at(rig, "alice")
    sent: dict[str, Any] = {
        "trained": ["CBT"], "trained-other": "ACT, schema therapy", "wish": ["EMDR", "CBT"],
        "wish-other": "IFS", "share": ["EMDR", "not wished for"],
    }  # fmt: skip
    assert alice.post("/toolkit", None, **sent).status_code == 303
    person = rig.person("alice")
    assert person.toolkit == {"CBT", "ACT", "schema therapy"}
    assert person.wishes == {"EMDR", "IFS"}, "nobody wishes for what they have"
    assert person.shared_wishes == {"EMDR"}
    text = alice.get("/toolkit").text
    assert 'name="trained" value="schema therapy" checked' in text
    assert 'name="wish" value="IFS"' in text
    head = rig.log.head()
    again = {"trained": ["CBT", "ACT", "schema therapy"], "wish": ["EMDR", "IFS"], "share": "EMDR"}
    alice.post("/toolkit", None, **again)
    assert rig.log.head() == head, "the same again changes nothing"
    assert alice.post("/toolkit", None, **{"trained-other": "x" * 121}).status_code == 400


def test_gaps_gather_from_reflections_and_go_when_trained(rig: Rig) -> None:
    reflect(rig, considered="EMDR")
    reflect(rig, considered="emdr")
    reflect(rig, decision="pivot", approach="Schema therapy", beyond="consultation")
    reflect(rig, decision="pivot", approach="CBT")
    found = gaps(rig.reflections.of(rig.person("alice")), frozenset({"CBT"}), rig.approaches)
    told = [(one.approach.casefold(), one.times) for one in found]
    assert told == [("emdr", 2), ("schema therapy", 1)]
    assert "Schema therapy" in at(rig, "alice").get("/toolkit").text
    assert (
        gaps(
            rig.reflections.of(rig.person("alice")),
            frozenset({"Emdr", "Schema therapy"}),
            rig.approaches,
        )
        == []
    )


def test_one_approach_by_several_names_is_one_gap_one_wish_and_one_need(rig: Rig) -> None:
    """`approaches.toml` says what an approach is also called."""
    alice = rig.person("alice")
    reflect(rig, considered="act")
    reflect(rig, considered=ACT)
    reflect(rig, decision="pivot", approach="ACT ", beyond="training")
    said = rig.reflections.of(alice)
    assert [(one.approach, one.times) for one in gaps(said, frozenset(), rig.approaches)] == [
        (ACT, 3)
    ]
    assert gaps(said, frozenset({"ACT"}), rig.approaches) == []
    rig.own.toolkit(alice, set(), {"ACT"}, {"ACT"})
    (need,) = team(rig).needs
    assert (need.approach, need.shared) == (ACT, ("alice",))
    page = at(rig, "alice")
    page.post("/toolkit", None, trained=["CBT"], wish=["ACT", "cognitive therapy"])
    assert rig.person("alice").wishes == {"ACT"}, "nobody wishes for what they have"
    text = page.get("/toolkit").text
    assert 'name="trained" value="CBT" checked' in text
    assert "Cognitive behavioural therapy" not in text, "it stands there already"


def test_a_pivot_within_the_toolkit_by_another_name_needs_no_consultation(rig: Rig) -> None:
    rig.own.toolkit(rig.person("alice"), {"CBT"}, set(), set())
    reflect(rig, decision="pivot", approach="Cognitive behavioural therapy")
    with pytest.raises(RefusedError, match="not in your toolkit"):
        reflect(rig, decision="pivot", approach="IPT")
    sent = {"decision": "pivot", "approach": "cognitive  Therapy", "key": "k1"}
    assert at(rig, "alice").post(f"/episodes/{K.hex}/reflect", None, **sent).status_code == 303
    sent = {"decision": "pivot", "approach": "IPT", "key": "k2"}
    answer = at(rig, "alice").post(f"/episodes/{K.hex}/reflect", None, **sent)
    assert answer.status_code == 422
    assert "not in your toolkit" in answer.text


def test_a_small_team_is_not_counted_and_shows_shared_wishes_alone(rig: Rig) -> None:
    reflect(rig, considered="EMDR")
    rig.own.toolkit(rig.person("alice"), {"CBT"}, {"IFS", "ACT"}, {"ACT"})
    found = team(rig)
    assert (found.clinicians, found.counted) == (1, False)
    assert [(one.approach, one.shared) for one in found.needs] == [(ACT, ("alice",))]
    text = at(rig, "sam").get("/training").text
    assert "EMDR" not in text
    assert "IFS" not in text
    assert "alice" in text


def test_a_team_is_counted_without_names(rig: Rig) -> None:
    others = ("ben", "cleo", "dora")
    for name in others:
        rig.register.add(name, "clinician")
        rig.register.supervise("sam", name)
    for name in ("ben", "cleo"):
        rig.own.toolkit(rig.person(name), set(), {"EMDR"}, set())
    reflect(rig, considered="EMDR")
    found = team(rig)
    assert [(one.approach, one.clinicians, one.times) for one in found.needs] == [("EMDR", 3, 1)]
    text = at(rig, "sam").get("/training").text
    assert "3 of 4" in text
    for name in ("alice", *others):
        assert name not in text.replace("alice, clinician", "")
    assert "You supervise nobody" in at(rig, "bob").get("/training").text


def test_what_was_considered_long_ago_counts_no_more() -> None:
    def person(name: str, number: int) -> Person:
        return Person(UUID(int=number), 1, name, "clinician")

    documents = [
        {"approach": "", "beyond": "", "considered": "EMDR", "on": "2024-01-01"},
        {"approach": "", "beyond": "", "considered": "ACT", "on": "2026-01-01"},
    ]
    found = gaps(documents, frozenset(), Approaches(), "2025-03-01")
    assert found == [Gap("ACT", 1, "2026-01-01")]
    people = [person(name, number) for number, name in enumerate("abc", 1)]
    counted = count(people, {people[0].id.hex: found}, Approaches())
    assert [need.approach for need in counted.needs] == ["ACT"]


@pytest.mark.parametrize(
    ("team", "wishes", "shared", "told"),
    [
        (3, 3, 0, None),  # everybody: it names all three
        (3, 3, 2, None),  # two names stand beside it, so it names the third
        (3, 3, 3, 3),
        (6, 1, 0, None),
        (6, 1, 1, 1),
        (6, 3, 0, 3),
        (6, 3, 1, None),
        (6, 5, 2, 5),
        (6, 6, 2, None),
    ],
)
def test_a_number_names_nobody_who_did_not_share(
    team: int, wishes: int, shared: int, told: int | None
) -> None:
    people = [
        Person(
            UUID(int=number + 1), 1, f"p{number}", "clinician",
            wishes=frozenset({"EMDR"} if number < wishes else ()),
            shared_wishes=frozenset({"EMDR"} if number < shared else ()),
        )
        for number in range(team)
    ]  # fmt: skip
    (need,) = count(people, {}, Approaches()).needs
    assert need.clinicians == told
    assert (need.times is None) is (told is None)
    assert len(need.shared) == shared
