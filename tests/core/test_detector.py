"""What the detector says: a function of the log alone, however it arrives and is read."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import check
from services.chassis.eventlog import ConflictError, Damaged, Entry, Redacted
from services.outcomes.core import findings
from services.outcomes.core.measure import MeasureRecorded
from tests.core.logbook import (
    IDS,
    OWNER,
    START,
    MemoryLog,
    Sender,
    detect,
    detector,
    episode_id,
    said,
)

FLAT_AND_HIGH = [(0, 14), (7, 21), (14, 22)]


def played(tell: Callable[[Sender], None], page: int = 500, cold: bool = False) -> MemoryLog:
    """The log after everything was told and read; `cold`: memory is dropped before each page."""
    log = MemoryLog()
    tell(Sender(log))
    reader = detector(log)
    if cold:
        while any(entry.position > reader.position() for entry in log.entries):
            before = reader.position()
            step(log, reader, page)
            reader = detector(log)
            if reader.position() == before:
                break
    detect(log, reader, page)
    return log


def step(log: MemoryLog, reader: Any, page: int) -> None:
    after = reader.position()
    new = [entry for entry in log.entries if entry.position > after][:page]
    wanted = [entry for entry in new if entry.event.TOPIC in reader.topics]
    if wanted:
        reader.apply(wanted, new[-1].position)


def now_open(log: MemoryLog) -> dict[str, Any]:
    """The current findings: channel to tier and grounds."""
    spells = said(log).open_findings
    return {channel: (one.tier, one.on, one.evidence) for channel, one in spells.items()}


def charted(log: MemoryLog) -> dict[str, Any]:
    """What was last said of every measure, by trajectory, less the version of the measure."""
    return {
        key: {measure: mark[1:] for measure, mark in prints.items()}
        for key, prints in said(log).prints.items()
    }


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


SCORES = st.integers(0, 21)
MEASURES = st.lists(
    st.tuples(
        st.integers(0, 120),
        SCORES.map(float),
        st.sampled_from(["phq-9", "phq-9", "phq-9", "gad-7", "pcl-5"]),
        st.one_of(st.none(), st.integers(8, 18)),
    ),
    min_size=1,
    max_size=9,
)
Call = tuple[str, tuple[Any, ...], dict[str, Any]]
History = tuple[list[Call], list[int]]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """What is finally true of an episode, as calls to a sender, and an order to make them in."""
    calls: list[Call] = [
        measured(f"m{number}", *told)
        for number, told in enumerate(sorted(draw(MEASURES), key=repr))
    ]
    for day in sorted(draw(st.lists(st.integers(0, 120), max_size=4, unique=True))):
        attendance = draw(st.sampled_from(["attended", "late", "missed", "cancelled"]))
        calls.append(("session", (f"s{day}", day, attendance), {}))
    if draw(st.booleans()):
        primary = draw(st.sampled_from([None, "gad-7"]))
        calls.append(("open", (draw(st.integers(0, 40)), primary), {}))
    if draw(st.booleans()):
        calls.append(("fact", ("f", draw(st.integers(0, 120)), "break", "holiday"), {}))
    if draw(st.booleans()):
        calls.append(("approach", ("CBT", draw(st.integers(0, 60))), {}))
        calls.append(("approach", ("EMDR", draw(st.integers(0, 120))), {}))
    if draw(st.integers(0, 5)) == 0:
        calls.append(("close", (draw(st.integers(0, 120)),), {}))
    order = draw(st.permutations(range(len(calls))))
    return calls, list(order)


def measured(external: str, day: int, score: float, instrument: str, hour: int | None) -> Call:
    at = None
    if hour is not None:
        at = (START + timedelta(days=day)).replace(hour=hour).isoformat()
    return "measure", (external, day, score), {"instrument": instrument, "at": at}


def make(sender: Sender, calls: list[Call]) -> None:
    sender.arrived = START + timedelta(days=30)
    for name, arguments, more in calls:
        getattr(sender, name)(*arguments, **more)


@given(histories(), st.data())
@settings(deadline=None, max_examples=60)
def test_any_order_of_arrival_gives_the_same_findings(
    history: History, data: st.DataObject
) -> None:
    """Late, corrected, withdrawn and given again: in the end it reads like the tidy order."""
    calls, order = history
    tidy = played(lambda sender: make(sender, calls))

    def untidy(sender: Sender) -> None:
        make(sender, [])
        for place in order:
            name, arguments, more = calls[place]
            if name != "measure" or data.draw(st.booleans()):
                getattr(sender, name)(*arguments, **more)
                continue
            external, day, score = arguments
            wrong = data.draw(MEASURES.map(lambda told: told[0]))
            _, first, other = measured(external, *wrong)
            sender.measure(*first, **other)
            kind = "corrected"
            if data.draw(st.booleans()):
                sender.withdraw(external)
                kind = "reinstated"
            sender.measure(external, day, score, kind=kind, **more)

    page, cold = data.draw(st.sampled_from([1, 3, 500])), data.draw(st.booleans())
    log = played(untidy, page=page, cold=cold)
    assert now_open(log) == now_open(tidy)
    assert charted(log) == charted(tidy)
    assert effects(log) == effects(tidy)


def effects(log: MemoryLog) -> dict[Any, Any]:
    """The effects that stand, less the version of their measure."""
    return {
        key: {name: value for name, value in told.items() if name != "version"}
        for key, told in said(log).effects.items()
        if not told["withdrawn"]
    }


@given(histories(), st.sampled_from([1, 2, 5, 500]))
@settings(deadline=None, max_examples=40)
def test_pages_and_restarts_change_no_event(history: History, page: int) -> None:
    """Measures alone: then even every single event is the same, cold or warm, page by page."""
    calls, order = history
    measures = [calls[place] for place in order if calls[place][0] == "measure"]
    whole = played(lambda sender: make(sender, measures))
    parted = played(lambda sender: make(sender, measures), page=page, cold=True)
    stream = IDS.derive("findings", episode_id().hex)
    assert whole.read(stream) == parted.read(stream)


# Failures of the log


class Refusing(MemoryLog):
    """Refuses the next append of findings, once."""

    refuse = False

    def append(self, events: Any, tracking: tuple[str, int] | None = None) -> list[int]:
        if self.refuse and tracking:
            self.refuse = False
            raise ConflictError("somebody else was here")
        return super().append(events, tracking)


def test_what_was_not_stored_is_found_again() -> None:
    log = Refusing()
    sender, reader = Sender(log), detector(log)
    sender.measure("m0", 0, 14)
    detect(log, reader)
    sender.measure("m1", 7, 21)
    log.refuse = True
    with pytest.raises(ConflictError):
        detect(log, reader)
    detect(log, reader)
    assert len(log.of(findings.Assessed)) == 2
    assert "possibly_worse" in now_open(log)


def test_the_second_of_two_detectors_conflicts_and_reads_again() -> None:
    log = MemoryLog()
    sender, one, other = Sender(log), detector(log), detector(log)
    sender.measure("m0", 0, 14)
    detect(log, one)
    detect(log, other)
    sender.measure("m1", 7, 21)
    entries = [entry for entry in log.entries if isinstance(entry.event, MeasureRecorded)][1:]
    one.apply(entries, entries[-1].position)
    with pytest.raises(ConflictError):
        other.apply(entries, entries[-1].position)
    sender.measure("m2", 14, 22)
    other.reload()
    detect(log, other)
    assert "reliable_deterioration" in now_open(log)


def test_an_erased_episode_is_passed_over() -> None:
    log = MemoryLog()
    reader = detector(log)
    gone = Redacted(
        originator_id=UUID(int=3), originator_version=1, owner=OWNER, topic="measure.recorded"
    )
    reader.apply([Entry(1, gone)], 1)
    assert reader.position() == 1
    assert log.entries == []


def test_a_damaged_record_is_said_and_stops_nothing_else() -> None:
    log = MemoryLog()
    sender, other, reader = Sender(log), Sender(log, "f"), detector(log)
    for number, (day, score) in enumerate(FLAT_AND_HIGH):
        sender.measure(f"m{number}", day, score)
    detect(log, reader)
    sender.session("s1", 20)
    stored = log.streams[episode_id()][0]
    hurt = Damaged(
        originator_id=stored.originator_id,
        originator_version=1,
        topic=stored.TOPIC,
        reason="does not authenticate",
    )
    log.streams[episode_id()][0] = hurt
    log.entries[-1] = Entry(log.entries[-1].position, hurt)
    other.measure("other", 0, 14)
    detect(log, reader)
    current = now_open(log)
    assert current["not_assessable"][2]["reasons"] == ["record_damaged"]
    assert current["not_assessable"][0] == "review"
    assert "off_track" in current, "what was said stays said"
    assert "not_assessable" in said(log, "f").open_findings

    sender.measure("m3", 21, 4)
    detect(log, detector(log))
    assert set(now_open(log)) == set(current), "a restart does not forget the damage"


def test_a_damaged_measure_is_found_by_its_other_versions() -> None:
    log = MemoryLog()
    sender, reader = Sender(log), detector(log)
    sender.measure("m0", 0, 14)
    detect(log, reader)
    stream = IDS.derive("measure", "clinic", "m0")
    hurt = Damaged(
        originator_id=stream, originator_version=2, topic="measure.corrected", reason="unreadable"
    )
    log.streams[stream].append(hurt)
    entry = Entry(len(log.entries) + 1, hurt)
    assert reader.key(entry) == episode_id()
    reader.apply([entry], entry.position)
    assert now_open(log)["not_assessable"][2]["reasons"] == ["record_damaged"]


# Time


def ticked(log: MemoryLog, day: int) -> int:
    reader = detector(log, due=lambda today: [episode_id()])
    return reader.tick(START + timedelta(days=day))


def test_silence_is_noticed_by_an_event_that_carries_the_time() -> None:
    log = MemoryLog()
    Sender(log).open(0)
    detect(log, detector(log))
    assert ticked(log, 20) == 0
    assert log.of(findings.SilenceNoticed) == []
    assert ticked(log, 21) == 1
    (noticed,) = log.of(findings.SilenceNoticed)
    assert (noticed.on, noticed.days, noticed.since) == ("2024-01-22", 21, "2024-01-01")
    assert noticed.due == "2024-01-29"
    assert now_open(log)["disconnection"][2]["numbers"]["kind"] == "silence"
    assert ticked(log, 21) == 0, "once is enough"
    assert ticked(log, 28) == 1
    assert now_open(log)["not_assessable"][0] == "review"
    assert ticked(log, 90) == 0, "nothing more is to be said"


def test_a_late_measure_takes_silence_back() -> None:
    log = MemoryLog()
    sender, reader = Sender(log), detector(log)
    sender.open(0)
    sender.measure("m0", 0, 14)
    detect(log, reader)
    ticked(log, 21)
    sender.arrived = START + timedelta(days=22)
    sender.measure("m1", 14, 14)
    detect(log, detector(log))
    assert "disconnection" not in now_open(log)
    (cleared,) = [o for o in log.of(findings.FindingCleared) if o.channel == "disconnection"]
    assert cleared.reason == "corrected away"


def test_a_closed_episode_waits_for_nothing() -> None:
    log = MemoryLog()
    sender = Sender(log)
    sender.open(0)
    sender.measure("m0", 0, 14)
    sender.close(5)
    detect(log, detector(log))
    assert ticked(log, 60) == 0


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (lambda sender: sender.close(23), "closed"),
        (lambda sender: sender.session("s3", 23, "attended"), "recovered"),
    ],
)
def test_what_time_alone_made_known_is_said_when_its_turn_comes(
    happens: Callable[[Sender], None], reason: str
) -> None:
    log = MemoryLog()
    sender = Sender(log)
    sender.open(0)
    sender.measure("m0", 21, 14)
    sender.session("s1", 21, "missed")
    sender.session("s2", 22, "missed")
    detect(log, detector(log))
    assert "disconnection" in now_open(log)
    reader = detector(log, due=lambda today: [episode_id()])
    happens(sender)
    reader.tick(START + timedelta(days=24))  # reads the episode, with what just came in
    detect(log, reader)
    cleared = {one.channel: one.reason for one in log.of(findings.FindingCleared)}
    assert cleared["disconnection"] == reason
    assert "disconnection" not in now_open(log)


def test_time_is_looked_at_again_after_a_measure_went() -> None:
    log = MemoryLog()
    sender = Sender(log)
    sender.open(0)
    sender.measure("m0", 0, 14)
    sender.measure("m1", 30, 14)
    reader = detector(log, due=lambda today: [episode_id()])
    detect(log, reader)
    assert reader.tick(START + timedelta(days=40)) == 0, "nothing is due before day 51"
    sender.withdraw("m1")
    detect(log, reader)
    reader.tick(START + timedelta(days=40))
    assert "disconnection" in now_open(log), "the last measure is 40 days old now"


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


def test_the_clock_is_not_asked_while_it_is_not_trusted() -> None:
    log = MemoryLog()
    Sender(log).open(0)
    detect(log, detector(log))
    reader = detector(log, due=lambda today: [episode_id()], may_tick=lambda: False)
    reader._clock.set(START + timedelta(days=60))  # type: ignore[attr-defined]
    reader.idle()
    assert log.of(findings.SilenceNoticed) == []


# Pivots


def pivoted(sender: Sender) -> None:
    sender.open(0)
    sender.approach("CBT", 0)
    for number, (day, score) in enumerate(FLAT_AND_HIGH):
        sender.measure(f"m{number}", day, score)
    sender.approach("EMDR", 14, origin="reflection", review_on=sender.on(56))


def test_a_pivot_is_forecast_from_what_was_known_on_its_day() -> None:
    (forecast,) = played(pivoted).of(findings.ForecastMade)
    assert forecast.on == "2024-01-15"
    assert [point["weeks"] for point in forecast.fan] == [1, 2, 4, 6, 8, 12]
    assert 0 < forecast.p_worked < 0.5
    last = played(pivoted).of(findings.Assessed)[-1].assessment
    assert forecast.fan == last["fan"], "of its own day: the same estimate, the same fan"


def test_measures_after_a_pivot_are_held_against_its_forecast() -> None:
    def tell(sender: Sender) -> None:
        pivoted(sender)
        sender.fact("f", 10, "medication", "sertraline")
        sender.measure("m3", 21, 21)
        sender.measure("m4", 42, 5)

    log = played(tell)
    effects = log.of(findings.EffectMeasured)
    assert [(one.weeks, one.verdict) for one in effects] == [
        (1, "within forecast"),
        (4, "better than forecast"),
    ]
    assert effects[1].observed == 5 < effects[1].low80 < effects[1].mean < effects[1].high80
    assert effects[1].high80 <= 27, "a forecast keeps to the scale"
    assert effects[1].also_changed == ["medication: sertraline"]


def test_a_corrected_measure_is_measured_again_and_a_withdrawn_one_withdrawn() -> None:
    def tell(sender: Sender) -> None:
        pivoted(sender)
        sender.measure("m4", 42, 5)
        sender.measure("m4", 42, 20, kind="corrected")
        sender.withdraw("m4")

    effects = played(tell).of(findings.EffectMeasured)
    assert [(one.observed, one.version, one.withdrawn) for one in effects] == [
        (5, 1, False),
        (20, 2, False),
        (20, 2, True),
    ]


def test_the_first_approach_of_an_episode_is_no_pivot() -> None:
    def tell(sender: Sender) -> None:
        sender.open(0)
        sender.approach("CBT", 0)
        sender.measure("m0", 0, 14)
        sender.measure("m1", 7, 14)

    log = played(tell)
    assert log.of(findings.ForecastMade) == []
    assert log.of(findings.EffectMeasured) == []


def test_a_reflection_gets_its_forecast_once() -> None:
    def tell(sender: Sender) -> None:
        for number, (day, score) in enumerate(FLAT_AND_HIGH):
            sender.measure(f"m{number}", day, score)
        sender.reflect("r1", 15, 60)
        sender.measure("m1", 7, 14, kind="corrected")

    (forecast,) = played(tell).of(findings.ForecastMade)
    assert (forecast.reflection, forecast.approach_id) == ("r1", None)
    assert 0 < forecast.p_worked < 1


def test_nothing_can_be_forecast_from_nothing() -> None:
    def tell(sender: Sender) -> None:
        sender.open(0)
        sender.reflect("r1", 3, 60)

    (forecast,) = played(tell).of(findings.ForecastMade)
    assert forecast.not_assessable == ["too_few"]
    assert (forecast.fan, forecast.p_worked) == ([], None)
