"""Each alert fires when it should, is silent when it should, and has its place in the runbook."""

import re
from pathlib import Path

import pytest

from tests.deploy.rules import DEPLOY, RULES, Case, alerts, unit_tests
from tests.servers.fixtures import required
from tests.servers.prometheus import amtool, promtool

DETECTOR = {"job": "outcomes", "reader": "detector"}
INBOX = {"job": "alerts", "reader": "view inbox"}


def freshness(taken: str, in_time: str) -> dict[str, str]:
    """Counts of the detector's histogram: all that was taken, and that within 60 s."""
    labels = 'job="outcomes", reader="detector"'
    return {
        f"freshness_seconds_count{{{labels}}}": taken,
        f'freshness_seconds_bucket{{{labels}, le="60.0"}}': in_time,
    }


def one(name: str, values: str) -> dict[str, str]:
    return {name: values}


LAG = 'reader_lag_seconds{job="outcomes", reader="%s"}'
BEATS = {
    'loop_heartbeat_age_seconds{job="outcomes", loop="detector"}': "1x30",
    'loop_heartbeat_age_seconds{job="alerts", loop="view inbox"}': "1x30",
}
LOOP = 'loop_heartbeat_age_seconds{job="outcomes", loop="relay"}'
REQUESTS = 'http_requests_total{job="outcomes", route="/v1/measures", status="%s"}'
TOLD = 'alerts_told_total{job="alerts", tier="%s", kind="%s"}'
STILL = 'receiver_standing_still{job="alerts", topic="t", partition="0"}'
UNSENT = 'risk_unsent_age_seconds{job="outcomes"}'
LATE = 'alerts_overdue{job="alerts", channel="risk_answer"}'
EXPIRES = 'certificate_expires_timestamp_seconds{job="outcomes", kind="broker"}'
CERTIFICATE = {"job": "outcomes", "kind": "broker"}
DISK = {"job": "outcomes", "kind": "data"}
RELAY = {"job": "outcomes", "reader": "relay"}


def disk(free: int) -> dict[str, str]:
    labels = 'job="outcomes", kind="data"'
    return {f"disk_free_bytes{{{labels}}}": f"{free}x60", f"disk_size_bytes{{{labels}}}": "100x60"}


