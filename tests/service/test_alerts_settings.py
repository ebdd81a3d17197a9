"""Settings of the alerts service: what must be set, what production asks for, what is refused."""

import re
from pathlib import Path

import pytest

from services.alerts.metrics import CATALOGUE
from services.alerts.settings import PREFIX, load, read
from services.chassis.metrics import Catalogue
from services.chassis.settings import SettingsError, table

README = Path(__file__).parents[2] / "services/alerts/README.md"
KEY = bytes(range(32)).hex()
NEEDED = {
    f"{PREFIX}STORE": "sqlite:///var/alerts",
    f"{PREFIX}MASTER_KEY": KEY,
    f"{PREFIX}ZONE": "Europe/Amsterdam",
}
LOCAL_POLICY = ("BACKUP", "CONTACT", "RISK_POLICY")


def test_the_policy_has_the_numbers_of_the_design() -> None:
    policy = load(NEEDED).policy
    assert (policy.refractory_days, policy.prompts_a_day) == (28, 3)
    assert (policy.risk_urgent_minutes, policy.history_days) == (60, 14)


@pytest.mark.parametrize("name", NEEDED)
def test_what_must_be_set_is_missed_by_its_name(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load({one: value for one, value in NEEDED.items() if one != name})


def test_production_does_not_start_without_a_local_policy_on_risk() -> None:
    """The service has no silent default for who is told of a risk answer."""
    with pytest.raises(SettingsError) as refused:
        load(NEEDED | {f"{PREFIX}PRODUCTION": "true"})
    for name in LOCAL_POLICY:
        assert f"{PREFIX}{name}" in str(refused.value)
    told = {f"{PREFIX}{name}": "somebody" for name in LOCAL_POLICY}
    assert load(NEEDED | told | {f"{PREFIX}PRODUCTION": "true"}).production


def test_production_refuses_what_is_reached_in_clear() -> None:
    told = {f"{PREFIX}{name}": "somebody" for name in LOCAL_POLICY}
    open_ones = {
        f"{PREFIX}STORE": "postgresql://u:p@db/pivot",
        f"{PREFIX}KAFKA_BOOTSTRAP": "one:9092",
    }
    kafka = load(NEEDED | told | open_ones).kafka
    assert kafka is not None
    assert kafka.security == "PLAINTEXT"
    with pytest.raises(SettingsError) as refused:
        load(NEEDED | told | open_ones | {f"{PREFIX}PRODUCTION": "true"})
    for name in ("STORE", "KAFKA_SECURITY"):
        assert f"{PREFIX}{name}" in str(refused.value)


def test_a_key_of_another_form_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="MASTER_KEY") as refused:
        load(NEEDED | {f"{PREFIX}MASTER_KEY": "00" * 31})
    assert "00" * 31 not in str(refused.value)


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(SettingsError, match="PORT"):
        load(NEEDED | {f"{PREFIX}PROT": "1"})


def test_the_readme_tells_every_setting_and_metric() -> None:
    assert _part("settings") == table(read, PREFIX)
    assert _part("metrics") == Catalogue(CATALOGUE).table()


def _part(mark: str) -> str:
    found = re.search(f"<!-- {mark} -->\n(.*)<!-- /{mark} -->", README.read_text("utf-8"), re.S)
    assert found is not None
    return found[1]


def test_mail_needs_an_address_of_its_own_and_tls_in_production() -> None:
    told = {f"{PREFIX}{name}": "somebody" for name in LOCAL_POLICY}
    server = {f"{PREFIX}MAIL_HOST": "mail.clinic.test", f"{PREFIX}MAIL_SECURITY": "none"}
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        load(NEEDED | server)
    sender = {f"{PREFIX}MAIL_FROM": "pivot@clinic.test"}
    mail = load(NEEDED | server | sender).mail
    assert mail is not None
    assert mail.port == 587
    with pytest.raises(SettingsError, match="MAIL_SECURITY"):
        load(NEEDED | told | server | sender | {f"{PREFIX}PRODUCTION": "true"})
    assert load(NEEDED).mail is None


def test_networks_of_webhooks_are_networks() -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_NETWORKS"):
        load(NEEDED | {f"{PREFIX}WEBHOOK_NETWORKS": "10.0.0.0/8, everywhere"})
    (one,) = load(NEEDED | {f"{PREFIX}WEBHOOK_NETWORKS": "10.0.0.0/8"}).webhook.networks
    assert str(one) == "10.0.0.0/8"
