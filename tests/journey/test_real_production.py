"""The production profile: four processes, TLS to PostgreSQL and Kafka, and what nobody can read."""

import json
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from kafka import KafkaProducer

from schemas import topics
from services.chassis.clock import SystemClock
from services.chassis.message import Message, message_id
from services.chassis.transport.kafka.sender import KafkaTransport
from services.chassis.transport.kafka.settings import KafkaSettings
from services.outcomes import settings as outcomes_settings
from tests.faults import courses
from tests.faults.browser import Browser
from tests.faults.ehr import Ehr
from tests.faults.load import CLINICIAN
from tests.journey.real_parts import SERVICES, Clinic, channels, is_told, until, worsens
from tests.servers import Cluster, Kafka
from tests.servers.kafka import PASSWORD, USER
from tests.servers.postgres import SEALED_USER

CLOCK = SystemClock()
TODAY = CLOCK.now().date()
LATER = "session.recorded"
ASKED = "SELECT count(*) FROM parked WHERE replay"


@pytest.fixture(scope="module")
def clinic(
    cluster: Cluster, kafka: Kafka, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clinic]:
    """A clinic in production whose four processes run, its database and broker reached sealed."""
    one = Clinic(cluster, kafka, tmp_path_factory.mktemp("clinic"))
    database = one.store.rpartition("/")[2]
    store = cluster.sealed_location.rpartition("/")[0] + f"/{database}"
    sealed = {
        "PRODUCTION": "true",
        "STORE": f"{store}?sslmode=verify-full&sslrootcert={cluster.ca_file}",
        "KAFKA_BOOTSTRAP": f"127.0.0.1:{kafka.sealed_port}",
        "KAFKA_SECURITY": "SASL_SSL",
        "KAFKA_CA_FILE": str(kafka.ca_file),
        "KAFKA_USER": USER,
        "KAFKA_PASSWORD": PASSWORD,
        "KAFKA_REPLICATION": "1",
    }
    for service in SERVICES:
        one.set(service, sealed)
    one.set("alerts", {"CONTACT": "phone 1", "RISK_POLICY": "https://intranet.example/risk"})
    try:
        for service in SERVICES:
            one.told(service, "migrate")
        for name in ("lind", "bea"):
            one.told("alerts", "person", "add", name, "--role", "clinician")
        one.told("alerts", "person", "link", "lind", "ehr", CLINICIAN)
        one.start_all()
        yield one
        assert one.died() == []
    finally:
        one.close()


@pytest.fixture(scope="module")
def ehr(clinic: Clinic) -> Iterator[Ehr]:
    one = Ehr(lambda: clinic.url("outcomes"), clinic.told("outcomes", "sender", "add", "ehr"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def browser(clinic: Clinic) -> Browser:
    one = Browser(lambda: clinic.url("alerts"))
    assert one.sign_in(clinic.told("alerts", "invite", "lind")).status == 200
    return one


@pytest.fixture
def kafka_settings(clinic: Clinic) -> KafkaSettings:
    found = outcomes_settings.load(clinic.environment).kafka
    assert found is not None
    return found


def test_a_course_that_worsens_is_told_of_over_tls(
    clinic: Clinic, ehr: Ehr, browser: Browser
) -> None:
    client = worsens(ehr)
    until(lambda: is_told(browser, client), "the clinician is told")
    with psycopg.connect(clinic.store) as session:
        row = session.execute(
            "SELECT count(*), bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
            " WHERE usename = %s",
            (SEALED_USER,),
        ).fetchone()
    assert row is not None
    assert row[0] >= len(SERVICES) * 2, "each process has a connection"
    assert row[1] is True


def test_no_secret_is_logged(clinic: Clinic) -> None:
    for file in clinic.folder.glob("*.log"):
        written = file.read_text()
        for service in SERVICES:
            assert clinic.environment[f"PIVOTPOINT_{service.upper()}_MASTER_KEY"] not in written
        assert PASSWORD not in written


def episode(browser: Browser, client: str) -> UUID:
    """Our id of a client's course."""
    rows = json.loads(browser.get("/v1/inbox").html)["rows"]
    return next(UUID(row["episode"]) for row in rows if row["client"] == client)


def of_later_release(key: UUID) -> Message:
    """A message of a version that this release does not know, from a log of its own."""
    data = {"episode": key.hex, "session": "s-2", "on": TODAY.isoformat(), "attendance": "attended"}
    id_ = message_id(UUID(int=1), 1, data)
    return Message(LATER, 99, id_, key, CLOCK.now(), "later-release", 1, data)


def test_what_cannot_be_read_waits_and_holds_up_its_own_episode_alone(
    clinic: Clinic, ehr: Ehr, browser: Browser, kafka_settings: KafkaSettings
) -> None:
    """A version of a later release, and bytes that are no message, by way of the broker."""
    bad, garbled = (f"K-{name}" for name in ("later", "garbled"))
    for name in (bad, garbled):
        courses.worsening(ehr, name, TODAY)
        until(lambda one=name: is_told(browser, f"client of {one}"), "all is well")  # type: ignore[misc]
    keys = {name: episode(browser, f"client of {name}") for name in (bad, garbled)}

    transport = KafkaTransport(kafka_settings)
    transport.send(topics.EPISODES, [of_later_release(keys[bad])])
    transport.close()
    producer = KafkaProducer(**kafka_settings.connection)
    producer.send(topics.EPISODES, key=keys[garbled].hex.encode(), value=b"\xff{no message")
    producer.flush(30)
    producer.close()

    def listed() -> str:
        return clinic.told("alerts", "parked", "list")

    until(lambda: all(key.hex in listed() for key in keys.values()), "both are parked", look=1)
    told = listed()
    assert "UnknownMessageError" in told
    assert "BadMessageError" in told

    ehr.send("POST", "/v1/measures", courses.measure(bad, 99, TODAY.isoformat(), 22, risk=2))
    until(lambda: "risk_answer" in channels(browser)[f"client of {bad}"], "risk answers go on")
    another = worsens(ehr)
    until(lambda: is_told(browser, another), "others go on")

    clinic.told("alerts", "parked", "replay")
    until(lambda: clinic.count("alerts", ASKED) == 0, "the replay was tried")
    assert all(key.hex in listed() for key in keys.values()), "this release still cannot read it"
