"""A service in processes of its own: what `serve` and `follow` run, each until a signal."""

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from services.chassis.eventlog import EventLog
from services.chassis.faults import StoreError
from services.chassis.http import application
from services.chassis.http.health import Health
from services.chassis.http.server import Server
from services.chassis.lock import SingleHolder
from services.chassis.message import Message
from services.chassis.metrics import Catalogue
from services.chassis.receivers import Receivers
from services.chassis.run import Part, Supervisor
from services.chassis.store import Store
from services.chassis.transport import Receiver, Transport, TransportError
from services.chassis.transport.kafka.sender import KafkaTransport
from services.chassis.transport.kafka.settings import KafkaSettings
from services.chassis.transport.kafka.topics import check_topics
from services.chassis.turns import Turns

LOGGER = logging.getLogger(__name__)
LOCK = "detector"
TURN = 1.0
"""Seconds between looks at the lock; a dead holder is followed by another within as many."""


class WrongTopicsError(Exception):
    """Topics are missing or would lose messages; the text says what to do."""


class Service(Protocol):
    """What both services are, seen from here."""

    store: Store
    log: EventLog
    health: Health
    catalogue: Catalogue

    def server(self) -> Server:
        """What answers people or programs, listening already."""
        ...

    def start(self, transport: Transport, turns: Turns) -> None:
        """Start followers and timers; followers work by `turns`."""
        ...

    def receivers(self) -> Mapping[str, Receiver]:
        """Who takes which topic."""
        ...

    def alive(self) -> bool:
        """Whether everything that was started still runs."""
        ...

    def stop(self) -> None:
        """Finish what is at hand and close."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """What a following process is connected to, and where it answers probes."""

    kafka: KafkaSettings
    topics: Sequence[str]
    host: str
    port: int
    compacted: Collection[str] = ()
    """Those of `topics` of which the latest message of each key is kept for ever."""
    urgent: Collection[str] = ()
    """Those of `topics` whose messages are taken before anything else is done."""


@dataclass(frozen=True, slots=True)
class _Aside:
    """A transport that lets others work while it waits for the broker."""

    transport: Transport
    turns: Turns

    def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Hand on."""
        with self.turns.aside():
            self.transport.send(topic, messages)


class Holder(threading.Thread):
    """Waits until the lock is ours, then lets work begin; ends when another has it after all."""

    def __init__(self, lock: SingleHolder, begin: Callable[[], None], turn: float = TURN) -> None:
        """Call `begin` once, in this thread, when `lock` is held."""
        super().__init__(name="holder", daemon=True)
        self.begun = False
        self._lock, self._begin, self._turn = lock, begin, turn
        self._stopping = threading.Event()
        self._beat = monotonic()

    @property
    def silence(self) -> float:
        """Seconds since the last look at the lock ended."""
        return monotonic() - self._beat

    def run(self) -> None:
        """Look at the lock until stopped."""
        while not self._stopping.is_set():
            held = self._held()
            if held and not self.begun:
                self._begin()
                self.begun = True
            if self.begun and held is False:
                LOGGER.error("another process took over")
                return
            self._beat = monotonic()
            self._stopping.wait(self._turn)

    def stop(self) -> None:
        """Look no more; the lock is let go by who made it, after all work has ended."""
        self._stopping.set()
        if self.is_alive():
            self.join()

    def _held(self) -> bool | None:
        """Whether the lock is ours; None while the store is away.

        Then work goes on trying too: what it stores is fenced by positions, with or without lock.
        """
        try:
            return self._lock.acquire()
        except StoreError:
            return None


def serve(service: Service, ready: Callable[[str], None]) -> int:
    """Run the HTTP side alone; `ready` is told the address. The exit code."""
    server = service.server()
    supervisor = Supervisor()
    supervisor.add(Part("service", stop=service.stop))
    supervisor.add(Part("http", server.start, server.stop, server.alive))
    return supervisor.run(lambda: ready(server.url))


def follow(name: str, service: Service, line: Line, ready: Callable[[str], None]) -> int:
    """Run everything else, as soon as no other process does; the exit code.

    `ready` is told the address of the probes.

    Raises:
        WrongTopicsError: the broker's topics are not as they must be.
    """
    _check(line)
    service.health.loop("holder", lambda: holder.silence)
    turns = Turns()
    broker = KafkaTransport(line.kafka)
    receivers = Receivers(
        line.kafka,
        name,
        service.receivers(),
        service.log,
        service.health,
        service.catalogue,
        turns,
        line.urgent,
    )

    def begin() -> None:
        service.start(_Aside(broker, turns), turns)
        receivers.start()

    lock = service.store.lock(LOCK)
    holder = Holder(lock, begin)
    probes = _probes(name, service, line)
    supervisor = Supervisor()
    for part in (
        Part("lock", stop=lock.release),
        Part("transport", stop=broker.close),
        Part("service", stop=service.stop, alive=lambda: not holder.begun or service.alive()),
        Part("receivers", stop=receivers.stop, alive=lambda: not holder.begun or receivers.alive()),
        Part("holder", holder.start, holder.stop, holder.is_alive),
        Part("probes", probes.start, probes.stop, probes.alive),
    ):
        supervisor.add(part)
    return supervisor.run(lambda: ready(probes.url))


def _probes(name: str, service: Service, line: Line) -> Server:
    def fault() -> str | None:
        service.log.head()
        return None

    service.health.dependency("store", fault)
    app = application.make(f"{name} follow", service.health, service.catalogue, {})
    return Server(app, line.host, line.port, threads=4)


def _check(line: Line) -> None:
    try:
        faults = check_topics(line.kafka, line.topics, line.kafka.request_s, line.compacted)
    except TransportError:
        # The log is the outbox: findings and pages go on, and the relay sends later.
        LOGGER.warning("the broker could not be asked about its topics")
        return
    if faults:
        raise WrongTopicsError("; ".join(faults))
