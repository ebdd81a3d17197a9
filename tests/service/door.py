"""The EHR's door as tests drive it: real HTTP, a real store, views that follow the log."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask

from schemas import approaches
from services.chassis.clock import SteppedClock
from services.chassis.follower import Follower
from services.chassis.group_commit import GroupCommit
from services.chassis.http.health import Health
from services.chassis.http.server import Server
from services.chassis.store import Store
from services.outcomes import metrics
from services.outcomes.api import Reading, create_app
from services.outcomes.core import definition
from services.outcomes.core.case import Yardsticks
from services.outcomes.core.estimate import DEFAULTS
from services.outcomes.core.event import TOPICS
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.rules import Rules
from services.outcomes.detector import Detector
from services.outcomes.record import Record
from services.outcomes.senders import Senders
from services.outcomes.views.episodes import EpisodeReader, Episodes
from services.outcomes.views.held import Held

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = bytes(range(32))
SHIPPED = Path(__file__).parents[2] / "services/outcomes/instruments"


def registry() -> dict[str, Instrument]:
    """The shipped instruments."""
    files = sorted(SHIPPED.glob("*.toml"))
    return definition.read_all((one.name, one.read_text()) for one in files)


@dataclass
class Answer:
    """A response; `json` is its body parsed."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def pointers(self) -> list[str]:
        return [fault["pointer"] for fault in self.json["errors"]]


@dataclass
class Door:
    """A running door and what stands behind it."""

    store: Store
    record: Record
    senders: Senders
    instruments: dict[str, Instrument]
    clock: SteppedClock
    commit: GroupCommit
    health: Health
    app: Flask
    port: int
    token: str = ""

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        kind: str | None = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request; `body` is sent as JSON unless it is bytes already."""
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        token = self.token if token is None else token
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        if raw is not None and kind:
            sent["Content-Type"] = kind
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, raw, sent | (headers or {}))
            response = connection.getresponse()
            return Answer(
                response.status, {k.title(): v for k, v in response.getheaders()}, response.read()
            )
        finally:
            connection.close()

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.send("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.send("PUT", path, body, **more)

    def get(self, path: str, **more: Any) -> Answer:
        return self.send("GET", path, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.send("DELETE", path, **more)

    def wait_until(self, true: Callable[[], bool], within: float) -> None:
        deadline = monotonic() + within
        while not true():
            assert monotonic() < deadline, "waited in vain"
            sleep(0.02)

    def events(self) -> list[Any]:
        """Every event of the log but the senders'."""
        found: list[Any] = []
        after, log = 0, self.store.log()
        while page := log.page(after).entries:
            found += [entry.event for entry in page]
            after = page[-1].position
        return [event for event in found if not event.TOPIC.startswith("sender.")]

    def topics(self) -> list[str]:
        return [event.TOPIC for event in self.events()]


@contextmanager
def opened(
    folder: Path, now: datetime = NOW, sender: str = "ehr", *, detecting: bool = False
) -> Iterator[Door]:
    """A door over a store in `folder`, with one sender, unless there is one already."""
    clock = SteppedClock(now)
    store = Store.open(f"sqlite:///{folder}", "outcomes", master_key=KEY, topics=TOPICS)
    store.migrate()
    commit, log, instruments = GroupCommit(store.log()), store.log(), registry()
    episodes, held = Episodes(), Held(store.ids)
    followers = []
    for view in (episodes, held):
        store.views.register(view)
        reader = store.views.reader(view)
        followers.append(Follower(store.log(), [reader], store.parking, clock, poll=0.01))
    if detecting:
        detector = Detector(
            store.log(),
            store.ids,
            Yardsticks(instruments, Rules(), DEFAULTS),
            clock=clock,
            zone=ZONE,
        )
        followers.append(Follower(store.log(), [detector], store.parking, clock, poll=0.01))
    reader_of = EpisodeReader(store.views, episodes, log)
    record = Record(
        log, commit, store.vault, instruments, approaches.shipped(), clock, ZONE, reader_of
    )
    senders = Senders(store.log(), store.ids, store.service_owner, clock)
    catalogue = metrics.catalogue()
    health = Health(catalogue)
    app = create_app(
        record,
        senders,
        Reading(reader_of, store.views, held, store.ids),
        instruments,
        clock=clock,
        zone=ZONE,
        health=health,
        catalogue=catalogue,
    )
    server = Server(app, threads=16)
    for follower in followers:
        follower.start()
    server.start()
    door = Door(store, record, senders, instruments, clock, commit, health, app, server.port)
    if not senders.list():
        door.token = senders.add(sender)
    try:
        yield door
    finally:
        server.stop()
        for follower in followers:
            follower.stop()
        commit.close()
        store.close()


def revoke(folder: Path, name: str) -> None:
    """Revoke a sender as another process would."""
    store = Store.open(f"sqlite:///{folder}", "outcomes", master_key=KEY, topics=TOPICS)
    Senders(store.log(), store.ids, store.service_owner, SteppedClock(NOW)).revoke(name)
    store.close()


def phq(number: int | str = 1, **changes: Any) -> dict[str, Any]:
    """A measure as an EHR posts it."""
    return {
        "external_id": f"m-{number}",
        "client": "K-1184",
        "episode": "E-77",
        "instrument": "phq-9",
        "administered_at": "2026-03-02",
        "items": [2, 2, 1, 2, 1, 1, 1, 0, 0],
        **changes,
    }


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}