CASES = [
    # One in five late: 20 times the rate that the promise allows.
    Case("FreshnessBurnsFast", freshness("0+10x120", "0+8x120"), "90m", DETECTOR),
    # Over by now: the last minutes were in time.
    Case("FreshnessBurnsFast", freshness("0+10x120", "0+5x80 410+10x40"), "100m", None),
    # One of a handful of sessions: a large share, and no reason to wake anybody.
    Case("FreshnessBurnsFast", freshness("0 1+0.05x120", "0 1+0.02x120"), "90m", None),
    Case("FreshnessBurns", freshness("0+100x40", "0+90x40"), "6h", DETECTOR, "10m"),
    Case("FreshnessBurns", freshness("0+100x40", "0+97x40"), "6h", None, "10m"),
    Case("FreshnessBurnsSlowly", freshness("0+100x440", "0+98x440"), "72h", DETECTOR, "10m"),
    Case("FreshnessBurnsSlowly", freshness("0+1000x440", "0+995x440"), "72h", None, "10m"),
    Case("SessionsWait", one(LAG % "detector", "0x5 90x20"), "10m", DETECTOR),
    Case("SessionsWait", one(LAG % "detector", "0x5 90 0x20"), "10m", None),
    Case("SessionsWait", one(LAG % "view due", "90x20"), "10m", None),
    Case(
        "ServiceDown",
        one('up{job="outcomes", instance="a"}', "0x10"),
        "5m",
        {"job": "outcomes", "instance": "a"},
    ),
    Case("ServiceDown", one('up{job="outcomes", instance="a"}', "1 0 1x10"), "5m", None),
    Case(
        "NobodyFollows", dict([*BEATS.items()][1:]), "5m", {"job": "outcomes", "loop": "detector"}
    ),
    Case(
        "NobodyFollows", dict([*BEATS.items()][:1]), "5m", {"job": "alerts", "loop": "view inbox"}
    ),
    Case("NobodyFollows", BEATS, "5m", None),
    Case("LoopSilent", one(LOOP, "0+60x10"), "5m", {"job": "outcomes", "loop": "relay"}),
    Case("LoopSilent", one(LOOP, "30x10"), "5m", None),
    Case(
        "ReaderFails",
        one('reader_failures_total{job="outcomes", reader="detector", error="E"}', "0+1x60"),
        "40m",
        DETECTOR,
    ),
    Case(
        "ReaderFails",
        one('reader_failures_total{job="outcomes", reader="detector", error="E"}', "0 1x60"),
        "40m",
        None,
    ),
    Case("Parked", one('parked_entries{job="outcomes", reader="relay"}', "1x20"), "10m", RELAY),
    Case("Parked", one('parked_entries{job="outcomes", reader="relay"}', "0x20"), "10m", None),
    Case(
        "RequestsFail",
        {REQUESTS % "503": "0+1x60", REQUESTS % "201": "0+9x60"},
        "30m",
        {"job": "outcomes"},
    ),
    Case("RequestsFail", {REQUESTS % "422": "0+5x60", REQUESTS % "201": "0+9x60"}, "30m", None),
    Case("EventsUnpublished", one(LAG % "relay", "0+60x20"), "10m", RELAY),
    Case("EventsUnpublished", one(LAG % "relay", "0+60x4 0x20"), "10m", None),
    Case(
        "ReceiverStandsStill",
        one(STILL, "1x10"),
        "5m",
        {"job": "alerts", "topic": "t", "partition": "0"},
    ),
    Case("ReceiverStandsStill", one(STILL, "0x10"), "5m", None),
    Case("RiskPathSilent", one('risk_heartbeat_age_seconds{job="alerts"}', "0+60x10"), "4m", {}),
    Case("RiskPathSilent", one('risk_heartbeat_age_seconds{job="alerts"}', "40x10"), "4m", None),
    Case("RiskAnswersUnsent", one(UNSENT, "0+60x10"), "4m", {"job": "outcomes"}),
    Case("RiskAnswersUnsent", one(UNSENT, "0+30x3 0x9"), "4m", None),
    Case("RiskAlertsOverdue", one(LATE, "0 1x10"), "5m", {}),
    Case("RiskAlertsOverdue", one(LATE, "0x10"), "5m", None),
    Case("PromptsUnread", one("prompts_unread_age_seconds", "345000+60x100"), "90m", {}),
    Case("PromptsUnread", one("prompts_unread_age_seconds", "250000x100"), "90m", None),
    Case(
        "RepeatShareHigh",
        {TOLD % ("prompt", "repeat"): "0+60x99", TOLD % ("prompt", "first"): "0+40x99"},
        "10h",
        {},
        "10m",
    ),
    # Answers to risk items are told each time, and count for neither side.
    Case(
        "RepeatShareHigh",
        {TOLD % ("risk", "repeat"): "0+600x99", TOLD % ("prompt", "first"): "0+40x99"},
        "10h",
        None,
        "10m",
    ),
    Case("NobodyInReach", one("episodes_unassigned", "1x100"), "90m", {}),
    Case("NobodyInReach", one("episodes_unassigned", "1x50 0x50"), "90m", None),
    Case("MeasuresHeld", one("measures_held", "3x160"), "25h", {}, "10m"),
    Case("MeasuresHeld", one("measures_held", "3x70 0x90"), "25h", None, "10m"),
    # Series begin at 1970, so that a moment is its own age.
    Case("CertificateExpires", one(EXPIRES, f"{20 * 86400}x100"), "90m", CERTIFICATE),
    Case("CertificateExpires", one(EXPIRES, f"{30 * 86400}x100"), "90m", None),
    Case("CertificateExpiresSoon", one(EXPIRES, f"{2 * 86400}x100"), "90m", CERTIFICATE),
    Case("CertificateExpiresSoon", one(EXPIRES, f"{4 * 86400}x100"), "90m", None),
    Case("DiskFills", disk(10), "30m", DISK),
    Case("DiskFills", disk(20), "30m", None),
    Case("DiskAlmostFull", disk(4), "30m", DISK),
    Case("DiskAlmostFull", disk(10), "30m", None),
]


@pytest.mark.parametrize("step", ["1m", "10m"])
def test_every_alert_fires_and_is_silent(step: str, tmp_path: Path) -> None:
    cases = [case for case in CASES if case.step == step]
    assert len(cases) > 5
    (tmp_path / "cases.yml").write_text(unit_tests(cases, step))
    done = required(lambda: promtool("test", "rules", "cases.yml", folder=tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    assert {case.alert for case in CASES if case.fires is not None} == set(alerts())
    assert {case.alert for case in CASES if case.fires is None} == set(alerts())


def test_every_alert_has_a_heading_in_the_runbook_and_every_heading_an_alert() -> None:
    text = (DEPLOY / "runbooks/alerts.md").read_text()
    assert sorted(re.findall(r"^## (.+)$", text, re.M)) == sorted(alerts())
    sections = re.split(r"^## .+$", text, flags=re.M)[1:]
    assert all(len(section.split()) > 10 for section in sections)


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_what_it_means_and_where_to_read_on(name: str) -> None:
    rule = alerts()[name]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["runbook"] == f"deploy/runbooks/alerts.md#{name.lower()}"
    assert "{{" not in rule["annotations"]["summary"]


@pytest.mark.parametrize(("kind", "file"), [("rules", RULES.name), ("config", "prometheus.yml")])
def test_prometheus_takes_the_files(kind: str, file: str) -> None:
    done = required(lambda: promtool("check", kind, file, folder=RULES.parent))
    assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_takes_its_file() -> None:
    done = required(lambda: amtool("check-config", "alertmanager.yml", folder=RULES.parent))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", alerts())
def test_an_alert_reaches_whom_it_is_meant_for(name: str) -> None:
    labels = alerts()[name]["labels"]
    expected = {"page": "on-call", "ticket": "by-day"}[labels["severity"]]
    if name.startswith("Risk"):
        expected = "risk"
    told = [f"alertname={name}", *(f"{label}={value}" for label, value in labels.items())]
    asked = ("config", "routes", "test", "--config.file=alertmanager.yml", *told)
    done = required(lambda: amtool(*asked, folder=RULES.parent))
    assert done.stdout.strip() == expected
