"""The commands about instruments: what is known, and whether a clinic's own file can be used."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.outcomes.__main__ import outcomes

FOLDER = Path(__file__).parents[2] / "services" / "outcomes" / "instruments"
PHQ = (FOLDER / "phq-9.toml").read_text()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(outcomes, ["instruments", *map(str, arguments)])


def own(folder: Path, text: str | bytes) -> Path:
    path = folder / "own.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_all_are_listed_one_a_line() -> None:
    told = run("list")
    assert told.exit_code == 0
    lines = told.output.splitlines()
    assert len(lines) == 1 + len(list(FOLDER.glob("*.toml"))) == 33
    assert lines[0].split()[:3] == ["id", "range", "better"]
    (ors,) = (line for line in lines if line.startswith("ors "))
    assert "higher" in ors
    assert "whether a score is a case" in ors


def test_a_clinics_own_is_listed_beside_them(tmp_path: Path) -> None:
    own(tmp_path, PHQ.replace('id = "phq-9"', 'id = "phq-9-tidy"'))
    assert "phq-9-tidy" in run("list", "--own", tmp_path).output


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.stem)
def test_every_shipped_one_can_be_told(file: Path) -> None:
    told = run("check", file)
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.output.startswith(f"{file.stem}: ")


def test_what_is_read_is_told_in_words() -> None:
    told = run("check", FOLDER / "phq-9.toml").output
    assert "0 to 27 in steps of 1, higher is worse; 9 items from 0 to 3, 2 may be missing" in told
    assert "a case >= 10" in told
    assert "> 5.61, computed at 95% from SD 6.1, alpha 0.89; published >= 6 at 95%" in told
    assert "item 9 (self): review from 1, urgent from 2" in told
    assert "reliability 0.84: Kroenke 2001 (remembered, not checked)" in told
    assert "not assessable" not in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PHQ.replace("sd = 6.1", "sd = nan"), "line 68: norm.sd must be a finite number"),
        (PHQ.replace("44261-6", "44261-8"), "loinc.total has a wrong LOINC check digit"),
        (PHQ.replace("[norm]", "[nrom]"), "line 66: nrom is not a known key"),
        ("", "range is missing"),
        ("id = ", "as a whole is no TOML"),
        ("id = " + "[" * 5_000, "as a whole is nested too deep"),
        (PHQ.replace("value = 10", "value = 100"), "cutoff.value must lie between 0 and 27"),
        (b"\xff\xfe\x00", "as a whole is not written in UTF-8"),
    ],
)
def test_a_faulty_one_is_told_with_file_place_and_reason(
    tmp_path: Path, text: str | bytes, says: str
) -> None:
    told = run("check", own(tmp_path, text))
    assert told.exit_code == 1
    assert told.stderr.startswith(f"Error: {tmp_path / 'own.toml'}")
    assert says in told.stderr
    assert told.stderr.count("\n") == 1


def test_two_files_of_one_instrument_are_refused(tmp_path: Path) -> None:
    own(tmp_path, PHQ)
    (tmp_path / "own copy.toml").write_text(PHQ, "utf-8")
    told = run("list", "--own", tmp_path)
    assert told.exit_code == 1
    first, second = tmp_path / "own copy.toml", tmp_path / "own.toml"
    assert told.stderr == f"Error: {second}, line 2: id is that of {first} too\n"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert run("list", "--own", tmp_path / "nowhere").exit_code == 2


def test_nobody_who_reads_on_is_no_error_to_tell() -> None:
    words = [sys.executable, "-m", "services", "outcomes", "instruments", "list"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.close()
        assert listing.stderr.read() == b""
    assert listing.returncode == 1
