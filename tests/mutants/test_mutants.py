"""What `make mutants` says of mutants is true: tried on a small module whose fate is known."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE = '''"""Numbers in a row."""

import os

LIMIT, SHARE = 3, 0.5
UNREAD = 7
TEXT = "three"


def above(number):
    return number > LIMIT


def part(number):
    return number * SHARE


def loose(number):
    return number - 1


def down(number):
    while number > 0:
        number -= 1
    return number


def calm(number):
    if number > 5:
        os.abort()
    return number


def unreached(number):
    return number + 9
'''
TESTS = """
from numbers_in_a_row.sums import above, calm, down, loose, part


def test_above():
    assert above(4)
    assert not above(3)


def test_part():
    assert part(4)


def test_loose():
    loose(4)


def test_down():
    assert down(3) == 0


def test_calm():
    assert calm(5) == 5
"""


class Told:
    """One run of the command on the small module: its exit code, and what it printed."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [
            sys.executable, "-m", "tests.mutants", "--core", "numbers_in_a_row",
            "--tests", "checks", "--slack", "0.5", *options,
        ]  # fmt: skip
        environment = {"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        self.code, self.text = done.returncode, done.stdout + done.stderr
        self.last = next((one for one in self.text.splitlines() if one.endswith(")  all")), "")

    def fate(self, *lines: str) -> str:
        """What is said of the mutant with these lines; "noticed" where it is not listed."""
        for block in self.text.split("\n\n"):
            told = block.splitlines()
            if all(line in told for line in lines):
                return told[0].partition(" --- ")[0]
        return "noticed"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutants")
    for name, text in (("numbers_in_a_row/__init__", ""), ("numbers_in_a_row/sums", MODULE)):
        path = folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (folder / "setup.cfg").write_text("[mutmut]\nsource_paths=numbers_in_a_row\n")
    (folder / "checks").mkdir()
    (folder / "checks" / "test_sums.py").write_text(TESTS)
    return folder


@pytest.fixture(scope="module")
def told(folder: Path) -> Told:
    return Told(folder)


def test_a_mutant_that_fails_a_test_is_killed(told: Told) -> None:
    assert told.code == 0, told.text
    assert told.fate("-    return number > LIMIT", "+    return number >= LIMIT") == "noticed"


def test_a_mutant_that_fails_none_survives(told: Told) -> None:
    assert told.fate("-    return number - 1", "+    return number + 1") == "survived"
    assert told.fate("-    return number * SHARE", "+    return number / SHARE") == "survived"


def test_what_no_test_enters_survives(told: Told) -> None:
    assert told.fate("-    return number + 9", "+    return number - 9") == "survived"


def test_a_mutant_that_never_ends_is_noticed_and_counted_apart(told: Told) -> None:
    assert told.fate("-        number -= 1", "+        number += 1") == "noticed"
    assert "(5 killed, 2 never ended)" in told.last


def test_a_signal_is_no_failing_test(told: Told) -> None:
    """The process is gone, and no test has said so: it lowers the score and is listed apart."""
    assert told.fate("-    if number > 5:", "+    if number >= 5:") == "ended by SIGABRT"
    assert told.fate("-    if number > 5:", "+    if number > 6:") == "survived"
    assert told.last == " 46.7% of    15 noticed (5 killed, 2 never ended)  all"
    assert told.text.count("survived ---") + told.text.count("ended by SIGABRT ---") == 8


def test_numbers_at_the_head_of_a_module_are_changed_too(told: Told) -> None:
    assert told.fate("-LIMIT = 3", "+LIMIT = 4") == "noticed"
    assert told.fate("-SHARE = 0.5", "+SHARE = 0.55") == "survived"
    assert "UNREAD" not in told.text
    assert "TEXT" not in told.text


def test_a_score_below_what_is_asked_for_is_an_exit_code(folder: Path) -> None:
    one = ("--sample", "1", "--module", "sums")
    assert Told(folder, *one, "--least", "0").code == 0
    assert Told(folder, *one, "--least", "101").code == 1


def test_nothing_to_try_and_tests_that_fail_by_themselves_are_said(
    folder: Path, tmp_path: Path
) -> None:
    assert Told(folder, "--module", "absent").code == 2
    failing = tmp_path / "test_wrong.py"
    failing.write_text("def test_wrong():\n    assert False\n")
    wrong = Told(folder, "--tests", str(failing))
    assert wrong.code == 1
    assert "without any mutant this fails already" in wrong.text
