"""Given these findings and answers of one channel, then these events and no others."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.core import alert, handling, speaking
from services.alerts.core.alert import Alert, AlertEvent, Next
from services.alerts.core.policy import Policy
from services.alerts.core.speaking import Finding

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
POLICY = Policy(zone=ZoneInfo("UTC"))
STREAM, OWNER = UUID(int=1), UUID(int=2)


def finding(ordinal: int, revision: int, tier: str = "prompt") -> Finding:
    card = {"title": f"{ordinal}.{revision}"}
    return Finding(f"s{ordinal}", ordinal, revision, tier, "2026-03-02", tier == "info", card)


class Story:
    """Commands given to one alert, each `hours` after the last."""

    def __init__(self, channel: str = "off_track") -> None:
        self.channel, self.at = channel, AT
        self.state: Alert | None = None
        self.events: list[AlertEvent] = []

    def pen(self) -> Next:
        return Next(self.state, STREAM, "e", self.channel, OWNER, self.at)

    def keep(self, events: list[AlertEvent]) -> list[str]:
        self.events += events
        self.state = alert.fold(self.state, events)
        versions = [one.originator_version for one in self.events]
        assert versions == list(range(1, len(versions) + 1))
        return [type(one).__name__.removeprefix("Alert") for one in events]

    def found(self, ordinal: int, revision: int, tier: str = "prompt") -> list[str]:
        said = finding(ordinal, revision, tier)
        return self.keep(speaking.decide_found(self.state, said, self.pen(), POLICY, self.at))

    def cleared(self, ordinal: int, revision: int, why: str = "recovered") -> list[str]:
        pen = self.pen()
        spell = f"s{ordinal}"
        return self.keep(
            speaking.decide_cleared(self.state, spell, revision, why, "2026-03-09", pen)
        )

    def later(self, **delta: float) -> None:
        self.at += timedelta(**delta)


def test_the_same_or_an_older_revision_changes_nothing() -> None:
    story = Story()
    assert story.found(1, 2) == ["Raised"]
    assert story.found(1, 2) == []
    assert story.found(1, 1) == []
    assert story.cleared(1, 2) == []
    assert story.found(1, 3) == ["Amended"]


def test_what_was_cleared_before_it_opened_never_opens() -> None:
    story = Story()
    assert story.cleared(1, 2) == ["Settled"]
    assert story.found(1, 1) == []


def test_a_new_spell_settles_the_one_that_is_open_and_waits() -> None:
    story = Story()
    story.found(1, 1)
    assert story.found(2, 1) == ["Settled", "Held"]
    assert story.cleared(1, 2) == ["Settled"]  # noted; the spell under way is another
    assert story.state is not None
    assert story.state.phase == "held"


def test_silence_counts_from_the_last_spell_that_spoke() -> None:
    story = Story()
    story.found(1, 1)
    story.cleared(1, 2)
    story.later(days=27)
    assert story.found(2, 1) == ["Held"]
    assert story.cleared(2, 2) == ["Settled"]
    story.later(days=1)
    assert story.found(3, 1) == ["Raised"]


def test_a_held_finding_speaks_when_its_time_has_come() -> None:
    story = Story()
    story.found(1, 1)
    story.cleared(1, 2, "corrected away")
    story.found(2, 1)
    assert story.state is not None
    story.later(days=27)
    assert speaking.decide_release(story.state, POLICY, story.at, story.pen()) == []
    story.later(days=1)
    released = speaking.decide_release(story.state, POLICY, story.at, story.pen())
    assert story.keep(released) == ["Raised"]


def test_louder_news_is_to_be_read_again() -> None:
    story = Story()
    story.found(1, 1, "info")
    assert story.state is not None
    story.keep(handling.decide_acknowledge(story.state, "p", "n", "", "", "", story.pen()))
    assert story.found(1, 2, "info") == ["Amended"]
    assert story.state.phase == "acknowledged"
    story.found(1, 3, "prompt")
    assert story.state.phase == "open"


@pytest.mark.parametrize("phase", ["acknowledged", "dismissed"])
def test_what_was_answered_stays_so_until_it_has_cleared(phase: str) -> None:
    story = Story()
    story.found(1, 1)
    assert story.state is not None
    if phase == "acknowledged":
        story.keep(handling.decide_acknowledge(story.state, "p", "n", "", "", "", story.pen()))
    else:
        reason = "too early to say"
        story.keep(handling.decide_dismiss(story.state, "p", reason, story.pen()))
    story.found(1, 2)
    assert story.state.phase == phase
    state = story.state
    commands: tuple[Callable[[], object], ...] = (
        lambda: handling.decide_snooze(state, "p", "2026-03-09", story.pen()),
        lambda: handling.decide_dismiss(state, "p", "too early to say", story.pen()),
        lambda: handling.decide_acknowledge(state, "p", "n", "", "", "", story.pen()),
    )
    for refused in commands:
        with pytest.raises(handling.AlertRefusedError):
            refused()


def test_only_deterioration_is_due_to_somebody_else() -> None:
    for channel, due in (("off_track", None), ("reliable_deterioration", AT + timedelta(hours=72))):
        story = Story(channel)
        story.found(1, 1)
        assert story.state is not None
        assert story.state.due_at == (due.isoformat() if due else None)


def _messages() -> Any:
    one = st.tuples(st.sampled_from(["found", "cleared"]), st.integers(1, 3), st.integers(1, 4))
    return st.lists(one, max_size=25)


@given(_messages(), st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_however_they_come_each_spell_speaks_once_and_the_newest_stands(
    told: list[tuple[str, int, int]], hours: int
) -> None:
    story = Story()
    for kind, ordinal, revision in told:
        (story.found if kind == "found" else story.cleared)(ordinal, revision)
        story.later(hours=hours)
    raised = [one.spell for one in story.events if isinstance(one, alert.AlertRaised)]
    assert len(raised) == len(set(raised))
    before = len(story.events)
    for kind, ordinal, revision in told:  # all of it re-sent
        (story.found if kind == "found" else story.cleared)(ordinal, revision)
    assert len(story.events) == before
    assert alert.fold(None, list(story.events)) == story.state
