"""Kills the four processes of a real clinic, again and again under load, and audits it then."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import sleep

from tests.faults.crowd import answered
from tests.faults.real import RealHouse
from tests.journey.real_parts import HALVES, Clinic
from tests.servers import Cluster, Kafka

CALLS = (5, 30)
"""After how many further answers the next process is killed: at least, at most."""
SESSION_S = "2"
"""Seconds after which the broker gives a dead process's partitions to its successor."""


@dataclass
class Killed:
    """What came of it."""

    rounds: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    """Acknowledged to the sender."""
    repeated: int = 0
    """Sent again because nobody answered."""
    answers: int = 0
    """Acknowledged to the clinician at the pages."""
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Killed") -> None:
        """Count another run's too."""
        self.rounds += other.rounds
        self.kills = dict(Counter(self.kills) + Counter(other.kills))
        self.calls += other.calls
        self.repeated += other.repeated
        self.answers += other.answers
        self.faults += other.faults


def kill_again_and_again(
    cluster: Cluster, kafka: Kafka, folder: Path, rounds: int, random: Random
) -> Killed:
    """So many kills in a clinic of its own, and what the auditor says at the end."""
    clinic, killed = Clinic(cluster, kafka, folder), Killed(rounds)
    for service in ("outcomes", "alerts"):
        clinic.set(service, {"KAFKA_SESSION_S": SESSION_S})
    try:
        house = RealHouse(clinic)
        with house.busy() as all_:
            for round_ in range(rounds):
                answered(all_, random.randint(*CALLS))
                sleep(random.uniform(0, 0.1))
                # Each in turn, in an order of chance, so that a few rounds reach all of them.
                if round_ % len(HALVES) == 0:
                    order = random.sample(HALVES, len(HALVES))
                service, half = order[round_ % len(HALVES)]
                clinic.kill(service, half)
                clinic.start(service, half)
                name = f"{service} {half}"
                killed.kills[name] = killed.kills.get(name, 0) + 1
            answered(all_, CALLS[0])
        killed.faults = [f"{one} died by itself" for one in clinic.died()] + house.faults()
    finally:
        clinic.close()
    killed.calls, killed.repeated = len(all_.record.all()), all_.repeated
    killed.answers = len(house.person.recorded)
    return killed
