"""Both services in one process, messages handed straight over: what `pivotpoint run` starts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from services.alerts import settings as alerts_settings
from services.alerts.wiring import Alerts
from services.chassis import folder
from services.chassis.clock import Clock
from services.chassis.http.server import Server
from services.chassis.lock import FileLock
from services.chassis.outbox import Outbox
from services.chassis.run import Part, Supervisor
from services.chassis.store import Store
from services.chassis.transport import source
from services.chassis.transport.embedded import EmbeddedTransport
from services.chassis.turns import Turns
from services.outcomes import settings as outcomes_settings
from services.outcomes.wiring import Outcomes


class InUseError(Exception):
    """Another process runs on the folder."""


def _go_back(relays: Sequence[Outbox], store: Store, receiving: Store) -> None:
    """Let relays go back to what the other side has stored, when that was restored."""
    if not receiving.former[0]:
        return
    log, (former, last) = receiving.log(), store.former
    for relay in relays:
        stored = log.position(source(store.log_id, relay.topic, 0))
        before = log.position(source(former, relay.topic, 0))
        relay.again_from(max(stored, min(last, before)) + 1)


class Embedded:
    """The two services over one data folder."""

    def __init__(self, data: Path, outcomes: Outcomes, alerts: Alerts, lock: FileLock) -> None:
        """Use `open` instead."""
        self.data, self.outcomes, self.alerts, self._lock = data, outcomes, alerts, lock
        transport, turns = EmbeddedTransport(), Turns()
        _go_back(outcomes.relays(transport), outcomes.store, alerts.store)
        _go_back(alerts.relays(transport), alerts.store, outcomes.store)
        for topic, receiver in (outcomes.receivers() | alerts.receivers()).items():
            transport.subscribe(topic, receiver)
        self.pages: Server
        self.door: Server
        self._supervisor = Supervisor()
        self._supervisor.add(Part("folder", stop=self._close))
        self._supervisor.add(
            Part("alerts", lambda: alerts.start(transport, turns), alerts.stop, alerts.alive)
        )
        self._supervisor.add(
            Part(
                "outcomes", lambda: outcomes.start(transport, turns), outcomes.stop, outcomes.alive
            )
        )
        self._supervisor.add(
            Part("pages", self._serve_pages, lambda: self.pages.stop(), lambda: self.pages.alive())
        )
        self._supervisor.add(
            Part("door", self._serve_door, lambda: self.door.stop(), lambda: self.door.alive())
        )

    @classmethod
    def open(
        cls,
        data: Path,
        clock: Clock,
        outcomes_port: int = 8070,
        alerts_port: int = 8071,
        **alerts_more: str,
    ) -> "Embedded":
        """Both services over `data`, their tables made when missing; nothing runs yet.

        `alerts_more` are further settings of the alerts service, by name without its prefix.

        Raises:
            InUseError: another process runs on the folder.
            SettingsError: the environment sets something wrong.
        """
        lock = folder.run_lock(data)
        if not lock.acquire():
            raise InUseError(
                f"another process runs on {data}: stop it, or name another folder with --data"
            )
        first = outcomes_settings.of_folder(data, PORT=str(outcomes_port))
        second = alerts_settings.of_folder(data, PORT=str(alerts_port), **alerts_more)
        outcomes = Outcomes.open(first, clock)
        try:
            alerts = Alerts.open(second, clock)
        except BaseException:
            outcomes.stop()
            raise
        return cls(data, outcomes, alerts, lock)

    @property
    def outcomes_port(self) -> int:
        """The port of the EHR's door."""
        return self.door.port

    @property
    def outcomes_url(self) -> str:
        """Where measures are posted."""
        return self.door.url

    @property
    def alerts_url(self) -> str:
        """Where people sign in."""
        return self.alerts.settings.url or self.pages.url

    def invite(self, name: str) -> str:
        """A link that signs a person in once."""
        return f"{self.alerts_url}/signin/{self.alerts.signin.invite(name)}"

    def behind(self) -> list[str]:
        """The readers of either service that have not taken all; empty when all have settled."""
        # An answer may still be on its way back when outcomes was looked at first.
        return self.outcomes.behind() or self.alerts.behind() or self.outcomes.behind()

    def serve(self, ready: Callable[[], None]) -> int:
        """Run until a signal; the exit code."""
        return self._supervisor.run(ready)

    @contextmanager
    def running(self) -> Iterator["Embedded"]:
        """Run for the length of a block."""
        self._supervisor.start()
        try:
            yield self
        finally:
            self._supervisor.stop()

    def _serve_pages(self) -> None:
        self.pages = self.alerts.server()
        self.pages.start()

    def _serve_door(self) -> None:
        self.door = self.outcomes.server()
        self.door.start()
        addresses = {"outcomes": self.outcomes_url, "alerts": self.alerts_url}
        folder.write_addresses(self.data, addresses)

    def _close(self) -> None:
        folder.forget_addresses(self.data)
        self._lock.release()
