"""The page for clinician and client: plain, no probability, and their words kept as theirs."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.alerts.desk import ReflectionForm, Unknown
from tests.service.alerts_rig import Rig, assessed, episode_changed, found, id_of, staffed
from tests.service.pages_rig import Browser, app_of

K = id_of("episode", "k")
TOGETHER = f"/episodes/{K.hex}/together"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    staffed(made)
    made.tell("episode.changed", episode_changed("k", client="K-1184"))
    for number, score in enumerate((18, 15, 16, 14), 1):
        state = {"p_fail": 0.73}
        made.tell("measure.assessed", assessed("k", number, score, f"2026-02-0{number}", **state))
    made.tell("finding.opened", found("k"))
    made.show()
    form = ReflectionForm(
        decision="stay",
        reason="secret reason",
        unknowns=(
            Unknown("how the nights are", "asked, not trusted", "her sister"),
            Unknown("whether he drinks", "asked, declined"),
        ),
    )
    made.desk.reflect(made.person("alice"), K, form)
    made.show()
    made.clock.set(made.clock.now() + timedelta(hours=1))
    yield made
    made.close()


def alice(rig: Rig) -> Browser:
    return Browser(app_of(rig)).sign_in(rig, "alice")


def to_the_client(text: str) -> str:
    """What the client is shown: without the part in which the clinician prepares the page."""
    return text[: text.index('<details class="prepare">')] + text[text.index("<footer") :]


def test_it_shows_their_answers_in_plain_words_and_nothing_worked_out(rig: Rig) -> None:
    text = to_the_client(alice(rig).get(TOGETHER).text)
    assert "4 answers, from 18 on 1 Feb 2026 to 14 on 4 Feb 2026." in text
    assert "A lower number means fewer troubles." in text
    assert "less than about 6 points may mean nothing" in text
    words = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", text, flags=re.S)
    for word in (
        "%", "probab", "likely", "forecast", "model", "off track", "worse", "severe", "risk",
        "suicide", "cut-off", "PHQ", "fail", "secret reason", "sister", "not trusted", "K-1184",
    ):  # fmt: skip
        assert word.casefold() not in words.casefold(), word


def test_no_unknown_is_shown_unless_it_was_ticked_and_then_its_words_alone(rig: Rig) -> None:
    at = alice(rig)
    assert "nights" not in to_the_client(at.get(TOGETHER).text)
    id_ = rig.reflections.of(rig.person("alice"))[0]["reflection"]
    shown = to_the_client(at.get(f"{TOGETHER}?show={id_}.1").text)
    assert "how the nights are" in shown
    assert "drinks" not in shown
    assert "sister" not in shown
    assert "trusted" not in shown
    assert "drinks" not in to_the_client(at.get(f"{TOGETHER}?show=whether+he+drinks").text)


def test_what_the_client_says_is_theirs_and_the_next_reflection_starts_from_it(rig: Rig) -> None:
    at = alice(rig)
    said = {"view": "mornings are better", "preference": "less homework", "unnoticed": "my job"}
    assert at.post(TOGETHER, **said).status_code == 303
    rig.show()
    (one,) = rig.sayings.to(rig.person("alice"), K)
    assert (one["view"], one["preference"], one["unnoticed"]) == tuple(said.values())
    text = at.get(f"/episodes/{K.hex}/reflect").text
    assert "mornings are better" in text
    assert "less homework" in text
    assert "my job" in text
    events = rig.log.read(rig.ids.derive("client said", K.hex))
    assert [event.owner for event in events] == [id_of("subject", "k")], "under the client's key"
    fields: dict[str, Any] = {"decision": "consult", "client_view": "mornings", "preference": "p"}
    rig.clock.set(rig.clock.now().replace(hour=12))
    at = alice(rig)
    assert at.post(f"/episodes/{K.hex}/reflect", **fields).status_code == 303
    rig.show()
    text = at.get(f"/episodes/{K.hex}/reflect").text
    assert "mornings are better" not in re.sub(r"<article.*?</article>", "", text, flags=re.S)


def test_nothing_is_written_down_without_a_word_or_with_too_many(rig: Rig) -> None:
    at = alice(rig)
    assert at.post(TOGETHER, view=" ").status_code == 422
    long = at.post(TOGETHER, view="x" * 4001)
    assert long.status_code == 422
    assert "x" * 4001 in long.text
    rig.show()
    assert rig.sayings.to(rig.person("alice"), K) == []


def test_it_is_for_the_clients_own_clinician_alone(rig: Rig) -> None:
    alice(rig).post(TOGETHER, view="mornings are better")
    rig.show()
    for name, status in (("bob", 404), ("sam", 403), ("olga", 404)):
        at = Browser(app_of(rig)).sign_in(rig, name)
        assert at.get(TOGETHER).status_code == status
        assert at.post(TOGETHER, view="x").status_code == status
    sams = Browser(app_of(rig)).sign_in(rig, "sam").get(f"/episodes/{K.hex}").text
    assert "mornings are better" not in sams
    assert rig.sayings.to(rig.person("sam"), K) == []


def test_a_course_without_an_answer_says_so(rig: Rig) -> None:
    rig.tell("episode.changed", episode_changed("empty"))
    rig.show()
    text = alice(rig).get(f"/episodes/{id_of('episode', 'empty').hex}/together").text
    assert "There is no answer of yours to show yet." in text
