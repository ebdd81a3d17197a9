"""The four processes of a clinic that has PostgreSQL and Kafka, set up by the environment alone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

import psycopg
from kafka import KafkaAdminClient

from schemas import topics
from services.chassis.clock import SystemClock
from tests.faults import courses
from tests.faults.browser import Browser
from tests.faults.ehr import Ehr
from tests.servers import Cluster, Kafka
from tests.servers.place import free_ports

ROOT = Path(__file__).parents[2]
SERVICES = ("outcomes", "alerts")
HALVES = tuple((service, half) for service in SERVICES for half in ("serve", "follow"))
READY_WITHIN = 60.0
TODAY = SystemClock().now().date()


def until(
    true: Callable[[], bool], what: str, within: float = READY_WITHIN, look: float = 0.05
) -> None:
    """Wait for something to become so, looking every `look` seconds."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(look)


def answers(url: str) -> bool:
    """Whether an address answers with success."""
    with suppress(URLError, OSError), urlopen(url, timeout=5) as told:
        return bool(told.status == 200)
    return False


def _forget_topics(kafka: Kafka) -> None:
    """Let the clinic that used the broker before leave no message to this one."""
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    try:
        there = [name for name in topics.ALL if name in admin.list_topics()]
        if there:
            admin.delete_topics(there)
        until(lambda: not set(there) & set(admin.list_topics()), "the topics are gone")
    finally:
        admin.close()


def channels(browser: Browser) -> dict[str, set[str]]:
    """Client to the channels of the row in the inbox."""
    rows: list[dict[str, Any]] = json.loads(browser.get("/v1/inbox").html)["rows"]
    return {
        row["client"]: {line["channel"] for line in (row["main"], *row["others"])} for row in rows
    }


def worsens(ehr: Ehr) -> str:
    """Tell of a course that gets reliably worse; its client."""
    name = f"K-{uuid4().hex[:6]}"
    courses.worsening(ehr, name, TODAY)
    return f"client of {name}"


def is_told(browser: Browser, client: str) -> bool:
    return "reliable_deterioration" in channels(browser).get(client, set())


class Clinic:
    """An environment, a database of its own, and whatever runs of the four processes."""

    def __init__(self, postgres: Cluster, kafka: Kafka, folder: Path) -> None:
        self.folder, self._kafka = folder, kafka
        _forget_topics(kafka)
        self._running: dict[tuple[str, str, int], subprocess.Popen[bytes]] = {}
        self.store = postgres.create(f"clinic_{uuid4().hex[:8]}")
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PIVOTPOINT_")
        }
        self.ports: dict[tuple[str, str], int] = {}
        for service in SERVICES:
            serve, follow = free_ports(2)
            self.ports[service, "serve"], self.ports[service, "follow"] = serve, follow
            own = {
                "STORE": self.store,
                "MASTER_KEY": os.urandom(32).hex(),
                "ZONE": "UTC",
                "PORT": str(serve),
                "FOLLOW_PORT": str(follow),
                "KAFKA_BOOTSTRAP": kafka.bootstrap,
                "KAFKA_PARTITIONS": "2",
                "KAFKA_SESSION_S": "6",
            }
            self.set(service, own)
        self.set("alerts", {"BACKUP": "bea", "URL": self.url("alerts"), "RISK_LATE_S": "15"})
        self.set("outcomes", {"HEARTBEAT_S": "1"})

    def pid(self, service: str, half: str, number: int = 0) -> int:
        """The process id of one."""
        return self._running[service, half, number].pid

    def died(self) -> list[tuple[str, str, int]]:
        """What ended without being asked to."""
        return [one for one, process in self._running.items() if process.poll() is not None]

    def set(self, service: str, values: dict[str, str]) -> None:
        """Set settings of a service for whatever is started from now on."""
        prefix = f"PIVOTPOINT_{service.upper()}_"
        self.environment |= {prefix + name: value for name, value in values.items()}

    def url(self, service: str, half: str = "serve") -> str:
        """Where a process answers."""
        return f"http://127.0.0.1:{self.ports[service, half]}"

    def do(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in a folder that must stay empty."""
        here = self.folder / "here"
        here.mkdir(exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "services", *arguments],
            cwd=here,
            env=self.environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert not list(here.iterdir()), "a command has written beside the database"
        return done

    def told(self, *arguments: str) -> str:
        """What a command prints that has to succeed."""
        done = self.do(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, service: str, half: str, number: int = 0, **settings: str) -> None:
        """Start one of the processes, the `number`th of its kind."""
        prefix = f"PIVOTPOINT_{service.upper()}_"
        more = {prefix + name: value for name, value in settings.items()}
        with (self.folder / f"{service}-{half}-{number}.log").open("ab") as log:
            self._running[service, half, number] = subprocess.Popen(
                [sys.executable, "-m", "services", service, half],
                cwd=self.folder,
                env=self.environment | more | {"PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )

    def ready(self, service: str, half: str) -> None:
        """Wait until a process says that it is."""
        until(lambda: answers(self.url(service, half) + "/readyz"), f"{service} {half} is ready")

    def start_all(self) -> None:
        """Start all four, and wait for them."""
        for service, half in HALVES:
            self.start(service, half)
        for service, half in self.ports:
            self.ready(service, half)

    def kill(self, service: str, half: str, number: int = 0) -> None:
        """End one as a loss of power would."""
        process = self._running.pop((service, half, number))
        process.kill()
        process.wait()

    def terminate(self, service: str, half: str, number: int = 0) -> tuple[int, float]:
        """Ask one to end; its exit code, and the seconds that it took."""
        process = self._running.pop((service, half, number))
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        return process.wait(30), time.monotonic() - begun

    def log(self, service: str, half: str, number: int = 0) -> list[dict[str, str]]:
        """The lines that a process has logged."""
        text = (self.folder / f"{service}-{half}-{number}.log").read_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def count(self, service: str, query: str) -> int:
        """A number out of a service's tables."""
        with psycopg.connect(self.store) as session:
            session.execute(f"SET search_path TO {service}")
            row = session.execute(query).fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """End whatever runs."""
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()
        self._running.clear()
