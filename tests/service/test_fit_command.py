"""`pivotpoint fit` from outside: closed episodes in, numbers with their worth or reasons out."""

import json
import random
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.__main__ import main
from services.chassis.clock import SystemClock
from services.outcomes.core.estimate import DEFAULTS
from services.outcomes.core.table import InstrumentError
from services.outcomes.settings import load, of_folder
from services.outcomes.wiring import Outcomes
from simulation.cohort import cohort

COLUMNS = ("--client", "id", "--day", "day", "--score", "score")
SCALE = ("--sd", "6", "--reliability", ".85", "--cutoff", "10")
QUICK = ("--folds", "2", "--bootstrap", "100")
OUTCOMES = "PIVOTPOINT_OUTCOMES_"
PREFIX = f"{OUTCOMES}MODEL_"
LEARNED = ("slope_mean", "slope_sd", "damping", "drift")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["fit", *map(str, arguments), *COLUMNS, *QUICK])


def refused(*arguments: str | Path) -> str:
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    return done.stderr


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(["id,day,score", *lines]) + "\n")
    return path


def of_cohort(clients: int, seed: int, longest: int = 99) -> list[str]:
    return [
        f"C{one.number:05d},{day},{score}"
        for one in cohort(clients, seed)
        for day, score in one.scores[:longest]
    ]


def of_the_model(clients: int) -> list[str]:
    """Drawn from the shipped numbers themselves, so that there is nothing to learn."""
    drawn, sd, lines = random.Random(3), 6.0, []
    noise = sd * (1 - 0.85 + DEFAULTS.state_noise) ** 0.5
    for client in range(clients):
        baseline = drawn.gauss(16, sd * 0.85**0.5)
        slope, change = drawn.gauss(DEFAULTS.slope_mean, DEFAULTS.slope_sd) * sd, 0.0
        for week in range(7):
            score = baseline + change + drawn.gauss(0, noise)
            lines.append(f"M{client:04d},{7 * week},{score:.3f}")
            change += slope + drawn.gauss(0, DEFAULTS.drift * sd)
            slope *= DEFAULTS.damping
    return lines


def refit_of(given: "Given") -> dict[str, str]:
    """The settings of the file of --toml, and the folder with the definition."""
    refit = tomllib.loads(given.toml)
    settings = {name.removeprefix(OUTCOMES): str(value) for name, value in refit.items()}
    return settings | {"INSTRUMENTS": str(given.folder / "own")}


class Given:
    """One run: what it printed, and both of its files."""

    def __init__(self, folder: Path, lines: list[str], *scale: str) -> None:
        table = written(folder / "table.csv", lines)
        toml, figures, line = (folder / name for name in ("fit.toml", "fit.json", "line.toml"))
        lined = ("--recalibration", line) if "--instrument" in scale else ()
        done = run("--csv", table, *scale, "--toml", toml, "--json", figures, *lined)
        assert done.exit_code == 0, done.output
        self.folder, self.text, self.toml = folder, done.stdout, toml.read_text()
        self.line = line.read_text() if lined else ""
        self.figures: dict[str, Any] = json.loads(figures.read_text())


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Given:
    lines = of_cohort(1300, 31, longest=10)
    return Given(tmp_path_factory.mktemp("many"), lines, "--instrument", "phq-9")


@pytest.fixture(scope="module")
def gloomier(tmp_path_factory: pytest.TempPathFactory) -> Given:
    """A clinic, with a definition of its own, where many a course ends badly all of a sudden."""
    drawn, lines = random.Random(8), []
    for one in cohort(1800, 31):
        relapsed = drawn.random() < 0.5
        for place, (day, score) in enumerate(one.scores[:10]):
            ended = relapsed and place >= 8
            lines.append(f"C{one.number:05d},{day},{20 if ended else score}")
    folder = tmp_path_factory.mktemp("gloomier")
    own = folder / "own" / "our-9.toml"
    own.parent.mkdir()
    phq_9 = (resources.files("services.outcomes") / "instruments" / "phq-9.toml").read_text("utf-8")
    own.write_text(phq_9.replace('id = "phq-9"', 'id = "our-9"'))
    return Given(folder, lines, "--instrument", str(own))


