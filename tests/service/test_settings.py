"""A wrong setting stops the start with all faults at once, each naming what to set."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from services.chassis.settings import Reader, SettingsError, table

SECRET = "canary-secret-77"
_NAMES = ("STORE", "THREADS", "SHARE", "SECURE", "MODE", "ZONE", "KEY")


@dataclass(frozen=True)
class _Settings:
    store: str
    threads: int
    share: float
    secure: bool
    mode: str
    zone: str
    key: str


def _read(reader: Reader) -> _Settings:
    return _Settings(
        store=reader.text("STORE", "where the log lies"),
        threads=reader.integer("THREADS", "how many", 8, low=1, high=64),
        share=reader.number("SHARE", "of alarms", 0.1, low=0, high=1),
        secure=reader.flag("SECURE", "cookies over TLS alone", True),
        mode=reader.choice("MODE", "how it is run", ("embedded", "production"), "embedded"),
        zone=reader.zone("ZONE", "of days and hours", "UTC").key,
        key=reader.secret("KEY", "wraps the keys"),
    )


def _settings(**given: str) -> _Settings:
    reader = Reader({f"APP_{name}": value for name, value in given.items()}, "APP_")
    settings = _read(reader)
    reader.done()
    return settings


def _faults(**given: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        _settings(**given)
    return caught.value.faults


def test_defaults_hold_where_nothing_is_set() -> None:
    assert _settings(STORE="x", KEY=SECRET) == _Settings(
        "x", 8, 0.1, secure=True, mode="embedded", zone="UTC", key=SECRET
    )


def test_everything_can_be_set() -> None:
    given = {"THREADS": "64", "SHARE": "0", "SECURE": "No", "MODE": "production"}
    read = _settings(STORE=" y ", ZONE="Europe/Amsterdam", KEY=SECRET, **given)

    assert read == _Settings(
        "y", 64, 0.0, secure=False, mode="production", zone="Europe/Amsterdam", key=SECRET
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("THREADS", "0"),
        ("THREADS", "65"),
        ("THREADS", "2.5"),
        ("SHARE", "nan"),
        ("SHARE", "inf"),
        ("SHARE", "1.01"),
        ("SECURE", "maybe"),
        ("MODE", "Production"),
        ("ZONE", "Mars/Olympus"),
        ("ZONE", "../../etc/passwd"),
        ("STORE", "  "),
    ],
)
def test_a_wrong_value_is_named_with_what_to_set(name: str, value: str) -> None:
    (fault,) = _faults(**{"STORE": "x", "KEY": SECRET, name: value})

    assert f"APP_{name}" in fault
    assert "set it to" in fault


def test_a_secret_in_the_wrong_place_is_not_shown() -> None:
    places = ("THREADS", "SHARE", "SECURE", "MODE", "ZONE")
    faults = _faults(STORE="x", KEY=SECRET, **dict.fromkeys(places, SECRET))

    assert len(faults) == len(places)
    assert SECRET not in "".join(faults)


def test_all_faults_come_at_once() -> None:
    faults = _faults(THREADS="many", SECURE="2", KEY=SECRET)

    assert [fault.split()[0] for fault in faults] == ["APP_STORE", "APP_THREADS", "APP_SECURE"]


def test_a_misspelt_setting_is_no_silent_default() -> None:
    (fault,) = _faults(STORE="x", KEY=SECRET, THREDS="4")

    assert fault == "APP_THREDS is no setting: did you mean APP_THREADS?"


def test_settings_of_others_are_left_alone() -> None:
    reader = Reader({"APP_STORE": "x", "APP_KEY": SECRET, "OTHER_STORE": "y"}, "APP_")
    _read(reader)

    reader.done()


def test_a_secret_comes_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(SECRET + "\n")

    assert _settings(STORE="x", KEY_FILE=str(file)).key == SECRET


def test_a_secret_file_that_cannot_serve_is_a_fault(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()

    assert "APP_KEY_FILE" in _faults(STORE="x", KEY_FILE=str(tmp_path / "none"))[0]
    assert "empty file" in _faults(STORE="x", KEY_FILE=str(empty))[0]


def test_a_secret_set_twice_is_a_fault_that_shows_neither(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("other")
    (fault,) = _faults(STORE="x", KEY=SECRET, KEY_FILE=str(file))

    assert "both set" in fault
    assert SECRET not in fault


def test_a_missing_secret_says_both_ways_to_set_it() -> None:
    (fault,) = _faults(STORE="x")

    assert "APP_KEY is not set" in fault
    assert "APP_KEY_FILE" in fault


def test_the_table_lists_every_setting_in_order() -> None:
    lines = table(_read, "APP_").splitlines()

    names = [line.split("`")[1] for line in lines[2:]]
    assert names == [f"APP_{n}" for n in _NAMES]
    assert "must be set" in lines[2]
    assert "`8`" in lines[3]
    assert "`true`" in lines[5]
