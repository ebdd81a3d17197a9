"""Lenses as data: what a file must say, what is offered first, what is never offered unasked."""

import re
from pathlib import Path

import pytest

from services.alerts.core import lens
from services.alerts.core.lens import LensError, load, offer, read

SHIPPED = load(Path(lens.__file__).parents[1] / "lenses")
BY_NAME = {one.name: one for one in SHIPPED}
GOOD = """
name = "sleep"
title = "Sleep"
questions = ["How are the nights?"]
first_for = ["plateau"]
[[choice]]
id = "short"
text = "Short nights"
points_to = ["sleep restriction"]
[evidence]
label = "supported"
source = "a trial"
grade = "supported"
matching = false
"""


def test_those_with_evidence_come_first_and_none_claims_to_match() -> None:
    assert [one.name for one in SHIPPED] == [
        "alliance",
        "motivation and expectations",
        "social support",
        "life events",
        "preferences",
        "thinking style",
        "memory system",
        "eight functions",
        "myers-briggs",
        "enneagram",
        "own part",
    ]
    assert not any(one.matching for one in SHIPPED)
    assert [one.name for one in SHIPPED if one.private] == ["own part"]
    assert all(one.label and one.source and one.choices for one in SHIPPED)


@pytest.mark.parametrize(
    ("channels", "first"),
    [
        (["disconnection"], "alliance"),
        (["gain_partly_lost"], "life events"),
        (["reliable_deterioration", "off_track"], "life events"),
        (["stalled"], "motivation and expectations"),
        ([], "alliance"),
        (["a channel of a later release"], "alliance"),
    ],
)
def test_fit_to_what_was_found_puts_a_lens_first(channels: list[str], first: str) -> None:
    assert offer(SHIPPED, channels, "").shown[0].name == first


def test_the_own_part_is_last_and_the_rest_keeps_the_order_of_evidence() -> None:
    shown = [one.name for one in offer(SHIPPED, ["gain_partly_lost"], "").shown]
    assert shown == [
        "life events",
        "alliance",
        "motivation and expectations",
        "social support",
        "preferences",
        "thinking style",
        "own part",
    ]


@pytest.mark.parametrize(
    ("problem", "offered"),
    [
        ("Post-traumatic stress after an accident", True),
        ("PTSD", True),
        ("F43.1", True),
        ("depression", False),
        ("traumatic brain injury", False),
        ("", False),
    ],
)
def test_the_memory_lens_is_offered_where_the_problem_is_trauma(
    problem: str, offered: bool
) -> None:
    found = offer(SHIPPED, [], problem)
    assert ("memory system" in [one.name for one in found.shown]) is offered
    assert ("memory system" in [one.name for one in found.further]) is not offered


def test_it_is_offered_too_when_somebody_says_that_the_client_raised_it() -> None:
    found = offer(SHIPPED, [], "depression", ["memory system"])
    assert "memory system" in [one.name for one in found.shown]
    assert "raised" in BY_NAME["memory system"].opened_by


def test_the_memory_lens_asks_how_distress_shows_now_and_suggests_no_event() -> None:
    memory = BY_NAME["memory system"]
    asked = " ".join((*memory.questions, *(one.text for one in memory.choices)))
    assert "now" in asked
    suggests = r"\b(remember|recall|recover|repress|uncover|forgot|hidden|childhood|happened to)"
    assert not re.search(suggests, asked, re.IGNORECASE)
    assert {one.id for one in memory.choices} == {
        "implicit", "procedural", "emotional", "episodic", "semantic",
    }  # fmt: skip
    for one in memory.choices:
        assert all(text.startswith("discussed for it: ") for text in one.points_to)


@pytest.mark.parametrize("name", ["eight functions", "myers-briggs", "enneagram"])
def test_vocabularies_of_personality_are_opened_by_hand_and_labelled(name: str) -> None:
    one = BY_NAME[name]
    assert one.opt_in
    assert one.label == "unsupported for matching"
    assert not any(choice.points_to for choice in one.choices), "no approach follows from a type"
    assert one not in offer(SHIPPED, ["off_track"], "PTSD").shown


def test_rupture_marks_and_the_own_part_have_what_they_name() -> None:
    marks = BY_NAME["alliance"].groups()["Marks of a rupture"]
    assert [one.id for one in marks] == ["withdrawal", "confrontation", "both"]
    assert list(BY_NAME["own part"].groups()) == ["Assumption", "Bias", "Blind spot", "Stance"]


def test_a_clinics_own_lenses_are_added_to_those_that_ship(tmp_path: Path) -> None:
    (tmp_path / "sleep.toml").write_text(GOOD)
    found = load(Path(lens.__file__).parents[1] / "lenses", tmp_path)
    assert "sleep" in [one.name for one in found]
    assert offer(found, ["plateau"], "").shown[1].name == "sleep"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('name = "sleep"', 'name = "alliance"', "name: 'alliance' is the name of another lens"),
        ('title = "Sleep"', "", "title: is missing or no text"),
        ('title = "Sleep"', 'titel = "Sleep"', "titel: is not known"),
        ('["How are the nights?"]', "[]", "questions: is empty"),
        ('["How are the nights?"]', '"How?"', "questions: is a list of texts"),
        ('grade = "supported"', 'grade = "strong"', "evidence.grade: is one of supported"),
        ('grade = "supported"', 'grade = "unsupported"', "first_for: what is unsupported is not"),
        ('id = "short"', 'id = "Short nights"', "choice 1.id: has small letters"),
        ('id = "short"', "", "choice 1.id: is missing"),
        ('title = "Sleep"', 'title = "Sleep"\nopt_in = true', "opened_by: is missing"),
        ('title = "Sleep"', 'title = "Sleep', "is not TOML"),
        ("matching = false", 'matching = "no"', "matching: is true or false"),
    ],
)
def test_a_wrong_file_is_told_with_place_and_reason(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    path = tmp_path / "sleep.toml"
    path.write_text(GOOD.replace(before, after))
    with pytest.raises(LensError, match=re.escape(said)) as told:
        load(Path(lens.__file__).parents[1] / "lenses", tmp_path)
    assert str(path) in str(told.value)


def test_a_file_that_is_not_text_and_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(LensError, match="not written in UTF-8"):
        read(tmp_path / "x.toml")
    with pytest.raises(LensError, match="no folder of lenses"):
        load(tmp_path / "nowhere")
