"""The alarm budget: thresholds that ship come from their command, and the service keeps them."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.__main__ import main
from services.outcomes.core.rules import DEFAULTS
from services.outcomes.core.spec import Spec
from services.outcomes.registry import registry
from services.outcomes.research.evaluation.calibrate import BUDGETS, calibrate, threshold_for
from tests.core import thresholds

KNOWN = registry()
CALIBRATED = [path.stem for path in thresholds.calibrated()]


def moved(what: str, done: int, of: int) -> None:
    """Nothing is shown."""


def test_every_instrument_with_a_forecast_and_a_cut_off_is_calibrated() -> None:
    specs = {name: Spec.of(one, DEFAULTS) for name, one in KNOWN.items()}
    able = [name for name, one in specs.items() if one.model and one.model.cut is not None]
    assert sorted(able) == CALIBRATED == sorted(name for name, one in KNOWN.items() if one.alarm)
    assert all(tuple(KNOWN[name].alarm) == BUDGETS for name in CALIBRATED)


@pytest.mark.parametrize("name", CALIBRATED)
def test_a_small_calibration_comes_near_the_shipped_one(name: str) -> None:
    """Other courses than those it was made from: the budgets hold for them too, within chance."""
    found = calibrate(KNOWN[name], [77], 900, moved)
    shipped = [KNOWN[name].alarm[budget] for budget in BUDGETS]
    assert list(found.thresholds) == pytest.approx(shipped, abs=0.07)
    assert f"--calibrate {name} --seeds 41-41 --clients 20000" in KNOWN[name].sources["alarm"]


@pytest.mark.parametrize("name", CALIBRATED)
def test_what_ships_is_what_its_command_makes_now(name: str) -> None:
    """After a change of the model, the cohort or a norm: make thresholds."""
    path = thresholds.FOLDER / f"{name}.toml"
    assert path.read_text("utf-8") == thresholds.anew(path)


def test_a_definition_of_ones_own_is_calibrated_from_its_file(tmp_path: Path) -> None:
    text = (thresholds.FOLDER / "phq-9.toml").read_text("utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace('id = "phq-9"', 'id = "our-9"'))
    asked = ["evaluate", "--calibrate", str(own), "--seeds", "77-77", "--clients", "300"]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    assert "--calibrate own.toml --seeds 77-77 --clients 300" in done.stdout
    own.write_text("id = 3\n")
    wrong = CliRunner().invoke(main, asked)
    assert wrong.exit_code == 2
    assert f"{own}: " in wrong.stderr
    assert "is missing" in wrong.stderr


def test_the_command_prints_the_table_of_a_definition_with_itself() -> None:
    asked = ["evaluate", "--calibrate", "phq-9", "--seeds", "77-77", "--clients", "300"]
    one, two = (CliRunner().invoke(main, asked) for _ in range(2))
    assert one.exit_code == 0, one.output
    assert one.stdout == two.stdout
    assert one.stdout.startswith("[alarm]\nbudgets = [0.02, 0.05, 0.10, 0.15, 0.20, 0.30]\n")
    assert "--calibrate phq-9 --seeds 77-77 --clients 300" in one.stdout


@pytest.mark.parametrize("name", ["bdi", "phq-99"])
def test_what_cannot_be_calibrated_is_said(name: str) -> None:
    done = CliRunner().invoke(main, ["evaluate", "--calibrate", name, "--clients", "100"])
    assert done.exit_code == 2
    assert name in done.stderr


def test_the_service_alarms_by_the_budget_that_was_chosen() -> None:
    phq = KNOWN["phq-9"]
    for budget, threshold in phq.alarm.items():
        spec = Spec.of(phq, replace(DEFAULTS, alarm_budget=budget))
        assert spec.threshold == threshold
        assert f"alarm budget {budget:g}" in str(spec.limits_of_alarm[0]["source"])
    between = Spec.of(phq, replace(DEFAULTS, alarm_budget=0.075)).threshold
    assert between == pytest.approx((phq.alarm[0.05] + phq.alarm[0.10]) / 2)
    beyond = [Spec.of(phq, replace(DEFAULTS, alarm_budget=one)).threshold for one in (0.001, 0.9)]
    assert beyond == [phq.alarm[0.02], phq.alarm[0.30]]


def test_an_instrument_without_calibration_has_the_threshold_of_the_rules() -> None:
    spec = Spec.of(replace(KNOWN["phq-9"], alarm={}), DEFAULTS)
    assert spec.threshold == DEFAULTS.alarm_threshold


@pytest.mark.parametrize(
    ("budget", "threshold"),
    [(0.0, 0.9), (0.24, 0.9), (0.25, 0.601), (0.5, 0.3), (0.74, 0.3), (0.75, 0.2), (0.99, 0.2)],
)
def test_a_threshold_is_the_lowest_that_keeps_to_its_budget(
    budget: float, threshold: float
) -> None:
    """Of four courses each is a quarter; what reaches the threshold and no more is not alarmed."""
    assert threshold_for([0.6004, 0.2, 0.9, 0.3], budget) == threshold


@pytest.mark.parametrize(("courses", "budget"), [([], 0.1), ([0.5], 1.0), ([0.5], -0.1)])
def test_no_threshold_comes_from_no_courses_or_from_what_is_no_share(
    courses: list[float], budget: float
) -> None:
    with pytest.raises(ValueError, match=r"^needs courses, and a budget from 0 to below 1$"):
        threshold_for(courses, budget)
