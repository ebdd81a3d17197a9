"""Regular reflection: set by its person, told by the timers, kept by reflecting, never an alarm."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.alerts.core.rhythm import RhythmCameDue
from services.alerts.desk import NotYoursError, ReflectionForm, RefusedError, Unknown
from services.alerts.views.reminders import Reminder, Reminders, reminders
from tests.service.alerts_rig import Rig, episode_changed, found, id_of, staffed
from tests.service.pages_rig import Browser, app_of

K = id_of("episode", "k")
STAY = ReflectionForm(decision="stay", reason="two good weeks")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    staffed(made)
    made.tell("episode.changed", episode_changed("k"))
    made.show()
    yield made
    made.close()


def seen(rig: Rig, name: str = "alice") -> Reminders:
    rig.show()
    return reminders(rig.inbox, rig.rhythms, rig.reflections, rig.person(name), rig.clock.now())


def due(rig: Rig, name: str = "alice") -> list[tuple[str, str, str]]:
    return [(one.kind, one.client, one.on) for one in seen(rig, name).due]


def told(rig: Rig) -> list[Any]:
    stream = rig.ids.derive("rhythm", rig.person("alice").id.hex)
    return [one.due_on for one in rig.log.read(stream) if isinstance(one, RhythmCameDue)]


def test_a_reminder_comes_by_the_timers_and_once(rig: Rig) -> None:
    rig.own.every(rig.person("alice"), K, 2)
    rig.later(days=13)
    assert due(rig) == []
    rig.later(days=2)
    assert due(rig) == [("regular", "k", "2026-03-16")]
    rig.later(days=20)
    assert due(rig) == [("regular", "k", "2026-03-16")]
    assert told(rig) == ["2026-03-16"]
    rig.own.due(rig.clock.now())  # on a view that shows it already, and on none that does
    assert told(rig) == ["2026-03-16"]


def test_reflecting_starts_it_anew_early_or_late(rig: Rig) -> None:
    alice = rig.person("alice")
    rig.own.every(alice, K, 2)
    rig.later(days=10)
    rig.desk.reflect(alice, K, STAY)
    rig.later(days=10)
    assert due(rig) == [], "it was reflected on before the day came"
    rig.later(days=5)
    assert due(rig) == [("regular", "k", "2026-03-26")]
    rig.desk.reflect(alice, K, STAY)
    assert due(rig) == []
    rig.later(days=15)
    assert len(told(rig)) == 2


def test_a_general_one_is_kept_by_any_reflection_and_by_the_journal(rig: Rig) -> None:
    alice = rig.person("alice")
    rig.own.every(alice, None, 1)
    rig.later(days=8)
    assert due(rig) == [("regular", "", "2026-03-09")]
    rig.desk.journal(alice, "one thing")
    assert due(rig) == []
    rig.later(days=8)
    assert len(due(rig)) == 1
    rig.desk.reflect(alice, K, STAY)
    assert due(rig) == []


def test_it_ends_by_its_person_and_with_the_course(rig: Rig) -> None:
    alice = rig.person("alice")
    assert rig.own.every(alice, K, 2) > 0
    head = rig.log.head()
    rig.own.every(alice, K, 2)
    assert rig.log.head() == head, "as it is already"
    rig.later(days=15)
    assert len(due(rig)) == 1
    rig.tell("episode.changed", episode_changed("k", closed_on="2026-03-17"))
    assert due(rig) == []
    rig.own.every(alice, K, 0)
    rig.show()
    assert rig.rhythms.of(alice) == {}
    with pytest.raises(RefusedError, match="1 to 26 weeks"):
        rig.own.every(alice, None, 27)


def test_nobody_sets_one_on_a_course_of_others_nor_sees_it(rig: Rig) -> None:
    with pytest.raises(NotYoursError):
        rig.own.every(rig.person("bob"), K, 2)
    with pytest.raises(RefusedError):
        rig.own.every(rig.person("sam"), K, 2)
    rig.own.every(rig.person("alice"), K, 1)
    rig.later(days=9)
    assert due(rig, "sam") == due(rig, "bob") == []


def test_a_review_date_is_reminded_of_with_what_is_still_unknown(rig: Rig) -> None:
    alice = rig.person("alice")
    on = rig.clock.now().date().replace(day=20)
    form = ReflectionForm(
        decision="stay", reason="r", review_on=on, unknowns=(Unknown("sleep", "not asked"),)
    )
    id_, _ = rig.desk.reflect(alice, K, form)
    rig.later(days=10)
    assert due(rig) == []
    rig.later(days=10)
    assert seen(rig).due == (Reminder("review", K.hex, "k", id_.hex, "2026-03-20", 1),)
    rig.desk.reflect(alice, K, STAY)
    assert due(rig) == [], "it was come back to"
    assert seen(rig).open_unknowns == {K.hex: 1}, "the unknown stays until it is found out"


def test_the_inbox_shows_it_as_a_plain_reminder(rig: Rig) -> None:
    alice = Browser(app_of(rig)).sign_in(rig, "alice")
    assert alice.post(f"/episodes/{K.hex}/regular", weeks="2").status_code == 303
    assert alice.post(f"/episodes/{K.hex}/regular", weeks="-1").status_code == 400
    assert alice.post("/journal/regular", weeks="40").status_code == 409
    rig.show()
    assert "Next on 16 March" in alice.get(f"/episodes/{K.hex}").text
    rig.desk.reflect(rig.person("alice"), K, ReflectionForm(
        decision="consult", unknowns=(Unknown("sleep", "not asked"),)))  # fmt: skip
    rig.later(days=15)
    rig.tell("finding.opened", found("k"))
    rig.show()
    alice = Browser(app_of(rig)).sign_in(rig, "alice")
    text = alice.get("/").text
    assert "your regular reflection, due 16 March" in text
    assert "Still unknown, as you noted: 1" in text, "an unknown returns on the next prompt"
    assert rig.page("alice").rows[0].main.channel == "off_track", "the reminder is no row"


def test_the_rhythms_view_is_the_same_when_it_is_built_anew(rig: Rig) -> None:
    alice = rig.person("alice")
    rig.own.every(alice, K, 2)
    rig.own.every(alice, None, 3)
    rig.later(days=16)
    rig.desk.journal(alice, "one thing")
    rig.show()
    before = rig.rhythms.of(alice)
    rig.store.views.rebuild(rig.rhythms.view, rig.log)
    assert rig.rhythms.of(alice) == before
    assert before[""]["next_on"] > before[K.hex]["next_on"]