@pytest.fixture(scope="module")
def nothing_to_learn(tmp_path_factory: pytest.TempPathFactory) -> Given:
    return Given(tmp_path_factory.mktemp("same"), of_the_model(310), *SCALE)


def test_numbers_that_help_are_written_with_what_they_are_worth(many: Given) -> None:
    assert many.figures["n"] == 1300
    assert 0 < many.figures["gain"]["low"] < many.figures["gain"]["value"]
    assert many.figures["proposed"]
    assert "it helps" in many.text
    assert "clients not seen" in many.toml


def test_the_file_is_toml_and_the_service_takes_every_number_of_it(many: Given) -> None:
    settings = tomllib.loads(many.toml)
    assert set(settings) == {f"{PREFIX}{name.upper()}" for name in LEARNED}
    needed = {
        "PIVOTPOINT_OUTCOMES_STORE": "sqlite:///nowhere",
        "PIVOTPOINT_OUTCOMES_MASTER_KEY": "0" * 64,
        "PIVOTPOINT_OUTCOMES_ZONE": "UTC",
    }
    taken = load(needed | {name: str(value) for name, value in settings.items()}).model
    for name in LEARNED:
        assert getattr(taken, name) == many.figures["numbers"][name]["refit"]
        assert many.figures["numbers"][name]["shipped"] == getattr(DEFAULTS, name)


def test_the_file_is_an_environment_file_too(many: Given) -> None:
    lines = [line for line in many.toml.splitlines() if line and not line.startswith("#")]
    assert len(lines) == len(LEARNED)
    for line in lines:
        name, _, value = line.partition("=")
        assert name.startswith(PREFIX)
        assert value == value.strip()
        float(value)


def test_a_recalibration_is_judged_and_said_to_be_used_by_choice_alone(many: Given) -> None:
    line, endings = many.figures["recalibration"], many.figures["endings"]
    assert endings["n"] >= 1000
    assert endings["n"] + sum(endings["left_out"].values()) == 1300
    assert line["of"] == "refit"
    assert 0 < line["brier"] < 0.25
    crossed = endings["brier"]["refit"] - line["brier"]
    assert line["lower_by"]["value"] == pytest.approx(crossed, abs=1e-12)
    assert line["lower_by"]["low"] <= line["lower_by"]["value"] <= line["lower_by"]["high"]
    assert line["helps"] == (line["lower_by"]["low"] > 0)
    for text in (many.text, many.toml, many.line):
        assert "only where somebody names the file of --recalibration in the setting" in text


def test_a_recalibration_that_does_not_help_is_remarks_alone(many: Given) -> None:
    assert not many.figures["recalibration"]["helps"]
    assert tomllib.loads(many.line) == {}
    assert '# [[recalibration]]\n# instrument = "phq-9"\n' in many.line
    assert "Nothing of it is used" in many.line


def test_a_recalibration_that_helps_is_taken_by_the_service(
    gloomier: Given, tmp_path: Path
) -> None:
    """From the table to what the detector judges by."""
    figures = gloomier.figures["recalibration"]
    assert figures["helps"]
    file = tmp_path / "own.toml"
    file.write_text(gloomier.line)
    chosen = {**refit_of(gloomier), "RECALIBRATION": str(file)}
    service = Outcomes.open(of_folder(tmp_path / "data", **chosen), SystemClock())
    own = service.yardsticks.specs["our-9"].recalibration
    assert service.yardsticks.specs["phq-9"].recalibration is None
    assert own is not None
    assert (own.intercept, own.slope) == (figures["intercept"], figures["slope"])
    assert own.endings == gloomier.figures["endings"]["n"]
    assert own.chance(0.5) > 0.5
    service.stop()


