"""The loop on what a clinic runs: PostgreSQL, Kafka, and four processes that know no folder."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

from services.chassis.clock import SystemClock
from tests.faults.auditor import audit
from tests.faults.clinician import Clinician
from tests.faults.ehr import Ehr
from tests.faults.load import CLINICIAN
from tests.journey.real_parts import Clinic, answers, is_told, until, worsens
from tests.servers import Cluster, Kafka
from tests.servers.place import free_ports

TODAY = SystemClock().now().date()
SILENT = "Risk answers may not be arriving"
CHOSEN = "SELECT count(*) FROM events WHERE topic = 'episode.approach_chosen'"
NOTED = "SELECT count(*) FROM events WHERE topic = 'course.noted'"


@pytest.fixture(scope="module")
def clinic(
    cluster: Cluster, kafka: Kafka, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clinic]:
    """A clinic of which nothing is made yet and nothing runs."""
    one = Clinic(cluster, kafka, tmp_path_factory.mktemp("clinic"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def people(clinic: Clinic) -> Iterator[tuple[Ehr, Clinician]]:
    """The sender and the clinician of a clinic whose four processes run."""
    for service in ("outcomes", "alerts"):
        assert "and the topics" in clinic.told(service, "migrate")
        assert "and the topics" in clinic.told(service, "migrate")
    token = clinic.told("outcomes", "sender", "add", "ehr")
    for name in ("lind", "bea"):
        clinic.told("alerts", "person", "add", name, "--role", "clinician")
    clinic.told("alerts", "person", "link", "lind", "ehr", CLINICIAN)
    clinic.start_all()
    link = clinic.told("alerts", "invite", "lind")
    assert link.startswith(clinic.url("alerts"))
    person = Clinician(lambda: clinic.url("alerts"), 1, TODAY)
    assert person.browser.sign_in(link).status == 200
    ehr = Ehr(lambda: clinic.url("outcomes"), token)
    yield ehr, person
    ehr.close()


def detects(url: str) -> bool:
    """Whether the detector runs in a process, as its metrics tell."""
    with urlopen(url + "/metrics", timeout=10) as told:
        return 'reader_lag_events{reader="detector"}' in told.read().decode()


@pytest.mark.parametrize("service", ["outcomes", "alerts"])
@pytest.mark.parametrize("half", ["serve", "follow"])
def test_no_process_starts_on_a_store_that_is_not_migrated(
    clinic: Clinic, service: str, half: str
) -> None:
    done = clinic.do(service, half)
    assert done.returncode == 1
    assert f"run `pivotpoint {service} migrate`" in done.stderr
    assert done.stderr.count("\n") == 1


def test_following_takes_a_broker(clinic: Clinic) -> None:
    prefix = "PIVOTPOINT_OUTCOMES_KAFKA_BOOTSTRAP"
    clinic.told("outcomes", "migrate")
    broker = clinic.environment.pop(prefix)
    try:
        done = clinic.do("outcomes", "follow")
    finally:
        clinic.environment[prefix] = broker
    assert (done.returncode, done.stderr) == (1, f"Error: no broker is named: set {prefix}\n")


def test_a_finding_a_prompt_a_reflection_and_the_pivot(
    clinic: Clinic, people: tuple[Ehr, Clinician]
) -> None:
    ehr, person = people
    client = worsens(ehr)
    until(lambda: is_told(person.browser, client), "the clinician is told")

    inbox = person.browser.get("/")
    assert client in inbox.text
    before = clinic.count("outcomes", CHOSEN)
    page = person.browser.get(inbox.links(r"/episodes/[0-9a-f]{32}")[0])
    while not person.recorded:
        person._reflect(page)
    until(lambda: clinic.count("outcomes", CHOSEN) == before + 1, "the pivot is known to outcomes")


def test_a_process_that_follows_is_killed_and_another_goes_on(
    clinic: Clinic, people: tuple[Ehr, Clinician], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Then all processes are asked to end, and the one auditor looks at what they left."""
    ehr, person = people
    (port,) = free_ports(1)
    waiting = f"http://127.0.0.1:{port}"
    clinic.start("outcomes", "follow", 1, FOLLOW_PORT=str(port))
    until(lambda: answers(waiting + "/readyz"), "the second one is ready")
    first = [worsens(ehr) for _ in range(3)]
    assert detects(clinic.url("outcomes", "follow"))
    assert not detects(waiting)
    clinic.kill("outcomes", "follow")
    until(lambda: detects(waiting), "the second one has taken over", within=10)
    second = [worsens(ehr) for _ in range(3)]
    for client in (*first, *second):
        until(lambda one=client: is_told(person.browser, one), "everybody is told of")  # type: ignore[misc]
    clinic.kill("alerts", "follow")
    third = worsens(ehr)
    clinic.start("alerts", "follow")
    until(lambda: is_told(person.browser, third), "the last is told of")
    clinic.start("outcomes", "follow")
    clinic.kill("outcomes", "follow", 1)
    clinic.ready("outcomes", "follow")
    settled(clinic)

    assert SILENT not in person.browser.get("/").text, "the pages know what another process hears"

    for service, half in (("alerts", "follow"), ("outcomes", "follow")):
        code, seconds = clinic.terminate(service, half)
        assert code == 0, clinic.log(service, half)[-5:]
        assert seconds < 10
    until(lambda: SILENT in person.browser.get("/").text, "the pages say that nobody hears")
    for service in ("alerts", "outcomes"):
        assert clinic.terminate(service, "serve")[0] == 0
    for name, value in clinic.environment.items():
        if name.startswith("PIVOTPOINT_"):
            monkeypatch.setenv(name, value)
    assert audit(tmp_path, ehr.record.all(), clinician="lind", answered=person.recorded) == []


def settled(clinic: Clinic) -> None:
    """Wait until no event comes any more."""
    still, before = SystemClock().now(), -1

    def quiet() -> bool:
        nonlocal still, before
        now = clinic.count("outcomes", "SELECT count(*) FROM events")
        now += clinic.count("alerts", NOTED)
        if now != before:
            still, before = SystemClock().now(), now
        return SystemClock().now() - still > timedelta(seconds=8)

    until(quiet, "all has settled")
