"""A reflection from its page to the record: lenses, unknowns that return, revision, privacy."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.alerts.desk import ReflectionForm, Unknown
from services.alerts.views.course import EpisodePage
from services.alerts.writing import FoundOut
from tests.service.alerts_rig import Rig, assessed, episode_changed, found, id_of, staffed
from tests.service.pages_rig import Browser, app_of

K = id_of("episode", "k")
REFLECT = f"/episodes/{K.hex}/reflect"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    staffed(made)
    made.tell("episode.changed", episode_changed("k", problem="depression"))
    made.tell("measure.assessed", assessed("k", 1, 15, "2026-03-02", p_fail=0.7))
    made.tell("finding.opened", found("k"))
    made.show()
    yield made
    made.close()


def page(rig: Rig, name: str = "alice") -> EpisodePage:
    rig.show()
    found_ = rig.courses.page(rig.person(name), K, rig.clock.now(), rig.journals)
    assert found_ is not None
    return found_


def form(**changes: Any) -> ReflectionForm:
    return ReflectionForm(**{"decision": "stay", "reason": "two good weeks", **changes})


def alice(rig: Rig) -> Browser:
    return Browser(app_of(rig)).sign_in(rig, "alice")


def test_the_confidence_of_the_day_stays_whatever_a_revision_says(rig: Rig) -> None:
    rig.show()
    soon = rig.clock.now().date() + timedelta(days=28)
    told = form(confidence=73, review_on=soon, own_part="one", own_choices={"own part": ("fixed",)})
    id_, _ = rig.desk.reflect(rig.person("alice"), K, told)
    rig.desk.revise(rig.person("alice"), K, id_, form(confidence=5))
    own = page(rig).private[id_.hex]
    assert (own["confidence"], own["own_part"], own["choices"]) == (73, "", {})


def test_what_was_seen_through_lenses_is_recorded_and_the_private_apart(rig: Rig) -> None:
    rig.show()
    told = form(
        lenses=("alliance",),
        choices={"alliance": ("withdrawal", "bond")},
        own_choices={"own part": ("avoiding",)},
        preference="mornings",
    )
    id_, _ = rig.desk.reflect(rig.person("alice"), K, told)
    mine = page(rig)
    assert mine.document["reflections"][0]["choices"] == {"alliance": ["withdrawal", "bond"]}
    assert mine.private[id_.hex]["choices"] == {"own part": ["avoiding"]}
    shared = repr(rig.log.read(id_))
    assert "withdrawal" in shared
    assert "avoiding" not in shared
    sams = rig.courses.page(rig.person("sam"), K, rig.clock.now(), rig.journals)
    assert sams is not None
    for hidden in ("withdrawal", "alliance", "mornings", "avoiding"):
        assert hidden not in repr(sams)


def test_an_unknown_of_before_is_closed_with_the_next_reflection(rig: Rig) -> None:
    rig.show()
    first, _ = rig.desk.reflect(
        rig.person("alice"),
        K,
        form(unknowns=(Unknown("sleep", "not asked", find="ask for a week’s diary"),)),
    )
    rig.show()
    found = FoundOut(first, "1", "she slept badly")
    told = form(found=(found,), key="k1")
    second, position = rig.desk.reflect(rig.person("alice"), K, told)
    again, _ = rig.desk.reflect(rig.person("alice"), K, replace(told, found=()))  # sent twice
    assert again == second
    assert position == rig.log.head()
    assert page(rig).unknowns == ()
    entry = page(rig).document["reflections"][0]["unknowns"][0]
    assert (entry["find"], entry["how"]) == ("ask for a week’s diary", "she slept badly")


def test_what_is_marked_on_the_page_is_what_is_recorded(rig: Rig) -> None:
    at = alice(rig)
    answer = at.post(
        REFLECT,
        None,
        **{
            "decision": "stay",
            "reason": "two good weeks",
            "unknown": "alliance:0",
            "why-alliance:0": "asked, not trusted",
            "who-alliance:0": "her sister",
            "find-alliance:0": "ask both",
            "lens": "life events",
            "choice": ["alliance:withdrawal", "own part:fixed", "alliance:no such choice"],
            "preference": "shorter sessions",
        },
    )
    assert answer.status_code == 303
    one = page(rig).document["reflections"][0]
    assert one["lenses"] == ["alliance", "life events"]
    assert one["choices"] == {"alliance": ["withdrawal"]}
    assert one["preference"] == "shorter sessions"
    (unknown,) = one["unknowns"]
    assert (unknown["why"], unknown["who"], unknown["find"]) == (
        "asked, not trusted",
        "her sister",
        "ask both",
    )
    assert page(rig).private[one["reflection"]]["choices"] == {"own part": ["fixed"]}
    text = at.get(f"/episodes/{K.hex}").text
    assert "Withdrawal: moving away" in text
    assert "Fixed: somewhere I think" in text


def test_the_memory_lens_is_not_on_the_page_until_the_client_raised_it(rig: Rig) -> None:
    at = alice(rig)
    assert "Episodic: scenes" not in at.get(REFLECT).text
    answer = at.post(REFLECT, open="memory system", expectation="half of it gone")
    assert answer.status_code == 200
    assert "Episodic: scenes" in answer.text
    assert "half of it gone" in answer.text, "what was typed stays"
    assert page(rig).document["reflections"] == []
    rig.tell("episode.changed", episode_changed("k", problem="PTSD"))
    rig.show()
    assert "Episodic: scenes" in at.get(REFLECT).text


def test_a_lens_that_was_opened_by_hand_is_recorded_like_any_other(rig: Rig) -> None:
    at = alice(rig)
    sent: dict[str, Any] = {"decision": "consult", "choice": "enneagram:nine"}
    assert at.post(REFLECT, **sent).status_code == 303
    assert page(rig).document["reflections"][0]["lenses"] == [], "it was not on that page"
    assert at.post(REFLECT, opened="enneagram", **sent).status_code == 303
    assert page(rig).document["reflections"][1]["choices"] == {"enneagram": ["nine"]}


def test_disconnection_puts_the_alliance_first_on_the_page(rig: Rig) -> None:
    def first(at: Browser) -> str:
        shown = re.search(r'class="lens"[^>]*>\s*<summary>([^<(]*)', at.get(REFLECT).text)
        assert shown is not None
        return shown[1].strip()

    at = alice(rig)
    rig.tell("finding.opened", found("k", "gain_partly_lost"))
    rig.show()
    assert first(at) == "What changed outside therapy"


def test_ones_own_reflection_is_revised_on_a_page_and_nobody_elses(rig: Rig) -> None:
    soon = rig.clock.now().date() + timedelta(days=28)
    told = form(
        expectation="half gone",
        unknowns=(Unknown("sleep", "not asked", "client"),),
        lenses=("alliance",),
        choices={"alliance": ("bond",)},
        own_part="I was sure",
        own_choices={"own part": ("hopeful",)},
        review_on=soon,
        confidence=64,
    )
    id_, _ = rig.desk.reflect(rig.person("alice"), K, told)
    rig.show()
    at = alice(rig)
    address = f"/episodes/{K.hex}/reflections/{id_.hex}/revise"
    text = at.get(address).text
    for kept in ("half gone", "I was sure", 'value="sleep"'):
        assert kept in text
    assert re.search(r'value="alliance:bond" checked', text)
    assert re.search(r'value="own part:hopeful" checked', text)
    assert 'name="confidence"' not in text
    sent = {
        "expectation": "a third gone",
        "reason": "she asked for it",
        "what-0": "sleep",
        "free-why-0": "asked, declined",
        "what-1": "the goal",
        "free-why-1": "not asked",
        "own_part": "I was too sure",
        "decision": "pivot",
        "approach": "EMDR",
    }
    assert at.post(address, **sent).status_code == 303
    one = page(rig).document["reflections"][0]
    assert (one["decision"], one["approach"], one["review_on"]) == ("stay", "", soon.isoformat())
    assert (one["expectation"], one["reason"]) == ("a third gone", "she asked for it")
    assert [(each["unknown"], each["why"]) for each in one["unknowns"]] == [
        ("1", "asked, declined"),
        ("2", "not asked"),
    ]
    own = page(rig).private[one["reflection"]]
    assert (own["own_part"], own["confidence"]) == ("I was too sure", 64)
    nothing = {"what-0": "sleep", "free-why-0": "not a reason", "reason": "r"}
    assert at.post(address, **nothing).status_code == 422


def test_a_pivot_is_revised_after_its_approach_has_left_the_toolkit(rig: Rig) -> None:
    told = form(decision="pivot", approach="EMDR", reason="before")
    id_, _ = rig.desk.reflect(rig.person("alice"), K, told)
    rig.register.toolkit("alice", ["CBT"])
    rig.show()
    at = alice(rig)
    address = f"/episodes/{K.hex}/reflections/{id_.hex}/revise"
    assert at.post(address, reason="after").status_code == 303
    one = page(rig).document["reflections"][0]
    assert (one["decision"], one["approach"], one["reason"]) == ("pivot", "EMDR", "after")
    assert at.post(REFLECT, decision="pivot", approach="IFS").status_code == 422


def test_whoever_stands_in_may_not_revise_what_another_wrote(rig: Rig) -> None:
    id_, _ = rig.desk.reflect(rig.person("alice"), K, form())
    rig.register.cover("alice", "bob")
    rig.register.away("alice", rig.clock.now(), None)
    rig.show()
    bob = Browser(app_of(rig)).sign_in(rig, "bob")
    assert bob.get(REFLECT).status_code == 200
    address = f"/episodes/{K.hex}/reflections/{id_.hex}/revise"
    assert bob.get(address).status_code == 404
    assert bob.post(address, reason="mine").status_code == 404


def test_a_clinics_own_lens_is_on_the_page_and_a_wrong_one_stops_the_start(tmp_path: Path) -> None:
    from services.alerts import settings, wiring
    from services.alerts.core.lens import LensError
    from services.chassis.clock import SystemClock

    own = tmp_path / "own"
    own.mkdir()
    text = (Path(wiring.__file__).parent / "lenses" / "social_support.toml").read_text()
    (own / "ours.toml").write_text(text.replace('name = "social support"', 'name = "ours"'))
    chosen = {
        "PIVOTPOINT_ALERTS_STORE": f"sqlite:///{tmp_path / 'data'}",
        "PIVOTPOINT_ALERTS_MASTER_KEY": "6b" * 32,
        "PIVOTPOINT_ALERTS_ZONE": "UTC",
        "PIVOTPOINT_ALERTS_LENSES": str(own),
    }
    service = wiring.Alerts.open(settings.load(chosen), SystemClock())
    assert "ours" in [one.name for one in service.lenses]
    service.stop()
    (own / "ours.toml").write_text(text)
    with pytest.raises(LensError, match=r"ours\.toml: name: 'social support'"):
        wiring.Alerts.open(settings.load(chosen), SystemClock())
