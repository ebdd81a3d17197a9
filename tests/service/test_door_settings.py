"""The settings of the outcomes service: what must be set, what has a default, what is refused."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.chassis.settings import SettingsError, table
from services.outcomes import metrics
from services.outcomes.core.rules import Rules
from services.outcomes.settings import PREFIX, load, read

README = Path(__file__).parents[2] / "services/outcomes/README.md"

KEY = bytes(range(32)).hex()
NEEDED = {
    f"{PREFIX}STORE": "sqlite:///var/outcomes",
    f"{PREFIX}MASTER_KEY": KEY,
    f"{PREFIX}ZONE": "Europe/Amsterdam",
}


def test_the_defaults_are_those_of_the_rules() -> None:
    settings = load(NEEDED)
    assert settings.zone == ZoneInfo("Europe/Amsterdam")
    assert settings.rules == Rules()
    assert (settings.port, settings.commit_limit) == (8070, 256)
    assert settings.master_key == bytes.fromhex(KEY)


def test_every_number_of_a_rule_is_a_setting() -> None:
    changed = {
        f"{PREFIX}RULE_ALARM_THRESHOLD": "0.7",
        f"{PREFIX}RULE_MISSED_OF_2": "8",
        f"{PREFIX}MODEL_DAMPING": "0.95",
    }
    settings = load(NEEDED | changed)
    assert settings.rules.alarm_threshold == 0.7
    assert settings.rules.missed_of == (Rules().missed_of[0], 8)
    assert settings.model.damping == 0.95


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HORIZON_WEEKS", "0"),
        ("HORIZON_WEEKS", "53"),
        ("GAP_DAYS", "0"),
        ("WINDOW_MEASURES", "2"),
        ("MISSED_IN_ROW", "0"),
        ("MISSED_OF_1", "0"),
        ("MISSED_OF_2", "0"),
        ("SAWTOOTH", "0"),
        ("SILENCE_DAYS", "99999999999"),
        ("BREAK_DAYS", "3651"),
    ],
)
def test_a_number_that_would_end_detection_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{PREFIX}RULE_{name} is wrong: set it to a whole"):
        load(NEEDED | {f"{PREFIX}RULE_{name}": value})


def test_days_that_may_be_0_may() -> None:
    days = ("ALARM_DAYS", "WINDOW_SPAN", "STALLED_DAYS", "INTAKE_DAYS", "BREAK_DAYS", "FACT_DAYS")
    rules = load(NEEDED | {f"{PREFIX}RULE_{name}": "0" for name in days}).rules
    assert [getattr(rules, name.lower()) for name in days] == [0] * len(days)


@pytest.mark.parametrize("name", NEEDED)
def test_what_must_be_set_is_missed_by_its_name(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load({one: value for one, value in NEEDED.items() if one != name})


@pytest.mark.parametrize("key", ["00" * 31, "zz" * 32, "00" * 33])
def test_a_key_of_another_form_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(SettingsError, match="MASTER_KEY") as refused:
        load(NEEDED | {f"{PREFIX}MASTER_KEY": key})
    assert key not in str(refused.value)


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(SettingsError, match="PORT"):
        load(NEEDED | {f"{PREFIX}PROT": "1"})


@pytest.mark.parametrize(
    ("store", "taken"),
    [
        ("sqlite:///var/outcomes", True),
        ("postgresql://u:p@db/pivot", False),
        ("postgresql://u:p@db/pivot?sslmode=prefer", False),
        ("postgresql://u:p@db/pivot?sslmode=verify-full&sslrootcert=ca.pem", True),
    ],
)
def test_production_refuses_a_database_in_clear(store: str, taken: bool) -> None:
    chosen = NEEDED | {f"{PREFIX}STORE": store}
    assert load(chosen).store == store
    chosen |= {f"{PREFIX}PRODUCTION": "true"}
    if taken:
        assert load(chosen).production
        return
    with pytest.raises(SettingsError, match=f"{PREFIX}STORE .*sslmode=verify-full") as refused:
        load(chosen)
    assert "u:p" not in str(refused.value)


def test_production_refuses_a_broker_in_clear() -> None:
    chosen = NEEDED | {f"{PREFIX}KAFKA_BOOTSTRAP": "one:9092, two:9092"}
    kafka = load(chosen).kafka
    assert kafka is not None
    assert kafka.bootstrap == ("one:9092", "two:9092")
    assert load(NEEDED).kafka is None
    with pytest.raises(SettingsError, match=f"{PREFIX}KAFKA_SECURITY"):
        load(chosen | {f"{PREFIX}PRODUCTION": "true"})


@pytest.mark.parametrize(
    ("mark", "expected"),
    [("settings", table(read, PREFIX)), ("metrics", metrics.catalogue().table())],
)
def test_the_readme_lists_every_setting_and_metric(mark: str, expected: str) -> None:
    found = re.search(f"<!-- {mark} -->\n(.*)<!-- /{mark} -->", README.read_text("utf-8"), re.S)
    assert found is not None
    assert found[1] == expected
