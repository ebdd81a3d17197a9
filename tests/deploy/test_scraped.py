"""A real Prometheus scrapes both services, and every rule finds what it asks for."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import yaml

from services.embedded import Embedded
from tests.deploy.conftest import urls
from tests.deploy.promql import metrics
from tests.deploy.rules import RULES, alerts, rules
from tests.servers import Prometheus
from tests.servers.fixtures import required
from tests.servers.place import program

WITHIN = 60.0
NOT_EMBEDDED = {"ReceiverStandsStill", "CertificateExpires", "CertificateExpiresSoon"}
"""What they ask for is there with a broker or certificates alone."""


@pytest.fixture(scope="module")
def prometheus(both: Embedded) -> Iterator[Prometheus]:
    """It scrapes both services each second, by the rules that ship."""
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [url.removeprefix("http://")]}]}
        for job, url in urls(both).items()
    ]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": jobs,
    }
    server = required(lambda: Prometheus(yaml.safe_dump(config)))
    server.start()
    try:
        until_scraped(server)
        yield server
    finally:
        server.close()


def asked(server: Prometheus, path: str) -> dict[str, Any]:
    with urlopen(f"{server.url}/api/v1/{path}", timeout=10) as answer:
        told = json.load(answer)
    assert told["status"] == "success", told
    data: dict[str, Any] = told["data"]
    return data


def result(server: Prometheus, expression: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = asked(server, f"query?query={quote(expression)}")["result"]
    return found


def until_scraped(server: Prometheus) -> None:
    """Rates take two scrapes of each service; a third makes sure."""
    deadline = time.monotonic() + WITHIN
    while len(result(server, 'count_over_time(up{job=~"outcomes|alerts"}[1m]) > 3')) < 2:
        assert time.monotonic() < deadline, "Prometheus has not scraped both services"
        time.sleep(0.2)


def test_both_services_are_up(prometheus: Prometheus) -> None:
    assert {one["metric"]["job"] for one in result(prometheus, "up == 1")} == {"outcomes", "alerts"}


def test_every_rule_is_healthy(prometheus: Prometheus) -> None:
    def told() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = asked(prometheus, "rules")["groups"]
        return [rule for group in found for rule in group["rules"]]

    deadline = time.monotonic() + WITHIN
    while any(rule["health"] == "unknown" for rule in told()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert [rule["name"] for rule in told() if rule["health"] != "ok"] == []
    assert len(told()) == len(rules())


@pytest.mark.parametrize("name", sorted(set(alerts()) - NOT_EMBEDDED))
def test_what_an_alert_asks_for_is_there(prometheus: Prometheus, name: str) -> None:
    """An expression about a name that nobody exposes would be silent for ever."""
    raw = {one for one in metrics(alerts()[name]["expr"]) if ":" not in one}
    missing = {metric for metric in raw if not result(prometheus, f"count({metric})")}
    assert missing <= {"reader_failures_total"}  # nothing has failed here


def test_freshness_is_timed_at_both_ends(prometheus: Prometheus) -> None:
    timed = result(prometheus, "freshness_seconds_count > 0")
    readers = {(one["metric"]["job"], one["metric"]["reader"]) for one in timed}
    assert readers == {("outcomes", "detector"), ("alerts", "view inbox")}


def test_a_prompt_that_nobody_opened_is_counted(exposed: dict[str, str]) -> None:
    assert float(value(exposed["alerts"], "prompts_unread")) >= 1
    assert 'alerts_told_total{channel="reliable_deterioration",kind="first"' in exposed["alerts"]


def value(text: str, name: str) -> str:
    found = re.search(rf"^{name} (\S+)$", text, re.M)
    assert found is not None, name
    return found[1]


@pytest.mark.parametrize("job", ["outcomes", "alerts"])
def test_the_metrics_keep_to_the_rules_of_prometheus(exposed: dict[str, str], job: str) -> None:
    tool = required(lambda: program("promtool", "promtool", "prometheus"))
    done = subprocess.run(
        [tool, "check", "metrics"], input=exposed[job], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("job", ["outcomes", "alerts"])
def test_disk_and_version_are_told(exposed: dict[str, str], job: str) -> None:
    assert 'disk_free_bytes{kind="data"}' in exposed[job]
    assert 'pivotpoint_build_info{version="' in exposed[job]
