"""In production no command starts with what protects nothing; each says what to set."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.__main__ import main

KEY = bytes(range(32)).hex()
SERVICES = ("outcomes", "alerts")
COMMANDS = ("serve", "follow", "migrate")
SEALED = "postgresql://pivot:{password}@127.0.0.1:1/pivot?sslmode=verify-full&sslrootcert=ca.pem"
OWN = "a-password-of-ones-own"


def sound(**changes: str | None) -> dict[str, str]:
    """Settings that production takes, but for `changes`; None leaves one out."""
    chosen: dict[str, str | None] = {
        "PRODUCTION": "true",
        "STORE": SEALED.format(password=OWN),
        "MASTER_KEY": KEY,
        "ZONE": "UTC",
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "KAFKA_SECURITY": "SASL_SSL",
        "KAFKA_USER": "pivot",
        "KAFKA_PASSWORD": OWN,
        "BACKUP": "bea",
        "CONTACT": "phone 1",
        "RISK_POLICY": "https://intranet/risk",
    }
    return {name: value for name, value in (chosen | changes).items() if value is not None}


def run(
    monkeypatch: pytest.MonkeyPatch, service: str, *command: str, **changes: str | None
) -> Result:
    """Run a command in the environment of a production that is sound but for `changes`."""
    for name in os.environ:
        if name.startswith("PIVOTPOINT_"):
            monkeypatch.delenv(name)
    local = ("BACKUP", "CONTACT", "RISK_POLICY")
    for name, value in sound(**changes).items():
        if service == "alerts" or name not in local:
            monkeypatch.setenv(f"PIVOTPOINT_{service.upper()}_{name}", value)
    return CliRunner().invoke(main, [service, *command])


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_protects_nothing_is_refused_all_at_once(
    monkeypatch: pytest.MonkeyPatch, service: str, command: str
) -> None:
    done = run(
        monkeypatch,
        service,
        command,
        STORE=SEALED.format(password="postgres").partition("?")[0],
        MASTER_KEY="00" * 32,
        KAFKA_SECURITY="PLAINTEXT",
    )
    prefix = f"PIVOTPOINT_{service.upper()}_"
    assert done.exit_code == 1
    for told in (
        f"{prefix}STORE names a database that may be reached in clear: add ?sslmode=verify-full",
        f"{prefix}STORE holds a password that examples ship with: set one of your own",
        f"{prefix}MASTER_KEY was not drawn at random: set it to `openssl rand -hex 32`",
        f"{prefix}KAFKA_SECURITY is wrong: set it to one of SSL, SASL_SSL",
    ):
        assert told in done.output
    assert "postgres" not in done.output.replace("postgresql", "")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_key_must_be_set_and_is_never_made(
    monkeypatch: pytest.MonkeyPatch, service: str, command: str
) -> None:
    done = run(monkeypatch, service, command, MASTER_KEY=None)
    assert done.exit_code == 1
    assert f"PIVOTPOINT_{service.upper()}_MASTER_KEY is not set" in done.output


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("password", ["Change-Me", "kafka"])
def test_a_broker_s_password_out_of_an_example_is_refused(
    monkeypatch: pytest.MonkeyPatch, service: str, password: str
) -> None:
    done = run(monkeypatch, service, "migrate", KAFKA_PASSWORD=password)
    assert f"PIVOTPOINT_{service.upper()}_KAFKA_PASSWORD is one that examples" in done.output


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_sound_gets_as_far_as_the_database(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    done = run(monkeypatch, service, "migrate")
    assert done.exit_code == 1
    assert "PIVOTPOINT" not in done.output
    assert "database" in done.output or "store" in done.output


@pytest.mark.parametrize("service", SERVICES)
def test_no_key_is_made_in_a_data_folder(
    monkeypatch: pytest.MonkeyPatch, service: str, tmp_path: Path
) -> None:
    listing = ("verify", "--data", str(tmp_path))
    files = f"sqlite:///{tmp_path / service}"
    done = run(monkeypatch, service, *listing, STORE=files, MASTER_KEY=None)
    assert "MASTER_KEY is not set" in done.output
    assert not list(tmp_path.rglob("master.key"))


@pytest.mark.parametrize("service", SERVICES)
def test_a_key_beside_the_data_is_refused(
    monkeypatch: pytest.MonkeyPatch, service: str, tmp_path: Path
) -> None:
    (tmp_path / "master.key").write_text(KEY)
    named = {"MASTER_KEY": None, "MASTER_KEY_FILE": str(tmp_path / "master.key")}
    done = run(monkeypatch, service, "migrate", STORE=f"sqlite:///{tmp_path}", **named)
    assert "MASTER_KEY_FILE lies beside the data it opens" in done.output


@pytest.mark.parametrize("service", SERVICES)
def test_a_database_may_be_named_in_a_file(
    monkeypatch: pytest.MonkeyPatch, service: str, tmp_path: Path
) -> None:
    (tmp_path / "store").write_text(SEALED.format(password=OWN).replace("verify-full", "prefer"))
    named = {"STORE": None, "STORE_FILE": str(tmp_path / "store")}
    done = run(monkeypatch, service, "verify", "--data", str(tmp_path / "data"), **named)
    assert f"PIVOTPOINT_{service.upper()}_STORE names a database that may be reached" in done.output
    assert OWN not in done.output
    assert not (tmp_path / "data").exists()
