"""Other rules or another version of an instrument: everybody is judged anew, nobody is prompted."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schemas.parts import Spell
from services.chassis.eventlog import ConflictError
from services.outcomes.adopting import CHANGES, CLEARS, OPENS, REFOLDS, adopt, differences
from services.outcomes.core import findings
from services.outcomes.core.case import Yardsticks
from services.outcomes.core.instrument import Cutoff
from services.outcomes.core.restored import LogRestored, state
from services.outcomes.core.rules import RULE, Rules
from services.outcomes.detector import Detector
from tests.core.logbook import (
    OWNER,
    START,
    YARDSTICKS,
    MemoryLog,
    Sender,
    detect,
    detector,
    episode_id,
    said,
)

INSTRUMENTS = {name: one.instrument for name, one in YARDSTICKS.specs.items()}
BOLDER = Yardsticks(
    INSTRUMENTS
    | {
        "phq-9": replace(INSTRUMENTS["phq-9"], alarm={}),
    },
    Rules(alarm_threshold=0.30),
)
"""Alarms much sooner."""
PHQ = INSTRUMENTS["phq-9"]
STRICTER = Yardsticks(
    INSTRUMENTS | {"phq-9": replace(PHQ, version="99", cutoff=Cutoff(">=", 15, "made up"))}
)


FEWER = Yardsticks({name: one for name, one in INSTRUMENTS.items() if name != "phq-9"})
"""Without the instrument that every course here is measured with."""


def moved(*done: int, **told: Any) -> None:
    """Progress that nobody watches."""


def judged(tell: Callable[[Sender], None]) -> tuple[MemoryLog, Sender]:
    """A log that a detector of the shipped rules has read."""
    log = MemoryLog()
    sender = Sender(log)
    tell(sender)
    detect(log, detector(log))
    return log, sender


def level(sender: Sender) -> None:
    """Two points up and down around 16: not off track by the shipped rules."""
    sender.open(0)
    for number, score in enumerate((17, 15, 14, 14)):
        sender.measure(f"m{number}", number * 7, score)


def written(log: MemoryLog, after: int) -> list[Any]:
    return [entry.event for entry in log.entries if entry.position > after]


def by(rules: Yardsticks, log: MemoryLog) -> Detector:
    return detector(log, yardsticks=rules)


def test_rules_are_named_by_their_numbers_and_instruments() -> None:
    assert YARDSTICKS.rule == RULE
    assert BOLDER.rule != RULE
    assert BOLDER.rule == Yardsticks({}, Rules(alarm_threshold=0.30)).rule
    assert len({YARDSTICKS.version, BOLDER.version, STRICTER.version}) == 3


def test_the_differences_are_told_and_nothing_is_stored() -> None:
    log, _ = judged(level)
    before = len(log.entries)
    found = differences(by(BOLDER, log), [episode_id()], moved)
    assert (found.episodes, found.others) == (1, 1)
    assert found.counts[("off_track", "phq-9", OPENS)] == 1
    assert (episode_id().hex, "off_track", "phq-9", OPENS) in found.lines
    assert len(log.entries) == before


def test_by_the_same_rules_nothing_differs() -> None:
    log, _ = judged(level)
    assert differences(by(YARDSTICKS, log), [episode_id()], moved).others == 0
    assert adopt(by(YARDSTICKS, log), [episode_id()], moved) == 0


def test_what_opens_by_other_rules_is_a_mark_on_the_chart() -> None:
    log, _ = judged(level)
    before = len(log.entries)
    assert adopt(by(BOLDER, log), [episode_id()], moved) == 1
    first, *rest = written(log, before)
    assert isinstance(first, findings.RulesAdopted)
    (opened,) = [one for one in rest if isinstance(one, findings.FindingOpened)]
    assert (opened.channel, opened.tier, opened.quiet) == ("off_track", "info", True)
    assert adopt(by(BOLDER, log), [episode_id()], moved) == 0


def test_it_stays_quiet_until_something_new_is_behind_it() -> None:
    log, sender = judged(level)
    adopt(by(BOLDER, log), [episode_id()], moved)
    before = len(log.entries)
    sender.fact("f", 22, "medication", "x")
    detect(log, by(BOLDER, log))
    tiers = [one.tier for one in written(log, before) if getattr(one, "channel", "") == "off_track"]
    assert tiers == []
    sender.measure("m4", 28, 16)
    detect(log, by(BOLDER, log))
    told = [one for one in written(log, before) if getattr(one, "channel", "") == "off_track"]
    assert [(one.tier, one.quiet) for one in told] == [("prompt", False)]


def test_a_rule_change_that_nobody_adopted_prompts_nobody_either() -> None:
    log, sender = judged(level)
    before = len(log.entries)
    sender.fact("f", 22, "medication", "x")
    detect(log, by(BOLDER, log))
    told = [one for one in written(log, before) if getattr(one, "channel", "") == "off_track"]
    assert [(one.tier, one.quiet) for one in told] == [("info", True)]


def test_another_version_of_an_instrument_tells_its_trajectories_anew() -> None:
    def tell(sender: Sender) -> None:
        sender.open(0)
        for number, score in enumerate((14, 21, 22)):
            sender.measure(f"m{number}", number * 7, score)

    log, _ = judged(tell)
    before = len(log.entries)
    found = differences(by(STRICTER, log), [episode_id()], moved)
    assert found.counts[("a trajectory", "phq-9", REFOLDS)] == 1
    assert found.counts[("off_track", "phq-9", CLEARS)] == 1  # it began in the usual range now
    assert found.counts[("not_assessable", "phq-9", OPENS)] == 1
    assert not any(what == CHANGES for _, channel, what in found.counts if channel == "gad-7")
    adopt(by(STRICTER, log), [episode_id()], moved)
    (refolded,) = [one for one in written(log, before) if isinstance(one, findings.Refolded)]
    assert refolded.why == "rule changed"
    assert refolded.assessments[0]["scale"]["instrument_version"] == "99"
    (cleared,) = [one for one in written(log, before) if isinstance(one, findings.FindingCleared)]
    assert (cleared.channel, cleared.reason) == ("off_track", "corrected away")


def test_a_detector_that_was_quicker_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    log, _ = judged(level)
    append, tries = log.append, iter([ConflictError("somebody was quicker")])

    def crowded(events: Sequence[Any], tracking: tuple[str, int] | None = None) -> list[int]:
        for error in tries:
            raise error
        return append(events, tracking)

    monkeypatch.setattr(log, "append", crowded)
    assert adopt(by(BOLDER, log), [episode_id()], moved) == 1
    assert len([one for one in written(log, 0) if isinstance(one, findings.RulesAdopted)]) == 1


def test_silence_after_a_rule_change_prompts_for_the_silence_alone() -> None:
    log, _ = judged(level)
    before = len(log.entries)
    later = detector(log, lambda today: [episode_id()], BOLDER)
    assert later.tick(START + timedelta(days=60)) == 1
    told = [one for one in written(log, before) if getattr(one, "channel", "") == "off_track"]
    assert {(one.tier, one.quiet) for one in told} == {("info", True)}
    silent = [one for one in written(log, before) if getattr(one, "channel", "") == "disconnection"]
    assert [one.quiet for one in silent] == [False]


def test_a_finding_that_is_quiet_is_stated_as_quiet_after_a_restore() -> None:
    log, _ = judged(level)
    adopt(by(BOLDER, log), [episode_id()], moved)
    stream = log.of(findings.FindingOpened)[-1].originator_id
    restored = LogRestored(
        originator_id=stream,
        originator_version=1,
        timestamp=START,
        owner=OWNER,
        log="new",
        made_at="2026-01-01T00:00:00+00:00",
        restored_at="2026-01-02T00:00:00+00:00",
    )
    stated = state(log.read(stream), stream, restored)
    assert [(one["channel"], one["quiet"]) for one in stated.spells] == [("off_track", True)]
    assert set(stated.spells[0]) == set(Spell().fields)


def worsening(sender: Sender) -> None:
    """A pivot, a reflection, and worse since."""
    level(sender)
    sender.approach("ACT", 10)
    sender.measure("m4", 28, 12)
    sender.reflect("q", 29, 50)
    sender.measure("m5", 40, 25)
    sender.measure("m6", 47, 25)


def closed(sender: Sender) -> None:
    worsening(sender)
    sender.close(50)


MORE: dict[str, Callable[[Sender], None]] = {
    "nothing": lambda sender: None,
    "a fact": lambda sender: sender.fact("f", 52, "medication", "x"),
    "a correction": lambda sender: sender.measure("m1", 7, 20, "corrected"),
    "a withdrawal": lambda sender: sender.withdraw("m1"),
    "another measure": lambda sender: sender.measure("m7", 54, 12),
    "another instrument": lambda sender: sender.measure("g", 54, 12, instrument="gad-7"),
    "an approach": lambda sender: sender.approach("EMDR", 52),
}


@pytest.mark.parametrize("course", [level, worsening, closed])
@pytest.mark.parametrize("more", MORE)
def test_without_its_instrument_a_course_is_not_assessable_until_it_is_there_again(
    course: Callable[[Sender], None], more: str
) -> None:
    """A clinic's folder that is not mounted, say: nothing stops, nothing is lost."""
    log, sender = judged(course)
    ended = said(log).ending
    before = len(log.entries)
    MORE[more](sender)
    detect(log, by(FEWER, log))
    adopt(by(FEWER, log), [episode_id()], moved)
    now = said(log)
    assert set(now.aside.values()) == {"unknown_instrument"}
    assert not any(key.startswith("phq-9") for key in now.prints)
    assert now.ending == ended
    if course is not closed:
        (channel,) = [name for name in now.open_findings if name != "disconnection"]
        assert channel == "not_assessable"
        assert "unknown_instrument" in now.spells[channel].evidence["reasons"]
    prompted = [one for one in written(log, before) if getattr(one, "tier", "") == "prompt"]
    assert prompted == []

    adopt(by(YARDSTICKS, log), [episode_id()], moved)
    again, straight = said(log), MemoryLog()
    other = Sender(straight)
    course(other)
    detect(straight, detector(straight))
    MORE[more](other)
    detect(straight, detector(straight))
    never = said(straight)
    assert (again.prints, again.aside) == (never.prints, {})
    assert again.open_findings.keys() == never.open_findings.keys()
    assert again.forecasts == never.forecasts
    assert again.ending == never.ending


def test_what_opened_by_other_rules_alone_was_told_to_nobody_when_the_course_ends() -> None:
    log, sender = judged(level)
    adopt(by(BOLDER, log), [episode_id()], moved)
    sender.close(30)
    detect(log, by(BOLDER, log))
    sender.measure("late", 29, 14)
    detect(log, by(BOLDER, log))
    first, second = log.of(findings.CourseEnded)
    assert "off_track" not in {*first.channels, *second.channels}
