"""After the source was restored: which alerts are marked, confirmed, or speak, and which not."""

import pytest

from services.alerts.core import handling, source
from services.alerts.core.source import Restored
from tests.core.test_alert import POLICY, Story, finding

RESTORED = Restored("log 2", "2026-03-01T22:00:00+00:00")
AGAIN = Restored("log 3", "2026-03-01T23:00:00+00:00")


class Told(Story):
    """A story in which the source is restored."""

    def restored(self, restored: Restored = RESTORED) -> list[str]:
        assert self.state is not None
        return self.keep(source.decide_restored(self.state, restored, self.pen()))

    def stated(self, *place: int, tier: str = "prompt", restored: Restored = RESTORED) -> list[str]:
        said = finding(place[0], place[1], tier) if place else None
        pen = self.pen()
        return self.keep(source.decide_stated(self.state, said, restored, pen, POLICY, self.at))

    def again(self, ordinal: int, revision: int) -> list[str]:
        return self.keep(source.decide_again(self.state, f"s{ordinal}", revision, self.pen()))

    def is_marked(self) -> bool:
        assert self.state is not None
        return self.state.unconfirmed is not None


def heard(*revisions: int) -> Told:
    """The alert of a spell of which these revisions were heard, and then of a restore."""
    story = Told()
    for revision in revisions:
        story.found(1, revision)
    return story


def test_all_that_is_told_is_marked_and_what_is_stated_is_confirmed() -> None:
    story = heard(1, 2)
    assert story.restored() == ["Unconfirmed"]
    assert story.is_marked()
    assert story.restored() == [], "every partition says it"
    assert story.stated(1, 2) == ["Confirmed"]
    assert not story.is_marked()
    assert story.stated(1, 2) == []
    assert story.restored() == [], "a partition that is behind says it later"
    assert story.found(1, 2) == []
    assert story.found(1, 3) == ["Amended"]


def test_what_the_source_does_not_hold_stays_and_is_heard_anew() -> None:
    story = heard(1, 2)
    story.restored()
    assert story.stated() == ["Unconfirmed"]
    assert story.is_marked()
    assert story.state is not None
    assert story.state.phase == "open"
    assert story.found(1, 1) == ["Amended"], "an earlier revision than was known, and yet news"
    assert not story.is_marked()


def test_an_earlier_revision_is_not_the_one_that_is_told() -> None:
    story = heard(1, 2, 3)
    story.restored()
    assert story.stated(1, 2) == ["Unconfirmed"]
    assert story.is_marked()
    assert story.found(1, 3) == ["Amended"], "other evidence under a number that was known"
    assert not story.is_marked()


def test_word_for_word_the_same_confirms_once_it_has_come_as_far() -> None:
    story = heard(1, 2)
    story.restored()
    assert story.again(1, 1) == []
    assert story.is_marked()
    assert story.again(1, 2) == ["Confirmed"]
    assert not story.is_marked()
    assert story.again(1, 2) == []
    assert story.again(2, 1) == []


@pytest.mark.parametrize("answer", ["dismissed", "acknowledged"])
def test_what_a_person_has_answered_is_marked_too_and_stays_answered(answer: str) -> None:
    story = heard(1)
    assert story.state is not None
    if answer == "dismissed":
        events = handling.decide_dismiss(story.state, "lind", "too early to say", story.pen())
    else:
        events = handling.decide_acknowledge(story.state, "lind", "Lind", "", "", "", story.pen())
    story.keep(events)
    story.restored()
    assert story.is_marked()
    assert story.stated(1, 1) == ["Confirmed"]
    assert story.state.phase == answer


def test_what_had_ended_is_not_marked_and_waits_when_the_source_holds_it_open() -> None:
    story = heard(1)
    story.cleared(1, 2)
    assert story.restored() == []
    assert not story.is_marked()
    assert story.stated(1, 1) == ["Unconfirmed", "Held"], "its channel is silent for four weeks"
    assert not story.is_marked()
    assert story.cleared(1, 2) == ["Settled"], "its end is heard once more"


def test_a_spell_never_heard_of_speaks() -> None:
    story = Told()
    assert story.stated(1, 4) == ["Raised"]
    assert Told().stated() == []


def test_a_revision_never_heard_of_is_taken_in() -> None:
    story = heard(1)
    story.restored()
    assert story.stated(1, 2) == ["Unconfirmed", "Amended"]
    assert not story.is_marked()


def test_each_restore_counts() -> None:
    story = heard(1)
    story.restored()
    story.stated(1, 1)
    assert story.restored(AGAIN) == ["Unconfirmed"]
    assert story.stated(1, 1, restored=AGAIN) == ["Confirmed"]


def test_an_end_leaves_nothing_to_confirm() -> None:
    story = heard(1)
    story.restored()
    story.cleared(1, 1)
    assert not story.is_marked()
