"""A clinic's own recalibration in the detector: the number moves, the alarms stay, all is said."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from services.outcomes.adopting import CHANGES, adopt, differences
from services.outcomes.core import findings
from services.outcomes.core.case import Yardsticks
from services.outcomes.core.channels.off_track import off_track
from services.outcomes.core.estimate import model
from services.outcomes.core.recalibration import FITTED_UNDER, Recalibration, read
from services.outcomes.core.rules import RULE
from services.outcomes.core.spec import Spec
from services.outcomes.core.table import InstrumentError
from services.outcomes.core.timeline import Measure, iso, ordinal
from services.outcomes.core.trajectory import Context, Trajectory, build
from services.outcomes.research.fitting.recalibration import Line, through
from simulation.cohort import cohort
from tests.core.logbook import YARDSTICKS, MemoryLog, Sender, detector, episode_id

INSTRUMENTS = {name: one.instrument for name, one in YARDSTICKS.specs.items()}
MODELS = {name: one.model for name, one in YARDSTICKS.specs.items()}
LINE = Recalibration(0.4, 0.7, 1240, "2026-03-01")
OWN = Yardsticks(INSTRUMENTS, recalibrations={"phq-9": LINE})
START = ordinal("2024-01-01")


def written(**changed: object) -> str:
    told: dict[str, object] = {
        "instrument": '"phq-9"', "intercept": 0.4, "slope": 0.7, "endings": 1240, "failures": 400,
        "made_on": '"2026-03-01"', "horizon_weeks": 6.0,
    }  # fmt: skip
    under: dict[str, object] = {name: getattr(MODELS["phq-9"], name) for name in FITTED_UNDER}
    for name, value in changed.items():
        (under if name in under else told)[name] = value
    lines = ["[[recalibration]]", *(f"{name} = {value}" for name, value in told.items())]
    lines += ["[recalibration.model]", *(f"{name} = {value}" for name, value in under.items())]
    return "\n".join(lines) + "\n"


def fault(text: str, weeks: float = 6) -> str:
    with pytest.raises(InstrumentError) as caught:
        read("own.toml", text, MODELS, weeks)
    return str(caught.value)


def folded(spec: Spec, scores: Iterable[tuple[int, float]]) -> Trajectory:
    entries = [
        Measure(
            measure=f"{day:04}",
            version=1,
            external_id="",
            instrument="phq-9",
            respondent="client",
            on=iso(START + day),
            at=None,
            score=float(score),
            band=None,
            flags=(),
            session_number=None,
            received_on=iso(START + day),
        )
        for day, score in scores
    ]
    return build("k", spec, entries, Context())


def test_a_file_gives_the_line_it_holds() -> None:
    assert read("own.toml", written(), MODELS, 6) == {"phq-9": LINE}


@pytest.mark.parametrize("failures", [100, 900])
def test_the_fewest_that_are_enough_are_taken(failures: int) -> None:
    found = read("own.toml", written(endings=1000, failures=failures), MODELS, 6)
    assert found["phq-9"].endings == 1000


def test_joined_files_are_one_line_for_each_instrument() -> None:
    under = {name: getattr(MODELS["gad-7"], name) for name in FITTED_UNDER}
    both = written() + written(instrument='"gad-7"', slope=1.1, **under)
    found = read("own.toml", both, MODELS, 6)
    assert {name: one.slope for name, one in found.items()} == {"phq-9": 0.7, "gad-7": 1.1}
    assert "line 23: recalibration[1].instrument has a recalibration already" in fault(
        written() + written()
    )


@pytest.mark.parametrize(
    ("changed", "line", "said"),
    [
        ({"slope": -0.2}, 4, "slope must be above 0: else P(fail) would be turned round"),
        ({"slope": 0.0}, 4, "slope must be above 0: else P(fail) would be turned round"),
        ({"slope": "nan"}, 4, "slope must be a finite number"),
        ({"intercept": '"x"'}, 3, "intercept must be a number"),
        ({"endings": 999}, 5, "endings must be 1,000 or more: fewer say too little"),
        ({"failures": 99}, 6, "failures needs 100 failures and 100 others"),
        ({"failures": 1141}, 6, "failures needs 100 failures and 100 others"),
        ({"instrument": '"phq-99"'}, 2, "instrument is not known"),
        ({"instrument": '"bdi"'}, 2,
         "instrument has no P(fail) here: no norm or no reliability"),
        ({"horizon_weeks": 8}, 8, "horizon_weeks is 8, and P(fail) looks 6 weeks ahead here"),
        ({"slope_mean": -1.9}, 15, "model.slope_mean was -1.9 at the fit and is -1.525 here: "
         "fit it again, or set the numbers of its fit"),
        ({"cut": 11.5}, 21, "model.cut was 11.5 at the fit and is 9.5 here: "
         "fit it again, or set the numbers of its fit"),
        ({"sd": 6.1 * (1 + 1.05e-6)}, 11, "model.sd was 6.10001 at the fit and is 6.1 here: "
         "fit it again, or set the numbers of its fit"),
        ({"weight": 3}, 9, "weight is not a known key"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_by_line_and_reason(
    changed: dict[str, object], line: int, said: str
) -> None:
    told = fault(written(**changed))
    assert told == f"own.toml, line {line}: recalibration[0].{said}"


def test_numbers_that_agree_to_a_millionth_are_the_same() -> None:
    assert read("own.toml", written(sd=6.1 * (1 + 0.95e-6)), MODELS, 6) == {"phq-9": LINE}


def test_a_forecast_is_never_told_as_certain() -> None:
    steep = Recalibration(0.0, 5.0, 1240, "2026-03-01")
    told = [LINE.chance(0.0), 1 - LINE.chance(1.0), steep.chance(0.0), 1 - steep.chance(1.0)]
    assert told == pytest.approx([9.412e-5, 4.2293e-5, 9.358e-14, 9.358e-14], rel=2e-3, abs=0)


def test_a_file_of_remarks_or_of_something_else_is_refused() -> None:
    assert "own.toml: as a whole holds no recalibration" in fault("# nothing helps\n")
    assert fault("[[recalibration]\n").startswith("own.toml: as a whole is no TOML: ")
    assert "is not a known key" in fault(written() + "[[more]]\n")


def test_numbers_of_the_model_are_held_against_those_in_force() -> None:
    norm = INSTRUMENTS["phq-9"].norm
    assert norm is not None
    changed = {"phq-9": model(replace(INSTRUMENTS["phq-9"], norm=replace(norm, sd=6.2)))}
    with pytest.raises(InstrumentError, match=r"model\.sd was 6\.1 at the fit and is 6\.2 here"):
        read("own.toml", written(), changed, 6)
    no_mean = {"phq-9": model(replace(INSTRUMENTS["phq-9"], norm=replace(norm, mean=None)))}
    with pytest.raises(
        InstrumentError, match=r"model\.mean was 14\.2 at the fit and is not known h"
    ):
        read("own.toml", written(), no_mean, 6)


def test_the_service_and_the_fit_draw_the_same_line() -> None:
    chances = np.array([0.0, 1e-9, 0.03, 0.5, 0.68, 0.97, 1.0])
    theirs = through(Line(LINE.intercept, LINE.slope), chances)
    ours = [LINE.chance(float(one)) for one in chances]
    assert ours == pytest.approx(theirs.tolist(), abs=1e-12)
    assert all(0 < one < 1 for one in ours)


def test_the_number_moves_and_not_a_single_alarm() -> None:
    plain, own = YARDSTICKS.specs["phq-9"], OWN.specs["phq-9"]
    alarmed = 0
    for course in cohort(250, 9):
        before, after = folded(plain, course.scores), folded(own, course.scores)
        steps = list(zip(before.steps, after.steps, strict=True))
        assert [(one.alarm, one.quiet) for one, _ in steps] == [
            (two.alarm, two.quiet) for _, two in steps
        ]
        alarmed += any(one.alarm for one, _ in steps)
        for one, two in steps:
            if one.p_fail is None:
                assert two.p_fail is None
            else:
                assert two.p_fail == pytest.approx(LINE.chance(one.p_fail), abs=1e-12)
            assert (one.p_better, one.p_worse) == (two.p_better, two.p_worse)
    assert alarmed > 40


def test_a_finding_says_whose_calibration_it_is_and_from_how_many() -> None:
    scores = [(day, 17) for day in range(0, 70, 7)]
    plain = off_track(folded(YARDSTICKS.specs["phq-9"], scores))
    own = off_track(folded(OWN.specs["phq-9"], scores))
    assert plain is not None
    assert own is not None
    assert "endings" not in plain.numbers
    assert own.numbers["endings"] == 1240
    assert own.numbers["p_fail_of_model"] == plain.numbers["p_fail"]
    assert own.numbers["p_fail"] == pytest.approx(LINE.chance(plain.numbers["p_fail"]), abs=1e-3)
    assert own.numbers["threshold"] == pytest.approx(
        LINE.chance(plain.numbers["threshold"]), abs=1e-4
    )
    source = str(own.thresholds[0]["source"])
    assert source.endswith("recalibrated by 1,240 endings of this clinic (2026-03-01)")


def test_an_alarm_that_never_ends_stays_so() -> None:
    rules = replace(YARDSTICKS.rules, alarm_hysteresis=0.9)
    spec = Spec.of(INSTRUMENTS["phq-9"], rules, recalibration=LINE)
    assert spec.clears_below < 0 < spec.threshold
    assert not math.isnan(spec.threshold)


def test_only_the_instrument_of_the_line_and_only_its_total_is_recalibrated() -> None:
    assert {name for name, one in OWN.specs.items() if one.recalibration} == {"phq-9"}
    dass = Yardsticks(INSTRUMENTS, recalibrations={"dass-21": LINE})
    whole = replace(folded(YARDSTICKS.specs["phq-9"], [(0, 9)]).entries[0], instrument="dass-21")
    part = replace(whole, scale="depression")
    assert dass.spec(whole).recalibration == LINE
    assert dass.spec(part).recalibration is None


def test_the_rules_bear_another_name_and_adopt_tells_what_reads_otherwise() -> None:
    assert YARDSTICKS.rule == RULE
    steeper = Yardsticks(INSTRUMENTS, recalibrations={"phq-9": replace(LINE, slope=0.8)})
    assert len({RULE, OWN.rule, steeper.rule}) == 3
    log = MemoryLog()
    sender = Sender(log)
    sender.open(0)
    for number in range(8):
        sender.measure(f"m{number}", number * 7, 17)
    detector(log).apply(list(log.entries), len(log.entries))
    own = detector(log, yardsticks=OWN)
    told = differences(own, [episode_id()], lambda done, of: None)
    assert told.counts[("off_track", "phq-9", CHANGES)] == 1
    assert all(what != "opens" and what != "clears" for _, _, what in told.counts)
    stored = len(log.entries)
    assert adopt(own, [episode_id()], lambda done, of: None) == 1
    new = [entry.event for entry in log.entries[stored:]]
    amended = [one for one in new if isinstance(one, findings.FindingAmended)]
    assert not any(isinstance(one, findings.FindingOpened) for one in new)
    now = next(one for one in amended if one.channel == "off_track")
    assert now.evidence["numbers"]["endings"] == 1240
