"""The stage on what a clinic runs: four processes, PostgreSQL, Kafka, all in the time of the play.

Each process is a `simulation.part`, told the time over its standard input. This process is one
more replica: the made-up people act in it, through the same database.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, cast
from urllib.parse import urlsplit

from schemas import topics
from services.alerts import settings as alerts_settings
from services.alerts.wiring import Alerts
from services.chassis.clock import SteppedClock
from services.chassis.faults import NotMigratedError
from services.chassis.ids import random_bytes
from services.chassis.settings import Reader, environment
from services.chassis.store import Store
from services.chassis.transport.kafka.settings import KafkaSettings, read
from services.chassis.transport.kafka.topics import check_topics, create_topics, unread
from services.outcomes import settings as outcomes_settings
from services.outcomes.wiring import Outcomes
from simulation.stage import POLICY

ROOT = Path(__file__).parents[1]
PARTITIONS = "3"
OUTCOMES, ALERTS = outcomes_settings.PREFIX, alerts_settings.PREFIX


class NotEmptyError(Exception):
    """The demo would mix with what is there; the text says where."""


class PartError(Exception):
    """One of the processes ended; the text names it."""


class Part:
    """One of the four processes, seen from the play."""

    def __init__(self, name: str, half: str, env: Mapping[str, str], moment: datetime) -> None:
        """Start it; `url` waits until it is there."""
        self.name = f"{name} {half}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulation.part", name, half, moment.isoformat()],
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is the play's to hear; then it ends its parts
        )
        self._requests = cast("IO[str]", self._process.stdin)
        self._answers = cast("IO[str]", self._process.stdout)
        self.url = ""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask(self, request: str) -> list[str]:
        """Send a line; the answer.

        Raises:
            PartError: it has ended.
        """
        try:
            self._requests.write(request + "\n")
            self._requests.flush()
        except BrokenPipeError:
            raise PartError(f"the process {self.name} has ended") from None
        return list(self._hear() or ())

    def wait_until_ready(self) -> None:
        """Until it says where it is.

        Raises:
            PartError: it ended instead; it has said why on standard error.
        """
        self.url = str(self._hear())

    def close(self) -> None:
        """Let it finish and end."""
        self._process.communicate()

    def _hear(self) -> str | list[str] | None:
        line = self._answers.readline()
        if not line:
            raise PartError(f"the process {self.name} has ended")
        answer: str | list[str] | None = json.loads(line)
        return answer


class InFourProcesses:
    """Both services on PostgreSQL and Kafka, each as `serve` and `follow`."""

    def __init__(self, env: Mapping[str, str], moment: datetime, stack: ExitStack) -> None:
        """Use `open` instead."""
        self._clock = SteppedClock(moment)
        self.outcomes = Outcomes.open(outcomes_settings.load(env), self._clock)
        stack.callback(self.outcomes.stop)
        self.alerts = Alerts.open(alerts_settings.load(env), self._clock)
        stack.callback(self.alerts.stop)
        kafka = _kafka(env)
        create_topics(kafka, topics.ALL, compacted=topics.COMPACTED)
        self._unread = stack.enter_context(unread(kafka))
        halves = [(name, half) for name in ("outcomes", "alerts") for half in ("serve", "follow")]
        self._parts = {one: Part(*one, env, moment) for one in halves}
        for part in self._parts.values():
            stack.callback(part.close)
        for part in self._parts.values():
            part.wait_until_ready()

    @classmethod
    @contextmanager
    def open(
        cls, store: str, broker: str, moment: datetime, port: int
    ) -> Iterator["InFourProcesses"]:
        """Run for the length of a block, in an empty database and on a broker without our topics.

        Raises:
            NotEmptyError: tables or topics of ours are there already.
        """
        env = _environment(store, broker, port)
        _refuse_what_is_there(env)
        with ExitStack() as stack:
            yield cls(env, moment, stack)

    @property
    def outcomes_port(self) -> int:
        """Where the EHR sends."""
        return int(urlsplit(self._parts["outcomes", "serve"].url).port or 0)

    def told(self) -> str:
        """What runs, for a person."""
        lines = [f"  {one.name}: process {one.pid}, {one.url}" for one in self._parts.values()]
        return "\n".join(["Both services run as a clinic runs them:", *lines])

    def set(self, moment: datetime) -> None:
        """Let it be that moment everywhere."""
        self._clock.set(moment)
        for part in self._parts.values():
            part.ask(f"clock {moment.isoformat()}")

    def tick(self) -> None:
        """Let the timers of both services see the clock."""
        for name in ("outcomes", "alerts"):
            self._parts[name, "follow"].ask("turn")

    def beat(self) -> None:
        """Let the risk path say now that it is alive."""
        self._parts["outcomes", "follow"].ask("beat")

    def behind(self) -> list[str]:
        """Who has not taken all that is there; nobody only when nothing came while we looked."""
        before = self.outcomes.log.head(), self.alerts.log.head()
        found = self._parts["outcomes", "follow"].ask("behind") or self._waiting(
            self.alerts, topics.EPISODES, topics.RISK, topics.STATISTICS
        )
        found = found or self._parts["alerts", "follow"].ask("behind")
        found = found or self._waiting(self.outcomes, topics.ANSWERS)
        moved = before != (self.outcomes.log.head(), self.alerts.log.head())
        return found or (["something still came"] if moved else [])

    def invite(self, name: str) -> str:
        """A link that signs a person in once."""
        url = self._parts["alerts", "serve"].url
        return f"{url}/signin/{self.alerts.signin.invite(name)}"

    def _waiting(self, reader: Outcomes | Alerts, *names: str) -> list[str]:
        return [f"the reader of {one}" for one in names if self._unread(one, reader.log.position)]


def _environment(store: str, broker: str, port: int) -> dict[str, str]:
    """What the processes are set up by; no other setting of this process's reaches them."""
    both = {
        "STORE": store,
        "MASTER_KEY": "",
        "ZONE": "UTC",
        "PORT": "0",
        "FOLLOW_PORT": "0",
        "KAFKA_BOOTSTRAP": broker,
        "KAFKA_PARTITIONS": PARTITIONS,
    }
    env = {name: value for name, value in environment().items() if "PIVOTPOINT_" not in name}
    for prefix in (OUTCOMES, ALERTS):
        env |= {prefix + name: value for name, value in both.items()}
        env[prefix + "MASTER_KEY"] = random_bytes(32).hex()
    env |= {ALERTS + name: value for name, value in POLICY.items()}
    return env | {ALERTS + "PORT": str(port)}


def _kafka(env: Mapping[str, str]) -> KafkaSettings:
    reader = Reader({name: value for name, value in env.items() if "_KAFKA_" in name}, OUTCOMES)
    return read(reader, production=False) or KafkaSettings(())


def _refuse_what_is_there(env: Mapping[str, str]) -> None:
    settings, kafka = outcomes_settings.load(env), _kafka(env)
    if len(check_topics(kafka, topics.ALL, kafka.request_s)) < len(topics.ALL):
        raise NotEmptyError("the broker has topics of ours already: name another with --broker")
    for service in ("outcomes", "alerts"):
        store = Store.open(settings.store, service, master_key=settings.master_key, topics={})
        try:
            _ = store.log_id
        except NotMigratedError:
            continue
        finally:
            store.close()
        raise NotEmptyError("the database has tables of ours already: name another with --store")
