"""`outcomes adopt`: what other rules change is told first, then done, over a real store."""

from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.chassis.clock import SteppedClock
from services.outcomes import settings
from services.outcomes.__main__ import outcomes
from services.outcomes.core import findings
from services.outcomes.core.recalibration import FITTED_UNDER
from services.outcomes.wiring import Outcomes
from tests.core.logbook import START, YARDSTICKS, Sender

BOLDER = {"PIVOTPOINT_OUTCOMES_RULE_FLAT": "0.2"}
"""Calls a course flat much sooner."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with two courses, read by a detector of the shipped rules."""
    service = Outcomes.open(settings.of_folder(tmp_path), SteppedClock(START))
    for name in ("e", "f"):
        sender = Sender(service.store.log(), name)
        sender.open(0)
        for number in range(5):
            sender.measure(f"{name}{number}", number * 7, (16, 18, 16, 14, 16)[number])
    _read(service)
    service.stop()
    return tmp_path


def _read(service: Outcomes) -> None:
    for reader in (service.detector(), service.store.views.reader(service.episodes_view)):
        page = service.log.page(reader.position(), 500, reader.topics)
        if page.scanned_to > reader.position():
            reader.apply(page.entries, page.scanned_to)


def ask(data: Path, *words: str, **rules: str) -> Result:
    return CliRunner().invoke(outcomes, ["adopt", *words, "--data", str(data)], env=rules)


def opened(data: Path) -> list[findings.FindingOpened]:
    service = Outcomes.open(settings.of_folder(data), SteppedClock(START))
    entries = service.log.page(0, 5000, {findings.FindingOpened.TOPIC}).entries
    service.stop()
    return [entry.event for entry in entries]


def test_first_the_differences_then_the_pass(data: Path) -> None:
    before = len(opened(data))
    compared = ask(data, **BOLDER)
    assert "2 of 2 courses are judged by others" in compared.output
    assert "plateau  phq-9       opens  2" in compared.output
    assert len(opened(data)) == before
    listed = ask(data, "--list", **BOLDER).output
    assert listed.count("plateau") == 2
    version = compared.output.split("adopt ")[-1].strip()
    done = ask(data, version, **BOLDER)
    assert done.exit_code == 0, done.output
    assert f"2 of 2 courses are judged by {version}" in done.output
    new = opened(data)[before:]
    assert [(one.channel, one.tier, one.quiet) for one in new] == [("plateau", "info", True)] * 2
    assert "0 of 2 courses are judged by others" in ask(data, **BOLDER).output
    assert "Nothing changes." in ask(data, **BOLDER).output


def test_what_a_recalibration_changes_is_told_before_it_is_adopted(
    data: Path, tmp_path: Path
) -> None:
    under = YARDSTICKS.specs["phq-9"].model
    file = tmp_path / "own.toml"
    file.write_text(
        '[[recalibration]]\ninstrument = "phq-9"\nintercept = 0.9\nslope = 0.8\nendings = 1240\n'
        'failures = 400\nmade_on = "2026-03-01"\nhorizon_weeks = 6\n[recalibration.model]\n'
        + "".join(f"{name} = {getattr(under, name)}\n" for name in FITTED_UNDER)
    )
    own = {"PIVOTPOINT_OUTCOMES_RECALIBRATION": str(file)}
    before = len(opened(data))
    compared = ask(data, **own)
    assert compared.exit_code == 0, compared.output
    assert "2 of 2 courses are judged by others" in compared.output
    assert "a trajectory  phq-9       read otherwise  2" in compared.output
    assert " opens " not in compared.output
    assert " clears " not in compared.output
    version = compared.output.split("adopt ")[-1].strip()
    assert "2 of 2 courses are judged by" in ask(data, version, **own).output
    assert len(opened(data)) == before
    assert "Nothing changes." in ask(data, **own).output
    file.write_text(file.read_text().replace("slope = 0.8", "slope = 0"))
    wrong = ask(data, **own)
    assert wrong.exit_code == 1
    assert f"{file}, line 4: recalibration[0].slope must be above 0" in wrong.stderr


def test_only_what_is_in_force_can_be_adopted(data: Path) -> None:
    answer = ask(data, "1.0-00000000")
    assert answer.exit_code == 1
    assert "in force here is" in answer.output


def test_what_was_not_read_yet_is_waited_for(data: Path) -> None:
    service = Outcomes.open(settings.of_folder(data), SteppedClock(START))
    Sender(service.store.log(), "e").measure("e9", 70, 4)
    service.stop()
    answer = ask(data, **BOLDER)
    assert answer.exit_code == 1
    assert "not read everything yet: let the service run, then try again" in answer.output


def test_a_number_changed_in_a_clinic_s_own_definition_is_noticed(
    data: Path, tmp_path: Path
) -> None:
    shipped = resources.files("services.outcomes") / "instruments" / "phq-9.toml"
    text = shipped.read_text("utf-8")
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "phq-9.toml").write_text(text, "utf-8")
    own = {"PIVOTPOINT_OUTCOMES_INSTRUMENTS": str(folder)}
    version = ask(data, **own).output.split("adopt ")[-1].strip()
    assert "2 of 2 courses are judged by" in ask(data, version, **own).output
    assert "0 of 2 courses are judged by others" in ask(data, **own).output
    cut = text.replace("value = 10", "value = 17", 1)
    assert cut != text
    (folder / "phq-9.toml").write_text(cut, "utf-8")
    compared = ask(data, **own).output
    assert "2 of 2 courses are judged by others" in compared
    assert version not in compared
