"""What deploy/ ships is read by the tools of its kind, and names only settings that exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.alerts import settings as alerts_settings
from services.chassis.settings import Declared, Reader, SettingsError
from services.outcomes import settings as outcomes_settings
from tests.deploy.rules import DEPLOY
from tests.servers.fixtures import required
from tests.servers.place import program

ROOT = DEPLOY.parent
BIN = Path(sys.executable).parent
KUBERNETES = DEPLOY / "kubernetes"
SETTINGS = {"outcomes": outcomes_settings, "alerts": alerts_settings}
SECRETS = ("STORE", "MASTER_KEY", "KAFKA_PASSWORD")
KEY = bytes(range(32)).hex()
UNKNOWN_KINDS = ("Kustomization", "ServiceMonitor")
"""Resources of others, which the schemas of Kubernetes do not hold."""


def ran(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def declared(service: str) -> list[Declared]:
    reader = Reader({}, SETTINGS[service].PREFIX)
    SETTINGS[service].read(reader)
    return reader.declared


def known() -> set[str]:
    """Every name that a setting may have in an environment."""
    every = [one for service in SETTINGS for one in declared(service)]
    files = {f"{one.name}_FILE" for one in every if one.kind.startswith("secret")}
    return {one.name for one in every} | files


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def manifests(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    return [
        (file, document)
        for file in sorted(folder.rglob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text())
    ]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [one for _, one in manifests(KUBERNETES) if one["kind"] == kind]


def config_map(service: str) -> dict[str, str]:
    """What the example overlay sets for a service."""
    overlay = yaml.safe_load((KUBERNETES / "example/kustomization.yaml").read_text())
    (made,) = (one for one in overlay["configMapGenerator"] if one["name"] == service)
    return dict(line.split("=", 1) for line in made["literals"])


def test_the_dockerfile_is_clean() -> None:
    ran(str(BIN / "hadolint"), "deploy/Dockerfile")


def test_the_image_is_small_in_rights_and_pinned() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert re.search(r"^USER 10001", text, re.M)
    assert not re.search(r"ARG .*(KEY|SECRET|PASSWORD)|:latest", text)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M)
    for name in " ".join(copied).split():
        assert (ROOT / name.removeprefix("./")).exists(), name


def test_the_image_is_made_of_what_is_listed_alone() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    text = (DEPLOY / "Dockerfile").read_text()
    for name in [rule[1:] for rule in rules if rule.startswith("!")]:
        assert re.search(rf"^COPY .*\b{re.escape(name)}\b", text, re.M), name


def test_compose_is_of_its_schema() -> None:
    command = (str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec")
    ran(*command, "deploy/compose.yaml")


def test_compose_starts_in_order_and_knows_who_is_well() -> None:
    services = compose()["services"]
    for name in ("postgres", "kafka"):
        assert "healthcheck" in services[name]
        for service in SETTINGS:
            waits = services[f"{service}-migrate"]["depends_on"]
            assert waits[name]["condition"] == "service_healthy"
    for service in SETTINGS:
        for half in ("serve", "follow"):
            one = services[f"{service}-{half}"]
            assert "healthcheck" in one
            migrated = one["depends_on"][f"{service}-migrate"]["condition"]
            assert migrated == "service_completed_successfully"


def test_compose_holds_no_secret_and_no_right() -> None:
    for name, one in compose()["services"].items():
        if name in ("postgres", "kafka"):
            continue
        assert one["read_only"]
        assert one["cap_drop"] == ["ALL"]
        for setting in one["environment"]:
            assert not setting.endswith(SECRETS), setting
    for secret in compose()["secrets"].values():
        assert secret["file"].startswith("./secrets/")


@pytest.mark.parametrize("service", SETTINGS)
def test_compose_sets_what_must_be_set(service: str, tmp_path: Path) -> None:
    chosen = dict(compose()["services"][f"{service}-serve"]["environment"])
    prefix = SETTINGS[service].PREFIX
    for name, value in (("STORE", "postgresql://u:p@db/pivot"), ("MASTER_KEY", KEY)):
        (tmp_path / name).write_text(value)
        assert chosen[f"{prefix}{name}_FILE"].startswith("/run/secrets/")
        chosen[f"{prefix}{name}_FILE"] = str(tmp_path / name)
    chosen[f"{prefix}ZONE"] = "UTC"
    assert SETTINGS[service].load(chosen).kafka is not None


@pytest.mark.parametrize("file", ["base/outcomes.yaml", "base/alerts.yaml", "base/network.yaml"])
def test_manifests_are_of_their_schema(file: str) -> None:
    ran(str(BIN / "kubernetes-validate"), "--strict", "--no-warn", str(KUBERNETES / file))


def test_what_no_schema_holds_is_named() -> None:
    checked = ("outcomes.yaml", "alerts.yaml", "network.yaml")
    others = {one["kind"] for file, one in manifests(KUBERNETES) if file.name not in checked}
    assert others == set(UNKNOWN_KINDS)


def test_kustomize_renders_the_example() -> None:
    """It takes 1.21 or newer, Debian 13 has one, to read an overlay that names a folder."""
    kubectl = required(lambda: program("kubectl", "kubectl", "kubernetes-client"))
    ran(kubectl, "kustomize", str(KUBERNETES / "example"))


@pytest.mark.parametrize("one", of_kind("Deployment"), ids=lambda one: one["metadata"]["name"])
def test_a_process_has_probes_limits_and_no_rights(one: dict[str, Any]) -> None:
    pod = one["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"] == one["metadata"]["name"].split("-")
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["startupProbe"]
    assert container["resources"]["limits"]["memory"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    # SIGTERM ends a process within 10 s.
    assert pod["terminationGracePeriodSeconds"] > 10
    budgets = [two["metadata"]["name"] for two in of_kind("PodDisruptionBudget")]
    assert one["metadata"]["name"] in budgets


@pytest.mark.parametrize("service", SETTINGS)
def test_the_example_is_a_production_that_starts(service: str) -> None:
    prefix = SETTINGS[service].PREFIX
    chosen = config_map(service)
    assert not {f"{prefix}{name}" for name in SECRETS} & set(chosen)
    with pytest.raises(SettingsError):
        SETTINGS[service].load(chosen)
    store = "postgresql://u:one-of-our-own@db/pivot?sslmode=verify-full&sslrootcert=ca.pem"
    secret = dict(zip(SECRETS, (store, KEY, "one-of-our-own"), strict=True))
    chosen |= {f"{prefix}{name}": value for name, value in secret.items()}
    assert SETTINGS[service].load(chosen).production


def test_every_setting_that_is_named_is_one() -> None:
    named = set()
    for file in sorted(DEPLOY.rglob("*")):
        if file.is_file() and file.suffix not in (".json", ".pyc"):
            named |= set(re.findall(r"PIVOTPOINT_(?:OUTCOMES|ALERTS)_[A-Z_]+", file.read_text()))
    assert len(named) > 10
    # "PIVOTPOINT_ALERTS_*" stands for all of them.
    assert {name for name in named if not name.endswith("_")} - known() == set()
