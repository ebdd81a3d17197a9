"""A real clinic at a steady rate for as long as one likes: memory, lag and parked, each minute."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.faults.crowd import THREADS
from tests.faults.real import RealHouse
from tests.journey.real_parts import HALVES, Clinic
from tests.servers import Cluster, Kafka

MINUTE = 60.0
MEGABYTE_KB = 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """How the clinic stood at the end of a minute."""

    minute: int
    calls: int
    lag_events: float
    """Of the reader that was furthest behind, in either service."""
    lag_seconds: float
    parked: float
    rss_mb: dict[str, int]


@dataclass
class Steady:
    """What came of it."""

    minutes: int
    rate: float
    """Calls a second that were meant."""
    samples: list[Sample] = field(default_factory=list)
    calls: int = 0
    answers: int = 0
    faults: list[str] = field(default_factory=list)


def stay(
    cluster: Cluster,
    kafka: Kafka,
    folder: Path,
    minutes: int,
    rate: float,
    tell: Callable[[Sample], None],
) -> Steady:
    """Let everybody work for so many minutes, at about `rate` calls a second, then audit."""
    clinic, steady = Clinic(cluster, kafka, folder), Steady(minutes, rate)
    try:
        house = RealHouse(clinic, pause=THREADS / rate)
        for minute in range(1, minutes + 1):
            ends = time.monotonic() + MINUTE
            with house.busy():  # of new courses, as people come and go
                time.sleep(max(0.0, ends - time.monotonic()))
            steady.samples.append(_sample(house, minute))
            tell(steady.samples[-1])
        steady.faults = [f"{one} died by itself" for one in clinic.died()] + house.faults()
    finally:
        clinic.close()
    steady.calls, steady.answers = len(house.all.record.all()), len(house.person.recorded)
    return steady


def _sample(house: RealHouse, minute: int) -> Sample:
    clinic = house.clinic
    told = [_metrics(clinic.url(service, "follow")) for service in ("outcomes", "alerts")]

    def worst(name: str) -> float:
        return max((value for one in told for value in one.get(name, [0.0])), default=0.0)

    return Sample(
        minute=minute,
        calls=len(house.all.record.all()),
        lag_events=worst("reader_lag_events"),
        lag_seconds=round(worst("reader_lag_seconds"), 2),
        parked=worst("parked_entries"),
        rss_mb={f"{s} {h}": _rss_mb(clinic.pid(s, h)) for s, h in HALVES},
    )


def _metrics(url: str) -> dict[str, list[float]]:
    with urlopen(url + "/metrics", timeout=180) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        found: dict[str, list[float]] = {}
        for family in families:
            for sample in family.samples:
                found.setdefault(sample.name, []).append(sample.value)
        return found


def _rss_mb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(one for one in status.splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) // MEGABYTE_KB
