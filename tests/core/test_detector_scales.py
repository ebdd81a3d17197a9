"""What the detector says of scales: when they are told, subscales, and cut-offs for some alone."""

from typing import Any

import pytest

from services.outcomes.core import findings
from tests.core.logbook import MemoryLog, Sender, charted, detect, detector, played

# When a scale is told


def test_the_scale_is_told_once_and_again_when_the_baseline_moves() -> None:
    def tell(sender: Sender) -> None:
        sender.open(3)
        sender.measure("m0", 0, 14)
        sender.measure("m1", 2, 15)
        sender.measure("m2", 9, 15)

    scales = [event.assessment["scale"] for event in played(tell).of(findings.Assessed)]
    assert [scale and scale["baseline"] for scale in scales] == [14, None]
    (refolded,) = played(tell).of(findings.Refolded)
    assert refolded.assessments[0]["scale"]["baseline"] == 15
    assert [one["used"] for one in refolded.assessments] == [False, True]


def test_a_scale_that_reads_otherwise_is_told_though_no_measure_changed() -> None:
    log = MemoryLog()
    sender, reader = Sender(log), detector(log)
    sender.measure("m0", 10, 14)
    detect(log, reader)
    sender.open(0)
    detect(log, reader)
    (refolded,) = log.of(findings.Refolded)
    assert refolded.assessments[0]["scale"]["baseline_label"] == "late baseline"
    assert refolded.since == "2024-01-11"
    sender.open(0, primary="phq-9")
    detect(log, reader)
    assert len(log.of(findings.Refolded)) == 1, "once is enough"


# Subscales


DASS = {"instrument": "dass-21"}


def dass(sender: Sender, external: str, day: int, depression: float, **more: Any) -> None:
    parts = {"depression": depression, "anxiety": 10.0, "stress": 12.0}
    sender.measure(external, day, depression + 22, subscales=parts, **DASS, **more)


def test_a_subscale_with_limits_of_its_own_is_a_trajectory_of_its_own() -> None:
    def tell(sender: Sender) -> None:
        dass(sender, "m0", 0, 10.0)
        dass(sender, "m1", 7, 22.0)

    log = played(tell)
    told = {
        (one.assessment["trajectory"], one.assessment["score"], one.assessment["band"])
        for one in log.of(findings.Assessed)
        if one.assessment["external_id"] == "m1"
    }
    assert told == {
        ("dass-21|total|client", 44, None),
        ("dass-21|depression|client", 22, "severe"),
        ("dass-21|anxiety|client", 10, "moderate"),
        ("dass-21|stress|client", 12, "normal"),
    }
    scales = {
        one.assessment["trajectory"]: one.assessment["scale"]
        for one in log.of(findings.Assessed)
        if one.assessment["scale"]
    }
    depression = scales["dass-21|depression|client"]
    assert depression["title"] == "DASS-21: Depression"
    assert (depression["minimum"], depression["maximum"], depression["cutoff"]) == (0, 42, 10)
    assert "Lovibond" in depression["sources"]["cutoff"]
    assert log.of(findings.Refolded) == []


def test_the_parts_of_a_measure_come_and_go_with_it() -> None:
    def tell(sender: Sender) -> None:
        dass(sender, "m0", 0, 10.0)
        dass(sender, "m1", 7, 22.0)
        dass(sender, "m1", 7, 12.0, kind="corrected")
        sender.measure("m0", 0, 20, kind="corrected", subscales={"depression": 8.0}, **DASS)
        sender.withdraw("m1")

    left = charted(played(tell))
    assert {key: len(told) for key, told in left.items()} == {
        "dass-21|total|client": 1,
        "dass-21|depression|client": 1,
    }


@pytest.mark.parametrize("total", [44.0, None])
def test_a_part_whose_answers_were_made_up_for_says_so_and_no_other(total: float | None) -> None:
    """Item 3 is of depression; a form without a total still tells of its scales."""

    def tell(sender: Sender) -> None:
        items = [1, 1, None, *[1] * 18]
        parts = {"depression": 14.0, "anxiety": 14.0}
        sender.measure("m0", 0, total, items=items, subscales=parts, flags=["prorated"], **DASS)

    told = {
        one.assessment["trajectory"]: (one.assessment["score"], one.assessment["flags"])
        for one in played(tell).of(findings.Assessed)
    }
    assert told == {
        "dass-21|total|client": (total, ["prorated"]),
        "dass-21|depression|client": (14, ["prorated"]),
        "dass-21|anxiety|client": (14, []),
    }


def test_a_total_that_contradicts_its_items_takes_the_parts_along() -> None:
    def tell(sender: Sender) -> None:
        dass(sender, "m0", 0, 10.0, flags=["conflict", "prorated"])

    flags = {
        one.assessment["trajectory"]: one.assessment for one in played(tell).of(findings.Assessed)
    }
    assert flags["dass-21|total|client"]["flags"] == ["conflict", "prorated"]
    assert flags["dass-21|depression|client"]["flags"] == ["conflict"]
    assert not flags["dass-21|depression|client"]["used"]


def test_a_detector_that_starts_anew_knows_the_parts() -> None:
    log = MemoryLog()
    sender = Sender(log)
    dass(sender, "m0", 0, 10.0)
    detect(log, detector(log))
    dass(sender, "m1", 7, 12.0)
    detect(log, detector(log))
    assert len(log.of(findings.Assessed)) == 8
    assert log.of(findings.Refolded) == []


# Cut-offs that hold for some alone


def test_a_cutoff_that_comes_to_hold_is_told_with_its_scale() -> None:
    def tell(sender: Sender) -> None:
        sender.open(0)
        sender.measure("m0", 0, 12, instrument="yp-core")
        sender.measure("m1", 7, 12, instrument="yp-core")
        sender.open(0, client_age=12, client_gender="male")

    log = played(tell)
    assert log.of(findings.Assessed)[0].assessment["scale"]["cutoff"] is None
    (refolded,) = log.of(findings.Refolded)
    assert refolded.why == "plan changed"
    scale = refolded.assessments[0]["scale"]
    assert scale["cutoff"] == 10.3
    assert "Twigg" in scale["sources"]["cutoff"]


def test_what_is_not_known_of_the_client_is_asked_for() -> None:
    def tell(sender: Sender) -> None:
        sender.open(0)
        sender.measure("m0", 0, 12, instrument="yp-core")

    amended = played(tell).of(findings.FindingAmended)
    assert amended[-1].evidence["missing"] == [
        "the client's age, on which the cut-off depends",
        "the client's gender, on which the cut-off depends",
    ]
