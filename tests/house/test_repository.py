"""The repository keeps what it says of itself: lock, licence, folders of tests."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_pinned_by_hash_and_none_by_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pins = [line for line in text.splitlines() if not line.startswith(" ")]

    assert "://" not in text
    assert len(pins) > 10
    for pin in pins:
        assert re.match(r"[a-z0-9._-]+==\S+ ", pin), pin
    assert text.count("\n" + " " * 4 + "--hash=sha256:") >= len(pins)


def test_what_the_services_import_is_declared_and_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[^A-Za-z0-9-]", name)[0].lower() for name in project["dependencies"]}
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / LOCKS[0]).read_text(), re.MULTILINE))

    assert declared <= locked


def test_tests_and_runtime_run_on_the_same_versions() -> None:
    pins = [set(re.findall(r"^\S+==[^\\]+", (ROOT / lock).read_text(), re.M)) for lock in LOCKS]

    assert pins[0] <= pins[1]


def test_every_folder_of_tests_states_its_promise() -> None:
    stated = set(re.findall(r"^\| `(\w+)/` \|", (ROOT / "tests/README.md").read_text(), re.M))
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}

    assert folders <= stated


def test_the_licence_is_the_one_that_is_declared() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:200]


def test_every_target_of_make_says_what_it_is_for() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.M)

    assert targets is not None
    for target in targets[1].split():
        assert re.search(rf"^{target}:.*## \w", makefile, re.M), target


def test_decisions_name_the_tests_that_guard_them() -> None:
    text = (ROOT / "DECISIONS.md").read_text()
    entries = re.split(r"^## ", text, flags=re.M)[1:]

    assert entries
    for entry in entries:
        title = entry.splitlines()[0]
        guards = re.findall(r"`((?:tests|pyproject)[\w/.]*)`", entry.partition("Guarded by")[2])
        assert guards, title
        for guard in guards:
            assert (ROOT / guard).exists(), f"{title}: {guard}"
