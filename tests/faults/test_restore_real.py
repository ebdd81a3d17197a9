"""Backup, rebuild and restore where it runs on PostgreSQL and Kafka, in four processes."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis.clock import SystemClock
from tests.faults import courses
from tests.faults.browser import Browser
from tests.faults.ehr import Ehr
from tests.faults.load import CLINICIAN
from tests.journey.real_parts import Clinic, until
from tests.servers import Cluster, Kafka

TODAY = SystemClock().now().date()
NOTED = "SELECT count(*) FROM events WHERE topic = 'course.noted'"
WORSE = "reliable_deterioration"
HALVES = ("follow", "serve")


@pytest.fixture
def clinic(cluster: Cluster, kafka: Kafka, tmp_path: Path) -> Iterator[Clinic]:
    one = Clinic(cluster, kafka, tmp_path)
    for service in ("outcomes", "alerts"):
        one.told(service, "migrate")
    yield one
    one.close()


def signed_in(clinic: Clinic) -> Browser:
    browser = Browser(lambda: clinic.url("alerts"))
    assert browser.sign_in(clinic.told("alerts", "invite", "lind")).status == 200
    return browser


def lines(browser: Browser, client: str) -> dict[str, bool]:
    """Channel to whether it is unconfirmed, in the row of a client; none where there is no row."""
    for row in json.loads(browser.get("/v1/inbox").html)["rows"]:
        if row["client"] == client:
            shown = (row["main"], *row["others"])
            return {one["channel"]: bool(one["unconfirmed"]) for one in shown}
    return {}


def stop(clinic: Clinic, service: str) -> None:
    for half in HALVES:
        clinic.terminate(service, half)


def start(clinic: Clinic, service: str) -> None:
    for half in HALVES:
        clinic.start(service, half)
    for half in HALVES:
        clinic.ready(service, half)


def test_rebuilt_beside_intake_and_restored_one_after_the_other(
    clinic: Clinic, tmp_path: Path
) -> None:
    token = clinic.told("outcomes", "sender", "add", "ehr")
    for name in ("lind", "bea"):
        clinic.told("alerts", "person", "add", name, "--role", "clinician")
    clinic.told("alerts", "person", "link", "lind", "ehr", CLINICIAN)
    clinic.start_all()
    browser, ehr = signed_in(clinic), Ehr(lambda: clinic.url("outcomes"), token)

    def tells(name: str) -> None:
        courses.worsening(ehr, name, TODAY)
        client = f"client of {name}"
        until(lambda: WORSE in lines(browser, client), f"{name} is told of")

    tells("before")
    rebuilt_beside_intake(clinic, ehr)
    for service in ("outcomes", "alerts"):
        clinic.told(service, "backup", str(tmp_path / service))
    tells("after")

    refused = clinic.do("alerts", "restore", str(tmp_path / "alerts"), "--replace")
    assert refused.returncode == 1
    assert "stop serve and follow first" in refused.stderr
    noted = clinic.count("alerts", NOTED)
    stop(clinic, "alerts")
    told = clinic.told("alerts", "restore", str(tmp_path / "alerts"), "--replace")
    assert "All is well" in told
    assert clinic.count("alerts", NOTED) < noted
    start(clinic, "alerts")
    until(lambda: clinic.count("alerts", NOTED) >= noted, "Kafka has told what was lost")
    browser = signed_in(clinic)
    assert lines(browser, "client of after")[WORSE] is False

    stop(clinic, "outcomes")
    clinic.told("outcomes", "restore", str(tmp_path / "outcomes"), "--replace")
    start(clinic, "outcomes")
    until(lambda: lines(browser, "client of after")[WORSE], "what is unconfirmed is marked")
    until(lambda: not lines(browser, "client of before")[WORSE], "what is held is confirmed")
    for one in list(ehr.record.all()):
        assert ehr.send(one.method, one.path, one.body).taken
    until(lambda: not lines(browser, "client of after")[WORSE], "it was found again")
    for service in ("outcomes", "alerts"):
        stop(clinic, service)
        assert "All is well" in clinic.told(service, "verify")
    ehr.close()


def rebuilt_beside_intake(clinic: Clinic, ehr: Ehr) -> None:
    """Build every view anew while courses are posted; what stands then is what the log says."""
    enough, other = threading.Event(), ehr.another()
    posted: list[str] = []

    def post() -> None:
        while not enough.is_set():
            posted.append(f"beside-{len(posted)}")
            courses.worsening(other, posted[-1], TODAY, courses.WORSE[:3])

    poster = threading.Thread(target=post)
    poster.start()
    try:
        for service in ("outcomes", "alerts"):
            before = len(posted)
            assert "is built anew" in clinic.told(service, "rebuild")
            until(lambda before=before: len(posted) > before, "intake goes on")  # type: ignore[misc]
    finally:
        enough.set()
        poster.join()
        other.close()
    for service in ("outcomes", "alerts"):
        until(lambda service=service: settled(clinic, service), f"{service} is settled")  # type: ignore[misc]
        assert "All is well" in clinic.told(service, "verify")


def settled(clinic: Clinic, service: str) -> bool:
    """Whether every view has come as far as the log has."""
    return clinic.do(service, "verify").returncode == 0