def test_a_recalibration_of_other_numbers_stops_the_start(gloomier: Given, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(gloomier.line)
    chosen = {**refit_of(gloomier), "RECALIBRATION": str(file)}
    for name, value, said in (
        ("MODEL_DAMPING", "0.9", r"model\.damping was 0\.\d+ at the fit and is 0\.9 here"),
        ("RULE_HORIZON_WEEKS", "4", r"horizon_weeks is 6, and P\(fail\) looks 4 weeks ahead here"),
        ("RECALIBRATION", str(tmp_path / "gone.toml"), r"gone\.toml: .* no file of recalibrations"),
    ):
        settings = of_folder(tmp_path / "data", **chosen | {name: value})
        with pytest.raises(InstrumentError, match=said):
            Outcomes.open(settings, SystemClock())


def test_a_recalibration_is_of_the_scale_that_the_service_has(tmp_path: Path) -> None:
    table = written(tmp_path / "t.csv", ["a,0,12", "a,7,11"])
    line = ("--recalibration", tmp_path / "line.toml")
    assert "needs --instrument" in refused("--csv", table, *SCALE, *line)
    told = refused("--csv", table, "--instrument", "phq-9", "--cutoff", "12", *line)
    assert "is of phq-9 as the service has it: without --cutoff" in told
    told = refused("--csv", table, "--instrument", "bdi", *line)
    assert "bdi has no norm, reliability or cut-off of its own" in told
    assert not (tmp_path / "line.toml").exists()


def test_what_becomes_of_the_alarms_is_told(many: Given) -> None:
    alarms = many.figures["endings"]["alarms"]
    shipped, level = alarms["shipped"], alarms["refit_level"]
    assert level["false_alarms"] == pytest.approx(shipped["false_alarms"], abs=0.004)
    assert alarms["refit"]["false_alarms"] != shipped["false_alarms"]
    assert "Alarms above" in many.text


def test_numbers_that_do_not_help_change_nothing(nothing_to_learn: Given) -> None:
    assert not nothing_to_learn.figures["proposed"]
    assert nothing_to_learn.figures["gain"]["low"] <= 0
    assert "does not help beyond chance: stay with the shipped" in nothing_to_learn.text
    assert tomllib.loads(nothing_to_learn.toml) == {}
    assert f"# {PREFIX}SLOPE_MEAN=" in nothing_to_learn.toml


def test_too_few_endings_refuse_the_recalibration_alone(nothing_to_learn: Given) -> None:
    why = nothing_to_learn.figures["recalibration"]["refused"]
    assert "needs 1,000" in why
    assert "Recalibration: refused. There are" in nothing_to_learn.text


def test_too_few_episodes_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    lines = [*of_cohort(299, 4, longest=3), "alone,0,12"]
    table, toml = written(tmp_path / "table.csv", lines), tmp_path / "fit.toml"
    told = refused("--csv", table, "--instrument", "phq-9", "--toml", toml)
    assert "there are 299 closed episodes with two measures or more" in told
    assert "needs 300" in told
    assert "chance" in told
    assert not toml.exists()


def test_faults_are_told_by_row_and_reason(tmp_path: Path) -> None:
    lines = ["a,0,12", "a,7,x", "a,14,28", "a,14,3", ",0,4"]
    told = refused("--csv", written(tmp_path / "t.csv", lines), "--instrument", "phq-9")
    assert "row 3: score is no number" in told
    assert "row 4: score is outside 0 to 27" in told
    assert "row 6: names no client" in told


def test_the_table_is_never_written_over(tmp_path: Path) -> None:
    table = written(tmp_path / "t.csv", ["a,0,12"])
    before = table.read_bytes()
    for option in ("--toml", "--json", "--recalibration"):
        assert "is the table itself" in refused("--csv", table, *SCALE, option, table)
        nowhere = tmp_path / "none" / "out"
        assert "there is no folder" in refused("--csv", table, *SCALE, option, nowhere)
    assert table.read_bytes() == before


def test_a_scale_that_is_not_known_is_asked_for(tmp_path: Path) -> None:
    table = written(tmp_path / "t.csv", ["a,0,12", "a,7,11"])
    assert "needs --reliability" in refused("--csv", table, "--sd", "6", "--cutoff", "10")
    assert "no instrument phq-99" in refused("--csv", table, "--instrument", "phq-99")
