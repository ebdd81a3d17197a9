"""The receivers of a service that has a broker: started, stopped, watched, measured together."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from services.chassis.eventlog import EventLog
from services.chassis.http.health import Health
from services.chassis.metrics import (
    RECEIVED,
    RECEIVER_FAILURES,
    RECEIVER_LAG,
    RECEIVER_STILL,
    Catalogue,
)
from services.chassis.transport import Delivery, Receiver
from services.chassis.transport.kafka.receiver import KafkaReceiver
from services.chassis.transport.kafka.settings import KafkaSettings
from services.chassis.turns import Turns


@dataclass(frozen=True, slots=True)
class Report:
    """Tells the catalogue what receivers do."""

    catalogue: Catalogue

    def received(self, topic: str, partition: int, count: int, behind: int) -> None:
        """A page took effect."""
        place = {"topic": topic, "partition": str(partition)}
        self.catalogue.count(RECEIVED, count, **place)
        self.catalogue.set(RECEIVER_LAG, behind, **place)

    def failed(self, topic: str, error: str) -> None:
        """Something raised an error of this class."""
        self.catalogue.count(RECEIVER_FAILURES, topic=topic, error=error)

    def stands_still(self, topic: str, partition: int, *, still: bool) -> None:
        """Messages after the stored offset are gone, or the partition goes on."""
        self.catalogue.set(RECEIVER_STILL, still, topic=topic, partition=str(partition))


@dataclass(frozen=True, slots=True)
class _ByTurns:
    """A receiver that takes each page when its turn has come."""

    receiver: Receiver
    turns: Turns
    urgent: bool

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        """Hand on."""
        with self.turns.turn(urgent=self.urgent):
            self.receiver.receive(deliveries)


class Receivers:
    """Each topic gets a member of the service's consumer group for it."""

    def __init__(
        self,
        settings: KafkaSettings,
        service: str,
        receivers: Mapping[str, Receiver],
        log: EventLog,
        health: Health,
        catalogue: Catalogue,
        turns: Turns,
        urgent: Collection[str] = (),
    ) -> None:
        """Nothing runs yet; `log` tells the offsets that `receivers` stored with their effects.

        By `turns` they and the followers work one after another, those of `urgent` topics first.
        """
        self._settings, self._service, self._log = settings, service, log
        self._receivers, self._health = receivers, health
        self._turns, self._urgent = turns, urgent
        self._report = Report(catalogue)
        self._members: list[KafkaReceiver] = []

    def start(self) -> None:
        """Join the groups and read on."""
        for topic, receiver in self._receivers.items():
            member = KafkaReceiver(
                self._settings,
                topic,
                _ByTurns(receiver, self._turns, topic in self._urgent),
                self._log.position,
                f"{self._service}.{topic}",
                self._report,
            )
            self._health.loop(member.name, _silence(member))
            self._members.append(member)
            member.start()

    def stop(self) -> None:
        """Let the pages at hand be stored and leave, all at once."""
        leaving = [threading.Thread(target=one.stop, daemon=True) for one in self._members]
        for one in leaving:
            one.start()
        for one in leaving:
            one.join()

    def alive(self) -> bool:
        """Whether all that were started still run."""
        return all(one.is_alive() for one in self._members)


def _silence(member: KafkaReceiver) -> Callable[[], float]:
    return lambda: member.silence
