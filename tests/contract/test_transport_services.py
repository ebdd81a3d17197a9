"""Both services with a broker between them: their own relays, consumers and stored offsets."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from schemas import topics
from services.alerts import settings as alerts_settings
from services.alerts.core.course import MessageNoted
from services.alerts.wiring import Alerts
from services.chassis.clock import SystemClock
from services.chassis.message import Message
from services.chassis.transport import Receiver
from services.chassis.transport.kafka.receiver import KafkaReceiver
from services.chassis.transport.kafka.sender import KafkaTransport
from services.chassis.transport.kafka.settings import KafkaSettings
from services.chassis.transport.kafka.topics import create_topics
from services.chassis.turns import Turns
from services.outcomes import settings as outcomes_settings
from services.outcomes.core.telling import Announcement
from services.outcomes.wiring import Outcomes
from tests.contract.transport_rig import eventually
from tests.servers import Kafka

# The library leaves sockets of failed connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
TOPICS = (topics.EPISODES, topics.RISK, topics.ANSWERS)


class Line:
    """Kafka as the services see it, with topics of this test's own."""

    def __init__(self, broker: Kafka) -> None:
        self._own = uuid4().hex[:8]
        self._settings = KafkaSettings(bootstrap=(broker.bootstrap,), partitions=3, session_s=6.0)
        self._transport = KafkaTransport(self._settings)
        self._receivers: list[KafkaReceiver] = []
        create_topics(self._settings, [self._name(topic) for topic in TOPICS])

    def _name(self, topic: str) -> str:
        return f"{topic}.{self._own}"

    def send(self, topic: str, messages: Sequence[Message]) -> None:
        self._transport.send(self._name(topic), messages)

    def receive(self, service: Alerts | Outcomes) -> None:
        receivers: Mapping[str, Receiver] = service.receivers()
        for topic, receiver in receivers.items():
            name = self._name(topic)
            member = KafkaReceiver(
                self._settings, name, receiver, service.log.position, f"group {name}"
            )
            member.start()
            self._receivers.append(member)

    def rest(self) -> None:
        while self._receivers:
            self._receivers.pop().stop()

    def close(self) -> None:
        self.rest()
        self._transport.close()


@pytest.fixture
def line(kafka: Kafka) -> Iterator[Line]:
    one = Line(kafka)
    yield one
    one.close()
    gc.collect()  # here, where what the library leaves open is no failure


def announce(outcomes: Outcomes, first: int, last: int) -> None:
    told = Announcement(client="K-1", clinician="lind", opened_on="2026-01-05")
    for number in range(first, last + 1):
        outcomes.record.episodes.tell("clinic-ehr", f"E-{number}", told)


def openings(alerts: Alerts, outcomes: Outcomes, count: int) -> list[int]:
    """How often the first episodes were noted to have opened; any message at most once."""
    found = []
    for number in range(1, count + 1):
        episode = outcomes.record.episodes.id_of("clinic-ehr", f"E-{number}")
        stream = alerts.log.read(alerts.store.ids.derive("course", episode.hex))
        notes = [one.message for one in stream if isinstance(one, MessageNoted)]
        assert len({one["id"] for one in notes}) == len(notes)
        found.append(sum(one["type"] == "episode.changed" for one in notes))
    return found


def test_what_one_service_tells_the_other_notes_once(line: Line, tmp_path: Path) -> None:
    clock = SystemClock()
    outcomes = Outcomes.open(outcomes_settings.of_folder(tmp_path / "o"), clock)
    alerts = Alerts.open(alerts_settings.of_folder(tmp_path / "a"), clock)
    try:
        line.receive(alerts)
        outcomes.start(line, Turns())
        announce(outcomes, 1, 10)
        eventually(lambda: openings(alerts, outcomes, 10) == [1] * 10, "all is noted")
        eventually(lambda: alerts.watch.newest is not None, "the risk path is heard of")

        line.rest()
        announce(outcomes, 11, 20)
        line.receive(alerts)
        eventually(lambda: openings(alerts, outcomes, 20) == [1] * 20, "the rest is noted, once")
    finally:
        line.rest()
        outcomes.stop()
        alerts.stop()
