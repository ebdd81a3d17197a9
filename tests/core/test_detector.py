"""What the detector says of an episode, measure by measure, and of what is corrected later."""

from collections.abc import Callable

import pytest

from schemas.messages import check
from services.outcomes.core import findings
from tests.core.logbook import (
    FLAT_AND_HIGH,
    MemoryLog,
    Sender,
    charted,
    detect,
    detector,
    now_open,
    played,
    said,
)

# One after another


def test_a_measure_at_the_end_costs_one_assessment() -> None:
    log = MemoryLog()
    sender, reader = Sender(log), detector(log)
    for number, (day, score) in enumerate(FLAT_AND_HIGH):
        sender.measure(f"m{number}", day, score)
        detect(log, reader)
        assert len(log.of(findings.Assessed)) == number + 1
    assert log.of(findings.Refolded) == []
    assert set(now_open(log)) == {"off_track", "possibly_worse", "reliable_deterioration"}


def test_every_event_is_a_message_as_it_stands() -> None:
    def tell(sender: Sender) -> None:
        sender.open(0)
        for number, (day, score) in enumerate(FLAT_AND_HIGH):
            sender.measure(f"m{number}", day, score)
        sender.approach("CBT", 0)
        sender.approach("EMDR", 15, origin="reflection", review_on=sender.on(60))
        sender.reflect("0" * 31 + "1", 15, 60)
        sender.measure("m3", 21, 12)
        sender.measure("m1", 7, 20, kind="corrected")
        sender.measure("m4", 28, 8)

    log = played(tell)
    types = {
        findings.Assessed: "measure.assessed",
        findings.Refolded: "trajectory.refolded",
        findings.FindingOpened: "finding.opened",
        findings.FindingAmended: "finding.amended",
        findings.FindingCleared: "finding.cleared",
        findings.ForecastMade: "forecast.made",
        findings.EffectMeasured: "effect.measured",
    }
    for kind, name in types.items():
        assert log.of(kind), name
        for event in log.of(kind):
            check(name, 1, vars(event))


def test_new_grounds_amend_a_spell_and_a_second_one_gets_the_next_ordinal() -> None:
    def tell(sender: Sender) -> None:
        for number, score in enumerate((8, 14, 8, 14, 15)):
            sender.measure(f"m{number}", number * 7, score)

    log = played(tell)
    spells = [
        (event.TOPIC.removeprefix("findings."), getattr(event, "ordinal", None), event.revision)
        for entry in log.entries
        if getattr(event := entry.event, "channel", "") == "possibly_worse"
    ]
    assert spells == [
        ("opened", 1, 1), ("cleared", None, 2), ("opened", 2, 1), ("amended", 2, 2),
    ]  # fmt: skip
    opened = [one for one in log.of(findings.FindingOpened) if one.channel == "possibly_worse"]
    assert len({one.spell for one in opened}) == 2


# Late, corrected, withdrawn


def test_a_late_measure_refolds_its_trajectory() -> None:
    def tell(sender: Sender) -> None:
        sender.measure("m0", 0, 14)
        sender.measure("m2", 14, 14)
        sender.measure("m1", 7, 14)

    (refolded,) = played(tell).of(findings.Refolded)
    assert [one["external_id"] for one in refolded.assessments] == ["m0", "m1", "m2"]
    assert refolded.since == "2024-01-08"
    assert refolded.why == "measure recorded"
    assert [one["external_id"] for one in refolded.input] == ["m1"]


@pytest.mark.parametrize(
    ("undo", "reason"),
    [
        (lambda sender: sender.measure("m1", 7, 8, kind="corrected"), "corrected away"),
        (lambda sender: sender.withdraw("m1"), "corrected away"),
        (lambda sender: sender.measure("m1", 7, 14, kind="held"), "corrected away"),
        (lambda sender: sender.measure("m2", 14, 8), "recovered"),
        (lambda sender: sender.close(20), "closed"),
    ],
)
def test_a_finding_ends_for_a_reason(undo: Callable[[Sender], None], reason: str) -> None:
    def tell(sender: Sender) -> None:
        sender.open(0)
        sender.measure("m0", 0, 8)
        sender.measure("m1", 7, 14)
        undo(sender)

    log = played(tell)
    cleared = [one for one in log.of(findings.FindingCleared) if one.channel == "possibly_worse"]
    assert [one.reason for one in cleared] == [reason]
    assert "possibly_worse" not in now_open(log)


def test_a_correction_may_move_a_measure_to_another_instrument() -> None:
    def tell(sender: Sender) -> None:
        sender.measure("m0", 0, 14)
        sender.measure("m1", 7, 14)
        sender.measure("m1", 7, 10, kind="corrected", instrument="gad-7")

    assert {key: len(told) for key, told in charted(played(tell)).items()} == {
        "phq-9|total|client": 1,
        "gad-7|total|client": 1,
    }


def test_a_withdrawn_measure_may_be_given_again() -> None:
    def tell(sender: Sender) -> None:
        for number, (day, score) in enumerate(FLAT_AND_HIGH):
            sender.measure(f"m{number}", day, score)
        sender.withdraw("m2")
        sender.measure("m2", 14, 22, kind="reinstated")

    log = played(tell)
    assert "off_track" in now_open(log)
    opened = [one for one in log.of(findings.FindingOpened) if one.channel == "off_track"]
    assert [one.ordinal for one in opened] == [1, 2]


def test_an_unknown_instrument_is_set_aside_until_it_is_known() -> None:
    log = MemoryLog()
    sender, reader = Sender(log), detector(log)
    sender.open(0)
    sender.measure("m0", 0, 14, kind="held", instrument="mystery")
    detect(log, reader)
    reasons = said(log).open_findings["not_assessable"].evidence["reasons"]
    assert reasons == ["unknown_instrument", "too_few"]
    sender.measure("m0", 0, 14, instrument="phq-9")
    detect(log, detector(log))
    assert said(log).aside == {}
    assert said(log).open_findings["not_assessable"].evidence["reasons"] == ["too_few"]
